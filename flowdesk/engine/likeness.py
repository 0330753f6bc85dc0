"""How alike two tickets are, by the words they share and how rare those are; and groups of tickets that are alike.

A text becomes terms: words folded to lower case and stripped of endings (Swedish and English alike, by one short
table), without the words every text has. A term with a figure in it (an error code, a version, an order) tells more
than a word. Which words are rare is counted as tickets come (`Vocabulary`), in a table of fixed size.

Two texts are as alike as the angle between their weighted terms is small, with the likeness of their subjects beside
it; 1 is the same, 0 nothing in common. A few of a text's rarest terms, its telling ones, are what others find it by.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from math import log, sqrt
from zlib import crc32

MAX_CHARACTERS = 8_000  # of a text; what it is about is said before
MAX_WORDS = 600
MOST_TERMS = 48  # kept of a text
MOST_TELLING = 12  # by which it is found
MOST_ASKED = 24  # with which others are looked for
IN_SUBJECT = 2.0  # a term of the subject counts this often
WITH_FIGURE = 1.2  # an error code tells more than a word as rare
HOLDERS = 50  # the latest tickets that are looked at for each term
CANDIDATES = 80  # tickets found by their terms that are ranked
SHORTEST, SHORTEST_FIGURE, LONGEST = 2, 3, 40  # letters of a term; of one with a figure in it
SUBJECT_SHARE = 0.3  # of a likeness, for how alike the subjects read
SHOWN = 0.3  # from here on a ticket is worth a look beside another: of real duplicates two thirds, of others a tenth
ALIKE = 0.45  # from here on two tickets are about the same

# -- terms

_WORD = re.compile(r"[^\W_]+(?:[-_.:/][^\W_]+)*")
_PIECE = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_STOP_WORDS = frozenset(
    """
