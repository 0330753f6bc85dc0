"""Fills the inbox from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core import signing
from django.urls import reverse

from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.people.models import Agent, Team
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import Cursor, Lane, Order, TicketFilter, lane_counts, ticket_list, tickets_like
from flowdesk.tickets.states import Status
from flowdesk.web.access import AgentRequest
from flowdesk.web.chips import ticket_chip
from flowdesk.web.inbox.page import InboxPage, RowGroup, TicketRow
from flowdesk.web.inbox.words import (
    GROUP_STATES,
    GROUPS,
    TITLES,
    empty,
    filter_fields,
    order_field,
    search_field,
)
from flowdesk.web.parts import NOBODY, Choice, Face, Link
from flowdesk.web.shell import lanes
from flowdesk.web.vocabulary import TIERS, say

PAGE = 50
LANES = {
    "": Lane.ALL,
    "breached": Lane.BREACHED,
    "due": Lane.DUE,
    "mine": Lane.MINE,
    "unassigned": Lane.UNASSIGNED,
    "waiting": Lane.WAITING,
    "at_risk": Lane.AT_RISK,
    "urgent": Lane.URGENT,
    "waiting_customer": Lane.WAITING_CUSTOMER,
    "waiting_internal": Lane.WAITING_INTERNAL,
    "first_response": Lane.FIRST_RESPONSE,
}
ORDERS = {"risk": Order.DUE, "newest": Order.CREATED, "updated": Order.UPDATED}
FILTERS = ("status", "priority", "team", "assignee", "tier", "channel", "language", "category")


def wanted_of(given: Mapping[str, str], *, now: datetime) -> TicketFilter:
    """The filter an address asks for; values nobody knows are left out, so that an old link still opens."""
    lane = LANES.get(given.get("lane", ""), Lane.ALL)
    status = given.get("status", "")
    hours = {"24h": 24, "7d": 24 * 7, "30d": 24 * 30}.get(given.get("created", ""))
    text = given.get("q", "").strip()[:200].replace("\x00", "")
    return TicketFilter(
        # Words and ended statuses are looked for everywhere; a lane holds active tickets only.
        lane=None if status in ("resolved", "closed", "void") or hours or (text and not given.get("lane")) else lane,
        statuses=(status,) if status in set(Status) else (),
        priorities=(int(given["priority"]),) if given.get("priority") in ("1", "2", "3", "4") else (),
        teams=_number(given.get("team", "")),
        assignees=_number(given.get("assignee", "")),
        tiers=_word(given.get("tier", "")),
        channels=_word(given.get("channel", "")),
        languages=_word(given.get("language", "")),
        categories=_word(given.get("category", "")),
        created_after=now - timedelta(hours=hours) if hours else None,
        subject=text,
    )


def _number(text: str) -> tuple[int, ...]:
    return (int(text),) if text.isdecimal() and len(text) < 19 else ()


def _word(text: str) -> tuple[str, ...]:
    return (text,) if text and len(text) <= 64 and "\x00" not in text else ()


def inbox_page(request: AgentRequest, *, now: datetime) -> tuple[InboxPage, Sequence[Ticket]]:
    """The list the address asks for, and its tickets in order."""
    given = {name: request.GET.get(name, "") for name in ("lane", "q", "order", "created", "after", *FILTERS)}
    me = request.actor.agent
    wanted = wanted_of(given, now=now)
    order = ORDERS.get(given["order"], Order.DUE)
    found = ticket_list(wanted, order=order, after=read_cursor(given["after"]), limit=PAGE, now=now, me=me)
    counts = lane_counts(now=now, me=me)
    lane = given["lane"] if given["lane"] in LANES else ""
    here = reverse("inbox")
    asked = {name: value for name, value in given.items() if value and name not in ("after",)}
    is_plain = not wanted.count_set and not given["created"]
    count = counts.get(lane or "all") if is_plain else None
    page = InboxPage(
        title=say(TITLES, lane) if lane in TITLES else say(TITLES, ""),
        count=count if count is not None else tickets_like(wanted, now=now, me=me).count(),
        href=f"{here}?{urlencode(asked)}" if asked else here,
        groups=_groups(found.rows, asked, chosen=request.GET.get("ticket", ""), now=now, zone=request.zone),
        order=order_field(given["order"] or "risk"),
        search=search_field(given["q"]),
        filters=filter_fields(given, teams=_teams(), people=_people()),
        hidden=tuple((name, given[name]) for name in ("lane", "created") if given[name]),
        filters_set=wanted.count_set,
        clear_href=f"{here}?lane={lane}" if lane else here,
        lanes=lanes({name: f"{here}?lane={name}" for name in LANES if name}, counts=counts, current=lane),
        more_href=f"{here}?{urlencode({**asked, 'after': write_cursor(found.next)})}" if found.next else "",
        new_ticket_href=reverse("new-ticket") if request.actor.may(Act.OPEN) else "",
        empty=None if found.rows else empty(lane if is_plain else "", *_ways_on(request, lane)),
    )
    return page, found.rows


def _ways_on(request: AgentRequest, lane: str) -> tuple[Link, ...]:
    links = [Link(words=say(TITLES, ""), href=reverse("inbox"))] if lane else []
    return tuple(links)


def _groups(
    rows: Sequence[Ticket], asked: Mapping[str, str], *, chosen: str, now: datetime, zone: ZoneInfo
) -> tuple[RowGroup, ...]:
    """Rows under the heading of the time they have left, in the order they came."""
    groups: dict[str, list[TicketRow]] = {}
    for ticket in rows:
        groups.setdefault(_group_of(ticket, now, zone), []).append(ticket_row(ticket, asked, chosen=chosen, now=now))
    return tuple(
        RowGroup(words=say(GROUPS, name), count=len(found), state=GROUP_STATES.get(name, ""), rows=tuple(found))
        for name, found in groups.items()
    )


def _group_of(ticket: Ticket, now: datetime, zone: ZoneInfo) -> str:
    if ticket.due_at is None:
        return "waiting" if ticket.status in (Status.PENDING, Status.ON_HOLD) else "none"
    if ticket.due_at <= now:
        return "over"
    if ticket.due_at <= now + timedelta(hours=1):
        return "soon"
    same_day = ticket.due_at.astimezone(zone).date() == now.astimezone(zone).date()
    return "today" if same_day else "later"


def ticket_row(ticket: Ticket, asked: Mapping[str, str], *, chosen: str, now: datetime) -> TicketRow:
    """A ticket in two lines."""
    public_id = shown("tkt", ticket.public_id)
    return TicketRow(
        id=public_id,
        number=ticket.number,
        subject=ticket.subject,
        href=reverse("ticket", args=[public_id]),
        preview_href=f"{reverse('inbox')}?{urlencode({**asked, 'ticket': public_id})}",
        priority=ticket.priority,
        chip=ticket_chip(ticket, now=now),
        channel=ticket.channel,
        customer=ticket.customer.name,
        tier=say(TIERS, ticket.customer.tier),
        assignee=Face.of(ticket.assignee.name) if ticket.assignee else NOBODY,
        is_read=ticket.waiting_internal_since is None,
        is_current=public_id == chosen,
    )


def _teams() -> list[Choice]:
    return [Choice(value=str(row[0]), words=row[1]) for row in Team.objects.order_by("level", "name").values_list("id", "name")]


def _people() -> list[Choice]:
    people = Agent.objects.filter(left_at__isnull=True).order_by("name").values_list("id", "name")
    return [Choice(value=str(row[0]), words=row[1]) for row in people]


def write_cursor(cursor: Cursor) -> str:
    """A place in the list, signed: nobody seeks where they like."""
    value = cursor.value.isoformat() if cursor.value else None
    return signing.dumps([value, cursor.id], salt="inbox", compress=True)


def read_cursor(text: str) -> Cursor | None:
    """The place a link names; a spoiled one begins at the top."""
    if not text:
        return None
    try:
        value, row = signing.loads(text, salt="inbox")
    except signing.BadSignature:
        return None
    return Cursor(datetime.fromisoformat(value) if value else None, int(row))


def with_preview(page: InboxPage, preview: Any) -> InboxPage:
    """The list with a ticket beside it."""
    return replace(page, preview=preview)
