"""Who is told what about an event: pure, so that a table of cases tests it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from flowdesk.tickets.states import EventKind


class Channel(StrEnum):
    EMAIL = "email"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event with what the dispatcher must know of its ticket."""

    id: int
    tenant: int
    ticket: int
    kind: EventKind
    at: datetime
    doer: int | None  # the agent who did it, if one did
    data: Mapping[str, Any]
    assignee: int | None
    contact: int | None
    contact_has_mail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One delivery to be: an agent, a contact, or, with neither, the tenant's mandatory contact."""

    event: EventRow
    channel: Channel
    template: str
    agent: int | None = None
    contact: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def recipient(self) -> str:
        if self.agent is not None:
            return f"agent:{self.agent}"
        return f"contact:{self.contact}" if self.contact is not None else "tenant"


DELAY_NOTICE = "customer_delayed"
# What a customer is told of a ticket's course, the weightiest last: the one says what the other would.
WEIGHT = {"customer_reminded": 1, "customer_specialist": 2, DELAY_NOTICE: 3, "customer_resolved": 4}
OWN_CHOICES = ("by_hand", "taken")  # why a ticket changed hands, when a person said so


def tellings(event: EventRow) -> list[Telling]:
    """The deliveries an event asks for; whoever did it themselves is not told."""
    match event.kind:
        case EventKind.TICKET_OPENED:
            return _customer(event, "customer_acknowledged") + _routed(event)
        case EventKind.TICKET_ASSIGNED:
            agent = event.data.get("assignee")
            # Routing may give somebody a ticket in the course of their own act: they have not chosen it.
            is_own_choice = agent == event.doer and event.data.get("because") in OWN_CHOICES
            return [] if is_own_choice else _agent(event, agent, "agent_assigned", mail=True)
        case EventKind.CUSTOMER_WROTE if event.assignee != event.doer:
            return _agent(event, event.assignee, "agent_customer_wrote", mail=False)
        case EventKind.MERGE_TAKEN:
            # One line tells both whose ticket it was and whose it is now.
            both = dict.fromkeys((event.assignee, event.data.get("source_assignee")))
            return [
                one
                for agent in both
                if agent != event.doer
                for one in _agent(event, agent, "agent_merged", mail=False)
            ]
        case EventKind.AGENT_REPLIED:
            return _customer(event, "customer_reply", message=event.data["message"])
        case EventKind.WAIT_STARTED if event.data.get("told"):
            return _customer(
                event, "customer_waiting", reason=event.data["reason"], ends_by=event.data["ends_by"]
            )
        case EventKind.WAIT_REMINDED:
            return _customer(event, "customer_reminded")
        case EventKind.TICKET_RESOLVED:
            return _customer(event, "customer_resolved", because=event.data.get("because", ""))
        case EventKind.STEP_FIRED | EventKind.TICKET_ESCALATED:
            return _step(event)
        case _:
            return []


def _routed(event: EventRow) -> list[Telling]:
    """The people whom the routing rule tells, and those whom it copies in; nobody is told twice (F-RTE-10)."""
    told = list(event.data.get("notify", ()))
    copied = [agent for agent in event.data.get("cc", ()) if agent not in told]
    return [
        telling
        for template, agents in (("agent_notified", told), ("agent_copied", copied))
        for agent in agents
        for telling in _agent(event, agent, template, mail=True)
    ]


def _step(event: EventRow) -> list[Telling]:
    template = "agent_escalated" if event.data.get("task") else "agent_warned"
    agent = event.data.get("agent")
    told = _agent(event, agent, template, mail=True) if agent else _tenant(event, template)
    acts = event.data.get("acts", [])
    if "tell_customer" in acts:
        told += _customer(event, DELAY_NOTICE)
    if event.data.get("reason") == "outstayed_level":  # a climb of it hands nothing over again
        told += _customer(event, "customer_specialist")
    return told


def _agent(event: EventRow, agent: int | None, template: str, *, mail: bool) -> list[Telling]:
    if agent is None:
        return []
    channels = (Channel.NOTICE, Channel.EMAIL) if mail else (Channel.NOTICE,)
    return [
        Telling(event=event, channel=channel, template=template, agent=agent, data=event.data)
        for channel in channels
    ]


def _customer(event: EventRow, template: str, **data: Any) -> list[Telling]:
    if event.contact is None or not event.contact_has_mail:
        return []
    return [Telling(event=event, channel=Channel.EMAIL, template=template, contact=event.contact, data=data)]


def _tenant(event: EventRow, template: str) -> list[Telling]:
    return [Telling(event=event, channel=Channel.EMAIL, template=template, data=event.data)]


def bundled(told: Iterable[Telling], *, told_of_delay: Iterable[int]) -> list[Telling]:
    """Never the same twice; at most one delay notice a ticket in the policy's time, however many promises broke.

    What one act says to a customer about one ticket is one mail: after a standstill many things are due at once.
    """
    seen: set[tuple[int, str, str]] = set()
    delayed = set(told_of_delay)
    kept = []
    for telling in told:
        key = (telling.event.id, telling.recipient, telling.channel)
        if key in seen:
            continue
        if telling.template == DELAY_NOTICE:
            if telling.event.ticket in delayed:
                continue
            delayed.add(telling.event.ticket)
        seen.add(key)
        kept.append(telling)
    weightiest: dict[tuple[int, datetime], int] = {}
    for telling in kept:
        if telling.template in WEIGHT:
            act = (telling.event.ticket, telling.event.at)
            weightiest[act] = max(weightiest.get(act, 0), WEIGHT[telling.template])
    return [
        telling
        for telling in kept
        if WEIGHT.get(telling.template, 0) == weightiest.get((telling.event.ticket, telling.event.at), 0)
        or telling.template not in WEIGHT
    ]
