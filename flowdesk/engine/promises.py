"""All promises of one ticket: what an occurrence means for its clocks (design section 3).

Several occurrences may share one save; they are applied as one, in the order stop, pause, resume, start, so that
a reply which also puts the ticket on hold meets the first response before anything is paused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flowdesk.engine.clock import (
    ChangeMode,
    Clock,
    ClockEvent,
    ClockState,
    Metric,
    Outcome,
    Step,
    Target,
    start,
)


class Occurrence(StrEnum):
    """What can happen to a ticket that a promise may care about."""

    CREATED = "created"
    PHONE_LOGGED = "phone_logged"  # opened by an agent on the line: answered at its start
    PROACTIVE = "proactive"  # opened by us: no promise until the customer writes
    CUSTOMER_WROTE = "customer_wrote"
    CUSTOMER_THANKED = "customer_thanked"  # a mere thank-you starts and reopens nothing
    AGENT_REPLIED = "agent_replied"  # public and human, or an answered call
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    LEVEL_ENTERED = "level_entered"
    ESCALATED = "escalated"
    CALLBACK_PROMISED = "callback_promised"
    CALLBACK_DONE = "callback_done"
    WAIT_STARTED = "wait_started"
    WAIT_ENDED = "wait_ended"
    TERMS_CHANGED = "terms_changed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    MERGED = "merged"
    VOIDED = "voided"


class WaitReason(StrEnum):
    """Why a clock may stand still (F-SLA-11..14)."""

    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"
    MAINTENANCE = "maintenance"
    CUSTOMER_ASKED = "customer_asked"


class ReopenMode(StrEnum):
    CONTINUE = "continue"
    NEW_CYCLE = "new_cycle"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """Which occurrences start and stop a metric and which waits pause it: policy data."""

    metric: Metric
    starts: frozenset[Occurrence]
    stops: frozenset[Occurrence]
    pauses: frozenset[WaitReason] = frozenset()
    reopens: ReopenMode = ReopenMode.NEVER
    is_once: bool = False  # at most one cycle in a ticket's life


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for this ticket now: the targets of its priority, tier and level, and how the metrics work."""

    targets: Mapping[Metric, Target]
    rules: tuple[MetricRule, ...]
    percents: Mapping[Metric, tuple[int, ...]] = field(default_factory=dict)
    change: ChangeMode = ChangeMode.RETROACTIVE
    # What whole lives under these terms come to, remembered by `lives`.
    plots: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    reason: WaitReason
    since: datetime


