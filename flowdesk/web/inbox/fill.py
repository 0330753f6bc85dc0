"""Fills the inbox from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core import signing
from django.db.models import Q
from django.urls import reverse

from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.engine.lanes import Window
from flowdesk.escalation.models import Escalation, EscalationState
from flowdesk.people.models import Agent, Team
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import (
    Cursor,
    Lane,
    Order,
    TicketFilter,
    TicketList,
    lane_counts,
    ticket_list,
    tickets_like,
)
from flowdesk.tickets.signals import filter_of
from flowdesk.tickets.states import Status
from flowdesk.web.access import AgentRequest
from flowdesk.web.chips import ticket_chip
from flowdesk.web.hubs.words import SIGNALS
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
}
ORDERS = {"risk": Order.DUE, "newest": Order.CREATED, "updated": Order.UPDATED}
WINDOWS = {window.value: window for window in Window}
ENDED = ("resolved", "closed", "void")
FILTERS = ("status", "priority", "team", "assignee", "tier", "channel", "language", "category")


def wanted_of(given: Mapping[str, str], *, now: datetime) -> TicketFilter:
    """The filter an address asks for; values nobody knows are left out, so that an old link still opens."""
    lane = LANES.get(given.get("lane", ""), Lane.ALL)
    status = given.get("status", "")
    extra = _signal(given, now=now)
    text = given.get("q", "").strip()[:200].replace("\x00", "")
    return TicketFilter(
        # Words and ended statuses are looked for everywhere; a lane holds active tickets only.
        lane=None if extra or status in ENDED or (text and not given.get("lane")) else lane,
        extra=extra,
        statuses=(status,) if status in set(Status) else (),
        priorities=(int(given["priority"]),) if given.get("priority") in ("1", "2", "3", "4") else (),
        teams=_number(given.get("team", "")),
        assignees=_number(given.get("assignee", "")),
        tiers=_word(given.get("tier", "")),
        channels=_word(given.get("channel", "")),
        languages=_word(given.get("language", "")),
        categories=_word(given.get("category", "")),
        subject=text,
    )


def _signal(given: Mapping[str, str], *, now: datetime) -> Q | None:
    """What a number of a hub counted, so that each number opens its tickets (F-HUB-09)."""
    if not given.get("signal"):
        return None
    window = WINDOWS.get(given.get("window", ""), Window.DAY)
    escalated = Escalation.objects.filter(state=EscalationState.OPEN).values("ticket_id")
    return filter_of(given["signal"], now=now, since=now - window.length, escalated=escalated)


def _number(text: str) -> tuple[int, ...]:
    return (int(text),) if text.isdecimal() and len(text) < 19 else ()


def _word(text: str) -> tuple[str, ...]:
    return (text,) if text and len(text) <= 64 and "\x00" not in text else ()


def inbox_page(request: AgentRequest, *, now: datetime, goes_on: bool = False) -> InboxPage:
    """The list the address asks for; one that goes on below rows already shown does not repeat their heading."""
    given = {
        name: request.GET.get(name, "")
        for name in ("lane", "signal", "window", "q", "order", "after", *FILTERS)
    }
    me = request.actor.agent
    wanted = wanted_of(given, now=now)
    order = ORDERS.get(given["order"], Order.DUE)
    here = reverse("inbox")
    asked = {name: value for name, value in given.items() if value and name != "after"}
    after, group = read_cursor(given["after"])
    found = ticket_list(wanted, order=order, after=after, limit=PAGE, now=now, me=me)
    groups = _groups(
        found,
        [ticket_row(one, asked, chosen=request.GET.get("ticket", ""), now=now) for one in found.rows],
        order=order,
        goes_on=group if goes_on else None,
        now=now,
        zone=request.zone,
    )
    counts = lane_counts(now=now, me=me)
    lane = given["lane"] if given["lane"] in LANES else ""
    is_plain = not wanted.count_set and wanted.extra is None
    count = counts.get(lane or "all") if is_plain else None
    return InboxPage(
        title=say(SIGNALS, given["signal"]) if wanted.extra is not None else say(TITLES, lane),
        count=count if count is not None else tickets_like(wanted, now=now, me=me).count(),
        href=f"{here}?{urlencode(asked)}" if asked else here,
        groups=tuple(group for _name, group in groups),
        order=order_field(given["order"] or "risk"),
        search=search_field(given["q"]),
        filters=filter_fields(given, teams=_teams(), people=_people()),
        hidden=tuple((name, given[name]) for name in ("lane", "signal", "window") if given[name]),
        filters_set=wanted.count_set,
        clear_href=f"{here}?lane={lane}" if lane else here,
        lanes=lanes({name: f"{here}?lane={name}" for name in LANES if name}, counts=counts, current=lane),
        more_href=f"{here}?{urlencode({**asked, 'after': write_cursor(found.next, groups[-1][0])})}"
        if found.next
        else "",
        new_ticket_href=reverse("new-ticket") if request.actor.may(Act.OPEN) else "",
        empty=None if found.rows else empty(lane if is_plain else "", *_ways_on(request, lane)),
    )


def _ways_on(request: AgentRequest, lane: str) -> tuple[Link, ...]:
    links = [Link(words=say(TITLES, ""), href=reverse("inbox"))] if lane else []
    return tuple(links)


def _groups(
    found: TicketList,
    rows: Sequence[TicketRow],
    *,
    order: Order,
    goes_on: str | None,
    now: datetime,
    zone: ZoneInfo,
) -> list[tuple[str, RowGroup]]:
    """Rows under the heading of the time they have left, by name, in the order they came.

    A list in another order than time left has no headings. The group named by `goes_on` comes first, without its
    heading: it stands above already. A group that may go on after this page does not say how many it has.
    """
    if order is not Order.DUE:
        return [("", RowGroup(words="", count=0, rows=tuple(rows)))] if rows else []
    groups: dict[str, list[TicketRow]] = {goes_on: []} if goes_on is not None else {}
    for ticket, row in zip(found.rows, rows, strict=True):
        groups.setdefault(_group_of(ticket, now, zone), []).append(row)
    named = [(name, mine) for name, mine in groups.items() if mine]
    return [
        (
            name,
            RowGroup(
                words="" if name == goes_on else say(GROUPS, name),
                count=0 if found.next and name == named[-1][0] else len(mine),
                state=GROUP_STATES.get(name, ""),
                rows=tuple(mine),
            ),
        )
        for name, mine in named
    ]


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
    return [
        Choice(value=str(row[0]), words=row[1])
        for row in Team.objects.order_by("level", "name").values_list("id", "name")
    ]


def _people() -> list[Choice]:
    people = Agent.objects.filter(left_at__isnull=True).order_by("name").values_list("id", "name")
    return [Choice(value=str(row[0]), words=row[1]) for row in people]


def write_cursor(cursor: Cursor, group: str) -> str:
    """A place in the list and the group it lies in, signed: nobody seeks where they like."""
    value = cursor.value.isoformat() if cursor.value else None
    return signing.dumps([value, cursor.id, group], salt="inbox", compress=True)


def read_cursor(text: str) -> tuple[Cursor | None, str | None]:
    """The place a link names and its group; a spoiled one begins at the top."""
    if not text:
        return None, None
    try:
        value, row, group = signing.loads(text, salt="inbox")
    except signing.BadSignature:
        return None, None
    return Cursor(datetime.fromisoformat(value) if value else None, int(row)), group


def with_preview(page: InboxPage, preview: Any) -> InboxPage:
    """The list with a ticket beside it."""
    return replace(page, preview=preview)
