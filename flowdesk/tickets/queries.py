"""Reads of the heart, inside an open scope. A foreign id is not found, whatever tenant it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import parsed
from flowdesk.core.tenant import current_tenant
from flowdesk.people.models import Agent, Contact, Customer, Team
from flowdesk.tickets import sql
from flowdesk.tickets.models import (
    IS_ACTIVE,
    AuthorKind,
    Explanation,
    Message,
    Note,
    Task,
    Ticket,
    TicketEvent,
    Wait,
)
from flowdesk.tickets.services import PREFIX
from flowdesk.tickets.signals import is_over
from flowdesk.tickets.states import Channel, EventKind, Status

RELATED = ("customer", "contact", "team", "assignee", "follows", "merged_into")
NOBODY = "none"
SOON = timedelta(hours=1)


class Order(StrEnum):
    """How a list of tickets is sorted; `due` has those without a deadline last."""

    DUE = "due"  # soonest first
    CREATED = "created"  # newest first
    UPDATED = "updated"  # newest first


class Lane(StrEnum):
    """Lines of work a list can be narrowed to; all are of active tickets."""

    BREACHED = "breached"
    UNASSIGNED = "unassigned"
    DUE = "due"  # within the hour
    MINE = "mine"
    WAITING = "waiting"  # for the customer or for somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """What a list of tickets is narrowed to; an empty value narrows nothing. Ids are public ones."""

    status: Sequence[Status] = ()
    priority: Sequence[int] = ()
    channel: Sequence[Channel] = ()
    tier: Sequence[str] = ()
    category: Sequence[str] = ()
    language: Sequence[str] = ()
    team: str = ""  # slug or id, or `none`
    assignee: str = ""  # id, or `none`
    customer: str = ""
    contact: str = ""
    lane: Lane | None = None
    is_active: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    q: str = ""  # words of the subject, or a ticket's number with or without `#`
    me: int = 0  # the reader's row id as an agent, for the lane `mine`
    extra: Q | None = None  # what a hub's signal counted, see `tickets.signals`


def ticket_page(
    wanted: TicketFilter,
    *,
    order: Order,
    after: tuple[Any, ...] | None,
    limit: int,
    now: datetime,
) -> list[Ticket]:
    """The first `limit` tickets after the keys of a page's last one, with what surrounds each."""
    rows = Ticket.objects.select_related(*RELATED).filter(narrowed(wanted, now=now))
    match order:
        case Order.DUE:
            return _due_first(rows, after, limit)
        case Order.CREATED:
            return list(_newest_first(rows, "created_at", after)[:limit])
        case Order.UPDATED:
            return list(_newest_first(rows, "updated_at", after)[:limit])


def count_up_to(most: int, *, wanted: TicketFilter, now: datetime) -> int:
    """How many tickets the filter lets through; the count ends at `most`, so that a wide filter stays cheap."""
    return Ticket.objects.filter(narrowed(wanted, now=now))[:most].count()


LOOKED_AT = 20_000  # latest tickets, for what they hold


@dataclass(frozen=True, slots=True)
class HeldWord:
    """How many of the tickets that were looked at hold a word in one of the tenant's own fields."""

    key: str
    word: str
    tickets: int
    looked_at: int

    @property
    def is_of_the_latest(self) -> bool:
        """Whether there may be older tickets that hold it too."""
        return self.looked_at >= LOOKED_AT


def held_words(asked: Sequence[tuple[str, str]]) -> list[HeldWord]:
    """Which of some words of the tenant's own fields stand on its latest tickets, in one statement; none is looked for
    without one."""
    if not asked:
        return []
    keys, words = zip(*asked, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.HELD_WORDS,
            {"tenant": current_tenant(), "most": LOOKED_AT, "keys": list(keys), "words": list(words)},
        )
        return [held for row in cursor.fetchall() if (held := HeldWord(*row)).tickets]


