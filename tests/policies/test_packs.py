"""The standard pack as a ticket meets it: words in, priority and team out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flowdesk.engine.facts import CustomField, FieldType, Priority, TicketFacts, vocabulary
from flowdesk.engine.priority import decide_priority
from flowdesk.engine.routing import route
from flowdesk.engine.triage import triage
from flowdesk.policies.packs import read_pack_text
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.priority import read_priority
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.sections.triage import read_triage

FIELDS = vocabulary({"amount": CustomField(type=FieldType.NUMBER)})
TRIAGE = read_triage(read_document(read_pack_text("triage"), "triage"))
PRIORITY = read_priority(read_document(read_pack_text("priority"), "priority"))
ROUTING = read_routing(read_document(read_pack_text("routing"), "routing"), fields=FIELDS)


@dataclass(frozen=True, slots=True)
class Outcome:
    priority: Priority
    rule: str | None
    team: str


def outcome(text: str, *, tier: str, is_vip: bool = False, business_hours: bool = True) -> Outcome:
    read = triage("", text=text, rules=TRIAGE)
    decided = decide_priority(
        read.impact,
        urgency=read.urgency,
        rules=PRIORITY,
        category=read.category,
        subcategory=read.subcategory,
        customer_tier=tier,
        is_vip=is_vip,
        signals=read.signals,
    )
    facts = TicketFacts(
        text=text,
        category=read.category,
        priority=decided.priority,
        customer_tier=tier,
        is_vip=is_vip,
        business_hours=business_hours,
        fields=read.extracted,
        signals=read.signals,
    )
    routed = route(facts, ROUTING)
    return Outcome(decided.priority, routed.rule, routed.team)


@pytest.mark.parametrize(
    ("text", "tier", "priority", "rule", "team"),
    [
        (
            "The system is down for everyone, this is urgent",
            "enterprise",
            Priority.P1,
            "critical-technical",
            "tier-2",
        ),
        (
            "Systemet ligger nere för alla, det är akut",
            "professional",
            Priority.P1,
            "critical-technical",
            "tier-2",
        ),
        ("Systemet ligger nere för alla, det är akut", "free", Priority.P2, "technical", "tier-1"),
        ("We were hacked", "free", Priority.P2, "security", "security"),
        ("Security breach in production, act immediately", "enterprise", Priority.P1, "security", "security"),
        ("Please refund invoice 17, it was 12 500 kr", "starter", Priority.P3, "large-bill", "billing"),
        ("Please refund invoice 17, it was 500 kr", "starter", Priority.P3, "billing", "billing"),
        ("A question about my invoice", "enterprise", Priority.P3, "billing-enterprise", "account-managers"),
        ("Export not working", "starter", Priority.P3, "technical", "tier-1"),
        ("I forgot my password", "free", Priority.P3, "account", "account"),
        ("I forgot my password", "enterprise", Priority.P3, "enterprise-in-hours", "account-managers"),
        ("Feature request: would be nice with a dark theme", "free", Priority.P4, "feature", "product"),
        ("The API returns too many requests", "professional", Priority.P3, "integration", "devrel"),
        ("There is a typo on the first page", "starter", Priority.P4, "technical", "tier-1"),
        ("Hello", "starter", Priority.P3, None, "tier-1"),
    ],
)
def test_a_ticket_finds_its_priority_and_its_team(
    text: str, tier: str, priority: Priority, rule: str | None, team: str
) -> None:
    assert outcome(text, tier=tier) == Outcome(priority, rule, team)


def test_an_enterprise_ticket_at_night_goes_to_its_categorys_team() -> None:
    assert outcome("I forgot my password", tier="enterprise", business_hours=False).team == "account"


def test_a_vip_leaves_the_bounds_of_billing() -> None:
    assert outcome("A question about my invoice", tier="starter", is_vip=True).priority is Priority.P2
