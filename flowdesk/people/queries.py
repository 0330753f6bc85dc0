"""Reads of people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from flowdesk.accounts.models import Tenant
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.business_time import Weekday
from flowdesk.engine.roster import Duty, on_duty
from flowdesk.engine.roster import Shift as RosterShift
from flowdesk.people.models import Agent, Contact, Customer, Post, Shift, Team


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


def posts() -> list[PostRow]:
    """Every post with the slug of the one it falls to."""
    rows = Post.objects.order_by("slug").values_list("slug", "name", "holder_id", "falls_to__slug")
    return [PostRow(*row) for row in rows]


def teams() -> list[TeamRow]:
    """Every team, the levels in order and the specialists after them."""
    rows = Team.objects.order_by("level", "slug").values_list("id", "slug", "name", "level", "lead_id")
    return [TeamRow(*row) for row in rows]


def reachable() -> frozenset[int]:
    """Agents who are here and have not left; an absent one is passed over."""
    return frozenset(
        Agent.objects.filter(left_at__isnull=True, is_available=True).values_list("id", flat=True)
    )


def has_mandatory_contact() -> bool:
    """Whether the tenant named somebody who is told when every post is vacant."""
    return bool(Tenant.objects.values_list("mandatory_contact_email", flat=True).get(id=current_tenant()))


def roster(agents: Iterable[int] | None = None) -> list[RosterShift]:
    """The weekly shifts as the engine reads them; of these agents, or of all."""
    rows = Shift.objects.filter(agent__left_at__isnull=True).select_related(None)
    if agents is not None:
        rows = rows.filter(agent_id__in=list(agents))
    columns = rows.order_by("id").values_list(
        "agent_id",
        "weekdays",
        "starts",
        "ends",
        "agent__zone",
        "kind",
        "team__slug",
        "valid_from",
        "valid_until",
    )
    return [
        RosterShift(
            agent=str(agent), weekdays=frozenset(Weekday(day) for day in weekdays), starts=starts, ends=ends, zone=zone,
            kind=Duty(kind), team=team, valid_from=valid_from, valid_until=valid_until,
        )
        for agent, weekdays, starts, ends, zone, kind, team, valid_from, valid_until in columns
    ]  # fmt: skip


def on_shift(at: datetime, agents: Iterable[int] | None = None) -> frozenset[int]:
    """Agents whose working shift holds `at`."""
    return frozenset(int(agent) for agent in on_duty(roster(agents), at=at, kind=Duty.WORK))


def on_call(at: datetime) -> list[tuple[int, str | None]]:
    """Agents on call at this instant with the team their duty is for, in the order of their shifts."""
    duties = roster()
    teams = sorted({duty.team or "" for duty in duties if duty.kind is Duty.ON_CALL})
    return [
        (int(agent), team or None)
        for team in teams
        for agent in on_duty([duty for duty in duties if (duty.team or "") == team], at=at, kind=Duty.ON_CALL)
    ]


def off_duty(at: datetime) -> frozenset[int]:
    """Agents whose roster has working shifts, none of which holds `at`; of one without a roster it says nothing."""
    duties = [duty for duty in roster() if duty.kind is Duty.WORK]
    rostered = {int(duty.agent) for duty in duties}
    return frozenset(rostered - {int(agent) for agent in on_duty(duties, at=at, kind=Duty.WORK)})


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


def agents_by_id(ids: Iterable[int]) -> Mapping[int, Agent]:
    """These agents by row id, also those who have left."""
    return Agent.objects.in_bulk(list(set(ids)))
