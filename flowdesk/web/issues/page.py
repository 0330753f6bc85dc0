"""What the pages of issues and of duplicates show."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.drawings import Spark
from flowdesk.web.parts import Empty, Form, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRow:
    """Several tickets about the same."""

    title: str
    opening: str  # how the ticket in its middle begins: two issues may have one title
    href: str
    status: str
    tickets: int
    first_at: str
    first_when: str
    last_at: str
    last_when: str
    trend: Spark


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuesPage:
    """All issues, those seen last first."""

    rows: tuple[IssueRow, ...]
    filters: tuple[Link, ...]
    duplicates_href: str
    more_href: str = ""
    empty: Empty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket of an issue, or of a pair."""

    number: int
    subject: str
    href: str
    about: str  # "Nordvik Retail, open, today 09:12"
    take_out: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePage:
    """One issue with its tickets."""

    row: IssueRow
    seen: str  # "4 tickets, from Monday 09:00 to today 14:00"
    back: Link
    fix_note: str
    tickets: tuple[TicketLine, ...]
    change: Form | None = None
    add: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleRow:
    """Two tickets that could be one."""

    value: str  # the two public ids
    words: str  # for whoever hears it: "merge #9 into #8"
    source: TicketLine
    target: TicketLine
    likeness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRow:
    """A merge that holds."""

    words: str
    href: str
    at: str
    when: str
    who: str
    why: str
    undo: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesPage:
    """What could be merged, and what was."""

    href: str
    back: Link
    rows: tuple[DoubleRow, ...]
    merges: tuple[MergeRow, ...]
    may_merge: bool
    empty: Empty | None = None