def keys_of(ticket: Ticket, *, order: Order) -> tuple[Any, ...]:
    """The place of a ticket in a list of this order."""
    match order:
        case Order.DUE:
            return (ticket.due_at, ticket.id)
        case Order.CREATED:
            return (ticket.created_at, ticket.id)
        case Order.UPDATED:
            return (ticket.updated_at, ticket.id)


def narrowed(wanted: TicketFilter, *, now: datetime) -> Q:
    """The filter as a condition. Raises Invalid for a name nothing bears."""
    found = Q()
    for name, make in _SIMPLE.items():
        value = getattr(wanted, name)
        if value not in ("", None, ()) and value != []:
            found &= make(value)
    found &= _people(wanted)
    if wanted.lane is not None:
        found &= IS_ACTIVE & (
            Q(assignee_id=wanted.me) if wanted.lane is Lane.MINE else _LANES[wanted.lane](now)
        )
    if wanted.extra is not None:
        found &= wanted.extra
    if wanted.is_active is not None:
        found &= IS_ACTIVE if wanted.is_active else ~IS_ACTIVE
    return found


_SIMPLE: Mapping[str, Callable[[Any], Q]] = {
    "status": lambda value: Q(status__in=[one.value for one in value]),
    "priority": lambda value: Q(priority__in=[int(one) for one in value]),
    "channel": lambda value: Q(channel__in=[one.value for one in value]),
    "tier": lambda value: Q(customer__tier__in=list(value)),
    "category": lambda value: Q(category__in=list(value)),
    "language": lambda value: Q(language__in=list(value)),
    "created_after": lambda value: Q(created_at__gt=value),
    "created_before": lambda value: Q(created_at__lt=value),
    "updated_after": lambda value: Q(updated_at__gt=value),
    "updated_before": lambda value: Q(updated_at__lt=value),
    "q": lambda value: _words(value),
}

_LANES: Mapping[Lane, Callable[[datetime], Q]] = {
    Lane.BREACHED: is_over,
    Lane.UNASSIGNED: lambda now: Q(assignee__isnull=True),
    Lane.DUE: lambda now: Q(due_at__gt=now, due_at__lte=now + SOON, is_breached=False),
    Lane.WAITING: lambda now: Q(status__in=["pending", "on_hold"]),
}


def _words(text: str) -> Q:
    """Every word somewhere in the subject; `#12` is that number alone, and `12` too where a ticket has it.

    Never both in one condition: an `or` with words would cost the number its index.
    """
    digits = text.strip().removeprefix("#")
    if digits.isascii() and digits.isdigit() and len(digits) < 18:
        number = Q(number=int(digits))
        if digits != text.strip() or Ticket.objects.filter(number).exists():
            return number
    found = Q()
    for word in text.split()[:8]:
        found &= Q(subject__icontains=word)
    return found


def _people(wanted: TicketFilter) -> Q:
    """The parts of a filter that name somebody; an id of nobody is a fault, not an empty list."""
    faults: list[Fault] = []
    found = Q()

    def by_id(field: str, text: str, rows: QuerySet[Any], prefix: str) -> None:
        nonlocal found
        try:
            row = rows.filter(public_id=parsed(prefix, text)).values_list("id", flat=True).first()
        except NotFound:
            row = None
        if row is None:
            faults.append(Fault(field, f"there is no {field} by that id"))
        else:
            found &= Q(**{f"{field}_id": row})

    if wanted.team == NOBODY:
        found &= Q(team__isnull=True)
    elif wanted.team.startswith("tem_"):
        by_id("team", wanted.team, Team.objects.all(), "tem")
    elif wanted.team:
        team = Team.objects.filter(slug=wanted.team).values_list("id", flat=True).first()
        if team is None:
            faults.append(Fault("team", "there is no team by that name"))
        found &= Q(team_id=team)
    if wanted.assignee == NOBODY:
        found &= Q(assignee__isnull=True)
    elif wanted.assignee:
        by_id("assignee", wanted.assignee, Agent.objects.all(), "agt")
    if wanted.customer:
        by_id("customer", wanted.customer, Customer.objects.all(), "cus")
    if wanted.contact:
        by_id("contact", wanted.contact, Contact.objects.all(), "con")
    if faults:
        raise Invalid(*faults)
    return found


