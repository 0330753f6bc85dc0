"""One ticket is merged into another, and taken out again: what that does to the promises of both (design section 3).

Merging itself is `Occurrence.MERGED` for the one and, where its customer waits for an answer, `CUSTOMER_WROTE` for the
other. Here is what goes beyond: starts that are carried over, and the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from flowdesk.engine.clock import CUSTOMER_METRICS, NO_TIME, Clock, ClockEvent, ClockState, Metric
from flowdesk.engine.promises import Change, Entry, Promises, Terms, Wait, What


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How a clock that a merge ends stood at that instant."""

    metric: Metric
    cycle: int
    state: ClockState
    since: datetime
    spent: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a merge ends, kept so that it can be undone."""

    clocks: tuple[Held, ...]
    waits: tuple[Wait, ...]
    unanswered_since: datetime | None
    has_ended: bool


def before_merge(promises: Promises) -> Before:
    """What must be known to bring these promises back."""
    return Before(
        clocks=tuple(
            Held(
                metric=clock.metric, cycle=clock.cycle, state=clock.state, since=clock.since, spent=clock.spent
            )
            for clock in promises.clocks
            if clock.is_active
        ),
        waits=promises.waits,
        unanswered_since=promises.unanswered_since,
        has_ended=promises.has_ended,
    )  # fmt: skip


def restored(promises: Promises, before: Before, *, at: datetime) -> Change:
    """The promises of a ticket whose merge is undone, as if it had never been; let time pass after that.

    Each clock goes on in its cycle from where it stood, and the time it was merged counts as any other. Rungs that
    had fired by the merge, and misses that had been recorded, stay.
    """
    held = {(one.metric, one.cycle): one for one in before.clocks}

    def back(clock: Clock) -> Clock:
        stood = held.get((clock.metric, clock.cycle))
        if stood is None:
            return clock
        return replace(
            clock, state=stood.state, since=stood.since, spent=stood.spent, stopped_at=None, ended_as=None
        )

    change = _changed(promises, back, What.RESTORED, at=at)
    return replace(
        change,
        promises=replace(
            change.promises,
            waits=before.waits,
            unanswered_since=before.unanswered_since,
            has_ended=before.has_ended,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """From when on promises count: by metric and cycle. `unanswered_since` is the customer's oldest open message."""

    clocks: Mapping[tuple[Metric, int], datetime] = field(default_factory=dict)
    drops: frozenset[tuple[Metric, int]] = frozenset()  # begun for nothing: outside every rate, unless missed
    unanswered_since: datetime | None = None


def carried_over(target: Promises, source: Promises, *, earliest: bool, answers: bool) -> Starts:
    """What a ticket brings into the one it is merged into, once that one has heard of its unanswered message.

    With `answers`, an answer falls due here because of the message: it is counted from the message, not from the
    merge. With `earliest` every open promise to the customer counts from the earlier of the two starts.
    """
    since = source.unanswered_since
    ours: dict[Metric, datetime] = {}
    if earliest:
        ours = {
            clock.metric: clock.started_at
            for clock in source.clocks
            if clock.is_active and clock.metric in CUSTOMER_METRICS
        }
    if since is not None and (earliest or answers):
        ours[Metric.NEXT_RESPONSE] = since
    if since is not None and target.unanswered_since is not None:
        since = min(since, target.unanswered_since)
    return Starts(
        clocks={
            (clock.metric, clock.cycle): ours[clock.metric]
            for clock in target.clocks
            if clock.is_active and clock.metric in ours and ours[clock.metric] < clock.started_at
        },
        unanswered_since=since or target.unanswered_since,
    )


def moved(promises: Promises, starts: Starts, *, at: datetime) -> Change:
    """The promises counted from these starts, their pauses left out as before; let time pass after that.

    What would have been broken before is broken now; a recorded miss stays, of what is dropped too.
    """

    def begun(clock: Clock) -> Clock:
        start = starts.clocks.get((clock.metric, clock.cycle))
        if start is None or not clock.is_active or start == clock.started_at:
            return clock
        return clock.begun(start, at=at)

    def dropped(clock: Clock, event: ClockEvent) -> Clock:
        is_dropped = (clock.metric, clock.cycle) in starts.drops and clock.is_active
        wanted = ClockEvent.VOID if clock.missed_at is None else ClockEvent.STOP
        return clock.after(event, at=at) if is_dropped and event is wanted else clock

    change = Change(promises=promises)
    for turn, what in (
        (begun, What.MOVED),
        (partial(dropped, event=ClockEvent.STOP), What.STOPPED),
        (partial(dropped, event=ClockEvent.VOID), What.VOIDED),
    ):
        then = _changed(change.promises, turn, what, at=at)
        change = replace(then, entries=(*change.entries, *then.entries))
    if not promises.has_ended:
        change = replace(change, promises=replace(change.promises, unanswered_since=starts.unanswered_since))
    return change


def waiting_again(promises: Promises, wait: Wait, *, over: datetime, terms: Terms, at: datetime) -> Change:
    """The promises with a wait that a merge ended at `over`, now that the merge is undone.

    What has run since then is left out as if the wait had gone on; let time pass before that, so that what it broke
    stays broken.
    """
    paused = frozenset(rule.metric for rule in terms.rules if wait.reason in rule.pauses)

    def back(clock: Clock) -> Clock:
        if clock.metric not in paused or clock.state is not ClockState.RUNNING:
            return clock
        runs_since = max(over, clock.pauses[-1].end if clock.pauses else clock.started_at)
        spent = clock.elapsed(at) - clock.calendar.elapsed(runs_since, at)
        return replace(clock, state=ClockState.PAUSED, since=runs_since, spent=max(spent, NO_TIME))

    change = _changed(promises, back, What.RESTORED, at=at)
    return replace(change, promises=replace(change.promises, waits=(*promises.waits, wait)))


def _changed(promises: Promises, turn: Callable[[Clock], Clock], what: What, *, at: datetime) -> Change:
    clocks, entries = [], []
    for clock in promises.clocks:
        new = turn(clock)
        clocks.append(new)
        if new is not clock:
            entries.append(
                Entry(
                    metric=new.metric,
                    cycle=new.cycle,
                    what=what,
                    at=at,
                    spent=new.elapsed(at),
                    due_at=new.due_at,
                )
            )
    return Change(promises=replace(promises, clocks=tuple(clocks)), entries=tuple(entries))
