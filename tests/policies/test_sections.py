"""Sections of a policy document become engine values, or faults with their line and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flowdesk.engine.facts import CustomField, FieldType, Priority, vocabulary
from flowdesk.engine.priority import STANDARD_MATRIX, Bounds, Grade, PriorityRules
from flowdesk.engine.routing import RoutingAction, RoutingRules, Strategy
from flowdesk.engine.triage import TriageRules
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import Node, PolicyFaults, read_document
from flowdesk.policies.sections.priority import read_priority
from flowdesk.policies.sections.routing import Skilled, read_routing, skill_hints
from flowdesk.policies.sections.triage import read_triage

FIELDS = vocabulary({"amount": CustomField(type=FieldType.NUMBER)})
TEAMS = (
    *("tier-1", "tier-2", "engineering", "billing", "security"),
    *("account-managers", "account", "product", "devrel"),
)


def routing(text: str) -> RoutingRules:
    return read_routing(read_document(text, "routing"), fields=FIELDS, teams=TEAMS)


def faults(read: Callable[[Node], object], text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(PolicyFaults) as caught:
        read(read_document(text, "doc"))
    return [(fault.line, fault.column, fault.reason) for fault in caught.value.faults]


def routing_faults(text: str) -> list[tuple[int, int, str]]:
    return faults(lambda node: read_routing(node, fields=FIELDS, teams=TEAMS), text)


SKILLED = Skilled(
    teams={"devrel": frozenset({"api_expert", "sql"}), "tier-1": frozenset({"sql"})},
    anywhere=frozenset({"api_expert", "sql", "law"}),
)


def skill_hints_of(action: str) -> list[tuple[int, int, str]]:
    text = f"rules:\n  - {{condition: true, {action}}}\n"
    routing(text)  # such rules can be read all the same
    return [
        (hint.line, hint.column, hint.reason) for hint in skill_hints(read_document(text, "doc"), SKILLED)
    ]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (
            "team: tier-1, skills: api_expert",
            "nobody in the team 'tier-1' has the skill 'api_expert': anybody there is given these tickets",
        ),
        (
            "team: devrel, skills: [law, api_exprt]",
            "nobody in the team 'devrel' has the skill 'law' or 'api_exprt': anybody there is given these tickets",
        ),
        (
            "team: devrel, skills: api_exprt",
            "nobody in the team 'devrel' has the skill 'api_exprt': anybody there is given these tickets; "
            "did you mean 'api_expert'?",
        ),
        (
            "team: devrel, skills: [sql, laws]",
            "nobody has the skill 'laws': only the others are looked for; did you mean 'law'?",
        ),
    ],
)
def test_a_skill_that_is_asked_for_in_vain_is_a_hint(action: str, reason: str) -> None:
    ((line, _column, said),) = skill_hints_of(action)

    assert (line, said) == (2, reason)


@pytest.mark.parametrize(
    "action",
    [
        "team: devrel, skills: [sql, law]",  # of which one will do, and somebody has the other
        "team: devrel",
        "team: billing, skills: api_expert",  # nobody is there at all: what comes waits, whatever it asks
        "team: tier-1, skills: api_expert, mode: off",
        "action: assign_to_senior_engineer",
    ],
)
def test_what_somebody_can_do_or_nobody_is_asked_is_no_hint(action: str) -> None:
    assert skill_hints_of(action) == []


def test_what_the_rest_asks_for_in_vain_is_a_hint_too() -> None:
    text = "rules: []\notherwise: {team: tier-1, skills: api_expert}\n"

    (hint,) = skill_hints(read_document(text, "doc"), SKILLED)

    assert (hint.path, hint.line, hint.column) == ("doc.otherwise.skills", 2, 35)


# -- the standard pack


def test_the_standard_routing_names_only_teams_that_exist() -> None:
    assert [rule.name for rule in routing(read_pack_text("routing")).rules] == [
        "critical-technical",
        "security",
        "large-bill",
        "billing-enterprise",
        "billing",
        "technical-enterprise",
        "enterprise-in-hours",
        "account",
        "feature",
        "integration",
        "technical",
    ]


def test_the_standard_priority_keeps_the_documents_matrix_and_bounds() -> None:
    rules = read_priority(read_document(read_pack_text("priority"), "priority"))

    assert rules.matrix == STANDARD_MATRIX
    assert rules.bounds_of("security", None) == Bounds(highest=Priority.P1, lowest=Priority.P2)
    assert rules.bounds_of("technical", "crash") == Bounds(highest=Priority.P2, lowest=Priority.P3)
    assert rules.bounds_of("technical", "outage").highest is Priority.P1
    assert rules.bounds_of("billing", None) == Bounds(highest=Priority.P3, lowest=Priority.P3)
    assert rules.text_cap is Priority.P2


def test_the_standard_bounds_name_only_categories_that_triage_knows() -> None:
    triage = read_triage(read_document(read_pack_text("triage"), "triage"))
    known = {rule.category for rule in triage.categories}
    known |= {f"{rule.category}/{name}" for rule in triage.categories for name in rule.subcategories}

    assert set(read_priority(read_document(read_pack_text("priority"), "priority")).bounds) <= known


def test_the_standard_triage_knows_the_six_categories_and_nine_signals() -> None:
    rules = read_triage(read_document(read_pack_text("triage"), "triage"))

    assert {rule.category for rule in rules.categories} == {
        "billing",
        "technical",
        "account",
        "feature",
        "integration",
        "security",
    }
    assert set(rules.signals) == {
        "security",
        "data_breach",
        "outage",
        "executive",
        "public_complaint",
        "legal_threat",
        "churn_risk",
        "product_bug",
        "frustration",
    }


# -- routing


def test_the_rules_of_the_documents_are_read_as_they_stand() -> None:
    rules = routing(
        """
