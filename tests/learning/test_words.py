"""How a text is taken apart."""

from __future__ import annotations

from flowdesk.learning.words import MOST_CHARACTERS, MOST_MEETING, is_meeting, meetings_of, parts_of, words_of


def test_words_are_lower_case_and_marks_stand_alone() -> None:
    assert words_of("Hej! Var är Paketet?") == ["hej", "!", "var", "är", "paketet", "?"]


def test_long_numbers_are_all_the_same_and_short_ones_are_not() -> None:
    assert words_of("order 48213 of 20") == ["order", "0000", "of", "20"]


def test_only_the_beginning_of_a_long_mail_is_read() -> None:
    assert sum(map(len, words_of("ab " * 1_000_000))) <= MOST_CHARACTERS


def test_neighbours_are_a_feature_of_their_own() -> None:
    assert parts_of("no invoice").counts["=no invoice"] == 1


def test_two_words_meet_wherever_they_stand_and_whatever_their_endings() -> None:
    first, second = (
        parts_of(text).counts for text in ("my card was declined", "Declining all of the cards!")
    )

    assert first["=card + decl"] == second["=card + decl"] == 1


def test_words_that_meet_are_shown_in_full() -> None:
    assert ("card + decl", "card + declined") in meetings_of(["declined", ",", "my", "card"])


def test_no_other_feature_is_taken_for_a_meeting() -> None:
    names = parts_of("+ one + card + + declined +").counts

    assert [name for name in names if is_meeting(name)] == ["=card + decl", "=card + one", "=decl + one"]


def test_a_long_mail_has_no_more_meetings_than_its_first_words() -> None:
    words = [f"w{at:03}" for at in range(1_000)]

    assert len(list(meetings_of(words))) == MOST_MEETING * (MOST_MEETING - 1) // 2


def test_pieces_tell_a_words_beginning_from_its_middle() -> None:
    counts = parts_of("invoice").counts

    assert "~ inv" in counts
    assert "~voic" in counts
    assert "~ voi" not in counts


def test_each_feature_is_counted() -> None:
    assert parts_of("no no no").counts["=no"] == 3
