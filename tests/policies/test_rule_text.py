"""Rules are edited as the text they are: what somebody wrote around them stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.facts import CustomField, FieldType, vocabulary
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.rule_text import (
    RuleValues,
    added,
    changed,
    moved,
    removed,
    rules_in,
    section_of,
    with_section,
)
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.services import pack_source

TEXT = """\
# Ours.
rules:
  # The big ones first.
  - name: big
    condition: "amount > 10"
    team: billing   # they asked for it

  - {name: small, condition: "amount > 1 AND category == 'a'", team: billing}
  # Nobody knows why.
  - name: odd
    condition: "category == 'odd'"
    action: assign_to_security_team

# Whatever is left.
otherwise: {team: tier-1, strategy: least_loaded}
"""
FIELDS = vocabulary({"amount": CustomField(type=FieldType.NUMBER)})


def names(text: str) -> list[str]:
    read_routing(read_document(text, "routing"), fields=FIELDS)
    return [rule.name for rule in rules_in(text)]


@pytest.mark.parametrize(
    ("rule", "to", "order"),
    [
        (0, 2, ["small", "odd", "big"]),
        (2, 0, ["odd", "big", "small"]),
        (1, 1, ["big", "small", "odd"]),
        (0, 99, ["small", "odd", "big"]),
        (2, -5, ["odd", "big", "small"]),
    ],
)
def test_a_rule_moves_with_its_comment(rule: int, to: int, order: list[str]) -> None:
    text = moved(TEXT, rule, to=to)

    assert names(text) == order
    lines = text.splitlines()
    assert lines[lines.index("  - name: big") - 1] == "  # The big ones first."
    assert lines[lines.index("  - name: odd") - 1] == "  # Nobody knows why."
    assert "team: billing   # they asked for it" in text
    assert text.endswith("# Whatever is left.\notherwise: {team: tier-1, strategy: least_loaded}\n")


def test_what_was_written_around_a_removed_rule_stays() -> None:
    text = removed(TEXT, 0)

    assert names(text) == ["small", "odd"]
    assert "The big ones" not in text
    assert text.startswith("# Ours.\nrules:\n  - {name: small")


def test_the_last_rule_can_go_and_another_come() -> None:
    text = TEXT
    for _ in range(3):
        text = removed(text, 0)

    assert names(text) == []
    assert names(added(text, RuleValues(name="new", condition="true", team="billing"), at=0)) == ["new"]


def test_a_changed_rule_keeps_its_comment_and_says_what_was_asked() -> None:
    values = RuleValues(
        name="big", condition="text CONTAINS \"a 'b'\" AND is_vip == true", team="tier-2", strategy="least_loaded",
        skills=("api_expert", "sql"), senior=True, notify=("security_lead",), cc=("ciso", "legal"),
        sla_target="15_minutes", loosen=True, mode="shadow",
    )  # fmt: skip

    text = changed(TEXT, 0, values)

    assert rules_in(text)[0] == values
    assert "  # The big ones first.\n  - name: big\n" in text
    assert "notify: security_lead\n" in text
    assert "cc: [ciso, legal]\n" in text


def test_a_rule_is_added_before_another() -> None:
    text = added(TEXT, RuleValues(name="new", condition="true", team="billing", mode="shadow"), at=1)

    assert names(text) == ["big", "new", "small", "odd"]


def test_rules_that_share_a_line_are_not_cut_apart() -> None:
    crowded = 'rules: [{name: a, condition: "true", team: billing}]\n'

    with pytest.raises(PolicyFaults, match="give each rule a line with a dash"):
        moved(crowded, 0, to=0)


def test_a_section_is_taken_out_of_a_document_and_put_back() -> None:
    source = pack_source()

    text = section_of(source, "routing")

    assert names(text)[0] == "critical-technical"
    assert section_of(with_section(source, "routing", text), "routing") == text
    assert section_of(with_section(source, "routing", TEXT), "routing") == TEXT
    for other in ("tiers", "triage", "promises"):
        assert section_of(with_section(source, "routing", TEXT), other) == section_of(source, other)


def test_the_standard_rules_come_through_every_move() -> None:
    text = read_pack_text("routing")
    before = {rule.name: rule for rule in rules_in(text)}

    for place in range(len(before)):
        text = moved(text, place, to=len(before) - 1 - place)

    assert {rule.name: rule for rule in rules_in(text)} == before


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20
).filter(lambda word: word.strip() != "" and "\x7f" not in word)


@given(words, words)
def test_whatever_somebody_types_comes_back_as_typed(name: str, condition: str) -> None:
    values = RuleValues(name=name, condition=condition, team="off", strategy="round_robin")

    assert rules_in(added(TEXT, values, at=3))[3] == values
