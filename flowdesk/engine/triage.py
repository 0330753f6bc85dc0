"""What a ticket is about, how wide and how pressing, read from its words (F-TRI-01, F-TRI-04, F-TRI-06, C8).

Keyword tables are the tenant's; English and Swedish stand side by side, since people mix them. Several
categories may match: each keyword adds its weight once, doubled where the subject says it, and the heaviest
category wins, ties going to the one named first in the rules. `not urgent` and `inte akut` are no urgency:
a denial shortly before a keyword takes it out of impact, urgency and signals, never out of categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from flowdesk.engine.language import guess_language
from flowdesk.engine.lexicon import Hit, Keyword, Lexicon, words_of
from flowdesk.engine.likeness import NO_DUPLICATES, PLAIN_RECURRING, DuplicateRule, RecurringRule
from flowdesk.engine.mentions import mentions
from flowdesk.engine.priority import Grade
from flowdesk.engine.reasons import Reason, because

SUBJECT_WEIGHT = 2
MAX_CHARACTERS = 50_000  # of a text; a log pasted below a complaint must not make triage slow

FAQ, TECHNICAL, ENGINEERING = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRule:
    """One category: its keywords, its subcategories' keywords (which count for it too), usual complexity."""

    category: str
    keywords: tuple[Keyword, ...]
    subcategories: Mapping[str, tuple[Keyword, ...]] = field(default_factory=dict, hash=False)
    complexity: int = FAQ


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageRules:
    """A tenant's keyword tables; `complexity` is keyed by 1 to 3, `signals` by the signal's slug."""

    categories: tuple[CategoryRule, ...]
    impact: Mapping[Grade, tuple[Keyword, ...]] = field(default_factory=dict, hash=False)
    urgency: Mapping[Grade, tuple[Keyword, ...]] = field(default_factory=dict, hash=False)
    signals: Mapping[str, tuple[Keyword, ...]] = field(default_factory=dict, hash=False)
    complexity: Mapping[int, tuple[Keyword, ...]] = field(default_factory=dict, hash=False)
    neutral: tuple[Keyword, ...] = ()  # phrases that hide the keywords inside them: `scroll down`
    denials: frozenset[str] = frozenset()
    default_language: str = "en"
    sentiment_words: tuple[tuple[str, float], ...] = ()  # the tenant's own, with what each weighs
    review_below: int = 45  # percent: a category that triage is less sure of waits for somebody to look at it
    duplicates: DuplicateRule = NO_DUPLICATES
    recurring: RecurringRule = PLAIN_RECURRING
    lexicon: Lexicon = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tables: dict[str, tuple[Keyword, ...]] = {}
        for rule in self.categories:
            tables[f"category {rule.category}"] = rule.keywords
            for name, words in rule.subcategories.items():
                tables[f"subcategory {rule.category} {name}"] = words
        tables.update({f"impact {grade}": words for grade, words in self.impact.items()})
        tables.update({f"urgency {grade}": words for grade, words in self.urgency.items()})
        tables.update({f"signal {name}": words for name, words in self.signals.items()})
        tables.update({f"complexity {level}": words for level, words in self.complexity.items()})
        object.__setattr__(
            self, "lexicon", Lexicon(tables=tables, neutral=self.neutral, denials=self.denials)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScore:
    """One category that matched, with the keywords that speak for it, in the form they were found."""

    category: str
    score: int
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageDecision:
    """What the words say. `confidence`, 0 to 1, is the winner's share of all weight, less where the
    weight is small; `scores` names every category that matched, heaviest first."""

    category: str | None
    subcategory: str | None
    complexity: int
    language: str
    impact: Grade
    urgency: Grade
    signals: frozenset[str]
    extracted: Mapping[str, Decimal | str] = field(hash=False)
    confidence: float
    scores: tuple[CategoryScore, ...]
    reasons: tuple[Reason, ...]


def triage(
    subject: str, *, text: str, rules: TriageRules, language: str | None = None, category: str | None = None
) -> TriageDecision:
    """Read a subject and a text; a `language` or `category` already known (a form said so) is taken as it is."""
    subject, text = subject[:MAX_CHARACTERS], text[:MAX_CHARACTERS]
    subject_words, text_words = words_of(subject), words_of(text)
    found = _Found(rules.lexicon.hits(subject_words), rules.lexicon.hits(text_words))
    reasons: list[Reason] = []

    scores = _scores(rules.categories, found)
    heaviest = category or (scores[0].category if scores else None)
    winner = next((rule for rule in rules.categories if rule.category == heaviest), None)
    if category:
        pass  # whoever said so says why
    elif winner is None:
        reasons.append(because("category_unknown"))
    else:
        reasons.append(_why("category", winner.category, scores[0].keywords, score=scores[0].score))
    subcategory = _subcategory(winner, found, reasons)
    return TriageDecision(
        category=winner.category if winner else None,
        subcategory=subcategory,
        complexity=_complexity(winner, found, reasons),
        language=_language(language, subject_words + text_words, f"{subject}\n{text}", rules, reasons),
        impact=_grade("impact", found, reasons),
        urgency=_grade("urgency", found, reasons),
        signals=_signals(rules.signals, found, reasons),
        extracted=mentions(f"{subject}\n{text}"),
        confidence=_confidence(scores),
        scores=tuple(scores),
        reasons=tuple(reasons),
    )


class _Found:
    """The hits of subject and text by table; a keyword in both counts as the subject's."""

    def __init__(self, subject: list[Hit], text: list[Hit]) -> None:
        self._tables: dict[str, dict[str, tuple[Hit, int]]] = {}
        for hits, factor in ((text, 1), (subject, SUBJECT_WEIGHT)):
            for hit in hits:
                self._tables.setdefault(hit.table, {})[hit.keyword.name] = (hit, factor * hit.keyword.weight)

    def weights(self, *tables: str) -> dict[str, int]:
        """Weight by keyword over some tables; a keyword in several counts once, with its greatest."""
        weights: dict[str, int] = {}
        for table in tables:
            for name, (_, weight) in self._tables.get(table, {}).items():
                weights[name] = max(weight, weights.get(name, 0))
        return weights

    def words(self, *tables: str) -> tuple[str, ...]:
        """The same keywords in the form they were found."""
        forms = {name: hit.form for table in tables for name, (hit, _) in self._tables.get(table, {}).items()}
        return tuple(forms.values())

    def meant(self, table: str) -> list[str]:
        """The keywords of a table that no denial takes back, in the form they were found."""
        return [hit.form for hit, _ in self._tables.get(table, {}).values() if not hit.is_denied]


def _scores(categories: tuple[CategoryRule, ...], found: _Found) -> list[CategoryScore]:
    scores = []
    for rule in categories:
        tables = [f"category {rule.category}"]
        tables += [f"subcategory {rule.category} {name}" for name in rule.subcategories]
        score = sum(found.weights(*tables).values())
        if score:
            scores.append(CategoryScore(category=rule.category, score=score, keywords=found.words(*tables)))
    return sorted(scores, key=lambda score: -score.score)  # stable: ties stay in the rules' order


def _confidence(scores: list[CategoryScore]) -> float:
    if not scores:
        return 0.0
    # One more unit of doubt keeps a single weak word from being certainty.
    return round(scores[0].score / (sum(score.score for score in scores) + 1), 3)


def _subcategory(winner: CategoryRule | None, found: _Found, reasons: list[Reason]) -> str | None:
    if winner is None:
        return None
    best, most = None, 0
    for name in winner.subcategories:
        weights = found.weights(f"subcategory {winner.category} {name}")
        if sum(weights.values()) > most:
            best, most = name, sum(weights.values())
    if best is not None:
        reasons.append(_why("subcategory", best, found.words(f"subcategory {winner.category} {best}")))
    return best


def _complexity(winner: CategoryRule | None, found: _Found, reasons: list[Reason]) -> int:
    """Signs of depth come first; a how-to question makes anything without them an FAQ."""
    for level in (ENGINEERING, TECHNICAL, FAQ):
        words = found.words(f"complexity {level}")
        if words:
            reasons.append(_why("complexity", level, words))
            return level
    usual = winner.complexity if winner else FAQ
    reasons.append(because("complexity_usual", value=usual))
    return usual


def _grade(name: str, found: _Found, reasons: list[Reason]) -> Grade:
    """High beats low: who writes "no rush, but everyone is down" is down."""
    for grade in (Grade.HIGH, Grade.LOW):
        words = found.meant(f"{name} {grade}")
        if words:
            reasons.append(_why(name, grade, words))
            return grade
    reasons.append(because(f"{name}_default", value=Grade.MEDIUM))
    return Grade.MEDIUM


def _signals(tables: Mapping[str, object], found: _Found, reasons: list[Reason]) -> frozenset[str]:
    signals = {name: found.meant(f"signal {name}") for name in tables}
    reasons.extend(_why("signal", name, words) for name, words in signals.items() if words)
    return frozenset(name for name, words in signals.items() if words)


def _language(
    known: str | None, words: list[str], text: str, rules: TriageRules, reasons: list[Reason]
) -> str:
    if known is not None:
        reasons.append(because("language_given", value=known))
        return known
    guess = guess_language(words, text=text)
    if guess.language is not None:
        reasons.append(because("language_from_words", value=guess.language, evidence=guess.evidence))
        return guess.language
    reasons.append(because("language_default", value=rules.default_language))
    return rules.default_language


def _why(what: str, value: object, words: Iterable[str], **more: object) -> Reason:
    return because(f"{what}_from_words", value=value, words=", ".join(words), **more)
