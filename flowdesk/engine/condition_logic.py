"""What can be said of a condition without a ticket: which parts can never hold.

The condition is spread into alternatives (conjunctions of comparisons); an alternative is impossible when
no value of some one field satisfies all that is asked of it. What cannot be decided so is taken as
possible: a reported conflict is always real, a missing report promises nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from flowdesk.engine.condition_syntax import Always, And, Comparison, Literal, Not, Operator, Or, Syntax
from flowdesk.engine.facts import Priority

MAX_ALTERNATIVES = 256  # beyond it a condition counts as possible; a rule is written for people to read


@dataclass(frozen=True, slots=True)
class _Claim:
    """A comparison, or its denial; a missing value satisfies every denial and no comparison."""

    comparison: Comparison
    is_denied: bool

    def __str__(self) -> str:
        return f"NOT {self.comparison}" if self.is_denied else str(self.comparison)

    def allows(self, value: Any) -> bool:
        return _holds(self.comparison, value) != self.is_denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Comparisons of one field that cannot hold together; `position` is the last one's in the text."""

    position: int
    reason: str


_Alternative = tuple[_Claim, ...]


def conflicts(ast: Syntax) -> tuple[Conflict, ...]:
    """Why the condition can never match, one entry per alternative; empty when it can, or nobody knows."""
    alternatives = _alternatives(ast)
    if alternatives is None:
        return ()
    found = []
    for alternative in alternatives:
        conflict = _conflict(alternative)
        if conflict is None:
            return ()
        found.append(conflict)
    return tuple(found) or (Conflict(position=0, reason="it is always false"),)


def never_matches(ast: Syntax) -> bool:
    """Whether it is certain that no ticket can match."""
    return bool(conflicts(ast))


def covers(earlier: Syntax, later: Syntax) -> bool:
    """Whether it is certain that every ticket `later` matches is matched by `earlier`."""
    wide, narrow = _required(earlier), _required(later)
    if any(name not in narrow or not narrow[name] <= values for name, values in wide.items()):
        # The usual pair of rules asks for different words; no need to spread the conditions for that.
        return False
    return never_matches(And((later, Not(earlier))))


def _required(ast: Syntax) -> dict[str, frozenset[Literal]]:
    """What the condition asks of a field outright, as `category == 'a'` or `tier IN (…)` at its top."""
    parts = ast.parts if isinstance(ast, And) else (ast,)
    return {
        part.field: frozenset(part.values)
        for part in parts
        if isinstance(part, Comparison) and part.operator in (Operator.EQUAL, Operator.IN)
    }


def _alternatives(ast: Syntax) -> list[_Alternative] | None:
    """The disjunctive form with NOT pushed down to the comparisons, or None when it grows too large."""
    try:
        return _spread(ast, is_denied=False)
    except OverflowError:
        return None


def _spread(ast: Syntax, *, is_denied: bool) -> list[_Alternative]:
    match ast:
        case Always(holds):
            return [()] if holds != is_denied else []
        case Not(part):
            return _spread(part, is_denied=not is_denied)
        case Comparison():
            return [(_Claim(ast, is_denied),)]
        case And(parts) | Or(parts):
            spread = [_spread(part, is_denied=is_denied) for part in parts]
            is_choice = isinstance(ast, Or) != is_denied
            return _bounded(_chosen(spread) if is_choice else _joined(spread))


def _chosen(spread: list[list[_Alternative]]) -> Iterator[_Alternative]:
    return (alternative for part in spread for alternative in part)


def _joined(spread: list[list[_Alternative]]) -> Iterator[_Alternative]:
    return (tuple(claim for part in parts for claim in part) for parts in product(*spread))


def _bounded(alternatives: Iterable[_Alternative]) -> list[_Alternative]:
    kept: list[_Alternative] = []
    for alternative in alternatives:
        if len(kept) == MAX_ALTERNATIVES:
            raise OverflowError
        kept.append(alternative)
    return kept


def _conflict(alternative: _Alternative) -> Conflict | None:
    by_field: dict[str, list[_Claim]] = {}
    for claim in alternative:
        by_field.setdefault(claim.comparison.field, []).append(claim)
    for claims in by_field.values():
        if not _can_hold(claims):
            words = " and ".join(str(claim) for claim in claims)
            last = max(claim.comparison.position for claim in claims)
            return Conflict(position=last, reason=f"{words} cannot hold together")
    return None


def _can_hold(claims: list[_Claim]) -> bool:
    """Tries one value out of every stretch of values that the claims could tell apart."""
    is_asked = any(not claim.is_denied for claim in claims)
    candidates = _candidates(claims)
    if candidates is None:
        return not _is_sought_and_denied(claims)
    if not is_asked and not isinstance(candidates[0], Priority):
        return True  # a missing value satisfies denials, and only a priority is never missing
    return any(all(claim.allows(value) for claim in claims) for value in candidates)


def _candidates(claims: list[_Claim]) -> list[Any] | None:
    """Values that stand for all others, or None where text leaves endlessly many."""
    literals: list[Literal] = [value for claim in claims for value in claim.comparison.values]
    first = literals[0]
    if isinstance(first, Priority):
        return list(Priority)
    if isinstance(first, bool):
        return [True, False]
    if isinstance(first, int | Decimal):
        # Fractions: a decimal halfway between two long numbers may round onto one of them.
        numbers = sorted({Fraction(str(value)) for value in literals})
        between = [(low + high) / 2 for low, high in pairwise(numbers)]
        return [numbers[0] - 1, *numbers, *between, numbers[-1] + 1]
    named = {
        value
        for claim in claims
        if not claim.is_denied and claim.comparison.operator in (Operator.EQUAL, Operator.IN)
        for value in claim.comparison.values
    }
    return list(named) or None


def _is_sought_and_denied(claims: list[_Claim]) -> bool:
    # Only the same word: `CONTAINS 'security'` and NOT `CONTAINS 'sec'` fight in a text but not in a set.
    found = [claim for claim in claims if claim.comparison.operator is Operator.CONTAINS]
    sought = {claim.comparison.values[0] for claim in found if not claim.is_denied}
    return any(claim.is_denied and claim.comparison.values[0] in sought for claim in found)


_ORDERS: Mapping[Operator, tuple[int, ...]] = {
    Operator.LESS: (-1,),
    Operator.AT_MOST: (-1, 0),
    Operator.MORE: (1,),
    Operator.AT_LEAST: (0, 1),
}


def _holds(comparison: Comparison, value: Any) -> bool:
    first: Any = comparison.values[0]
    match comparison.operator:
        case Operator.EQUAL | Operator.IN:
            return value in comparison.values
        case Operator.DIFFERENT:
            return bool(value != first)
        case Operator.CONTAINS:
            return first in value
        case order:
            # The smaller priority is the more important one, and order is order of importance.
            left, right = (first, value) if isinstance(first, Priority) else (value, first)
            return (left > right) - (left < right) in _ORDERS[order]
