"""The figures that say how good answers are."""

from __future__ import annotations

import pytest

from flowdesk.learning.comparison import DifferentRows, Verdict, chance_of, compare
from flowdesk.learning.examples import Example
from flowdesk.learning.model import Model
from flowdesk.learning.quality import Judged, calibration_error, judge, quality_of


def judged(truth: str | None, label: str, *, sure: float = 1.0, silent: bool = False) -> Judged:
    return Judged(truth, label, sure, silent)


FIVE = [
    judged("a", "a"),
    judged("a", "b"),
    judged("b", "b", silent=True),
    judged(None, "a", silent=True),
    judged(None, "b"),
]


def test_an_abstention_in_scope_is_wrong() -> None:
    assert quality_of(FIVE).accuracy == pytest.approx(1 / 3)


def test_the_best_labels_accuracy_does_not_ask_for_abstentions() -> None:
    assert quality_of(FIVE).accuracy_of_best == pytest.approx(2 / 3)


def test_an_abstention_out_of_scope_is_right() -> None:
    assert quality_of(FIVE).out_of_scope_recall == 0.5


def test_all_rows_together_count_right_answers_and_right_silences() -> None:
    assert quality_of(FIVE).served_right == pytest.approx(2 / 5)


def test_coverage_is_the_share_of_rows_in_scope_that_are_answered() -> None:
    assert quality_of(FIVE).coverage == pytest.approx(2 / 3)


def test_accuracy_of_the_answered_asks_them_alone() -> None:
    assert quality_of(FIVE).accuracy_of_answered == 0.5


def test_each_label_has_precision_recall_f1_and_its_rows() -> None:
    a, b = quality_of(FIVE).labels

    assert (a.precision, a.recall, a.f1, a.support) == (1.0, 0.5, pytest.approx(2 / 3), 2)
    assert (b.precision, b.recall, b.f1, b.support) == (0.0, 0.0, 0.0, 1)


def test_macro_f1_weighs_a_rare_label_like_a_common_one() -> None:
    rows = [judged("common", "common")] * 99 + [judged("rare", "common")]

    assert quality_of(rows).macro_f1 == pytest.approx(0.4975, abs=0.0001)


def test_a_label_answered_that_no_row_has_does_not_lower_macro_f1_twice() -> None:
    assert quality_of([judged("a", "a"), judged("a", "c")]).macro_f1 == pytest.approx(2 / 3)


def test_confusions_are_told_the_commonest_first() -> None:
    rows = [judged("a", "b"), judged("b", "c"), judged("b", "c"), judged("c", "c")]

    found = [(one.truth, one.answered, one.times) for one in quality_of(rows).confusions]
    assert found == [("b", "c", 2), ("a", "b", 1)]


def test_without_rows_there_are_no_figures_but_no_fault_either() -> None:
    assert quality_of([]).accuracy is None


def test_confidence_that_comes_true_has_no_calibration_error() -> None:
    rows = [judged("a", "a", sure=0.75)] * 3 + [judged("a", "b", sure=0.75)]

    assert calibration_error(rows) == pytest.approx(0)


def test_confidence_that_is_too_high_is_an_error_of_as_much() -> None:
    rows = [judged("a", "a", sure=0.95), judged("a", "b", sure=0.95)]

    assert calibration_error(rows) == pytest.approx(0.45)


def test_a_models_answers_are_judged_against_the_labels(model: Model) -> None:
    rows = [Example("the invoice", "billing"), Example("漢字", "oos")]

    first, second = judge(model, rows, out_of_scope="oos")

    assert first.is_served_right
    assert (second.truth, second.is_served_right) == (None, True)


RIGHT, WRONG = judged("a", "a"), judged("a", "b")


def test_a_model_ahead_on_many_rows_is_better() -> None:
    assert compare([RIGHT] * 100, old=[RIGHT] * 80 + [WRONG] * 20).verdict is Verdict.BETTER


def test_a_small_lead_is_not_called_better() -> None:
    found = compare([RIGHT] * 52 + [WRONG] * 48, old=[RIGHT] * 50 + [WRONG] * 50)

    assert found.verdict is Verdict.NOT_BETTER
    assert "chance alone" in found.reason


def test_five_rows_all_one_way_are_not_enough_and_six_are() -> None:
    five = compare([RIGHT] * 100, old=[RIGHT] * 95 + [WRONG] * 5)
    six = compare([RIGHT] * 100, old=[RIGHT] * 94 + [WRONG] * 6)

    assert (five.verdict, six.verdict) == (Verdict.NOT_BETTER, Verdict.BETTER)


def test_a_perfect_score_on_few_rows_is_not_better() -> None:
    found = compare([RIGHT] * 29, old=[WRONG] * 29)

    assert found.verdict is Verdict.NOT_BETTER
    assert "too few" in found.reason


def test_the_worse_of_two_is_not_better() -> None:
    assert compare([RIGHT] * 80 + [WRONG] * 20, old=[RIGHT] * 100).verdict is Verdict.NOT_BETTER


def test_two_alike_are_not_better_than_one_another() -> None:
    assert compare([RIGHT, WRONG] * 50, old=[RIGHT, WRONG] * 50).verdict is Verdict.NOT_BETTER


def test_other_rows_cannot_be_compared() -> None:
    with pytest.raises(DifferentRows):
        compare([RIGHT], old=[judged("b", "b")])


@pytest.mark.parametrize(
    ("gained", "lost", "chance"),
    [(0, 0, 1.0), (1, 1, 1.0), (6, 0, 2 / 64), (9, 1, 22 / 1024), (500, 500, 1.0)],
)
def test_chance_is_that_of_fair_coins(gained: int, lost: int, chance: float) -> None:
    assert chance_of(gained, lost) == pytest.approx(chance)
