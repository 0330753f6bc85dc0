"""How somebody feels about us, read from their words, so that anybody can add it up by hand.

Every word of feeling weighs what a lexicon says; what stands around it multiplies that: `not` turns praise round
and takes a complaint away, `very` and capitals strengthen, `a bit` weakens, `but` moves the weight behind it. The
sum is held against a ballast that grows with the text, which gives a score in (-1, 1). A mail to a help desk
reports faults all day: words that merely report one count one together, and only words of anger make angry.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flowdesk.engine.facts import Sentiment
from flowdesk.engine.reasons import Reason, because

MAX_CHARACTERS = 20_000  # of a text; what somebody feels is said before
MAX_TOKENS = 3_000
MAX_SHOWN = 12  # reasons; the rest is told as one sum

MORE, LESS = 1.3, 0.6  # `very`, `a bit`; also capitals and stretched letters
MOST_STRENGTHENED = 2.0
WISHED = 0.25  # praise that is only wished for: `would be nice`, `expected better`
NOT_GOOD, NOT_BAD = -0.75, 0.0  # what a negation leaves of praise and of a complaint
BEFORE_BUT, AFTER_BUT = 0.6, 1.25
EXCLAIMED, MOST_EXCLAIMED = 0.1, 3  # for each mark, and the most marks that count
ASKED = 0.5  # a complaint inside a question that opens as one: `how do I get rid of …?`
SCOPE, LATER_SCOPE = 4, 2  # words a negation reaches before and, for some verbs, after
MOST_TIMES = 3  # a word said again and again counts this often
FAINT, MOST_FAINT = (
    1.0,
    0.8,
)  # weights below the first report faults; all of them count no more than the second
LONG_WAIT, LONG_WAIT_NAME = -2.0, "long wait"  # waiting, with hours, days or weeks close by

BALLAST, WORDS_TO_BALLAST = 5.0, 40
POSITIVE_AT, NEGATIVE_AT, ANGRY_AT = 0.16, -0.15, -0.4
ANGRY_WORD = -4.0  # no anger without one word that counts as much


@dataclass(frozen=True, slots=True)
class Feeling:
    """An entry of the lexicon. `is_verb`: a negation may follow it, as Swedish has it (`hjälper inte`)."""

    name: str
    weight: float
    is_courtesy: bool = False
    is_verb: bool = False


# By first word, then by second: what follows these, longest first.
Phrases = Mapping[str, Mapping[str, tuple[tuple[tuple[str, ...], Feeling], ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentLexicon:
    """Words of feeling and the words that change them, all in lower case.

    `stems` are found by their first three letters, and prefixes are no shorter.
    """

    words: Mapping[str, Feeling] = field(hash=False)
    phrases: Phrases = field(default_factory=dict, hash=False)
    stems: Mapping[str, tuple[tuple[str, Feeling], ...]] = field(default_factory=dict, hash=False)
    negations: frozenset[str] = frozenset()
    late_negations: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()  # `never … such` denies nothing
    such: frozenset[str] = frozenset()
    wishes: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()
    less: frozenset[str] = frozenset()
    contrasts: frozenset[str] = frozenset()
    openings: frozenset[str] = frozenset()  # first words of questions
    prefixes: tuple[str, ...] = ()  # strengthen the word they are grown onto: `jättebra`
    waits: frozenset[str] = frozenset()
    long_times: frozenset[str] = frozenset()
    _grown_from: Mapping[str, tuple[str, ...]] = field(
        init=False, repr=False, compare=False
    )  # prefixes by head
    heads: frozenset[str] = field(init=False, repr=False, compare=False)  # of stems and prefixes

    def __post_init__(self) -> None:
        grown: dict[str, tuple[str, ...]] = {}
        for prefix in self.prefixes:
            grown[prefix[:3]] = (*grown.get(prefix[:3], ()), prefix)
        object.__setattr__(self, "_grown_from", grown)
        object.__setattr__(self, "heads", frozenset(self.stems) | frozenset(grown))

    def inside(self, word: str) -> tuple[Feeling | None, str]:
        """A word that is not an entry itself: one of a stem's, or an entry with a strengthening prefix."""
        head = word[:3]
        for stem, feeling in self.stems.get(head, ()):
            if word.startswith(stem):
                return feeling, ""
        for prefix in self._grown_from.get(head, ()):
            if word.startswith(prefix) and (found := self.words.get(word[len(prefix) :])):
                return (None, "") if len(found.name) < 3 or found.is_courtesy else (found, "strengthened")
        return None, ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A word of feeling in its place: what it weighs, what it counts for, and what made the difference."""

    name: str
    weight: float
    counted: float
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentDecision:
    """`score` = `total` / (|`total`| + `ballast`); `total` is the sum of what the words count for."""

    sentiment: Sentiment
    score: float
    total: float
    ballast: float
    counted: tuple[Counted, ...]
    reasons: tuple[Reason, ...]


def read_sentiment(subject: str, *, text: str, lexicon: SentimentLexicon) -> SentimentDecision:
    """What the words say of their writer's mood; quotations and signatures say nothing."""
    tokens = tokens_of(f"{subject[:MAX_CHARACTERS]}\n{own_words(text[:MAX_CHARACTERS])}")
    reading = _Reading(tokens, lexicon)
    counted = reading.counted()
    total = _sum(counted)
    ballast = round(BALLAST + len(tokens) / WORDS_TO_BALLAST, 2)
    score = round(total / (abs(total) + ballast), 3)
    sentiment = _sentiment(score, counted)
    return SentimentDecision(
        sentiment=sentiment,
        score=score,
        total=total,
        ballast=ballast,
        counted=counted,
        reasons=_reasons(sentiment, score, total, ballast, counted),
    )


