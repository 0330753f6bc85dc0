"""What would have changed a decision."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.alternatives import (
    Weighed,
    other_category,
    other_priorities,
    other_targets,
    weighed_from,
)
from flowdesk.engine.facts import Priority, Sentiment
from flowdesk.engine.priority import Grade, PriorityRules, decide_priority
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.priority import read_priority
from tests.engine.promised import STANDARD as PROMISES

STANDARD = read_priority(read_document(read_pack_text("priority"), "priority"))


def told(weighed: Weighed, rules: PriorityRules = STANDARD) -> dict[str, str]:
    return {str(one.change): one.result for one in other_priorities(weighed, rules)}


def test_what_lifts_and_lowers_an_ordinary_ticket_is_told() -> None:
    found = told(
        Weighed(impact=Grade.MEDIUM, urgency=Grade.MEDIUM, category="technical", customer_tier="starter")
    )

    assert found == {
        "if_impact(impact=high)": "P2",
        "if_urgency(urgency=high)": "P2",
        "if_vip": "P2",
        "if_tier(tier=enterprise)": "P2",
        "if_angry": "P2",
    }


def test_what_the_bounds_hold_back_is_not_told() -> None:
    found = told(
        Weighed(impact=Grade.MEDIUM, urgency=Grade.MEDIUM, category="billing", customer_tier="starter")
    )

    assert "if_impact(impact=high)" not in found
    assert found["if_vip"] == "P2", "a VIP stands above the bounds"


def test_who_is_vip_or_angry_is_asked_the_other_way_round() -> None:
    found = told(
        Weighed(
            impact=Grade.HIGH,
            urgency=Grade.HIGH,
            is_vip=True,
            signals=frozenset({"frustration"}),
            category="feature",
        )
    )

    assert "if_vip" not in found
    assert "if_angry" not in found


def test_an_angry_ticket_is_told_what_calm_had_made_of_it() -> None:
    medium = {"impact": Grade.MEDIUM, "urgency": Grade.MEDIUM, "category": "technical"}

    by_words = told(Weighed(**medium, signals=frozenset({"frustration"})))
    by_mood = told(Weighed(**medium, sentiment=Sentiment.ANGRY))

    assert by_words["if_calm"] == by_mood["if_calm"] == "P3"
    assert "if_angry" not in {*by_words, *by_mood}


def test_a_promise_is_told_what_it_were_at_every_other_priority_and_tier() -> None:
    found = other_targets(PROMISES, "first_response", priority=2, tier="professional", level=1)

    assert [(str(one.change), one.result) for one in found] == [
        ("if_priority(priority=P1)", "30:business_minutes"),
        ("if_priority(priority=P3)", "240:business_minutes"),
        ("if_priority(priority=P4)", "1:business_days"),
        ("if_tier(tier=enterprise)", "60:business_minutes"),
        ("if_tier(tier=starter)", "240:business_minutes"),
        ("if_tier(tier=free)", "1:business_days"),
    ]


def test_another_priority_with_the_same_promise_is_not_told() -> None:
    found = other_targets(PROMISES, "resolution", priority=1, tier="enterprise", level=1)

    assert "if_tier(tier=professional)" not in {str(one.change) for one in found}
    assert other_targets(PROMISES, "no_such", priority=1, tier="enterprise", level=1) == ()


def test_how_much_more_the_second_category_needed() -> None:
    found = other_category([("billing", 6), ("technical", 4), ("account", 1)])

    assert found is not None
    assert (str(found.change), found.result) == (
        "if_more_words(category=technical, score=4, needed=7)",
        "technical",
    )
    assert other_category([("billing", 6)]) is None
    assert other_category([]) is None


weighed = st.builds(
    Weighed,
    impact=st.sampled_from(Grade),
    urgency=st.sampled_from(Grade),
    category=st.sampled_from([None, "billing", "technical", "security", "feature"]),
    subcategory=st.sampled_from([None, "outage", "refund"]),
    customer_tier=st.sampled_from([None, "free", "starter", "enterprise"]),
    is_vip=st.booleans(),
    recent_escalations=st.integers(0, 5),
    sentiment=st.sampled_from([None, *Sentiment]),
    signals=st.frozensets(st.sampled_from(["frustration", "outage"])),
    learned=st.sampled_from([None, *Priority]),
)


@given(weighed)
def test_whatever_is_told_leads_elsewhere_and_comes_back_from_its_data(given_: Weighed) -> None:
    was = decide_priority(
        given_.impact, urgency=given_.urgency, rules=STANDARD, category=given_.category,
        subcategory=given_.subcategory, customer_tier=given_.customer_tier, is_vip=given_.is_vip,
        recent_escalations=given_.recent_escalations, sentiment=given_.sentiment, signals=given_.signals,
        learned=given_.learned,
    ).priority.name  # fmt: skip

    assert was not in told(given_).values()
    assert weighed_from(given_.data()) == given_
