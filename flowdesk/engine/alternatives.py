"""What would have changed a decision: each thing that went into it is changed by itself, and the decision made anew.

Only what would have led elsewhere is told, so that "why not P1?" has a short answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flowdesk.engine.facts import Priority, Sentiment
from flowdesk.engine.priority import Grade, PriorityRules, decide_priority
from flowdesk.engine.reasons import Reason, because
from flowdesk.engine.sla_policy import PromisePolicy, RuleTarget

MOST = 8  # of each decision


@dataclass(frozen=True, slots=True)
class Alternative:
    """One change, and what the decision would have been."""

    change: Reason
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a priority was decided from."""

    impact: Grade
    urgency: Grade
    category: str | None = None
    subcategory: str | None = None
    customer_tier: str | None = None
    is_vip: bool = False
    recent_escalations: int = 0
    sentiment: Sentiment | None = None
    signals: frozenset[str] = frozenset()
    learned: Priority | None = None  # what a model says instead of the matrix

    def data(self) -> dict[str, object]:
        """As it is kept beside the decision."""
        return {
            "impact": self.impact.value,
            "urgency": self.urgency.value,
            "category": self.category,
            "subcategory": self.subcategory,
            "customer_tier": self.customer_tier,
            "is_vip": self.is_vip,
            "recent_escalations": self.recent_escalations,
            "sentiment": self.sentiment.value if self.sentiment else None,
            "signals": sorted(self.signals),
            "learned": self.learned.name if self.learned else None,
        }


def weighed_from(kept: Mapping[str, object]) -> Weighed:
    """What `Weighed.data` kept."""
    sentiment, signals = kept.get("sentiment"), kept.get("signals")
    return Weighed(
        impact=Grade(str(kept["impact"])),
        urgency=Grade(str(kept["urgency"])),
        category=_word(kept.get("category")),
        subcategory=_word(kept.get("subcategory")),
        customer_tier=_word(kept.get("customer_tier")),
        is_vip=bool(kept.get("is_vip")),
        recent_escalations=int(str(kept.get("recent_escalations") or 0)),
        sentiment=Sentiment(str(sentiment)) if sentiment else None,
        signals=frozenset(map(str, signals)) if isinstance(signals, list) else frozenset(),
        learned=Priority[str(kept["learned"])] if kept.get("learned") else None,
    )


def _word(value: object) -> str | None:
    return str(value) if value else None


def other_priorities(weighed: Weighed, rules: PriorityRules) -> tuple[Alternative, ...]:
    """Every single change that would have led to another priority, the nearest kinds of change first."""
    was = _priority(weighed, rules)
    found = []
    for change, other in _changes(weighed, rules):
        now = _priority(other, rules)
        if now != was:
            found.append(Alternative(change, now))
    return tuple(found[:MOST])


def _priority(weighed: Weighed, rules: PriorityRules) -> str:
    return decide_priority(
        weighed.impact,
        urgency=weighed.urgency,
        rules=rules,
        category=weighed.category,
        subcategory=weighed.subcategory,
        customer_tier=weighed.customer_tier,
        is_vip=weighed.is_vip,
        recent_escalations=weighed.recent_escalations,
        sentiment=weighed.sentiment,
        signals=weighed.signals,
        learned=weighed.learned,
    ).priority.name


def _changes(weighed: Weighed, rules: PriorityRules) -> Iterator[tuple[Reason, Weighed]]:
    for grade in Grade:
        if grade is not weighed.impact:
            yield because("if_impact", impact=grade), replace(weighed, impact=grade)
        if grade is not weighed.urgency:
            yield because("if_urgency", urgency=grade), replace(weighed, urgency=grade)
    yield because("if_not_vip" if weighed.is_vip else "if_vip"), replace(weighed, is_vip=not weighed.is_vip)
    for tier in sorted(rules.raising_tiers - {weighed.customer_tier or ""}):
        yield because("if_tier", tier=tier), replace(weighed, customer_tier=tier)
    if weighed.signals & rules.angry_signals or weighed.sentiment is Sentiment.ANGRY:
        calm = replace(weighed, sentiment=None, signals=weighed.signals - rules.angry_signals)
        yield because("if_calm"), calm
    else:
        yield because("if_angry"), replace(weighed, sentiment=Sentiment.ANGRY)


def other_category(scores: Sequence[tuple[str, int]]) -> Alternative | None:
    """How much more would have had to speak for the second category; `scores` begin with the one that was taken."""
    if len(scores) < 2:
        return None
    (_, most), (second, less) = scores[:2]
    return Alternative(because("if_more_words", category=second, score=less, needed=most + 1), second)


def other_targets(
    policy: PromisePolicy,
    metric: str,
    *,
    priority: int,
    tier: str,
    level: int,
    rule_target: RuleTarget | None = None,
) -> tuple[Alternative, ...]:
    """What a promise would be at each other priority and tier, where that is another one. What a routing rule gave the
    ticket it had been given there too.
    """

    def target_at(priority: int, tier: str) -> str:
        targets = policy.terms(priority=priority, tier=tier, level=level, rule_target=rule_target).targets
        chosen = next((one for name, one in targets.items() if name.value == metric), None)
        return f"{chosen.amount}:{chosen.unit.value}" if chosen else ""

    was = target_at(priority, tier)
    found = []
    for other in range(1, 5):
        now = target_at(other, tier)
        if other != priority and now not in (was, ""):
            found.append(Alternative(because("if_priority", priority=f"P{other}"), now))
    for name in policy.tiers:
        now = target_at(priority, name)
        if name != tier and now not in (was, ""):
            found.append(Alternative(because("if_tier", tier=name), now))
    return tuple(found[:MOST])
