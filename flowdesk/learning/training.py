"""Learns a model from rows; needs scikit-learn, with the scipy that comes with it, imported when a training begins.

Few rows are learned by one linear support vector machine for each label (see `linear`), many by small networks that
vote (see `network`), over words, pairs of words and pieces of words. Confidence and threshold come from rows that what
answered them had not seen: the rows are dealt into parts, and each part is answered by what learned from the others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from flowdesk.learning.confidence import NONE, Confidence, choose_threshold, fit_confidence
from flowdesk.learning.drift import Seen, picture_of
from flowdesk.learning.examples import Example
from flowdesk.learning.layers import NARROW, Floats, Layers, Network, joined
from flowdesk.learning.linear import UNHEARD, fit_linear
from flowdesk.learning.model import Model, weigh
from flowdesk.learning.network import train_network
from flowdesk.learning.quality import Judged, quality_of
from flowdesk.learning.words import PIECE, WORD, is_meeting, parts_of, unknown_share

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_NUMBERS = 6_000_000  # features × columns: what bounds a model's size
MOST_FEATURES = 45_000
FEWEST_FEATURES = 2_000
FEWEST_FOR_NETWORKS = 2_000  # rows
LINE_PARTS, NETWORK_PARTS, NETWORKS = 3, 4, 10
NARROW_MINDED = 4  # of the networks, how many see no meetings of words, so that not all err alike
MOST_THREADS = 4
BEGIN, BEGIN_NETWORKS = Confidence(3.0, -2.0), Confidence(1.5, 0.0)
LONGEST_LABEL = 200
MOST_LABELS = 1_000

Positions = npt.NDArray[np.intp]  # of each row's label, or NONE
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


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What one network is trained on."""

    rows: npt.NDArray[np.bool_]
    features: npt.NDArray[np.bool_]


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
    from threadpoolctl import threadpool_limits

    labels = _labels_of(examples, out_of_scope)
    positions = {label: index for index, label in enumerate(labels)}
    truth = np.array([positions.get(one.label, NONE) for one in examples], dtype=np.intp)
    tell(f"reading {len(examples):,} rows")
    is_many = len(examples) >= FEWEST_FOR_NETWORKS
    parts = [parts_of(one.text) for one in examples]
    table = _table_of([one.counts for one in parts], columns=NARROW if is_many else len(labels))
    tell(f"learning {len(labels):,} labels from {len(table.features):,} features")
    # One thread for each network: its sums are too small to share, and come out the same however many cores there are.
    with threadpool_limits(1):
        layers, scores = (_networks if is_many else _lines)(table, truth, len(labels), tell)
    confidence = fit_confidence(scores, truth, begin=BEGIN if layers.outer is None else BEGIN_NETWORKS)
    shares = confidence.of(scores)
    inside = truth != NONE
    threshold = choose_threshold(
        shares.max(axis=1)[inside], is_right=shares.argmax(axis=1)[inside] == truth[inside]
    )
    steps = np.maximum(np.abs(layers.inner).max(axis=0), 1e-9).astype(np.float32) / np.float32(127)
    return Model(
        labels=labels,
        features=table.features,
        rarity=table.rarity,
        weights=np.rint(layers.inner / steps).astype(np.int8),
        steps=steps,
        offsets=layers.offsets,
        outer=layers.outer,
        confidence=confidence,
        threshold=threshold,
        figures=_figures(
            shares,
            truth,
            threshold,
            labels,
            [unknown_share(one.often, known=table.familiar) for one in parts],
        ),
        facts=dict(facts or {}),
        positions={name: index for index, name in enumerate(table.features)},
        words_end=table.words_end,
    )


