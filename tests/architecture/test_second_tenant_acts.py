"""Every act from a second tenant's place: another's ticket, customer or colleague is not found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, merge, receive, reconfigure, work
from flowdesk.people import services as people
from flowdesk.people.models import Agent, Contact, Team
from flowdesk.people.services import ContactCard, CustomerCard
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def houses() -> tuple[World, World]:
    ours, theirs = a_world("ours"), a_world("theirs")
    for world in (ours, theirs):
        a_customer(world)
    return ours, theirs


@dataclass(frozen=True)
class Foreign:
    """Public ids of another tenant's things."""

    ticket: str
    escalation: str
    customer: str
    contact: str
    agent: str
    team: str


@pytest.fixture
def foreign(houses: tuple[World, World]) -> Foreign:
    _, theirs = houses
    opened = receive.open_ticket(a_message(), by=theirs.bo, now=MONDAY_9, priority=Priority.P1)
    with reading(theirs.tenant.id):
        contact = Contact.objects.select_related("customer").get()
        return Foreign(
            ticket=opened.id,
            escalation=shown("esc", Escalation.objects.order_by("id")[0].public_id),
            customer=shown("cus", contact.customer.public_id),
            contact=shown("con", contact.public_id),
            agent=shown("agt", Agent.objects.order_by("id")[0].public_id),
            team=shown("tem", Team.objects.order_by("id")[0].public_id),
        )


Act = Callable[[World, Foreign], Any]
ACTS: dict[str, Act] = {
    "reply": lambda us, it: work.send_reply(it.ticket, text="Hello", by=us.bo, now=MONDAY_9),
    "note": lambda us, it: work.add_note(it.ticket, text="Hm", by=us.bo, now=MONDAY_9),
    "assign": lambda us, it: work.assign(it.ticket, by=us.ada, now=MONDAY_9),
    "take": lambda us, it: work.take(it.ticket, by=us.bo, now=MONDAY_9),
    "wait": lambda us, it: work.wait(it.ticket, reason=WaitReason.CUSTOMER, by=us.bo, now=MONDAY_9),
    "resume": lambda us, it: work.resume(it.ticket, by=us.bo, now=MONDAY_9),
    "resolve": lambda us, it: work.resolve(it.ticket, by=us.bo, now=MONDAY_9),
    "reopen": lambda us, it: work.reopen_ticket(it.ticket, by=us.bo, now=MONDAY_9),
    "prioritise": lambda us, it: work.prioritise(it.ticket, priority=Priority.P4, by=us.bo, now=MONDAY_9),
    "void": lambda us, it: work.void(it.ticket, by=us.bo, now=MONDAY_9),
    "merge": lambda us, it: merge.merge(it.ticket, into=it.ticket, by=us.bo, now=MONDAY_9),
    "unmerge": lambda us, it: merge.unmerge(it.ticket, by=us.bo, now=MONDAY_9),
    "escalate": lambda us, it: escalate.escalate(it.ticket, target="on_call", by=us.bo, now=MONDAY_9),
    "acknowledge": lambda us, it: escalate.acknowledge(it.escalation, by=us.ada, now=MONDAY_9),
    "message": lambda us, it: receive.take_message(
        it.ticket, text="Me again", channel=Channel.EMAIL, by=us.bo, now=MONDAY_9
    ),
    "terms": lambda us, it: reconfigure.change_terms(
        it.customer, card=CustomerCard(tier="free"), by=us.ada, now=MONDAY_9
    ),
    "contact": lambda us, it: people.add_contact(
        it.customer, ContactCard(name="Eve"), by=us.ada, now=MONDAY_9
    ),
    "card": lambda us, it: people.change_contact(
        it.contact, ContactCard(name="Eve"), by=us.ada, now=MONDAY_9
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_another_tenants_thing_is_not_found_by_any_act(
    houses: tuple[World, World], foreign: Foreign, act: str
) -> None:
    with pytest.raises(NotFound):
        ACTS[act](houses[0], foreign)


def test_a_ticket_is_not_given_to_another_tenants_people(
    houses: tuple[World, World], foreign: Foreign
) -> None:
    ours, _ = houses
    opened = receive.open_ticket(a_message(), by=ours.bo, now=MONDAY_9)
    with reading(ours.tenant.id):
        before = Ticket.objects.values("assignee_id", "team_id").get()

    for names in ({"agent": foreign.agent}, {"team": foreign.team}):
        with pytest.raises(DomainError):
            work.assign(opened.id, by=ours.ada, now=MONDAY_9, **names)

    with reading(ours.tenant.id):
        assert Ticket.objects.values("assignee_id", "team_id").get() == before


def test_the_sweep_wakes_only_the_tickets_of_its_tenant(
    houses: tuple[World, World], foreign: Foreign
) -> None:
    from flowdesk.core.actor import system

    ours, theirs = houses
    with reading(theirs.tenant.id):
        theirs_due = list(Ticket.objects.values_list("id", flat=True))

    woken = escalate.wake(theirs_due, by=system(ours.tenant.id), now=MONDAY_9.replace(year=2027))

    assert woken == 0


def test_the_same_address_is_two_people_in_two_tenants(houses: tuple[World, World]) -> None:
    ours, theirs = houses
    for world in houses:
        receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    found = []
    for world in (ours, theirs):
        with reading(world.tenant.id):
            ticket = Ticket.objects.select_related("contact").get()
            found.append((ticket.number, ticket.contact_id, ticket.contact.email if ticket.contact else ""))

    assert [number for number, _, _ in found] == [1, 1]
    assert found[0][2] == found[1][2]
    assert found[0][1] != found[1][1]
