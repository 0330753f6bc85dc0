"""How tickets were read: looked at again, confirmed and corrected."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import Body
from flowdesk.api.shapes import Out
from flowdesk.api.tickets import TicketDetail, TicketOut, TicketReceipt, read_back, ticket_out
from flowdesk.api.versions import IF_MATCH
from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.engine.priority import Grade
from flowdesk.flows import understand
from flowdesk.flows.understand import Reading
from flowdesk.tickets import queries as tickets

router = Router(tags=["triage"])

Word = Annotated[str, Field(max_length=64)]


class Guess(Out):
    """A category that the words might mean, and those that speak for it."""

    category: str
    score: int
    keywords: list[str]


class Unsure(Out):
    """A ticket that triage was not sure of; `guesses` begins with the likeliest."""

    ticket: TicketOut
    guesses: list[Guess]


class Correct(Body):
    """What the ticket is; what is left out stays as it was read. A new category drops the subcategory."""

    category: Word | None = None
    subcategory: Word | None = None
    complexity: Annotated[int, Field(ge=1, le=3)] | None = None
    impact: Grade | None = None
    urgency: Grade | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    fields: dict[str, str | bool | int | float | None] | None = Field(
        None, max_length=50, description="The tenant's own, by key; null empties one."
    )
    reroute: Annotated[bool, Field(description="Ask the routing rules again who works on it.")] = False


@router.get(
    "/triage/queue",
    response=Page[Unsure],
    auth=needs(Act.READ),
    operation_id="list_unsure",
    summary="What to look at again",
)
def list_unsure(request: HttpRequest, filters: Query[OnlyPages]) -> Page[Unsure]:
    """Active tickets that nobody has looked at since they were read, what triage was least sure of first."""
    asking, name = client(request), f"{client(request).tenant}.triage"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = tickets.review_queue(after=(after[0], after[1]) if after else None, limit=filters.limit + 1)
        page = rows[: filters.limit]
        traces = tickets.latest_traces([row.id for row in page], subject="triage")
        items = [Unsure(ticket=ticket_out(row), guesses=_guesses(traces.get(row.id, {}))) for row in page]
    last = [page[-1].confidence or 0, page[-1].id] if page else []
    return Page[Unsure](items=items, next=cursor_at(last, of=name) if len(rows) > len(page) else None)


def _guesses(trace: dict[str, Any]) -> list[Guess]:
    return [
        Guess(category=one["category"], score=int(one["score"]), keywords=list(one["keywords"]))
        for one in trace.get("scores", ())
    ]


@router.post(
    "/tickets/{ticket_id}/triage/confirm",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="confirm_triage",
    summary="Confirm how a ticket was read",
    openapi_extra=IF_MATCH,
)
def confirm_triage(request: HttpRequest, ticket_id: str) -> TicketDetail | TicketReceipt:
    """It was read right: nobody needs to look at it again."""
    asking = client(request)
    understand.confirm(ticket_id, by=asking.actor, now=asking.now, expected=asking.expected)
    return read_back(asking, ticket_id)


@router.patch(
    "/tickets/{ticket_id}/triage",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="correct_triage",
    summary="Correct how a ticket was read",
    openapi_extra=IF_MATCH,
)
def correct_triage(request: HttpRequest, ticket_id: str, body: Correct) -> TicketDetail | TicketReceipt:
    """The priority follows, unless somebody has set it by hand. The promise a rule once gave stands."""
    asking = client(request)
    said = Reading(**body.model_dump(exclude={"reroute"}))
    understand.correct(
        ticket_id, said, reroute=body.reroute, by=asking.actor, now=asking.now, expected=asking.expected
    )
    return read_back(asking, ticket_id)