def _sentiment(score: float, counted: tuple[Counted, ...]) -> Sentiment:
    if score <= ANGRY_AT and any(one.counted <= ANGRY_WORD for one in counted):
        return Sentiment.ANGRY
    if score <= NEGATIVE_AT:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if score >= POSITIVE_AT else Sentiment.NEUTRAL


def _sum(counted: tuple[Counted, ...]) -> float:
    faint = sum(one.counted for one in counted if abs(one.weight) < FAINT)
    firm = sum(one.counted for one in counted if abs(one.weight) >= FAINT)
    return round(firm + min(max(faint, -MOST_FAINT), MOST_FAINT), 2)


def _reasons(
    sentiment: Sentiment, score: float, total: float, ballast: float, counted: tuple[Counted, ...]
) -> tuple[Reason, ...]:
    if not counted:
        return (because("sentiment_no_words", value=sentiment),)
    heaviest = sorted(counted, key=lambda one: -abs(one.counted))
    shown, rest = heaviest[:MAX_SHOWN], heaviest[MAX_SHOWN:]
    reasons = [
        because(
            _code(one),
            word=one.name,
            weight=f"{one.weight:+g}",
            counted=f"{one.counted:+g}",
            by=" ".join(one.by),
        )
        for one in shown
    ]
    if rest:
        reasons.append(
            because("sentiment_rest", count=len(rest), counted=f"{round(sum(r.counted for r in rest), 2):+g}")
        )
    faint = round(sum(one.counted for one in counted if abs(one.weight) < FAINT), 2)
    if abs(faint) > MOST_FAINT:
        most = MOST_FAINT if faint > 0 else -MOST_FAINT
        reasons.append(because("sentiment_faults", counted=f"{most:+g}", was=f"{faint:+g}"))
    reasons.append(
        because("sentiment_sum", value=sentiment, total=f"{total:+g}", ballast=ballast, score=f"{score:+g}")
    )
    return tuple(reasons)


def _code(one: Counted) -> str:
    if one.name == LONG_WAIT_NAME:
        return "sentiment_long_wait"
    return "sentiment_changed" if one.by else "sentiment_word"


# -- words

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]*@\w[\w.-]*")
_EMOTICON = r"[>]?[:;=8][']?[-o^]?[)(DPpcSs@/\\|\[\]](?!\w)|[>]?[:;=]'?-?[)(D]|<3|</3|\^\^|\(-?[:;=]"
_EMOJI = "[\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff]"
_TOKEN = re.compile(rf"[^\W_]+(?:'[^\W_]+)*|[.!?…]+|[,()\n]|{_EMOJI}|{_EMOTICON}|[;:]")
_STRETCHED = re.compile(r"([^\W\d_])\1\1")
_STRETCH = re.compile(r"([^\W\d_])\1{2,}")


