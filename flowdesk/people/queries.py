"""Reads of people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from flowdesk.accounts.models import Tenant
from flowdesk.core.models import columns_of, row_of
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.business_time import Weekday
from flowdesk.engine.roster import Duty, on_duty
from flowdesk.engine.roster import Shift as RosterShift
from flowdesk.people import sql
from flowdesk.people.models import Agent, Contact, Customer, Team, TeamMember

_WRITER = {"contact": columns_of(Contact, "contact"), "customer": columns_of(Customer, "customer")}
_WRITER_BY_ADDRESS = sql.WRITER_BY_ADDRESS.format(**_WRITER)
_WRITER_BY_ID = sql.WRITER_BY_ID.format(**_WRITER)


@dataclass(frozen=True, slots=True)
class PostRow:
    slug: str
    name: str
    holder_id: int | None
    above: str | None


@dataclass(frozen=True, slots=True)
class TeamRow:
    id: int
    slug: str
    name: str
    level: int
    lead_id: int | None


def contact_by_address(email: str) -> Contact | None:
    """Who writes from this address, with their customer at hand; the letters' case does not matter."""
    return _writer(_WRITER_BY_ADDRESS, email)


def contact_by_id(public_id: UUID) -> Contact | None:
    """A contact with their customer at hand."""
    return _writer(_WRITER_BY_ID, public_id)


def _writer(statement: str, who: str | UUID) -> Contact | None:
    rows = _rows(statement, who)
    if not rows:
        return None
    width = len(Contact._meta.concrete_fields)
    contact = row_of(Contact, rows[0][:width])
    contact.customer = row_of(Customer, rows[0][width:])
    return contact


def posts() -> list[PostRow]:
    """Every post with the slug of the one it falls to."""
    return [PostRow(*row) for row in _rows(sql.POSTS)]


def teams() -> list[TeamRow]:
    """Every team, the levels in order and the specialists after them."""
    return [TeamRow(*row) for row in _rows(sql.TEAMS)]


@dataclass(frozen=True, slots=True)
class Presence:
    """Who of the tenant can be reached at an instant, and who stands in for those who are out of office."""

    here: frozenset[int]
    stand_ins: Mapping[int, int]


def presence(*, at: datetime) -> Presence:
    """Agents who have not left, at this instant."""
    with connection.cursor() as cursor:
        cursor.execute(sql.REACHABLE, [at, at, current_tenant()])
        rows = cursor.fetchall()
    return Presence(
        here=frozenset(agent for agent, is_here, _ in rows if is_here),
        stand_ins={agent: substitute for agent, _, substitute in rows if substitute is not None},
    )


def has_mandatory_contact() -> bool:
    """Whether the tenant named somebody who is told when every post is vacant."""
    return bool(Tenant.objects.values_list("mandatory_contact_email", flat=True).get(id=current_tenant()))


def roster(agents: Iterable[int] | None = None) -> list[RosterShift]:
    """The weekly shifts as the engine reads them; of these agents, or of all."""
    rows = _rows(sql.ROSTER) if agents is None else _rows(sql.ROSTER_OF, list(agents))
    return [
        RosterShift(
            agent=str(agent), weekdays=frozenset(Weekday(day) for day in weekdays), starts=starts, ends=ends, zone=zone,
            kind=Duty(kind), team=team, valid_from=valid_from, valid_until=valid_until,
        )
        for agent, weekdays, starts, ends, zone, kind, team, valid_from, valid_until in rows
    ]  # fmt: skip


def on_shift(at: datetime, agents: Iterable[int]) -> frozenset[int]:
    """Those of the agents whose working shift holds `at`."""
    return frozenset(int(agent) for agent in on_duty(roster(agents), at=at, kind=Duty.WORK))


def on_call(duties: Sequence[RosterShift], *, at: datetime) -> list[tuple[int, str | None]]:
    """Agents on call at this instant with the team their duty is for, in the order of their shifts."""
    teams = sorted({duty.team or "" for duty in duties if duty.kind is Duty.ON_CALL})
    return [
        (int(agent), team or None)
        for team in teams
        for agent in on_duty([duty for duty in duties if (duty.team or "") == team], at=at, kind=Duty.ON_CALL)
    ]


def off_duty(duties: Sequence[RosterShift], *, at: datetime) -> frozenset[int]:
    """Agents whose roster has working shifts, none of which holds `at`; of one without a roster it says nothing."""
    rostered = {int(duty.agent) for duty in duties if duty.kind is Duty.WORK}
    return frozenset(rostered - {int(agent) for agent in on_duty(duties, at=at, kind=Duty.WORK)})


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a hot statement, whose first value is the open tenant."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [current_tenant(), *values])
        return list(cursor.fetchall())


def customer_page(
    *, q: str = "", tier: str = "", after: tuple[Any, ...] | None, limit: int
) -> list[Customer]:
    """Customers by name; `q` is found in the name, the reference, or is a contact's address."""
    rows = Customer.objects.select_related("dedicated_agent").annotate(folded=Lower("name"))
    if q:
        writes = Contact.objects.filter(customer_id=OuterRef("id"), email__iexact=q)
        rows = rows.filter(Q(name__icontains=q) | Q(external_ref=q) | Exists(writes))
    if tier:
        rows = rows.filter(tier=tier)
    if after is not None:
        name, last = after
        rows = rows.filter(Q(folded__gte=name) & (Q(folded__gt=name) | Q(id__gt=last)))
    return list(rows.order_by("folded", "id")[:limit])


def contacts_of(customer: int, *, after: int = 0, limit: int) -> list[Contact]:
    """The people who write for a customer, oldest first."""
    return list(Contact.objects.filter(customer_id=customer, id__gt=after).order_by("id")[:limit])


def agent_page(*, after: int = 0, limit: int) -> list[Agent]:
    """Agents who have not left, oldest first."""
    return list(Agent.objects.filter(left_at__isnull=True, id__gt=after).order_by("id")[:limit])


def team_page(*, after: int = 0, limit: int) -> list[Team]:
    """Teams, oldest first."""
    return list(Team.objects.select_related("lead").filter(id__gt=after).order_by("id")[:limit])


def member_ids(team: int) -> frozenset[int]:
    """The agents of a team who have not left, by row id."""
    rows = TeamMember.objects.filter(team_id=team, agent__left_at__isnull=True)
    return frozenset(rows.values_list("agent_id", flat=True))


def skills_by_team() -> dict[str, frozenset[str]]:
    """What the agents of each team that anybody is in can do, by its slug."""
    rows = TeamMember.objects.filter(agent__left_at__isnull=True).values_list("team__slug", "agent__skills")
    found: dict[str, frozenset[str]] = {}
    for team, skills in rows:
        found[team] = found.get(team, frozenset()) | frozenset(skills)
    return found


def every_skill() -> frozenset[str]:
    """What anybody can do, also who is in no team."""
    rows = Agent.objects.filter(left_at__isnull=True).values_list("skills", flat=True)
    return frozenset(skill for skills in rows for skill in skills)


def agents_by_id(ids: Iterable[int]) -> Mapping[int, Agent]:
    """These agents by row id, also those who have left."""
    return Agent.objects.in_bulk(list(set(ids)))