rules:
- condition: "priority == 'critical' AND category == 'technical'"
  action: "assign_to_senior_engineer"
  notify: "manager_escalation"
  sla_target: "15_minutes"
- condition: "customer_tier == 'enterprise' AND business_hours == true"
  action: "assign_to_dedicated_csm"
  sla_target: "1_hour"
- condition: "category == 'billing' AND amount > 10000"
  action: "assign_to_billing_specialist"
  cc: "account_manager"
  sla_target: "4_hours"
"""
    ).rules

    assert [rule.name for rule in rules] == ["rule-1", "rule-2", "rule-3"]
    assert [rule.action.team for rule in rules] == ["tier-2", "account-managers", "billing"]
    assert [rule.sla_target for rule in rules] == [
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=4),
    ]
    assert rules[0].action.senior
    assert rules[1].action.dedicated
    assert rules[2].cc == ("account_manager",)


def test_a_rule_may_say_all_it_wants_itself() -> None:
    (rule,) = routing(
        "rules:\n- {name: a, condition: vip, team: devrel, strategy: least_loaded, skills: [x, y],"
        " senior: yes, notify: [a, b], sla_target: 1h, loosen: true}"
    ).rules

    assert rule.action == RoutingAction(
        team="devrel", strategy=Strategy.LEAST_LOADED, skills=("x", "y"), senior=True
    )
    assert (rule.notify, rule.loosen) == (("a", "b"), True)


def test_an_unknown_field_is_shown_where_it_stands() -> None:
    assert routing_faults("rules:\n- condition: \"vip AND prioritty == 'P1'\"\n  team: billing") == [
        (2, 23, "unknown field 'prioritty'; did you mean 'priority'?")
    ]


def test_a_value_of_the_wrong_type_is_shown_where_it_stands() -> None:
    assert routing_faults("rules:\n- condition: amount > 'much'\n  team: billing") == [
        (2, 23, "fields.amount is compared with a number without quotes, not 'much'")
    ]


def test_a_rule_that_can_never_match_is_refused() -> None:
    assert routing_faults('rules:\n- condition: "amount > 5 AND amount < 3"\n  team: billing') == [
        (2, 30, "can never match: fields.amount > 5 and fields.amount < 3 cannot hold together")
    ]


def test_a_rule_below_one_that_takes_everything_of_it_is_refused() -> None:
    text = "rules:\n- {name: all, condition: vip, team: billing}\n"
    text += "- {condition: amount > 1 AND vip, team: billing}"

    assert routing_faults(text) == [(3, 15, "can never match: 'all' above takes all of these")]


def test_every_fault_of_every_rule_is_told_at_once() -> None:
    text = """rules:
