"""What the page of assignments shows."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Field, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """One change of hands."""

    at: str
    when: str
    number: int
    subject: str
    href: str
    words: str  # "from Bo Ek to Ada Lind"
    why: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """What was handed out together."""

    words: str
    when: str
    at: str
    who: str
    href: str
    undo: Form | None = None
    note: str = ""  # "taken back"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentsPage:
    """Every change of hands that was asked for, the newest first."""

    rows: tuple[AssignmentRow, ...]
    bulks: tuple[BulkRow, ...]
    filters: tuple[Field, ...]
    href: str
    filters_set: int = 0
    more_href: str = ""
    empty: Empty | None = None
