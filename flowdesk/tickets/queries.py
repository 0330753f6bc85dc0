"""Reads of tickets: the work list by lane and filter, in pages that stay stable while others write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection
from django.db.models import Q, QuerySet

from flowdesk.core.tenant import current_tenant
from flowdesk.tickets.models import IS_ACTIVE, Message, Note, Ticket, TicketEvent, Wait
from flowdesk.tickets.states import Status

SOON = timedelta(hours=1)


class Lane(StrEnum):
    """A line of work; each is one condition over active tickets."""

    ALL = "all"
    BREACHED = "breached"
    DUE = "due"  # within the hour
    AT_RISK = "at_risk"  # 75 % spent and not breached
    MINE = "mine"
    UNASSIGNED = "unassigned"
    WAITING = "waiting"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_INTERNAL = "waiting_internal"
    URGENT = "urgent"
    FIRST_RESPONSE = "first_response"  # nobody has answered yet


class Order(StrEnum):
    DUE = "due"  # the earliest deadline first, tickets without one last
    CREATED = "created"  # the newest first
    UPDATED = "updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """What a list shows; empty means any. Ids are row ids of the open tenant."""

    lane: Lane | None = None
    statuses: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    assignees: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()
    tiers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    subject: str = ""

    @property
    def count_set(self) -> int:
        """How many questions of the filter bar are answered."""
        answers = (
            self.statuses, self.priorities, self.teams, self.assignees, self.tiers, self.channels, self.languages,
            self.categories, self.subject,
        )  # fmt: skip
        return sum(1 for answer in answers if answer)


def lane_condition(lane: Lane, *, now: datetime, me: int | None = None) -> Q:
    """The lane as a condition; every lane but the whole list looks at active tickets only."""
    breached = Q(is_breached=True) | Q(due_at__lte=now)
    conditions: Mapping[Lane, Q] = {
        Lane.ALL: Q(),
        Lane.BREACHED: breached,
        Lane.DUE: Q(due_at__gt=now, due_at__lte=now + SOON, is_breached=False),
        Lane.AT_RISK: Q(at_risk_at__lte=now) & ~breached,
        Lane.MINE: Q(assignee_id=me if me is not None else 0),
        Lane.UNASSIGNED: Q(assignee_id__isnull=True),
        Lane.WAITING: Q(status__in=[Status.PENDING.value, Status.ON_HOLD.value]),
        Lane.WAITING_CUSTOMER: Q(status=Status.PENDING.value),
        Lane.WAITING_INTERNAL: Q(
            status__in=[Status.NEW.value, Status.OPEN.value], waiting_internal_since__isnull=False
        ),
        Lane.URGENT: Q(priority__lte=2),
        Lane.FIRST_RESPONSE: Q(first_response_at__isnull=True),
    }
    return IS_ACTIVE & conditions[lane]


def tickets_like(wanted: TicketFilter, *, now: datetime, me: int | None = None) -> QuerySet[Ticket]:
    """All tickets of the open tenant that the filter lets through."""
    rows = Ticket.objects.all()
    if wanted.lane is not None:
        rows = rows.filter(lane_condition(wanted.lane, now=now, me=me))
    for name, values in (
        ("status", wanted.statuses),
        ("priority", wanted.priorities),
        ("team_id", wanted.teams),
        ("assignee_id", wanted.assignees),
        ("customer_id", wanted.customers),
        ("customer__tier", wanted.tiers),
        ("channel", wanted.channels),
        ("language", wanted.languages),
        ("category", wanted.categories),
    ):
        if values:
            rows = rows.filter(**{f"{name}__in": list(values)})
    if wanted.created_after is not None:
        rows = rows.filter(created_at__gte=wanted.created_after)
    if wanted.created_before is not None:
        rows = rows.filter(created_at__lt=wanted.created_before)
    if wanted.updated_after is not None:
        rows = rows.filter(updated_at__gte=wanted.updated_after)
    if wanted.subject:
        rows = rows.filter(subject__icontains=wanted.subject)
    return rows


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: after this value of the order's column (None: among those without) and id."""

    value: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class TicketList:
    rows: Sequence[Ticket]
    next: Cursor | None


