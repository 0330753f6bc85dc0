"""A trained model: what it answers, how sure it is, which words spoke for it, and when it keeps silent.

The numbers of the features in a text add up, straight to the labels' scores or through a small middle layer (see
`layers`); scores become confidences that add up to one together with "none of these". Numpy alone is needed for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowdesk.learning.confidence import Confidence
from flowdesk.learning.layers import Floats, Outer
from flowdesk.learning.words import WORD, Parts, edges_of, pairs_of, parts_of, pieces_of

MOST_REASONS = 6
MOST_RUNNERS_UP = 3


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    confidence: float  # 0 … 1: how often such an answer is right


@dataclass(frozen=True, slots=True)
class Reason:
    """A word, or two neighbours, and how much it spoke for the answer (above 0) or against it."""

    words: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The likeliest label; one that abstains names it all the same, for people, not for acting on."""

    label: str
    confidence: float
    abstains: bool
    runners_up: tuple[Choice, ...]
    reasons: tuple[Reason, ...]  # the strongest first
    unknown_share: float  # of the text's words, those the training never saw often enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a training left behind; `storage` turns it into bytes and back."""

    labels: tuple[str, ...]
    features: tuple[str, ...]  # words and pairs of words first, then pieces
    rarity: Floats  # of each feature: the rarer, the more it says
    weights: npt.NDArray[np.int8]  # features × columns, in steps; a column is a label, or leads to `outer`
    steps: Floats  # of each column: how much one step is
    offsets: Floats  # of each column: what it holds before a word was read
    outer: Outer | None  # from the columns to the labels, where they are not the labels
    confidence: Confidence
    threshold: float  # the model abstains below it
    figures: Mapping[str, Any]  # what the training measured
    facts: Mapping[str, Any]  # what the caller wanted kept: who, when, from what
    positions: Mapping[str, int]
    words_end: int  # the first position that is a piece

    def answer(self, text: str) -> Answer:
        """What the text is about, and why."""
        parts = parts_of(text)
        at, values = self._read(parts.counts)
        rows = self.weights[at].astype(np.float32)
        columns = (values @ rows) * self.steps + self.offsets
        scores = columns if self.outer is None else self.outer.scores(columns)
        shares = self.confidence.of(scores[None, :])[0]
        order = np.argsort(-shares, kind="stable")[: 1 + MOST_RUNNERS_UP]
        best = int(order[0])
        confidence = float(shares[best]) if len(at) else 0.0
        return Answer(
            label=self.labels[best],
            confidence=confidence,
            abstains=confidence < self.threshold,
            runners_up=tuple(Choice(self.labels[index], float(shares[index])) for index in order[1:]),
            reasons=self._reasons(parts, at, values * (rows @ self._direction(columns, best))),
            unknown_share=parts.unknown_share(self.positions),
        )

    def _read(self, counts: Mapping[str, int]) -> tuple[npt.NDArray[np.intp], Floats]:
        position = self.positions.get
        known = [(place, count) for name, count in counts.items() if (place := position(name)) is not None]
        table = np.array(known, dtype=np.intp).reshape(-1, 2)
        at = table[:, 0]
        return at, weigh(at, table[:, 1].astype(np.float32), rarity=self.rarity, words_end=self.words_end)

    def _direction(self, columns: Floats, label: int) -> Floats:
        """How much each column of the weights speaks for the label just now."""
        if self.outer is not None:
            return self.outer.direction(columns, label) * self.steps
        alone = np.zeros_like(self.steps)
        alone[label] = self.steps[label]
        return alone

    def _reasons(self, parts: Parts, at: npt.NDArray[np.intp], spoke: Floats) -> tuple[Reason, ...]:
        """A piece speaks in the name of the words that hold it, in equal shares."""
        counts, names = parts.counts, [self.features[index] for index in at]
        each = {name: weight / counts[name] for name, weight in zip(names, spoke.tolist(), strict=True)}
        weights = {
            word: times
            * (each.get(WORD + word, 0.0) + sum(each.get(piece, 0.0) for piece in pieces_of(word)))
            for word, times in parts.often.items()
        }
        for edge, word in zip(edges_of(parts.words), (*parts.words[:1], *parts.words[-1:]), strict=True):
            weights[word] += each.get(WORD + edge, 0.0)
        for pair in pairs_of(parts.words):
            if (weight := each.get(WORD + pair)) is not None:
                weights[pair] = weights.get(pair, 0.0) + weight
        strongest = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
        return tuple(Reason(words, weight) for words, weight in strongest if weight > 0)


def weigh(at: npt.NDArray[np.intp], often: Floats, *, rarity: Floats, words_end: int) -> Floats:
    """How much each feature counts in one text: said twice not double, and in a long text not more than in a short one.

    Words and pieces are brought to length one apart, so that the many pieces do not drown the few words.
    """
    values: Floats = (1 + np.log(often)) * rarity[at]
    are_words = at < words_end
    for those in (are_words, ~are_words):
        length = float(np.sqrt(np.square(values[those]).sum()))
        if length:
            values[those] /= length
    return values
