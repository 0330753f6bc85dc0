"""Takes a text apart: words, pairs of near words, and pieces of words that survive endings and typing errors."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from unicodedata import normalize

MOST_CHARACTERS = 2_000  # a long mail says what it is about before its signature and its quoted past
SHORTEST_PIECE, LONGEST_PIECE = 2, 5
LONGEST_WORD = 40
WORD, PIECE = "=", "~"  # what a feature's name begins with

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONG_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """One text's words in the order they came, and how often each stands there; and so its features."""

    words: tuple[str, ...]
    often: Mapping[str, int]  # each unlike word
    counts: Mapping[str, int]  # each feature

    def unknown_share(self, known: Container[str]) -> float:
        """Of the text's unlike words, marks aside, those whose feature is not among the known."""
        unlike = [word for word in self.often if word[0].isalnum()]
        if not unlike:
            return 0.0
        return sum(WORD + word not in known for word in unlike) / len(unlike)


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


def parts_of(text: str) -> Parts:
    words = words_of(text)
    counts: dict[str, int] = {}
    often: dict[str, int] = {}
    for word in words:
        often[word] = often.get(word, 0) + 1
    for word, times in often.items():
        counts[WORD + word] = times
        for piece in pieces_of(word):
            counts[piece] = counts.get(piece, 0) + times
    for pair in (*pairs_of(words), *edges_of(words)):
        name = WORD + pair
        counts[name] = counts.get(name, 0) + 1
    return Parts(words=tuple(words), often=often, counts=counts)


def pairs_of(words: Sequence[str]) -> Iterator[str]:
    """Two neighbours, and two words with one between them."""
    for first, second in pairwise(words):
        yield f"{first} {second}"
    for first, third in zip(words, words[2:], strict=False):
        yield f"{first} … {third}"


def edges_of(words: Sequence[str]) -> tuple[str, ...]:
    """The first word as the first, the last as the last: what a question begins with says what it asks."""
    return (f"^ {words[0]}", f"{words[-1]} $") if words else ()