def tokens_of(text: str) -> list[str]:
    """Words, emoji and the marks that end something, as they are written; addresses and names of users are left out."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    if "@" in text or "://" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    return _TOKEN.findall(text)[:MAX_TOKENS]


_CUT = re.compile(
    r"^(?:-- ?$|_{8,}|-{4,} ?(?:original|ursprungligt|vidarebefordrat|forwarded)"
    r"|(?:sent from my|skickat från min|get outlook for|hämta outlook)\b"
    r"|(?:on|den|på) .{4,100}(?:wrote|skrev)(?: .{0,100})?: ?$"
    r"|(?:from|från): .{1,200}\n(?:sent|date|to|skickat|datum|till): )",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>(?![:;=]).*$", re.MULTILINE)


def own_words(text: str) -> str:
    """A mail without what it quotes and without its signature, where these can be told."""
    found = _CUT.search(text)
    own = text[: found.start()] if found else text
    return _QUOTED_LINE.sub("", own) if ">" in own else own


# -- reading


def _is_mostly_shouted(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters >= 16 and sum(map(str.isupper, text)) > 0.7 * letters


class _Reading:
    """The words of one text and what counts among them."""

    def __init__(self, tokens: list[str], lexicon: SentimentLexicon) -> None:
        whole = " ".join(tokens)
        self._written = tokens
        self._words = list(map(str.casefold, tokens))
        self._lexicon = lexicon
        self._is_stretched = _STRETCHED.search(whole) is not None
        self._is_all_shouted = _is_mostly_shouted(whole[:400])

    @cached_property
    def _ends(self) -> list[int]:
        return [at for at, token in enumerate(self._written) if token[0] in ".!?…\n"]

    def counted(self) -> tuple[Counted, ...]:
        hits = list(self._hits())
        taken = {at for start, end, _, _ in hits for at in range(start, end) if end - start > 1}
        starts = {start for start, _, feeling, _ in hits if feeling.weight}
        counted: list[Counted] = []
        courtesies: list[tuple[int, Counted]] = []
        times: dict[str, int] = {}
        for start, end, feeling, by in hits:
            if not feeling.weight or (end - start == 1 and self._strengthens(start, starts)):
                continue
            times[feeling.name] = times.get(feeling.name, 0) + 1
            if times[feeling.name] > MOST_TIMES:
                continue
            one = self._weigh(start, end, feeling, by, taken)
            if feeling.is_courtesy:
                courtesies.append((start, one))
            elif one.counted:
                counted.append(one)
        if self._is_long_wait():
            counted.append(Counted(LONG_WAIT_NAME, LONG_WAIT, LONG_WAIT))
        if courtesies and not any(one.counted < 0 for one in counted):
            at, thanks = max(courtesies, key=lambda pair: pair[1].counted)
            if thanks.counted > 0 and not self._is_closing(at):
                counted.append(thanks)
        return tuple(counted)

    def _hits(self) -> Iterator[tuple[int, int, Feeling, str]]:
        """(first token, end, entry, what its spelling adds) of every entry; a longer phrase hides what is in it."""
        words, lexicon = self._words, self._lexicon
        known, phrases, heads = lexicon.words, lexicon.phrases, lexicon.heads
        free_from, last = 0, len(words) - 1
        for at, word in enumerate(words):
            if at < free_from:
                continue
            if word in phrases and at < last:
                for rest, feeling in phrases[word].get(words[at + 1], ()):
                    end = at + 2 + len(rest)
                    if not rest or tuple(words[at + 2 : end]) == rest:
                        yield at, end, feeling, ""
                        free_from = end
                        break
                if at < free_from:
                    continue
            by = ""
            found = known.get(word)
            if found is None:
                if word[:3] in heads:
                    found, by = lexicon.inside(word)
                if found is None and self._is_stretched and _STRETCHED.search(word):
                    found, by = self._stretched(word), "stretched"
            if found is not None:
                yield at, at + 1, found, by

    def _stretched(self, word: str) -> Feeling | None:
        known = self._lexicon.words
        return known.get(_STRETCH.sub(r"\1", word)) or known.get(_STRETCH.sub(r"\1\1", word))

    def _strengthens(self, at: int, starts: set[int]) -> bool:
        """Whether a word only strengthens the one behind it: `damn` in `damn good`."""
        return self._words[at] in self._lexicon.more and at + 1 in starts

    def _weigh(self, start: int, end: int, feeling: Feeling, spelled: str, taken: set[int]) -> Counted:
        by: list[str] = []
        factor = 1.0
        if spelled:
            by.append(spelled)
            factor *= MORE
        lexicon, near = self._lexicon, self._before(start)
        for word in near[-2:]:
            if word in lexicon.more:
                by.append("strengthened")
                factor *= MORE
            elif word in lexicon.less:
                by.append("weakened")
                factor *= LESS
        if self._is_shouted(start, end):
            by.append("shouted")
            factor *= MORE
        sentence_end = self._sentence_end(start)
        mark = self._written[sentence_end] if sentence_end < len(self._written) else ""
        if "!" in mark:
            by.append("exclaimed")
            factor *= 1 + EXCLAIMED * min(mark.count("!"), MOST_EXCLAIMED)
        factor = min(factor, MOST_STRENGTHENED)
        factor *= self._turn(start, sentence_end, feeling, mark, by)
        if feeling.is_courtesy or not self._words[start][0].isalpha():
            pass  # nobody negates a thank-you, and an emoji stands outside the sentence
        elif self._is_negated(start, end, near, feeling, taken):
            by.append("negated")
            factor *= NOT_GOOD if feeling.weight > 0 else NOT_BAD
        elif feeling.weight > 0 and not lexicon.wishes.isdisjoint(near):
            by.append("wished")
            factor *= WISHED
        return Counted(feeling.name, feeling.weight, round(feeling.weight * factor, 2), tuple(by))

    def _turn(self, start: int, end: int, feeling: Feeling, mark: str, by: list[str]) -> float:
        """What the sentence as a whole does to a word: `but` before or behind it, a question around it."""
        words, lexicon, factor = self._words, self._lexicon, 1.0
        begin = self._sentence_begin(start)
        contrast = max(
            (at for at in range(begin + 1, min(end, begin + 60)) if words[at] in lexicon.contrasts),
            default=None,
        )
        if contrast is not None:
            by.append("before_but" if start < contrast else "after_but")
            factor *= BEFORE_BUT if start < contrast else AFTER_BUT
        if ANGRY_WORD < feeling.weight < 0 and mark.startswith("?") and words[begin] in lexicon.openings:
            by.append("asked")
            factor *= ASKED
        return factor

    def _is_negated(self, start: int, end: int, near: list[str], feeling: Feeling, taken: set[int]) -> bool:
        lexicon, first = self._lexicon, start - len(near)
        for place, word in enumerate(near):
            if word in lexicon.negations and first + place not in taken:
                return not (word in lexicon.never and lexicon.such.intersection(near[place + 1 :]))
        if feeling.is_verb:
            for at in range(end, min(end + LATER_SCOPE, len(self._words))):
                if not self._written[at][0].isalpha():
                    return False
                if self._words[at] in lexicon.late_negations:
                    return at not in taken
        return False

    def _before(self, start: int) -> list[str]:
        """The words just before a place, back to a mark or a contrast; words that strengthen take no place."""
        near: list[str] = []
        reach = SCOPE
        at = start - 1
        while at >= 0 and reach > 0:
            word = self._words[at]
            if not word[0].isalnum() or word in self._lexicon.contrasts:
                break
            near.append(word)
            if word not in self._lexicon.more:
                reach -= 1
            elif len(near) > 2 * SCOPE:
                break
            at -= 1
        near.reverse()
        return near

    def _is_shouted(self, start: int, end: int) -> bool:
        if self._is_all_shouted:
            return True
        return all(len(token) > 2 and token.isupper() for token in self._written[start:end])

    def _sentence_end(self, at: int) -> int:
        place = bisect_left(self._ends, at)
        return self._ends[place] if place < len(self._ends) else len(self._written)

    def _sentence_begin(self, at: int) -> int:
        place = bisect_left(self._ends, at)
        return self._ends[place - 1] + 1 if place else 0

    def _is_long_wait(self) -> bool:
        """Whether waiting and hours, days or weeks stand close together: `vi har väntat i tre veckor`."""
        lexicon, words = self._lexicon, self._words
        if lexicon.waits.isdisjoint(words):
            return False
        return any(
            word in lexicon.waits
            and not lexicon.long_times.isdisjoint(words[at + 1 : min(at + 6, self._sentence_end(at))])
            for at, word in enumerate(words)
        )

    def _is_closing(self, at: int) -> bool:
        """Thanks in the last words of a letter are how letters end."""
        return len(self._words) > 12 and at >= len(self._words) - 8
