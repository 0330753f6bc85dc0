"""The condition language: what it reads, what it refuses, what it says of a ticket."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.condition_logic import covers
from flowdesk.engine.condition_syntax import (
    Always,
    And,
    Comparison,
    Literal,
    Not,
    Operator,
    Or,
    Syntax,
    parse,
)
from flowdesk.engine.conditions import Condition, ConditionFault, compile_condition, conflicts
from flowdesk.engine.facts import CustomField, FieldType, Priority, Sentiment, TicketFacts, vocabulary

OWN = vocabulary(
    {
        "amount": CustomField(type=FieldType.NUMBER),
        "plan": CustomField(type=FieldType.TEXT),
        "trial": CustomField(type=FieldType.TRUTH),
        "status": CustomField(type=FieldType.TEXT),
        "contract": CustomField(type=FieldType.SLUG, choices=("gold", "silver")),
    }
)
TICKET = TicketFacts(
    subject="Refund for Order 12",
    text="Please hurry, production is DOWN",
    channel="email",
    priority=Priority.P2,
    category="billing",
    customer_tier="enterprise",
    business_hours=True,
    recent_escalations=3,
    sentiment=Sentiment.ANGRY,
    signals=frozenset({"outage", "legal_threat"}),
    fields={"amount": Decimal("10000.50"), "plan": "Gold", "trial": False},
)


def condition(text: str) -> Condition:
    return compile_condition(text, fields=OWN)


def fault(text: str) -> ConditionFault:
    with pytest.raises(ConditionFault) as caught:
        condition(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("priority == 'critical' AND category == 'technical'", False),
        ("customer_tier == 'enterprise' AND business_hours == true", True),
        ("category == 'billing' AND amount > 10000", True),
        ("category == 'billing' and AMOUNT > 10000".replace("AMOUNT", "fields.amount"), True),
        ('category == "Billing"', True),
        ("tier == 'enterprise'", True),
        ("vip", False),
        ("NOT vip", True),
        ("Not vip aNd business_hours", True),
        ("priority == 'P2'", True),
        ("priority == 2", True),
        ("priority == 'high'", True),
        ("priority >= 'high'", True),
        ("priority > 'P2'", False),
        ("priority < 'critical'", True),
        ("'medium' <= priority", True),
        ("priority IN ('P1', 'p2')", True),
        ("priority NOT IN ('P1', 'p2')", False),
        ("priority != 'P1'", True),
        ("subject CONTAINS 'refund'", True),
        ("subject NOT CONTAINS 'refund'", False),
        ("text CONTAINS 'down'", True),
        ("description CONTAINS 'integration'", False),
        ("signals CONTAINS 'outage'", True),
        ("signals CONTAINS 'out'", False),
        ("sentiment == 'angry'", True),
        ("plan == 'gold'", True),
        ("fields.plan CONTAINS 'OL'", True),
        ("trial", False),
        ("trial == false", True),
        ("amount == 10000.5", True),
        ("10000.5 == amount", True),
        ("10 < amount", True),
        ("amount >= -1", True),
        ("amount IN [1, 10000.50]", True),
        ("recent_escalations > 2", True),
        ("recent_escalations >= 3", True),
        ("recent_escalations > 3", False),
        ("recent_escalations <= 3", True),
        ("recent_escalations < 3", False),
        ("recent_escalations >= 4", False),
        ("is_assigned", False),
        ("fields.status == 'x'", False),
        ("true", True),
        ("FALSE", False),
        ("false OR true AND true", True),
        ("(true OR true) AND false", False),
        ("true OR true AND false", True),
        ("NOT false AND false", False),
        ("NOT (true AND false)", True),
        ("NOT NOT vip == false", True),
    ],
)
def test_a_condition_says_whether_it_holds(text: str, holds: bool) -> None:
    assert condition(text).matches(TICKET) is holds
    assert condition(text).explain(TICKET).held is holds


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_as_many_parts_as_one_likes_are_joined(length: int) -> None:
    for answers in product((True, False), repeat=length):
        parts = [f"vip != {str(answer).lower()}" for answer in answers]  # who is not VIP: the answer itself
        assert condition(" AND ".join(parts)).matches(TICKET) is all(answers)
        assert condition(" OR ".join(parts)).matches(TICKET) is any(answers)


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_a_missing_value_is_false(operator: str) -> None:
    assert not condition(f"amount {operator} 10").matches(TicketFacts())


def test_not_turns_the_answer_of_a_missing_value_round() -> None:
    assert condition("NOT amount > 10").matches(TicketFacts())
    assert condition("amount NOT IN (10)").matches(TicketFacts())


def test_a_stored_value_of_another_type_counts_as_missing() -> None:
    odd = TicketFacts(fields={"amount": "much", "plan": 7, "trial": "yes"})

    assert not condition("amount > 1 OR amount <= 1 OR plan == '7' OR trial != true").matches(odd)


def test_a_condition_that_a_ticket_lacks_a_number_for_does_not_fail_on_a_truth() -> None:
    assert not condition("amount >= 0").matches(TicketFacts(fields={"amount": True}))


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "is empty; write true for a rule that always matches"),
        ("   ", 0, "is empty; write true for a rule that always matches"),
        ("prioritty == 'P1'", 0, "unknown field 'prioritty'; did you mean 'priority'?"),
        ("vip AND fields.amont > 1", 8, "unknown field 'fields.amont'; did you mean 'fields.amount'?"),
        ("priority = 'P1'", 9, "a single = compares nothing; write =="),
        ("amount > 10 + 1", 12, "there is no arithmetic here"),
        ("amount > 'ten'", 9, "fields.amount is compared with a number without quotes, not 'ten'"),
        ("category == 3", 12, "category is compared with a text in quotes, not '3'"),
        ("category == billing", 12, "unknown field 'billing'"),
        ("category == team", 12, "expected a value, not the field 'team'; put quotes around a text"),
        ("category > 'a'", 9, "category knows only == != IN CONTAINS, not >"),
        ("vip > true", 4, "is_vip knows only == !=, not >"),
        ("signals == 'outage'", 8, "signals knows only CONTAINS, not =="),
        ("priority == 'P5'", 12, "priority is compared with a priority as 'P1' or 'critical', not 'P5'"),
        ("priority > 2", 11, "priority is compared with a priority as 'P1' or 'critical', not '2'"),
        ("status == 'opne'", 10, "status is never 'opne'; did you mean 'open'?"),
        ("sentiment == 'x'", 13, "sentiment is never 'x'; it is one of angry, negative, neutral, positive"),
        ("category == 'a", 12, "this text has no closing quote"),
        ("(vip", 0, "( is never closed"),
        ("vip)", 3, "expected AND, OR or the end, not ')'"),
        ("vip AND", 7, "expected a field, a value, NOT or (, not the end"),
        ("vip NOT", 4, "expected AND, OR or the end, not 'NOT'"),
        ("amount", 0, "'amount' is compared with nothing"),
        ("'x'", 0, "'x' is compared with nothing"),
        ("1 == 1", 0, "'1' is a value; a comparison needs a field"),
        ("amount == 1 == 1", 12, "== needs a field on its left, not a condition"),
        ("amount == (vip)", 7, "== needs a value on its right, not a condition"),
        ("category IN 'a'", 12, "IN needs a list in parentheses, not 'a'"),
        ("category IN ()", 13, "expected a value in the list, not ')'"),
        ("category IN ('a'", 12, "( is never closed"),
        ("category IN ('a']", 16, "expected ), not ']'"),
        ("amount > 12abc", 9, "this is neither a number nor a name"),
        ("vip ; vip", 4, "';' has no meaning here"),
        ("amount > " + "1" * 30, 9, "this number is longer than 24 characters"),
        ("x" * 2001, 2000, "is 2001 characters long; 2000 is the most"),
        ("NOT " * 33 + "vip", 132, "is nested deeper than 32 levels"),
    ],
)
def test_a_fault_has_a_position_and_a_reason(text: str, position: int, reason: str) -> None:
    found = fault(text)

    assert (found.position, found.reason) == (position, reason)


def test_thirty_two_levels_are_allowed() -> None:
    assert condition("(" * 32 + "vip" + ")" * 32).matches(TicketFacts(is_vip=True))


def test_an_explanation_shows_every_comparison_and_those_to_blame() -> None:
    trace = condition("category == 'billing' AND amount > 20000 AND (vip OR priority == 'P1')").explain(
        TICKET
    )

    assert [str(check) for check in trace.checks] == [
        "category == 'billing': billing",
        "fields.amount > 20000: 10000.50",
        "is_vip == true: false",
        "priority == 'P1': P2",
    ]
    assert [str(check) for check in trace.failed] == [
        "fields.amount > 20000: 10000.50",
        "is_vip == true: false",
        "priority == 'P1': P2",
    ]


def test_under_not_the_comparisons_that_held_are_to_blame() -> None:
    trace = condition("NOT (category == 'billing' OR vip)").explain(TICKET)

    assert [str(check) for check in trace.failed] == ["category == 'billing': billing"]


def test_an_explanation_says_what_is_missing_and_keeps_texts_to_itself() -> None:
    trace = condition("amount > 1 AND subject CONTAINS 'refund'").explain(TicketFacts(subject="My refund"))

    assert [str(check) for check in trace.checks] == [
        "fields.amount > 1: not set",
        "subject CONTAINS 'refund': found",
    ]
    assert [check.seen for check in trace.checks] == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        "priority == 'P1' AND priority == 'P2'",
        "priority > 'P1'",
        "priority != 'P1' AND priority NOT IN ('P2', 'P3', 'P4')",
        "category == 'billing' AND category != 'billing'",
        "category IN ('a', 'b') AND category == 'c'",
        "category == 'billing' AND NOT category CONTAINS 'bill'",
        "amount > 10 AND amount < 10",
        "amount > 10 AND amount <= 10",
        "amount == 5 AND (amount > 7 OR amount < 2)",
        "amount > 1 AND NOT amount > 0",
        "vip AND NOT vip",
        "signals CONTAINS 'outage' AND NOT signals CONTAINS 'outage'",
        "false",
        "vip AND false",
    ],
)
def test_a_condition_that_can_never_match_is_found(text: str) -> None:
    assert conflicts(condition(text).ast)


@pytest.mark.parametrize(
    "text",
    [
        "priority == 'P1' OR priority == 'P2'",
        "NOT amount > 0 AND NOT amount <= 0",  # true where no amount is set
        "amount > 1 AND amount < 1.000000000000001",
        "category != 'a' AND category CONTAINS 'a'",
        "signals CONTAINS 'security' AND NOT signals CONTAINS 'sec'",
        "NOT (vip AND NOT vip)",
        "true",
    ],
)
def test_a_condition_that_can_match_is_left_alone(text: str) -> None:
    assert conflicts(condition(text).ast) == ()


def test_a_conflict_names_the_comparisons_and_their_place() -> None:
    (conflict,) = conflicts(condition("priority == 'P1' AND vip AND priority == 'P2'").ast)

    assert conflict.reason == "priority == 'P1' and priority == 'P2' cannot hold together"
    assert conflict.position == 29


def test_a_rule_is_known_to_cover_a_narrower_one() -> None:
    wide, narrow = condition("category == 'billing'").ast, condition("vip AND category == 'billing'").ast

    assert covers(wide, narrow)
    assert not covers(narrow, wide)


# -- properties

_WORDS = st.text(alphabet="ab'\"\\ åÅß()\n", max_size=6).map(str.casefold)
_NUMBERS = st.integers(-(10**9), 10**9) | st.decimals(-1000, 1000, places=3)
_ORDERS = [Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST]
_SAME = [Operator.EQUAL, Operator.DIFFERENT]


def _comparisons(
    fields: list[str], operators: list[Operator], values: st.SearchStrategy[Literal]
) -> st.SearchStrategy[Syntax]:
    one = st.builds(
        Comparison,
        field=st.sampled_from(fields),
        operator=st.sampled_from(operators),
        values=st.tuples(values),
    )
    several = st.builds(
        Comparison,
        field=st.sampled_from(fields),
        operator=st.just(Operator.IN),
        values=st.lists(values, min_size=1, max_size=3).map(tuple),
    )
    return one | several


_LEAVES: st.SearchStrategy[Syntax] = (
    _comparisons(["category", "fields.plan"], [*_SAME, Operator.CONTAINS], _WORDS)
    | _comparisons(["fields.amount"], [*_SAME, *_ORDERS], _NUMBERS)
    | _comparisons(["priority"], [*_SAME, *_ORDERS], st.sampled_from(Priority))
    | st.builds(
        Comparison,
        field=st.just("is_vip"),
        operator=st.sampled_from(_SAME),
        values=st.tuples(st.booleans()),
    )
    | st.builds(Always, st.booleans())
)


def _branches(parts: st.SearchStrategy[Syntax]) -> st.SearchStrategy[Syntax]:
    several = st.lists(parts, min_size=2, max_size=5).map(tuple)
    return st.builds(Not, parts) | st.builds(And, several) | st.builds(Or, several)


TREES = st.recursive(_LEAVES, _branches, max_leaves=12)
FACTS = st.builds(
    TicketFacts,
    category=st.none() | _WORDS,
    priority=st.sampled_from(Priority),
    is_vip=st.booleans(),
    fields=st.fixed_dictionaries({}, optional={"amount": _NUMBERS, "plan": _WORDS}),
)


@given(TREES)
def test_a_printed_tree_reads_back_as_itself(tree: Syntax) -> None:
    written = str(tree)

    with contextlib.suppress(ConditionFault):  # a large tree may outgrow length or depth, nothing else
        assert parse(written, fields=OWN) == tree
        return
    assert len(written) > 2000 or written.count("(") + written.count("NOT") > 32


_PIECES = st.sampled_from(
    [
        "priority",
        "==",
        "AND",
        "or",
        "NOT",
        "IN",
        "(",
        ")",
        "[",
        ",",
        "'P1'",
        '"',
        "amount",
        "1",
        "vip",
        "contains",
    ]
)


@given(st.text(max_size=80) | st.lists(_PIECES, max_size=15).map(" ".join))
def test_whatever_is_written_gives_a_condition_or_a_fault(text: str) -> None:
    with contextlib.suppress(ConditionFault):
        compiled = condition(text)
        assert compiled.matches(TICKET) == compiled.explain(TICKET).held


@given(TREES, FACTS)
def test_closures_and_explanation_agree_and_a_failure_has_its_cause(tree: Syntax, facts: TicketFacts) -> None:
    with contextlib.suppress(ConditionFault):
        compiled = condition(str(tree))
        trace = compiled.explain(facts)

        assert compiled.matches(facts) == trace.held
        assert set(map(str, trace.failed)) <= set(map(str, trace.checks))
        assert not (trace.held and trace.failed)


@given(TREES, TREES, FACTS)
def test_a_rule_said_to_cover_another_matches_whatever_that_one_matches(
    wide: Syntax, narrow: Syntax, facts: TicketFacts
) -> None:
    with contextlib.suppress(ConditionFault):
        earlier, later = condition(str(wide)), condition(str(narrow))
        if covers(earlier.ast, later.ast) and later.matches(facts):
            assert earlier.matches(facts)


@given(TREES, FACTS)
def test_a_condition_reported_as_impossible_never_matches(tree: Syntax, facts: TicketFacts) -> None:
    with contextlib.suppress(ConditionFault):
        compiled = condition(str(tree))
        if conflicts(compiled.ast):
            assert not compiled.matches(facts)


def test_an_explanation_names_the_signals_there_are_or_says_none() -> None:
    asked = condition("signals CONTAINS 'churn_risk'")

    shown = [str(asked.explain(facts).failed[0]) for facts in (TICKET, TicketFacts())]

    assert [words.partition(": ")[2] for words in shown] == ["legal_threat, outage", "none"]
