"""A trained model: what it answers, how sure it is, which words spoke for it, and when it keeps silent.

The numbers of the features in a text add up, straight to the labels' scores or through a small middle layer (see
`layers`); scores become confidences that add up to one together with "none of these". Numpy alone is needed for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flowdesk.learning.confidence import Confidence
from flowdesk.learning.layers import Floats, Outer
from flowdesk.learning.words import (
    WORD,
    edges_of,
    meetings_of,
    pairs_of,
    pieces_of,
    times_of,
    unknown_share,
    words_of,
)

MOST_REASONS = 6
MOST_RUNNERS_UP = 3
MOST_PLACES = 10_000  # words, a few megabytes

Places = npt.NDArray[np.intp]
NOWHERE: Places = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    confidence: float  # 0 … 1: how often such an answer is right


@dataclass(frozen=True, slots=True)
class Reason:
    """A word, or two words, and how much it spoke for the answer (above 0) or against it."""

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
    places: dict[str, Places] = field(default_factory=dict, compare=False, repr=False)  # of words met before

    def answer(self, text: str) -> Answer:
        """What the text is about, and why."""
        reading = self._read(text)
        at, values = reading.at, reading.values
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
            reasons=self._reasons(reading, values * (rows @ self._direction(columns, best))),
            unknown_share=unknown_share(reading.often, known=self.positions),
        )

    def _read(self, text: str) -> _Reading:
        words = words_of(text)
        often = times_of(words)
        places = [self._places_of(word) for word in often]
        lengths = [len(one) for one in places]
        of_words = np.concatenate([NOWHERE, *places])
        times = np.repeat(np.fromiter(often.values(), dtype=np.float64, count=len(often)), lengths)
        pairs = [
            (shown, place)
            for name, shown in (*pairs_of(words), *meetings_of(often), *edges_of(words))
            if (place := self.positions.get(WORD + name)) is not None
        ]
        counts = np.bincount(of_words, weights=times, minlength=len(self.features)).astype(np.float64)
        for _, place in pairs:
            counts[place] += 1
        at = np.flatnonzero(counts)
        values = weigh(at, counts[at].astype(np.float32), rarity=self.rarity, words_end=self.words_end)
        return _Reading(
            often=often,
            of_words=of_words,
            holders=np.repeat(np.arange(len(often)), lengths),
            times=times,
            pairs=pairs,
            counts=counts,
            at=at,
            values=values,
        )

    def _places_of(self, word: str) -> Places:
        """Where a word and its pieces stand among the features; kept for the words that come again and again."""
        found = self.places.get(word)
        if found is None:
            names = (WORD + word, *pieces_of(word))
            known = [place for name in names if (place := self.positions.get(name)) is not None]
            found = np.array(known, dtype=np.intp)
            if len(self.places) < MOST_PLACES:
                self.places[word] = found
        return found

    def _direction(self, columns: Floats, label: int) -> Floats:
        """How much each column of the weights speaks for the label just now."""
        if self.outer is not None:
            return self.outer.direction(columns, label) * self.steps
        alone = np.zeros_like(self.steps)
        alone[label] = self.steps[label]
        return alone

    def _reasons(self, reading: _Reading, spoke: Floats) -> tuple[Reason, ...]:
        """A piece speaks in the name of the words that hold it, in equal shares."""
        each = np.zeros(len(self.features))
        each[reading.at] = spoke / reading.counts[reading.at]
        of_words = np.bincount(
            reading.holders, weights=each[reading.of_words] * reading.times, minlength=len(reading.often)
        )
        weights = dict(zip(reading.often, of_words.tolist(), strict=True))
        for shown, place in reading.pairs:
            weights[shown] = weights.get(shown, 0.0) + float(each[place])
        strongest = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:MOST_REASONS]
        return tuple(Reason(words, weight) for words, weight in strongest if weight > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One text as the model sees it: each known feature once, and which words it came from."""

    often: Mapping[str, int]
    of_words: Places  # the features of each unlike word, one after the other
    holders: Places  # of each of those, which word it is of
    times: npt.NDArray[np.float64]  # and how often that word stands there
    pairs: Sequence[tuple[str, int]]  # what two words or an edge are shown as, and its feature
    counts: npt.NDArray[np.float64]  # of every feature there is
    at: Places  # the features that are there
    values: Floats  # and how much each counts


def weigh(at: Places, often: Floats, *, rarity: Floats, words_end: int) -> Floats:
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
