"""The fixtures that ship with the demo, read into plain values; ATTRIBUTION.md says where they come from."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How one real ticket went: when in the week it came, and its steps as minutes since then."""

    week_minute: int  # since Monday 00:00
    priority: int
    moves: int
    steps: Sequence[tuple[int, str]]  # work, customer, third_party, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first words of a ticket."""

    category: str
    language: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Library:
    """Everything the demo can say."""

    histories: Sequence[History]
    queries: Mapping[str, Sequence[Opening]]  # by category: real sentences
    own: Mapping[str, Sequence[Opening]]  # by language, as often as they are to be drawn
    urgent: Sequence[Opening]
    phrases: Mapping[str, Mapping[str, Any]]  # by language, then by kind


@cache
def library() -> Library:
    """The fixtures, read once."""
    histories = [
        History(
            week_minute=row["week_minute"], priority=row["priority"], moves=row["moves"],
            steps=tuple((minutes, step) for minutes, step in row["steps"]),
        )
        for row in _unzipped("histories.json.gz")
    ]  # fmt: skip
    queries: dict[str, list[Opening]] = {}
    for row in _unzipped("words.json.gz"):
        queries.setdefault(row["category"], []).append(Opening(language="en", **row))
    written = json.loads((FOLDER / "own_words.json").read_text(encoding="utf-8"))
    own: dict[str, list[Opening]] = {}
    for row in written["openings"]:
        for text in row["texts"]:
            opening = Opening(
                category=row["category"], language=row["language"], subject=row["subject"], text=text
            )
            own.setdefault(row["language"], []).extend([opening] * int(row["weight"]))
    return Library(
        histories=histories,
        queries=queries,
        own=own,
        urgent=[Opening(**row) for row in written["urgent"]],
        phrases=written["phrases"],
    )


def _unzipped(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(gzip.decompress((FOLDER / name).read_bytes()))
    return rows
