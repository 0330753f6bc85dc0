"""Whether today's texts are still like those a model learned from.

Three signs, each a difference a person can follow: more words the model never saw, more abstentions, another mix of
answers (Jensen-Shannon distance, 0 the same to 1 nothing in common). The picture of the training's own time is taken
on rows the model had not seen, and is kept in the model's figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log2, sqrt
from typing import Any

FEWEST_TEXTS = 50
MORE_UNKNOWN = 0.10  # shares of words
MORE_ABSTENTIONS = 0.10  # shares of answers
OTHER_MIX = 0.20


class DriftVerdict(StrEnum):
    STEADY = "steady"
    DRIFTING = "drifting"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a time looked like to the model."""

    texts: int
    abstained: float  # share
    unknown: float  # mean share of a text's words
    mix: Mapping[str, float]  # each label's share of the answers that were given


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    verdict: DriftVerdict
    reasons: tuple[str, ...]
    more_abstained: float
    more_unknown: float
    mix_distance: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of one answer for the picture."""

    label: str
    abstained: bool
    unknown: float


def picture_of(seen: Sequence[Seen]) -> Picture:
    given = Counter(one.label for one in seen if not one.abstained)
    answers = sum(given.values())
    return Picture(
        texts=len(seen),
        abstained=sum(one.abstained for one in seen) / len(seen) if seen else 0.0,
        unknown=sum(one.unknown for one in seen) / len(seen) if seen else 0.0,
        mix={label: times / answers for label, times in sorted(given.items())},
    )


def picture_in(figures: Mapping[str, Any]) -> Picture:
    """The picture a training kept in its model's figures."""
    kept = figures["picture"]
    return Picture(
        texts=kept["texts"], abstained=kept["abstained"], unknown=kept["unknown"], mix=dict(kept["mix"])
    )


def drift_between(then: Picture, now: Picture) -> Drift:
    """How `now` differs from `then`, the training's own time."""
    abstained, unknown = now.abstained - then.abstained, now.unknown - then.unknown
    distance = mix_distance(then.mix, now.mix) if then.mix and now.mix else 0.0
    if min(then.texts, now.texts) < FEWEST_TEXTS:
        verdict = DriftVerdict.TOO_FEW
        reasons = [f"{min(then.texts, now.texts)} texts are too few to tell; {FEWEST_TEXTS} are needed"]
    else:
        reasons = []
        if unknown > MORE_UNKNOWN:
            reasons.append(f"unknown words rose from {then.unknown:.0%} to {now.unknown:.0%}")
        if abstained > MORE_ABSTENTIONS:
            reasons.append(f"abstentions rose from {then.abstained:.0%} to {now.abstained:.0%}")
        # Few answers differ by chance alone, the more so the more labels they are spread over.
        if distance > OTHER_MIX + _chance_distance(then, now):
            reasons.append(f"the mix of answers moved by {distance:.2f} of 1")
        verdict = DriftVerdict.DRIFTING if reasons else DriftVerdict.STEADY
    return Drift(
        verdict=verdict,
        reasons=tuple(reasons),
        more_abstained=abstained,
        more_unknown=unknown,
        mix_distance=distance,
    )


def mix_distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Jensen-Shannon distance of two mixes, each of which adds up to one."""
    total = 0.0
    for label in sorted({*one, *other}):
        here, there = one.get(label, 0.0), other.get(label, 0.0)
        middle = (here + there) / 2
        total += sum(share * log2(share / middle) for share in (here, there) if share > 0) / 2
    return sqrt(max(0.0, total))


def _chance_distance(then: Picture, now: Picture) -> float:
    """About how far two samples of one mix lie apart: root of (labels - 1) / (8 ln 2) × (1/n + 1/m)."""
    labels = len({*then.mix, *now.mix})
    answers = [max(1.0, picture.texts * (1 - picture.abstained)) for picture in (then, now)]
    return sqrt(max(0, labels - 1) / 5.545 * sum(1 / count for count in answers))
