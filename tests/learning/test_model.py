"""What a trained model answers, how sure it is, and what it gives as reasons."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowdesk.learning.model import Model
from flowdesk.learning.storage import model_to_bytes

WITHOUT_TRAINER = """
import sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "scipy", "django"}:
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
from flowdesk.learning.storage import model_from_bytes
print(model_from_bytes(Path(sys.argv[1]).read_bytes()).answer("where is my invoice").label)
"""


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("there is an error on the invoice", "billing"),
        ("fel belopp på fakturan", "billing"),
        ("my password is not accepted at login", "login"),
        ("jag har glömt lösenordet", "login"),
        ("where is the parcel", "delivery"),
        ("Hej! Where is my paket? Leveransen är sen", "delivery"),
    ],
)
def test_it_answers_in_english_swedish_and_both(model: Model, text: str, label: str) -> None:
    assert model.answer(text).label == label


@pytest.mark.parametrize(
    ("text", "label"), [("please refund the invoice", "billing"), ("lösenordet fungerar inte", "login")]
)
def test_networks_answer_and_give_the_deciding_word_as_a_reason(
    large_model: Model, text: str, label: str
) -> None:
    answer = large_model.answer(text)

    assert answer.label == label
    assert {"invoice", "lösenordet"} & {reason.words for reason in answer.reasons}


def test_networks_abstain_on_what_they_were_taught_is_out_of_scope(large_model: Model) -> None:
    assert large_model.answer("Tell me a joke about a horse").abstains


def test_a_misspelt_word_is_still_understood(model: Model) -> None:
    assert model.answer("the invoise was wrong").label == "billing"


def test_an_ending_it_never_saw_is_still_understood(model: Model) -> None:
    assert model.answer("gamla fakturorna").label == "billing"


def test_confidences_add_up_to_no_more_than_one(model: Model) -> None:
    answer = model.answer("the parcel and the invoice")

    assert 0 < answer.confidence + sum(choice.confidence for choice in answer.runners_up) <= 1


def test_runners_up_come_by_confidence_and_leave_the_answer_out(model: Model) -> None:
    answer = model.answer("the parcel and the invoice")

    found = [choice.confidence for choice in answer.runners_up]
    assert found == sorted(found, reverse=True)
    assert answer.label not in {choice.label for choice in answer.runners_up}


def test_a_clear_text_is_answered_more_surely_than_a_mixed_one(model: Model) -> None:
    clear, mixed = model.answer("please refund the invoice"), model.answer("invoice for the parcel")

    assert clear.confidence > mixed.confidence


@pytest.mark.parametrize("text", ["", "   \n\t", "漢字", "zzqx"])
def test_it_abstains_where_nothing_is_known(model: Model, text: str) -> None:
    assert model.answer(text).abstains


def test_it_answers_what_is_clear(model: Model) -> None:
    assert not model.answer("I was charged twice on the invoice").abstains


def test_the_strongest_reason_is_the_word_that_decides(model: Model) -> None:
    assert model.answer("hello, it is about an invoice again").reasons[0].words == "invoice"


def test_a_reason_is_a_word_or_pair_of_the_text_even_where_only_its_pieces_are_known(model: Model) -> None:
    assert model.answer("gamla fakturorna").reasons[0].words == "fakturorna"


def test_reasons_come_by_weight_and_all_speak_for_the_answer(model: Model) -> None:
    found = [reason.weight for reason in model.answer("the courier lost the parcel at our address").reasons]

    assert found == sorted(found, reverse=True)
    assert found[-1] > 0


def test_unknown_words_are_told_as_a_share(model: Model) -> None:
    assert model.answer("invoice grzlbrf").unknown_share == 0.5


def test_the_same_text_gets_the_same_answer(model: Model) -> None:
    assert model.answer("where is the parcel") == model.answer("where is the parcel")


def test_decomposed_letters_are_the_same_letters(model: Model) -> None:
    assert model.answer("pa\u030a paketet").reasons == model.answer("p\u00e5 paketet").reasons


def test_a_mail_of_megabytes_is_answered_by_its_beginning(model: Model) -> None:
    assert model.answer("the invoice is wrong. " + "parcel " * 500_000).reasons


def test_answering_needs_neither_scikit_learn_nor_scipy_nor_django(model: Model, tmp_path: Path) -> None:
    stored = tmp_path / "desk.model"
    stored.write_bytes(model_to_bytes(model))

    asked = subprocess.run(
        [sys.executable, "-c", WITHOUT_TRAINER, str(stored)], capture_output=True, text=True, check=False
    )

    assert asked.stdout.strip() == "billing", asked.stderr
