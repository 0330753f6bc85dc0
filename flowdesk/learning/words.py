"""Takes a text apart: words, pairs of words, and pieces of words that survive endings and typing errors."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, pairwise
from unicodedata import normalize

MOST_CHARACTERS = 2_000  # a long mail says what it is about before its signature and its quoted past
SHORTEST_PIECE, LONGEST_PIECE = 2, 5
LONGEST_WORD = 40
BEGINNING = 4  # letters of a word that stand for it where two are met anywhere in a text
MEETS = " + "
MOST_MEETING = 24  # unlike beginnings of a text, the first ones: a long mail would hold too many pairs
WORD, PIECE = "=", "~"  # what a feature's name begins with

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONG_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one text holds, each with how often it stands there."""

    often: Mapping[str, int]  # each unlike word
    counts: Mapping[str, int]  # each feature


def words_of(text: str) -> list[str]:
    """Words and marks in lower case; long numbers are all the same, since each order has its own."""
    plain = normalize("NFC", text[:MOST_CHARACTERS]).lower()
    return [word[:LONGEST_WORD] for word in _TOKEN.findall(_LONG_NUMBER.sub("0000", plain))]


@lru_cache(maxsize=4_096)
def pieces_of(word: str) -> tuple[str, ...]:
    """Every run of two to five letters; the word's ends count as a letter, so that they can be told."""
    padded = f" {word} "
    return tuple(
        PIECE + padded[start : start + length]
        for length in range(SHORTEST_PIECE, LONGEST_PIECE + 1)
        for start in range(len(padded) - length + 1)
    )


def times_of(words: Sequence[str]) -> dict[str, int]:
    """Each unlike word with how often it stands there, in the order they first came."""
    often: dict[str, int] = {}
    for word in words:
        often[word] = often.get(word, 0) + 1
    return often


def parts_of(text: str) -> Parts:
    words = words_of(text)
    often = times_of(words)
    counts: dict[str, int] = {}
    for word, times in often.items():
        counts[WORD + word] = times
        for piece in pieces_of(word):
            counts[piece] = counts.get(piece, 0) + times
    for found, _ in (*pairs_of(words), *meetings_of(often), *edges_of(words)):
        name = WORD + found
        counts[name] = counts.get(name, 0) + 1
    return Parts(often=often, counts=counts)


def unknown_share(words: Iterable[str], *, known: Container[str]) -> float:
    """Of unlike words, marks aside, those whose feature is not among the known."""
    told = [word for word in words if word[0].isalnum()]
    return sum(WORD + word not in known for word in told) / len(told) if told else 0.0


def pairs_of(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Two neighbours, and two words with one between them; each with what a person is shown, the same here."""
    for first, second in pairwise(words):
        yield (found := f"{first} {second}"), found
    for first, third in zip(words, words[2:], strict=False):
        yield (found := f"{first} … {third}"), found


def meetings_of(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Two words anywhere in the text, by their beginnings, whatever their order; each with the words."""
    by_beginning: dict[str, str] = {}
    for word in words:
        if word[0].isalnum():
            by_beginning.setdefault(word[:BEGINNING], word)
    first_ones = sorted(islice(by_beginning.items(), MOST_MEETING))
    for (one, word), (other, second) in combinations(first_ones, 2):
        yield f"{one}{MEETS}{other}", f"{word}{MEETS}{second}"


def is_meeting(feature: str) -> bool:
    return feature.startswith(WORD) and MEETS in feature


def edges_of(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The first word as the first and the last as the last, each with the word: how a question begins tells much."""
    return ((f"^ {words[0]}", words[0]), (f"{words[-1]} $", words[-1])) if words else ()
