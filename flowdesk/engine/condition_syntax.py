"""The words of the condition language: lexer, Pratt parser, syntax tree and its printer.

    priority == 'critical' AND category == 'technical'
    category == 'billing' AND (amount > 10000 OR subject CONTAINS "refund")
    NOT is_vip AND customer_tier IN ('starter', 'free')

AND, OR, NOT, IN, CONTAINS, true and false are known in any case; NOT binds tightest, then AND, then OR.
A comparison has a field on one side and a literal on the other. There is no arithmetic, no pattern and no
loop, so a condition costs at most what its length allows. Types are checked here, while the position is
still known. (F-RTE-10)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum

from flowdesk.engine.facts import PRIORITY_WORDS, Field, FieldType, Priority

MAX_LENGTH = 2_000
MAX_DEPTH = 32

Literal = str | int | Decimal | bool | Priority


class ConditionFault(Exception):
    """A condition that cannot be read; `position` counts characters from 0."""

    def __init__(self, position: int, reason: str) -> None:
        self.position = position
        self.reason = reason
        super().__init__(f"at character {position + 1}: {reason}")


class Operator(StrEnum):
    EQUAL = "=="
    DIFFERENT = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "IN"
    CONTAINS = "CONTAINS"


_ORDER = frozenset({Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST})
_MIRROR = {
    Operator.EQUAL: Operator.EQUAL,
    Operator.DIFFERENT: Operator.DIFFERENT,
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field held against one literal (IN: against several). Text literals are folded to lower case."""

    field: str
    operator: Operator
    values: tuple[Literal, ...]
    position: int = attribute(default=0, compare=False)

    def __str__(self) -> str:
        written = ", ".join(_written(value) for value in self.values)
        return f"{self.field} {self.operator} " + (
            f"({written})" if self.operator is Operator.IN else written
        )


@dataclass(frozen=True, slots=True)
class Always:
    """`true` or `false` standing alone."""

    holds: bool

    def __str__(self) -> str:
        return "true" if self.holds else "false"


@dataclass(frozen=True, slots=True)
class Not:
    part: Syntax

    def __str__(self) -> str:
        return f"NOT {_inside(self.part, And, Or)}"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Syntax, ...]

    def __str__(self) -> str:
        return " AND ".join(_inside(part, And, Or) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Syntax, ...]

    def __str__(self) -> str:
        return " OR ".join(_inside(part, Or) for part in self.parts)


Syntax = Comparison | Always | Not | And | Or


def names_in(ast: Syntax) -> frozenset[str]:
    """The fields that a condition looks at, by the names it prints."""
    match ast:
        case Comparison():
            return frozenset({ast.field})
        case Not(part):
            return names_in(part)
        case And(parts) | Or(parts):
            return frozenset().union(*map(names_in, parts))
    return frozenset()


def _inside(part: Syntax, *looser: type[Syntax]) -> str:
    return f"({part})" if isinstance(part, looser) else str(part)


def _written(value: Literal) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Priority):
        return f"'{value.name}'"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