def _due_first(rows: QuerySet[Ticket], after: tuple[Any, ...] | None, limit: int) -> list[Ticket]:
    """By deadline, then those without one: two walks along one index rather than a sort."""
    due, last = after if after else (None, 0)
    page: list[Ticket] = []
    if after is None or due is not None:
        dated = rows.filter(due_at__isnull=False)
        if due is not None:
            dated = dated.filter(Q(due_at__gte=due) & (Q(due_at__gt=due) | Q(id__gt=last)))
        page = list(dated.order_by("due_at", "id")[:limit])
        last = 0
    if len(page) < limit:
        undated = rows.filter(due_at__isnull=True, id__gt=last).order_by("id")
        page += undated[: limit - len(page)]
    return page


def _newest_first(rows: QuerySet[Ticket], column: str, after: tuple[Any, ...] | None) -> QuerySet[Ticket]:
    if after is not None:
        at, last = after
        rows = rows.filter(Q(**{f"{column}__lte": at}) & (Q(**{f"{column}__lt": at}) | Q(id__lt=last)))
    return rows.order_by(f"-{column}", "-id")


def ticket_by(public_id: str) -> Ticket:
    """The ticket with what surrounds it; raises NotFound."""
    found = Ticket.objects.select_related(*RELATED).filter(public_id=parsed(PREFIX, public_id)).first()
    if found is None:
        raise NotFound
    return found


def ticket_id_of(public_id: str) -> int:
    """The row id behind a public id; raises NotFound."""
    found = Ticket.objects.filter(public_id=parsed(PREFIX, public_id)).values_list("id", flat=True).first()
    if found is None:
        raise NotFound
    return int(found)


def messages_of(tickets: Sequence[int], *, after: int = 0, limit: int) -> list[Message]:
    """Words to and from the customer on any of these tickets, oldest first."""
    rows = Message.objects.select_related("ticket", "contact", "agent")
    rows = rows.filter(ticket_id__in=tickets, id__gt=after)
    return list(rows.order_by("id")[:limit])


def notes_of(tickets: Sequence[int], *, after: int = 0, limit: int) -> list[Note]:
    """Words among agents and the system's notes on any of these tickets, oldest first."""
    rows = Note.objects.select_related("ticket", "agent").filter(ticket_id__in=tickets, id__gt=after)
    return list(rows.order_by("id")[:limit])


def events_of(ticket: int, *, after: int = 0, limit: int) -> list[TicketEvent]:
    """The log, oldest first."""
    return list(TicketEvent.objects.filter(ticket_id=ticket, id__gt=after).order_by("id")[:limit])


def whole_log(ticket: int) -> list[TicketEvent]:
    """Every line of the log, oldest first, for folding."""
    return list(TicketEvent.objects.filter(ticket_id=ticket).order_by("id"))


def latest_event(ticket: int, *kinds: EventKind) -> TicketEvent | None:
    """The newest line of the log of these kinds."""
    return TicketEvent.objects.filter(ticket_id=ticket, kind__in=kinds).order_by("-id").first()


def open_waits_of(ticket: int) -> list[Wait]:
    """The waits that have not ended, oldest first."""
    return list(Wait.objects.filter(ticket_id=ticket, ended_at__isnull=True).order_by("id"))


def explanations_of(ticket: int) -> list[Explanation]:
    """The traces of the decisions on a ticket, oldest first."""
    return list(Explanation.objects.filter(ticket_id=ticket).order_by("id"))


def newest_traces(explained: Iterable[Explanation]) -> dict[str, dict[str, Any]]:
    """The newest trace of each decision, of explanations that come oldest first; who was picked since the ticket was
    routed stands in its routing."""
    found: dict[str, dict[str, Any]] = {}
    for one in explained:
        found[one.subject] = one.trace
        if one.subject == "assignment" and "routing" in found:
            found["routing"] = {**found["routing"], "assignment": one.trace}
    return found


