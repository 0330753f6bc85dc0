"""Learns a model from rows. The only place that needs scikit-learn, imported when a training begins.

One linear support vector machine for each label against all others, over words, pairs of words and pieces of words.
Rows out of scope are learned as a label of their own that is never answered. Confidence and threshold come from rows
the answering model had not seen: the rows are dealt into parts, and each part is answered by a model of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from flowdesk.learning.confidence import NONE, choose_threshold, fit_confidence
from flowdesk.learning.drift import Seen, picture_of
from flowdesk.learning.examples import Example
from flowdesk.learning.model import Floats, Model, weigh
from flowdesk.learning.words import PIECE, WORD, parts_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_NUMBERS = 6_000_000  # features × labels: what bounds a model's size
MOST_FEATURES = 60_000
FEWEST_FEATURES = 2_000
PARTS = 3
STRICTNESS = 0.7  # how dear a wrong row is to the machine (C)
LONGEST_LABEL = 200
MOST_LABELS = 1_000

Tell = Callable[[str], None]


class CannotLearn(Exception):
    """These rows teach nothing."""


class NoTrainer(Exception):
    """Training needs scikit-learn, which is not installed: pip install 'flowdesk[ml]'. Answering does without."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows as numbers."""

    matrix: csr_matrix
    features: tuple[str, ...]
    rarity: Floats
    words_end: int
    familiar: Set[str]  # words that stay known when any one row is left out


def train_model(
    examples: Sequence[Example],
    *,
    out_of_scope: str | None = None,
    facts: Mapping[str, Any] | None = None,
    tell: Tell = lambda words: None,
) -> Model:
    """A model of these rows; `facts` (who, when, from what: JSON values) are kept in it as they are.

    Rows labelled `out_of_scope` teach it what to abstain on. Raises CannotLearn and NoTrainer.
    """
    must_have_trainer()
    labels = _labels_of(examples, out_of_scope)
    positions = {label: index for index, label in enumerate(labels)}
    truth = np.array([positions.get(one.label, NONE) for one in examples], dtype=np.intp)
    tell(f"reading {len(examples):,} rows")
    parts = [parts_of(one.text) for one in examples]
    table = _table_of([one.counts for one in parts], columns=len(labels))
    tell(f"learning {len(labels):,} labels from {len(table.features):,} features")
    weights, offsets = _fit(table.matrix, truth, len(labels))
    scores = np.full((len(truth), len(labels)), -2.0, dtype=np.float32)
    dealt = _dealt(truth)
    for part in range(PARTS):
        tell(f"trying it on rows it has not seen, part {part + 1} of {PARTS}")
        unseen = dealt == part
        if (~unseen).any() and unseen.any():
            part_weights, part_offsets = _fit(table.matrix[~unseen], truth[~unseen], len(labels))
            scores[unseen] = table.matrix[unseen] @ part_weights + part_offsets
    confidence = fit_confidence(scores, truth)
    shares = confidence.of(scores)
    top, best = shares.max(axis=1), shares.argmax(axis=1)
    in_scope = truth != NONE
    threshold = choose_threshold(top[in_scope], is_right=best[in_scope] == truth[in_scope])
    labelled = [labels[index] for index in best]
    picture = picture_of(
        [
            Seen(label, sure < threshold, unknown)
            for label, sure, unknown in zip(
                labelled, top.tolist(), (one.unknown_share(table.familiar) for one in parts), strict=True
            )
        ]
    )
    steps = np.maximum(np.abs(weights).max(axis=0), 1e-9).astype(np.float32) / np.float32(127)
    return Model(
        labels=labels,
        features=table.features,
        rarity=table.rarity,
        weights=np.rint(weights / steps).astype(np.int8),
        steps=steps,
        offsets=offsets,
        confidence=confidence,
        threshold=threshold,
        figures={
            "rows": len(examples),
            "rows_out_of_scope": int((~in_scope).sum()),
            "rows_by_label": {label: int((truth == index).sum()) for index, label in enumerate(labels)},
            "accuracy": float((best[in_scope] == truth[in_scope]).mean()),
            "coverage": float((top[in_scope] >= threshold).mean()),
            "picture": asdict(picture),
        },
        facts=dict(facts or {}),
        positions={name: index for index, name in enumerate(table.features)},
        words_end=table.words_end,
    )


