"""The words of feeling, as text files that anybody can read and change; see the head of each file.

Law: a file is data and says what its words weigh; how weights are changed and added is `engine.sentiment`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

from flowdesk.engine.sentiment import Feeling, Phrases, SentimentLexicon, tokens_of

LANGUAGES = {"en": "english", "sv": "swedish"}
EMOJI = "emoji"
MOST_EXTRA = 64  # tenants' own lexicons kept at a time

# The directives whose words the engine knows as a set, by the name it gives them.
_SETS = {
    "not": "negations",
    "later": "late_negations",
    "never": "never",
    "such": "such",
    "wish": "wishes",
    "more": "more",
    "less": "less",
    "but": "contrasts",
    "ask": "openings",
    "wait": "waits",
    "long": "long_times",
}


class BadLexicon(ValueError):
    """A file of the lexicon has a line that cannot be read."""


@dataclass(slots=True)
class _File:
    """What one file says. `own` are words that mean something else in another language."""

    entries: dict[tuple[str, ...], Feeling] = field(default_factory=dict)
    built: dict[tuple[str, ...], Feeling] = field(
        default_factory=dict
    )  # by endings; a written form stands above
    stems: dict[str, Feeling] = field(default_factory=dict)
    sets: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in _SETS.values()})
    prefixes: list[str] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    endings: dict[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=MOST_EXTRA)
def lexicon_for(language: str | None, words: tuple[tuple[str, float], ...] = ()) -> SentimentLexicon:
    """Every language's words, the given one's first where two mean different things, and a tenant's own above all.

    A weight of 0 takes a word out. A language without a file is read as English is.
    """
    first = language if language in LANGUAGES else "en"
    return _joined(first, words)


@cache
def _file(name: str) -> _File:
    return read_lexicon(files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8"), name)


def _joined(first: str, words: tuple[tuple[str, float], ...]) -> SentimentLexicon:
    others = [_file(name) for language, name in LANGUAGES.items() if language != first]
    entries: dict[tuple[str, ...], Feeling] = {}
    stems: dict[str, Feeling] = {}
    sets: dict[str, set[str]] = {name: set() for name in _SETS.values()}
    for file in others:
        entries.update((key, feeling) for key, feeling in file.entries.items() if key[0] not in file.own)
        stems.update(file.stems)
        for name, values in file.sets.items():
            sets[name] |= values - file.own
    for file in (_file(EMOJI), _file(LANGUAGES[first])):
        entries.update(file.entries)
        stems.update(file.stems)
        for name, values in file.sets.items():
            sets[name] |= values
    for word, weight in words:
        entries[_key(word)] = Feeling(word, weight)
    prefixes = tuple(prefix for file in (_file(LANGUAGES[first]), *others) for prefix in file.prefixes)
    return SentimentLexicon(
        words={key[0]: feeling for key, feeling in entries.items() if len(key) == 1},
        phrases=_phrases(entries),
        stems=_stems(stems),
        prefixes=tuple(dict.fromkeys(prefixes)),
        **{name: frozenset(values) for name, values in sets.items()},
    )


def _phrases(entries: Mapping[tuple[str, ...], Feeling]) -> Phrases:
    found: dict[str, dict[str, list[tuple[tuple[str, ...], Feeling]]]] = {}
    for key, feeling in entries.items():
        if len(key) > 1:
            found.setdefault(key[0], {}).setdefault(key[1], []).append((key[2:], feeling))
    return {
        first: {second: tuple(sorted(rest, key=lambda one: -len(one[0]))) for second, rest in seconds.items()}
        for first, seconds in found.items()
    }


def _stems(stems: Mapping[str, Feeling]) -> dict[str, tuple[tuple[str, Feeling], ...]]:
    found: dict[str, list[tuple[str, Feeling]]] = {}
    for stem, feeling in stems.items():
        found.setdefault(stem[:3], []).append((stem, feeling))
    return {first: tuple(sorted(some, key=lambda one: -len(one[0]))) for first, some in found.items()}


def read_lexicon(text: str, name: str) -> _File:
    """A file's entries with all their endings; raises BadLexicon naming file and line."""
    found = _File()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if line.startswith("!"):
                _read_directive(line, found)
            else:
                _read_entries(line, found)
        except (ValueError, KeyError) as fault:
            raise BadLexicon(f"{name}, line {number}: {fault}") from fault
    found.entries = {**found.built, **found.entries}
    return found


def _read_directive(line: str, found: _File) -> None:
    head, _, tail = line[1:].partition(":")
    if head.startswith("endings "):
        found.endings[head.removeprefix("endings ")] = tuple("" if e == "-" else e for e in tail.split())
    elif head == "prefixes":
        found.prefixes += _split(tail)
    elif head == "own":
        found.own.update(_split(tail))
    else:
        found.sets[_SETS[head]].update(_split(tail))


def _read_entries(line: str, found: _File) -> None:
    weight, _, tail = line.partition(" : ")
    for entry in _split(tail):
        written, _, mark = entry.partition(" +")
        forms = [form.strip() for form in written.split(" / ")]
        feeling = Feeling(forms[0], float(weight), mark == "courtesy", mark in ("verb", "later"))
        for form in forms:
            if form.endswith("*"):
                found.stems[form[:-1]] = feeling
            elif mark in found.endings:
                *before, last = _key(form)
                for ending in found.endings[mark]:
                    found.built.setdefault((*before, _with(last, ending)), feeling)
            elif mark not in ("", "courtesy", "later"):
                raise ValueError(f"{entry!r} has a mark that is not known")
            elif found.entries.setdefault(_key(form), feeling).weight != feeling.weight:
                raise ValueError(f"{form!r} weighs something else already")


def _with(form: str, ending: str) -> str:
    """An ending that begins with a vowel takes the place of a final a or e."""
    if ending and ending[0] in "aeiouy" and form[-1] in "ae":
        return form[:-1] + ending
    return form + ending


def _key(form: str) -> tuple[str, ...]:
    tokens = tuple(token.casefold() for token in tokens_of(form))
    if not tokens:
        raise ValueError(f"{form!r} has no word in it")
    return tokens


def _split(tail: str) -> list[str]:
    return [part.strip() for part in tail.split(",") if part.strip()]