a about above after again all also am an and any are as asap at back be because been before being below best both
but by can cannot cant could day days dear did do does doesnt doing dont down due each else etc even every few for
from further get gets getting give given go goes going gone good got had has have having he hello help her here hers
hey hi him his hope how however i if im in into is isnt it its ive just kind know let like look looking made make
many may me might more most mr mrs much must my need needs new no nor not now of off ok okay on once one only or
other our ours out over own please possible re regards said same see seems send sent she should since so some
someone something soon still such sure take team than thank thanks that the their them then there these they thing
things this those through time to today tomorrow too tried try trying under until up upon us use used using very via
want wants was way we well were what when where whether which while who why will wish with within without wont work
working works would yes yesterday yet you your yours
af alla allt alltid andra att av bara behöver bland blev bli blir blivit bra bör båda både dag dagar de dem den denna
deras dess dessa det detta dig din dina dit ditt du där därför då efter eller en er era ert ett fast fick finns flera
fler fram från får fått för före försöker ganska gick gillar ge ger genom gjorde gjort går gång gånger gått gör göra
ha hade haft han hann har hej hejsan hela hem henne hennes hit hjälp hjälpa honom hos hur här i ibland icke idag igen
igår in inga ingen inget innan inte ja jag ju just kan kanske kom komma kommer kunde kunna kvar lite man med mellan
men mer mig min mina mitt mot mvh mycket måste många ner ni nog nu nya ny någon något några nån nåt när nästa och
också om oss på redan rätt sa sedan sen ser ska skall skriva skulle snart snälla som sådan så säga sätt ta tack tar
test tidigare till tills tror trots ur ut utan vad vara varför varit varje vart vem vet vi vid vidare vilja vilka
vilken vilket vill vilja väl vänliga vänligen hälsning hälsningar vår våra vårt än ändå ännu är även åt
""".split()  # noqa: SIM905 - a list this long reads best as a text
)
# Endings of both languages, longest first; a stem keeps at least MIN_STEM letters, and an s goes before the rest.
_ENDINGS = tuple(
    sorted(
        """
        ningarna ningens ningen ningar ning heterna heten heter ationer ationen ations ation elserna elsen elser else
        arnas ernas ornas arna erna orna andet ande ende aste ades ade arens aren are ast ats at as ar an
        erar erade erat era ering ern orn atet aten er en et es or ings ing edly ed ies ly ments ment ness a e t y
        """.split(),  # noqa: SIM905
        key=len,
        reverse=True,
    )
)
MIN_STEM = 4
_LONGEST_ENDING = max(map(len, _ENDINGS))
_ENDING_SET = frozenset(_ENDINGS)


def stem(word: str) -> str:
    """A word without its plural or genitive s and without one ending: fakturorna, faktura -> faktur."""
    if len(word) > MIN_STEM and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1].removesuffix("'")
    for length in range(min(_LONGEST_ENDING, len(word) - MIN_STEM), 0, -1):
        if word[-length:] in _ENDING_SET:
            return word[:-length]
    return word


def terms_of(text: str) -> dict[str, int]:
    """The terms of a text and how often each stands in it; at most MAX_WORDS words are looked at."""
    counts: dict[str, int] = {}
    for term, _ in _terms(text):
        counts[term] = counts.get(term, 0) + 1
    return counts


def names_of(text: str) -> dict[str, str]:
    """The terms of a text, each with the word it was first seen as: people read words, not stems."""
    names: dict[str, str] = {}
    for term, word in _terms(text):
        names.setdefault(term, word)
    return names


def _terms(text: str) -> Iterator[tuple[str, str]]:
    folded = unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).casefold()
    for found in islice(_WORD.finditer(folded), MAX_WORDS):
        yield from _terms_in(found.group())


def _terms_in(word: str) -> Iterator[tuple[str, str]]:
    """A word with figures or marks inside is its parts, and itself where it holds a figure: a code, a version."""
    if word.isalpha():
        if SHORTEST <= len(word) <= LONGEST and word not in _STOP_WORDS:
            yield stem(word), word
        return
    pieces = _PIECE.findall(word)
    if len(pieces) > 1 and len(word) <= LONGEST and any(map(str.isdigit, word)):
        yield word, word
    for piece in pieces:
        if not piece.isalpha() and SHORTEST_FIGURE <= len(piece) <= LONGEST:
            yield piece, piece
        for part in _LETTERS.findall(piece):
            if SHORTEST <= len(part) <= LONGEST and part not in _STOP_WORDS:
                yield stem(part), part


def weights_of(subject: str, text: str) -> dict[str, float]:
    """How much each term of a ticket counts before its rarity is known: more often is more, but less and less."""
    counts: dict[str, float] = dict(terms_of(text))
    for term, count in terms_of(subject).items():
        counts[term] = counts.get(term, 0) + IN_SUBJECT * count
    return {
        term: (1 + log(1 + count)) * (WITH_FIGURE if any(map(str.isdigit, term)) else 1.0)
        for term, count in counts.items()
    }


def key_of(term: str) -> int:
    """A term as a number of 32 bits, below and above 0: what is kept of it is no customer's word."""
    return crc32(term.encode()) - 2**31


# -- rarity

BUCKETS, WAYS = 16_384, 2


class Vocabulary:
    """How many tickets hold a term, by its key, in a table of fixed size.

    Each key counts in two places and reads the smaller: two keys that fall together look less rare than they are, and
    never rarer.
    """

    __slots__ = ("counts", "tickets")

    def __init__(self, tickets: int = 0, packed: bytes = b"") -> None:
        self.tickets = tickets
        self.counts = array("I", packed) if packed else array("I", bytes(4 * BUCKETS * WAYS))

    def add(self, keys: Iterable[int]) -> None:
        """Count one ticket's terms."""
        self.tickets += 1
        for key in keys:
            for place in _places(key):
                self.counts[place] += 1

    def rarity(self, key: int) -> float:
        """What a term weighs for being rare: next to nothing when every ticket has it."""
        first, second = _places(key)
        holding = min(self.counts[first], self.counts[second], self.tickets)
        return log((self.tickets + 1) / (holding + 0.5))

    def packed(self) -> bytes:
        return self.counts.tobytes()


def _places(key: int) -> tuple[int, int]:
    bits = key & 0xFFFFFFFF
    return bits % BUCKETS, BUCKETS + (bits >> 16) % BUCKETS


