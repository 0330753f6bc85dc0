"""Tickets: open, list, read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from flowdesk.api.auth import Client, client, needs
from flowdesk.api.clocks import ClockOut, clock_out
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, Page, cursor_at, place_after
from flowdesk.api.reading import Body, ContactId, CustomerId, Email, Filters, Instant, PriorityWord
from flowdesk.api.shapes import (
    AgentRef,
    ContactRef,
    CustomerRef,
    TeamRef,
    agent_ref,
    contact_ref,
    customer_ref,
    team_ref,
)
from flowdesk.core.actor import Act
from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import Window
from flowdesk.escalation.queries import untaken_tickets
from flowdesk.flows import receive
from flowdesk.intake.services import InboundMessage
from flowdesk.people.models import Agent, Contact, Customer, Team
from flowdesk.sla.queries import clock_lines
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import Cursor as Place
from flowdesk.tickets.queries import Lane, Order, TicketFilter
from flowdesk.tickets.signals import filter_of
from flowdesk.tickets.states import Channel, Status

router = Router(tags=["tickets"])

Name = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Field(max_length=64)]
NOBODY = "none"


class ListLane(StrEnum):
    """The lanes of the work list; a key has no tickets of its own."""

    ALL = Lane.ALL.value
    BREACHED = Lane.BREACHED.value
    DUE = Lane.DUE.value
    UNASSIGNED = Lane.UNASSIGNED.value
    WAITING = Lane.WAITING.value


class ListSignal(StrEnum):
    """Signals of the hubs that count tickets: a list shows what a hub counts."""

    CREATED = "created"
    ACTIVE = "active"
    URGENT = "urgent"
    UNASSIGNED = "unassigned"
    SLA_BREACHED = "sla_breached"
    ESCALATION_DUE = "escalation_due"
    WAITING_INTERNAL = "waiting_internal"
    WAITING_CUSTOMER = "waiting_customer"
    WORKABLE = "workable"
    FIRST_RESPONSE_OPEN = "first_response_open"
    REOPEN_RISK = "reopen_risk"
    CSAT_RISK = "csat_risk"


class TicketOut(Schema):
    """A ticket. `due_at` is its earliest deadline towards the customer; null while all of them wait."""

    id: str
    number: int
    subject: str
    status: Status
    priority: str
    category: str
    subcategory: str
    complexity: int
    language: str
    channel: Channel
    signals: list[str]
    fields: dict[str, Any]
    is_major_incident: bool
    level: int
    customer: CustomerRef
    contact: ContactRef | None
    team: TeamRef | None
    assignee: AgentRef | None
    follows: str | None
    created_at: datetime
    updated_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    unanswered_since: datetime | None
    waiting_internal_since: datetime | None
    due_at: datetime | None
    at_risk_at: datetime | None
    is_breached: bool
    reopen_count: int
    reply_count: int


class WaitOut(Schema):
    """Why the ticket waits, and until when at the longest."""

    reason: str
    note: str
    started_at: datetime
    ends_by: datetime


class TicketDetail(TicketOut):
    """A ticket with its clocks and open waits."""

    clocks: list[ClockOut]
    waits: list[WaitOut]


class OpenTicket(Body):
    """A new ticket. Name who writes: a contact, a customer, or an address; an unknown address becomes a new
    contact. `tier` is for a customer that is made now. Without priority or category the words decide."""

    subject: str = Field(max_length=300)
    text: str = Field(max_length=200_000)
    channel: Channel = Channel.API
    contact: ContactId = ""
    customer: CustomerId = ""
    customer_name: Name = ""
    tier: Word = ""
    email: Email = ""
    name: Name = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    language: Annotated[str, Field(max_length=8, pattern="^([a-z]{2})?$")] = ""
    priority: PriorityWord | None = None
    category: Word = ""
    fields: dict[str, str | bool | int | float] = Field(default_factory=dict, max_length=50)


class TicketFilters(Filters):
    """Repeat `status`, `priority`, `channel`, `tier`, `category` or `language` to ask for several."""

    status: list[Status] = []
    priority: list[PriorityWord] = []
    channel: list[Channel] = []
    tier: list[Word] = Field([], max_length=20)
    category: list[Word] = Field([], max_length=20)
    language: list[Word] = Field([], max_length=20)
    team: Annotated[str, Field(max_length=64, description="Slug or id, or `none`.")] = ""
    assignee: Annotated[str, Field(max_length=64, description="Id, or `none`.")] = ""
    customer: Word = ""
    contact: Word = ""
    lane: ListLane | None = None
    signal: ListSignal | None = None
    window: Annotated[Window, Field(description="For `signal`: how far back it counts.")] = Window.DAY
    created_after: Instant | None = None
    created_before: Instant | None = None
    updated_after: Instant | None = None
    updated_before: Instant | None = None
    q: Annotated[str, Field(max_length=200, description="A part of the subject.")] = ""
    order: Order = Order.DUE
    cursor: Cursor = ""
    limit: Limit = DEFAULT


@router.post(
    "/tickets",
    response={201: TicketDetail},
    auth=needs(Act.OPEN),
    operation_id="open_ticket",
    summary="Open a ticket",
)
def open_ticket(request: HttpRequest, response: HttpResponse, body: OpenTicket) -> TicketDetail:
    """It is understood, prioritised, routed and promised before this answers."""
    asking = client(request)
    given = body.model_dump(exclude={"priority", "category"})
    opened = receive.open_ticket(
        InboundMessage(**given),
        by=asking.actor,
        now=asking.now,
        priority=body.priority,
        category=body.category,
    )
    response["Location"] = f"/api/v1/tickets/{opened.id}"
    return read_back(asking, opened.id)


@router.get(
    "/tickets",
    response=Page[TicketOut],
    auth=needs(Act.READ),
    operation_id="list_tickets",
    summary="List tickets",
)
def list_tickets(request: HttpRequest, filters: Query[TicketFilters]) -> Page[TicketOut]:
    """Sorted by deadline, or newest first by `created` or `updated`; go on with `cursor` = `next`."""
    asking = client(request)
    name = f"{asking.tenant}.tickets.{filters.order.value}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        page = tickets.ticket_list(
            _wanted(filters, now=asking.now),
            order=filters.order,
            after=Place(*after) if after else None,
            limit=filters.limit,
            now=asking.now,
        )
        return Page[TicketOut](
            items=[ticket_out(row) for row in page.rows],
            next=cursor_at((page.next.value, page.next.id), of=name) if page.next else None,
        )


def _wanted(filters: TicketFilters, *, now: datetime) -> TicketFilter:
    """What the query asks for, by row ids. A name that nobody bears is a fault, not an empty list."""
    faults: list[Fault] = []
    extra = _people(filters, faults)
    if filters.signal is not None:
        counted = filter_of(
            filters.signal.value, now=now, since=now - filters.window.length, escalated=untaken_tickets()
        )
        assert counted is not None, "every signal of the list counts tickets"
        extra &= counted
    if faults:
        raise Invalid(*faults)
    return TicketFilter(
        lane=Lane(filters.lane.value) if filters.lane else None,
        extra=extra or None,
        statuses=tuple(one.value for one in filters.status),
        priorities=tuple(int(one) for one in filters.priority),
        channels=tuple(one.value for one in filters.channel),
        tiers=tuple(filters.tier),
        categories=tuple(filters.category),
        languages=tuple(filters.language),
        created_after=filters.created_after,
        created_before=filters.created_before,
        updated_after=filters.updated_after,
        updated_before=filters.updated_before,
        subject=filters.q,
    )


def _people(filters: TicketFilters, faults: list[Fault]) -> Q:
    """The parts of a query that name somebody."""
    found = Q()
    asked: tuple[tuple[str, str, QuerySet[Any], str], ...] = (
        ("team", filters.team, Team.objects.all(), "tem"),
        ("assignee", filters.assignee, Agent.objects.all(), "agt"),
        ("customer", filters.customer, Customer.objects.all(), "cus"),
        ("contact", filters.contact, Contact.objects.all(), "con"),
    )
    for field, text, rows, prefix in asked:
        if not text:
            continue
        if text == NOBODY and field in ("team", "assignee"):
            found &= Q(**{f"{field}__isnull": True})
        elif (row := _row_id(rows, text, field, prefix)) is not None:
            found &= Q(**{f"{field}_id": row})
        else:
            by = "name" if field == "team" else "id"
            faults.append(Fault(field, f"there is no {field} by that {by}"))
    return found


def _row_id(rows: QuerySet[Any], text: str, field: str, prefix: str) -> int | None:
    if field == "team" and not text.startswith("tem_"):
        named = rows.filter(slug=text)
    else:
        try:
            named = rows.filter(public_id=parsed(prefix, text))
        except NotFound:
            return None
    found: int | None = named.values_list("id", flat=True).first()
    return found


@router.get(
    "/tickets/{ticket_id}",
    response=TicketDetail,
    auth=needs(Act.READ),
    operation_id="read_ticket",
    summary="Read a ticket",
)
def read_ticket(request: HttpRequest, ticket_id: str) -> TicketDetail:
    """The ticket with its clocks and open waits."""
    return read_back(client(request), ticket_id)


def read_back(asking: Client, ticket_id: str) -> TicketDetail:
    """The ticket as it stands now; raises NotFound."""
    with reading(asking.tenant):
        ticket = tickets.ticket_by(ticket_id)
        waits = tickets.open_waits_of(ticket.id)
        return TicketDetail(
            **ticket_values(ticket),
            clocks=[clock_out(line) for line in clock_lines(ticket.id, now=asking.now)],
            waits=[
                WaitOut(reason=wait.reason, note=wait.note, started_at=wait.started_at, ends_by=wait.ends_by)
                for wait in waits
            ],
        )


def ticket_out(ticket: Ticket) -> TicketOut:
    return TicketOut(**ticket_values(ticket))


_AS_THEY_ARE = (
    "number",
    "subject",
    "status",
    "category",
    "subcategory",
    "complexity",
    "language",
    "channel",
    "signals",
    "fields",
    "is_major_incident",
    "level",
    "created_at",
    "updated_at",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "unanswered_since",
    "waiting_internal_since",
    "due_at",
    "at_risk_at",
    "is_breached",
    "reopen_count",
    "reply_count",
)


def ticket_values(ticket: Ticket) -> dict[str, Any]:
    """What a ticket shows of itself, by name."""
    return {
        **{name: getattr(ticket, name) for name in _AS_THEY_ARE},
        "id": shown("tkt", ticket.public_id),
        "priority": f"P{ticket.priority}",
        "customer": customer_ref(ticket.customer),
        "contact": contact_ref(ticket.contact),
        "team": team_ref(ticket.team),
        "assignee": agent_ref(ticket.assignee),
        "follows": shown("tkt", ticket.follows.public_id) if ticket.follows else None,
    }
