"""Writes of many tickets at once: a statement for each table, however many rows a batch has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import JSONField
from django.db.models.base import ModelState

from flowdesk.core.ids import new_id
from flowdesk.core.tenant import current_tenant
from flowdesk.tickets import sql
from flowdesk.tickets.models import AuthorKind, Ticket
from flowdesk.tickets.services import NewEvent

NEW_TICKET_IDS = "select nextval('tickets_ticket_id_seq') from generate_series(1, %s)"

# The last statement before commit, like `sql.INSERT_TICKET`: it takes a number for each row and writes them all.
INSERT_TICKETS = f"""
with counter as (
    update tickets_ticketcounter set next_number = next_number + %s where tenant_id = %s
    returning next_number - %s as first
)
insert into tickets_ticket ({", ".join(sql.NEW_TICKET_COLUMNS)}, number)
select {", ".join(f"t.{name}" for name in sql.NEW_TICKET_COLUMNS)}, counter.first + t.number
from staged_tickets_ticket as t, counter
"""  # noqa: S608 - a constant of column names

# The second condition is the index's own.
KNOWN_REFS = """
select external_ref from tickets_ticket where tenant_id = %s and external_ref = any(%s) and external_ref <> ''
"""

# What is staged of each table.
TICKETS, MESSAGES, EVENTS = "tickets_ticket", "tickets_message", "tickets_ticketevent"
EXPLANATIONS = "tickets_explanation"
STAGED: Mapping[str, Sequence[str]] = {
    TICKETS: (*sql.NEW_TICKET_COLUMNS, "number"),
    MESSAGES: (
        "tenant_id", "public_id", "ticket_id", "author_kind", "contact_id", "agent_id", "channel", "is_automatic",
        "text", "html", "sent_at",
    ),
    EVENTS: ("tenant_id", "ticket_id", "kind", "at", "actor_kind", "actor_id", "data", "dispatched_at"),
    EXPLANATIONS: ("tenant_id", "ticket_id", "subject", "at", "trace"),
}  # fmt: skip


_DEFAULTS = {
    one.attname: one.get_default() for one in Ticket._meta.concrete_fields if not isinstance(one, JSONField)
}


def known_refs(refs: Sequence[str]) -> set[str]:
    """Those of these names in another desk that a ticket here bears already."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_REFS, [current_tenant(), list(refs)])
        return {row[0] for row in cursor.fetchall()}


def new_ticket_ids(count: int) -> list[int]:
    """Row ids for tickets about to be written."""
    with connection.cursor() as cursor:
        cursor.execute(NEW_TICKET_IDS, [count])
        return [int(row[0]) for row in cursor.fetchall()]


def new_ticket(**values: Any) -> Ticket:
    """A ticket about to be written with others; making one in Django's own way takes longer than its whole life."""
    ticket = Ticket.__new__(Ticket)
    ticket._state = ModelState()
    ticket.__dict__.update({**_DEFAULTS, "signals": [], "fields": {}, **values})
    return ticket


def ticket_rows(tickets: Iterable[Ticket], *, first: int) -> Iterator[tuple[Any, ...]]:
    """New tickets, for the stage; `first` is the place of the first one among those written together."""
    values = attrgetter(*sql.NEW_TICKET_COLUMNS)
    return ((*values(ticket), place) for place, ticket in enumerate(tickets, first))


def insert_tickets(count: int) -> None:
    """Write the tickets on the stage as the last statement of their act; numbers follow their places."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_TICKETS, [count, current_tenant(), count])


def message_row(
    ticket: Ticket, *, author: AuthorKind, text: str, at: datetime, contact: int | None, agent: int | None
) -> tuple[Any, ...]:
    """Words of a ticket's past, for the stage."""
    return (
        ticket.tenant_id, new_id(at), ticket.id, author.value, contact, agent, ticket.channel, False, text, "", at,
    )  # fmt: skip


def event_rows(tenant: int, events: Iterable[NewEvent]) -> Iterator[tuple[Any, ...]]:
    """Lines for the logs of tickets, in order, for the stage."""
    for event in events:
        by, dispatched_at = event.by, event.at if event.is_silent else None
        yield (tenant, event.ticket, event.kind, event.at, by.kind, by.id, event.data, dispatched_at)
