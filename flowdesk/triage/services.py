"""Classifies a ticket: engine decisions over its words and its customer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowdesk.engine.alternatives import Weighed
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.priority import Grade, PriorityDecision, decide_priority
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.reasons import because
from flowdesk.engine.sentiment import SentimentDecision, read_sentiment
from flowdesk.engine.triage import TriageDecision, triage
from flowdesk.policies.document import PolicyDocument
from flowdesk.triage.learned import NOTHING, Ear, Heard, Learned, Target
from flowdesk.triage.lexicons import lexicon_for


@dataclass(frozen=True, slots=True)
class Classified:
    """The facts with what triage found, and the decisions behind them."""

    facts: TicketFacts
    triage: TriageDecision
    sentiment: SentimentDecision
    priority: PriorityDecision
    weighed: Weighed
    learned: Learned
    decided_by: str  # who chose the category: agent, model or words
    confidence: int | None  # of the category, in percent; None where somebody said it outright
    needs_review: bool

    @property
    def traces(self) -> dict[str, dict[str, Any]]:
        """What `explain` shows of them."""
        found, felt = self.triage, self.sentiment
        return {
            "triage": {
                "category": self.facts.category,
                "subcategory": self.facts.subcategory,
                "complexity": found.complexity,
                "language": found.language,
                "impact": found.impact.value,
                "urgency": found.urgency.value,
                "signals": sorted(found.signals),
                "confidence": None if self.confidence is None else self.confidence / 100,
                **_model_trace(self.learned, Target.CATEGORY),
                "scores": [
                    {"category": score.category, "score": score.score, "keywords": list(score.keywords)}
                    for score in found.scores
                ],
                "decided_by": self.decided_by,
                "reasons": [
                    *reasons_of(
                        [because("said_by_agent", what="category")] if self.decided_by == "agent" else []
                    ),
                    *reasons_of(found.reasons),
                ],
                "sentiment": mood_trace(felt),
            },
            "priority": {
                **priority_trace(self.priority, self.weighed),
                **_model_trace(self.learned, Target.PRIORITY),
            },
        }


def _model_trace(learned: Learned, target: Target) -> dict[str, Any]:
    heard = learned.get(target)
    return {"model": heard.trace} if heard else {}


def priority_trace(decided: PriorityDecision, weighed: Weighed) -> dict[str, Any]:
    """What `explain` shows of a priority."""
    return {
        "priority": int(decided.priority),
        "impact": decided.impact.value,
        "urgency": decided.urgency.value,
        "reasons": reasons_of(decided.reasons),
        "inputs": weighed.data(),
    }


def decide(weighed: Weighed, policy: PolicyDocument, *, said: Priority | None = None) -> PriorityDecision:
    """The priority of what was weighed; what somebody `said` outright stands above it."""
    return decide_priority(
        weighed.impact,
        urgency=weighed.urgency,
        rules=policy.priority,
        category=weighed.category,
        subcategory=weighed.subcategory,
        customer_tier=weighed.customer_tier,
        is_vip=weighed.is_vip,
        recent_escalations=weighed.recent_escalations,
        sentiment=weighed.sentiment,
        signals=weighed.signals,
        learned=weighed.learned,
        agent_priority=said,
    )


def classify_ticket(
    facts: TicketFacts,
    policy: PolicyDocument,
    *,
    category: str | None = None,
    impact: Grade | None = None,
    urgency: Grade | None = None,
    priority: Priority | None = None,
    learned: Learned = NOTHING,
) -> Classified:
    """Category, signals, sentiment and priority from the words; what somebody said outright stands above them.

    What the tenant's models have `learned` stands above keywords and matrix where they are sure; else the rules decide.
    """
    known_categories = {rule.category for rule in policy.triage.categories}
    model = None if category else _sure_of(learned, Target.CATEGORY, known_categories)
    found = triage(
        facts.subject, text=facts.text, rules=policy.triage, language=facts.language,
        category=category or (model.label if model else None),
    )  # fmt: skip
    felt = read_sentiment(
        facts.subject, text=facts.text, lexicon=lexicon_for(found.language, policy.triage.sentiment_words)
    )
    known = replace(
        facts,
        language=found.language,
        category=found.category,
        subcategory=found.subcategory,
        complexity=found.complexity,
        signals=found.signals,
        sentiment=facts.sentiment or felt.sentiment,
        fields={**_declared(found.extracted, policy), **facts.fields},
    )
    weighed = Weighed(
        impact=impact or found.impact,
        urgency=urgency or found.urgency,
        category=known.category,
        subcategory=known.subcategory,
        customer_tier=known.customer_tier,
        is_vip=known.is_vip,
        recent_escalations=known.recent_escalations,
        sentiment=known.sentiment,
        signals=known.signals,
        learned=_learned_priority(learned),
    )
    decided = decide(weighed, policy, said=priority)
    confidence = None if category else round((model or found).confidence * 100)
    return Classified(
        facts=replace(known, priority=decided.priority),
        triage=found,
        sentiment=felt,
        priority=decided,
        weighed=weighed,
        learned=learned,
        decided_by="agent" if category else "model" if model else "words",
        confidence=confidence,
        needs_review=confidence is not None and confidence < policy.triage.review_below,
    )


def _sure_of(learned: Learned, target: Target, known: Collection[str]) -> Heard | None:
    """What a model says, where it is sure and what it says is still known."""
    heard = learned.get(target)
    return heard if heard is not None and not heard.abstains and heard.label in known else None


def _learned_priority(learned: Learned) -> Priority | None:
    heard = _sure_of(learned, Target.PRIORITY, Priority.__members__)
    return Priority[heard.label] if heard else None


def learned_team(learned: Learned, teams: Collection[str]) -> str | None:
    """The team that a model is sure of, for a ticket that no rule takes."""
    heard = _sure_of(learned, Target.TEAM, teams)
    return heard.label if heard else None


def team_by_words(ear: Ear, teams: Collection[str], facts: TicketFacts) -> str | None:
    """The team that a model is sure of, asked about a ticket's words."""
    return learned_team(ear.listen(facts.subject, text=facts.text), teams)


def _declared(extracted: Mapping[str, Any], policy: PolicyDocument) -> dict[str, Any]:
    own = policy.fields
    return {name: value for name, value in extracted.items() if name in own and not own[name].why_not(value)}


def mood_in(text: str, *, language: str | None, policy: PolicyDocument) -> SentimentDecision:
    """What some later words say of their writer's mood."""
    return read_sentiment("", text=text, lexicon=lexicon_for(language, policy.triage.sentiment_words))


def mood_trace(felt: SentimentDecision) -> dict[str, Any]:
    """What `explain` shows of a mood."""
    return {"sentiment": felt.sentiment.value, "score": felt.score, "reasons": reasons_of(felt.reasons)}


def signals_in(subject: str, *, text: str, language: str | None, policy: PolicyDocument) -> frozenset[str]:
    """The signals that some words give; the subject's own are among them."""
    return triage(subject, text=text, rules=policy.triage, language=language).signals
