"""Fills the pages of teams and agents; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.core.actor import Act
from flowdesk.core.errors import NotFound
from flowdesk.core.ids import parsed, shown
from flowdesk.engine.balance import BalancePlan, MoveReason
from flowdesk.flows.crew import ABSENCE
from flowdesk.people.models import Absence, Agent, Team, TeamMember
from flowdesk.policies.services import current_policy
from flowdesk.routing import bulks, queries
from flowdesk.routing.queries import AtWork
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import WORKABLE, Channel
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.crew.page import (
    AbsenceLine,
    AgentPage,
    CrewPage,
    EvenPage,
    LoadLine,
    MemberLine,
    MoveLine,
    TeamCard,
)
from flowdesk.web.parts import Choice, Empty, Face, Field, Form, Kind, Link
from flowdesk.web.standing import standing_words
from flowdesk.web.vocabulary import CHANNELS, LANGUAGES, say


@dataclass(frozen=True, slots=True)
class _Crew:
    """Everybody as they stand now, read once for the whole page."""

    agents: Mapping[int, Agent]
    at_work: Mapping[int, AtWork]


def crew_page(request: AgentRequest, *, now: datetime) -> CrewPage:
    """Every team with its people, the levels in order and the specialists after them."""
    teams = list(Team.objects.select_related("lead").order_by("level", "slug"))
    ordered = [*(one for one in teams if one.level), *(one for one in teams if not one.level)]
    members: dict[int, list[int]] = {team.id: [] for team in teams}
    for team, agent in TeamMember.objects.order_by("agent__name").values_list("team_id", "agent_id"):
        members[team].append(agent)
    crew = _crew(now=now)
    queues = tickets.queue_lengths(WORKABLE)
    return CrewPage(
        teams=tuple(
            _team(team, members[team.id], crew, queues.get(team.id, 0), request, now=now) for team in ordered
        ),
        links=(Link(words=_("Who got what"), href=reverse("assignments"), icon="assign"),),
        me=_me(request, crew),
        empty=Empty(title=_("No teams yet"), words=_("Teams come with the desk when it is founded."))
        if not teams
        else None,
    )


def _crew(*, now: datetime) -> _Crew:
    weights = current_policy().routing.weights
    return _Crew(
        agents={one.id: one for one in Agent.objects.filter(left_at__isnull=True)},
        at_work={one.id: one for one in queries.crew_at_work(weights, at=now)},
    )


def _team(
    team: Team, members: Sequence[int], crew: _Crew, queue: int, request: AgentRequest, *, now: datetime
) -> TeamCard:
    may_even = request.actor.may(Act.AUTOMATE)
    return TeamCard(
        slug=team.slug,
        name=team.name,
        level=_("Level {level}").format(level=team.level) if team.level else _("Specialists"),
        lead=_("Lead: {name}").format(name=team.lead.name) if team.lead else "",
        queue=ngettext("{n} ticket waits for an agent", "{n} tickets wait for an agent", queue).format(
            n=queue
        ),
        queue_href=f"{reverse('inbox')}?lane=unassigned&team={team.slug}" if queue else "",
        members=tuple(
            _member(crew.agents[one], crew, request, now=now) for one in members if one in crew.agents
        ),
        even_href=reverse("even-out", args=[team.slug]) if may_even and members else "",
    )


def _member(agent: Agent, crew: _Crew, request: AgentRequest, *, now: datetime) -> MemberLine:
    at_work = crew.at_work[agent.id]
    load, standing = at_work.load, standing_words(at_work, zone=request.zone, now=now)
    may = request.actor.may(Act.CONFIGURE) or agent.id == request.actor.agent
    return MemberLine(
        face=Face.of(agent.name),
        href=reverse("agent", args=[shown("agt", agent.public_id)]) if may else "",
        standing=standing,
        is_here=at_work.is_here,
        skills=tuple(agent.skills),
        languages=", ".join(say(LANGUAGES, one) for one in agent.languages),
        channels=", ".join(say(CHANNELS, one) for one in agent.channels),
        is_senior=agent.is_senior,
        tickets=ngettext("{n} ticket", "{n} tickets", load.tickets).format(n=load.tickets),
        load=_("{used} of {room}").format(used=load.weight, room=agent.capacity),
        share=min(100, round(100 * load.weight / max(1, agent.capacity))),
    )


def _me(request: AgentRequest, crew: _Crew) -> Form | None:
    """The one thing everybody may say of themselves at once."""
    me = crew.agents.get(request.actor.agent or 0)
    if me is None:
        return None
    hidden = (("is_available", "" if me.is_available else "1"), ("deed", "available"))
    submit = _("I am away") if me.is_available else _("I am here")
    return Form(
        id="me", href=reverse("agent", args=[shown("agt", me.public_id)]), submit=submit, hidden=hidden
    )


# -- one agent


def load_agent(public_id: str) -> Agent:
    """An agent who has not left; raises NotFound."""
    agent = Agent.objects.filter(public_id=parsed("agt", public_id), left_at__isnull=True).first()
    if agent is None:
        raise NotFound
    return agent


def agent_page(
    request: AgentRequest,
    agent: Agent,
    *,
    now: datetime,
    deed: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, list[str]] | None = None,
) -> AgentPage:
    """What routing goes by; a form that was refused comes back as it was sent."""
    href = reverse("agent", args=[shown("agt", agent.public_id)])
    card, absence = _card_form(agent, href), _absence_form(agent, href)
    if deed == "card" and given is not None:
        card = card.answered(given, errors or {})
    if deed == "absence" and given is not None:
        absence = absence.answered(given, errors or {})
    rows = Absence.objects.filter(agent=agent).exclude(ends_at__lte=now).select_related("substitute")
    return AgentPage(
        name=agent.name,
        back_href=reverse("crew"),
        card=card if request.actor.may(Act.CONFIGURE) else None,
        absence=absence,
        absences=tuple(_absence_line(one, href, request, now=now) for one in rows.order_by("starts_at")),
    )


def _absence_line(absence: Absence, href: str, request: AgentRequest, *, now: datetime) -> AbsenceLine:
    start = words.moment(absence.starts_at, zone=request.zone, now=now)
    end = words.moment(absence.ends_at, zone=request.zone, now=now) if absence.ends_at else ""
    hidden = (("deed", "end"), ("absence", shown(ABSENCE, absence.public_id)))
    return AbsenceLine(
        words=_("{start} to {end}").format(start=start, end=end)
        if end
        else _("from {start} until further notice").format(start=start),
        substitute=_("{name} stands in").format(name=absence.substitute.name) if absence.substitute else "",
        end=Form(id=f"end-{absence.id}", href=href, submit=_("End it"), hidden=hidden),
    )


def _card_form(agent: Agent, href: str) -> Form:
    known = ", ".join(one.value for one in Channel)
    return Form(
        id="card",
        href=href,
        submit=_("Save"),
        hidden=(("deed", "card"),),
        fields=(
            Field(
                name="skills", label=_("Skills"), value=", ".join(agent.skills), hint=_("Separated by commas."),
                max_length=2_000,
            ),
            Field(
                name="languages", label=_("Languages"), value=", ".join(agent.languages),
                hint=_("Codes of two letters, such as sv, en."), max_length=200,
            ),
            Field(
                name="channels", label=_("Channels"), value=", ".join(agent.channels),
                hint=_("Of {channels}; none named means all.").format(channels=known), max_length=200,
            ),
            Field(
                name="capacity", label=_("Capacity"), kind=Kind.NUMBER, value=str(agent.capacity), is_required=True,
                hint=_("How many tickets at once; a P1 may count for several, as the rules say."),
            ),
            Field(name="is_senior", label=_("Senior"), kind=Kind.CHECK, is_checked=agent.is_senior),
        ),
    )  # fmt: skip


def _absence_form(agent: Agent, href: str) -> Form:
    others = Agent.objects.filter(left_at__isnull=True).exclude(id=agent.id).order_by("name")
    choices = [Choice(value="", words=_("Nobody"))]
    choices += [Choice(value=shown("agt", one.public_id), words=one.name) for one in others]
    return Form(
        id="absence",
        href=href,
        submit=_("Note it"),
        hidden=(("deed", "absence"),),
        hint=_(
            "What is meant for somebody who is away goes to who stands in, and no new ticket comes to them."
        ),
        fields=(
            Field(name="first", label=_("First day away"), kind=Kind.DATE, is_required=True),
            Field(
                name="last", label=_("Last day away"), kind=Kind.DATE, hint=_("Empty: until further notice.")
            ),
            Field(name="substitute", label=_("Who stands in"), kind=Kind.SELECT, choices=tuple(choices)),
        ),
    )


def day_begins(text: str, request: AgentRequest, *, after: int = 0) -> datetime | None:
    """Midnight of a day in the reader's zone, or of one so many days after it; None for what is no day."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None or not 1970 <= day.year <= 9000:
        return None
    return datetime.combine(day + timedelta(days=after), time(0), tzinfo=request.zone)


