"""Writes of the heart: one act per function, each called inside a flow's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from flowdesk.core.actor import Actor, ActorKind
from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import current_tenant
from flowdesk.tickets import sql
from flowdesk.tickets.models import AuthorKind, Note, Ticket, Wait
from flowdesk.tickets.states import EventKind, Status

PREFIX = "tkt"
FIELDS = tuple(column.attname for column in Ticket._meta.concrete_fields)
COLUMNS = ", ".join(str(column.column) for column in Ticket._meta.concrete_fields)
_LOCK_TICKET = sql.LOCK_TICKET.format(columns=COLUMNS)
_LOCK_TICKETS_OF = sql.LOCK_TICKETS_OF.format(columns=COLUMNS)
_CLAIM_TICKETS = sql.CLAIM_TICKETS.format(columns=COLUMNS)
_CLAIM_QUEUE = sql.CLAIM_QUEUE.format(columns=COLUMNS)
_JSON = frozenset({"signals", "fields"})


class WrongState(DomainError):
    """The ticket's status does not allow this."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One line for a ticket's log; `data` holds ids and enumerations only."""

    ticket: int
    kind: EventKind
    at: datetime
    by: Actor
    data: Mapping[str, Any] = field(default_factory=dict)
    # An imported event has been acted on long ago: it is born dispatched, so that nobody is told.
    is_silent: bool = False


def new_ticket_id() -> int:
    """The row id of a ticket about to be opened; its messages and clocks are written before it."""
    with connection.cursor() as cursor:
        cursor.execute(sql.NEW_TICKET_ID)
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def insert_ticket(ticket: Ticket) -> int:
    """Write a new ticket as the last statement of its act and give it its number."""
    with connection.cursor() as cursor:
        values = [getattr(ticket, name) for name in sql.NEW_TICKET_COLUMNS]
        values = [
            Jsonb(value) if name in _JSON else value
            for name, value in zip(sql.NEW_TICKET_COLUMNS, values, strict=True)
        ]
        cursor.execute(sql.INSERT_TICKET, [ticket.tenant_id, *values])
        row = cursor.fetchone()
    assert row is not None, "the tenant has a ticket counter"
    ticket.number = int(row[0])
    return ticket.number


def lock_ticket(public_id: str) -> Ticket:
    """The ticket, locked until the act ends; raises NotFound, for another tenant's id too."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TICKET, [current_tenant(), parsed(PREFIX, public_id)])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    return _ticket(row)


def lock_tickets_of(customer: int) -> list[Ticket]:
    """The customer's tickets that are active, or resolved and not yet closed, all locked."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TICKETS_OF, [current_tenant(), customer])
        return [_ticket(row) for row in cursor.fetchall()]


def claim_tickets(ids: Sequence[int], *, at: datetime) -> list[Ticket]:
    """Those of the tickets that are due and that nobody works on, locked."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_TICKETS, [current_tenant(), list(ids), at])
        return [_ticket(row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A ticket in its team's queue, with what decides who could take it."""

    id: int
    team: int
    language: str


def queue_lengths(statuses: Sequence[str]) -> dict[int, int]:
    """How many tickets wait for an agent, by team; a team without any is not there."""
    with connection.cursor() as cursor:
        cursor.execute(sql.QUEUE_LENGTHS, [current_tenant(), [str(status) for status in statuses]])
        return {int(team): int(count) for team, count in cursor.fetchall()}


def queue_heads(statuses: Sequence[str], *, teams: Sequence[int], limit: int) -> list[Queued]:
    """What waits for an agent of these teams, the oldest deadline first; so many of a team and language."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.QUEUE_HEADS, [current_tenant(), list(teams), [str(status) for status in statuses], limit]
        )
        return [Queued(id=row[0], team=row[1], language=row[2]) for row in cursor.fetchall()]


def claim_queue(ids: Sequence[int], *, statuses: Sequence[str]) -> list[Ticket]:
    """Those of the tickets that still have a team and no agent and that nobody works on, locked."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_QUEUE, [current_tenant(), list(ids), [str(status) for status in statuses]])
        return [_ticket(row) for row in cursor.fetchall()]


def _ticket(row: Sequence[Any]) -> Ticket:
    values = dict(zip(FIELDS, row, strict=True))
    for name in _JSON:
        values[name] = Ticket._meta.get_field(name).from_db_value(values[name], None, connection)  # type: ignore[union-attr]
    return Ticket.from_db("default", FIELDS, tuple(values.values()))


def save_ticket(ticket: Ticket, *fields: str) -> None:
    """Write these fields of a locked ticket. The statement's text depends on the names alone, so it stays prepared."""
    columns = [Ticket._meta.get_field(name).column for name in fields]  # type: ignore[union-attr]
    values = [getattr(ticket, Ticket._meta.get_field(name).attname) for name in fields]  # type: ignore[union-attr]
    values = [Jsonb(value) if name in _JSON else value for name, value in zip(fields, values, strict=True)]
    assignments = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"update tickets_ticket set {assignments} where tenant_id = %s and id = %s",  # noqa: S608 - field names of the model
            [*values, ticket.tenant_id, ticket.id],
        )


def add_message(
    ticket: Ticket,
    *,
    author: AuthorKind,
    text: str,
    at: datetime,
    channel: str,
    contact: int | None = None,
    agent: int | None = None,
    html: str = "",
) -> UUID:
    """Append words to or from the customer; returns the message's public id."""
    public_id = new_id(at)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.INSERT_MESSAGE,
            [
                ticket.tenant_id,
                public_id,
                ticket.id,
                author.value,
                contact,
                agent,
                channel,
                False,
                text,
                html,
                at,
            ],
        )
    return public_id


def add_note(
    ticket: Ticket,
    *,
    text: str = "",
    at: datetime,
    agent: int | None = None,
    kind: str = "note",
    data: Mapping[str, Any] | None = None,
) -> Note:
    """Append words among agents; a system note has a kind and data instead of text."""
    return Note.objects.create(
        tenant_id=ticket.tenant_id,
        public_id=new_id(at),
        ticket_id=ticket.id,
        agent_id=agent,
        kind=kind,
        text=text,
        data=dict(data or {}),
        created_at=at,
    )


def record(*events: NewEvent) -> None:
    """Append to the log, in order."""
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            sql.INSERT_EVENTS,
            [
                current_tenant(),
                [event.ticket for event in events],
                [event.kind.value for event in events],
                [event.at for event in events],
                [event.by.kind.value for event in events],
                [event.by.id if event.by.kind is not ActorKind.SYSTEM else None for event in events],
                [Jsonb(dict(event.data)) for event in events],
                [event.at if event.is_silent else None for event in events],
            ],
        )


def open_waits(tenant: int, tickets: Sequence[int]) -> dict[int, list[Wait]]:
    """The waits that have not ended, by ticket."""
    found: dict[int, list[Wait]] = {ticket: [] for ticket in tickets}
    for wait in Wait.everywhere.filter(
        tenant_id=tenant, ticket_id__in=list(tickets), ended_at__isnull=True
    ).order_by("id"):
        found[wait.ticket_id].append(wait)
    return found


def must_be_active(ticket: Ticket) -> None:
    """Raise WrongState for a ticket whose work has ended."""
    if not ticket.is_active:
        raise WrongState(f"The ticket is {Status(ticket.status).value}; reopen it first.")


def count_failure(ticket_id: int, *, at: datetime) -> int | None:
    """Count a failed wake and put the next try off; None when the ticket is gone or no longer due."""
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_FAILURE, [at, current_tenant(), ticket_id, at])
        row = cursor.fetchone()
    return int(row[0]) if row else None
