"""Tickets and their promises as the engine's tests tell of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flowdesk.engine.business_time import BusinessCalendar, Holiday, Unit, always_open, business_hours
from flowdesk.engine.clock import Clock, Metric, Target, start
from flowdesk.engine.facts import vocabulary
from flowdesk.engine.promises import (
    Change,
    Entry,
    FiredStep,
    Occurrence,
    Promises,
    Terms,
    WaitReason,
    advance,
    after,
)
from flowdesk.engine.sla_policy import PromisePolicy
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import Node, read_document
from flowdesk.policies.sections.calendars import read_calendars, read_tiers
from flowdesk.policies.sections.escalation import read_escalation
from flowdesk.policies.sections.promises import read_promises

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LADDER = (50, 75, 90, 100, 125)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
MIDSUMMER = Holiday(on=date(2026, 6, 19), name="Midsommarafton")
ROUND_THE_CLOCK = always_open("UTC")
OFFICE = business_hours("Europe/Stockholm", holidays=(MIDSUMMER,))


def local(text: str) -> datetime:
    """The instant of a wall time in Stockholm, `2026-06-15 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)


MONDAY_9 = local("2026-06-15 09:00")
FRIDAY_16_30 = local("2026-06-12 16:30")


def minutes_of(amount: int, calendar: BusinessCalendar = ROUND_THE_CLOCK) -> Target:
    """A promise of so many minutes of open time."""
    return Target(amount=amount, unit=Unit.BUSINESS_MINUTES, calendar=calendar, calendar_name=calendar.name)


def days_of(amount: int, calendar: BusinessCalendar = OFFICE) -> Target:
    """A promise of so many business days."""
    return Target(amount=amount, unit=Unit.BUSINESS_DAYS, calendar=calendar, calendar_name=calendar.name)


def a_clock(
    target: Target | None = None, *, metric: Metric = Metric.RESOLUTION, at: datetime = MONDAY_9
) -> Clock:
    """A running clock of four hours round the clock, unless told otherwise."""
    return start(metric, target or minutes_of(240), at=at)


def _section(name: str) -> Node:
    return read_document(read_pack_text(name), name)


def standard_policy() -> PromisePolicy:
    """The promises of the standard pack, on calendars whose only holiday is Midsummer Eve."""
    calendars = read_calendars(
        _section("calendars"),
        holidays=lambda code: ((MIDSUMMER.on, MIDSUMMER.name),),
        countries=frozenset({"SE"}),
    )
    return read_promises(
        _section("promises"),
        waits=_section("waits"),
        revision=1,
        calendars=calendars,
        tiers=read_tiers(_section("tiers"), calendars=calendars),
        percents=read_escalation(_section("escalation"), fields=vocabulary({})).percents,
    )


STANDARD = standard_policy()


@dataclass(slots=True)
class Life:
    """A ticket's life, told step by step; keeps every line of the ledger and every rung."""

    terms: Terms = field(default_factory=lambda: STANDARD.terms(priority=3, tier="enterprise"))
    promises: Promises = field(default_factory=Promises)
    entries: list[Entry] = field(default_factory=list)
    steps: list[FiredStep] = field(default_factory=list)

    def happen(
        self,
        *occurrences: Occurrence,
        at: datetime,
        waits: Iterable[WaitReason] = (),
        ended: Iterable[WaitReason] = (),
    ) -> Change:
        return self._took(
            after(self.promises, occurrences, at=at, terms=self.terms, waits=waits, ended_waits=ended)
        )

    def wait(self, *reasons: WaitReason, at: datetime) -> Change:
        return self.happen(Occurrence.WAIT_STARTED, at=at, waits=reasons)

    def resume(self, *reasons: WaitReason, at: datetime) -> Change:
        return self.happen(Occurrence.WAIT_ENDED, at=at, ended=reasons)

    def change_terms(self, terms: Terms, *, at: datetime) -> Change:
        self.terms = terms
        return self.happen(Occurrence.TERMS_CHANGED, at=at)

    def pass_time(self, *, to: datetime) -> Change:
        return self._took(advance(self.promises, self.terms, to=to))

    def _took(self, change: Change) -> Change:
        self.promises = change.promises
        self.entries.extend(change.entries)
        self.steps.extend(change.steps)
        return change

    def clock(self, metric: Metric) -> Clock:
        """The newest cycle of the metric."""
        clock = self.promises.last(metric)
        assert clock is not None, f"no clock of {metric}"
        return clock

    def has(self, metric: Metric) -> bool:
        return self.promises.last(metric) is not None

    def is_running(self, metric: Metric) -> bool:
        clock = self.promises.active(metric)
        return clock is not None and clock.state == "running"

    def cycles(self, metric: Metric) -> list[Clock]:
        return [clock for clock in self.promises.clocks if clock.metric is metric]

    def rungs(self, metric: Metric) -> list[int]:
        return [step.percent for step in self.steps if step.metric is metric]


def a_ticket(
    *,
    priority: int = 3,
    tier: str = "enterprise",
    at: datetime = MONDAY_9,
    by: Occurrence = Occurrence.CREATED,
) -> Life:
    """A ticket under the standard policy that has just been opened."""
    life = Life(terms=STANDARD.terms(priority=priority, tier=tier))
    life.happen(by, at=at)
    return life