# -- evening out


def even_page(team: str, *, now: datetime) -> EvenPage:
    """The plan for one team at this instant; raises NotFound."""
    row = Team.objects.filter(slug=team).first()
    if row is None:
        raise NotFound
    plan = bulks.plan_balance(row.id, weights=current_policy().routing.weights, at=now)
    names = {
        agent.id: agent for agent in Agent.objects.filter(id__in=[int(name) for name, *_rest in plan.loads])
    }
    rows = Ticket.objects.in_bulk([move.ticket for move in plan.moves])
    return EvenPage(
        team=row.name,
        back_href=reverse("crew"),
        href=reverse("even-out", args=[team]),
        words=ngettext(
            "{n} ticket would change hands.", "{n} tickets would change hands.", len(plan.moves)
        ).format(n=len(plan.moves)),
        moves=tuple(
            MoveLine(
                value=f"{move.ticket}:{move.before}:{move.after}:{move.reason.value}",
                number=rows[move.ticket].number,
                subject=rows[move.ticket].subject,
                href=reverse("ticket", args=[shown("tkt", rows[move.ticket].public_id)]),
                before=names[int(move.before)].name,
                after=names[int(move.after)].name,
                why=why_moved(move.reason),
            )
            for move in plan.moves
        ),
        loads=_loads(plan, names),
        stuck=ngettext(
            "{n} ticket of somebody who is away can be taken by nobody now.",
            "{n} tickets of people who are away can be taken by nobody now.",
            len(plan.stuck),
        ).format(n=len(plan.stuck))
        if plan.stuck
        else "",
        empty=None
        if plan.moves
        else Empty(title=_("The team is even"), words=_("Nothing would be gained by moving a ticket now.")),
    )


def why_moved(reason: str) -> str:
    """Why a plan moves a ticket."""
    return (
        {
            MoveReason.AWAY: _("is away"),
            MoveReason.OVER_CAPACITY: _("has more than they can take"),
            MoveReason.UNEVEN: _("has much more than others"),
        }.get(MoveReason(reason), "")
        if reason in set(MoveReason)
        else ""
    )


def _loads(plan: BalancePlan, names: Mapping[int, Agent]) -> tuple[LoadLine, ...]:
    return tuple(
        LoadLine(
            name=names[int(agent)].name,
            before=_("{used} of {room}").format(used=before, room=names[int(agent)].capacity),
            after=_("{used} of {room}").format(used=after, room=names[int(agent)].capacity),
            share_before=min(100, round(100 * before / max(1, names[int(agent)].capacity))),
            share_after=min(100, round(100 * after / max(1, names[int(agent)].capacity))),
        )
        for agent, before, after in plan.loads
    )
