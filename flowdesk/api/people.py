"""Agents and teams, to know whom a ticket can be given to."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Query, Router

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import OnlyPages, Page, cursor_at, place_after
from flowdesk.api.shapes import AgentRef, Out, agent_ref
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.people import queries as people

router = Router(tags=["people"])


class AgentOut(Out):
    id: str
    name: str
    skills: list[str]
    languages: list[str]
    capacity: int
    is_senior: bool
    is_available: bool
    zone: str


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
        items = [
            AgentOut(
                id=shown("agt", row.public_id),
                name=row.name,
                skills=row.skills,
                languages=row.languages,
                capacity=row.capacity,
                is_senior=row.is_senior,
                is_available=row.is_available,
                zone=row.zone,
            )
            for row in page
        ]
        return Page[AgentOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )


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
