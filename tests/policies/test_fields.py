"""The tenant's own fields, read and written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from flowdesk.engine.conditions import ConditionFault, compile_condition
from flowdesk.engine.facts import CustomField, FieldType, TicketFacts, vocabulary
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.rule_text import section_of, with_section
from flowdesk.policies.sections.fields import fields_text, read_fields

CONTRACT = CustomField(type=FieldType.SLUG, label='Avtal: "nivå" 1', choices=("gold", "no", "null"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"amount": CustomField(type=FieldType.NUMBER)},
        {"yes": CONTRACT, "null": CustomField(type=FieldType.TRUTH, label="Null?")},
        {"plan": CustomField(type=FieldType.SLUG), "note": CustomField(type=FieldType.TEXT, label="# a: b, {c}")},
    ],
)  # fmt: skip
def test_what_is_written_is_read_again(fields: dict[str, CustomField]) -> None:
    assert list(read_fields(read_document(fields_text(fields), "fields")).items()) == list(fields.items())


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("amount: money", (1, 9), "expects one of number, text, slug, truth, not 'money'"),
        ("amount: priority", (1, 9), "expects one of number, text, slug, truth, not 'priority'"),
        ("Sum: number", (1, 1), "must be a word of at most 40"),
        ("a: {type: text, choices: [b]}", (1, 26), "is only for a field of the type slug"),
        ("a: {type: slug, choices: [b, b]}", (1, 26), "names a choice twice"),
        ("a: {type: slug, choices: [B c]}", (1, 27), "must be a word of at most 40"),
        ("a: {label: x}", (1, 4), "needs the key 'type'"),
        ("a: {type: text, lable: x}", (1, 17), "did you mean 'label'"),
        (f"a: {{type: text, label: {'x' * 61}}}", (1, 24), "must be one line of at most 60 characters"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(text: str, place: tuple[int, int], reason: str) -> None:
    with pytest.raises(PolicyFaults) as found:
        read_fields(read_document(text, "fields"))

    (fault,) = found.value.faults
    assert (fault.line, fault.column) == place
    assert reason in fault.reason


def test_a_key_that_would_be_another_text_is_refused_and_not_written_through() -> None:
    text = fields_text({"a: {type: text}\nb": CustomField(type=FieldType.TEXT)})

    with pytest.raises(PolicyFaults, match="must be a word"):
        read_fields(read_document(text, "fields"))


def test_a_section_that_is_missing_or_stands_on_one_line_is_replaced() -> None:
    fresh = with_section("tiers:\n  a: 1\n", "fields", "amount: number\n")
    inline = with_section("fields: {}\ntiers:\n  a: 1\n", "fields", "amount: number\n")

    assert section_of(fresh, "fields") == section_of(inline, "fields") == "amount: number\n"
    assert section_of(inline, "tiers") == "a: 1\n"


def test_a_condition_may_only_ask_for_choices_that_there_are() -> None:
    names = vocabulary({"contract": CONTRACT})

    condition = compile_condition("fields.contract == 'Gold'", fields=names)

    assert condition.matches(TicketFacts(fields={"contract": "gold"}))
    assert not condition.matches(TicketFacts(fields={"contract": "no"}))
    with pytest.raises(ConditionFault, match="is never 'golden'; did you mean 'gold'"):
        compile_condition("contract == 'golden'", fields=names)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (FieldType.NUMBER, True, "must be a number"),
        (FieldType.NUMBER, "12", "must be a number"),
        (FieldType.NUMBER, float("nan"), "must be from"),
        (FieldType.NUMBER, float("inf"), "must be from"),
        (FieldType.NUMBER, Decimal("1e15"), ""),
        (FieldType.NUMBER, 10**15 + 1, "must be from"),
        (FieldType.TRUTH, 1, "must be true or false"),
        (FieldType.TEXT, "a\x00b", "holds a null character"),
        (FieldType.TEXT, "x" * 2001, "must be text of at most 2000 characters"),
        (FieldType.TEXT, "å", ""),
    ],
)
def test_a_field_says_why_it_cannot_hold_a_value(kind: FieldType, value: Any, reason: str) -> None:
    said = CustomField(type=kind).why_not(value)

    assert said.startswith(reason) if reason else not said


def test_a_choice_is_one_of_the_list_whatever_its_case() -> None:
    assert CONTRACT.why_not("GOLD") == ""
    assert CONTRACT.why_not("bronze") == "is not one of gold, no, null"
