"""How a mood is read, in Swedish and English, with the shipped words and with small ones."""

from __future__ import annotations

from importlib.resources import files
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.facts import Sentiment
from flowdesk.engine.sentiment import (
    ANGRY_WORD,
    MAX_SHOWN,
    MOST_FAINT,
    Feeling,
    SentimentDecision,
    SentimentLexicon,
    own_words,
    read_sentiment,
)
from flowdesk.triage import lexicons
from flowdesk.triage.lexicons import BadLexicon, lexicon_for, read_lexicon

ANGRY, NEGATIVE, NEUTRAL, POSITIVE = (
    Sentiment.ANGRY, Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE,
)  # fmt: skip


def felt(text: str, *, subject: str = "", language: str = "en") -> SentimentDecision:
    return read_sentiment(subject, text=text, lexicon=lexicon_for(language))


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("This is unacceptable, I have waited three weeks!", ANGRY),
        ("Worst support ever. You are a bunch of idiots.", ANGRY),
        ("I have never had such terrible service", ANGRY),
        ("THIS IS RIDICULOUS AND NOBODY ANSWERS", ANGRY),
        ("I am fed up with your excuses", ANGRY),
        ("😡😡😡", ANGRY),
        ("I am disappointed with the new report", NEGATIVE),
        ("Your app is not very good", NEGATIVE),
        ("We are still waiting for an answer", NEGATIVE),
        ("The export is clumsy and slow", NEGATIVE),
        ("We get an error message when we save", NEUTRAL),
        ("The app crashes, the login fails and the invoice is wrong", NEUTRAL),
        ("How do I fix an error in the import?", NEUTRAL),
        ("Please send me the invoice. Thanks in advance", NEUTRAL),
        ("How do I cancel my subscription?", NEUTRAL),
        ("No problem, that is what I wanted to know", NEUTRAL),
        ("I am not angry, I only wonder", NEUTRAL),
        ("A dark theme would be nice", NEUTRAL),
        ("Thank you so much, that solved it", POSITIVE),
        ("I love the new editor", POSITIVE),
        ("Great support, quick and friendly :)", POSITIVE),
        ("Not bad at all", POSITIVE),
    ],
)
def test_a_mood_in_english(text: str, sentiment: Sentiment) -> None:
    assert felt(text).sentiment is sentiment


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("Det här är helt oacceptabelt, vi har väntat i tre veckor!", ANGRY),
        ("Sämsta supporten någonsin, ni borde skämmas", ANGRY),
        ("Jag är så trött på er usla service", ANGRY),
        ("Aldrig mer! Urusel kundtjänst", ANGRY),
        ("Vi är besvikna på svaret", NEGATIVE),
        ("Jag är inte nöjd", NEGATIVE),
        ("Ingen svarar när man ringer", NEGATIVE),
        ("Jag gillar inte den nya menyn", NEGATIVE),
        ("Jättedålig information", NEGATIVE),
        ("Vi får ett felmeddelande när vi sparar", NEUTRAL),
        ("Appen kraschar och fakturan är fel", NEUTRAL),
        ("Hur säger jag upp mitt abonnemang?", NEUTRAL),
        ("Kan ni skicka fakturan igen? Tack på förhand", NEUTRAL),
        ("Inga problem, ingen brådska", NEUTRAL),
        ("Hej! Det vore bra med en mörk meny. Mvh Anna", NEUTRAL),
        ("Tack så mycket för snabb hjälp!", POSITIVE),
        ("Vi är jättenöjda", POSITIVE),
        ("Skitbra support", POSITIVE),
        ("Supertrevligt bemötande ❤️", POSITIVE),
    ],
)
def test_a_mood_in_swedish(text: str, sentiment: Sentiment) -> None:
    assert felt(text, language="sv").sentiment is sentiment


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hej, this is totally oacceptabelt, fix it now", "en"),
        ("Hej, this is totally oacceptabelt, fix it now", "sv"),
        ("Vi är so disappointed, worst support någonsin", "sv"),
    ],
)
def test_both_languages_are_heard_in_one_text(text: str, language: str) -> None:
    assert felt(text, language=language).sentiment is ANGRY


