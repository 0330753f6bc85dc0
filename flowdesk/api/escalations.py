"""Escalations: list, read, acknowledge."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, Page, cursor_at, place_after
from flowdesk.api.reading import Body, Filters, Instant
from flowdesk.api.shapes import AgentRef, Out, Receipt, TeamRef, agent_ref, team_ref
from flowdesk.api.versions import IF_MATCH, IF_NONE_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.errors import NotFound, invalid
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.escalation import queries as escalations
from flowdesk.escalation.models import Escalation, EscalationKind, EscalationState
from flowdesk.flows import escalate
from flowdesk.tickets import queries as tickets

router = Router(tags=["escalations"])


class TicketRef(Out):
    id: str
    number: int
    subject: str


class EscalationOut(Versioned):
    """One step for one target. `way` is how the target became a person; `due_at` a task's own deadline."""

    id: str
    ticket: TicketRef
    kind: EscalationKind
    rule: str
    metric: str
    cycle: int
    step: int
    target: str
    reason: str
    state: EscalationState
    agent: AgentRef | None
    team: TeamRef | None
    way: list[str]
    fires_at: datetime
    opened_at: datetime
    late_by_seconds: float
    due_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: AgentRef | None
    ended_at: datetime | None


class EscalationFilters(Filters):
    state: EscalationState | None = None
    kind: EscalationKind | None = None
    ticket: Annotated[str, Field(max_length=64)] = ""
    due_before: Instant | None = None
    cursor: Cursor = ""
    limit: Limit = DEFAULT


class Nothing(Body):
    """This act takes no values."""


@router.get(
    "/escalations",
    response=Page[EscalationOut],
    auth=needs(Act.READ),
    operation_id="list_escalations",
    summary="List escalations",
)
def list_escalations(request: HttpRequest, filters: Query[EscalationFilters]) -> Page[EscalationOut]:
    """The newest first."""
    asking, name = client(request), f"{client(request).tenant}.escalations"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = escalations.escalation_page(
            after=after,
            limit=filters.limit + 1,
            state=filters.state,
            kind=filters.kind,
            ticket=_ticket(filters.ticket) if filters.ticket else None,
            due_before=filters.due_before,
        )
        page = rows[: filters.limit]
        return Page[EscalationOut](
            items=[escalation_out(row) for row in page],
            next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None,
        )


@router.get(
    "/escalations/{escalation_id}",
    response=EscalationOut,
    auth=needs(Act.READ),
    operation_id="read_escalation",
    summary="Read an escalation",
    openapi_extra=IF_NONE_MATCH,
)
def read_escalation(request: HttpRequest, escalation_id: str) -> EscalationOut:
    with reading(client(request).tenant):
        return escalation_out(escalations.escalation_by(escalation_id))


@router.post(
    "/escalations/{escalation_id}/acknowledge",
    response=EscalationOut | Receipt,
    auth=needs(Act.ACKNOWLEDGE),
    operation_id="acknowledge_escalation",
    summary="Take an escalation",
    openapi_extra=IF_MATCH,
)
def acknowledge(
    request: HttpRequest, escalation_id: str, body: Nothing | None = None
) -> EscalationOut | Receipt:
    """The climb stops. Answers 409 when somebody was faster."""
    asking = client(request)
    escalate.acknowledge(escalation_id, by=asking.actor, now=asking.now, expected=asking.expected)
    if not asking.may_read:
        return Receipt(id=escalation_id)
    with reading(asking.tenant):
        return escalation_out(escalations.escalation_by(escalation_id))


def _ticket(public_id: str) -> int:
    """The ticket a filter names; one that nobody bears is a fault of the filter."""
    try:
        return tickets.ticket_id_of(public_id)
    except NotFound:
        raise invalid("ticket", "there is no ticket by that id") from None


def escalation_out(row: Escalation) -> EscalationOut:
    return EscalationOut(
        version=row.version,
        id=shown("esc", row.public_id),
        ticket=TicketRef(
            id=shown("tkt", row.ticket.public_id), number=row.ticket.number, subject=row.ticket.subject
        ),
        kind=EscalationKind(row.kind),
        rule=row.rule,
        metric=row.metric,
        cycle=row.cycle,
        step=row.step,
        target=row.target,
        reason=row.reason,
        state=EscalationState(row.state),
        agent=agent_ref(row.agent),
        team=team_ref(row.team),
        way=list(row.trace.get("way", [])),
        fires_at=row.fires_at,
        opened_at=row.opened_at,
        late_by_seconds=round(row.late_by_seconds, 3),
        due_at=row.due_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=agent_ref(row.acknowledged_by),
        ended_at=row.ended_at,
    )
