"""Writes of many tickets at once: a statement for each table, however many rows a batch has."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import JSONField
from django.db.models.base import ModelState

from flowdesk.core.ids import new_id
from flowdesk.core.staging import insert_staged, staged
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
from {{source}} as t, counter
"""  # noqa: S608 - a constant of column names

# The second condition is the index's own.
KNOWN_REFS = """
select external_ref from tickets_ticket where tenant_id = %s and external_ref = any(%s) and external_ref <> ''
"""

EVENT_COLUMNS = (
    "tenant_id", "ticket_id", "kind", "at", "actor_kind", "actor_id", "data", "dispatched_at",
)  # fmt: skip


_DEFAULTS = {
    one.attname: one.get_default() for one in Ticket._meta.concrete_fields if not isinstance(one, JSONField)
}


class MessageRow(NamedTuple):
    """Words of a ticket's past, for `insert_messages`."""

    tenant_id: int
    public_id: UUID
    ticket_id: int
    author_kind: str
    contact_id: int | None
    agent_id: int | None
    channel: str
    is_automatic: bool
    text: str
    html: str
    sent_at: datetime


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
    """A ticket about to be written with others. Django's own way to make one takes longer than all that is done to it."""
    ticket = Ticket.__new__(Ticket)
    ticket._state = ModelState()
    ticket.__dict__.update({**_DEFAULTS, "signals": [], "fields": {}, **values})
    return ticket


def insert_tickets(tickets: Sequence[Ticket]) -> None:
    """Write new tickets of one tenant as the last statement of their act; numbers follow their order."""
    if not tickets:
        return
    values = attrgetter(*sql.NEW_TICKET_COLUMNS)
    rows = ((*values(ticket), place) for place, ticket in enumerate(tickets))
    with staged("tickets_ticket", (*sql.NEW_TICKET_COLUMNS, "number"), rows) as source:
        with connection.cursor() as cursor:
            tenant, count = tickets[0].tenant_id, len(tickets)
            cursor.execute(INSERT_TICKETS.format(source=source), [count, tenant, count])


def message_row(
    ticket: Ticket, *, author: AuthorKind, text: str, at: datetime, contact: int | None, agent: int | None
) -> MessageRow:
    """Words of a ticket's past."""
    return MessageRow(
        tenant_id=ticket.tenant_id, public_id=new_id(at), ticket_id=ticket.id, author_kind=author.value,
        contact_id=contact, agent_id=agent, channel=ticket.channel, is_automatic=False, text=text, html="", sent_at=at,
    )  # fmt: skip


def insert_messages(rows: Iterable[MessageRow]) -> None:
    """Append words to or from customers."""
    insert_staged("tickets_message", MessageRow._fields, rows)


def insert_events(events: Iterable[NewEvent]) -> None:
    """Append to the logs of tickets, in order."""
    tenant = current_tenant()
    rows = (
        (
            tenant, event.ticket, event.kind, event.at, event.by.kind, event.by.id, event.data,
            event.at if event.is_silent else None,
        )
        for event in events
    )  # fmt: skip
    insert_staged("tickets_ticketevent", EVENT_COLUMNS, rows)
