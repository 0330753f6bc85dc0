"""One clock: a metric of a ticket, measured in open time on a calendar.

A clock is a value; `after` gives the clock once something happened, `advanced` what time alone did to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from flowdesk.engine.business_time import BusinessCalendar, Unit, always_open, due_at, frozen_target
from flowdesk.engine.spans import Span

NO_TIME = timedelta(0)
BREACH = 100  # percent
AT_RISK = 75  # percent


class Metric(StrEnum):
    """What is promised: the first six to the customer, the rest among ourselves."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    UPDATE = "update"
    COMMUNICATION = "communication"
    CALLBACK = "callback"
    ASSIGNMENT = "assignment"
    OWNERSHIP_RESPONSE = "ownership_response"
    OWNERSHIP = "ownership"


CUSTOMER_METRICS = frozenset(
    {
        Metric.FIRST_RESPONSE,
        Metric.NEXT_RESPONSE,
        Metric.RESOLUTION,
        Metric.UPDATE,
        Metric.COMMUNICATION,
        Metric.CALLBACK,
    }
)


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class ClockEvent(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    CONTINUE = "continue"  # reopened: the same cycle runs on, the closed time left out
    MERGE = "merge"
    VOID = "void"


class Outcome(StrEnum):
    MET = "met"
    MISSED = "missed"
    MERGED = "merged"
    VOID = "void"


class ChangeMode(StrEnum):
    """What a change of priority, tier or contract does to a clock that has begun (N5)."""

    RETROACTIVE = "retroactive"  # as if the new terms had held from the start; pauses kept
    CARRY_ELAPSED = "carry_elapsed"  # what is spent stays spent; the rest runs on the new terms
    RESTART = "restart"  # a new cycle from now


class IllegalClockEvent(Exception):
    """This cannot happen to a clock in this state."""


TRANSITIONS: Mapping[tuple[ClockState, ClockEvent], ClockState] = {
    (ClockState.RUNNING, ClockEvent.PAUSE): ClockState.PAUSED,
    (ClockState.PAUSED, ClockEvent.RESUME): ClockState.RUNNING,
    (ClockState.RUNNING, ClockEvent.STOP): ClockState.STOPPED,
    (ClockState.PAUSED, ClockEvent.STOP): ClockState.STOPPED,
    (ClockState.RUNNING, ClockEvent.MERGE): ClockState.STOPPED,
    (ClockState.PAUSED, ClockEvent.MERGE): ClockState.STOPPED,
    (ClockState.RUNNING, ClockEvent.VOID): ClockState.STOPPED,
    (ClockState.PAUSED, ClockEvent.VOID): ClockState.STOPPED,
    (ClockState.STOPPED, ClockEvent.VOID): ClockState.STOPPED,
    (ClockState.STOPPED, ClockEvent.CONTINUE): ClockState.RUNNING,
}


@cache
def _round_the_clock(zone: str) -> BusinessCalendar:
    """One calendar for all clocks of a zone: it is asked for at every turn, and building one is slow."""
    return always_open(zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A promise as written: so much, in a unit, on a calendar; `because` names the cell or rule it came from.

    `or_sooner` is a second promise that holds instead where it falls due first. Which one does can depend on
    the start: ten office hours are over before three business days, but not before one.
    """

    amount: int  # minutes, business minutes or business days
    unit: Unit
    calendar: BusinessCalendar
    calendar_name: str
    because: str = field(default="", compare=False)  # the same promise, however it was found
    or_sooner: Target | None = None
    # `minutes` count all time, so their clock runs on a calendar that never closes. Kept: it is asked for at each turn.
    clock_calendar: BusinessCalendar = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        runs_on = _round_the_clock(self.calendar.zone) if self.unit is Unit.MINUTES else self.calendar
        object.__setattr__(self, "clock_calendar", runs_on)

    def from_start(self, start: datetime) -> Target:
        """The one promise a clock begun at `start` is given; of two that fall due together, this one."""
        if self.or_sooner is None:
            return self
        sooner = self.or_sooner.due_from(start) < self.due_from(start)
        return self.or_sooner if sooner else replace(self, or_sooner=None)

    def frozen_from(self, start: datetime) -> timedelta:
        """The open time between `start` and the due instant this target gives."""
        return frozen_target(self.clock_calendar, start, self.amount, self.unit)

    def due_from(self, start: datetime) -> datetime:
        """The due instant for a clock started at `start` and never paused."""
        return due_at(self.clock_calendar, start, self.amount, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung a clock has passed: the percent and the exact instant of it."""

    percent: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One SLA metric of one ticket in one cycle.

    `target` is frozen to open time when the clock is given it; `spent` is open time counted before `since`,
    the instant the current state began. `pauses` were left out of it. `due` is kept beside them, because two
    instants may have the same open time before them: one business day from Monday 09:00 is Tuesday 09:00, and
    eight open hours from there are used up at Monday 17:00. `missed_at` is the due instant once it has passed;
    it is never erased (a recorded miss stays, whatever happens to the terms).
    """

    metric: Metric
    promise: Target
    target: timedelta
    due: datetime
    started_at: datetime
    since: datetime
    cycle: int = 1
    state: ClockState = ClockState.RUNNING
    spent: timedelta = NO_TIME
    pauses: tuple[Span, ...] = ()
    fired: tuple[int, ...] = ()  # percents, ascending
    missed_at: datetime | None = None
    stopped_at: datetime | None = None
    ended_as: Outcome | None = None  # only for merged and void
    # What `next_wake` has found, and for which percents: every act asks it of each clock more than once.
    _wake: tuple[Sequence[int], datetime | None] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @property
    def calendar(self) -> BusinessCalendar:
        return self.promise.clock_calendar

    @property
    def is_active(self) -> bool:
        return self.state is not ClockState.STOPPED

    @property
    def outcome(self) -> Outcome | None:
        """Missed from the due instant on, met from the stop on, nothing while it is open."""
        if self.ended_as is not None:
            return self.ended_as
        if self.missed_at is not None:
            return Outcome.MISSED
        return Outcome.MET if self.state is ClockState.STOPPED else None

    @property
    def due_at(self) -> datetime:
        """The deadline; for a paused clock the one it had when the pause began."""
        return self.missed_at or self.due

    def step_at(self, percent: int) -> datetime:
        """The instant at which `percent` of the target is spent, should nothing stop or pause the clock."""
        if percent == BREACH:
            return self.due_at
        left = self.target * percent // 100 - self.spent
        # New terms may put a rung before the instant they were agreed; it passes at that instant, not earlier.
        return self.promise.clock_calendar.add(self.since, left) if left >= NO_TIME else self.since

    def elapsed(self, at: datetime) -> timedelta:
        """Open time spent by `at`."""
        if self.state is ClockState.RUNNING:
            return self.spent + self.calendar.elapsed(self.since, at)
        return self.spent

    def percent(self, at: datetime) -> float:
        """How much of the target is spent; not capped (C2): 125 must be seen."""
        if not self.target:
            return float(BREACH)
        return self.elapsed(at) / self.target * 100

    def after(self, event: ClockEvent, *, at: datetime) -> Clock:
        """The clock once `event` has happened; raises IllegalClockEvent."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalClockEvent(f"{event} cannot happen to a {self.state} clock")
        now = self._counted(at)
        match event:
            case ClockEvent.PAUSE:
                return replace(now, state=state)
            case ClockEvent.RESUME:
                return replace(now, state=state)._leaving_out(Span(self.since, at))
            case ClockEvent.CONTINUE:
                closed = Span(self.stopped_at or self.since, at)
                return replace(now, state=state, stopped_at=None)._leaving_out(closed)
            case ClockEvent.VOID:
                return replace(now, state=state, stopped_at=self.stopped_at or at, ended_as=Outcome.VOID)
            case ClockEvent.MERGE:
                # What is missed stays missed, and in every rate; what is not yet decided ends outside them.
                ended = None if now.missed_at is not None else Outcome.MERGED
                return replace(now, state=state, stopped_at=at, ended_as=ended)
            case _:
                # A pause that is still open ends with the clock, before the stop (frappe#3776).
                stopped = replace(now, state=state, stopped_at=at)
                return (
                    stopped._leaving_out(Span(self.since, at)) if self.state is ClockState.PAUSED else stopped
                )

    def advanced(self, to: datetime, percents: Sequence[int]) -> tuple[Clock, tuple[Step, ...]]:
        """What time alone has done by `to`: the clock, and the rungs passed, each once and in order.

        A rung whose instant is `to` itself has passed. Pass `BREACH` among the percents for a rung of the
        ladder there; the miss is recorded at the due instant in any case.
        """
        wake = self.next_wake(percents)
        if wake is None or wake > to:
            return self, ()
        missed_at = self.missed_at
        if missed_at is None and self.due <= to:
            missed_at = self.due
        steps, is_further = [], False
        for percent in sorted(percents):
            # Instants come in the order of their percents; only the due instant is a date of its own.
            if percent in self.fired or (is_further and percent != BREACH):
                continue
            if (at := self.step_at(percent)) <= to:
                steps.append(Step(percent=percent, at=at))
            elif percent != BREACH:
                is_further = True
        steps.sort(key=lambda step: (step.at, step.percent))
        fired = tuple(sorted([*self.fired, *(step.percent for step in steps)])) if steps else self.fired
        return replace(self, missed_at=missed_at, fired=fired), tuple(steps)

    def next_wake(self, percents: Sequence[int]) -> datetime | None:
        """The next instant at which time alone changes this clock; None when only an event can."""
        if self.state is not ClockState.RUNNING:
            return None
        if self._wake is not None and self._wake[0] is percents:
            return self._wake[1]
        fired = self.fired
        first = None  # of the rungs, which come in the order of their percents
        for percent in percents:
            if percent != BREACH and percent not in fired and (first is None or percent < first):
                first = percent
        wake = None if first is None else self.step_at(first)
        if self.missed_at is None or (BREACH in percents and BREACH not in fired):
            wake = self.due_at if wake is None else min(wake, self.due_at)
        object.__setattr__(self, "_wake", (percents, wake))
        return wake

    def retargeted(self, promise: Target, mode: ChangeMode, *, at: datetime) -> Clock:
        """The clock on new terms. A target is always frozen from the original start.

        Restart is a new cycle and so not this clock's business: see `engine.promises`.
        """
        now, promise = self._counted(at), promise.from_start(self.started_at)
        target, spent = promise.frozen_from(self.started_at), now.spent
        calendar = promise.clock_calendar
        # A pause that is still open keeps its start: the whole of it is left out when it ends.
        since = self.since if self.state is ClockState.PAUSED else at
        if mode is ChangeMode.RETROACTIVE:
            left_out = sum((calendar.elapsed(pause.start, pause.end) for pause in self.pauses), NO_TIME)
            spent = calendar.elapsed(self.started_at, since) - left_out
            due = promise.due_from(self.started_at)
            due = calendar.add(due, left_out) if left_out else due
        else:
            left = target - spent
            due = calendar.add(since, left) if left > NO_TIME else since
        # New terms that were broken before they were agreed are broken when they are agreed, not earlier.
        due = now.missed_at or max(due, since)
        return replace(now, promise=promise, target=target, spent=spent, since=since, due=due)

    def begun(self, start: datetime, *, at: datetime) -> Clock:
        """The same promise counted from another start, its pauses left out as they were."""
        return replace(self, started_at=start).retargeted(self.promise, ChangeMode.RETROACTIVE, at=at)

    def _leaving_out(self, pause: Span) -> Clock:
        """A pause has ended: the deadline moves by the business time of it."""
        due = self.due
        if self.missed_at is None:
            moved = self.calendar.elapsed(pause.start, pause.end)
            # A clock that paused on the very instant it was due was in time; it is over when it runs again, not before.
            due = max(self.calendar.add(due, moved) if moved else due, pause.end)
        return replace(self, due=due, pauses=(*self.pauses, pause))

    def _counted(self, at: datetime) -> Clock:
        """The clock with the open time up to `at` counted; a stop on the due instant itself is in time."""
        if self.state is not ClockState.RUNNING:
            return replace(self, since=at)
        missed = self.missed_at
        if missed is None and (due := self.due_at) < at:
            missed = due
        return replace(self, spent=self.elapsed(at), since=at, missed_at=missed)


def start(metric: Metric, promise: Target, *, at: datetime, cycle: int = 1) -> Clock:
    """A running clock with its target frozen from `at` on."""
    promise = promise.from_start(at)
    due = promise.due_from(at)
    return Clock(
        metric=metric,
        promise=promise,
        target=promise.clock_calendar.elapsed(at, due),  # frozen to open time
        due=due,
        started_at=at,
        since=at,
        cycle=cycle,
    )


def run_through(
    metric: Metric,
    promise: Target,
    *,
    at: datetime,
    until: datetime,
    state: ClockState,
    cycle: int,
    percents: Sequence[int],
) -> Clock:
    """A clock started at `at` that ran in one go until `until`, where it came into `state`.

    The same as `start`, `advanced` and then `after` at `until`, without asking when each rung passed: it has when more
    is spent than it stands for. A clock that runs on at `until` has passed what falls on that very instant.
    """
    promise = promise.from_start(at)
    calendar, due = promise.clock_calendar, promise.due_from(at)
    target, spent = calendar.elapsed(at, due), calendar.elapsed(at, until)
    runs_on = state is ClockState.RUNNING
    is_missed = due < until or (runs_on and due == until)

    def has_passed(percent: int) -> bool:
        if percent == BREACH:
            return is_missed
        rung = target * percent // 100
        if spent != rung:
            return spent > rung
        passes_at = calendar.add(at, rung)
        return passes_at < until or (runs_on and passes_at == until)

    return Clock(
        metric=metric,
        promise=promise,
        target=target,
        due=due,
        started_at=at,
        since=at if runs_on else until,
        cycle=cycle,
        state=state,
        spent=NO_TIME if runs_on else spent,
        fired=tuple(sorted({percent for percent in percents if has_passed(percent)})),
        missed_at=due if is_missed else None,
        stopped_at=until if state is ClockState.STOPPED else None,
    )