def must_have_trainer() -> None:
    """Raises NoTrainer where scikit-learn is missing."""
    try:
        import sklearn.svm  # noqa: F401  (asked for, not used)
    except ImportError as missing:
        raise NoTrainer((NoTrainer.__doc__ or "").strip()) from missing


def _labels_of(examples: Sequence[Example], out_of_scope: str | None) -> tuple[str, ...]:
    labels = sorted({str(one.label) for one in examples} - {out_of_scope})
    if len(labels) < 2:
        raise CannotLearn(f"there are rows of {len(labels)} labels; at least two are needed to tell apart")
    if len(labels) > MOST_LABELS:
        raise CannotLearn(
            f"there are {len(labels):,} labels, more than {MOST_LABELS:,}: is this the right column?"
        )
    for label in labels:
        if len(label) > LONGEST_LABEL:
            raise CannotLearn(f"the label {label[:40]!r}… is longer than {LONGEST_LABEL} characters")
    return tuple(labels)


def _dealt(truth: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Which part each row goes to: a label's rows are spread evenly, in the order they came."""
    parts = np.empty(len(truth), dtype=np.intp)
    for label in np.unique(truth):
        own = np.flatnonzero(truth == label)
        parts[own] = (np.arange(len(own)) + label) % PARTS
    return parts


def _table_of(counted: Sequence[Mapping[str, int]], *, columns: int) -> _Table:
    from scipy.sparse import csr_matrix

    frequency = Counter(name for counts in counted for name in counts)
    least = 1 if len(counted) < 100 else 2
    room = min(MOST_FEATURES, max(FEWEST_FEATURES, MOST_NUMBERS // columns))
    common = sorted(
        (name for name, times in frequency.items() if times >= least),
        key=lambda name: (-frequency[name], name),
    )[:room]
    words = sorted(name for name in common if name.startswith(WORD))
    features = (*words, *sorted(name for name in common if name.startswith(PIECE)))
    if not features:
        raise CannotLearn("the rows hold no words")
    positions = {name: index for index, name in enumerate(features)}
    seen = np.array([frequency[name] for name in features], dtype=np.float64)
    rarity = (np.log((1 + len(counted)) / (1 + seen)) + 1).astype(np.float32)
    ends, at, values = [0], [], []
    for counts in counted:
        known = [(positions[name], count) for name, count in counts.items() if name in positions]
        index = np.array([one for one, _ in known], dtype=np.intp)
        often = np.array([count for _, count in known], dtype=np.float32)
        at.append(index)
        values.append(weigh(index, often, rarity=rarity, words_end=len(words)))
        ends.append(ends[-1] + len(index))
    matrix = csr_matrix(
        (np.concatenate(values), np.concatenate(at), ends),
        shape=(len(counted), len(features)),
        dtype=np.float32,
    )
    matrix.sort_indices()
    familiar = {name for name in words if frequency[name] > least}
    return _Table(matrix, features, rarity, len(words), familiar)


def _fit(
    matrix: csr_matrix, truth: npt.NDArray[np.intp], columns: int
) -> tuple[npt.NDArray[np.float32], Floats]:
    """Weights and offsets of every label; one without rows here scores what nothing scores."""
    from sklearn.svm import LinearSVC

    weights = np.zeros((matrix.shape[1], columns), dtype=np.float32)
    offsets = np.full(columns, -2.0, dtype=np.float32)
    present = np.unique(truth)
    if len(present) < 2:
        return weights, offsets
    machine = LinearSVC(C=STRICTNESS, random_state=0).fit(matrix, truth)
    found, shift = machine.coef_, machine.intercept_
    if len(present) == 2:  # the machine then holds one row, for the second label against the first
        found, shift = np.vstack([-found, found]), np.concatenate([-shift, shift])
    for row, label in enumerate(present):
        if label != NONE:
            weights[:, label], offsets[label] = found[row], shift[row]
    return weights, offsets
