"""Whether one model is better than another on the same rows: McNemar's exact test.

Only rows where exactly one of the two is right tell them apart. Were both equally good, each such row would fall to
either like a coin; the test says how seldom coins fall at least this unevenly. It needs no repetition and no chance,
and with few rows it says so itself: five rows that all favour one side are not enough, six are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma, log

from flowdesk.learning.quality import Judged

SURE = 0.05  # how seldom chance alone may do as well, to be called better
FEWEST_ROWS = 30


class Verdict(StrEnum):
    BETTER = "better"
    NOT_BETTER = "not better"


class DifferentRows(Exception):
    """Two models can only be compared on the same rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    verdict: Verdict  # of the new model
    reason: str
    rows: int
    only_new_right: int
    only_old_right: int
    accuracy_new: float
    accuracy_old: float
    chance: float  # two-sided: how seldom equal models differ at least this much


def compare(new: Sequence[Judged], *, old: Sequence[Judged]) -> Comparison:
    """Judge both on rows later than either model's training; right means right to act on (see Judged)."""
    if [one.truth for one in new] != [one.truth for one in old]:
        raise DifferentRows((DifferentRows.__doc__ or "").strip())
    pairs = [(a.is_served_right, b.is_served_right) for a, b in zip(new, old, strict=True)]
    gained, lost = pairs.count((True, False)), pairs.count((False, True))
    chance = chance_of(gained, lost)
    rows = len(pairs)
    if rows < FEWEST_ROWS:
        verdict, reason = (
            Verdict.NOT_BETTER,
            f"{rows} rows are too few to tell; at least {FEWEST_ROWS} are needed",
        )
    elif gained <= lost:
        verdict, reason = (
            Verdict.NOT_BETTER,
            f"right where the other is not on {gained} rows, wrong on {lost}",
        )
    elif chance >= SURE:
        verdict = Verdict.NOT_BETTER
        reason = f"ahead on {gained} rows against {lost}, but chance alone does that in {chance:.0%} of such trials"
    else:
        verdict, reason = Verdict.BETTER, f"ahead on {gained} rows against {lost}; chance alone: {chance:.2%}"
    return Comparison(
        verdict=verdict,
        reason=reason,
        rows=rows,
        only_new_right=gained,
        only_old_right=lost,
        accuracy_new=sum(a for a, _ in pairs) / rows if rows else 0.0,
        accuracy_old=sum(b for _, b in pairs) / rows if rows else 0.0,
        chance=chance,
    )


def chance_of(gained: int, lost: int) -> float:
    """The two-sided exact chance that fair coins fall at least as unevenly."""
    tosses, fewer = gained + lost, min(gained, lost)
    if not tosses:
        return 1.0
    whole = lgamma(tosses + 1) - tosses * log(2)
    tail = sum(exp(whole - lgamma(k + 1) - lgamma(tosses - k + 1)) for k in range(fewer + 1))
    return min(1.0, 2 * tail)
