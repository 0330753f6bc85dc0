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
from flowdesk.core.errors import NotFound
from flowdesk.core.ids import parsed, shown
from flowdesk.engine.lanes import Window
from flowdesk.escalation.models import Escalation, EscalationState
from flowdesk.people.models import Agent, Team
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import NOBODY as NOBODY_KEY
from flowdesk.tickets.queries import Lane, Order, TicketFilter, count_up_to, keys_of, ticket_page
from flowdesk.tickets.signals import filter_of
from flowdesk.tickets.states import Channel, Status
from flowdesk.web.access import AgentRequest
from flowdesk.web.chips import ticket_chip
from flowdesk.web.hubs.words import LANE_SIGNALS, SIGNALS
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
MOST_COUNTED = 1_000  # a filtered list says 1000+ beyond
LANES = {
    "breached": Lane.BREACHED,
    "due": Lane.DUE,
    "mine": Lane.MINE,
    "unassigned": Lane.UNASSIGNED,
    "waiting": Lane.WAITING,
}
ORDERS = {"risk": Order.DUE, "newest": Order.CREATED, "updated": Order.UPDATED}
WINDOWS = {window.value: window for window in Window}
ENDED = ("resolved", "closed", "merged", "void")
FILTERS = ("status", "priority", "team", "assignee", "tier", "channel", "language", "category")


def wanted_of(given: Mapping[str, str], *, me: int | None, now: datetime) -> TicketFilter:
    """The filter an address asks for; values nobody knows are left out, so that an old link still opens."""
    status, text = given.get("status", ""), given.get("q", "").strip()[:200].replace("\x00", "")
    lane, extra = LANES.get(given.get("lane", "")), _signal(given, now=now)
    # Words and ended statuses are looked for everywhere; otherwise a list holds active tickets only.
    everywhere = extra is not None or status in ENDED or bool(text)
    return TicketFilter(
        lane=lane,
        me=me or 0,
        is_active=None if lane or everywhere else True,
        extra=extra,
        status=(Status(status),) if status in set(Status) else (),
        priority=(int(given["priority"]),) if given.get("priority") in ("1", "2", "3", "4") else (),
        team=_known(Team, "slug", given.get("team", "")),
        assignee=_agent(given.get("assignee", "")),
        tier=_word(given.get("tier", "")),
        channel=(Channel(given["channel"]),) if given.get("channel") in set(Channel) else (),
        language=_word(given.get("language", "")),
        category=_word(given.get("category", "")),
        q=text,
    )


def _known(model: type[Team], column: str, value: str) -> str:
    return value if value and _word(value) and model.objects.filter(**{column: value}).exists() else ""


def _agent(value: str) -> str:
    try:
        known = bool(value) and Agent.objects.filter(public_id=parsed("agt", value)).exists()
    except NotFound:
        known = False
    return value if known or value == NOBODY_KEY else ""


def _signal(given: Mapping[str, str], *, now: datetime) -> Q | None:
    """What a number of a hub counted, so that each number opens its tickets (F-HUB-09)."""
    if not given.get("signal"):
        return None
    window = WINDOWS.get(given.get("window", ""), Window.DAY)
    escalated = Escalation.objects.filter(state=EscalationState.OPEN).values("ticket_id")
    counted = filter_of(given["signal"], now=now, since=now - window.length, escalated=escalated)
    # A signal that counts no tickets, such as callbacks, opens an empty list and not all of them.
    return Q(id__in=[]) if counted is None else counted


def _word(text: str) -> tuple[str, ...]:
    return (text,) if text and len(text) <= 64 and "\x00" not in text else ()


