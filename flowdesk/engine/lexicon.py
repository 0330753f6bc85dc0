"""Finds a tenant's keywords in a text, whole words only, in one pass over the words.

A keyword is one thing with all its forms (`refund / refunds / återbetalning`); however often and in
whatever form it is written, it is found once. Among phrases that begin at the same word every one that
fits is found, so `two factor` and `two factor code` both count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"\w+(?:['’]\w+)*")

MAX_WORDS = 5_000  # words of a text that are looked at; what matters is said before


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """One keyword in all its forms (one or more words each), weighing 1 or more."""

    forms: tuple[str, ...]
    weight: int = 1

    @property
    def name(self) -> str:
        return self.forms[0]


def words_of(text: str) -> list[str]:
    """The words in lower case, composed accents, typographic apostrophes made plain; at most MAX_WORDS."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    words: list[str] = []
    for found in _WORD.finditer(folded):
        words.append(found.group())
        if len(words) == MAX_WORDS:
            break
    return words


@dataclass(frozen=True, slots=True)
class Hit:
    """A keyword of `table` found as `form`; `at` is the index of its first word. `is_denied`: not, inte …
    before it."""

    table: str
    keyword: Keyword
    form: str
    at: int
    is_denied: bool = False


_Phrase = tuple[tuple[str, ...], str, Keyword, str]  # words after the first, table, keyword, form
_Index = Mapping[str, tuple[_Phrase, ...]]  # by first word


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Keyword tables by name, indexed by first word.

    `neutral` phrases hide what stands inside them (`down` in `scroll down`). A denial counts within two
    words before a keyword.
    """

    tables: Mapping[str, tuple[Keyword, ...]] = field(hash=False)
    neutral: tuple[Keyword, ...] = ()
    denials: frozenset[str] = frozenset()
    _tables_by_word: _Index = field(init=False, repr=False, compare=False)
    _neutral_by_word: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tables_by_word", _index(self.tables))
        object.__setattr__(self, "_neutral_by_word", _index({"neutral": self.neutral}))

    def hits(self, words: list[str]) -> list[Hit]:
        """Every keyword found, each once per table: the first undenied place, else the first."""
        hidden = {
            at
            for start, length, *_ in _found(words, self._neutral_by_word)
            for at in range(start, start + length)
        }
        best: dict[tuple[str, str], Hit] = {}
        for at, length, table, keyword, form in _found(words, self._tables_by_word):
            if hidden and hidden.issuperset(range(at, at + length)):
                continue
            known = best.get((table, keyword.name))
            if known is None or known.is_denied:
                denied = not self.denials.isdisjoint(words[max(0, at - 2) : at])
                if known is None or not denied:
                    best[table, keyword.name] = Hit(table, keyword, form, at, denied)
        return list(best.values())


def _index(tables: Mapping[str, tuple[Keyword, ...]]) -> _Index:
    index: dict[str, list[_Phrase]] = {}
    for table, entries in tables.items():
        for keyword in entries:
            for form in keyword.forms:
                words = tuple(words_of(form))
                if words:
                    index.setdefault(words[0], []).append((words[1:], table, keyword, form))
    return {first: tuple(phrases) for first, phrases in index.items()}


def _found(words: list[str], index: _Index) -> Iterator[tuple[int, int, str, Keyword, str]]:
    """(place, number of words, table, keyword, form) of every phrase that stands in the words."""
    for at, word in enumerate(words):
        for rest, table, keyword, form in index.get(word, ()):
            if not rest or tuple(words[at + 1 : at + 1 + len(rest)]) == rest:
                yield at, 1 + len(rest), table, keyword, form


def keywords(entries: Iterable[str], *, weight: int = 1) -> tuple[Keyword, ...]:
    """Keywords written as `form / form / form`, all of one weight."""
    split = (tuple(form.strip() for form in entry.split("/") if form.strip()) for entry in entries)
    return tuple(Keyword(forms=forms, weight=weight) for forms in split if forms)
