"""The sections `promises` and `waits`: metrics, targets and how long a wait may last."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from flowdesk.engine.business_time import BusinessCalendar, Unit
from flowdesk.engine.clock import ChangeMode, Metric
from flowdesk.engine.promises import MetricRule, Occurrence, ReopenMode, WaitReason
from flowdesk.engine.sla_policy import ANY, Amount, PromisePolicy, TierTerms, WaitRule
from flowdesk.policies.reader import FaultList, Node, suggestion
from flowdesk.policies.sections.priority import read_one_priority

_AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(m|h|bd|minutes|business_minutes|business_days)")


def read_promises(
    node: Node,
    *,
    waits: Node | None,
    revision: int,
    calendars: Mapping[str, BusinessCalendar],
    tiers: Mapping[str, TierTerms],
    percents: Mapping[Metric, tuple[int, ...]],
) -> PromisePolicy:
    """The promise policy of a document; raises PolicyFaults naming every place that cannot be used."""
    parts = node.mapping(
        required=("metrics", "targets"),
        optional=(
            "name",
            "calendar",
            "change",
            "unit",
            "defaults",
            "levels",
            "calendars",
            "close_after_days",
        ),
    )
    faults = FaultList()
    unit = (
        faults.read(lambda: parts["unit"].choice(Unit)) if "unit" in parts else None
    ) or Unit.BUSINESS_MINUTES
    metrics = faults.read(lambda: tuple(_metric(name, rule) for name, rule in parts["metrics"].items())) or ()
    targets = faults.read(lambda: _targets(parts["targets"], tiers, unit)) or {}
    defaults = (
        faults.read(lambda: _by_metric(parts["defaults"], unit)) if "defaults" in parts else None
    ) or {}
    levels = (faults.read(lambda: _levels(parts["levels"], unit)) if "levels" in parts else None) or {}
    own = (
        faults.read(lambda: _own_calendars(parts["calendars"], calendars)) if "calendars" in parts else None
    ) or {}
    default_calendar = (
        _calendar(parts["calendar"], calendars) if "calendar" in parts else next(iter(calendars))
    )
    wait_rules = (faults.read(lambda: _waits(waits, unit)) if waits is not None else None) or {}
    faults.raise_any()
    return PromisePolicy(
        name=parts["name"].text() if "name" in parts else "standard",
        revision=revision,
        calendars=calendars,
        tiers=tiers,
        default_calendar=default_calendar,
        metrics=metrics,
        targets=targets,
        level_targets=levels,
        defaults=defaults,
        metric_calendars=own,
        waits=wait_rules,
        percents=percents,
        change=parts["change"].choice(ChangeMode) if "change" in parts else ChangeMode.RETROACTIVE,
        closes_after=timedelta(
            days=parts["close_after_days"].integer(least=0, most=365) if "close_after_days" in parts else 5
        ),
    )


def read_amount(node: Node, unit: Unit = Unit.BUSINESS_MINUTES) -> Amount:
    """`15 m`, `4 h` (in the document's unit), `2 bd`, or with the unit spelled out: `90 minutes`."""
    found = _AMOUNT.fullmatch(node.text().strip())
    if not found:
        raise node.refuse("an amount is written like 15 m, 4 h or 2 bd")
    number, word = Decimal(found[1]), found[2]  # exact: 4.1 h are 246 minutes, in binary not quite
    match word:
        case "m" | "h":
            amount, of = number * (60 if word == "h" else 1), unit
        case "bd":
            amount, of = number, Unit.BUSINESS_DAYS
        case _:
            amount, of = number, Unit(word)
    if amount != int(amount):
        raise node.refuse("an amount is a whole number of minutes or business days")
    return Amount(amount=int(amount), unit=of)


def _metric(name: Node, node: Node) -> MetricRule:
    parts = node.mapping(required=("starts", "stops"), optional=("pauses", "reopens", "once"))
    return MetricRule(
        metric=name.choice(Metric),
        starts=frozenset(item.choice(Occurrence) for item in parts["starts"].one_or_more()),
        stops=frozenset(item.choice(Occurrence) for item in parts["stops"].one_or_more()),
        pauses=frozenset(item.choice(WaitReason) for item in parts["pauses"].one_or_more())
        if "pauses" in parts
        else frozenset(),
        reopens=parts["reopens"].choice(ReopenMode) if "reopens" in parts else ReopenMode.NEVER,
        is_once=parts["once"].truth() if "once" in parts else False,
    )


def _targets(node: Node, tiers: Mapping[str, TierTerms], unit: Unit) -> dict[tuple[Metric, int, str], Amount]:
    targets: dict[tuple[Metric, int, str], Amount] = {}
    faults = FaultList()
    for metric, cells in node.items():
        for priority, row in cells.items():
            with faults:
                key = (metric.choice(Metric), int(read_one_priority(priority)))
                if row.kind == "text":
                    targets[(*key, ANY)] = read_amount(row, unit)
                    continue
                for tier, amount in row.items():
                    name = tier.text()
                    if name != ANY and name not in tiers:
                        faults.add(tier.fault(f"there is no tier {name!r}{suggestion(name, tiers)}"))
                        continue
                    targets[(*key, name)] = read_amount(amount, unit)
    faults.raise_any()
    return targets


def _by_metric(node: Node, unit: Unit) -> dict[Metric, Amount]:
    return {metric.choice(Metric): read_amount(amount, unit) for metric, amount in node.items()}


def _levels(node: Node, unit: Unit) -> dict[tuple[Metric, int], Amount]:
    return {
        (metric.choice(Metric), level.integer(least=1, most=3)): read_amount(amount, unit)
        for metric, levels in node.items()
        for level, amount in levels.items()
    }


def _own_calendars(node: Node, calendars: Mapping[str, BusinessCalendar]) -> dict[Metric, str]:
    return {metric.choice(Metric): _calendar(name, calendars) for metric, name in node.items()}


def _calendar(node: Node, calendars: Mapping[str, BusinessCalendar]) -> str:
    name = node.text()
    if name not in calendars:
        raise node.refuse(f"there is no calendar {name!r}{suggestion(name, calendars)}")
    return name


def _waits(node: Node, unit: Unit) -> dict[WaitReason, WaitRule]:
    rules = {}
    for name, value in node.items():
        parts = value.mapping(required=("longest",), optional=("remind_after", "at_limit", "note", "told"))
        reason = name.choice(WaitReason)
        rules[reason] = WaitRule(
            reason=reason,
            longest=read_amount(parts["longest"], unit),
            remind_after=read_amount(parts["remind_after"], unit) if "remind_after" in parts else None,
            resolves_at_limit="at_limit" in parts and parts["at_limit"].text() == "resolve",
            needs_note="note" in parts and parts["note"].text() == "required",
            is_told="told" in parts and parts["told"].truth(),
        )
    return rules
