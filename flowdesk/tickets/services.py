"""Writes of the heart: one act per function, each called inside a flow's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from flowdesk.core.actor import Actor, ActorKind
from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.models import columns_of, json_list, row_of, rows_in_binary
from flowdesk.core.tenant import current_tenant
from flowdesk.tickets import sql
from flowdesk.tickets.html import cleaned
from flowdesk.tickets.models import AuthorKind, Note, Ticket, Wait
from flowdesk.tickets.states import EventKind, Status, TaskKind, TaskOutcome

PREFIX = "tkt"
COLUMNS = columns_of(Ticket, "tickets_ticket")
_LOCK_TICKET = sql.LOCK_TICKET.format(columns=COLUMNS)
_LOCK_TICKETS = sql.LOCK_TICKETS.format(columns=COLUMNS)
_LOCK_TICKETS_OF = sql.LOCK_TICKETS_OF.format(columns=COLUMNS)
_CLAIM_TICKETS = sql.CLAIM_TICKETS.format(columns=COLUMNS)
_CLAIM_QUEUE = sql.CLAIM_QUEUE.format(columns=COLUMNS)
_OPEN_WAITS = sql.OPEN_WAITS.format(columns=columns_of(Wait, "tickets_wait"))
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
    return row_of(Ticket, row)


def lock_tickets(ids: Sequence[int]) -> list[Ticket]:
    """Those of the tickets that are the tenant's, by row id, all locked."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TICKETS, [current_tenant(), list(ids)])
        return [row_of(Ticket, row) for row in cursor.fetchall()]


def lock_tickets_of(customer: int) -> list[Ticket]:
    """The customer's tickets that are active, or resolved and not yet closed, all locked."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TICKETS_OF, [current_tenant(), customer])
        return [row_of(Ticket, row) for row in cursor.fetchall()]


def claim_tickets(ids: Sequence[int], *, at: datetime) -> list[Ticket]:
    """Those of the tickets that are due and that nobody works on, locked."""
    rows = rows_in_binary(_CLAIM_TICKETS, [current_tenant(), list(ids), at])
    return [row_of(Ticket, row) for row in rows]


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


def queue_heads(
    statuses: Sequence[str], *, teams: Sequence[int], but: Sequence[int], limit: int
) -> list[Queued]:
    """What waits for an agent of these teams, the oldest deadline first; so many of a team and language, and none of
    the tickets in `but`."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.QUEUE_HEADS,
            [current_tenant(), list(teams), [str(status) for status in statuses], list(but), limit],
        )
        return [Queued(id=row[0], team=row[1], language=row[2]) for row in cursor.fetchall()]


def claim_queue(ids: Sequence[int], *, statuses: Sequence[str]) -> list[Ticket]:
    """Those of the tickets that still have a team and no agent and that nobody works on, locked."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_QUEUE, [current_tenant(), list(ids), [str(status) for status in statuses]])
        return [row_of(Ticket, row) for row in cursor.fetchall()]


def save_tickets(tickets: Sequence[Ticket], *fields: str) -> None:
    """Write these fields of locked tickets, all in one statement."""
    statement, names = _saving(fields)
    columns = [[getattr(ticket, name) for ticket in tickets] for name in names]
    columns = [
        [Jsonb(value) for value in column] if name in _JSON else column
        for name, column in zip(names, columns, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [[ticket.id for ticket in tickets], *columns, current_tenant()])


@cache
def _saving(fields: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The statement that writes these fields, and their attributes; the same names make the same text."""
    columns: list[Any] = [Ticket._meta.get_field(name) for name in fields]
    statement = sql.SAVE_TICKETS.format(
        assignments=", ".join(f"{one.column} = changed.{one.column}" for one in columns),
        arrays=", ".join(f"%s::{one.rel_db_type(connection)}[]" for one in columns),
        columns=", ".join(one.column for one in columns),
    )
    return statement, tuple(one.attname for one in columns)


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
    """Append words to or from the customer; returns the message's public id. Of `html` the allowed part is kept."""
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
                cleaned(html) if html else "",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNote:
    """What the system notes on a ticket: a kind and data, told in the reader's language."""

    ticket: int
    kind: str
    data: Mapping[str, Any]


def add_system_notes(notes: Sequence[SystemNote], *, at: datetime) -> None:
    """Append notes of the system, in order."""
    if not notes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            sql.INSERT_NOTES,
            [
                current_tenant(),
                [new_id(at) for _ in notes],
                [note.ticket for note in notes],
                [note.kind for note in notes],
                [at for _ in notes],
                json_list(note.data for note in notes),
            ],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What an agent is asked to do about a ticket, and by when."""

    ticket: int
    agent: int
    team: int
    due_at: datetime


def open_tasks(tasks: Sequence[NewTask], *, kind: TaskKind, at: datetime) -> frozenset[int]:
    """Ask the agents of first level teams (F-RTE-13); returns the tickets for which one was asked."""
    if not tasks:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            sql.OPEN_TASKS,
            [
                current_tenant(),
                kind.value,
                at,
                [new_id(at) for _ in tasks],
                [task.ticket for task in tasks],
                [task.agent for task in tasks],
                [task.team for task in tasks],
                [task.due_at for task in tasks],
                current_tenant(),
            ],
        )
        return frozenset(row[0] for row in cursor.fetchall())


def end_tasks(outcomes: Mapping[int, TaskOutcome], *, at: datetime) -> frozenset[int]:
    """End the open tasks of these tickets; returns the tickets that had one."""
    if not outcomes:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            sql.END_TASKS,
            [at, list(outcomes), [outcome.value for outcome in outcomes.values()], current_tenant()],
        )
        return frozenset(row[0] for row in cursor.fetchall())


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
                [event.at if event.is_silent else None for event in events],
                json_list(event.data for event in events),
            ],
        )


def explain(ticket: Ticket, traces: Mapping[str, Mapping[str, Any]], *, at: datetime) -> None:
    """Keep why a ticket is as it is: a trace for each decision, by its subject."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.INSERT_EXPLANATIONS,
            [ticket.tenant_id, ticket.id, at, list(traces), json_list(traces.values())],
        )


def open_waits(tenant: int, tickets: Sequence[int]) -> dict[int, list[Wait]]:
    """The waits that have not ended, by ticket, oldest first."""
    found: dict[int, list[Wait]] = {ticket: [] for ticket in tickets}
    for columns in rows_in_binary(_OPEN_WAITS, [tenant, list(tickets)]):
        wait = row_of(Wait, columns)
        found[wait.ticket_id].append(wait)
    return found


def must_be_active(ticket: Ticket) -> None:
    """Raise WrongState for a ticket whose work has ended."""
    if ticket.status == Status.MERGED:
        raise WrongState("The ticket was merged into another: work on that one, or undo the merge.")
    if not ticket.is_active:
        raise WrongState(f"The ticket is {Status(ticket.status).value}; reopen it first.")


def count_failure(ticket_id: int, *, at: datetime) -> int | None:
    """Count a failed wake and put the next try off; None when the ticket is gone or no longer due."""
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_FAILURE, [at, current_tenant(), ticket_id, at])
        row = cursor.fetchone()
    return int(row[0]) if row else None
