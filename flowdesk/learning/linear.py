"""Fits one linear support vector machine for each label against all others: what few rows can carry.

The only place that needs scikit-learn, imported when a training begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from flowdesk.learning.layers import Layers

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

STRICTNESS = 0.7  # how dear a wrong row is to the machine (C)
UNHEARD = -2.0  # what a label without rows scores, whatever the text


def fit_linear(matrix: csr_matrix, truth: npt.NDArray[np.intp], *, labels: int) -> Layers:
    """`truth` holds label positions, or a negative number for rows out of scope: a label that is never answered."""
    from sklearn.svm import LinearSVC

    weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
    offsets = np.full(labels, UNHEARD, dtype=np.float32)
    present = np.unique(truth)
    if len(present) < 2:
        return Layers(weights, offsets)
    machine = LinearSVC(C=STRICTNESS, random_state=0).fit(matrix, truth)
    found, shift = machine.coef_, machine.intercept_
    if len(present) == 2:  # the machine then holds one row, for the second label against the first
        found, shift = np.vstack([-found, found]), np.concatenate([-shift, shift])
    for row, label in enumerate(present):
        if label >= 0:
            weights[:, label], offsets[label] = found[row], shift[row]
    return Layers(weights, offsets)
