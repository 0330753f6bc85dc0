"""Rows of tickets to the facts that rules look at."""

from datetime import datetime

from flowdesk.engine.facts import Priority, Sentiment, TicketFacts
from flowdesk.engine.sla_policy import RuleTarget
from flowdesk.people.models import Customer
from flowdesk.policies.document import PolicyDocument
from flowdesk.tickets.models import Ticket


def facts_of(
    ticket: Ticket,
    *,
    customer: Customer,
    policy: PolicyDocument,
    at: datetime,
    team: str | None,
    text: str = "",
    recent_escalations: int = 0,
) -> TicketFacts:
    """The plain picture of a ticket at an instant; `text` is given where its words are at hand."""
    return TicketFacts(
        subject=ticket.subject,
        text=text,
        channel=ticket.channel,
        language=ticket.language or None,
        priority=Priority(ticket.priority),
        category=ticket.category or None,
        subcategory=ticket.subcategory or None,
        complexity=ticket.complexity,
        customer_tier=customer.tier,
        is_vip=customer.is_vip,
        customer_id=str(customer.id),
        contact_id=str(ticket.contact_id) if ticket.contact_id else None,
        status=ticket.status,
        team=team,
        assignee=str(ticket.assignee_id) if ticket.assignee_id else None,
        level=ticket.level,
        fields=ticket.fields,
        business_hours=office_is_open(policy, at),
        recent_escalations=recent_escalations,
        reopen_count=ticket.reopen_count,
        preferred_channel=customer.preferred_channel or None,
        is_answered=ticket.first_response_at is not None,
        sentiment=Sentiment(ticket.sentiment) if ticket.sentiment else None,
        signals=frozenset(ticket.signals),
        is_major_incident=ticket.is_major_incident,
        created_at=ticket.created_at,
    )


def rule_target_of(ticket: Ticket) -> RuleTarget | None:
    """The first response that a routing rule gave the ticket."""
    if ticket.rule_target_minutes is None:
        return None
    return RuleTarget(minutes=ticket.rule_target_minutes, rule="routing", loosens=ticket.rule_target_loosens)


def office_is_open(policy: PolicyDocument, at: datetime) -> bool:
    """`business_hours` in rules: whether the tenant's own office is open, whatever hours a tier has bought."""
    return policy.promises.calendars[policy.promises.default_calendar].is_open(at)
