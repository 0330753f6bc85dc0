"""Trains small networks with one middle layer: what many rows can carry, and better than a line through them.

In each round a share of every text's features and of the middle is hidden by chance, which keeps a network from
leaning on single words. The chance is seeded: the same rows give the same network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowdesk.learning.layers import Floats, Network

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MIDDLE = 96
FEATURES_HIDDEN, MIDDLE_HIDDEN = 0.6, np.float32(0.3)
MOST_SEEN = 200  # features of a long text in one round, on the average: the others are hidden too
DOUBT = 0.1  # how much of a row's truth is spread over all labels, since some labels are wrong
FIRST_SPREAD = 0.01
FADE, SQUARE_FADE, LITTLE = np.float32(0.9), np.float32(0.999), np.float32(1e-7)


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long and how fast a network learns."""

    rounds: int
    batch: int
    rate: float


MUCH = 3_600_000  # features in all rows, and a hundred more for each row: the pace is hasty above it
USUAL, HASTY = _Pace(rounds=12, batch=128, rate=0.008), _Pace(rounds=10, batch=256, rate=0.014)


def train_network(matrix: csr_matrix, truth: npt.NDArray[np.intp], *, labels: int, seed: int) -> Network:
    """`truth` holds label positions, or a negative number for rows out of scope: no label shall stand out there."""
    pace = HASTY if matrix.nnz + 100 * len(truth) > MUCH else USUAL
    hidden = max(FEATURES_HIDDEN, 1 - MOST_SEEN * len(truth) / max(1, matrix.nnz))
    learner = _Rounds(matrix.shape[1], labels, hidden=hidden, seed=seed)
    wanted = np.full((len(truth), labels), DOUBT / labels, dtype=np.float32)
    inside = np.flatnonzero(truth >= 0)
    wanted[inside, truth[inside]] += 1 - DOUBT
    wanted[truth < 0] = 1 / labels
    batches = -(-len(truth) // pace.batch)
    for done in range(pace.rounds):
        order = learner.chance.permutation(len(truth))
        for batch in range(batches):
            rows = order[batch * pace.batch : (batch + 1) * pace.batch]
            left = 1 - (done * batches + batch) / (pace.rounds * batches)
            learner.learn(matrix[rows], wanted[rows], rate=pace.rate * left)
    return learner.network()


class _Learner:
    """One array of numbers, moved by Adam."""

    def __init__(self, start: npt.NDArray[np.floating]) -> None:
        self.numbers: Floats = start.astype(np.float32)
        self._mean, self._square = np.zeros_like(self.numbers), np.zeros_like(self.numbers)

    def move(self, slope: Floats, *, rate: float) -> None:
        self._mean += (1 - FADE) * (slope - self._mean)
        self._square += (1 - SQUARE_FADE) * (slope * slope - self._square)
        self.numbers -= np.float32(rate) * self._mean / (np.sqrt(self._square) + LITTLE)

    def move_rows(self, rows: npt.NDArray[np.intp], slope: Floats, *, rate: float) -> None:
        """Only the rows that took part: a batch holds few of all features. In place, since it is most of the work."""
        mean, square = self._mean[rows], self._square[rows]
        mean *= FADE
        mean += (1 - FADE) * slope
        square *= SQUARE_FADE
        slope *= slope
        slope *= 1 - SQUARE_FADE
        square += slope
        self._mean[rows], self._square[rows] = mean, square
        np.sqrt(square, out=square)
        square += LITTLE
        mean /= square
        mean *= np.float32(rate)
        self.numbers[rows] -= mean


class _Rounds:
    def __init__(self, features: int, labels: int, *, hidden: float, seed: int) -> None:
        self._hidden = np.float32(hidden)
        self.chance = np.random.default_rng(seed)
        self._inner = _Learner(
            self.chance.standard_normal((features, MIDDLE), dtype=np.float32) * FIRST_SPREAD
        )
        self._inner_offsets = _Learner(np.zeros(MIDDLE))
        self._outer = _Learner(self.chance.standard_normal((MIDDLE, labels)) / np.sqrt(MIDDLE))
        self._outer_offsets = _Learner(np.zeros(labels))
        self._steps = 0

    def learn(self, rows: csr_matrix, wanted: Floats, *, rate: float) -> None:
        present, seen = self._with_some_hidden(rows)
        before = seen @ self._inner.numbers[present] + self._inner_offsets.numbers
        kept = self.chance.random(before.shape, dtype=np.float32) >= MIDDLE_HIDDEN
        gate = (kept & (before > 0)) / (1 - MIDDLE_HIDDEN)
        middle = before * gate
        off = (_shares(middle @ self._outer.numbers + self._outer_offsets.numbers) - wanted) / np.float32(
            len(wanted)
        )
        off_middle = (off @ self._outer.numbers.T) * gate
        self._steps += 1
        rate *= (1 - float(SQUARE_FADE) ** self._steps) ** 0.5 / (1 - float(FADE) ** self._steps)
        self._outer.move(middle.T @ off, rate=rate)
        self._outer_offsets.move(off.sum(axis=0), rate=rate)
        self._inner_offsets.move(off_middle.sum(axis=0), rate=rate)
        self._inner.move_rows(present, seen.T @ off_middle, rate=rate)

    def _with_some_hidden(self, rows: csr_matrix) -> tuple[npt.NDArray[np.intp], csr_matrix]:
        """The features that take part, and the rows over those alone."""
        from scipy.sparse import csr_matrix as sparse

        kept = self.chance.random(rows.nnz, dtype=np.float32) >= self._hidden
        columns = rows.indices[kept]
        taking_part = np.zeros(rows.shape[1], dtype=np.bool_)
        taking_part[columns] = True
        present = np.flatnonzero(taking_part)
        at = (np.cumsum(taking_part) - 1)[columns]
        ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
        values = rows.data[kept] / (1 - self._hidden)
        return present, sparse((values, at, ends), shape=(rows.shape[0], len(present)))

    def network(self) -> Network:
        """Scores are made to average nought over the labels, so that a high one stands out by itself."""
        outer, offsets = self._outer.numbers, self._outer_offsets.numbers
        return Network(
            self._inner.numbers,
            self._inner_offsets.numbers,
            outer - outer.mean(axis=1, keepdims=True),
            offsets - offsets.mean(),
        )


def _shares(scores: Floats) -> Floats:
    shares: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
