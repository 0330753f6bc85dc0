"""The policy document as a whole: one section for each thing a tenant decides, read into engine values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flowdesk.engine.escalation import EscalationPolicy
from flowdesk.engine.facts import CustomField, vocabulary
from flowdesk.engine.lanes import HubPolicy
from flowdesk.engine.priority import PriorityRules
from flowdesk.engine.routing import RoutingRules
from flowdesk.engine.sla_policy import PromisePolicy
from flowdesk.engine.triage import TriageRules
from flowdesk.policies.holidays import known_tables
from flowdesk.policies.reader import FaultList, Node, read_document
from flowdesk.policies.sections.calendars import HolidayTable, read_calendars, read_tiers
from flowdesk.policies.sections.escalation import read_escalation
from flowdesk.policies.sections.fields import read_fields
from flowdesk.policies.sections.hubs import read_hubs
from flowdesk.policies.sections.priority import read_priority
from flowdesk.policies.sections.promises import read_promises
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.sections.triage import read_triage

SECTIONS = ("calendars", "tiers", "promises", "escalation", "triage", "priority", "routing", "hubs")
OPTIONAL = ("waits", "fields")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """Everything a tenant has decided, in one revision."""

    number: int
    fields: dict[str, CustomField]
    promises: PromisePolicy
    escalation: EscalationPolicy
    triage: TriageRules
    priority: PriorityRules
    routing: RoutingRules
    hubs: HubPolicy


def read_policy(text: str, *, name: str, revision: int, holidays: HolidayTable) -> PolicyDocument:
    """Read a document; raises PolicyFaults with every place that cannot be used.

    `holidays` gives the days of a country's table, so that a stored revision reads the days it was made with.
    """
    parts = read_document(text, name).mapping(required=SECTIONS, optional=OPTIONAL)
    faults = FaultList()

    def section(key: str, read: Callable[[Node], T]) -> T | None:
        return faults.read(lambda: read(parts[key]))

    custom = section("fields", read_fields) if "fields" in parts else {}
    names = vocabulary(custom or {})
    calendars = section(
        "calendars", lambda node: read_calendars(node, holidays=holidays, countries=known_tables())
    )
    faults.raise_any()
    assert calendars is not None
    tiers = section("tiers", lambda node: read_tiers(node, calendars=calendars))
    escalation = section("escalation", lambda node: read_escalation(node, fields=names))
    triage = section("triage", read_triage)
    priority = section("priority", read_priority)
    routing = section("routing", lambda node: read_routing(node, fields=names))
    hubs = section("hubs", read_hubs)
    promises = None
    if tiers is not None and escalation is not None:
        promises = section(
            "promises",
            lambda node: read_promises(
                node, waits=parts.get("waits"), revision=revision, calendars=calendars, tiers=tiers,
                percents=escalation.percents,
            ),
        )  # fmt: skip
    faults.raise_any()
    assert promises is not None
    assert escalation is not None
    assert triage is not None
    assert priority is not None
    assert routing is not None
    assert hubs is not None
    return PolicyDocument(
        number=revision,
        fields=custom or {},
        promises=promises,
        escalation=escalation,
        triage=triage,
        priority=priority,
        routing=routing,
        hubs=hubs,
    )
