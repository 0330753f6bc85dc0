"""What a training makes of its rows."""

from __future__ import annotations

import builtins
import json
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flowdesk.learning.drift import picture_in
from flowdesk.learning.examples import Example
from flowdesk.learning.model import Model
from flowdesk.learning.network import train_network
from flowdesk.learning.storage import model_to_bytes
from flowdesk.learning.training import CannotLearn, NoTrainer, train_model
from tests.learning.desk import a_desk


def test_the_same_rows_give_the_same_bytes() -> None:
    first, second = (train_model(a_desk(), out_of_scope="oos", facts={"by": "Ada"}) for _ in range(2))

    assert model_to_bytes(first) == model_to_bytes(second)


def test_the_same_seed_gives_the_same_network() -> None:
    rows = csr_matrix(np.eye(12, 20, dtype=np.float32))
    truth = np.arange(12) % 3

    first, second = (train_network(rows, truth, labels=3, seed=4) for _ in range(2))

    assert first.inner.tobytes() == second.inner.tobytes()
    assert first.weights.tobytes() == second.weights.tobytes()


def test_many_rows_are_learned_by_networks_and_few_by_straight_lines(
    model: Model, large_model: Model
) -> None:
    assert model.outer is None
    assert large_model.outer is not None


def test_out_of_scope_is_no_label(model: Model) -> None:
    assert model.labels == ("billing", "delivery", "login")


def test_without_that_name_it_is_a_label_like_others() -> None:
    assert "oos" in train_model(a_desk()).labels


def test_rows_are_counted_by_label_and_out_of_scope(model: Model) -> None:
    assert model.figures["rows_by_label"] == {"billing": 10, "delivery": 10, "login": 10}
    assert model.figures["rows_out_of_scope"] == 5


def test_what_the_caller_wants_kept_is_kept(model: Model) -> None:
    assert model.facts == {"by": "Ada"}


def test_the_figures_can_be_written_as_json(model: Model) -> None:
    assert json.loads(json.dumps(dict(model.figures))) == model.figures


def test_the_picture_of_the_trainings_own_time_is_kept(model: Model) -> None:
    assert picture_in(model.figures).texts == 35


def test_its_accuracy_is_measured_on_rows_it_had_not_seen() -> None:
    # Labels without rhyme or reason: a model can only know them by heart.
    words = ("amber", "birch", "copper", "dune", "ember", "fjord", "grove", "heath")
    rows = [
        Example(f"{first} {second}", "ab"[(at * 5 + other * 3) % 7 % 2])
        for at, first in enumerate(words)
        for other, second in enumerate(words)
    ]
    model = train_model(rows)

    by_heart = sum(model.answer(row.text).label == row.label for row in rows) / len(rows)
    assert model.figures["accuracy"] < by_heart


def test_a_label_with_one_row_is_learned_with_the_others() -> None:
    model = train_model(
        [*a_desk(), Example("the weekend rota of the night guard", "rota")], out_of_scope="oos"
    )

    assert model.answer("the night guard").label == "rota"


def test_every_label_may_have_one_row_only() -> None:
    model = train_model([Example("red apples", "fruit"), Example("fast cars", "traffic")])

    assert model.answer("apples").label == "fruit"


def test_rows_without_words_do_no_harm() -> None:
    model = train_model([*a_desk(strange=False), Example("", "billing"), Example("   ", "login")])

    assert model.answer("invoice").label == "billing"


def test_a_text_of_another_script_can_be_learned() -> None:
    rows = [Example("请退款 发票", "billing"), Example("密码 登录", "login")] * 5

    assert train_model(rows).answer("发票").label == "billing"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "0 labels"),
        ([Example("invoice", "billing")] * 5, "1 labels"),
        ([Example("invoice", "billing"), Example("joke", "oos")], "1 labels"),
        ([Example("", "a"), Example(" ", "b")], "no words"),
        ([Example("x", "a"), Example("y", "b" * 201)], "longer than"),
        ([Example("x", f"label {number}") for number in range(1_001)], "right column"),
    ],
)
def test_rows_that_teach_nothing_are_refused_with_the_reason(rows: list[Example], reason: str) -> None:
    with pytest.raises(CannotLearn, match=reason):
        train_model(rows, out_of_scope="oos")


def test_missing_scikit_learn_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def without(name: str, *args: Any, **named: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return found(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoTrainer, match=r"pip install 'flowdesk\[ml\]'"):
        train_model(a_desk())


def test_it_tells_how_far_it_is() -> None:
    told: list[str] = []

    train_model(a_desk(), out_of_scope="oos", tell=told.append)

    assert told[0] == "reading 35 rows"
    assert told[-1] == "trying it on rows it has not seen, part 3 of 3"
