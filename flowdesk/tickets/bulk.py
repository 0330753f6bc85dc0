"""Writes of many tickets at once: a statement for each table, however many rows a batch has."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

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
from json_populate_recordset(null::tickets_ticket, %s::json) as t, counter
returning number
"""  # noqa: S608 - a constant of column names

# The second condition is the index's own.
KNOWN_REFS = """
select external_ref from tickets_ticket where tenant_id = %s and external_ref = any(%s) and external_ref <> ''
"""

MESSAGE_COLUMNS = (
    "tenant_id", "public_id", "ticket_id", "author_kind", "contact_id", "agent_id", "channel", "is_automatic", "text",
    "html", "sent_at",
)  # fmt: skip
EVENT_COLUMNS = (
    "tenant_id", "ticket_id", "kind", "at", "actor_kind", "actor_id", "data", "dispatched_at",
)  # fmt: skip


def _insert(table: str, columns: Sequence[str]) -> str:
    """The statement that writes rows given as JSON, in their order."""
    names = ", ".join(columns)
    return (
        f"insert into {table} ({names}) select {names} from json_populate_recordset(null::{table}, %s::json)"  # noqa: S608 - constants
    )


INSERT_MESSAGES = _insert("tickets_message", MESSAGE_COLUMNS)
INSERT_EVENTS = _insert("tickets_ticketevent", EVENT_COLUMNS)


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


def insert_tickets(tickets: Sequence[Ticket]) -> None:
    """Write new tickets of one tenant as the last statement of their act; numbers follow their order."""
    if not tickets:
        return
    rows = [
        {**{name: getattr(ticket, name) for name in sql.NEW_TICKET_COLUMNS}, "number": place}
        for place, ticket in enumerate(tickets)
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_TICKETS, [len(rows), tickets[0].tenant_id, len(rows), as_json(rows)])
        numbers = sorted(row[0] for row in cursor.fetchall())
    for ticket, number in zip(tickets, numbers, strict=True):
        ticket.number = number


def message_row(
    ticket: Ticket, *, author: AuthorKind, text: str, at: datetime, contact: int | None, agent: int | None
) -> dict[str, Any]:
    """Words of a ticket's past, for `insert_messages`."""
    return {
        "tenant_id": ticket.tenant_id, "public_id": new_id(at), "ticket_id": ticket.id, "author_kind": author.value,
        "contact_id": contact, "agent_id": agent, "channel": ticket.channel, "is_automatic": False, "text": text,
        "html": "", "sent_at": at,
    }  # fmt: skip


def insert_messages(rows: Sequence[Mapping[str, Any]]) -> None:
    """Append words to or from customers."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MESSAGES, [as_json(rows)])


def insert_events(events: Sequence[NewEvent]) -> None:
    """Append to the logs of tickets, in order."""
    tenant = current_tenant()
    rows = [
        {
            "tenant_id": tenant, "ticket_id": event.ticket, "kind": event.kind.value, "at": event.at,
            "actor_kind": event.by.kind.value, "actor_id": event.by.id, "data": event.data,
            "dispatched_at": event.at if event.is_silent else None,
        }
        for event in events
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS, [as_json(rows)])


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as PostgreSQL reads them back: ids and instants as text."""
    return json.dumps(rows, default=str, ensure_ascii=False)
