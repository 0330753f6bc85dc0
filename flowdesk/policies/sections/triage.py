"""The `triage` section: keyword tables of categories, impact, urgency, complexity and signals; words of feeling; when
duplicates are merged by themselves, and when tickets alike are a recurring issue.

A keyword is written with all its forms, `refund / refunds / refunded`. A table is a list of keywords
(weight 1 each) or a mapping from weight to such a list: `{3: [refund / refunds], 1: [price]}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from flowdesk.engine.lexicon import Keyword, words_of
from flowdesk.engine.likeness import (
    NO_DUPLICATES,
    PLAIN_RECURRING,
    DuplicateMode,
    DuplicateRule,
    RecurringRule,
)
from flowdesk.engine.priority import Grade
from flowdesk.engine.sentiment import tokens_of
from flowdesk.engine.triage import CategoryRule, TriageRules
from flowdesk.policies.reader import FaultList, Kind, Node

K = TypeVar("K")
V = TypeVar("V")

_KEYS = (
    "impact",
    "urgency",
    "signals",
    "complexity",
    "neutral",
    "denials",
    "default_language",
    "review_below",
    "sentiment",
    "duplicates",
    "recurring",
)
LEAST_MERGED = Decimal("0.6")
LONGEST_WITHIN = timedelta(days=30)
FEWEST_RECURRING, MOST_RECURRING = 2, 20
LONGEST_RECURRING = timedelta(days=90)
MOST_FEELING = 5  # what a word of feeling may weigh, on either side
MOST_FEELINGS = 500  # words of its own that a tenant may weigh


def read_triage(node: Node) -> TriageRules:
    """The tables of the section; raises PolicyFaults with every fault of every table."""
    found, faults = node.mapping(required=["categories"], optional=_KEYS), FaultList()
    categories: tuple[CategoryRule, ...] = ()
    with faults:
        categories = tuple(_each_value(found["categories"], Node.text, _read_category).values())
    impact = faults.read(lambda: _tables(found.get("impact"), _read_side)) or {}
    urgency = faults.read(lambda: _tables(found.get("urgency"), _read_side)) or {}
    signals = faults.read(lambda: _tables(found.get("signals"), Node.text)) or {}
    complexity = faults.read(lambda: _tables(found.get("complexity"), _read_level)) or {}
    neutral: tuple[Keyword, ...] = ()
    with faults:
        neutral = read_keywords(found["neutral"]) if "neutral" in found else neutral
    denials: tuple[str, ...] = ()
    with faults:
        denials = found["denials"].each(Node.text) if "denials" in found else denials
    language = "en"
    with faults:
        language = found["default_language"].text(longest=8) if "default_language" in found else language
    feelings = faults.read(lambda: _read_feelings(found["sentiment"]) if "sentiment" in found else ()) or ()
    review_below = 45
    with faults:
        if "review_below" in found:
            review_below = found["review_below"].integer(least=0, most=100)
    duplicates = NO_DUPLICATES
    with faults:
        duplicates = _read_duplicates(found["duplicates"]) if "duplicates" in found else duplicates
    recurring = PLAIN_RECURRING
    with faults:
        recurring = _read_recurring(found["recurring"]) if "recurring" in found else recurring
    faults.raise_any()
    return TriageRules(
        duplicates=duplicates,
        recurring=recurring,
        review_below=review_below,
        categories=categories,
        impact=impact,
        urgency=urgency,
        signals=signals,
        complexity=complexity,
        neutral=neutral,
        denials=frozenset(word.casefold() for word in denials),
        default_language=language.casefold(),
        sentiment_words=feelings,
    )


def _read_duplicates(node: Node) -> DuplicateRule:
    """When a new ticket is merged into an older one like it; below LEAST_MERGED too many would not be the same."""
    found = node.mapping(required=["mode"], optional=["merge_from", "within", "same_contact"])
    faults, rule = FaultList(), NO_DUPLICATES
    with faults:
        rule = replace(rule, mode=found["mode"].choice(DuplicateMode))
    with faults:
        if "merge_from" in found:
            likeness = found["merge_from"].number(least=0, most=1)
            if likeness < LEAST_MERGED:
                raise found["merge_from"].refuse(f"must be at least {LEAST_MERGED}: others are not the same")
            rule = replace(rule, merge_from=float(likeness))
    with faults:
        if "within" in found:
            within = found["within"].length()
            if within > LONGEST_WITHIN:
                raise found["within"].refuse("is longer than 30 days (720 h)")
            rule = replace(rule, within=within)
    with faults:
        if "same_contact" in found:
            rule = replace(rule, same_contact=found["same_contact"].truth())
    faults.raise_any()
    return rule


def _read_recurring(node: Node) -> RecurringRule:
    """How many tickets alike are an issue, and how close they must lie."""
    found = node.mapping(required=[], optional=["count", "within"])
    faults, rule = FaultList(), PLAIN_RECURRING
    with faults:
        if "count" in found:
            rule = replace(rule, count=found["count"].integer(least=FEWEST_RECURRING, most=MOST_RECURRING))
    with faults:
        if "within" in found:
            within = found["within"].length()
            if within > LONGEST_RECURRING:
                raise found["within"].refuse("is longer than 90 days (2160 h)")
            rule = replace(rule, within=within)
    faults.raise_any()
    return rule


def _read_feelings(node: Node) -> tuple[tuple[str, float], ...]:
    """`words: {grym: 3}`, from -5 to 5; 0 takes a word of the shipped lexicon out."""
    words = node.mapping(required=["words"])["words"]
    faults, weights = FaultList(), dict[str, float]()
    if len(words.items()) > MOST_FEELINGS:
        raise words.refuse(f"holds {len(words.items())} words; {MOST_FEELINGS} is the most")
    for key, weight in words.items():
        with faults:
            word = " ".join(tokens_of(key.text(longest=60))).casefold()
            if not word:
                raise key.refuse("has no word in it")
            if word in weights:
                raise key.refuse("is weighed already")
            weights[word] = float(weight.number(least=-MOST_FEELING, most=MOST_FEELING))
    faults.raise_any()
    return tuple(sorted(weights.items()))


def read_keywords(node: Node) -> tuple[Keyword, ...]:
    """A table of keywords; a form written twice in one table is a fault, for it would weigh twice."""
    faults, found = FaultList(), list[Keyword]()
    known: dict[tuple[str, ...], str] = {}
    for weight, entry in _weighted(node):
        with faults:
            keyword = _read_keyword(entry, weight=weight)
            for form in keyword.forms:
                other = known.setdefault(tuple(words_of(form)), keyword.name)
                if other != keyword.name:
                    raise entry.refuse(f"{form!r} is already a form of {other!r} in this table")
            found.append(keyword)
    faults.raise_any()
    return tuple(found)


def _weighted(node: Node) -> list[tuple[int, Node]]:
    if node.kind is Kind.LIST:
        return [(1, entry) for entry in node.list()]
    return [(_read_weight(weight), entry) for weight, entries in node.items() for entry in entries.list()]


def _read_keyword(node: Node, *, weight: int) -> Keyword:
    forms = tuple(form.strip() for form in node.text().split("/"))
    if not all(words_of(form) for form in forms):
        raise node.refuse("has a form without a word in it")
    return Keyword(forms=forms, weight=weight)


def _read_category(node: Node, category: str) -> CategoryRule:
    found = node.mapping(required=["keywords"], optional=["subcategories", "complexity"])
    faults = FaultList()
    words = faults.read(lambda: read_keywords(found["keywords"])) or ()
    narrower = faults.read(lambda: _tables(found.get("subcategories"), Node.text)) or {}
    complexity = 1
    with faults:
        complexity = _read_level(found["complexity"]) if "complexity" in found else complexity
    faults.raise_any()
    return CategoryRule(category=category, keywords=words, subcategories=narrower, complexity=complexity)


def _tables(node: Node | None, read_key: Callable[[Node], K]) -> Mapping[K, tuple[Keyword, ...]]:
    if node is None:
        return {}
    return _each_value(node, read_key, lambda table, _: read_keywords(table))


def _each_value(node: Node, read_key: Callable[[Node], K], read_value: Callable[[Node, K], V]) -> dict[K, V]:
    """Reads every pair of a mapping and raises the faults of all together."""
    faults, values = FaultList(), dict[K, V]()
    for key, value in node.items():
        with faults:
            name = read_key(key)
            values[name] = read_value(value, name)
    faults.raise_any()
    return values


def _read_side(node: Node) -> Grade:
    """Medium is what holds when no word speaks for either side, so it has no table."""
    grade = node.choice(Grade)
    if grade is Grade.MEDIUM:
        raise node.refuse("medium is the default and has no words of its own; write high or low")
    return grade


def _read_level(node: Node) -> int:
    return node.integer(least=1, most=3)


def _read_weight(node: Node) -> int:
    return node.integer(least=1, most=100)
