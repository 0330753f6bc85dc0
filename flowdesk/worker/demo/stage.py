"""Seats the cast in a demo tenant, and knows who is who afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from flowdesk.accounts.models import Membership, Tenant, User
from flowdesk.core.actor import Actor, ActorKind, Role
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.roster import Duty, on_duty
from flowdesk.engine.roster import Shift as RosterShift
from flowdesk.flows import crew
from flowdesk.people import queries as people
from flowdesk.people.models import (
    Absence,
    Agent,
    Contact,
    Customer,
    Post,
    Shift,
    ShiftKind,
    Team,
    TeamMember,
)
from flowdesk.people.services import AGENT
from flowdesk.worker.demo.cast import (
    ADMIN_EMAIL,
    AWAY,
    CLIENTS,
    COLLEAGUES,
    PASSWORD,
    Client,
    Colleague,
    Hours,
)

GONE_FOR = timedelta(days=2)  # when the week ends: what came to them before waits for somebody to even it out


class NotADemo(Exception):
    """People work in this tenant; the demo leaves it alone."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who writes for a customer."""

    contact: int
    email: str
    name: str
    language: str
    customer: str
    tier: str
    weight: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo tenant with everybody in it, as of one reading."""

    tenant: int
    actors: Mapping[int, Actor]  # by agent row
    names: Mapping[int, str]
    teams: Mapping[int, Sequence[int]]  # agents by team row
    lead: Actor
    guests: Sequence[Guest]
    shifts: Sequence[RosterShift]
    away: Mapping[int, datetime]  # agents out of office until further notice, and since when

    def somebody(self, *, team: int | None, assignee: int | None, at: datetime) -> Actor:
        """Who works the ticket now: its assignee while on shift, else a colleague of the team, else the lead."""
        on_shift = {
            agent
            for agent in map(int, on_duty(self.shifts, at=at, kind=Duty.WORK))
            if agent not in self.away or at < self.away[agent]
        }
        if assignee in on_shift and assignee in self.actors:
            return self.actors[assignee]
        mates = [agent for agent in self.teams.get(team or 0, ()) if agent in on_shift]
        return self.actors[mates[0]] if mates else self.lead


def must_be_demo(tenant: Tenant) -> None:
    """Raise NotADemo for a tenant that somebody works in."""
    if not tenant.is_demo:
        raise NotADemo(
            f"The tenant '{tenant.slug}' is a real one. The demo lives in a tenant of its own: "
            f"flowdesk demo --tenant demo"
        )


def seat_cast(tenant: Tenant, *, at: datetime) -> None:
    """Write colleagues, their hours and posts, and the customers; only into a demo without people."""
    must_be_demo(tenant)
    users = _users(tenant)
    with writing(tenant.id):
        if Agent.objects.filter(email=COLLEAGUES[0].email).exists():
            return
        teams = {team.slug: team for team in Team.objects.all()}
        posts = {post.slug: post for post in Post.objects.all()}
        agents = {}
        for one in COLLEAGUES:
            agents[one.name] = _seat(one, tenant, users[one.email], teams, posts, at=at)
        for client in CLIENTS:
            _write_client(client, tenant, agents, at=at)


def send_away(tenant: Tenant, *, at: datetime) -> None:
    """One of the cast is out of office, as they have said themselves; once."""
    must_be_demo(tenant)
    with reading(tenant.id):
        if Absence.objects.exists():
            return
        gone, stands_in = (Agent.objects.get(name=name) for name in AWAY)
    assert gone.user_id is not None
    by = Actor(
        tenant=tenant.id, role=Role.AGENT, kind=ActorKind.USER, id=gone.user_id, agent=gone.id, name=gone.name
    )
    crew.begin_absence(
        shown(AGENT, gone.public_id), starts_at=at - GONE_FOR, ends_at=None,
        substitute=shown(AGENT, stands_in.public_id), by=by, now=at,
    )  # fmt: skip


def _users(tenant: Tenant) -> dict[str, User]:
    """A login for each colleague. One hash serves all: the password is the same and no secret."""
    known = {user.email: user for user in User.objects.filter(email__in=[one.email for one in COLLEAGUES])}
    hashed = make_password(PASSWORD)
    for one in COLLEAGUES:
        if one.email not in known:
            known[one.email] = User.objects.create(email=one.email, name=one.name, password=hashed)
        Membership.objects.get_or_create(tenant=tenant, user=known[one.email], defaults={"role": one.role})
    return known


def _seat(
    one: Colleague,
    tenant: Tenant,
    user: User,
    teams: Mapping[str, Team],
    posts: Mapping[str, Post],
    *,
    at: datetime,
) -> Agent:
    agent = Agent.objects.create(
        tenant=tenant, public_id=new_id(at), user=user, name=one.name, email=one.email, skills=list(one.skills),
        languages=list(one.languages), capacity=one.capacity, is_senior=one.is_senior, created_at=at,
    )  # fmt: skip
    if one.team:
        TeamMember.objects.create(tenant=tenant, team=teams[one.team], agent=agent)
        _rota(tenant, agent, None, one.hours, ShiftKind.WORK)
    if one.on_call:
        _rota(tenant, agent, teams[one.team], one.on_call, ShiftKind.ON_CALL)
    for slug in one.leads:
        Team.objects.filter(slug=slug).update(lead=agent)
    Post.objects.filter(slug__in=list(one.posts)).update(holder=agent)
    return agent


def _rota(tenant: Tenant, agent: Agent, team: Team | None, hours: Hours, kind: ShiftKind) -> None:
    starts, ends = hours.times
    Shift.objects.create(
        tenant=tenant, agent=agent, team=team, kind=kind, weekdays=list(hours.days), starts=starts, ends=ends
    )


def _write_client(client: Client, tenant: Tenant, agents: Mapping[str, Agent], *, at: datetime) -> None:
    customer = Customer.objects.create(
        tenant=tenant, public_id=new_id(at), name=client.name, tier=client.tier, is_vip=client.is_vip,
        language=client.language, dedicated_agent=agents.get(client.manager), created_at=at,
    )  # fmt: skip
    Contact.objects.bulk_create(
        Contact(
            tenant=tenant, public_id=new_id(at), customer=customer, name=person, email=client.address(person),
            language=client.language, created_at=at,
        )
        for person in client.people
    )  # fmt: skip


def stage_of(tenant: Tenant) -> Stage:
    """Who is in the tenant now."""
    must_be_demo(tenant)
    roles = dict(Membership.objects.filter(tenant=tenant).values_list("user_id", "role"))
    weights = {client.name: client.weight for client in CLIENTS}
    with reading(tenant.id):
        agents = list(Agent.objects.filter(left_at__isnull=True, user__isnull=False).order_by("id"))
        members: dict[int, list[int]] = {}
        for team, agent in TeamMember.objects.order_by("id").values_list("team_id", "agent_id"):
            members.setdefault(team, []).append(agent)
        guests = [
            Guest(*row, weight=weights.get(row[4], 1))
            for row in Contact.objects.exclude(email="")
            .filter(email__endswith=".invalid")
            .order_by("id")
            .values_list("id", "email", "name", "language", "customer__name", "customer__tier")
        ]
        shifts = people.roster()
        away = dict(Absence.objects.filter(ends_at__isnull=True).values_list("agent_id", "starts_at"))
    actors = {
        agent.id: Actor(
            tenant=tenant.id, role=Role(roles[agent.user_id]), kind=ActorKind.USER, id=agent.user_id, agent=agent.id,
            name=agent.name,
        )
        for agent in agents
        if agent.user_id in roles and agent.email != ADMIN_EMAIL
    }  # fmt: skip
    lead = next(actors[agent.id] for agent in agents if agent.email == COLLEAGUES[0].email)
    return Stage(
        tenant=tenant.id,
        actors=actors,
        names={agent.id: agent.name for agent in agents},
        teams=members,
        lead=lead,
        guests=guests,
        shifts=shifts,
        away=away,
    )


def guest_actor(stage: Stage, contact: int | None) -> Actor:
    """The customer's side of a conversation."""
    return Actor(tenant=stage.tenant, role=Role.CUSTOMER, kind=ActorKind.CONTACT, id=contact)
