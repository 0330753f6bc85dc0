"""Who got what; and tickets that change hands together, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import AgentId, Body, Filters
from flowdesk.api.shapes import AgentRef, Out, TeamRef, TicketNamed, agent_ref, team_ref
from flowdesk.core.actor import Act
from flowdesk.core.errors import Fault, Invalid, NotFound, invalid
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.engine.balance import MoveReason
from flowdesk.flows import assignments
from flowdesk.flows.assignments import WantedMove
from flowdesk.people import queries as people
from flowdesk.people.models import Agent, Team
from flowdesk.policies.services import current_policy
from flowdesk.routing import bulks, queries
from flowdesk.routing.models import BulkKind
from flowdesk.routing.queries import AssignmentFilter
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Ticket

router = Router(tags=["routing"])


class AssignmentOut(Out):
    """One change of hands; a move to another team names the teams, one to an agent the agents."""

    at: datetime
    kind: str
    ticket: TicketNamed
    because: str
    bulk: str | None
    team_before: TeamRef | None
    team: TeamRef | None
    agent_before: AgentRef | None
    agent: AgentRef | None


class AssignmentFilters(Filters):
    agent: AgentId = ""
    ticket: Annotated[str, Field(max_length=64)] = ""
    because: Annotated[str, Field(max_length=32)] = ""
    bulk: Annotated[str, Field(max_length=64)] = ""
    cursor: Cursor = ""
    limit: Limit = DEFAULT


@router.get(
    "/assignments", response=Page[AssignmentOut], auth=needs(Act.READ), operation_id="list_assignments",
    summary="Who got what",
)  # fmt: skip
def list_assignments(request: HttpRequest, filters: Query[AssignmentFilters]) -> Page[AssignmentOut]:
    """The newest first."""
    asking, name = client(request), f"{client(request).tenant}.assignments"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        wanted = AssignmentFilter(
            agent=_row_of(filters.agent) if filters.agent else None,
            ticket=tickets.ticket_id_of(filters.ticket) if filters.ticket else None,
            because=filters.because,
            bulk=filters.bulk,
        )
        rows = queries.assignment_events(wanted, before=after[0] if after else None, limit=filters.limit + 1)
        page = rows[: filters.limit]
        names = _Named.of([row.data for row in page])
        items = [
            AssignmentOut(
                at=row.at,
                kind=row.kind,
                ticket=TicketNamed(id=shown("tkt", row.ticket.public_id), number=row.ticket.number),
                because=row.data.get("because", ""),
                bulk=row.data.get("bulk"),
                **names.refs(row.kind, row.data),
            )
            for row in page
        ]
    return Page[AssignmentOut](
        items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
    )


def _row_of(agent: str) -> int:
    row = Agent.objects.filter(public_id=parsed("agt", agent)).values_list("id", flat=True).first()
    if row is None:
        raise invalid("agent", "there is no agent by that id")
    return row


class _Named:
    """The agents and teams that lines of the log name."""

    def __init__(self, agents: dict[int, AgentRef | None], teams: dict[int, TeamRef | None]) -> None:
        self.agents, self.teams = agents, teams

    @classmethod
    def of(cls, lines: list[dict[str, Any]]) -> _Named:
        ids = {
            line[name] for line in lines for name in ("assignee", "before") if isinstance(line.get(name), int)
        }
        agents = {row: agent_ref(agent) for row, agent in people.agents_by_id(ids).items()}
        return cls(agents, {team.id: team_ref(team) for team in Team.objects.all()})

    def refs(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        is_team = kind == "ticket_routed"
        before = data.get("before") or 0
        return {
            "team_before": self.teams.get(before) if is_team else None,
            "team": self.teams.get(data.get("team") or 0),
            "agent_before": None if is_team else self.agents.get(before),
            "agent": self.agents.get(data.get("assignee") or 0),
        }


class BulkOut(Out):
    """What was handed out together."""

    id: str
    kind: BulkKind
    at: datetime
    tickets: int
    is_undone: bool


class HandedOut(Out):
    """How many tickets changed hands, and how many had changed meanwhile and stay as they are."""

    bulk: str
    moved: int
    kept: int


@router.get(
    "/assignments/bulks", response=Page[BulkOut], auth=needs(Act.READ), operation_id="list_bulks",
    summary="What was handed out together",
)  # fmt: skip
def list_bulks(request: HttpRequest, filters: Query[OnlyPages]) -> Page[BulkOut]:
    """The newest first."""
    asking, name = client(request), f"{client(request).tenant}.bulks"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = queries.bulk_page(limit=filters.limit + 1, before=(after[0], after[1]) if after else None)
    page = rows[: filters.limit]
    return Page[BulkOut](
        items=[
            BulkOut(
                id=bulks.name_of(one.row.public_id), kind=BulkKind(one.row.kind), at=one.row.at, tickets=one.tickets,
                is_undone=one.is_undone,
            )
            for one in page
        ],
        next=cursor_at([page[-1].row.at, page[-1].row.id], of=name) if len(rows) > len(page) else None,
    )  # fmt: skip


@router.post(
    "/assignments/bulks/{bulk_id}/undo", response=HandedOut, auth=needs(Act.AUTOMATE), operation_id="undo_bulk",
    summary="Take assignments back",
)  # fmt: skip
def undo_bulk(request: HttpRequest, bulk_id: str) -> HandedOut:
    """What somebody has given elsewhere since, or settled, stays as it is."""
    asking = client(request)
    handed = assignments.undo_bulk(bulk_id, by=asking.actor, now=asking.now)
    return HandedOut(bulk=handed.bulk, moved=handed.moved, kept=handed.kept)


class MoveOut(Out):
    """One move of a plan; send it back to make it."""

    ticket: str
    before: str
    after: str
    reason: MoveReason


class LoadOut(Out):
    """What an agent has in hand, as it weighs, and would have."""

    agent: AgentRef
    capacity: int
    load: int
    load_after: int


class PlanOut(Out):
    """How a team could be evened out; nothing has moved. `stuck` tickets can be taken by nobody now."""

    moves: list[MoveOut]
    stuck: list[str]
    loads: list[LoadOut]


class MoveIn(Body):
    ticket: Annotated[str, Field(max_length=64)]
    before: AgentId
    after: AgentId
    reason: MoveReason = MoveReason.UNEVEN


class EvenOut(Body):
    """The moves to make, as the plan named them."""

    moves: Annotated[list[MoveIn], Field(min_length=1, max_length=200)]


@router.get(
    "/teams/{team}/balance", response=PlanOut, auth=needs(Act.READ), operation_id="plan_balance",
    summary="Plan how to even a team out",
)  # fmt: skip
def plan_balance(request: HttpRequest, team: str) -> PlanOut:
    """By slug or id. What people who are away have comes first; what somebody has begun stays with them."""
    asking = client(request)
    with reading(asking.tenant):
        row = _team(team)
        plan = bulks.plan_balance(row.id, weights=current_policy().routing.weights, at=asking.now)
        agents = people.agents_by_id(int(agent) for agent, _, _ in plan.loads)
        named = {one: shown("agt", agents[one].public_id) for one in agents}
        ids = [*(move.ticket for move in plan.moves), *plan.stuck]
        public = {
            row: shown("tkt", name)
            for row, name in Ticket.objects.filter(id__in=ids).values_list("id", "public_id")
        }
        return PlanOut(
            moves=[
                MoveOut(
                    ticket=public[move.ticket], before=named[int(move.before)], after=named[int(move.after)],
                    reason=move.reason,
                )
                for move in plan.moves
            ],
            stuck=[public[ticket] for ticket in plan.stuck],
            loads=[
                LoadOut(agent=ref, capacity=agents[int(agent)].capacity, load=before, load_after=after)
                for agent, before, after in plan.loads
                if (ref := agent_ref(agents[int(agent)]))
            ],
        )  # fmt: skip


@router.post(
    "/teams/{team}/balance", response=HandedOut, auth=needs(Act.AUTOMATE), operation_id="even_out",
    summary="Even a team out",
)  # fmt: skip
def even_out(request: HttpRequest, team: str, body: EvenOut) -> HandedOut:
    """Makes the moves of a plan; a ticket that has changed since stays where it is."""
    asking = client(request)
    with reading(asking.tenant):
        slug = _team(team).slug
        moves = _wanted(body.moves)
    handed = assignments.even_out(slug, moves, by=asking.actor, now=asking.now)
    return HandedOut(bulk=handed.bulk, moved=handed.moved, kept=handed.kept)


def _team(name: str) -> Team:
    """By slug or id; raises NotFound."""
    if "\x00" in name:  # nothing the database could be asked for
        raise NotFound
    known = (
        Team.objects.filter(public_id=parsed("tem", name))
        if name.startswith("tem_")
        else Team.objects.filter(slug=name)
    )
    row = known.first()
    if row is None:
        raise NotFound
    return row


def _wanted(moves: Sequence[MoveIn]) -> list[WantedMove]:
    """The moves by row ids, in two statements; raises Invalid naming each thing that is not there."""
    known = _rows(Ticket, "tkt", [move.ticket for move in moves])
    agents = _rows(Agent, "agt", [name for move in moves for name in (move.before, move.after)])
    given = [
        {"ticket": known.get(move.ticket), "before": agents.get(move.before), "after": agents.get(move.after)}
        for move in moves
    ]
    faults = [
        Fault(f"moves.{number}.{name}", f"there is no {'ticket' if name == 'ticket' else 'agent'} by that id")
        for number, rows in enumerate(given)
        for name, row in rows.items()
        if row is None
    ]
    if faults:
        raise Invalid(*faults)
    return [
        WantedMove(reason=move.reason, **{name: row or 0 for name, row in rows.items()})
        for move, rows in zip(moves, given, strict=True)
    ]


def _rows(model: type[Ticket] | type[Agent], prefix: str, names: Iterable[str]) -> dict[str, int]:
    """The row ids of those that are there, by the names they were asked for by."""
    ids = {}
    for name in names:
        with suppress(NotFound):
            ids[parsed(prefix, name)] = name
    rows = model.objects.filter(public_id__in=ids).values_list("public_id", "id")
    return {ids[public_id]: row for public_id, row in rows}
