"""Tickets: open, list, read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import Client, client, needs
from flowdesk.api.clocks import ClockOut, clock_out
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, Page, cursor_at, place_after
from flowdesk.api.reading import Body, ContactId, CustomerId, Email, Filters, Instant, PriorityWord
from flowdesk.api.shapes import (
    AgentRef,
    ContactRef,
    CustomerRef,
    Out,
    Receipt,
    TeamRef,
    agent_ref,
    contact_ref,
    customer_ref,
    team_ref,
)
from flowdesk.api.versions import IF_NONE_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import Window
from flowdesk.escalation.queries import untaken_tickets
from flowdesk.flows import receive
from flowdesk.intake.services import InboundMessage
from flowdesk.sla.queries import clock_lines
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import Lane, Order, TicketFilter
from flowdesk.tickets.signals import filter_of
from flowdesk.tickets.states import Channel, Status

router = Router(tags=["tickets"])

Name = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Field(max_length=64)]
Html = Annotated[
    str,
    Field(
        max_length=500_000, description="The same words formatted; what is not on the allow-list is dropped."
    ),
]


class ListLane(StrEnum):
    """The lanes of the work list; a key has no tickets of its own."""

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


class TicketOut(Versioned):
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
    sentiment: str
    confidence: Annotated[
        int | None, Field(description="Of the category, in percent; null where somebody said it.")
    ]
    needs_review: bool
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


class WaitOut(Out):
    """Why the ticket waits, and until when at the longest."""

    reason: str
    note: str
    started_at: datetime
    ends_by: datetime


class TicketDetail(TicketOut):
    """A ticket with its clocks and open waits."""

    clocks: list[ClockOut]
    waits: list[WaitOut]


class TicketReceipt(Receipt):
    """What a key without the scope `read` gets back of a ticket it opened or acted on."""

    number: int
    status: Status


class OpenTicket(Body):
    """A new ticket. Name who writes: a contact, a customer, or an address; an unknown address becomes a new
    contact. `tier` is for a customer that is made now. Without priority or category the words decide."""

    subject: str = Field(max_length=300)
    text: str = Field(max_length=200_000)
    html: Html = ""
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
    """Repeat `status`, `priority`, `channel`, `tier` or `category` to ask for several."""

    status: list[Status] = []
    priority: list[PriorityWord] = []
    channel: list[Channel] = []
    tier: list[Word] = Field([], max_length=20)
    category: list[Word] = Field([], max_length=20)
    language: Annotated[str, Field(max_length=8)] = ""
    team: Annotated[str, Field(max_length=64, description="Slug or id, or `none`.")] = ""
    assignee: Annotated[str, Field(max_length=64, description="Id, or `none`.")] = ""
    customer: Word = ""
    contact: Word = ""
    lane: ListLane | None = None
    is_active: bool | None = None
    signal: ListSignal | None = None
    window: Annotated[Window, Field(description="For `signal`: how far back it counts.")] = Window.DAY
    created_after: Instant | None = None
    created_before: Instant | None = None
    updated_after: Instant | None = None
    updated_before: Instant | None = None
    q: Annotated[
        str, Field(max_length=200, description="Words of the subject, or a number such as `#12`.")
    ] = ""
    order: Order = Order.DUE
    cursor: Cursor = ""
    limit: Limit = DEFAULT


@router.post(
    "/tickets",
    response={201: TicketDetail | TicketReceipt},
    auth=needs(Act.OPEN),
    operation_id="open_ticket",
    summary="Open a ticket",
)
def open_ticket(
    request: HttpRequest, response: HttpResponse, body: OpenTicket
) -> TicketDetail | TicketReceipt:
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
    if asking.may_read:
        return _detail(asking, opened.id)
    return TicketReceipt(id=opened.id, number=opened.number, status=opened.status)


@router.get(
    "/tickets",
    response=Page[TicketOut],
    auth=needs(Act.READ),
    operation_id="list_tickets",
    summary="List tickets",
)
def list_tickets(request: HttpRequest, filters: Query[TicketFilters]) -> Page[TicketOut]:
    """Sorted by deadline, or newest first by `created` or `updated`; go on with `cursor` = `next`.

    Tickets of every status, unless the query narrows it; `is_active=true` is the quick one.
    """
    asking = client(request)
    name = f"{asking.tenant}.tickets.{filters.order.value}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = tickets.ticket_page(
            _wanted(filters, now=asking.now),
            order=filters.order,
            after=after,
            limit=filters.limit + 1,
            now=asking.now,
        )
        page = rows[: filters.limit]
        is_last = len(rows) == len(page)
        return Page[TicketOut](
            items=[ticket_out(row) for row in page],
            next=None if is_last else cursor_at(tickets.keys_of(page[-1], order=filters.order), of=name),
        )


def _wanted(filters: TicketFilters, *, now: datetime) -> TicketFilter:
    """What the query asks for. A name that nobody bears is a fault, not an empty list."""
    extra = None
    if filters.signal is not None:
        extra = filter_of(
            filters.signal.value, now=now, since=now - filters.window.length, escalated=untaken_tickets()
        )
        assert extra is not None, "every signal of the list counts tickets"
    given = filters.model_dump(exclude={"lane", "signal", "window", "language", "order", "cursor", "limit"})
    return TicketFilter(
        **given,
        language=(filters.language,) if filters.language else (),
        lane=Lane(filters.lane.value) if filters.lane else None,
        extra=extra,
    )


@router.get(
    "/tickets/{ticket_id}",
    response=TicketDetail,
    auth=needs(Act.READ),
    operation_id="read_ticket",
    summary="Read a ticket",
    openapi_extra=IF_NONE_MATCH,
)
def read_ticket(request: HttpRequest, ticket_id: str) -> TicketDetail:
    """The ticket with its clocks and open waits."""
    return _detail(client(request), ticket_id)


def read_back(asking: Client, ticket_id: str) -> TicketDetail | TicketReceipt:
    """The ticket as it stands after an act, as far as the key may see it; raises NotFound."""
    if asking.may_read:
        return _detail(asking, ticket_id)
    with reading(asking.tenant):
        ticket = tickets.ticket_by(ticket_id)
    return TicketReceipt(id=ticket_id, number=ticket.number, status=Status(ticket.status))


def _detail(asking: Client, ticket_id: str) -> TicketDetail:
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
    "version",
    "number",
    "subject",
    "status",
    "category",
    "subcategory",
    "complexity",
    "language",
    "channel",
    "signals",
    "sentiment",
    "confidence",
    "needs_review",
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
