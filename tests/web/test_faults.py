"""What flows refuse is said on pages as a page says things, in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from flowdesk.core.errors import DomainError, invalid
from flowdesk.web.faults import SENTENCES, fault_words, reason_words

PACKAGE = Path(__file__).parents[2] / "flowdesk"
FLOORS = (
    "engine", "flows", "intake", "people", "hubs", "tickets", "escalation", "routing", "automations", "accounts",
    "core", "web/fields",
)  # fmt: skip


# What only programs are told: no page sends a file, a precondition or an Idempotency-Key.
FOR_PROGRAMS = ("intake/bulk/", "accounts/answers.py", "accounts/limits.py", "core/versions.py")


def raised() -> Iterator[str]:
    """Every reason and message that a floor below the pages can give, `7` standing for a value."""
    for floor in FLOORS:
        for path in sorted((PACKAGE / floor).rglob("*.py")):
            if path.relative_to(PACKAGE).as_posix().startswith(FOR_PROGRAMS):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and _is_fault(node):
                    yield (ast.get_docstring(node) or "").strip()
                if isinstance(node, ast.FunctionDef) and node.name == "why_not":
                    yield from (one for inner in ast.walk(node) for one in _returned(inner) if one)
                if not isinstance(node, ast.Call):
                    continue
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in ("Fault", "invalid") and len(node.args) == 2:
                    yield from _said(node.args[1])
                elif name in ("WrongState", "ChangedMeanwhile") and node.args:
                    yield from _said(node.args[0])


def _returned(node: ast.AST) -> Iterator[str]:
    """What a function may answer, `a if … else b` among it."""
    if isinstance(node, ast.Return) and node.value is not None:
        ways = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
        for way in ways:
            yield from _said(way)


def _is_fault(node: ast.ClassDef) -> bool:
    return node.name == "DomainError" or any(ast.unparse(base).endswith("DomainError") for base in node.bases)


def _said(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)


@pytest.mark.parametrize("reason", sorted(set(raised())))
def test_every_reason_has_a_sentence_in_both_languages(reason: str) -> None:
    with translation.override("en"):
        english = reason_words(reason)
    with translation.override("sv"):
        swedish = reason_words(reason)

    assert english[0].isupper()
    assert english.endswith(".")
    assert swedish != english


def test_a_value_in_a_reason_is_kept() -> None:
    with translation.override("sv"):
        assert reason_words("is longer than 300 characters") == "Det här är längre än 300 tecken."


def test_a_reason_nobody_knows_says_itself() -> None:
    assert reason_words("is {odd} (\nindeed") == "is {odd} (\nindeed"


def test_a_fault_without_a_field_says_what_it_is() -> None:
    assert fault_words(DomainError()) == "This cannot be done."
    assert invalid("a", "b").message == "a: b"


def test_no_sentence_waits_for_a_reason_that_nobody_gives() -> None:
    said = {reason_words(reason) for reason in raised()}

    stale = {str(sentence) for sentence in SENTENCES.values()} - said
    assert {sentence for sentence in stale if "{" not in sentence} == set()
