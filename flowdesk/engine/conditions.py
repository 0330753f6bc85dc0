"""The one condition language: triage, routing, policies and automations all speak it.

A condition is read once, checked against the fields it may use, and compiled to closures over TicketFacts.

- Text is compared without regard to case; CONTAINS finds a part of a text or a member of a set.
- Order on priorities is order of importance: `priority >= 'high'` holds for P1 and P2.
- **A comparison with a missing value is false**, whatever its operator: where `amount` is not set,
  `amount > 10`, `amount <= 10` and `amount != 10` are all false. NOT turns that round like any other
  answer: `NOT amount > 10` reads "it is not known to be more than 10" and is true there. Hence
  `amount != 10` and `NOT amount == 10` differ on tickets without an amount, and only there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flowdesk.engine.condition_logic import Conflict, conflicts
from flowdesk.engine.condition_syntax import (
    MAX_DEPTH,
    MAX_LENGTH,
    Always,
    And,
    Comparison,
    ConditionFault,
    Not,
    Operator,
    Or,
    Syntax,
    parse,
)
from flowdesk.engine.facts import FIELDS, Field, FieldType, Priority, TicketFacts

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Check",
    "Condition",
    "ConditionFault",
    "Conflict",
    "Trace",
    "compile_condition",
    "conflicts",
]

Test = Callable[[TicketFacts], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One comparison on one ticket. `seen` is None for a missing value and for free text, which stays
    out of explanations: they are kept, and texts are personal."""

    comparison: Comparison
    seen: str | int | Decimal | bool | tuple[str, ...] | None
    is_missing: bool
    held: bool

    def __str__(self) -> str:
        if self.is_missing:
            return f"{self.comparison}: not set"
        if self.seen is None:
            return f"{self.comparison}: {'found' if self.held else 'not found'}"
        shown = ", ".join(self.seen) or "none" if isinstance(self.seen, tuple) else self.seen
        return f"{self.comparison}: {str(shown).lower() if isinstance(shown, bool) else shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Why a condition held or not: every comparison in written order, and those to blame when it failed.

    `failed` holds the comparisons whose answer kept the condition from holding; under NOT these are
    comparisons that held. It is empty when the condition held.
    """

    source: str
    held: bool
    checks: tuple[Check, ...]
    failed: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled condition; `matches` stops early, `explain` looks at every comparison."""

    source: str
    ast: Syntax
    matches: Test
    fields: Mapping[str, Field]

    def explain(self, facts: TicketFacts) -> Trace:
        checks: list[Check] = []
        answer = _answer(self.ast, facts, self.fields, checks)
        failed = tuple(answer.blame()) if not answer.held else ()
        return Trace(source=self.source, held=answer.held, checks=tuple(checks), failed=failed)


def compile_condition(text: str, *, fields: Mapping[str, Field] = FIELDS) -> Condition:
    """Read and compile `text`; raises ConditionFault with the position and the reason."""
    ast = parse(text, fields=fields)
    used = {known.name: known for known in fields.values()}
    return Condition(source=text, ast=ast, matches=_compiled(ast, used), fields=used)


# -- closures

_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.DIFFERENT: lambda seen, value: seen != value,
    Operator.LESS: lambda seen, value: seen < value,
    Operator.AT_MOST: lambda seen, value: seen <= value,
    Operator.MORE: lambda seen, value: seen > value,
    Operator.AT_LEAST: lambda seen, value: seen >= value,
    Operator.CONTAINS: lambda seen, value: value in seen,
}
# P1 is 1: the more important priority is the smaller number.
_BY_IMPORTANCE: Mapping[Operator, Operator] = {
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}


def _compiled(ast: Syntax, fields: Mapping[str, Field]) -> Test:
    match ast:
        case Always(holds):
            return lambda facts: holds
        case Not(part):
            test = _compiled(part, fields)
            return lambda facts: not test(facts)
        case And(parts):
            return _all_of([_compiled(part, fields) for part in parts])
        case Or(parts):
            return _any_of([_compiled(part, fields) for part in parts])
        case Comparison():
            return _comparing(ast, fields[ast.field])


def _all_of(tests: list[Test]) -> Test:
    # Two and three cover nearly every rule, and a plain `and` is faster than any loop.
    if len(tests) == 2:
        first, second = tests
        return lambda facts: first(facts) and second(facts)
    if len(tests) == 3:
        one, two, three = tests
        return lambda facts: one(facts) and two(facts) and three(facts)

    def every(facts: TicketFacts) -> bool:
        for test in tests:  # noqa: SIM110  (all() would build a generator for each ticket)
            if not test(facts):
                return False
        return True

    return every


def _any_of(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda facts: first(facts) or second(facts)

    def some(facts: TicketFacts) -> bool:
        for test in tests:  # noqa: SIM110  (any() would build a generator for each ticket)
            if test(facts):
                return True
        return False

    return some


def _comparing(comparison: Comparison, known: Field) -> Test:
    read: Callable[[TicketFacts], Any] = known.read
    operator, values = comparison.operator, comparison.values
    if operator is Operator.IN:
        among = frozenset(values)
        return lambda facts: read(facts) in among
    value: Any = values[0]
    if operator is Operator.EQUAL:
        return lambda facts: bool(read(facts) == value)
    if known.type is FieldType.PRIORITY:
        operator = _BY_IMPORTANCE.get(operator, operator)
    compare = _COMPARE[operator]
    if known.is_always_known:
        return lambda facts: compare(read(facts), value)

    def known_and_compared(facts: TicketFacts) -> bool:
        seen = read(facts)
        return seen is not None and compare(seen, value)

    return known_and_compared


# -- explanations


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one part of the tree came to, with its parts' answers."""

    held: bool
    check: Check | None = None
    turns: bool = False  # NOT
    parts: tuple[_Answer, ...] = ()

    def blame(self) -> list[Check]:
        """The checks that gave this answer: with any other answer of theirs it might have been another."""
        if self.check is not None:
            return [self.check]
        if self.turns:
            return self.parts[0].blame()
        guilty = [part for part in self.parts if part.held == self.held]
        return [check for part in guilty for check in part.blame()]


def _answer(ast: Syntax, facts: TicketFacts, fields: Mapping[str, Field], checks: list[Check]) -> _Answer:
    match ast:
        case Always(holds):
            return _Answer(holds)
        case Not(part):
            inner = _answer(part, facts, fields, checks)
            return _Answer(not inner.held, turns=True, parts=(inner,))
        case And(parts):
            answers = tuple(_answer(part, facts, fields, checks) for part in parts)
            return _Answer(all(answer.held for answer in answers), parts=answers)
        case Or(parts):
            answers = tuple(_answer(part, facts, fields, checks) for part in parts)
            return _Answer(any(answer.held for answer in answers), parts=answers)
        case Comparison():
            check = _checked(ast, facts, fields[ast.field])
            checks.append(check)
            return _Answer(check.held, check=check)


def _checked(comparison: Comparison, facts: TicketFacts, known: Field) -> Check:
    value: Any = known.read(facts)
    return Check(
        comparison=comparison,
        seen=_shown(value, known.type),
        is_missing=value is None,
        held=_comparing(comparison, known)(facts),
    )


def _shown(value: Any, kind: FieldType) -> str | int | Decimal | bool | tuple[str, ...] | None:
    if value is None or kind is FieldType.TEXT:
        return None
    if kind is FieldType.PRIORITY:
        return Priority(value).name
    if kind is FieldType.WORDS:
        return tuple(sorted(value))
    shown: str | int | Decimal | bool = value
    return shown