@pytest.mark.parametrize("text", ["a big fan of hot food", "the men were fast", "I sort the hits in a glass"])
def test_a_swedish_insult_inside_english_is_none(text: str) -> None:
    assert felt(text).score >= 0


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("very poor", "poor"),
        ("POOR food for us", "poor food for us"),
        ("poor!!!", "poor"),
        ("pooooor", "poor"),
        ("poor", "a bit poor"),
        ("the export is good but the support is poor", "the support is poor but the export is good"),
        ("jättedåligt", "dåligt"),
        ("väldigt dåligt", "dåligt"),
        ("dåligt", "lite dåligt"),
        ("bra export men dålig support", "dålig support men bra export"),
        ("the printer is poor", "how do I clean a poor printer?"),
        ("waiting for two weeks now", "waiting for the bus now"),
    ],
)
def test_what_stands_around_a_word_makes_it_heavier(stronger: str, weaker: str) -> None:
    assert felt(stronger, language="sv").total < felt(weaker, language="sv").total


def test_a_long_wait_is_told_as_one() -> None:
    assert "sentiment_long_wait" in [reason.code for reason in felt("Waiting for two weeks").reasons]


def test_a_negation_ends_at_a_mark() -> None:
    assert felt("No, good work").total > 0
    assert felt("No good work").total < 0


def test_a_negation_reaches_a_few_words_only() -> None:
    assert felt("not a single one of the many people here was good").total > 0


@pytest.mark.parametrize("text", ["Supporten hjälper inte, jag gillar inte den", "Jag rekommenderar ej"])
def test_a_swedish_negation_may_follow_its_verb(text: str) -> None:
    assert felt(text, language="sv").total < 0


def test_thanks_count_once_and_not_beside_a_complaint() -> None:
    assert felt("Thanks thanks thanks").total == felt("Thanks").total > 0
    assert felt("Thanks, bad").total == felt("bad").total


def test_the_closing_of_a_letter_says_nothing() -> None:
    mail = "We moved to a new address and need it on the invoices from May on. Thanks, Anna"

    assert felt(mail).counted == ()


def test_faults_count_little_however_many_there_are() -> None:
    few, many = felt("an error"), felt("an error, a crash, a bug, it is down and broken, it failed")

    assert many.total == -MOST_FAINT <= few.total


def test_a_word_repeated_does_not_count_for_ever() -> None:
    assert felt("bad " * 3).total == felt("bad " * 50).total


@pytest.mark.parametrize(
    "mail",
    [
        "The invoice is here.\n\nOn Mon, 3 Mar 2025 at 10:11, Bo wrote:\n> this is unacceptable",
        "Fakturan är här.\n\nDen mån 3 mars 2025 kl 10:11 skrev Bo <bo@a.example>:\nurusel service",
        "The invoice is here.\n> you idiots\n",
        "The invoice is here.\n-- \nThe Worst Company",
        "The invoice is here.\n\nSent from my iPhone, the worst",
        "The invoice is here.\n-----Original Message-----\nuseless",
        "The invoice is here.\nFrom: Bo\nSent: Monday\nuseless",
    ],
)
def test_quotations_and_signatures_say_nothing(mail: str) -> None:
    assert felt(mail, language="sv").counted == ()


def test_a_mail_without_a_quotation_keeps_all_its_words() -> None:
    assert own_words("On Monday we wrote. Still no answer.\nFrom: nobody") == (
        "On Monday we wrote. Still no answer.\nFrom: nobody"
    )


def test_names_of_users_and_addresses_are_no_words() -> None:
    assert felt("@bad write to bad@bad.example or https://bad.example/bad").counted == ()


def test_the_subject_is_heard() -> None:
    assert felt("See below", subject="Unacceptable").sentiment is ANGRY


def test_the_reasons_can_be_added_up() -> None:
    decision = felt("I am very disappointed, this is not good. The export crashes.")
    words = [reason for reason in decision.reasons if reason.code in ("sentiment_word", "sentiment_changed")]
    last = decision.reasons[-1]

    assert [str(reason) for reason in decision.reasons] == [
        "sentiment_changed(word=disappoint, weight=-3, counted=-3.9, by=strengthened)",
        "sentiment_changed(word=good, weight=+2, counted=-1.5, by=negated)",
        "sentiment_word(word=crash, weight=-0.5, counted=-0.5, by=)",
        "sentiment_sum(value=negative, total=-5.9, ballast=5.38, score=-0.523)",
    ]
    assert sum(float(reason.params["counted"]) for reason in words) == pytest.approx(
        float(last.params["total"])
    )
    assert decision.score == pytest.approx(
        decision.total / (abs(decision.total) + decision.ballast), abs=0.001
    )


