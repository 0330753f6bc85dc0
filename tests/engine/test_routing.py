"""Rules to a team, candidates to an agent; each with its reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.conditions import compile_condition
from flowdesk.engine.facts import CustomField, FieldType, Priority, TicketFacts, vocabulary
from flowdesk.engine.routing import (
    AssignmentDecision,
    Candidate,
    RoutingAction,
    RoutingDecision,
    RoutingRule,
    RoutingRules,
    Strategy,
    Verdict,
    choose_agent,
    route,
)
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.routing import read_routing

FIELDS = vocabulary({"amount": CustomField(type=FieldType.NUMBER)})
STANDARD = read_routing(read_document(read_pack_text("routing"), "routing"), fields=FIELDS)
MONDAY_9 = datetime(2026, 6, 15, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def routed(**known: Any) -> RoutingDecision:
    return route(TicketFacts(**known), STANDARD)


def a_rule(name: str, condition: str, *, team: str = "tier-1", **more: Any) -> RoutingRule:
    return RoutingRule(
        name=name, condition=compile_condition(condition), action=RoutingAction(team=team), **more
    )


@pytest.mark.parametrize(
    ("known", "rule", "team"),
    [
        ({"category": "technical", "priority": Priority.P1}, "critical-technical", "tier-2"),
        ({"category": "security", "customer_tier": "enterprise"}, "security", "security"),
        (
            {"category": "billing", "fields": {"amount": 10_001}, "customer_tier": "enterprise"},
            "large-bill",
            "billing",
        ),
        ({"category": "billing", "customer_tier": "enterprise"}, "billing-enterprise", "account-managers"),
        ({"category": "billing", "fields": {"amount": 10_000}}, "billing", "billing"),
        ({"category": "technical", "customer_tier": "enterprise"}, "technical-enterprise", "tier-2"),
        (
            {"category": "account", "customer_tier": "enterprise", "business_hours": True},
            "enterprise-in-hours",
            "account-managers",
        ),
        ({"category": "account", "customer_tier": "enterprise"}, "account", "account"),
        ({"category": "feature"}, "feature", "product"),
        ({"category": "integration"}, "integration", "devrel"),
        ({"category": "technical"}, "technical", "tier-1"),
        ({}, None, "tier-1"),
    ],
)
def test_the_standard_order_routes_as_the_documents_say(
    known: dict[str, Any], rule: str | None, team: str
) -> None:
    decision = routed(**known)

    assert (decision.rule, decision.team) == (rule, team)


def test_what_no_rule_takes_goes_to_the_least_loaded_of_tier_1() -> None:
    assert routed().strategy is Strategy.LEAST_LOADED


def test_a_critical_technical_ticket_asks_for_a_senior_in_fifteen_minutes() -> None:
    decision = routed(category="technical", priority=Priority.P1)

    assert decision.senior
    assert decision.notify == ("manager_escalation",)
    assert decision.sla_target_minutes == 15


def test_a_large_bill_copies_the_account_manager() -> None:
    decision = routed(category="billing", fields={"amount": 12_500})

    assert decision.cc == ("account_manager",)
    assert decision.sla_target_minutes == 240


@pytest.mark.parametrize(("escalations", "senior"), [(2, False), (3, True)])
def test_more_than_two_recent_escalations_ask_for_a_senior(escalations: int, senior: bool) -> None:
    decision = routed(category="billing", recent_escalations=escalations)

    assert decision.senior is senior


def test_history_is_a_reason_only_where_the_rule_asks_for_no_senior_itself() -> None:
    plain = routed(category="billing", recent_escalations=3)
    senior = routed(category="technical", priority=Priority.P1, recent_escalations=3)

    assert [str(one) for one in plain.reasons] == [
        "rule_matched(rule=billing)",
        "senior_for_history(recent_escalations=3)",
    ]
    assert [one.code for one in senior.reasons] == ["rule_matched"]


def test_only_the_rule_that_decides_may_set_a_target_and_loosen_a_promise() -> None:
    target = {"sla_target": HOUR, "loosen": True}
    rules = RoutingRules(rules=(a_rule("vip", "is_vip", **target), a_rule("chat", "channel == 'chat'")))

    decisions = [route(TicketFacts(**known), rules) for known in ({"is_vip": True}, {"channel": "chat"}, {})]

    assert [(one.rule, one.loosen, one.sla_target_minutes) for one in decisions] == [
        ("vip", True, 60),
        ("chat", False, None),
        (None, False, None),
    ]


def test_the_trace_shows_each_rule_tried_and_why_it_failed() -> None:
    decision = routed(category="billing", customer_tier="free")

    assert [
        (step.rule, step.trace.held, [str(check) for check in step.trace.failed]) for step in decision.trace()
    ] == [
        (
            "critical-technical",
            False,
            ["priority == 'P1': P3", "category == 'technical': billing"],
        ),
        ("security", False, ["category == 'security': billing"]),
        ("large-bill", False, ["fields.amount > 10000: not set"]),
        ("billing-enterprise", False, ["customer_tier == 'enterprise': free"]),
        ("billing", True, []),
    ]


def test_the_first_match_wins() -> None:
    rules = RoutingRules(rules=(a_rule("a", "is_vip"), a_rule("b", "true"), a_rule("c", "true")))

    assert route(TicketFacts(), rules).rule == "b"


# -- agents

ADA = Candidate(agent="ada", is_senior=True, languages=frozenset({"sv", "en"}), capacity=4)
BO = Candidate(agent="bo", languages=frozenset({"sv"}), skills=frozenset({"api_expert"}), capacity=4)
CLEO = Candidate(agent="cleo", languages=frozenset({"en", "es"}), capacity=4)


def changed(one: Candidate, **changes: Any) -> Candidate:
    known = {name: getattr(one, name) for name in Candidate.__dataclass_fields__}
    return Candidate(**{**known, **changes})


def chosen(*candidates: Candidate, **wishes: Any) -> AssignmentDecision:
    return choose_agent(candidates, **{"strategy": Strategy.ROUND_ROBIN, **wishes})


def test_round_robin_takes_whoever_has_waited_longest() -> None:
    early, late = (
        changed(ADA, last_assigned_at=MONDAY_9),
        changed(BO, last_assigned_at=MONDAY_9 + HOUR),
    )

    assert chosen(late, early).agent == "ada"


def test_whoever_never_had_a_ticket_has_waited_longest() -> None:
    assert chosen(changed(ADA, last_assigned_at=MONDAY_9), BO).agent == "bo"


def test_least_loaded_measures_load_against_capacity() -> None:
    small, large = changed(ADA, load=1, capacity=2), changed(BO, load=3, capacity=10)

    assert chosen(small, large, strategy=Strategy.LEAST_LOADED).agent == "bo"


def test_equal_shares_tie_exactly_and_fall_to_the_one_who_waited() -> None:
    third = changed(ADA, load=1, capacity=3, last_assigned_at=MONDAY_9 + HOUR)
    sixths = changed(BO, load=2, capacity=6, last_assigned_at=MONDAY_9)

    assert chosen(third, sixths, strategy=Strategy.LEAST_LOADED).agent == "bo"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"is_on_shift": False}, Verdict.OFF_SHIFT),
        ({"is_available": False}, Verdict.UNAVAILABLE),
        ({"load": 4}, Verdict.FULL),
        ({"capacity": 0}, Verdict.FULL),
    ],
)
def test_who_cannot_take_a_ticket_is_dropped_with_the_reason(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    decision = chosen(changed(ADA, **changes), BO)

    assert decision.verdicts == (("ada", verdict), ("bo", Verdict.CHOSEN))


def test_with_nobody_left_the_ticket_waits_in_the_queue() -> None:
    decision = chosen(changed(ADA, load=4), changed(BO, is_on_shift=False))

    assert decision.agent is None


def test_a_spanish_ticket_goes_to_who_speaks_spanish() -> None:
    decision = chosen(ADA, BO, CLEO, language="es")

    assert decision.agent == "cleo"
    assert decision.verdicts[0] == ("ada", Verdict.LACKS_LANGUAGE)


def test_a_ticket_waits_for_its_speaker_who_is_off_shift() -> None:
    assert chosen(ADA, changed(CLEO, is_on_shift=False), language="es").agent is None


def test_a_language_nobody_in_the_team_speaks_is_waived_and_said() -> None:
    decision = chosen(ADA, language="fi")

    assert decision.agent == "ada"
    assert str(decision.waived[0]) == "nobody_speaks(language=fi)"


def test_one_of_the_wanted_skills_is_enough() -> None:
    assert chosen(ADA, BO, want_skills=["integration_specialist", "api_expert"]).agent == "bo"


def test_a_skill_nobody_has_is_waived_and_said() -> None:
    decision = chosen(ADA, want_skills=["cobol"])

    assert decision.agent == "ada"
    assert str(decision.waived[0]) == "nobody_has_skill(skills=cobol)"


def test_the_dedicated_person_comes_before_a_senior() -> None:
    decision = chosen(ADA, changed(BO, is_dedicated=True), dedicated=True, senior=True)

    assert decision.agent == "bo"
    assert decision.verdicts[0] == ("ada", Verdict.NOT_DEDICATED)


def test_without_the_dedicated_person_a_senior_takes_it() -> None:
    decision = chosen(ADA, changed(BO, is_dedicated=True, load=4), dedicated=True, senior=True)

    assert decision.agent == "ada"
    assert str(decision.waived[0]) == "dedicated_not_free"


def test_without_a_senior_the_others_take_it_and_it_is_said() -> None:
    decision = chosen(BO, CLEO, senior=True)

    assert decision.agent == "bo"
    assert str(decision.waived[0]) == "no_senior_free"


def test_a_senior_comes_before_who_has_waited_longer() -> None:
    waited, senior = BO, changed(CLEO, is_senior=True, last_assigned_at=MONDAY_9)

    decision = chosen(waited, senior, senior=True)

    assert decision.verdicts == (("bo", Verdict.NOT_SENIOR), ("cleo", Verdict.CHOSEN))
    assert decision.waived == ()


def test_who_would_do_stands_behind_the_chosen() -> None:
    decision = chosen(ADA, BO, CLEO)

    assert decision.verdicts == (("ada", Verdict.CHOSEN), ("bo", Verdict.BEHIND), ("cleo", Verdict.BEHIND))


def test_a_ticket_passed_on_says_who_was_busy() -> None:
    passed = chosen(ADA, BO, CLEO, changed(BO, agent="dan", load=4)).passed_on("bo")

    assert passed.agent == "bo"
    assert passed.verdicts == (
        ("ada", Verdict.BUSY), ("bo", Verdict.CHOSEN), ("cleo", Verdict.BEHIND), ("dan", Verdict.FULL),
    )  # fmt: skip


def test_round_robin_spreads_evenly() -> None:
    team = {one.agent: changed(one, capacity=100) for one in (ADA, BO, CLEO)}

    given_to = []
    for minute in range(30):
        agent = chosen(*team.values()).agent
        assert agent is not None
        at = MONDAY_9 + timedelta(minutes=minute)
        team[agent] = changed(team[agent], load=team[agent].load + 1, last_assigned_at=at)
        given_to.append(agent)

    assert given_to == ["ada", "bo", "cleo"] * 10


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        agent=st.sampled_from("abcdefgh"),
        is_on_shift=st.booleans(),
        is_available=st.booleans(),
        skills=st.frozensets(st.sampled_from(["x", "y"])),
        languages=st.frozensets(st.sampled_from(["sv", "en"])),
        is_dedicated=st.booleans(),
        is_senior=st.booleans(),
        load=st.integers(0, 3),
        capacity=st.integers(0, 3),
        last_assigned_at=st.none() | st.just(MONDAY_9),
    ),
    max_size=6,
    unique_by=lambda one: one.agent,
)


@given(
    CANDIDATES,
    st.sampled_from(Strategy),
    st.sampled_from([(), ("x",), ("x", "y")]),
    st.sampled_from([None, "sv"]),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_order_of_candidates_changes_nothing_and_everyone_has_a_verdict(
    candidates: list[Candidate],
    strategy: Strategy,
    skills: tuple[str, ...],
    language: str | None,
    dedicated: bool,
    senior: bool,
    random: Any,
) -> None:
    wishes = {
        "strategy": strategy,
        "want_skills": skills,
        "language": language,
        "dedicated": dedicated,
        "senior": senior,
    }
    shuffled = list(candidates)
    random.shuffle(shuffled)

    decision = choose_agent(candidates, **wishes)  # type: ignore[arg-type]

    assert decision == choose_agent(shuffled, **wishes)  # type: ignore[arg-type]
    assert {agent for agent, _ in decision.verdicts} == {one.agent for one in candidates}
    picked = [one for one in candidates if one.agent == decision.agent]
    assert all(one.is_on_shift and one.is_available and one.load < one.capacity for one in picked)
    assert bool(picked) == any(verdict is Verdict.CHOSEN for _, verdict in decision.verdicts)
