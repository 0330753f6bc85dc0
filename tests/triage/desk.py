"""A desk whose tickets are indexed, for tests of what is found by their words."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flowdesk.core.tenant import reading
from flowdesk.flows import receive
from flowdesk.tickets.models import Ticket
from flowdesk.triage import similar
from flowdesk.triage.indexing import index_round
from flowdesk.triage.similar import Similar
from tests.builders import MONDAY_9, World, a_message

# What other tickets of a desk are about, so that some words are common and others rare.
EVERYDAY = (
    ("Invoice of March", "Please send the invoice of March once more"),
    ("Invoice is wrong", "The amount on the invoice is wrong"),
    ("Password", "I have forgotten my password and need a link"),
    ("Export of customers", "Where do I export the customers to a file?"),
    ("Opening hours", "When are you open at Easter?"),
    ("Ny adress", "Vi har flyttat och behöver ändra vår adress"),
    ("Språk", "Hur byter jag språk i inställningarna?"),
)


def opened(
    world: World, subject: str, text: str, *, at: datetime = MONDAY_9, email: str = "maja@nordvik.example"
) -> int:
    """The row id of a new ticket."""
    number = receive.open_ticket(
        a_message(subject=subject, text=text, email=email), by=world.bo, now=at
    ).number
    with reading(world.tenant.id):
        return Ticket.objects.get(number=number).id


def everyday(world: World, *, at: datetime = MONDAY_9) -> list[int]:
    return [opened(world, subject, text, at=at) for subject, text in EVERYDAY]


def index_all(*, at: datetime = MONDAY_9) -> int:
    """Rounds until there is nothing more; the first look is behind it."""
    index_round(now=at)
    done = 0
    while indexed := index_round(now=at):
        done += indexed
    similar._kept.clear()
    return done


def like(
    world: World, ticket: int, *, at: datetime = MONDAY_9, **limits: timedelta | int | float
) -> Sequence[Similar]:
    with reading(world.tenant.id):
        return similar.similar_tickets(ticket, now=at, **limits)  # type: ignore[arg-type]
