"""Impact and urgency decide; tier, history and anger nudge; bounds and caps hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.facts import Priority, Sentiment
from flowdesk.engine.priority import (
    STANDARD_MATRIX,
    Bounds,
    EmptyBounds,
    Grade,
    IncompleteMatrix,
    PriorityDecision,
    PriorityRules,
    decide_priority,
)

HIGH, MEDIUM, LOW = Grade.HIGH, Grade.MEDIUM, Grade.LOW
P1, P2, P3, P4 = Priority
RULES = PriorityRules(
    bounds={
        "security": Bounds(highest=P1, lowest=P2),
        "technical": Bounds(highest=P2, lowest=P3),
        "technical/outage": Bounds(highest=P1, lowest=P2),
        "billing": Bounds(highest=P3, lowest=P3),
        "alarm": Bounds(highest=P1, lowest=P1),
    }
)


def codes(decision: PriorityDecision) -> list[str]:
    return [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [
        (HIGH, HIGH, P1),
        (HIGH, MEDIUM, P2),
        (MEDIUM, HIGH, P2),
        (HIGH, LOW, P3),
        (LOW, HIGH, P3),
        (MEDIUM, MEDIUM, P3),
        (MEDIUM, LOW, P4),
        (LOW, MEDIUM, P4),
        (LOW, LOW, P4),
    ],
)
def test_the_matrix_decides_all_nine_cells(impact: Grade, urgency: Grade, priority: Priority) -> None:
    decision = decide_priority(impact, urgency=urgency, rules=RULES)

    assert decision.priority is priority
    assert codes(decision) == ["matrix"]


def test_a_category_keeps_the_matrix_inside_its_bounds() -> None:
    decision = decide_priority(HIGH, urgency=HIGH, rules=RULES, category="technical")

    assert decision.priority is P2
    assert str(decision.reasons[-1]) == "category_bounds(category=technical, was=P1, priority=P2)"


def test_a_subcategory_may_widen_its_categorys_bounds() -> None:
    decision = decide_priority(HIGH, urgency=HIGH, rules=RULES, category="technical", subcategory="outage")

    assert decision.priority is P1


def test_a_vip_with_a_high_ticket_is_critical() -> None:
    assert decide_priority(HIGH, urgency=MEDIUM, rules=RULES, is_vip=True).priority is P1


def test_vip_tier_and_history_together_raise_one_step() -> None:
    decision = decide_priority(
        LOW, urgency=LOW, rules=RULES, is_vip=True, customer_tier="enterprise", recent_escalations=9
    )

    assert decision.priority is P3
    assert codes(decision) == ["matrix", "raised_by_vip"]


@pytest.mark.parametrize(("escalations", "priority"), [(2, P4), (3, P3)])
def test_more_than_two_recent_escalations_raise_by_one(escalations: int, priority: Priority) -> None:
    decision = decide_priority(LOW, urgency=LOW, rules=RULES, recent_escalations=escalations)

    assert decision.priority is priority


def test_anger_raises_by_one_beside_tier() -> None:
    decision = decide_priority(
        LOW, urgency=LOW, rules=RULES, customer_tier="enterprise", sentiment=Sentiment.ANGRY
    )

    assert decision.priority is P2
    assert codes(decision) == ["matrix", "raised_by_tier", "raised_by_anger"]


def test_angry_words_and_angry_sentiment_count_as_one_anger() -> None:
    decision = decide_priority(
        LOW,
        urgency=LOW,
        rules=RULES,
        sentiment=Sentiment.ANGRY,
        signals=frozenset({"frustration"}),
    )

    assert decision.priority is P3


def test_bounds_hold_again_after_the_steps_up() -> None:
    decision = decide_priority(
        MEDIUM, urgency=MEDIUM, rules=RULES, category="billing", customer_tier="enterprise"
    )

    assert decision.priority is P3
    assert codes(decision) == ["matrix", "raised_by_tier", "category_bounds"]


def test_what_was_learned_takes_the_place_of_the_matrix() -> None:
    decision = decide_priority(MEDIUM, urgency=MEDIUM, rules=RULES, learned=P2)

    assert decision.priority is P2
    assert codes(decision) == ["matrix", "learned_priority"]


def test_what_was_learned_stays_inside_bounds_and_caps() -> None:
    billed = decide_priority(MEDIUM, urgency=MEDIUM, rules=RULES, category="billing", learned=P1)
    small = decide_priority(MEDIUM, urgency=MEDIUM, rules=RULES, customer_tier="free", learned=P1)

    assert (billed.priority, small.priority) == (P3, P2)
    assert codes(small) == ["matrix", "learned_priority", "text_cap"]


def test_anger_says_nothing_of_what_is_critical_already() -> None:
    decision = decide_priority(
        HIGH, urgency=HIGH, rules=RULES, customer_tier="free", recent_escalations=3, sentiment=Sentiment.ANGRY
    )

    assert decision.priority is P1
    assert codes(decision) == ["matrix", "text_cap", "raised_by_history"]


def test_a_vip_may_leave_the_bounds() -> None:
    decision = decide_priority(MEDIUM, urgency=MEDIUM, rules=RULES, category="billing", is_vip=True)

    assert decision.priority is P2


def test_an_agents_word_stands_above_bounds_and_caps() -> None:
    decision = decide_priority(
        LOW,
        urgency=LOW,
        rules=RULES,
        category="billing",
        customer_tier="free",
        agent_priority=P1,
    )

    assert decision.priority is P1
    assert str(decision.reasons[-1]) == "set_by_agent(was=P3, priority=P1)"


@pytest.mark.parametrize("tier", ["starter", "free"])
def test_text_alone_never_lifts_a_small_customer_above_p2(tier: str) -> None:
    decision = decide_priority(
        HIGH,
        urgency=HIGH,
        rules=RULES,
        category="security",
        customer_tier=tier,
        sentiment=Sentiment.ANGRY,
    )

    assert decision.priority is P2
    assert codes(decision) == ["matrix", "text_cap", "anger_capped"]


def test_history_is_no_text_and_may_lift_a_small_customer_to_p1() -> None:
    decision = decide_priority(HIGH, urgency=HIGH, rules=RULES, customer_tier="free", recent_escalations=3)

    assert decision.priority is P1


def test_a_matrix_with_a_hole_is_refused() -> None:
    matrix = {pair: priority for pair, priority in STANDARD_MATRIX.items() if pair != (LOW, HIGH)}

    with pytest.raises(IncompleteMatrix, match="impact low with urgency high"):
        PriorityRules(matrix=matrix)


def test_bounds_upside_down_are_refused() -> None:
    with pytest.raises(EmptyBounds, match="P3 is below P2"):
        Bounds(highest=P3, lowest=P2)


GRADES = st.sampled_from(Grade)
CIRCUMSTANCES = st.fixed_dictionaries(
    {
        "category": st.sampled_from([None, "security", "technical", "billing", "alarm", "other"]),
        "customer_tier": st.sampled_from([None, "enterprise", "professional", "starter", "free"]),
        "recent_escalations": st.integers(0, 5),
        "sentiment": st.none() | st.sampled_from(Sentiment),
    }
)


@given(GRADES, GRADES, CIRCUMSTANCES)
def test_without_vip_or_agent_the_priority_stays_inside_bounds(
    impact: Grade, urgency: Grade, circumstances: dict[str, object]
) -> None:
    decision = decide_priority(impact, urgency=urgency, rules=RULES, **circumstances)  # type: ignore[arg-type]

    bounds = RULES.bounds_of(str(circumstances["category"]), None)
    is_capped = circumstances["customer_tier"] in RULES.capped_tiers
    lowest = max(bounds.lowest, RULES.text_cap) if is_capped else bounds.lowest
    assert bounds.highest <= decision.priority <= lowest


@given(GRADES, GRADES, CIRCUMSTANCES, st.booleans())
def test_without_history_vip_or_agent_a_capped_tier_is_never_p1(
    impact: Grade, urgency: Grade, circumstances: dict[str, object], is_free: bool
) -> None:
    given_tier = {"customer_tier": "free" if is_free else "starter", "recent_escalations": 0}
    decision = decide_priority(impact, urgency=urgency, rules=RULES, **{**circumstances, **given_tier})  # type: ignore[arg-type]

    assert decision.priority >= P2


@given(CIRCUMSTANCES, st.booleans())
def test_more_impact_or_urgency_never_lowers_the_priority(
    circumstances: dict[str, object], is_vip: bool
) -> None:
    order = [LOW, MEDIUM, HIGH]

    def decided(impact: Grade, urgency: Grade) -> Priority:
        return decide_priority(
            impact,
            urgency=urgency,
            rules=RULES,
            is_vip=is_vip,
            **circumstances,  # type: ignore[arg-type]
        ).priority

    for impact, (less, more) in product(order, [(LOW, MEDIUM), (MEDIUM, HIGH)]):
        assert decided(impact, more) <= decided(impact, less)
        assert decided(more, impact) <= decided(less, impact)


@given(GRADES, GRADES, CIRCUMSTANCES, st.booleans())
def test_outside_bounds_nothing_moves_a_priority_by_more_than_two_steps_up(
    impact: Grade, urgency: Grade, circumstances: dict[str, object], is_vip: bool
) -> None:
    free = replace(RULES, bounds={}, capped_tiers=frozenset())
    decision = decide_priority(impact, urgency=urgency, rules=free, is_vip=is_vip, **circumstances)  # type: ignore[arg-type]

    assert 0 <= STANDARD_MATRIX[impact, urgency] - decision.priority <= 2