class What(StrEnum):
    """A line of the ledger."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    STEP = "step"
    MISSED = "missed"
    RETARGETED = "retargeted"
    CONTINUED = "continued"
    STOPPED = "stopped"
    MERGED = "merged"
    RESTORED = "restored"  # the merge was undone
    MOVED = "moved"  # counted from another start
    VOIDED = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a clock's ledger: what happened, and what was spent and due just after."""

    metric: Metric
    cycle: int
    what: What
    at: datetime
    spent: timedelta
    due_at: datetime
    percent: int | None = None
    reasons: tuple[WaitReason, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredStep:
    """A rung of one clock that time has passed."""

    metric: Metric
    cycle: int
    percent: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """The clocks of a ticket, ended ones too, oldest first; its open waits; whether its work has ended."""

    clocks: tuple[Clock, ...] = ()
    waits: tuple[Wait, ...] = ()
    unanswered_since: datetime | None = None
    has_ended: bool = False
    is_proactive: bool = False

    def active(self, metric: Metric) -> Clock | None:
        """The clock of the metric that is running or paused, if there is one."""
        for clock in reversed(self.clocks):
            if clock.metric is metric and clock.is_active:
                return clock
        return None

    def last(self, metric: Metric) -> Clock | None:
        """The newest cycle of the metric."""
        for clock in reversed(self.clocks):
            if clock.metric is metric:
                return clock
        return None

    def next_wake(self, percents: Mapping[Metric, tuple[int, ...]]) -> datetime | None:
        """The earliest instant at which time alone changes a clock."""
        wakes = (clock.next_wake(percents.get(clock.metric, ())) for clock in self.clocks if clock.is_active)
        return min((wake for wake in wakes if wake is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The promises afterwards, the ledger lines written and the rungs passed on the way."""

    promises: Promises
    entries: tuple[Entry, ...] = ()
    steps: tuple[FiredStep, ...] = ()


ENDS = frozenset({Occurrence.RESOLVED, Occurrence.CLOSED, Occurrence.MERGED, Occurrence.VOIDED})
ENDS_ALL_WAITS = ENDS | {Occurrence.REOPENED}
FIRST_WORDS = frozenset({Occurrence.CREATED, Occurrence.PHONE_LOGGED})


def advance(promises: Promises, terms: Terms, *, to: datetime) -> Change:
    """What time alone has done by `to`: misses and rungs, in the order of their instants."""
    return _Changing(promises, terms, to).advanced().done()


def after(
    promises: Promises,
    occurrences: Iterable[Occurrence],
    *,
    at: datetime,
    terms: Terms,
    waits: Iterable[WaitReason] = (),
    ended_waits: Iterable[WaitReason] = (),
) -> Change:
    """The promises once all `occurrences` of one save have happened at `at`.

    `waits` are the reasons begun by WAIT_STARTED, `ended_waits` those ended by WAIT_ENDED. Rungs whose instant lies
    before `at` are fired first: a late engine loses none. A rung on the instant `at` itself is left to the
    next sweep, so that a reply on the due instant is in time.
    """
    kinds = frozenset(occurrences)
    changing = _Changing(promises, terms, at)
    changing.caught_up()
    if promises.is_proactive and Occurrence.CUSTOMER_WROTE in kinds:
        kinds |= {Occurrence.CREATED}
        changing.promises = replace(changing.promises, is_proactive=False)
    changing.waited(kinds, frozenset(waits), frozenset(ended_waits))
    changing.ended(kinds)
    for rule in terms.rules:
        changing.stopped(rule, kinds)
    if Occurrence.TERMS_CHANGED in kinds:
        changing.retargeted()
    for rule in terms.rules:
        changing.paused_or_resumed(rule)
    for rule in terms.rules:
        changing.reopened_or_started(rule, kinds)
    changing.answered(kinds)
    return changing.done()


class _Changing:
    """The work of one change: a value in the making, local to this module."""

    def __init__(self, promises: Promises, terms: Terms, at: datetime) -> None:
        self.promises, self.terms, self.at = promises, terms, at
        self.entries: list[Entry] = []
        self.steps: list[FiredStep] = []

    def done(self) -> Change:
        return Change(promises=self.promises, entries=tuple(self.entries), steps=tuple(self.steps))

    def advanced(self) -> _Changing:
        return self._pass_rungs(self.at)

    def caught_up(self) -> _Changing:
        """Rungs strictly before `at`."""
        return self._pass_rungs(self.at - timedelta.resolution)

    def _pass_rungs(self, to: datetime) -> _Changing:
        passed: list[tuple[datetime, int, Clock, Step | None]] = []
        clocks = list(self.promises.clocks)
        for place, clock in enumerate(clocks):
            if clock.state is not ClockState.RUNNING or clock.since > to:
                continue
            moved, steps = clock.advanced(to, self.terms.percents.get(clock.metric, ()))
            if moved is clock:
                continue
            clocks[place] = moved
            passed.extend((step.at, step.percent, moved, step) for step in steps)
            if moved.missed_at is not None and clock.missed_at is None:
                passed.append((moved.missed_at, 100, moved, None))
        if not passed:
            return self
        self.promises = replace(self.promises, clocks=tuple(clocks))
        for at, percent, clock, step in sorted(passed, key=lambda row: (row[0], row[1], row[3] is not None)):
            spent = clock.target * percent // 100
            if step is None:
                self._write(clock, What.MISSED, at=at, spent=spent)
                continue
            self._write(clock, What.STEP, at=at, spent=spent, percent=percent)
            self.steps.append(FiredStep(metric=clock.metric, cycle=clock.cycle, percent=percent, at=at))
        return self

    def waited(
        self, kinds: frozenset[Occurrence], begun: frozenset[WaitReason], ended: frozenset[WaitReason]
    ) -> None:
        """Waits end first and begin last; the customer's word ends a wait for the customer."""
        if kinds & {Occurrence.CUSTOMER_WROTE, Occurrence.CUSTOMER_THANKED}:
            ended |= {WaitReason.CUSTOMER}
        if kinds & ENDS_ALL_WAITS:
            ended = frozenset(WaitReason)
        if not begun and not (ended and self.promises.waits):
            return
        waits = [wait for wait in self.promises.waits if wait.reason not in ended]
        known = {wait.reason for wait in waits}
        if not kinds & ENDS:
            waits.extend(Wait(reason=reason, since=self.at) for reason in sorted(begun - known))
        self.promises = replace(self.promises, waits=tuple(waits))

    def ended(self, kinds: frozenset[Occurrence]) -> None:
        if Occurrence.VOIDED in kinds:
            self._every_clock(lambda clock: True, ClockEvent.VOID, What.VOIDED)
        if Occurrence.MERGED in kinds:
            self._every_clock(lambda clock: clock.is_active, ClockEvent.MERGE, What.MERGED)
        if kinds & ENDS:
            self.promises = replace(self.promises, has_ended=True)
        if Occurrence.REOPENED in kinds:
            self.promises = replace(self.promises, has_ended=False)
        if Occurrence.PROACTIVE in kinds:
            self.promises = replace(self.promises, is_proactive=True)

    def _every_clock(self, wanted: Callable[[Clock], bool], event: ClockEvent, what: What) -> None:
        for clock in self.promises.clocks:
            if wanted(clock):
                self._put(clock, clock.after(event, at=self.at), what)

    def stopped(self, rule: MetricRule, kinds: frozenset[Occurrence]) -> None:
        clock = self.promises.active(rule.metric)
        if clock is not None and kinds & rule.stops:
            self._put(clock, clock.after(ClockEvent.STOP, at=self.at), What.STOPPED)

    def retargeted(self) -> None:
        for clock in self.promises.clocks:
            promise = self.terms.targets.get(clock.metric)
            if not clock.is_active or promise is None:
                continue
            if promise.from_start(clock.started_at) == clock.promise:
                continue
            if self.terms.change is ChangeMode.RESTART:
                if clock.missed_at is None:
                    # A cycle cut short counts nowhere.
                    self._put(clock, clock.after(ClockEvent.VOID, at=self.at), What.VOIDED)
                else:
                    # What is missed stays missed, whatever begins after it.
                    self._put(clock, clock.after(ClockEvent.STOP, at=self.at), What.STOPPED)
                self._begin(clock.metric, promise)
                continue
            self._put(clock, clock.retargeted(promise, self.terms.change, at=self.at), What.RETARGETED)

    def paused_or_resumed(self, rule: MetricRule) -> None:
        clock = self.promises.active(rule.metric)
        if clock is None:
            return
        reasons = tuple(wait.reason for wait in self.promises.waits if wait.reason in rule.pauses)
        if reasons and clock.state is ClockState.RUNNING:
            self._put(clock, clock.after(ClockEvent.PAUSE, at=self.at), What.PAUSED, reasons=reasons)
        elif not reasons and clock.state is ClockState.PAUSED:
            self._put(clock, clock.after(ClockEvent.RESUME, at=self.at), What.RESUMED)

    def reopened_or_started(self, rule: MetricRule, kinds: frozenset[Occurrence]) -> None:
        if self._is_held_back(rule, kinds):
            return
        last = self.promises.last(rule.metric)
        if (
            Occurrence.REOPENED in kinds
            and last is not None
            and not last.is_active
            and _ended_by_closing(last)
        ):
            if rule.reopens is ReopenMode.CONTINUE:
                self._put(last, last.after(ClockEvent.CONTINUE, at=self.at), What.CONTINUED)
                self.paused_or_resumed(rule)
                return
            if rule.reopens is ReopenMode.NEW_CYCLE:
                self._start(rule)
                return
        if kinds & rule.starts:
            self._start(rule)
            if kinds & FIRST_WORDS:
                # Opened and answered, or opened and resolved, in one save: kept as it is made.
                answered = {Occurrence.AGENT_REPLIED} if Occurrence.PHONE_LOGGED in kinds else set()
                self.stopped(rule, (kinds | answered) - rule.starts)

    def _is_held_back(self, rule: MetricRule, kinds: frozenset[Occurrence]) -> bool:
        """Whether this metric must not start in this save."""
        promises = self.promises
        is_opening = bool(kinds & FIRST_WORDS & rule.starts)
        if promises.has_ended and not is_opening:
            return True
        if promises.is_proactive or promises.active(rule.metric) is not None:
            return True
        if rule.is_once and promises.last(rule.metric) is not None:
            return True
        if kinds & rule.stops - rule.starts and not is_opening:
            return True  # the same save already did what this clock would wait for
        if rule.metric is Metric.NEXT_RESPONSE:
            return promises.active(Metric.FIRST_RESPONSE) is not None or bool(kinds & FIRST_WORDS)
        return False

    def _start(self, rule: MetricRule) -> None:
        promise = self.terms.targets.get(rule.metric)
        if promise is not None:
            self._begin(rule.metric, promise)
            self.paused_or_resumed(rule)

    def _begin(self, metric: Metric, promise: Target) -> None:
        last = self.promises.last(metric)
        clock = start(metric, promise, at=self.at, cycle=last.cycle + 1 if last else 1)
        self.promises = replace(self.promises, clocks=(*self.promises.clocks, clock))
        self._write(clock, What.STARTED, at=self.at, spent=clock.spent, because=clock.promise.because)

    def answered(self, kinds: frozenset[Occurrence]) -> None:
        """The earliest customer message that nobody has answered yet."""
        since = self.promises.unanswered_since
        if kinds & ({Occurrence.AGENT_REPLIED, Occurrence.PHONE_LOGGED} | ENDS):
            since = None
        elif since is None and kinds & {Occurrence.CREATED, Occurrence.CUSTOMER_WROTE}:
            since = self.at
        if since is not self.promises.unanswered_since:
            self.promises = replace(self.promises, unanswered_since=since)

    def _put(self, old: Clock, new: Clock, what: What, *, reasons: Sequence[WaitReason] = ()) -> None:
        clocks = tuple(new if clock is old else clock for clock in self.promises.clocks)
        self.promises = replace(self.promises, clocks=clocks)
        because = new.promise.because if what is What.RETARGETED else ""
        self._write(new, what, at=self.at, spent=new.spent, reasons=tuple(reasons), because=because)

    def _write(
        self,
        clock: Clock,
        what: What,
        *,
        at: datetime,
        spent: timedelta,
        percent: int | None = None,
        reasons: tuple[WaitReason, ...] = (),
        because: str = "",
    ) -> None:
        self.entries.append(
            Entry(
                metric=clock.metric,
                cycle=clock.cycle,
                what=what,
                at=at,
                spent=spent,
                due_at=clock.due_at,
                percent=percent,
                reasons=reasons,
                because=because,
            )
        )


def _ended_by_closing(clock: Clock) -> bool:
    """Merged and void clocks stay as they ended, whatever is reopened."""
    return clock.outcome in (Outcome.MET, Outcome.MISSED)