# -- lexer

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![\w.]))
    |(?P<name>[^\W\d]\w*(?:\.\w+)*)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<symbol>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\([\\'"])""")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "CONTAINS", "TRUE", "FALSE"})
_END = "end"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, text, end; for a symbol or keyword the word itself
    text: str
    position: int


def _tokens(source: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise ConditionFault(at, _why_unreadable(source, at))
        kind, text = found.lastgroup or "", found.group()
        if kind == "symbol":
            kind = text
        elif kind == "name" and text.upper() in _KEYWORDS:
            kind = text.upper()
        elif kind == "text":
            text = _ESCAPE.sub(r"\1", text[1:-1])
        if kind != "space":
            tokens.append(_Token(kind, text, at))
        at = found.end()
    return [*tokens, _Token(_END, "", len(source))]


def _why_unreadable(source: str, at: int) -> str:
    if source[at] in "'\"":
        return "this text has no closing quote"
    if source[at] == "=":
        return "a single = compares nothing; write =="
    if source[at] in "+-*/%":
        return "there is no arithmetic here"
    if source[at].isdigit():
        return "this is neither a number nor a name"
    return f"{source[at]!r} has no meaning here"


# -- parser

_POWER = {"OR": 10, "AND": 20, **{operator.value: 40 for operator in Operator}}
_NOT_POWER = 30


@dataclass(frozen=True, slots=True)
class _Operand:
    """A field or a literal that no operator has claimed yet."""

    token: _Token
    field: Field | None = None
    value: Literal | None = None


def parse(source: str, *, fields: Mapping[str, Field]) -> Syntax:
    """The syntax tree of `source`; raises ConditionFault, and nothing else, for whatever is written."""
    if len(source) > MAX_LENGTH:
        raise ConditionFault(MAX_LENGTH, f"is {len(source)} characters long; {MAX_LENGTH} is the most")
    return _Parser(source, fields).parse()


class _Parser:
    """Precedence climbing: a prefix makes a left side, then stronger infixes take it over."""

    def __init__(self, source: str, fields: Mapping[str, Field]) -> None:
        self._tokens = _tokens(source)
        self._at = 0
        self._fields = fields

    def parse(self) -> Syntax:
        if self._next.kind == _END:
            raise ConditionFault(0, "is empty; write true for a rule that always matches")
        whole = self._condition(self._expression(0, depth=0))
        if self._next.kind != _END:
            raise ConditionFault(self._next.position, f"expected AND, OR or the end, not {_said(self._next)}")
        return whole

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != _END
        return token

    def _expression(self, power: int, *, depth: int) -> Syntax | _Operand:
        if depth > MAX_DEPTH:
            raise ConditionFault(self._next.position, f"is nested deeper than {MAX_DEPTH} levels")
        left = self._prefix(self._take(), depth=depth)
        while self._next_power() > power:
            token = self._take()
            if token.kind == "NOT":
                left = Not(self._compare(left, self._take(), depth=depth))
            elif token.kind in ("AND", "OR"):
                left = self._join(left, token, depth=depth)
            else:
                left = self._compare(left, token, depth=depth)
        return left

    def _next_power(self) -> int:
        token = self._next
        if token.kind == "NOT" and self._tokens[self._at + 1].kind in ("IN", "CONTAINS"):
            return _POWER["IN"]
        return _POWER.get(token.kind, 0)

    def _prefix(self, token: _Token, *, depth: int) -> Syntax | _Operand:
        if token.kind == "NOT":
            return Not(self._condition(self._expression(_NOT_POWER, depth=depth + 1)))
        if token.kind == "(":
            inside = self._condition(self._expression(0, depth=depth + 1))
            self._close(")", opened=token)
            return inside
        if token.kind == "name":
            return _Operand(token, field=self._field(token))
        if token.kind in ("text", "number", "TRUE", "FALSE"):
            return _Operand(token, value=_literal(token))
        raise ConditionFault(token.position, f"expected a field, a value, NOT or (, not {_said(token)}")

    def _join(self, left: Syntax | _Operand, token: _Token, *, depth: int) -> Syntax:
        parts = [self._condition(left), self._condition(self._expression(_POWER[token.kind], depth=depth))]
        while self._next.kind == token.kind:
            self._take()
            parts.append(self._condition(self._expression(_POWER[token.kind], depth=depth)))
        return And(tuple(parts)) if token.kind == "AND" else Or(tuple(parts))

    def _compare(self, left: Syntax | _Operand, token: _Token, *, depth: int) -> Comparison:
        operator = Operator(token.kind)
        if not isinstance(left, _Operand):
            raise ConditionFault(token.position, f"{operator} needs a field on its left, not a condition")
        if operator is Operator.IN:
            return _comparison(left, operator, self._literals(), at=token.position)
        right = self._expression(_POWER[token.kind], depth=depth)
        if not isinstance(right, _Operand):
            raise ConditionFault(token.position, f"{operator} needs a value on its right, not a condition")
        if left.field is None and right.field is not None and operator in _MIRROR:
            left, right, operator = right, left, _MIRROR[operator]
        if right.field is not None:
            raise ConditionFault(
                right.token.position,
                f"expected a value, not the field {right.field.name!r}; put quotes around a text",
            )
        return _comparison(left, operator, [right], at=token.position)

    def _literals(self) -> list[_Operand]:
        opening = self._take()
        if opening.kind not in ("(", "["):
            raise ConditionFault(opening.position, f"IN needs a list in parentheses, not {_said(opening)}")
        values: list[_Operand] = []
        while True:
            token = self._take()
            if token.kind not in ("text", "number", "TRUE", "FALSE"):
                raise ConditionFault(token.position, f"expected a value in the list, not {_said(token)}")
            values.append(_Operand(token, value=_literal(token)))
            if self._next.kind != ",":
                break
            self._take()
        self._close(")" if opening.kind == "(" else "]", opened=opening)
        return values

    def _close(self, bracket: str, *, opened: _Token) -> None:
        token = self._take()
        if token.kind == _END:
            raise ConditionFault(opened.position, f"{opened.text} is never closed")
        if token.kind != bracket:
            raise ConditionFault(token.position, f"expected {bracket}, not {_said(token)}")

    def _field(self, token: _Token) -> Field:
        known = self._fields.get(token.text)
        if known is not None:
            return known
        near = get_close_matches(token.text.lower(), list(self._fields), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConditionFault(token.position, f"unknown field {token.text!r}{hint}")

    def _condition(self, left: Syntax | _Operand) -> Syntax:
        """A lone operand as a condition: true, false, or a field that is true or false by itself."""
        if not isinstance(left, _Operand):
            return left
        if isinstance(left.value, bool):
            return Always(left.value)
        if left.field is not None and left.field.type is FieldType.TRUTH:
            return Comparison(
                field=left.field.name,
                operator=Operator.EQUAL,
                values=(True,),
                position=left.token.position,
            )
        raise ConditionFault(left.token.position, f"{_said(left.token)} is compared with nothing")


def _literal(token: _Token) -> Literal:
    if token.kind == "text":
        return token.text
    if token.kind == "number":
        if len(token.text) > 24:
            raise ConditionFault(token.position, "this number is longer than 24 characters")
        return Decimal(token.text) if "." in token.text else int(token.text)
    return token.kind == "TRUE"


def _said(token: _Token) -> str:
    return "the end" if token.kind == _END else repr(token.text)


# -- types

_ALLOWED: Mapping[FieldType, tuple[frozenset[Operator], str]] = {
    FieldType.TEXT: (
        frozenset({Operator.EQUAL, Operator.DIFFERENT, Operator.IN, Operator.CONTAINS}),
        "a text in quotes",
    ),
    FieldType.SLUG: (
        frozenset({Operator.EQUAL, Operator.DIFFERENT, Operator.IN, Operator.CONTAINS}),
        "a text in quotes",
    ),
    FieldType.NUMBER: (
        _ORDER | {Operator.EQUAL, Operator.DIFFERENT, Operator.IN},
        "a number without quotes",
    ),
    FieldType.TRUTH: (frozenset({Operator.EQUAL, Operator.DIFFERENT}), "true or false"),
    FieldType.PRIORITY: (
        _ORDER | {Operator.EQUAL, Operator.DIFFERENT, Operator.IN},
        "a priority as 'P1' or 'critical'",
    ),
    FieldType.WORDS: (frozenset({Operator.CONTAINS}), "a text in quotes"),
}


def _comparison(left: _Operand, operator: Operator, right: list[_Operand], *, at: int) -> Comparison:
    if left.field is None:
        raise ConditionFault(
            left.token.position, f"{_said(left.token)} is a value; a comparison needs a field"
        )
    operators, _ = _ALLOWED[left.field.type]
    if operator not in operators:
        words = " ".join(known for known in Operator if known in operators)
        raise ConditionFault(at, f"{left.field.name} knows only {words}, not {operator}")
    return Comparison(
        field=left.field.name,
        operator=operator,
        values=tuple(_fitting(left.field, operator, operand) for operand in right),
        position=left.token.position,
    )


def _fitting(known: Field, operator: Operator, operand: _Operand) -> Literal:
    """The literal as the field's type holds it; raises ConditionFault when it does not fit."""
    value = operand.value
    if known.type is FieldType.PRIORITY:
        if isinstance(value, str) and value.casefold() in PRIORITY_WORDS:
            return PRIORITY_WORDS[value.casefold()]
        # With a bare number, nobody can tell whether `priority > 2` means P1 or P4.
        if type(value) is int and 1 <= value <= 4 and operator not in _ORDER:
            return Priority(value)
    elif known.type is FieldType.TRUTH:
        if isinstance(value, bool):
            return value
    elif known.type is FieldType.NUMBER:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return value
    elif isinstance(value, str):
        _refuse_foreign_word(known, operator, value, operand.token)
        return value.casefold()
    raise ConditionFault(
        operand.token.position,
        f"{known.name} is compared with {_ALLOWED[known.type][1]}, not {_said(operand.token)}",
    )


def _refuse_foreign_word(known: Field, operator: Operator, value: str, token: _Token) -> None:
    is_searched = known.type is FieldType.SLUG and operator is Operator.CONTAINS
    if not known.words or is_searched or value.casefold() in known.words:
        return
    near = get_close_matches(value.casefold(), known.words, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else f"; it is one of {', '.join(known.words)}"
    raise ConditionFault(token.position, f"{known.name} is never {value!r}{hint}")
