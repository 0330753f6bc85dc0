"""What a ticket's words say, in English and Swedish, with the standard tables and with small ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.language import guess_language
from flowdesk.engine.lexicon import Keyword, Lexicon, keywords, words_of
from flowdesk.engine.priority import Grade
from flowdesk.engine.triage import CategoryRule, TriageDecision, TriageRules, triage
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.triage import read_triage

STANDARD = read_triage(read_document(read_pack_text("triage"), "triage"))


def read(subject: str, text: str = "") -> TriageDecision:
    return triage(subject, text=text, rules=STANDARD)


@pytest.mark.parametrize(
    ("word", "category"),
    [
        *((word, "billing") for word in ("charge", "invoice", "payment", "refund")),
        *((word, "billing") for word in ("cancel", "upgrade", "downgrade")),
        *((word, "technical") for word in ("error", "broken", "crash", "bug")),
        *((word, "account") for word in ("login", "password", "access", "account")),
        *((word, "feature") for word in ("how to", "feature", "can I", "request")),
        *((word, "integration") for word in ("API", "webhook", "connect", "integrate")),
        *((word, "security") for word in ("security", "breach", "hack", "expose")),
        *((word, "billing") for word in ("fakturan", "återbetalning", "debiterat", "säga upp")),
        *((word, "technical") for word in ("felmeddelande", "trasig", "kraschar", "buggen")),
        *((word, "account") for word in ("logga in", "lösenordet", "behörighet", "kontot")),
        *((word, "feature") for word in ("hur gör man", "funktionen", "går det att", "önskemål")),
        *((word, "integration") for word in ("api:et", "webbhook", "koppla", "integrationen")),
        *((word, "security") for word in ("säkerheten", "intrång", "hackad", "exponerat")),
    ],
)
def test_every_keyword_of_the_documents_leads_to_its_category(word: str, category: str) -> None:
    assert read("", f"xx {word} yy").category == category


@pytest.mark.parametrize(
    ("issue", "category"),
    [
        ("Login issues", "account"),
        ("API rate limiting", "integration"),
        ("Payment processing error", "billing"),
        ("Export not working", "technical"),
        ("Dashboard slow", "technical"),
    ],
)
def test_the_top_issues_of_the_report_find_their_categories(issue: str, category: str) -> None:
    assert read(issue).category == category


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("How can I cancel my subscription?", "billing"),
        ("Can I get a refund for last month?", "billing"),
        ("Hur kan jag återställa mitt lösenord?", "account"),
        ("How do I connect Slack?", "integration"),
        ("How do I export a report?", "feature"),
        ("Kan man byta färg på sidan?", "feature"),
        ("Jag har blivit debiterad två gånger", "billing"),
        ("Vi får ett felmeddelande när vi sparar", "technical"),
        ("Appen kraschar när jag öppnar fakturan", "technical"),
        ("Jag vill säga upp mitt abonnemang", "billing"),
        ("Någon obehörig har varit inne, kontot är hackat", "security"),
        ("Our webhook gets no events any more", "integration"),
        ("I answered the security question and still cannot log in", "account"),
    ],
)
def test_a_whole_sentence_is_about_its_matter(text: str, category: str) -> None:
    assert read("", text).category == category


@pytest.mark.parametrize(
    ("text", "category", "subcategory"),
    [
        ("I forgot my password", "account", "password_reset"),
        ("Jag kan inte logga in, kontot är låst", "account", "lockout"),
        ("Systemet ligger nere", "technical", "outage"),
        ("We lost our data after the crash, data is gone", "technical", "data_loss"),
        ("Betalningen misslyckades", "billing", "payment_failure"),
        ("We got error 429 from the API, too many requests", "integration", "rate_limit"),
        ("Customer data exposed in a data breach", "security", "data_breach"),
    ],
)
def test_a_subcategory_is_found_within_the_category(text: str, category: str, subcategory: str) -> None:
    decision = read("", text)

    assert (decision.category, decision.subcategory) == (category, subcategory)


def test_a_keyword_counts_once_however_often_it_is_written() -> None:
    once, often = read("", "refund"), read("", "refund refunds refunded återbetalning")

    assert once.scores == often.scores
    assert once.scores[0].score == 3


def test_a_keyword_in_the_subject_weighs_double() -> None:
    assert read("refund").scores[0].score == 6
    assert read("refund", "refund").scores[0].score == 6


def test_every_category_that_matches_is_told() -> None:
    decision = read("", "The invoice page shows an error, a bug I think")

    assert [score.category for score in decision.scores] == ["technical", "billing"]
    assert decision.scores[0].keywords == ("error", "bug")


def test_a_tie_goes_to_the_category_named_first() -> None:
    word = keywords(["thing"])
    rules = TriageRules(
        categories=(CategoryRule(category="b", keywords=word), CategoryRule(category="a", keywords=word))
    )

    assert triage("thing", text="", rules=rules).category == "b"


def test_no_keyword_gives_no_category_and_no_confidence() -> None:
    decision = read("Hello", "xx yy")

    assert (decision.category, decision.confidence, decision.complexity) == (None, 0.0, 1)
    assert decision.reasons[0].code == "category_unknown"


@pytest.mark.parametrize("text", ["debugging", "capital", "accountant", "rapid", "discharge", "felaktighet"])
def test_a_keyword_inside_another_word_is_not_found(text: str) -> None:
    assert read("", text).category is None


def test_decomposed_accents_are_the_same_words() -> None:
    assert read("", "lo\u0308senord").category == "account"


@pytest.mark.parametrize("word", ["urgent", "down", "broken", "ASAP", "akut", "nere", "trasig"])
def test_words_of_haste_make_it_urgent(word: str) -> None:
    assert read("", f"it is {word}").urgency is Grade.HIGH


@pytest.mark.parametrize(
    "text", ["this is not urgent", "det är inte akut", "no rush at all", "ingen brådska"]
)
def test_a_denied_haste_is_no_haste(text: str) -> None:
    assert read("", text).urgency is not Grade.HIGH


def test_haste_said_once_without_a_denial_is_haste() -> None:
    assert read("", "It was not urgent yesterday. Today it is urgent.").urgency is Grade.HIGH


def test_a_denial_leaves_the_category_alone() -> None:
    assert read("", "I have no invoice").category == "billing"


@pytest.mark.parametrize("text", ["please scroll down", "use the drop-down", "längst nere på sidan"])
def test_a_phrase_that_only_looks_like_haste_is_none(text: str) -> None:
    assert read("", text).urgency is Grade.MEDIUM


@pytest.mark.parametrize("text", ["everyone", "production", "data loss", "alla användare", "produktionen"])
def test_words_of_breadth_make_the_impact_high(text: str) -> None:
    assert read("", text).impact is Grade.HIGH


def test_all_my_invoices_is_not_everyone() -> None:
    assert read("", "Var hittar jag alla mina fakturor?").impact is Grade.MEDIUM


def test_a_typo_is_low_in_both() -> None:
    decision = read("", "There is a typo on the page")

    assert (decision.impact, decision.urgency) == (Grade.LOW, Grade.LOW)


def test_without_a_word_impact_and_urgency_are_medium() -> None:
    decision = read("", "xx")

    assert (decision.impact, decision.urgency) == (Grade.MEDIUM, Grade.MEDIUM)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("How do I export a report?", 1),
        ("I forgot my password", 1),
        ("The webhook returns an error message", 2),
        ("It crashes with a stack trace, steps to reproduce below", 3),
        ("Hur gör jag för att byta språk?", 1),
        ("Refund of 12,500 kr please", 1),
    ],
)
def test_complexity_follows_the_signs_of_depth(text: str, level: int) -> None:
    assert read("", text).complexity == level


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("We were hacked", "security"),
        ("Someone else's data shows up", "data_breach"),
        ("The site is down", "outage"),
        ("Our CEO wants to know why", "executive"),
        ("Vår VD undrar varför", "executive"),
        ("I will post this on LinkedIn", "public_complaint"),
        ("You will hear from our lawyer", "legal_threat"),
        ("Vi kontaktar vår advokat", "legal_threat"),
        ("We want to cancel our contract", "churn_risk"),
        ("Vi funderar på att byta leverantör", "churn_risk"),
        ("This is unacceptable", "frustration"),
        ("Det här är oacceptabelt", "frustration"),
    ],
)
def test_a_signal_is_heard(text: str, signal: str) -> None:
    assert signal in read("", text).signals


@pytest.mark.parametrize(
    "text", ["What does --arg mean?", "Regards, Sue", "no outage here", "our security page"]
)
def test_a_likeness_is_no_signal(text: str) -> None:
    assert read("", text).signals == frozenset()


def test_a_reason_shows_the_form_that_was_written() -> None:
    assert read("", "Fakturorna").reasons[0].params["words"] == "fakturorna"


def test_the_reasons_name_the_words() -> None:
    assert [str(reason) for reason in read("", "I want my refund, this is urgent").reasons] == [
        "category_from_words(value=billing, words=refund, score=3)",
        "subcategory_from_words(value=refund, words=refund)",
        "complexity_usual(value=1)",
        "language_from_words(value=en, evidence=3.0)",
        "impact_default(value=medium)",
        "urgency_from_words(value=high, words=urgent)",
    ]


# -- language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hej, jag kan inte logga in på mitt konto", "sv"),
        ("Hi, I cannot log in to my account", "en"),
        ("Hola, no puedo entrar en mi cuenta", "es"),
        ("Hallo, ich kann mich nicht anmelden", "de"),
        ("Hei, en pääse kirjautumaan, mutta miksi?", "fi"),
    ],
)
def test_the_language_shows_in_the_small_words(text: str, language: str) -> None:
    assert guess_language(words_of(text), text=text).language == language


@pytest.mark.parametrize("text", ["", "API 500", "Faktura 123", "OK", "Jeg kan ikke det"])
def test_little_or_even_evidence_abstains(text: str) -> None:
    assert guess_language(words_of(text), text=text).language is None


def test_an_abstention_takes_the_tenants_language() -> None:
    assert read("API 500").language == "en"


def test_a_language_already_known_is_kept() -> None:
    decision = triage("Hej, jag kan inte logga in", text="", rules=STANDARD, language="fi")

    assert decision.language == "fi"


# -- the lexicon


def test_phrases_are_found_across_punctuation_and_lines() -> None:
    lexicon = Lexicon(tables={"t": keywords(["two-factor code"])})

    assert [hit.at for hit in lexicon.hits(words_of("my Two\nfactor, code"))] == [1]


def test_overlapping_phrases_are_all_found() -> None:
    lexicon = Lexicon(tables={"t": keywords(["two factor", "factor code", "two factor code"])})

    assert len(lexicon.hits(words_of("two factor code"))) == 3


_TEXT = st.text(max_size=60) | st.lists(
    st.sampled_from(["refund", "error", "not", "urgent", "akut", "12 500 kr", "login", "inte", "$5", "nere"]),
    max_size=12,
).map(" ".join)


@given(_TEXT, _TEXT)
def test_any_text_gives_a_decision_within_its_ranges(subject: str, text: str) -> None:
    decision = read(subject, text)

    assert 0 <= decision.confidence < 1
    assert decision.complexity in (1, 2, 3)
    assert (decision.category is None) == (decision.scores == ())


@given(_TEXT)
def test_repeating_a_text_changes_no_score(text: str) -> None:
    assert read("", f"{text} xx {text}").scores == read("", text).scores


@given(
    st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from(["a", "b c", "a b"]), max_size=3)
)
def test_the_index_finds_what_a_plain_search_finds(words: list[str], phrases: list[str]) -> None:
    lexicon = Lexicon(tables={"t": tuple(Keyword(forms=(phrase,)) for phrase in phrases)})
    spaced = f" {' '.join(words)} "

    found = {hit.keyword.name for hit in lexicon.hits(words)}

    assert found == {phrase for phrase in phrases if f" {phrase} " in spaced}
