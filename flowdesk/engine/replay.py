"""An event log followed in virtual time: the clocks its tickets would have had under a policy.

The engine that serves live tickets does the work. Between two rows virtual time passes, and every rung and
miss on the way fires at its own instant, in the order of those instants. What falls on the very instant of a
row waits for the row, so that a reply on the due instant is in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush

from flowdesk.engine.clock import Clock, Metric, Outcome
from flowdesk.engine.history import Happening, LogEntry, LogState, happenings, opening, standing
from flowdesk.engine.promises import Change, Promises, Terms, advance, after
from flowdesk.engine.sla_policy import PromisePolicy


class OutOfOrder(ValueError):
    """A row lies before the one that came ahead of it: virtual time does not run backwards."""


class Ending(StrEnum):
    """How a clock stands when its log is over."""

    MET = "met"
    MISSED = "missed"
    RUNNING = "running"
    VOID = "void"


ENDINGS = {Outcome.MET: Ending.MET, Outcome.MISSED: Ending.MISSED, None: Ending.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ticket of the log so far: its last row, its promises, and when something last happened to it."""

    entry: LogEntry
    promises: Promises
    touched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLine:
    """One clock of one ticket when the log is over; `stopped_at` is None while it is open."""

    ticket: str
    metric: Metric
    cycle: int
    target: timedelta  # frozen to open time
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    elapsed: timedelta  # open time spent
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a log: its tickets in the order they first appeared, and what was counted on the way."""

    cases: Mapping[str, Case]
    events: int  # rows read
    steps: Mapping[tuple[Metric, int], int]  # rungs fired, by metric and percent
    until: datetime | None  # the last instant of the log; None for a log without rows

    def lines(self) -> Iterator[ClockLine]:
        """Every clock, ticket by ticket, each ticket's in the order they began."""
        for ticket, case in self.cases.items():
            for clock in case.promises.clocks:
                assert self.until is not None
                yield line_of(clock, ticket=ticket, until=self.until)

    def outcomes(self) -> dict[Metric, Counter[Ending]]:
        """How many clocks of each metric ended how."""
        counts: dict[Metric, Counter[Ending]] = {}
        for case in self.cases.values():
            for clock in case.promises.clocks:
                counts.setdefault(clock.metric, Counter())[ending_of(clock)] += 1
        return counts


def ending_of(clock: Clock) -> Ending:
    """Merged clocks lie outside every rate, as void ones do; a log tells no merge apart."""
    return ENDINGS.get(clock.outcome, Ending.VOID)


def line_of(clock: Clock, *, ticket: str, until: datetime) -> ClockLine:
    """The clock as it stands at `until`."""
    return ClockLine(
        ticket=ticket,
        metric=clock.metric,
        cycle=clock.cycle,
        target=clock.target,
        started_at=clock.started_at,
        due_at=clock.due_at,
        stopped_at=clock.stopped_at,
        elapsed=clock.elapsed(until),
        ending=ending_of(clock),
    )


@dataclass(slots=True)
class VirtualDesk:
    """A desk whose time is the log's: takes its rows in order and lets time pass between them.

    Mutable, and local to one replay. `take` gives back what the row meant, for a caller that does more with it.
    """

    policy: PromisePolicy
    cases: dict[str, Case] = field(default_factory=dict)
    now: datetime | None = None
    events: int = 0
    steps: Counter[tuple[Metric, int]] = field(default_factory=Counter)
    _terms: dict[tuple[int, str], Terms] = field(default_factory=dict)
    _alarms: list[tuple[datetime, str]] = field(default_factory=list)  # a heap; some are stale
    _wakes: dict[str, datetime | None] = field(default_factory=dict)  # the alarm of each ticket that counts

    def take(self, entry: LogEntry) -> tuple[Happening, ...]:
        """Let time pass up to the row, and then what it says happen. Raises OutOfOrder."""
        if self.now is not None and entry.at < self.now:
            raise OutOfOrder(f"{entry.at.isoformat()} lies before {self.now.isoformat()}")
        self._ring(before=entry.at)
        self.now = entry.at
        self.events += 1
        case = self.cases.get(entry.ticket)
        if case is None:
            told = opening(entry)
            promises, touched_at = Promises(), told[0].at
        else:
            # A row from before the ticket began, or one that a time zone moved, comes at once.
            touched_at = max(entry.at, case.touched_at)
            told = happenings(case.entry, entry, at=touched_at)
            promises = case.promises
        terms = self._terms_of(entry)
        for happening in told:
            promises = self._counted(
                after(
                    promises,
                    happening.occurrences,
                    at=happening.at,
                    terms=terms,
                    waits=happening.waits,
                    ended_waits=happening.ended_waits,
                )
            )
            touched_at = happening.at
        if entry.state is LogState.SAME:
            entry = replace(entry, state=standing(case.entry if case else None, entry))
        self.cases[entry.ticket] = Case(entry=entry, promises=promises, touched_at=touched_at)
        if told:
            self._set_alarm(entry.ticket, promises, terms)
        return told

    def end(self) -> Replayed:
        """Let time pass up to and with the last instant of the log."""
        if self.now is not None:
            self._ring(before=self.now + timedelta.resolution)
        return Replayed(cases=self.cases, events=self.events, steps=self.steps, until=self.now)

    def _ring(self, *, before: datetime) -> None:
        """Wake every ticket whose alarm lies before this instant, in the order of the alarms."""
        alarms = self._alarms
        while alarms and alarms[0][0] < before:
            at, ticket = heappop(alarms)
            if self._wakes[ticket] != at:
                continue
            case = self.cases[ticket]
            terms = self._terms_of(case.entry)
            promises = self._counted(advance(case.promises, terms, to=at))
            self.cases[ticket] = replace(case, promises=promises)
            self._set_alarm(ticket, promises, terms)

    def _set_alarm(self, ticket: str, promises: Promises, terms: Terms) -> None:
        at = promises.next_wake(terms.percents)
        self._wakes[ticket] = at
        if at is not None:
            heappush(self._alarms, (at, ticket))

    def _counted(self, change: Change) -> Promises:
        self.steps.update((step.metric, step.percent) for step in change.steps)
        return change.promises

    def _terms_of(self, entry: LogEntry) -> Terms:
        key = (entry.priority, entry.tier)
        terms = self._terms.get(key)
        if terms is None:
            terms = self._terms[key] = self.policy.terms(priority=entry.priority, tier=entry.tier)
        return terms


def replay(log: Iterable[LogEntry], *, policy: PromisePolicy) -> Replayed:
    """Follow a log to its end; raises OutOfOrder."""
    desk = VirtualDesk(policy)
    for entry in log:
        desk.take(entry)
    return desk.end()