def _figures(
    shares: npt.NDArray[np.float64],
    truth: Positions,
    threshold: float,
    labels: Sequence[str],
    unknown: Sequence[float],
) -> dict[str, Any]:
    """What the answers to unseen rows were like."""
    answers = [
        Seen(labels[best], sure < threshold, share)
        for best, sure, share in zip(shares.argmax(axis=1), shares.max(axis=1).tolist(), unknown, strict=True)
    ]
    judged = [
        Judged(None if true == NONE else labels[true], one.label, sure, one.abstained)
        for one, true, sure in zip(answers, truth, shares.max(axis=1).tolist(), strict=True)
    ]
    quality = quality_of(judged)
    return {
        "rows": quality.rows,
        "rows_out_of_scope": quality.rows_out_of_scope,
        "rows_by_label": {label: int((truth == index).sum()) for index, label in enumerate(labels)},
        "accuracy": quality.accuracy,
        "macro_f1": quality.macro_f1,
        "accuracy_of_best": quality.accuracy_of_best,
        "macro_f1_of_best": quality.macro_f1_of_best,
        "coverage": quality.coverage,
        "out_of_scope_recall": quality.out_of_scope_recall,
        "calibration_error": quality.calibration_error,
        "picture": asdict(picture_of(answers)),
    }


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


def _lines(table: _Table, truth: Positions, labels: int, tell: Tell) -> tuple[Layers, Floats]:
    """One model of all rows; the scores of each part come from one of the other parts."""
    matrix = table.matrix
    whole = fit_linear(matrix, truth, labels=labels)
    scores = np.full((len(truth), labels), UNHEARD, dtype=np.float32)
    for part, unseen in _parts_of(truth, LINE_PARTS):
        tell(f"trying it on rows it has not seen, part {part} of {LINE_PARTS}")
        if not unseen.all():
            scores[unseen] = fit_linear(matrix[~unseen], truth[~unseen], labels=labels).scores(matrix[unseen])
    return whole, scores


def _networks(table: _Table, truth: Positions, labels: int, tell: Tell) -> tuple[Layers, Floats]:
    """Several networks of all rows, to vote; the scores of each part come from one more, of the other parts."""
    every_row = np.ones(len(truth), dtype=np.bool_)
    every_feature = np.ones(len(table.features), dtype=np.bool_)
    no_meetings = np.array([not is_meeting(name) for name in table.features])
    unseen = [part for _, part in _parts_of(truth, NETWORK_PARTS)]
    lessons = [
        *[_Lesson(every_row, every_feature)] * (NETWORKS - NARROW_MINDED),
        *[_Lesson(every_row, no_meetings)] * NARROW_MINDED,
        *(_Lesson(~part, every_feature) for part in unseen),
    ]
    trained = []
    for network in _trained(table.matrix, truth, labels, lessons):
        trained.append(network)
        tell(f"trained network {len(trained)} of {len(lessons)}")
    scores = np.zeros((len(truth), labels), dtype=np.float32)
    for part, network in zip(unseen, trained[NETWORKS:], strict=True):
        scores[part] = network.scores(table.matrix[part])
    return joined(trained[:NETWORKS], table.matrix), scores


def _trained(
    matrix: csr_matrix, truth: Positions, labels: int, lessons: Sequence[_Lesson]
) -> Iterator[Network]:
    """A network for each lesson, as many at a time as there are processors, in the order of the lessons."""

    def train(seed: int) -> Network:
        rows, features = lessons[seed].rows, lessons[seed].features
        network = train_network(matrix[rows][:, features], truth[rows], labels=labels, seed=seed)
        inner = np.zeros((len(features), network.inner.shape[1]), dtype=np.float32)
        inner[features] = network.inner
        return replace(network, inner=inner)

    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as threads:
        yield from threads.map(train, range(len(lessons)))


def _parts_of(truth: Positions, parts: int) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """Each part once, counted from 1: a label's rows are spread evenly, in the order they came."""
    dealt = np.empty(len(truth), dtype=np.intp)
    for label in np.unique(truth):
        own = np.flatnonzero(truth == label)
        dealt[own] = (np.arange(len(own)) + label) % parts
    for part in range(parts):
        if (dealt == part).any():
            yield part + 1, dealt == part