def test_many_words_are_told_as_one_sum_in_the_end() -> None:
    words = [
        "bad",
        "sad",
        "angry",
        "awful",
        "rude",
        "lousy",
        "nasty",
        "poor",
        "ugly",
        "lazy",
        "gross",
        "dull",
        "weary",
    ]
    reasons = felt(", ".join([*words, "stupid", "useless"])).reasons

    assert len(reasons) == MAX_SHOWN + 2
    assert reasons[-2].code == "sentiment_rest"


def test_no_words_of_feeling_are_said_to_be_none() -> None:
    assert [reason.code for reason in felt("The invoice of May").reasons] == ["sentiment_no_words"]


def test_no_reason_carries_a_word_that_is_not_the_lexicons() -> None:
    assert "frustrationsfylld" not in str(felt("frustrationsfylld").reasons)


def test_anger_takes_one_heavy_word() -> None:
    many = felt("slow, odd, rough, tedious, dull, clumsy, awkward, vague, sour, pricey")

    assert many.score < -0.6
    assert min(one.counted for one in many.counted) > ANGRY_WORD
    assert many.sentiment is NEGATIVE


# -- the words of a tenant


def test_a_tenant_adds_a_word_and_takes_one_out() -> None:
    own = lexicon_for("en", (("blursed", -4.0), ("useless", 0.0), ("as slow as a snail", -4.0)))

    assert read_sentiment("", text="this is blursed", lexicon=own).sentiment is ANGRY
    assert read_sentiment("", text="as slow as a Snail", lexicon=own).sentiment is ANGRY
    assert read_sentiment("", text="useless", lexicon=own).counted == ()
    assert felt("useless").total < 0


# -- the files


@pytest.mark.parametrize("name", ["english", "swedish", "emoji"])
def test_a_shipped_file_reads_and_weighs_within_its_range(name: str) -> None:
    text = files(lexicons).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    found = read_lexicon(text, name)

    assert all(-5 <= one.weight <= 5 for one in [*found.entries.values(), *found.stems.values()])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("heavy : word", "could not convert"),
        ("2 : good", "weighs something else already"),
        ("2 : good +sort", "mark that is not known"),
        ("2 : --", "has no word in it"),
        ("!what: good", "what"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, fault: str) -> None:
    with pytest.raises(BadLexicon, match=rf"mine, line 2: .*{fault}"):
        read_lexicon(f"1 : good\n{line}\n", "mine")


def test_endings_are_put_on_and_a_written_form_stands_above_them() -> None:
    found = read_lexicon("!endings verb: - a ar ade\n-3 : krångla +verb\n-1 : krånglar\n", "mine")

    assert {key[0]: one.weight for key, one in found.entries.items()} == {
        "krångla": -3, "krånglar": -1, "krånglade": -3,
    }  # fmt: skip


# -- anything at all

_WORDS = [
    "bad",
    "good",
    "not",
    "inte",
    "very",
    "but",
    "men",
    "!",
    "?",
    "thanks",
    "😡",
    "VERY",
    "sooo",
    ":)",
    "\n>",
    "-- \n",
]
_TEXT = st.text(max_size=80) | st.lists(st.sampled_from(_WORDS), max_size=30).map(" ".join)


@given(_TEXT, _TEXT)
def test_any_text_has_a_score_within_bounds_that_its_words_explain(subject: str, text: str) -> None:
    decision = read_sentiment(subject, text=text, lexicon=lexicon_for("sv"))

    assert -1 < decision.score < 1
    assert (decision.score > 0) == (decision.total > 0)
    assert decision.counted or decision.total == 0


@given(st.lists(st.sampled_from(["bad", "good", "so", "not", "table"]), max_size=12).map(" ".join))
def test_small_words_of_ones_own_do_as_the_shipped_ones(text: str) -> None:
    small = SentimentLexicon(
        words={"bad": Feeling("bad", -2.0), "good": Feeling("good", 2.0)},
        negations=frozenset({"not"}),
        more=frozenset({"so"}),
    )

    assert abs(read_sentiment("", text=text, lexicon=small).total) <= 4 * MAX_SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "😡" * 50_000,
        "a" * 50_000,
        "!" * 50_000,
        "\n> " * 17_000,
        "not very but bad " * 3_000,
        "on " * 17_000,
        "from: x\n" * 6_000,
        ":" * 50_000,
        "@" * 50_000,
        "a.b@" * 12_000,
        "'" * 50_000,
        "\u0301" * 50_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_hostile_text_takes_no_time(text: str) -> None:
    lexicon_for("en")
    begun = process_time()
    felt(text)

    assert process_time() - begun < 0.25