LANES = ("all", "breached", "due", "mine", "unassigned", "waiting")


def lane_counts(*, now: datetime, me: int | None) -> dict[str, int]:
    """How many active tickets lie in each lane of the sidebar."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.READ_LANES, {"now": now, "soon": now + SOON, "me": me or 0, "tenant": current_tenant()}
        )
        row = cursor.fetchone()
    assert row is not None
    return dict(zip(LANES, row, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStory:
    """Everything that was said and that happened on a ticket, oldest first; said in what was merged into it, too."""

    messages: Sequence[Message]
    notes: Sequence[Note]
    events: Sequence[TicketEvent]
    waits: Sequence[Wait]


def ticket_story(ticket: int, *, merged: Sequence[int] = ()) -> TicketStory:
    """The story of one ticket in four statements, with the talk of those that were merged into it."""
    said_in = [ticket, *merged]
    return TicketStory(
        messages=list(
            Message.objects.filter(ticket_id__in=said_in)
            .select_related("contact", "agent")
            .order_by("sent_at", "id")
        ),
        notes=list(
            Note.objects.filter(ticket_id__in=said_in).select_related("agent").order_by("created_at", "id")
        ),
        events=list(TicketEvent.objects.filter(ticket_id=ticket).order_by("id")),
        waits=list(Wait.objects.filter(ticket_id=ticket).order_by("id")),
    )


def first_words(ticket: int) -> str:
    """What the customer wrote when the ticket came in."""
    rows = Message.objects.filter(ticket_id=ticket, author_kind=AuthorKind.CONTACT).order_by("sent_at", "id")
    return rows.values_list("text", flat=True).first() or ""


def first_words_of(tickets: Sequence[int], *, longest: int) -> dict[int, str]:
    """What the customers wrote when these came in, `longest` characters at the most; one statement for all."""
    with connection.cursor() as cursor:
        cursor.execute(sql.FIRST_WORDS, [longest, current_tenant(), list(tickets)])
        return dict(cursor.fetchall())


REVIEWS_COUNTED = 1_000  # more than so many say so


def review_queue(*, after: tuple[int, int] | None, limit: int) -> list[Ticket]:
    """Tickets that were read and that nobody has looked at, what triage was least sure of first.

    `after` is the confidence and row id of the last one that was seen.
    """
    rows = Ticket.objects.filter(IS_ACTIVE, needs_review=True).select_related(*RELATED)
    if after is not None:
        confidence, last = after
        rows = rows.filter(confidence__gte=confidence).filter(Q(confidence__gt=confidence) | Q(id__gt=last))
    return list(rows.order_by("confidence", "id")[:limit])


def review_count() -> int:
    """How many wait to be looked at, up to `REVIEWS_COUNTED` and one."""
    return Ticket.objects.filter(IS_ACTIVE, needs_review=True)[: REVIEWS_COUNTED + 1].count()


def latest_traces(tickets: Sequence[int], *, subject: str) -> dict[int, dict[str, Any]]:
    """The newest trace of one decision, by ticket."""
    rows = Explanation.objects.filter(ticket_id__in=tickets, subject=subject).order_by("id")
    return dict(rows.values_list("ticket_id", "trace"))


def task_page(
    *, agent: int | None, is_open: bool | None, after: tuple[datetime, int] | None, limit: int
) -> list[Task]:
    """What agents are to do, the soonest deadline first; `after` is the deadline and row id of the last one seen."""
    rows = Task.objects.select_related("ticket", "agent")
    if agent is not None:
        rows = rows.filter(agent_id=agent)
    if is_open is not None:
        rows = rows.filter(ended_at__isnull=is_open)
    if after is not None:
        due, last = after
        rows = rows.filter(due_at__gte=due).filter(Q(due_at__gt=due) | Q(id__gt=last))
    return list(rows.order_by("due_at", "id")[:limit])
