"""How good answers are: one set of figures for training, the command, the pages and the benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flowdesk.learning.examples import Example
from flowdesk.learning.model import Model

BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One row with its answer. `truth` is None where the row is out of scope."""

    truth: str | None
    label: str
    confidence: float
    abstains: bool

    @property
    def is_right(self) -> bool:
        """Whether the best label is the true one, abstained or not."""
        return self.truth == self.label

    @property
    def is_served_right(self) -> bool:
        """Whether acting on it is right: silence is right out of scope and nowhere else."""
        return self.abstains if self.truth is None else self.is_right and not self.abstains


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Confusion:
    truth: str
    answered: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """At the threshold, where an abstention on a row in scope is wrong; `…_of_best` as if the model never abstained."""

    rows: int
    rows_in_scope: int
    rows_out_of_scope: int
    accuracy: float | None  # in scope: answered and right, of all
    macro_f1: float | None  # in scope, over the labels that have rows
    accuracy_of_best: float | None
    macro_f1_of_best: float | None
    coverage: float | None  # share of rows in scope that are answered
    accuracy_of_answered: float | None  # in scope: right, of the answered
    out_of_scope_recall: float | None  # share of rows out of scope that are abstained from
    served_right: float  # all rows: answered right, or rightly abstained
    calibration_error: float | None  # confidence against how often it is right, over all rows
    labels: tuple[LabelFigures, ...]
    confusions: tuple[Confusion, ...]  # of best labels, the commonest first


def judge(model: Model, examples: Sequence[Example], *, out_of_scope: str | None = None) -> list[Judged]:
    """The model's answers to rows whose truth is known."""
    judged = []
    for one in examples:
        answer = model.answer(one.text)
        truth = None if one.label == out_of_scope else one.label
        judged.append(Judged(truth, answer.label, answer.confidence, answer.abstains))
    return judged


def quality_of(judged: Sequence[Judged], *, most_confusions: int = 10) -> Quality:
    inside = [one for one in judged if one.truth is not None]
    outside = [one for one in judged if one.truth is None]
    answered = [one for one in inside if not one.abstains]
    labels = label_table(inside)
    pairs = Counter((str(one.truth), one.label) for one in inside if not one.is_right)
    common = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:most_confusions]
    return Quality(
        rows=len(judged),
        rows_in_scope=len(inside),
        rows_out_of_scope=len(outside),
        accuracy=_share(one.is_served_right for one in inside),
        macro_f1=_macro_f1(labels),
        accuracy_of_best=_share(one.is_right for one in inside),
        macro_f1_of_best=_macro_f1(label_table([replace(one, abstains=False) for one in inside])),
        coverage=_share(not one.abstains for one in inside),
        accuracy_of_answered=_share(one.is_right for one in answered),
        out_of_scope_recall=_share(one.abstains for one in outside),
        served_right=_share(one.is_served_right for one in judged) or 0.0,
        calibration_error=calibration_error(judged),
        labels=labels,
        confusions=tuple(Confusion(truth, label, times) for (truth, label), times in common),
    )


def label_table(inside: Sequence[Judged]) -> tuple[LabelFigures, ...]:
    """Precision, recall and F1 of every label that is true or was answered; an abstention answers none."""
    support = Counter(str(one.truth) for one in inside)
    answered = Counter(one.label for one in inside if not one.abstains)
    right = Counter(one.label for one in inside if one.is_served_right)
    table = []
    for label in sorted(support | answered):
        precision = right[label] / answered[label] if answered[label] else 0.0
        recall = right[label] / support[label] if support[label] else 0.0
        both = precision + recall
        table.append(
            LabelFigures(
                label=label,
                precision=precision,
                recall=recall,
                f1=2 * precision * recall / both if both else 0.0,
                support=support[label],
            )
        )
    return tuple(table)


def _macro_f1(table: Sequence[LabelFigures]) -> float | None:
    with_rows = [one.f1 for one in table if one.support]
    return sum(with_rows) / len(with_rows) if with_rows else None


def calibration_error(judged: Sequence[Judged]) -> float | None:
    """Expected calibration error over ten equal bins: how far confidence is from the share that is right."""
    if not judged:
        return None
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.is_right for one in judged], dtype=np.float64)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean()
        for one in np.unique(bins)
    ]
    return float(sum(gaps))


def _share(truths: Iterable[bool]) -> float | None:
    held = list(truths)
    return sum(held) / len(held) if held else None
