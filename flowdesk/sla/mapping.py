"""Rows of clocks to engine values and back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.business_time import Unit
from flowdesk.engine.clock import AT_RISK, CUSTOMER_METRICS, Clock, ClockState, Metric, Outcome, Target
from flowdesk.engine.merging import Before, Held, Starts
from flowdesk.engine.promises import Promises, Wait, WaitReason
from flowdesk.engine.scoring import NEGATIVE_SIGNALS
from flowdesk.engine.spans import Span
from flowdesk.policies.services import policy_of
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.models import Wait as WaitRow
from flowdesk.tickets.states import Status

MICROSECOND = timedelta(microseconds=1)
MOST_PERCENT = 32_767  # what the row can hold
ENDED = (Status.RESOLVED, Status.CLOSED, Status.MERGED, Status.VOID)


class ClockRow(NamedTuple):
    """The columns of `sql.COLUMNS`, in its order."""

    id: int
    ticket_id: int
    metric: str
    cycle: int
    state: str
    outcome: str
    policy_revision_id: int
    calendar: str
    amount_minutes: int
    unit: str
    priority: int
    target: timedelta
    started_at: datetime
    since: datetime
    spent: timedelta
    pauses: list[datetime]
    fired: list[int]
    due_at: datetime
    at_risk_at: datetime | None
    missed_at: datetime | None
    stopped_at: datetime | None
    wake_at: datetime | None


class KeptClock(NamedTuple):
    """A clock as the database holds it: its row, and its value."""

    row: ClockRow
    clock: Clock


# By what the columns say: an enumeration that is called looks longer, and a sweep reads thousands of clocks.
METRICS: Mapping[str, Metric] = {one.value: one for one in Metric}
STATES: Mapping[str, ClockState] = {one.value: one for one in ClockState}
OTHER_ENDS: Mapping[str, Outcome] = {one.value: one for one in (Outcome.VOID, Outcome.MERGED)}


@lru_cache(maxsize=1024)
def _promise(tenant: int, revision: int, calendar: str, amount: int, unit: str) -> Target:
    """What clocks were given; many were given the same, and revisions never change."""
    del tenant  # whose revision it is: only that one's is read, and a cache must not forget it
    calendars = policy_of(revision).promises.calendars
    return Target(amount=amount, unit=Unit(unit), calendar=calendars[calendar], calendar_name=calendar)


def clock_of(row: ClockRow) -> Clock:
    """The value of a row, on the calendar of the revision it began with."""
    pauses = row.pauses
    return Clock(
        metric=METRICS[row.metric],
        promise=_promise(
            current_tenant(), row.policy_revision_id, row.calendar, row.amount_minutes, row.unit
        ),
        target=row.target,
        due=row.due_at,
        started_at=row.started_at,
        since=row.since,
        cycle=row.cycle,
        state=STATES[row.state],
        spent=row.spent,
        pauses=tuple(Span(start, end) for start, end in zip(pauses[::2], pauses[1::2], strict=True))
        if pauses
        else (),
        fired=tuple(row.fired),
        missed_at=row.missed_at,
        stopped_at=row.stopped_at,
        ended_as=OTHER_ENDS.get(row.outcome),
    )


def promises_of(ticket: Ticket, kept: Iterable[KeptClock], waits: Iterable[WaitRow]) -> Promises:
    """All promises of a ticket as its rows stand."""
    return Promises(
        clocks=tuple(one.clock for one in kept),
        waits=tuple(
            Wait(reason=WaitReason(row.reason), since=row.started_at) for row in waits if not row.ended_at
        ),
        unanswered_since=ticket.unanswered_since,
        has_ended=ticket.status in ENDED,
        is_proactive=ticket.is_proactive,
    )


def before_data(before: Before) -> dict[str, Any]:
    """What a merge ends, as its row keeps it; the waits are rows of their own."""
    return {
        "unanswered_since": _iso(before.unanswered_since),
        "clocks": [
            {
                "metric": one.metric.value,
                "cycle": one.cycle,
                "state": one.state.value,
                "since": one.since.isoformat(),
                "spent": one.spent // MICROSECOND,
            }
            for one in before.clocks
        ],
    }


def before_of(data: Mapping[str, Any], *, waits: Iterable[WaitRow], has_ended: bool) -> Before:
    """What a merge ended, from its row and its waits."""
    return Before(
        clocks=tuple(
            Held(
                metric=METRICS[one["metric"]],
                cycle=one["cycle"],
                state=STATES[one["state"]],
                since=datetime.fromisoformat(one["since"]),
                spent=one["spent"] * MICROSECOND,
            )
            for one in data["clocks"]
        ),
        waits=tuple(Wait(reason=WaitReason(row.reason), since=row.started_at) for row in waits),
        unanswered_since=_instant(data["unanswered_since"]),
        has_ended=has_ended,
    )


def starts_data(starts: Starts) -> dict[str, Any]:
    """From when on promises count, for a line of the log."""
    return {
        "unanswered_since": _iso(starts.unanswered_since),
        "clocks": [[metric.value, cycle, at.isoformat()] for (metric, cycle), at in starts.clocks.items()],
        "drops": [[metric.value, cycle] for metric, cycle in sorted(starts.drops)],
    }


def starts_of(data: Mapping[str, Any]) -> Starts:
    """From when on promises count, by a line of the log."""
    return Starts(
        clocks={(METRICS[metric], cycle): datetime.fromisoformat(at) for metric, cycle, at in data["clocks"]},
        drops=frozenset((METRICS[metric], cycle) for metric, cycle in data["drops"]),
        unanswered_since=_instant(data["unanswered_since"]),
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def columns_of(
    clock: Clock, percents: Sequence[int], revision: int, priority: int, limit: datetime | None
) -> tuple[Any, ...]:
    """What may change in a row, in the order of UPDATE_CLOCKS after the id; `limit` is when its wait ends itself."""
    outcome, promise, is_running = clock.outcome, clock.promise, clock.state is ClockState.RUNNING
    return (
        clock.state.value,
        outcome.value if outcome else "",
        revision,
        promise.calendar_name,
        promise.amount,
        promise.unit.value,
        priority,
        clock.target,
        clock.since,
        clock.spent,
        _array([instant.isoformat() for pause in clock.pauses for instant in (pause.start, pause.end)]),
        _array(map(str, clock.fired)),
        clock.due_at,
        clock.step_at(AT_RISK) if is_running else None,  # else only an event can bring it about
        clock.missed_at,
        clock.stopped_at,
        limit if clock.state is ClockState.PAUSED else clock.next_wake(percents) if is_running else None,
    )


def _array(items: Iterable[str]) -> str:
    return "{" + ",".join(items) + "}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a ticket's row keeps of its clocks, so that lists need not join them."""

    due_at: datetime | None
    at_risk_at: datetime | None
    is_breached: bool
    wake_at: datetime | None


