"""Tickets like one: duplicates, and what else came in about the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import Filters
from flowdesk.api.shapes import Out
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.likeness import SHOWN
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.services import PREFIX
from flowdesk.tickets.states import Status
from flowdesk.triage.similar import LIMIT, WINDOW, Similar, similar_tickets

router = Router(tags=["tickets"])

MOST, LONGEST_WINDOW = 50, 366


class SimilarFilters(Filters):
    within_days: Annotated[
        int, Field(ge=1, le=LONGEST_WINDOW, description="How old a ticket may be at the most.")
    ] = WINDOW.days
    least_score: Annotated[
        float, Field(ge=0, le=1, description="How alike a ticket must be at the least.")
    ] = SHOWN
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many tickets at the most.")] = LIMIT


class SimilarOut(Out):
    """A ticket like the one asked about. `score` is 1 for the same words and 0 for nothing in common; `shared` are
    words they have in common, the rarest first."""

    id: str
    number: int
    subject: str
    status: Status
    created_at: datetime
    score: float
    shared: list[str]


@router.get(
    "/tickets/{ticket_id}/similar",
    response=list[SimilarOut],
    auth=needs(Act.READ),
    operation_id="list_similar_tickets",
    summary="Tickets like one",
)
def list_similar_tickets(
    request: HttpRequest, ticket_id: str, filters: Query[SimilarFilters]
) -> list[SimilarOut]:
    """The most alike first; those that are set aside are left out. A new ticket is found a few seconds after it
    came in."""
    asking = client(request)
    with reading(asking.tenant):
        found = similar_tickets(
            tickets.ticket_id_of(ticket_id),
            now=asking.now,
            window=timedelta(days=filters.within_days),
            limit=filters.limit,
            least=filters.least_score,
        )
        return [similar_out(one) for one in found]


def similar_out(one: Similar) -> SimilarOut:
    return SimilarOut(
        id=shown(PREFIX, one.public_id),
        number=one.number,
        subject=one.subject,
        status=one.status,
        created_at=one.created_at,
        score=one.score,
        shared=list(one.shared),
    )
