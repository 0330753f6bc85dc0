"""Whether today's texts are told apart from those of the training."""

from __future__ import annotations

import pytest

from flowdesk.learning.drift import DriftVerdict, Picture, Seen, drift_between, mix_distance, picture_of


def a_picture(**other: object) -> Picture:
    return Picture(**{"texts": 1_000, "abstained": 0.1, "unknown": 0.1, "mix": {"a": 0.5, "b": 0.5}} | other)  # type: ignore[arg-type]


def test_the_same_picture_is_steady() -> None:
    assert drift_between(a_picture(), a_picture()).verdict is DriftVerdict.STEADY


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (a_picture(abstained=0.3), "abstentions rose from 10% to 30%"),
        (a_picture(unknown=0.4), "unknown words rose from 10% to 40%"),
        (a_picture(mix={"a": 0.95, "b": 0.05}), "the mix of answers moved"),
        (a_picture(mix={"c": 1.0}), "the mix of answers moved"),
    ],
)
def test_each_sign_is_drift_and_told_in_words(now: Picture, reason: str) -> None:
    found = drift_between(a_picture(), now)

    assert found.verdict is DriftVerdict.DRIFTING
    assert found.reasons[0].startswith(reason)


def test_fewer_abstentions_are_no_drift() -> None:
    assert drift_between(a_picture(), a_picture(abstained=0.0, unknown=0.0)).verdict is DriftVerdict.STEADY


def test_few_texts_are_called_too_few() -> None:
    assert drift_between(a_picture(), a_picture(texts=49, abstained=0.9)).verdict is DriftVerdict.TOO_FEW


def test_few_answers_over_many_labels_are_not_called_drift_for_being_few() -> None:
    many = {str(label): 1 / 100 for label in range(100)}
    some = {str(label): 1 / 60 for label in range(60)}

    found = drift_between(a_picture(mix=many), a_picture(texts=66, mix=some))

    assert found.verdict is DriftVerdict.STEADY


def test_the_distance_of_mixes_is_0_for_the_same_and_1_for_strangers() -> None:
    assert mix_distance({"a": 0.3, "b": 0.7}, {"b": 0.7, "a": 0.3}) == 0
    assert mix_distance({"a": 1.0}, {"b": 1.0}) == pytest.approx(1)


def test_a_picture_counts_abstentions_unknown_words_and_the_mix_of_what_was_answered() -> None:
    found = picture_of([Seen("a", False, 0.0), Seen("a", False, 0.2), Seen("b", True, 0.7)])

    assert (found.texts, found.abstained, found.mix) == (3, pytest.approx(1 / 3), {"a": 1.0})
    assert found.unknown == pytest.approx(0.3)
