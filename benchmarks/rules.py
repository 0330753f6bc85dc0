"""A hundred rules on one ticket against the same rules written by hand as Python closures.

    python benchmarks/rules.py

Alternating rounds, medians, one process. No rule matches, so every one of them is tried: the worst case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median
from time import perf_counter

from benchmarks.run import Row, Run
from flowdesk.engine.conditions import compile_condition
from flowdesk.engine.facts import CustomField, FieldType, Priority, TicketFacts, vocabulary
from flowdesk.engine.routing import RoutingAction, RoutingRule, RoutingRules, route
from flowdesk.engine.triage import TriageRules, triage
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.triage import read_triage

ROUNDS, TICKETS, RULES = 15, 300, 100
FIELDS = vocabulary({"amount": CustomField(type=FieldType.NUMBER)})
TICKET = TicketFacts(
    subject="Export stops half way",
    text="The export of our orders stops half way since this morning. " * 5,
    channel="email",
    category="technical",
    priority=Priority.P2,
    customer_tier="professional",
    fields={"amount": Decimal(5000)},
)

Test = Callable[[TicketFacts], bool]


def by_hand(number: int) -> tuple[str, Test]:
    """One rule as text and as the closure a programmer would write for it."""
    word = f"c{number}"
    kinds: list[tuple[str, Test]] = [
        (
            f"priority == 'critical' AND category == '{word}'",
            lambda facts: facts.priority == 1 and facts.category == word,
        ),
        (
            f"category == 'technical' AND amount > {10_000 + number}",
            lambda facts: (
                facts.category == "technical"
                and facts.fields.get("amount") is not None
                and facts.fields["amount"] > 10_000 + number  # type: ignore[operator]
            ),
        ),
        (
            f"customer_tier IN ('enterprise', 't{number}') AND business_hours == true",
            lambda facts: facts.customer_tier in ("enterprise", f"t{number}") and facts.business_hours,
        ),
        (f"subject CONTAINS 'refund {number}'", lambda facts: f"refund {number}" in facts.folded_subject),
        (
            f"category == 'technical' AND (is_vip OR recent_escalations > {number + 2})",
            lambda facts: (
                facts.category == "technical" and (facts.is_vip or facts.recent_escalations > number + 2)
            ),
        ),
    ]
    return kinds[number % len(kinds)]


def timed(act: Callable[[], object]) -> float:
    """Seconds for one ticket."""
    started = perf_counter()
    for _ in range(TICKETS):
        act()
    return (perf_counter() - started) / TICKETS


def bars(run: Run) -> Sequence[Row]:
    """The rows of `make bench`."""
    ours, theirs, reading = measured()
    return [
        Row(
            name="rules",
            what=f"{RULES} rules on one ticket against closures by hand",
            measured=ours / theirs,
            bar=10,
            goal=4,
            notes=[f"{ours * 1e6:.1f} µs a ticket, {theirs * 1e6:.1f} by hand"],
        ),
        Row(
            name="understand",
            what=f"Triage of {len(TICKET.text.split())} words and routing by {RULES} rules",
            measured=(ours + reading) * 1e3,
            bar=None,
            goal=None,
            unit=" ms",
            notes=[f"{reading * 1e6:.0f} µs to read the words, {ours * 1e6:.0f} to route"],
        ),
    ]


def measured() -> tuple[float, float, float]:
    """Seconds a ticket: our routing, the same by hand, and triage; medians of alternating rounds."""
    written = [by_hand(number) for number in range(RULES)]
    closures = [test for _, test in written]
    action = RoutingAction(team="tier-1")
    rules = RoutingRules(
        rules=tuple(
            RoutingRule(name=f"r{at}", condition=compile_condition(text, fields=FIELDS), action=action)
            for at, (text, _) in enumerate(written)
        )
    )

    def hand_written() -> int | None:
        for at, test in enumerate(closures):
            if test(TICKET):
                return at
        return None

    assert hand_written() is None
    assert route(TICKET, rules).rule is None
    tables: TriageRules = read_triage(read_document(read_pack_text("triage"), "triage"))
    ours, theirs, reading = [], [], []
    for _ in range(ROUNDS):
        ours.append(timed(lambda: route(TICKET, rules)))
        theirs.append(timed(hand_written))
        reading.append(timed(lambda: triage(TICKET.subject, text=TICKET.text, rules=tables)))
    return median(ours), median(theirs), median(reading)


def main() -> None:
    ours, theirs, reading = measured()
    print(f"route, {RULES} rules:     {ours * 1e6:8.1f} us a ticket")
    print(f"closures by hand:     {theirs * 1e6:8.1f} us a ticket")
    print(f"ratio:                {ours / theirs:8.2f}   (bar 10, goal 4)")
    print(f"triage of {len(TICKET.text.split())} words:   {reading * 1e6:8.1f} us a ticket")


if __name__ == "__main__":
    main()