# -- likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is kept of a ticket's words: its heaviest terms by key, heaviest first."""

    keys: tuple[int, ...]
    weights: tuple[float, ...]  # before rarity, one for each key


def digest_of(weights: Mapping[str, float], vocabulary: Vocabulary, *, most: int = MOST_TERMS) -> Digest:
    """The terms of a ticket that weigh most with their rarity, heaviest first, then by the alphabet."""
    keyed = {term: key_of(term) for term in weights}
    heaviest = sorted(weights, key=lambda term: (-weights[term] * vocabulary.rarity(keyed[term]), term))[
        :most
    ]
    return Digest(
        keys=tuple(keyed[term] for term in heaviest), weights=tuple(weights[term] for term in heaviest)
    )


def likeness(one: Digest, other: Digest, *, vocabulary: Vocabulary, subjects: float) -> float:
    """From 0 to 1; `subjects` says how alike the subjects read, from 0 to 1."""
    ours, theirs = _vector(one, vocabulary), _vector(other, vocabulary)
    return round((1 - SUBJECT_SHARE) * _cosine(ours, theirs) + SUBJECT_SHARE * subjects, 4)


def _vector(digest: Digest, vocabulary: Vocabulary) -> dict[int, float]:
    return {
        key: weight * vocabulary.rarity(key) for key, weight in zip(digest.keys, digest.weights, strict=True)
    }


def _cosine(ours: Mapping[int, float], theirs: Mapping[int, float]) -> float:
    together = sum(weight * theirs[key] for key, weight in ours.items() if key in theirs)
    if not together:
        return 0.0
    lengths = sum(weight**2 for weight in ours.values()) * sum(weight**2 for weight in theirs.values())
    return together / sqrt(lengths)


# -- duplicates


class DuplicateMode(StrEnum):
    OFF = "off"
    SHADOW = "shadow"  # says what it would do
    ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRule:
    """When a new ticket is merged into an older one by itself; only ever into one of the same customer."""

    mode: DuplicateMode = DuplicateMode.OFF
    merge_from: float = 0.9  # how alike they must be at the least
    within: timedelta = timedelta(hours=24)  # how old the older one may be
    same_contact: bool = True


NO_DUPLICATES = DuplicateRule()


# -- groups


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringRule:
    """When tickets alike are a recurring issue."""

    count: int = 3
    within: timedelta = timedelta(days=7)  # those that lie further apart are none


PLAIN_RECURRING = RecurringRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tickets alike: each is as alike to the representative as the threshold asks; the others in their order."""

    representative: int
    others: tuple[int, ...]

    @property
    def members(self) -> tuple[int, ...]:
        return (self.representative, *self.others)


def join_groups(
    groups: Sequence[Group],
    ticket: int,
    *,
    alike: Mapping[int, float],
    akin: Collection[frozenset[int]] = (),
    threshold: float = ALIKE,
    least: int = PLAIN_RECURRING.count,
) -> tuple[tuple[Group, ...], Group | None]:
    """The groups once a new ticket has come, and the one it is in; `alike` holds its likeness to those before it.

    It joins the group whose representative it is most alike to, or an older one about the same: `akin` holds the pairs
    of representatives that are alike themselves. Else it stands in the middle of a new group, if
    enough of those alike are in none.
    """
    near = {other: score for other, score in alike.items() if score >= threshold and other != ticket}
    fitting = [group for group in groups if group.representative in near]
    if fitting:
        most = max(fitting, key=lambda group: (near[group.representative], -group.representative))
        same = [group for group in fitting if {group.representative, most.representative} in akin]
        best = min([most, *same], key=lambda group: group.representative)
        grown = Group(
            representative=best.representative,
            others=tuple(sorted({*best.others, ticket} - {best.representative})),
        )
        return tuple(grown if group is best else group for group in groups), grown
    taken = {member for group in groups for member in group.members}
    loose = sorted(set(near) - taken)
    if len(loose) + 1 < least:
        return tuple(groups), None
    new = Group(representative=ticket, others=tuple(loose))
    return (*groups, new), new