def ticket_list(
    wanted: TicketFilter,
    *,
    order: Order = Order.DUE,
    after: Cursor | None = None,
    limit: int = 50,
    now: datetime,
    me: int | None = None,
) -> TicketList:
    """One page. It seeks to its place by key, so page 1,000 costs what page 1 costs, and a row written meanwhile
    neither repeats nor hides another."""
    base = tickets_like(wanted, now=now, me=me).select_related("customer", "contact", "assignee", "team")
    rows = _by_due(base, after, limit + 1) if order is Order.DUE else _newest(base, order, after, limit + 1)
    if len(rows) <= limit:
        return TicketList(rows, None)
    last = rows[limit - 1]
    value = {Order.DUE: last.due_at, Order.CREATED: last.created_at, Order.UPDATED: last.updated_at}[order]
    return TicketList(rows[:limit], Cursor(value, last.id))


def _by_due(base: QuerySet[Ticket], after: Cursor | None, limit: int) -> list[Ticket]:
    """Those with a deadline first, then those without: two seeks in the same index."""
    rows: list[Ticket] = []
    if after is None or after.value is not None:
        dated = base.filter(due_at__isnull=False).order_by("due_at", "id")
        if after is not None:
            dated = dated.filter(Q(due_at__gt=after.value) | Q(due_at=after.value, id__gt=after.id))
        rows = list(dated[:limit])
    if len(rows) < limit:
        undated = base.filter(due_at__isnull=True).order_by("id")
        if after is not None and after.value is None:
            undated = undated.filter(id__gt=after.id)
        rows += list(undated[: limit - len(rows)])
    return rows


def _newest(base: QuerySet[Ticket], order: Order, after: Cursor | None, limit: int) -> list[Ticket]:
    column = "created_at" if order is Order.CREATED else "updated_at"
    rows = base.order_by(f"-{column}", "-id")
    if after is not None:
        rows = rows.filter(
            Q(**{f"{column}__lt": after.value}) | Q(**{column: after.value, "id__lt": after.id})
        )
    return list(rows[:limit])


LANE_COUNTS = """
select count(*) as all_active,
    count(*) filter (where is_breached or due_at <= %(now)s) as breached,
    count(*) filter (where due_at > %(now)s and due_at <= %(soon)s and not is_breached) as due,
    count(*) filter (where assignee_id = %(me)s) as mine,
    count(*) filter (where assignee_id is null) as unassigned,
    count(*) filter (where status = 'pending' or status = 'on_hold') as waiting
from tickets_ticket
where tenant_id = %(tenant)s and status in ('new', 'open', 'pending', 'on_hold')
"""


def lane_counts(*, now: datetime, me: int | None) -> dict[str, int]:
    """How many active tickets lie in each lane of the sidebar, in one pass over the active ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            LANE_COUNTS, {"now": now, "soon": now + SOON, "me": me or 0, "tenant": current_tenant()}
        )
        row = cursor.fetchone()
    assert row is not None
    return dict(zip(("all", "breached", "due", "mine", "unassigned", "waiting"), row, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStory:
    """Everything that was said and that happened on a ticket, oldest first."""

    messages: Sequence[Message]
    notes: Sequence[Note]
    events: Sequence[TicketEvent]
    waits: Sequence[Wait]


def ticket_story(ticket: int) -> TicketStory:
    """The story of one ticket in four statements."""
    return TicketStory(
        messages=list(
            Message.objects.filter(ticket_id=ticket)
            .select_related("contact", "agent")
            .order_by("sent_at", "id")
        ),
        notes=list(
            Note.objects.filter(ticket_id=ticket).select_related("agent").order_by("created_at", "id")
        ),
        events=list(TicketEvent.objects.filter(ticket_id=ticket).order_by("id")),
        waits=list(Wait.objects.filter(ticket_id=ticket).order_by("id")),
    )
