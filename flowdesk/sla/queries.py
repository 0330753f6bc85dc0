"""Reads of promises: clocks as they stand, why they are what they are, and their ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.clock import Clock
from flowdesk.engine.promises import Entry, What
from flowdesk.policies.services import current_policy, policy_of
from flowdesk.sla.fold import fold
from flowdesk.sla.mapping import KeptClock
from flowdesk.sla.services import load_clocks
from flowdesk.tickets.queries import whole_log

_SETS_TERMS = frozenset({What.STARTED, What.RETARGETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLine:
    """One clock at an instant: its value, what is spent by then, and where its terms come from."""

    clock: Clock
    spent: timedelta
    percent: float  # of the target, not capped
    at_risk_at: datetime | None
    priority: int  # under which the promise was given
    revision: int  # number of the policy revision it stands under


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStory:
    """A clock with the cell of the policy its promise came from, and every line of its ledger."""

    line: ClockLine
    because: str
    ledger: tuple[Entry, ...]


def clock_lines(ticket: int, *, now: datetime) -> list[ClockLine]:
    """The clocks of a ticket, oldest first."""
    return [_line(kept, now) for kept in load_clocks(current_tenant(), [ticket])[ticket]]


def clock_stories(ticket: int, *, now: datetime) -> list[ClockStory]:
    """The clocks of a ticket with their ledgers, folded from its log."""
    entries = fold(whole_log(ticket), policy=current_policy(), to=now).entries
    stories = []
    for line in clock_lines(ticket, now=now):
        mine = tuple(
            entry for entry in entries if (entry.metric, entry.cycle) == (line.clock.metric, line.clock.cycle)
        )
        stories.append(ClockStory(line=line, because=_because(mine), ledger=mine))
    return stories


def _line(kept: KeptClock, now: datetime) -> ClockLine:
    clock, row = kept.clock, kept.row
    return ClockLine(
        clock=clock,
        spent=clock.elapsed(now),
        percent=clock.percent(now),
        at_risk_at=row.at_risk_at,
        priority=row.priority,
        revision=policy_of(row.policy_revision_id).number,
    )


def _because(ledger: Sequence[Entry]) -> str:
    """The cell the standing promise came from: the last line that set terms."""
    return next((entry.because for entry in reversed(ledger) if entry.what in _SETS_TERMS), "")
