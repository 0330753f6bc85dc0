"""Classifies a ticket: engine decisions over its words and its customer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowdesk.engine.alternatives import Weighed
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.priority import Grade, PriorityDecision, decide_priority
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.sentiment import SentimentDecision, read_sentiment
from flowdesk.engine.triage import TriageDecision, triage
from flowdesk.policies.document import PolicyDocument
from flowdesk.triage.lexicons import lexicon_for


@dataclass(frozen=True, slots=True)
class Classified:
    """The facts with what triage found, and the decisions behind them."""

    facts: TicketFacts
    triage: TriageDecision
    sentiment: SentimentDecision
    priority: PriorityDecision
    weighed: Weighed
    confidence: int | None  # of the category, in percent; None where somebody said it outright
    needs_review: bool

    @property
    def traces(self) -> dict[str, dict[str, Any]]:
        """What `explain` shows of them."""
        found, felt = self.triage, self.sentiment
        return {
            "triage": {
                "category": found.category,
                "subcategory": found.subcategory,
                "complexity": found.complexity,
                "language": found.language,
                "impact": found.impact.value,
                "urgency": found.urgency.value,
                "signals": sorted(found.signals),
                "confidence": round(found.confidence, 3),
                "scores": [
                    {"category": score.category, "score": score.score, "keywords": list(score.keywords)}
                    for score in found.scores
                ],
                "reasons": reasons_of(found.reasons),
                "sentiment": {
                    "sentiment": felt.sentiment.value,
                    "score": felt.score,
                    "reasons": reasons_of(felt.reasons),
                },
            },
            "priority": priority_trace(self.priority, self.weighed),
        }


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
) -> Classified:
    """Category, signals, sentiment and priority from the words; what somebody said outright stands above them."""
    found = triage(facts.subject, text=facts.text, rules=policy.triage, language=facts.language)
    felt = read_sentiment(
        facts.subject, text=facts.text, lexicon=lexicon_for(found.language, policy.triage.sentiment_words)
    )
    known = replace(
        facts,
        language=found.language,
        category=category or found.category,
        subcategory=found.subcategory if not category or category == found.category else None,
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
    )
    decided = decide(weighed, policy, said=priority)
    confidence = None if category else round(found.confidence * 100)
    return Classified(
        facts=replace(known, priority=decided.priority),
        triage=found,
        sentiment=felt,
        priority=decided,
        weighed=weighed,
        confidence=confidence,
        needs_review=confidence is not None and confidence < policy.triage.review_below,
    )


def _declared(extracted: Mapping[str, Any], policy: PolicyDocument) -> dict[str, Any]:
    return {name: value for name, value in extracted.items() if name in policy.fields}


def signals_in(subject: str, *, text: str, language: str | None, policy: PolicyDocument) -> frozenset[str]:
    """The signals that some words give; the subject's own are among them."""
    return triage(subject, text=text, rules=policy.triage, language=language).signals
