"""Terms, how rare they are, how alike two tickets are by them, and groups of tickets alike."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.likeness import (
    BUCKETS,
    MAX_WORDS,
    MOST_TERMS,
    WAYS,
    Digest,
    Group,
    Vocabulary,
    digest_of,
    join_groups,
    key_of,
    likeness,
    stem,
    terms_of,
    weights_of,
)


def a_vocabulary(*texts: str) -> Vocabulary:
    vocabulary = Vocabulary()
    for text in texts:
        vocabulary.add(digest_of(weights_of("", text), vocabulary).keys)
    return vocabulary


# -- terms


@pytest.mark.parametrize(
    "forms",
    [
        ("faktura", "fakturan", "fakturor", "fakturorna"),
        ("kraschar", "kraschade", "kraschat"),
        ("inloggning", "inloggningen", "inloggningar", "inloggningarna"),
        ("crash", "crashes", "crashed", "crashing"),
        ("invoice", "invoices", "invoiced"),
        ("server", "servers", "servern"),
        ("certifikat", "certifikatet"),
    ],
)
def test_forms_of_a_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    "pair", [("error", "err"), ("login", "logga"), ("åtgärd", "gärd"), ("class", "clas")]
)
def test_other_words_stay_apart(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The invoice is wrong", {"invoic", "wrong"}),
        ("Jag kan inte logga in", {"logg"}),
        ("ERR-4021 in 2.1.7", {"err-4021", "err", "4021", "2.1.7"}),
        ("room 12 and 4021", {"room", "4021"}),
        ("Förnya lo\u0308senord", {"förny", "lösenord"}),
        ("", set()),
    ],
)
def test_a_text_becomes_terms(text: str, terms: set[str]) -> None:
    assert set(terms_of(text)) == terms


def test_a_term_of_the_subject_weighs_more_and_one_with_a_figure_more_than_a_word() -> None:
    weights = weights_of("printer", "toner e4021")

    assert weights["print"] > weights["toner"]
    assert weights["e4021"] > weights["toner"]


def test_a_term_is_kept_as_a_number_of_32_bits() -> None:
    assert key_of("faktur") == key_of("faktur") != key_of("invoic")
    assert all(-(2**31) <= key_of(term) < 2**31 for term in ("", "a", "å", "e4021"))


# -- rarity


def test_a_rare_term_tells_more_than_one_that_every_ticket_has() -> None:
    vocabulary = a_vocabulary(*["printer jam"] * 20, "printer toner")

    assert vocabulary.rarity(key_of("toner")) > vocabulary.rarity(key_of("jam")) > 0
    assert vocabulary.rarity(key_of("jam")) > vocabulary.rarity(key_of(stem("printer"))) > 0
    assert vocabulary.rarity(key_of("never seen")) >= vocabulary.rarity(key_of("toner"))


def test_what_is_counted_can_be_packed() -> None:
    vocabulary = a_vocabulary("printer jam", "toner")
    again = Vocabulary(vocabulary.tickets, vocabulary.packed())

    assert (
        again.rarity(key_of("toner"))
        == vocabulary.rarity(key_of("toner"))
        < Vocabulary(2).rarity(key_of("toner"))
    )
    assert len(again.packed()) == 4 * BUCKETS * WAYS


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=200))
def test_no_term_is_taken_for_rarer_than_it_is(keys: list[int]) -> None:
    vocabulary = Vocabulary()
    for key in keys:
        vocabulary.add([key])

    for key in keys:
        exact = Vocabulary(len(keys))
        exact.add([key] * keys.count(key))
        exact.tickets = len(keys)
        assert vocabulary.rarity(key) <= exact.rarity(key) + 1e-9


# -- likeness


def alike(one: tuple[str, str], other: tuple[str, str], *texts: str) -> float:
    vocabulary = a_vocabulary(*texts, " ".join(one), " ".join(other))
    first, second = (digest_of(weights_of(*ticket), vocabulary) for ticket in (one, other))
    return likeness(first, second, vocabulary=vocabulary, subjects=float(one[0] == other[0]))


def test_the_same_ticket_is_wholly_alike_and_another_not_at_all() -> None:
    printer = ("Printer jam", "The printer on floor three shows E4021")

    assert alike(printer, printer) == 1.0
    assert alike(printer, ("Holiday", "Payroll wants dates")) == 0.0


def test_sharing_a_rare_term_is_more_alike_than_sharing_a_common_one() -> None:
    others = ["printer down"] * 30
    rare = alike(("a", "printer E4021"), ("b", "screen E4021"), *others)
    common = alike(("a", "printer E4021"), ("b", "printer black"), *others)

    assert rare > common


@given(st.text(max_size=60), st.text(max_size=60), st.floats(0, 1))
def test_likeness_is_within_its_bounds_and_the_same_both_ways(one: str, other: str, subjects: float) -> None:
    vocabulary = a_vocabulary(one, other)
    first, second = (digest_of(weights_of("", text), vocabulary) for text in (one, other))
    there = likeness(first, second, vocabulary=vocabulary, subjects=subjects)
    back = likeness(second, first, vocabulary=vocabulary, subjects=subjects)

    assert 0 <= there <= 1.0001
    assert there == pytest.approx(back, abs=1e-4)


def test_a_digest_holds_the_heaviest_terms_first() -> None:
    vocabulary = a_vocabulary(*["printer"] * 50)
    digest = digest_of(
        weights_of("", "printer E4021 " + " ".join(f"w{n}x" for n in range(100, 200))), vocabulary
    )

    assert len(digest.keys) == MOST_TERMS
    assert key_of("print") not in digest.keys


@pytest.mark.parametrize(
    "text", ["😡" * 50_000, "a" * 50_000, "a-" * 25_000, "1." * 25_000, "word " * 10_000]
)
def test_a_hostile_text_takes_no_time(text: str) -> None:
    begun = process_time()
    digest = digest_of(weights_of(text, text), Vocabulary())

    assert process_time() - begun < 0.2
    assert len(digest.keys) <= MOST_TERMS
    assert sum(terms_of(text).values()) <= 3 * MAX_WORDS


def test_an_empty_text_is_like_nothing() -> None:
    empty = Digest(keys=(), weights=())

    assert likeness(empty, empty, vocabulary=Vocabulary(), subjects=0.0) == 0.0


# -- groups


def test_a_new_ticket_joins_the_group_it_is_most_alike_to() -> None:
    one, other = Group(representative=1, others=(2, 3)), Group(representative=4, others=(5, 6))

    groups, joined = join_groups((one, other), 7, alike={1: 0.5, 4: 0.9, 5: 0.9})

    assert joined == Group(representative=4, others=(5, 6, 7))
    assert groups == (one, joined)


def test_of_two_groups_about_the_same_the_older_is_joined() -> None:
    one, other = Group(representative=1, others=(2, 3)), Group(representative=4, others=(5, 6))
    third = Group(representative=0, others=(8,))

    _, joined = join_groups(
        (one, other, third), 7, alike={0: 0.6, 1: 0.5, 4: 0.9}, akin=frozenset({frozenset({1, 4})})
    )

    assert joined == Group(representative=1, others=(2, 3, 7))


def test_a_new_ticket_makes_a_group_of_loose_ones_alike() -> None:
    groups, joined = join_groups((), 3, alike={1: 0.6, 2: 0.7})

    assert groups == (joined,) == (Group(representative=3, others=(1, 2)),)


def test_a_new_ticket_alike_to_too_few_changes_nothing() -> None:
    one = Group(representative=1, others=(2, 3))

    assert join_groups((one,), 7, alike={2: 0.9, 6: 0.9}) == ((one,), None)


@given(
    st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 9)).map(sorted).map(tuple), st.floats(0, 1))
)
def test_groups_that_grow_hold_to_their_representatives(near: dict[tuple[int, int], float]) -> None:
    groups: tuple[Group, ...] = ()
    for ticket in range(1, 10):
        before = {
            one if other == ticket else other: s
            for (one, other), s in near.items()
            if max(one, other) == ticket
        }
        groups, joined = join_groups(groups, ticket, alike=before)
        assert joined is None or ticket in joined.members

    members = [member for group in groups for member in group.members]
    assert len(members) == len(set(members))
