import re

import pytest
from django.utils import translation

from flowdesk.web.locale_build import LOCALE, BadCatalogue, compile_catalogue, read_catalogue
from tests.web.messages import every_message

SWEDISH = LOCALE / "sv" / "LC_MESSAGES" / "django.po"
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def test_every_sentence_has_a_swedish_one() -> None:
    said = {
        (entry.context or "", entry.singular, entry.plural or "")
        for entry in read_catalogue(SWEDISH)
        if entry.is_translated
    }

    missing = {message: places for message, places in every_message().items() if message not in said}
    assert missing == {}


def test_the_catalogue_says_nothing_that_no_page_says() -> None:
    known = set(every_message())

    stale = [
        entry.singular
        for entry in read_catalogue(SWEDISH)
        if entry.singular and (entry.context or "", entry.singular, entry.plural or "") not in known
    ]
    assert stale == []


def test_a_translation_fills_the_same_places() -> None:
    for entry in read_catalogue(SWEDISH):
        for text in entry.said.values():
            wanted = set(PLACES.findall(entry.plural or entry.singular))
            assert set(PLACES.findall(text)) == wanted, entry.singular


def test_plurals_have_both_forms() -> None:
    for entry in read_catalogue(SWEDISH):
        assert sorted(entry.said) == ([0] if entry.plural is None else [0, 1]), entry.singular


def test_the_compiled_catalogue_is_the_one_in_the_tree() -> None:
    compiled = compile_catalogue(read_catalogue(SWEDISH))

    assert SWEDISH.with_suffix(".mo").read_bytes() == compiled, "run python -m flowdesk.web.locale_build"


def test_the_compiled_catalogue_speaks() -> None:
    with translation.override("sv"):
        assert translation.gettext("Send reply") == "Skicka svar"
        assert translation.pgettext("pressure", "low") == "lågt"
        assert translation.ngettext("{n} ticket", "{n} tickets", 1) == "{n} ärende"
        assert translation.ngettext("{n} ticket", "{n} tickets", 2) == "{n} ärenden"


def test_a_broken_catalogue_names_its_line(tmp_path: object) -> None:
    path = SWEDISH.__class__(str(tmp_path)) / "django.po"
    path.write_text('msgid "a"\nmsgstr "b\n')

    with pytest.raises(BadCatalogue, match=r"django\.po:2"):
        read_catalogue(path)
