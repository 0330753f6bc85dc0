"""Rules in shadow, weights of tickets, and who stands in for whom."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random

import pytest

from flowdesk.engine.conditions import compile_condition
from flowdesk.engine.escalation import Office, find_people
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.routing import (
    Candidate,
    Mode,
    RoutingAction,
    RoutingRule,
    RoutingRules,
    Strategy,
    Verdict,
    choose_agent,
    route,
)
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.routing import read_routing

BILLING = TicketFacts(category="billing")
MONDAY_9 = datetime(2026, 6, 15, 9, tzinfo=UTC)


def a_rule(name: str, condition: str, *, mode: Mode = Mode.ACTIVE, team: str = "billing") -> RoutingRule:
    return RoutingRule(
        name=name, condition=compile_condition(condition), action=RoutingAction(team=team), mode=mode
    )


def read(text: str, **known: object) -> RoutingRules:
    return read_routing(read_document(text, "routing"), **known)  # type: ignore[arg-type]


def test_a_rule_in_shadow_is_written_down_and_moves_nothing() -> None:
    rules = RoutingRules(
        rules=(
            a_rule("tried", "category == 'billing'", mode=Mode.SHADOW, team="product"),
            a_rule("real", "category == 'billing'"),
        )
    )

    decision = route(BILLING, rules)

    assert (decision.rule, decision.team, decision.shadows) == ("real", "billing", ("tried",))
    assert [one.mode for one in decision.trace()] == [Mode.SHADOW, Mode.ACTIVE]


def test_a_shadow_below_the_rule_that_decides_is_not_reached() -> None:
    rules = RoutingRules(
        rules=(
            a_rule("real", "category == 'billing'"),
            a_rule("late", "category == 'billing'", mode=Mode.SHADOW),
        )
    )

    assert route(BILLING, rules).shadows == ()


def test_what_was_learned_is_asked_only_where_no_rule_decides() -> None:
    rules = RoutingRules(rules=(a_rule("real", "category == 'billing'"),))
    asked = []

    def learned() -> str:
        asked.append("asked")
        return "product"

    taken, rest = route(BILLING, rules, learned=learned), route(TicketFacts(), rules, learned=learned)

    assert (taken.team, rest.team, rest.rule) == ("billing", "product", None)
    assert asked == ["asked"]
    assert [str(one) for one in rest.reasons] == ["no_rule_matched", "learned_team(team=product)"]
    assert (taken.is_learned, rest.is_learned) == (False, True)


def test_a_learned_team_that_has_the_rest_anyway_is_no_reason() -> None:
    decision = route(
        TicketFacts(), RoutingRules(rules=()), learned=lambda: RoutingRules(rules=()).otherwise.team
    )

    assert [str(one) for one in decision.reasons] == ["no_rule_matched"]
    assert not decision.is_learned


def test_a_rule_that_is_off_is_neither_tried_nor_told() -> None:
    rules = RoutingRules(rules=(a_rule("off", "category == 'billing'", mode=Mode.OFF),))

    decision = route(BILLING, rules)

    assert decision.rule is None
    assert decision.trace() == ()


def test_a_shadow_above_hides_no_rule_below_it() -> None:
    rules = read(
        "rules:\n"
        "  - {name: a, condition: \"category == 'billing'\", team: billing, mode: shadow}\n"
        "  - {name: b, condition: \"category == 'billing'\", team: billing}\n"
    )

    assert [rule.name for rule in rules.rules] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        (
            "rules:\n  - {name: a, condition: 'true', team: billing, mode: ghost}\n",
            2,
            55,
            "expects one of active, shadow, off",
        ),
        ("rules: []\nweights: {P5: 3}\n", 2, 11, "'P5' is no priority"),
        ("rules: []\nweights: {P1: many}\n", 2, 15, "expects a whole number"),
        (
            "rules:\n  - {name: a, condition: 'true', team: billing, notify: security_laed}\n",
            2,
            57,
            "there is no post 'security_laed'",
        ),
        (
            "rules:\n  - {name: a, condition: 'true', team: biling}\n",
            2,
            40,
            "there is no team 'biling'",
        ),
    ],
)
def test_what_a_rule_names_wrongly_is_told_with_its_place(
    text: str, line: int, column: int, reason: str
) -> None:
    with pytest.raises(PolicyFaults) as refused:
        read(text, teams=["billing"], posts=["security_lead"])

    fault = refused.value.faults[0]
    assert (fault.line, fault.column) == (line, column)
    assert reason in fault.reason


def test_weights_that_are_not_said_are_one() -> None:
    weights = read("rules: []\nweights: {critical: 3, P2: 2}\n").weights

    assert [weights[priority] for priority in Priority] == [3, 2, 1, 1]


def an_agent(name: str, **more: object) -> Candidate:
    return Candidate(agent=name, capacity=10, **more)  # type: ignore[arg-type]


def chosen(*candidates: Candidate, **wishes: object) -> str | None:
    return choose_agent(candidates, strategy=Strategy.LEAST_LOADED, **wishes).agent  # type: ignore[arg-type]


def test_the_substitute_of_the_dedicated_person_comes_first() -> None:
    away = an_agent("ada", is_dedicated=True, is_available=False)
    other, substitute = an_agent("bo"), an_agent("cy", load=5, stands_in_for="ada")

    decision = choose_agent([away, other, substitute], strategy=Strategy.LEAST_LOADED, dedicated=True)

    assert decision.agent == "cy"
    assert dict(decision.verdicts) == {
        "ada": Verdict.UNAVAILABLE,
        "bo": Verdict.NOT_DEDICATED,
        "cy": Verdict.CHOSEN,
    }
    assert [reason.code for reason in decision.waived] == ["dedicated_is_away"]


def test_the_dedicated_person_who_is_here_needs_nobody_to_stand_in() -> None:
    assert (
        chosen(
            an_agent("ada", is_dedicated=True, load=9), an_agent("cy", stands_in_for="ada"), dedicated=True
        )
        == "ada"
    )


def test_who_works_the_customers_channel_comes_before_the_others() -> None:
    on_chat = an_agent("chat", load=8, channels=frozenset({"chat"}))
    on_mail = an_agent("mail", channels=frozenset({"email"}))

    assert chosen(on_chat, on_mail, channel="chat") == "chat"


def test_who_names_no_channel_works_on_all() -> None:
    assert chosen(an_agent("any"), an_agent("mail", channels=frozenset({"email"})), channel="chat") == "any"


def test_a_channel_that_nobody_free_works_keeps_no_ticket_waiting() -> None:
    full = an_agent("chat", load=10, channels=frozenset({"chat"}))
    free = an_agent("mail", channels=frozenset({"email"}))

    decision = choose_agent([full, free], strategy=Strategy.LEAST_LOADED, channel="chat")

    assert decision.agent == "mail"
    assert [reason.code for reason in decision.waived] == ["nobody_free_on_channel"]


@pytest.mark.parametrize(
    ("strategy", "room", "unfair"), [(Strategy.ROUND_ROBIN, 10, 1.001), (Strategy.LEAST_LOADED, 1, 1.1)]
)
def test_ten_thousand_tickets_are_shared_out_fairly(strategy: Strategy, room: int, unfair: float) -> None:
    """Tickets of all weights, settled after random times, keep seven agents of unequal capacity busy. Round robin
    gives each the same number; least loaded keeps each at the same share of their capacity."""
    chance = Random(7)
    capacity = {f"agent-{number}": size * room for number, size in enumerate((10, 10, 10, 10, 20, 20, 40))}
    load, given, busy = Counter[str](), Counter[str](), Counter[str]()
    last: dict[str, datetime] = {}
    working: list[tuple[datetime, str, int]] = []
    for count in range(10_000):
        at = MONDAY_9 + timedelta(seconds=30 * count)
        while working and working[0][0] <= at:
            _, name, weight = heappop(working)
            load[name] -= weight
        decision = choose_agent(
            [
                Candidate(agent=name, capacity=size, load=load[name], last_assigned_at=last.get(name))
                for name, size in capacity.items()
            ],
            strategy=strategy,
        )
        assert decision.agent is not None, "there is room for all of it"
        name, weight = decision.agent, chance.choice((1, 1, 1, 2, 3))
        assert load[name] < capacity[name], "nobody who is full is given more"
        load[name] += weight
        given[name] += 1
        last[name] = at
        heappush(working, (at + timedelta(minutes=chance.uniform(15, 35)), name, weight))
        busy.update(load)

    shares = (
        [given[name] for name in capacity]
        if strategy is Strategy.ROUND_ROBIN
        else [busy[name] / size for name, size in capacity.items()]
    )
    assert max(shares) / min(shares) < unfair, shares


OFFICES = {
    "ciso": Office(slug="ciso", holder=1, falls_to="director"),
    "director": Office(slug="director", holder=9, falls_to=None),
}


@pytest.mark.parametrize(
    ("stand_ins", "here", "agent", "way"),
    [
        ({}, {1, 9}, 1, ("ciso",)),
        ({1: 2}, {2, 9}, 2, ("ciso", "substitute")),
        ({1: 2}, {1, 2, 9}, 1, ("ciso",)),
        ({1: 2}, {9}, 9, ("ciso", "director")),
        ({1: 2, 2: 3}, {3, 9}, 9, ("ciso", "director")),
    ],
)
def test_a_substitute_comes_before_the_next_above(
    stand_ins: dict[int, int], here: set[int], agent: int, way: tuple[str, ...]
) -> None:
    (found,) = find_people(
        ["ciso"], assignee=None, team_lead=None, on_call=[], offices=OFFICES,
        is_reachable=here.__contains__, stand_ins=stand_ins,
    )  # fmt: skip

    assert (found.agent, found.way) == (agent, way)