def inbox_page(
    request: AgentRequest, *, counts: Mapping[str, int], now: datetime, goes_on: bool = False
) -> InboxPage:
    """The list the address asks for; one that goes on below rows already shown does not repeat their heading."""
    given = {
        name: request.GET.get(name, "")
        for name in ("lane", "signal", "window", "q", "order", "after", *FILTERS)
    }
    me = request.actor.agent
    wanted = wanted_of(given, me=me, now=now)
    order = ORDERS.get(given["order"], Order.DUE)
    here = reverse("inbox")
    asked = {name: value for name, value in given.items() if value and name != "after"}
    after, group = read_cursor(given["after"])
    rows = ticket_page(wanted, order=order, after=after, limit=PAGE + 1, now=now)
    has_more, chosen = len(rows) > PAGE, request.GET.get("ticket", "")
    groups = _groups(
        [
            (_group_of(row, now, request.zone), ticket_row(row, asked, chosen=chosen, now=now))
            for row in rows[:PAGE]
        ],
        order=order,
        goes_on=group if goes_on else None,
        has_more=has_more,
    )
    more = {"after": write_cursor(keys_of(rows[PAGE - 1], order=order), groups[-1][0])} if has_more else {}
    filters_set = sum(1 for name in ("q", *FILTERS) if given[name])
    lane = given["lane"] if given["lane"] in LANES else ""
    is_plain = not filters_set and wanted.extra is None
    known = counts.get(lane or "all") if is_plain else None
    count = known if known is not None else count_up_to(MOST_COUNTED + 1, wanted=wanted, now=now)
    is_cut_off = known is None and count > MOST_COUNTED
    return InboxPage(
        title=say({**SIGNALS, **LANE_SIGNALS}, given["signal"])
        if wanted.extra is not None
        else say(TITLES, lane if lane or wanted.is_active else "everywhere"),
        count=MOST_COUNTED if is_cut_off else count,
        is_cut_off=is_cut_off,
        href=f"{here}?{urlencode(asked)}" if asked else here,
        groups=tuple(group for _name, group in groups),
        order=order_field(given["order"] or "risk"),
        search=search_field(given["q"]),
        filters=filter_fields(given, teams=_teams(), people=_people()),
        hidden=tuple((name, given[name]) for name in ("lane", "signal", "window") if given[name]),
        filters_set=filters_set,
        clear_href=f"{here}?lane={lane}" if lane else here,
        lanes=lanes({name: f"{here}?lane={name}" for name in LANES}, counts=counts, current=lane),
        more_href=f"{here}?{urlencode({**asked, **more})}" if more else "",
        new_ticket_href=reverse("new-ticket") if request.actor.may(Act.OPEN) else "",
        empty=None if rows else empty(lane if is_plain else "", *_ways_on(request, lane)),
    )


def _ways_on(request: AgentRequest, lane: str) -> tuple[Link, ...]:
    links = [Link(words=say(TITLES, ""), href=reverse("inbox"))] if lane else []
    return tuple(links)


def _groups(
    rows: Sequence[tuple[str, TicketRow]], *, order: Order, goes_on: str | None, has_more: bool
) -> list[tuple[str, RowGroup]]:
    """Rows under the heading of the time they have left, by name, in the order they came.

    A list in another order than time left has no headings. The group named by `goes_on` comes first, without its
    heading: it stands above already. A group that may go on after this page does not say how many it has.
    """
    if order is not Order.DUE:
        return [("", RowGroup(words="", count=0, rows=tuple(row for _name, row in rows)))] if rows else []
    groups: dict[str, list[TicketRow]] = {goes_on: []} if goes_on is not None else {}
    for name, row in rows:
        groups.setdefault(name, []).append(row)
    named = [(name, mine) for name, mine in groups.items() if mine]
    return [
        (
            name,
            RowGroup(
                words="" if name == goes_on else say(GROUPS, name),
                count=0 if has_more and name == named[-1][0] else len(mine),
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
    teams = Team.objects.order_by("level", "name").values_list("slug", "name")
    return [Choice(value=slug, words=name) for slug, name in teams]


def _people() -> list[Choice]:
    people = Agent.objects.filter(left_at__isnull=True).order_by("name").values_list("public_id", "name")
    return [Choice(value=shown("agt", public_id), words=name) for public_id, name in people]


def write_cursor(keys: tuple[Any, ...], group: str) -> str:
    """A place in the list and the group it lies in, signed: nobody seeks where they like."""
    at, row = keys
    return signing.dumps([at.isoformat() if at else None, row, group], salt="inbox", compress=True)


def read_cursor(text: str) -> tuple[tuple[Any, ...] | None, str | None]:
    """The place a link names and its group; a spoiled one begins at the top."""
    if not text:
        return None, None
    try:
        at, row, group = signing.loads(text, salt="inbox")
    except signing.BadSignature:
        return None, None
    return (datetime.fromisoformat(at) if at else None, int(row)), group


def with_preview(page: InboxPage, preview: Any) -> InboxPage:
    """The list with a ticket beside it."""
    return replace(page, preview=preview)
