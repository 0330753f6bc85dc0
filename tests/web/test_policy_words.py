"""What is wrong with a policy is said on pages in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from flowdesk.core.errors import Fault
from flowdesk.engine.condition_syntax import ConditionFault
from flowdesk.engine.conditions import compile_condition
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.routing import read_routing
from flowdesk.web.policy_words import SENTENCES, placed_reason, policy_reason

PACKAGE = Path(__file__).parents[2] / "flowdesk"
# What pages let people write: rules, their conditions, and the tenant's own fields.
READERS = (
    "policies/reader.py", "policies/rule_text.py", "policies/sections/routing.py", "policies/sections/fields.py",
    "policies/sections/priority.py", "engine/condition_syntax.py", "engine/condition_logic.py",
)  # fmt: skip
CALLS = {"refuse", "_refuse", "fault", "ConditionFault", "PolicyFault", "Conflict"}


def raised() -> Iterator[str]:
    for name in READERS:
        for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in CALLS:
                for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                    yield from said(part)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "reason":
                yield from said(node.value)
            elif isinstance(node, ast.FunctionDef) and node.name == "_why_unreadable":
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and inner.value is not None:
                        yield from said(inner.value)


def said(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else value_of(part) for part in node.values
        )


def value_of(part: ast.expr) -> str:
    source = ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""
    if "suggestion(" in source or source == "hint":
        return ""
    if source.endswith(".reason"):
        return "it is always false"
    return "a list" if "_KIND_WORDS" in source else "'7'"


@pytest.mark.parametrize("reason", sorted(set(raised())))
def test_every_reason_has_a_sentence_in_both_languages(reason: str) -> None:
    with translation.override("en"):
        english = policy_reason(reason)
    with translation.override("sv"):
        swedish = policy_reason(reason)

    assert english.endswith(".")
    assert english != reason
    assert swedish != english


def test_no_sentence_waits_for_a_reason_that_nobody_gives() -> None:
    with translation.override("en"):
        given = {policy_reason(reason) for reason in raised()}

        assert {str(one) for one in SENTENCES.values() if "{" not in str(one)} - given == set()


def condition_fault(text: str) -> str:
    try:
        compile_condition(text)
    except ConditionFault as fault:
        return fault.reason
    raise AssertionError(text)


def test_what_was_written_and_what_was_meant_are_kept() -> None:
    with translation.override("sv"):
        assert policy_reason(condition_fault("categry == 'x'")) == (
            "Det finns inget fält 'categry'. Menade du 'category'?"
        )
        assert policy_reason(condition_fault("channel == 'fax'")).startswith(
            "channel är aldrig 'fax'. Det är något av email, web"
        )
        assert policy_reason(condition_fault("priority == 'P1' AND")).endswith("inte slutet.")
        assert policy_reason(condition_fault("is_vip == 3")).startswith(
            "is_vip jämförs med sant eller falskt"
        )


def test_a_condition_that_never_holds_says_why_inside_the_sentence() -> None:
    never = "{name: a, condition: \"category == 'a' AND category == 'b'\", team: t}"
    document = read_document(f"rules: [{never}]\notherwise: {{team: t}}\n", "routing")
    with pytest.raises(PolicyFaults) as found:
        read_routing(document)

    (fault,) = found.value.faults
    with translation.override("sv"):
        assert policy_reason(fault.reason) == (
            "Kan aldrig gälla: category == 'a' and category == 'b' kan inte gälla samtidigt."
        )


def test_a_fault_of_a_document_says_its_line() -> None:
    fault = Fault("policy.routing.rules[0].condition (line 7, column 22)", "unknown field 'amount'")

    with translation.override("sv"):
        assert placed_reason(fault) == (
            "policy.routing.rules[0].condition, rad 7, kolumn 22: Det finns inget fält 'amount'."
        )


def test_a_reason_nobody_knows_says_itself() -> None:
    assert policy_reason("found a tab") == "found a tab"
