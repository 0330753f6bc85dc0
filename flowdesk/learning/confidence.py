"""From scores to confidences, and the threshold under which a model keeps silent.

Both are fitted on answers to rows that the answering model had not seen (see `training`), never on a test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
NONE = -1  # the true answer of a row that is out of scope

MOST_LOST = 0.005


@dataclass(frozen=True, slots=True)
class Confidence:
    """Scores become shares of one; "none of these" takes part with a score of its own, and keeps its share."""

    sharpness: float
    none_score: float

    def of(self, scores: Array) -> npt.NDArray[np.float64]:
        """Rows of scores to rows of confidences; what a row lacks to one is the share of none of these."""
        sharp = self.sharpness * scores.astype(np.float64)
        top = np.maximum(sharp.max(axis=1, keepdims=True), self.none_score)
        shares = np.exp(sharp - top)
        found: npt.NDArray[np.float64] = shares / (
            shares.sum(axis=1, keepdims=True) + np.exp(self.none_score - top)
        )
        return found


PULL = 4.0  # how many rows' surprise a large step away from it is worth


def fit_confidence(scores: Array, truth: npt.NDArray[np.intp], *, begin: Confidence) -> Confidence:
    """The two numbers under which the truth was likeliest; `truth` holds label positions, or NONE.

    A shrinking grid, not an optimiser: two numbers, no library, the same answer everywhere. Few rows cannot carry
    it far from where it begins.
    """
    sharpness, none_score, reach = begin.sharpness, begin.none_score, 4.0
    best = _surprise(scores, truth, begin, begin)
    while reach > 0.02:
        better = None
        for factor in (2 ** (-reach / 4), 1.0, 2 ** (reach / 4)):
            for shift in (-reach, 0.0, reach):
                near = Confidence(
                    float(np.clip(sharpness * factor, 0.1, 60.0)),
                    float(np.clip(none_score + shift, -30.0, 30.0)),
                )
                surprise = _surprise(scores, truth, near, begin)
                if surprise < best - 1e-9:
                    best, better = surprise, near
        if better is None:
            reach /= 2
        else:
            sharpness, none_score = better.sharpness, better.none_score
    return Confidence(sharpness, none_score)


def _surprise(scores: Array, truth: npt.NDArray[np.intp], under: Confidence, begin: Confidence) -> float:
    shares = under.of(scores)
    rows = np.arange(len(truth))
    of_truth = np.where(truth == NONE, 1 - shares.sum(axis=1), shares[rows, np.maximum(truth, 0)])
    pull = (
        np.log(under.sharpness / begin.sharpness) ** 2 + (under.none_score - begin.none_score) ** 2 / 4
    ) / 2
    return float((-np.log(np.maximum(of_truth, 1e-6)).sum() + PULL * pull) / max(1, len(truth)))


def choose_threshold(confidence: Array, *, is_right: npt.NDArray[np.bool_]) -> float:
    """The highest threshold that takes the right answer from no more than one row in two hundred."""
    kept = np.sort(confidence[is_right])
    may_lose = int(MOST_LOST * len(confidence))
    if not len(kept):
        return 0.5
    return float(kept[min(may_lose, len(kept) - 1)])
