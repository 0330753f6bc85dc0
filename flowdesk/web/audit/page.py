"""What the audit page shows."""

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Field, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One act: when, who, what, to which thing, and its seal."""

    at: str
    when: str
    who: str
    words: str
    thing: str
    change: tuple[tuple[str, str, str], ...]  # field, before, after; before is empty where there was nothing
    number: str
    seal: str  # waiting, holds, broken
    seal_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """The acts that were asked for, the newest first."""

    sealed_words: str
    rows: tuple[AuditRow, ...]
    filters: tuple[Field, ...]
    href: str
    filters_set: int = 0
    broken: int = 0
    more_href: str = ""
    export: Form | None = None
    empty: Empty | None = None
