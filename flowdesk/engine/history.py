"""What the rows of an event log say: one row tells how a ticket stands, two tell what happened between them.

Logs of other help desks hold states, not deeds. The deeds are read off by comparing a row with the one before
it of the same ticket; a row that says nothing new is no happening. Nothing is invented: what a log leaves out
between two rows happens at the later one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from flowdesk.engine.promises import Occurrence, WaitReason


class LogState(StrEnum):
    """What a log's own word for a state stands for; four of them are waits."""

    OPEN = "open"
    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"
    MAINTENANCE = "maintenance"
    CUSTOMER_ASKED = "customer_asked"
    RESOLVED = "resolved"
    CLOSED = "closed"
    VOID = "void"
    SAME = "same"  # the word says nothing: what held before holds on, and a first row is open

    @property
    def wait(self) -> WaitReason | None:
        """Whom or what the ticket waits for in this state."""
        return WAITS.get(self)

    @property
    def is_end(self) -> bool:
        return self in ENDED


WAITS = {LogState(reason.value): reason for reason in WaitReason}
ENDED = frozenset({LogState.RESOLVED, LogState.CLOSED, LogState.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One row of an event log: how a ticket stands from `at` on.

    `opened_at` is when the ticket began; None where the log does not say, and then its first row is its
    beginning. `assignee` and `team` are the log's own names: empty for nobody, None where it has no such
    column. `reopened` counts how often the ticket was taken up again, as far as the log tells.
    """

    ticket: str
    at: datetime
    state: LogState
    priority: int = 3
    tier: str = ""
    opened_at: datetime | None = None
    assignee: str | None = None
    team: str | None = None
    reopened: int = 0
    is_phone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What one save would have brought about, had the ticket been ours."""

    at: datetime
    occurrences: frozenset[Occurrence]
    waits: frozenset[WaitReason] = frozenset()
    ended_waits: frozenset[WaitReason] = frozenset()


def opening(entry: LogEntry) -> tuple[Happening, ...]:
    """What the first row of a ticket says: that it was opened, and how it stood when it was first seen.

    The promises begin at `opened_at`, also where the row was written before it: nothing happens to a ticket
    ahead of its own beginning. A first row that is resolved already is a ticket logged after the fact.
    """
    begin = entry.opened_at or entry.at
    born = {Occurrence.PHONE_LOGGED if entry.is_phone else Occurrence.CREATED}
    if entry.assignee == "":
        born.add(Occurrence.UNASSIGNED)
    first = Happening(at=begin, occurrences=frozenset(born))
    newborn = replace(entry, state=LogState.OPEN, reopened=0)
    return first, *happenings(newborn, replace(entry, reopened=0), at=max(begin, entry.at))


def happenings(before: LogEntry, entry: LogEntry, *, at: datetime) -> tuple[Happening, ...]:
    """What happened to a ticket between two of its rows, taken to have happened at `at`."""
    kinds: set[Occurrence] = set()
    was, now = before.state, standing(before, entry)
    if (entry.priority, entry.tier) != (before.priority, before.tier):
        kinds.add(Occurrence.TERMS_CHANGED)
    if None not in (before.assignee, entry.assignee) and bool(before.assignee) != bool(entry.assignee):
        kinds.add(Occurrence.ASSIGNED if entry.assignee else Occurrence.UNASSIGNED)
    told: list[Happening] = []
    if was.is_end and (not now.is_end or _was_taken_up_between(before, entry, now=now)):
        if not now.is_end:
            kinds.add(Occurrence.REOPENED)
        else:
            told.append(Happening(at=at, occurrences=frozenset({Occurrence.REOPENED})))
            was = LogState.OPEN
    kinds |= _endings(was, now)
    begun = frozenset({now.wait} if now.wait and now is not was else ())
    over = frozenset({was.wait} if was.wait and now is not was else ())
    if begun:
        kinds.add(Occurrence.WAIT_STARTED)
    if over:
        kinds.add(Occurrence.WAIT_ENDED)
    if kinds:
        told.append(Happening(at=at, occurrences=frozenset(kinds), waits=begun, ended_waits=over))
    return tuple(told)


def standing(before: LogEntry | None, entry: LogEntry) -> LogState:
    """The state of the ticket with this row: its own word, or what held before where it says nothing."""
    if entry.state is not LogState.SAME:
        return entry.state
    return before.state if before is not None else LogState.OPEN


def _was_taken_up_between(before: LogEntry, entry: LogEntry, *, now: LogState) -> bool:
    """Whether an ended ticket was reopened and ended again without a row in between.

    The log's own count tells; so does a resolution after the closing, which only a reopened ticket can have.
    """
    return entry.reopened > before.reopened or (before.state is LogState.CLOSED and now is LogState.RESOLVED)


def _endings(was: LogState, now: LogState) -> frozenset[Occurrence]:
    """How a ticket ended with this row; one that is closed outright was resolved by it as well."""
    if now is was:
        return frozenset()
    match now:
        case LogState.RESOLVED:
            return frozenset({Occurrence.RESOLVED})
        case LogState.CLOSED if was is LogState.RESOLVED:
            return frozenset({Occurrence.CLOSED})
        case LogState.CLOSED:
            return frozenset({Occurrence.RESOLVED, Occurrence.CLOSED})
        case LogState.VOID:
            return frozenset({Occurrence.VOIDED})
        case _:
            return frozenset()
