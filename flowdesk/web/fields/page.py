"""What the page of a tenant's own fields shows."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field."""

    key: str
    label: str
    kind: str
    choices: str = ""
    rules: str = ""  # those that look at it
    change_href: str = ""
    remove: Form | None = None  # none where a rule needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsPage:
    """All fields, and the form for a new one or for the one that is being changed."""

    fields: tuple[FieldLine, ...]
    form: Form
    empty: Empty | None = None
    cancel_href: str = ""