- {name: a, condition: vip, team: biling}
- {name: a, condition: amount, team: billing, strategy: random}
- {condition: vip, action: asign_to_dedicated_csm, sla_target: 2_days}
- {condition: amount > 1, action: assign_to_dedicated_csm, team: billing}
- {condition: amount > 2 AND vip, sla_target: 1h}
- {condition: amount > 3, team: billing, loosen: true, colour: red}
otherwise: {strategy: least_loaded}
"""

    assert [(line, reason) for line, _, reason in routing_faults(text)] == [
        (2, "there is no team 'biling'; did you mean 'billing'?"),
        (3, "another rule is already called 'a'"),
        (3, "'amount' is compared with nothing"),
        (3, "expects one of round_robin, least_loaded, not 'random'"),
        (4, "unknown action 'asign_to_dedicated_csm'; did you mean 'assign_to_dedicated_csm'?"),
        (4, "expects a length as 15_minutes or 4_hours, not '2_days'"),
        (5, "says with 'assign_to_dedicated_csm' twice what happens; keep one of them"),
        (6, "needs the key 'team' or the key 'action'"),
        (7, "unknown key 'colour'"),
        (8, "needs the key 'team' or the key 'action'"),
    ]


def test_a_target_that_loosens_nothing_is_refused() -> None:
    assert routing_faults("rules:\n- {condition: vip, team: billing, loosen: yes}") == [
        (2, 43, "loosens nothing: the rule has no sla_target")
    ]


# -- priority


def test_an_empty_priority_section_needs_nothing_but_a_key() -> None:
    assert read_priority(read_document("text_cap: P2", "priority")) == PriorityRules()


def test_the_matrix_must_name_all_nine_cells() -> None:
    text = "matrix:\n  high: {high: P1, medium: P9}\n  medium: {high: P2, medium: P3, low: low}\n"
    text += "  low: {high: P3}"

    assert faults(read_priority, text) == [
        (2, 9, "needs the key 'low'"),
        (4, 8, "needs the key 'medium'"),
        (4, 8, "needs the key 'low'"),
    ]


def test_priorities_may_be_written_as_words() -> None:
    rules = read_priority(read_document("bounds: {feature: medium-low}\ntext_cap: critical", "priority"))

    assert rules.bounds["feature"] == Bounds(highest=Priority.P3, lowest=Priority.P4)
    assert rules.text_cap is Priority.P1


def test_bounds_upside_down_are_refused_with_the_right_order() -> None:
    assert faults(read_priority, "bounds:\n  a: P3-P2\n  b: P7") == [
        (2, 6, "puts the lower priority first; write P2-P3"),
        (3, 6, "expects a priority or two as P2-P3, not 'P7'"),
    ]


# -- triage


def test_a_small_triage_section_is_read() -> None:
    rules: TriageRules = read_triage(
        read_document(
            "categories:\n  garden:\n    complexity: 2\n    keywords: {3: [tree / trees], 1: [leaf]}\n"
            "urgency: {high: [storm]}\ndenials: [No]",
            "triage",
        )
    )

    (garden,) = rules.categories
    assert [(word.forms, word.weight) for word in garden.keywords] == [(("tree", "trees"), 3), (("leaf",), 1)]
    assert rules.urgency[Grade.HIGH][0].name == "storm"
    assert rules.denials == {"no"}


def test_faults_of_all_tables_are_told_together() -> None:
    text = """categories:
  garden:
    complexity: 4
    keywords:
      3: [tree / trees, trees]
      heavy: [x]
urgency:
  medium: [soon]
  hihg: [now]
signals:
  storm: [/]
"""

    assert faults(read_triage, text) == [
        (3, 17, "is 4; 3 is the most"),
        (6, 7, "expects a whole number, not 'heavy'"),
        (8, 3, "medium is the default and has no words of its own; write high or low"),
        (9, 3, "expects one of high, medium, low, not 'hihg'; did you mean 'high'?"),
        (11, 11, "has a form without a word in it"),
    ]


def test_a_form_written_twice_in_a_table_is_refused() -> None:
    assert faults(read_triage, "categories:\n  a:\n    keywords: [tree / trees, Trees]") == [
        (3, 30, "'Trees' is already a form of 'tree' in this table")
    ]


def test_a_tenants_own_words_of_feeling_are_read() -> None:
    text = "categories: {}\nsentiment:\n  words: {Grym: 4, 'not  again': -2.5, fan: 0}"

    assert read_triage(read_document(text, "triage")).sentiment_words == (
        ("fan", 0.0), ("grym", 4.0), ("not again", -2.5),
    )  # fmt: skip


def test_faults_of_words_of_feeling_are_shown_where_they_stand() -> None:
    text = """categories: {}
sentiment:
  words:
    grym: much
    usel: -6
    "--": 1
    Kass: -4
    kass: -3
"""

    assert faults(read_triage, text) == [
        (4, 11, "expects a number, not 'much'"),
        (5, 11, "is -6; -5 is the least"),
        (6, 5, "has no word in it"),
        (8, 5, "is weighed already"),
    ]


def test_the_section_of_feelings_needs_its_words() -> None:
    assert faults(read_triage, "categories: {}\nsentiment: {weights: {}}") == [
        (2, 12, "needs the key 'words'"),
        (2, 13, "unknown key 'weights'"),
    ]
