"""From impact and urgency to P1..P4, with every step's reason (F-TRI-02, F-TRI-03, F-TRI-05, C5, C6, C7, C9).

The order is: matrix, category bounds, at most one step up by VIP, tier or history, at most one by anger,
bounds again. A VIP may leave the bounds and an agent's word stands above everything computed. Words alone
never lift a ticket of a capped tier (starter, free) above P2: whoever writes the text would set the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from flowdesk.engine.facts import Priority, Sentiment
from flowdesk.engine.reasons import Reason, because


class Grade(StrEnum):
    """How wide (impact) or how pressing (urgency)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


Matrix = Mapping[tuple[Grade, Grade], Priority]  # (impact, urgency)

STANDARD_MATRIX: Matrix = {
    (Grade.HIGH, Grade.HIGH): Priority.P1,
    (Grade.HIGH, Grade.MEDIUM): Priority.P2,
    (Grade.MEDIUM, Grade.HIGH): Priority.P2,
    (Grade.HIGH, Grade.LOW): Priority.P3,
    (Grade.LOW, Grade.HIGH): Priority.P3,
    (Grade.MEDIUM, Grade.MEDIUM): Priority.P3,
    (Grade.MEDIUM, Grade.LOW): Priority.P4,
    (Grade.LOW, Grade.MEDIUM): Priority.P4,
    (Grade.LOW, Grade.LOW): Priority.P4,
}


class IncompleteMatrix(ValueError):
    """The priority matrix leaves a pair of impact and urgency undecided."""


class EmptyBounds(ValueError):
    """The highest priority of a category is below its lowest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The priorities a category may have; `highest` is the smaller number."""

    highest: Priority = Priority.P1
    lowest: Priority = Priority.P4

    def __post_init__(self) -> None:
        if self.highest > self.lowest:
            raise EmptyBounds(f"{self.highest.name} is below {self.lowest.name}")

    def clamp(self, priority: Priority) -> Priority:
        return Priority(min(max(priority, self.highest), self.lowest))


ANY_PRIORITY = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRules:
    """A tenant's way from facts to priority. `bounds` is keyed by `category` or `category/subcategory`,
    the narrower one deciding: an outage is technical, yet may be P1."""

    matrix: Matrix = field(default_factory=lambda: STANDARD_MATRIX, hash=False)
    bounds: Mapping[str, Bounds] = field(default_factory=dict, hash=False)
    raising_tiers: frozenset[str] = frozenset({"enterprise"})
    raising_escalations: int = 2  # more recent escalations of the customer than this raise by one
    angry_signals: frozenset[str] = frozenset({"frustration"})
    capped_tiers: frozenset[str] = frozenset({"starter", "free"})
    text_cap: Priority = Priority.P2  # as high as words alone may lift a capped tier

    def __post_init__(self) -> None:
        missing = [pair for pair in product(Grade, Grade) if pair not in self.matrix]
        if missing:
            words = ", ".join(f"impact {impact} with urgency {urgency}" for impact, urgency in missing)
            raise IncompleteMatrix(f"undecided: {words}")

    def bounds_of(self, category: str | None, subcategory: str | None) -> Bounds:
        narrow = self.bounds.get(f"{category}/{subcategory}")
        return narrow or self.bounds.get(category or "", ANY_PRIORITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityDecision:
    priority: Priority
    impact: Grade
    urgency: Grade
    reasons: tuple[Reason, ...]


def decide_priority(
    impact: Grade,
    *,
    urgency: Grade,
    rules: PriorityRules,
    category: str | None = None,
    subcategory: str | None = None,
    customer_tier: str | None = None,
    is_vip: bool = False,
    recent_escalations: int = 0,
    sentiment: Sentiment | None = None,
    signals: frozenset[str] = frozenset(),
    learned: Priority | None = None,
    agent_priority: Priority | None = None,
) -> PriorityDecision:
    """The priority with its reasons in the order of the steps; a step that changes nothing leaves none."""
    bounds = rules.bounds_of(category, subcategory)
    cap = rules.text_cap if customer_tier in rules.capped_tiers else Priority.P1
    ladder = _Ladder(rules.matrix[impact, urgency])
    ladder.reasons.append(because("matrix", impact=impact, urgency=urgency, priority=ladder.now.name))
    if learned is not None:
        ladder.move(learned, "learned_priority")
    ladder.move(bounds.clamp(ladder.now), "category_bounds", category=category)
    ladder.move(max(ladder.now, cap), "text_cap", tier=customer_tier)

    if is_vip:
        ladder.raise_one("raised_by_vip")
    elif customer_tier in rules.raising_tiers:
        ladder.raise_one("raised_by_tier", tier=customer_tier)
    elif recent_escalations > rules.raising_escalations:
        ladder.raise_one("raised_by_history", recent_escalations=recent_escalations)

    if sentiment is Sentiment.ANGRY or signals & rules.angry_signals:
        if is_vip or ladder.now > cap:
            ladder.raise_one("raised_by_anger")
        elif ladder.now > Priority.P1:
            ladder.reasons.append(because("anger_capped", tier=customer_tier))

    if not is_vip:
        # A category is read from the text too, so its lower bound must not lift past the cap either.
        again = Bounds(highest=bounds.highest, lowest=max(bounds.lowest, cap))
        ladder.move(again.clamp(ladder.now), "category_bounds", category=category)
    if agent_priority is not None:
        was, ladder.now = ladder.now, agent_priority
        ladder.reasons.append(because("set_by_agent", was=was.name, priority=agent_priority.name))
    return PriorityDecision(
        priority=ladder.now, impact=impact, urgency=urgency, reasons=tuple(ladder.reasons)
    )


@dataclass(slots=True)
class _Ladder:
    """Where the priority stands, and why."""

    now: Priority
    reasons: list[Reason] = field(default_factory=list)

    def move(self, to: Priority, code: str, **params: object) -> None:
        if to != self.now:
            was, self.now = self.now, Priority(to)
            self.reasons.append(because(code, **params, was=was.name, priority=self.now.name))

    def raise_one(self, code: str, **params: object) -> None:
        self.move(Priority(max(Priority.P1, self.now - 1)), code, **params)
