"""The numbers of a model between a text's features and its labels' scores: a straight line, or networks behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]

NARROW = 128  # columns that the networks' many columns are told from, so that a model stays small
MOST_ROWS = 5_000  # that these columns are told from: so many, evenly taken, show where all others lie


@dataclass(frozen=True, slots=True)
class Outer:
    """From the narrow columns to the middles of all networks, and on to the labels."""

    spread: Floats  # narrow × middle
    middle_offsets: Floats
    weights: Floats  # middle × labels
    offsets: Floats

    def scores(self, narrow: Floats) -> Floats:
        found: Floats = np.maximum(self._before(narrow), 0) @ self.weights + self.offsets
        return found

    def direction(self, narrow: Floats, label: int) -> Floats:
        """How much each narrow column speaks for the label just now."""
        awake = self._before(narrow) > 0
        found: Floats = self.spread @ (self.weights[:, label] * awake)
        return found

    def _before(self, narrow: Floats) -> Floats:
        found: Floats = narrow @ self.spread + self.middle_offsets
        return found


@dataclass(frozen=True, slots=True)
class Layers:
    inner: Floats  # features × labels, or features × narrow where there is an outer layer
    offsets: Floats
    outer: Outer | None = None

    def scores(self, matrix: csr_matrix) -> Floats:
        found: Floats = np.asarray(matrix @ self.inner + self.offsets, dtype=np.float32)
        return found if self.outer is None else self.outer.scores(found)


@dataclass(frozen=True, slots=True)
class Network:
    """One network as it was trained."""

    inner: Floats  # features × middle
    middle_offsets: Floats
    weights: Floats  # middle × labels
    offsets: Floats

    def scores(self, matrix: csr_matrix) -> Floats:
        middle = np.maximum(matrix @ self.inner + self.middle_offsets, 0)
        found: Floats = middle @ self.weights + self.offsets
        return found


def joined(networks: list[Network], matrix: csr_matrix) -> Layers:
    """One model whose scores are about the mean of the networks'.

    What the middles of all networks hold for the training's rows lies near few directions, since all learned the same:
    only those are kept (the strongest of a principal component analysis).
    """
    inner = np.hstack([one.inner for one in networks])
    held = (matrix[:: 1 + matrix.shape[0] // MOST_ROWS] @ inner).astype(np.float64)
    _, directions = np.linalg.eigh(held.T @ held)
    # A direction may as well be its own opposite: the sign is settled, so that the same rows give the same bytes.
    kept = directions[:, ::-1][:, :NARROW]
    kept = (kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])).astype(np.float32)
    share = np.float32(1 / len(networks))
    outer = Outer(
        spread=np.ascontiguousarray(kept.T),
        middle_offsets=np.concatenate([one.middle_offsets for one in networks]),
        weights=np.vstack([one.weights for one in networks]) * share,
        offsets=np.mean([one.offsets for one in networks], axis=0).astype(np.float32),
    )
    return Layers(inner @ kept, np.zeros(kept.shape[1], dtype=np.float32), outer)