def summary_of(promises: Promises, wakes: Iterable[datetime | None]) -> Summary:
    """The earliest deadline and risk among the running customer clocks; `wakes` are all instants to wake at."""
    active = [clock for clock in promises.clocks if clock.is_active and clock.metric in CUSTOMER_METRICS]
    running = [clock for clock in active if clock.state is ClockState.RUNNING]
    return Summary(
        due_at=min((clock.due_at for clock in running), default=None),
        at_risk_at=min((clock.step_at(AT_RISK) for clock in running), default=None),
        is_breached=any(clock.missed_at is not None for clock in active),
        wake_at=min((wake for wake in wakes if wake is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a resolved ticket came to, for the estimates of what may still come of it."""

    missed: int  # promises to the customer
    spent_percent: int  # of the time to resolve, whole; of several cycles the longest
    was_unhappy: bool


def verdict_of(promises: Promises, signals: Collection[str]) -> Verdict:
    """Over the clocks that are decided; a promise that was dropped (void, merged) counts for nothing."""
    decided = [
        clock
        for clock in promises.clocks
        if clock.metric in CUSTOMER_METRICS and clock.outcome in (Outcome.MET, Outcome.MISSED)
    ]
    spent = (
        clock.spent * 100 // clock.target
        for clock in decided
        if clock.metric is Metric.RESOLUTION and clock.target > timedelta(0)
    )
    return Verdict(
        missed=sum(1 for clock in decided if clock.missed_at is not None),
        spent_percent=min(max(spent, default=0), MOST_PERCENT),
        was_unhappy=not NEGATIVE_SIGNALS.isdisjoint(signals),
    )
