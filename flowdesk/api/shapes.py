"""Shapes that several resources share: references to people and teams."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flowdesk.core.ids import shown
from flowdesk.people.models import Agent, Contact, Customer, Team

MINUTE = timedelta(minutes=1)


class Out(BaseModel):
    """The base of everything we answer with. Plain: the framework's own base asks each value how to read it."""


class Receipt(Out):
    """What a key without the scope `read` gets back: the act is done, and to what."""

    id: str


class TicketNamed(Out):
    """A ticket, to be read elsewhere."""

    id: str
    number: int


class AgentRef(Out):
    id: str
    name: str


class TeamRef(Out):
    id: str
    slug: str
    name: str


class CustomerRef(Out):
    id: str
    name: str
    tier: str
    is_vip: bool


class ContactRef(Out):
    id: str
    name: str
    email: str


def agent_ref(agent: Agent | None) -> AgentRef | None:
    return AgentRef(id=shown("agt", agent.public_id), name=agent.name) if agent else None


def team_ref(team: Team | None) -> TeamRef | None:
    return TeamRef(id=shown("tem", team.public_id), slug=team.slug, name=team.name) if team else None


def customer_ref(customer: Customer) -> CustomerRef:
    return CustomerRef(
        id=shown("cus", customer.public_id), name=customer.name, tier=customer.tier, is_vip=customer.is_vip
    )


def contact_ref(contact: Contact | None) -> ContactRef | None:
    if contact is None:
        return None
    return ContactRef(id=shown("con", contact.public_id), name=contact.name, email=contact.email)


def minutes(length: timedelta) -> float:
    """A length as it leaves the house: minutes, to the millisecond or so."""
    return round(length / MINUTE, 4)
