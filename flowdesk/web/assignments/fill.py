"""Fills the page of assignments; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from flowdesk.accounts.models import ApiKey, User
from flowdesk.core.actor import Act, ActorKind
from flowdesk.core.ids import parsed, shown
from flowdesk.people import queries as people
from flowdesk.people.models import Agent
from flowdesk.routing import bulks, queries
from flowdesk.routing.queries import AssignmentFilter, BulkLine
from flowdesk.tickets.models import TicketEvent
from flowdesk.tickets.states import EventKind
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.assignments.page import AssignmentRow, AssignmentsPage, BulkRow
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind
from flowdesk.web.vocabulary import Words, say

PAGE = 50
BULKS = 8
ASKED = ("agent", "because", "bulk")
BECAUSE: Words = {
    "routed": gettext_lazy("the rules"),
    "rerouted": gettext_lazy("the rules, asked again"),
    "drained": gettext_lazy("came free in the queue"),
    "by_hand": gettext_lazy("by hand"),
    "taken": gettext_lazy("took it"),
    "outstayed_level": gettext_lazy("too long in its level"),
    "rebalanced": gettext_lazy("evened out"),
    "undone": gettext_lazy("taken back"),
}
KINDS: Words = {
    "drained": gettext_lazy("Queue handed out"),
    "rebalanced": gettext_lazy("Team evened out"),
    "undone": gettext_lazy("Taken back"),
}


def assignments_page(request: AgentRequest, *, now: datetime) -> AssignmentsPage:
    """The page that the address asks for; what cannot be read asks for all."""
    given = {name: request.GET.get(name, "")[:64] for name in ASKED}
    before = request.GET.get("before", "")
    cursor = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    rows = queries.assignment_events(_wanted(given), before=cursor, limit=PAGE + 1)
    shown_rows, href = rows[:PAGE], reverse("assignments")
    kept = {name: value for name, value in given.items() if value}
    more = urlencode({**kept, "before": shown_rows[-1].id}) if len(rows) > PAGE else ""
    names = _Names.of(shown_rows)
    return AssignmentsPage(
        rows=tuple(_row(one, names, request, now=now) for one in shown_rows),
        bulks=_bulks(request, now=now) if cursor is None else (),
        filters=_filters(given),
        href=href,
        filters_set=len(kept),
        more_href=f"{href}?{more}" if more else "",
        empty=None
        if shown_rows
        else Empty(
            title=_("Nothing here"), words=_("Whoever is given a ticket is listed here, with the reason.")
        ),
    )


def _wanted(given: Mapping[str, str]) -> AssignmentFilter:
    agent = None
    if given["agent"]:
        row = Agent.objects.filter(public_id=parsed("agt", given["agent"])).first()
        agent = row.id if row else 0
    return AssignmentFilter(agent=agent, because=given["because"], bulk=given["bulk"])


@dataclass(frozen=True, slots=True)
class _Names:
    """The people, teams and programs that the rows name."""

    agents: Mapping[int, str]
    teams: Mapping[int, str]
    doers: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, rows: Sequence[TicketEvent]) -> _Names:
        agents = people.agents_by_id(
            value
            for row in rows
            for value in (row.data.get("assignee"), row.data.get("before"))
            if isinstance(value, int) and row.kind != EventKind.TICKET_ROUTED
        )
        users = User.objects.filter(id__in=_ids(rows, ActorKind.USER)).values_list("id", "name")
        keys = ApiKey.objects.filter(id__in=_ids(rows, ActorKind.API_KEY)).values_list("id", "name")
        return cls(
            {one.id: one.name for one in agents.values()},
            {team.id: team.name for team in people.teams()},
            {
                **{(ActorKind.USER.value, row): name for row, name in users},
                **{(ActorKind.API_KEY.value, row): name for row, name in keys},
            },
        )


def _ids(rows: Sequence[TicketEvent], kind: ActorKind) -> set[int]:
    return {row.actor_id for row in rows if row.actor_kind == kind.value and row.actor_id is not None}


def _row(event: TicketEvent, names: _Names, request: AgentRequest, *, now: datetime) -> AssignmentRow:
    return AssignmentRow(
        at=words.iso(event.at, request.zone),
        when=words.moment(event.at, zone=request.zone, now=now),
        number=event.ticket.number,
        subject=event.ticket.subject,
        href=reverse("ticket", args=[shown("tkt", event.ticket.public_id)]),
        words=_change(event, names),
        why=say(BECAUSE, event.data.get("because", "")),
        who=names.doers.get((event.actor_kind, event.actor_id or 0), _("Flowdesk")),
    )


def _change(event: TicketEvent, names: _Names) -> str:
    before, data = event.data.get("before"), event.data
    if event.kind == EventKind.TICKET_ROUTED:
        to, was = names.teams.get(data.get("team") or 0, ""), names.teams.get(before or 0, "")
        return _("from the team {before} to the team {after}").format(before=was, after=to) if was else to
    was = names.agents.get(before or 0, "")
    if event.kind == EventKind.TICKET_UNASSIGNED:
        return _("from {before} back to the queue").format(before=was)
    to = names.agents.get(data.get("assignee") or 0, "")
    return (
        _("from {before} to {after}").format(before=was, after=to)
        if was
        else _("to {after}").format(after=to)
    )


def _bulks(request: AgentRequest, *, now: datetime) -> tuple[BulkRow, ...]:
    rows = queries.bulk_page(limit=BULKS)
    ids = {one.row.user_id for one in rows if one.row.user_id}
    users = dict(User.objects.filter(id__in=ids).values_list("id", "name"))
    return tuple(_bulk(one, users, request, now=now) for one in rows)


def _bulk(one: BulkLine, users: Mapping[int, str], request: AgentRequest, *, now: datetime) -> BulkRow:
    row, name = one.row, bulks.name_of(one.row.public_id)
    may_undo = request.actor.may(Act.AUTOMATE) and one.may_be_undone
    said = ngettext("{kind}: {n} ticket", "{kind}: {n} tickets", one.tickets)
    return BulkRow(
        words=said.format(kind=say(KINDS, row.kind), n=one.tickets),
        when=words.moment(row.at, zone=request.zone, now=now),
        at=words.iso(row.at, request.zone),
        who=users.get(row.user_id or 0, _("Flowdesk")),
        href=f"{reverse('assignments')}?{urlencode({'bulk': name})}",
        undo=Form(
            id=f"undo-{row.id}", href=reverse("undo-bulk"), submit=_("Take back"), hidden=(("bulk", name),)
        )
        if may_undo
        else None,
        note=_("taken back") if one.is_undone else "",
    )


def _filters(given: Mapping[str, str]) -> tuple[Field, ...]:
    rows = Agent.objects.filter(left_at__isnull=True).order_by("name")
    agents = [Choice(value=shown("agt", one.public_id), words=one.name) for one in rows]
    reasons = [Choice(value=key, words=str(said)) for key, said in BECAUSE.items()]
    anybody, any_reason = Choice(value="", words=_("Anybody")), Choice(value="", words=_("Any reason"))
    who = Field(name="agent", label=_("Who got it"), kind=Kind.SELECT, choices=(anybody, *agents))
    why = Field(name="because", label=_("Why"), kind=Kind.SELECT, choices=(any_reason, *reasons))
    return (who.answered(given["agent"]), why.answered(given["because"]))
