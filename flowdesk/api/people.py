"""Agents and teams: whom a ticket can be given to, what they can do, when they are away, and what they are to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import AgentId, Body, Filters, Instant
from flowdesk.api.shapes import AgentRef, Out, Receipt, TicketNamed, agent_ref
from flowdesk.core.actor import Act
from flowdesk.core.errors import NotFound, invalid
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.flows import crew
from flowdesk.flows.crew import AgentCard
from flowdesk.people import queries as people
from flowdesk.people.models import Absence, Agent
from flowdesk.policies.services import current_policy
from flowdesk.routing import queries as routing
from flowdesk.routing.queries import Load
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Task
from flowdesk.tickets.states import Channel, TaskKind, TaskOutcome

router = Router(tags=["people"])

Word = Annotated[str, Field(min_length=1, max_length=64)]


class AgentOut(Out):
    id: str
    name: str
    skills: list[str]
    languages: list[str]
    channels: Annotated[list[str], Field(description="None named: all of them.")]
    capacity: int
    load: Annotated[int, Field(description="What their active tickets weigh.")]
    is_senior: bool
    is_available: bool
    zone: str


class ChangeAgent(Body):
    """What routing goes by; what is left out stays as it is."""

    skills: Annotated[list[Word], Field(max_length=50)] | None = None
    languages: Annotated[list[Annotated[str, Field(pattern="^[a-z]{2}$")]], Field(max_length=50)] | None = (
        None
    )
    channels: list[Channel] | None = None
    capacity: Annotated[int, Field(ge=0, le=1_000)] | None = None
    is_senior: bool | None = None
    is_available: bool | None = None


class AbsenceOut(Out):
    """A stretch out of office; without `ends_at` until further notice."""

    id: str
    agent: AgentRef
    starts_at: datetime
    ends_at: datetime | None
    substitute: AgentRef | None


class NewAbsence(Body):
    """Whoever stands in gets what was meant for the absent agent."""

    starts_at: Instant
    ends_at: Instant | None = None
    substitute: AgentId = ""


class TaskOut(Out):
    """Something one agent has to do about a ticket; without `ended_at` it is still to be done."""

    id: str
    kind: TaskKind
    ticket: TicketNamed
    agent: AgentRef
    opened_at: datetime
    due_at: datetime
    ended_at: datetime | None
    outcome: TaskOutcome | None


class TaskFilters(Filters):
    agent: AgentId = ""
    is_open: bool | None = None
    cursor: Cursor = ""
    limit: Limit = DEFAULT


class TeamOut(Out):
    """A group of agents; `level` is its depth of support, 0 for specialists beside the levels."""

    id: str
    slug: str
    name: str
    level: int
    lead: AgentRef | None


@router.get(
    "/agents",
    response=Page[AgentOut],
    auth=needs(Act.READ),
    operation_id="list_agents",
    summary="List agents",
)
def list_agents(request: HttpRequest, filters: Query[OnlyPages]) -> Page[AgentOut]:
    """Those who have not left."""
    asking, name = client(request), f"{client(request).tenant}.agents"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = people.agent_page(after=after[0] if after else 0, limit=filters.limit + 1)
        page = rows[: filters.limit]
        loads = routing.loads(current_policy().routing.weights)
        items = [_agent_out(row, loads) for row in page]
        return Page[AgentOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )


def _agent_out(row: Agent, loads: Mapping[int, Load]) -> AgentOut:
    held = loads.get(row.id)
    return AgentOut(
        id=shown("agt", row.public_id), name=row.name, skills=row.skills, languages=row.languages,
        channels=row.channels, capacity=row.capacity, load=held.weight if held else 0, is_senior=row.is_senior,
        is_available=row.is_available, zone=row.zone,
    )  # fmt: skip


@router.patch(
    "/agents/{agent_id}", response=AgentOut | Receipt, auth=needs(Act.CONFIGURE), operation_id="change_agent",
    summary="Change an agent",
)  # fmt: skip
def change_agent(request: HttpRequest, agent_id: str, body: ChangeAgent) -> AgentOut | Receipt:
    """Routing goes by it from the next ticket on."""
    asking = client(request)
    card = AgentCard(
        skills=_words(body.skills), languages=_words(body.languages), channels=_words(body.channels),
        capacity=body.capacity, is_senior=body.is_senior, is_available=body.is_available,
    )  # fmt: skip
    row = crew.change_agent(agent_id, card, by=asking.actor, now=asking.now)
    if not asking.may_read:
        return Receipt(id=agent_id)
    with reading(asking.tenant):
        return _agent_out(row, routing.loads(current_policy().routing.weights))


def _words(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(str(word) for word in given)


@router.get(
    "/agents/{agent_id}/absences", response=list[AbsenceOut], auth=needs(Act.READ), operation_id="list_absences",
    summary="When an agent is away",
)  # fmt: skip
def list_absences(request: HttpRequest, agent_id: str) -> list[AbsenceOut]:
    """Those that are not over, the next one first."""
    asking = client(request)
    with reading(asking.tenant):
        agent = Agent.objects.filter(public_id=parsed("agt", agent_id)).first()
        if agent is None:
            raise NotFound
        rows = Absence.objects.filter(agent=agent).exclude(ends_at__lte=asking.now)
        return [
            _absence_out(row)
            for row in rows.select_related("agent", "substitute").order_by("starts_at", "id")
        ]


def _absence_out(row: Absence) -> AbsenceOut:
    agent = agent_ref(row.agent)
    assert agent is not None
    return AbsenceOut(
        id=shown(crew.ABSENCE, row.public_id), agent=agent, starts_at=row.starts_at, ends_at=row.ends_at,
        substitute=agent_ref(row.substitute),
    )  # fmt: skip


@router.post(
    "/agents/{agent_id}/absences", response={201: AbsenceOut | Receipt}, auth=needs(Act.CONFIGURE),
    operation_id="begin_absence", summary="Note an absence",
)  # fmt: skip
def begin_absence(request: HttpRequest, agent_id: str, body: NewAbsence) -> AbsenceOut | Receipt:
    """No new ticket comes to who is away."""
    asking = client(request)
    row = crew.begin_absence(agent_id, **body.model_dump(), by=asking.actor, now=asking.now)
    if not asking.may_read:
        return Receipt(id=shown(crew.ABSENCE, row.public_id))
    with reading(asking.tenant):
        return _absence_out(row)


@router.post(
    "/absences/{absence_id}/end", response=Receipt, auth=needs(Act.CONFIGURE), operation_id="end_absence",
    summary="End an absence",
)  # fmt: skip
def end_absence(request: HttpRequest, absence_id: str) -> Receipt:
    """They are back; one that has not begun is taken out."""
    asking = client(request)
    crew.end_absence(absence_id, by=asking.actor, now=asking.now)
    return Receipt(id=absence_id)


@router.get(
    "/tasks",
    response=Page[TaskOut],
    auth=needs(Act.READ),
    operation_id="list_tasks",
    summary="What agents are to do",
)
def list_tasks(request: HttpRequest, filters: Query[TaskFilters]) -> Page[TaskOut]:
    """The soonest deadline first."""
    asking, name = client(request), f"{client(request).tenant}.tasks"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        agent = _row_of(filters.agent) if filters.agent else None
        rows = tickets.task_page(
            agent=agent, is_open=filters.is_open, after=(after[0], after[1]) if after else None,
            limit=filters.limit + 1,
        )  # fmt: skip
    page = rows[: filters.limit]
    return Page[TaskOut](
        items=[_task_out(row) for row in page],
        next=cursor_at([page[-1].due_at, page[-1].id], of=name) if len(rows) > len(page) else None,
    )


def _row_of(agent: str) -> int:
    row = Agent.objects.filter(public_id=parsed("agt", agent)).values_list("id", flat=True).first()
    if row is None:
        raise invalid("agent", "there is no agent by that id")
    return row


def _task_out(row: Task) -> TaskOut:
    agent = agent_ref(row.agent)
    assert agent is not None
    return TaskOut(
        id=shown("tsk", row.public_id), kind=TaskKind(row.kind),
        ticket=TicketNamed(id=shown("tkt", row.ticket.public_id), number=row.ticket.number), agent=agent,
        opened_at=row.opened_at, due_at=row.due_at, ended_at=row.ended_at,
        outcome=TaskOutcome(row.outcome) if row.outcome else None,
    )  # fmt: skip


@router.get(
    "/teams", response=Page[TeamOut], auth=needs(Act.READ), operation_id="list_teams", summary="List teams"
)
def list_teams(request: HttpRequest, filters: Query[OnlyPages]) -> Page[TeamOut]:
    asking, name = client(request), f"{client(request).tenant}.teams"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = people.team_page(after=after[0] if after else 0, limit=filters.limit + 1)
        page = rows[: filters.limit]
        items = [
            TeamOut(
                id=shown("tem", row.public_id),
                slug=row.slug,
                name=row.name,
                level=row.level,
                lead=agent_ref(row.lead),
            )
            for row in page
        ]
        return Page[TeamOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )
