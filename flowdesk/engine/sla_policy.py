"""Which promises hold for a ticket: targets by priority, tier and level, each with the reason it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flowdesk.engine.business_time import BusinessCalendar, Unit
from flowdesk.engine.clock import ChangeMode, Metric, Target
from flowdesk.engine.promises import MetricRule, Terms, WaitReason

ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much of what: minutes, business minutes or business days."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        match self.unit:
            case Unit.BUSINESS_DAYS:
                return f"{self.amount} bd"
            case _ if self.amount % 60 == 0:
                return f"{self.amount // 60} h"
            case _:
                return f"{self.amount} m"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """A tier and the calendar its business minutes run on; a larger rank has bought more."""

    name: str
    calendar: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRule:
    """The bounds of a wait: how long at the longest, what the customer is told, when it reminds and resolves."""

    reason: WaitReason
    longest: Amount
    remind_after: Amount | None = None
    resolves_at_limit: bool = False
    needs_note: bool = False
    is_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTarget:
    """A routing rule's own first-response target, in business minutes (F-RTE-10)."""

    minutes: int
    rule: str
    loosens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisePolicy:
    """The promises of a tenant: one revision's targets, metric rules, waits and tiers."""

    name: str
    revision: int
    calendars: Mapping[str, BusinessCalendar]
    tiers: Mapping[str, TierTerms]
    default_calendar: str
    metrics: tuple[MetricRule, ...]
    targets: Mapping[tuple[Metric, int, str], Amount]  # metric, priority 1-4, tier or "any"
    level_targets: Mapping[tuple[Metric, int], Amount]  # ownership, by depth of support
    defaults: Mapping[Metric, Amount]
    metric_calendars: Mapping[Metric, str] = field(default_factory=dict)
    waits: Mapping[WaitReason, WaitRule] = field(default_factory=dict)
    percents: Mapping[Metric, tuple[int, ...]] = field(default_factory=dict)
    change: ChangeMode = ChangeMode.RETROACTIVE
    closes_after: timedelta = timedelta(days=5)
    _terms: dict[tuple[int, str, int, RuleTarget | None], Terms] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def lowest_tier(self) -> str:
        """The tier of somebody we do not know yet."""
        return min(self.tiers.values(), key=lambda tier: tier.rank).name

    def terms(
        self, *, priority: int, tier: str, level: int = 1, rule_target: RuleTarget | None = None
    ) -> Terms:
        """What is promised to a ticket of this priority and tier, worked at this level; looked up once."""
        key = (priority, tier, level, rule_target)
        terms = self._terms.get(key)
        if terms is None:
            terms = self._terms[key] = self._looked_up(*key)
        return terms

    def _looked_up(self, priority: int, tier: str, level: int, rule_target: RuleTarget | None) -> Terms:
        targets: dict[Metric, Target] = {}
        for rule in self.metrics:
            chosen = self._chosen(rule.metric, priority=priority, tier=tier, level=level)
            if chosen is not None:
                targets[rule.metric] = chosen
        if rule_target is not None and Metric.FIRST_RESPONSE in targets:
            targets[Metric.FIRST_RESPONSE] = _tightened(targets[Metric.FIRST_RESPONSE], rule_target)
        return Terms(targets=targets, rules=self.metrics, percents=self.percents, change=self.change)

    def _chosen(self, metric: Metric, *, priority: int, tier: str, level: int) -> Target | None:
        """(priority, tier), then (priority, any), then the tenant's default; ownership by level (C3)."""
        looked_up: tuple[tuple[Amount | None, str], ...] = (
            (self.level_targets.get((metric, level)), f"level {level}"),
            (self.targets.get((metric, priority, tier)), f"P{priority}, {tier}"),
            (self.targets.get((metric, priority, ANY)), f"P{priority}, any tier"),
            (self.defaults.get(metric), "default"),
        )
        for amount, cell in looked_up:
            if amount is not None:
                return self._target(metric, amount, tier=tier, cell=cell)
        return None

    def _target(self, metric: Metric, amount: Amount, *, tier: str, cell: str) -> Target:
        terms = self.tiers.get(tier)
        name = self.metric_calendars.get(metric) or (terms.calendar if terms else self.default_calendar)
        return Target(
            amount=amount.amount,
            unit=amount.unit,
            calendar=self.calendars[name],
            calendar_name=name,
            because=f"{cell}: {amount}",
        )


def _tightened(target: Target, rule: RuleTarget) -> Target:
    """A rule's target may only tighten unless it says `loosen` (C16).

    Amounts of one unit compare as they are. Others compare by when they fall due, which only a start decides:
    both are kept, and a clock is given the one that comes first.
    """
    asked = Target(
        amount=rule.minutes,
        unit=Unit.BUSINESS_MINUTES,
        calendar=target.calendar,
        calendar_name=target.calendar_name,
        because=f"rule {rule.rule}: {Amount(amount=rule.minutes, unit=Unit.BUSINESS_MINUTES)}",
    )
    if rule.loosens:
        return asked
    if target.unit is Unit.BUSINESS_MINUTES:
        return asked if asked.amount < target.amount else target
    return replace(
        target, or_sooner=asked, because=f"{target.because}, or {asked.because}, whichever is due first"
    )
