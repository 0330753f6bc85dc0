"""What the tests of merged tickets ask and do."""

from datetime import datetime

from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.flows import receive
from flowdesk.people.models import Agent
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_customer, a_message


def row(world: World, name: str) -> Ticket:
    with reading(world.tenant.id):
        return next(one for one in Ticket.objects.all() if shown("tkt", one.public_id) == name)


def clocks(world: World, name: str) -> dict[str, Clock]:
    """The newest cycle of each metric."""
    ticket = row(world, name)
    with reading(world.tenant.id):
        return {one.metric: one for one in Clock.objects.filter(ticket_id=ticket.id).order_by("id")}


def write(world: World, name: str, text: str, *, at: datetime) -> receive.Opened:
    return receive.take_message(name, text=text, channel=Channel.EMAIL, by=world.bo, now=at)


def hold_by(world: World, ticket: str, name: str) -> str:
    """Give a ticket to somebody by name."""
    with writing(world.tenant.id):
        agent = Agent.objects.get(name=name)
        Ticket.objects.filter(number=row(world, ticket).number).update(assignee=agent)
    return name


def a_stranger(world: World) -> str:
    """A ticket of another customer."""
    a_customer(world, name="Ekberg", tier="free")
    return receive.open_ticket(a_message(email="maja@ekberg.example"), by=world.bo, now=MONDAY_9).id
