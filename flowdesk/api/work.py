"""What is done with a ticket. Every act answers with the ticket as it stands afterwards.

A key without the scope `read` gets its id, number and status only.
"""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import AgentId, Body, Instant, PriorityWord, TeamName
from flowdesk.api.tickets import TicketDetail, TicketReceipt, read_back
from flowdesk.api.versions import IF_MATCH
from flowdesk.core.actor import Act
from flowdesk.engine.promises import WaitReason
from flowdesk.flows import escalate, work

router = Router(tags=["work"])

Word = Annotated[str, Field(max_length=64)]
Remark = Annotated[str, Field(max_length=20_000, description="Kept as a note among agents.")]


class StartWait(Body):
    """A reasoned pause; it ends itself after the longest time the policy allows, or at `until`."""

    reason: WaitReason
    note: Annotated[str, Field(max_length=500)] = ""
    until: Instant | None = None


class Resume(Body):
    """Which wait ends; without a reason all of them."""

    reason: WaitReason | None = None


class Assign(Body):
    """To an agent by id, to a team by slug or id (its best agent takes it), or back to the queue with neither."""

    agent: AgentId = ""
    team: TeamName = ""


class SetPriority(Body):
    """P1 to P4, or critical, high, medium, low."""

    priority: PriorityWord
    note: Remark = ""


class VoidTicket(Body):
    """Spam, a test or deleted: the clocks stay outside every rate."""

    because: Annotated[str, Field(pattern="^(spam|test|deleted)$")] = "spam"


class Escalate(Body):
    """To a post, `team_lead` or `on_call`; a task with a deadline of its own."""

    target: Word
    note: Remark = ""


class Said(Body):
    """What is said about the act, if anything."""

    note: Remark = ""


@router.post(
    "/tickets/{ticket_id}/wait",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="wait",
    summary="Wait",
    openapi_extra=IF_MATCH,
)
def wait(request: HttpRequest, ticket_id: str, body: StartWait) -> TicketDetail | TicketReceipt:
    """The clocks that this reason may stop stand still."""
    asking = client(request)
    work.wait(
        ticket_id,
        reason=body.reason,
        note=body.note,
        until=body.until,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/resume",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="resume",
    summary="End a wait",
    openapi_extra=IF_MATCH,
)
def resume(request: HttpRequest, ticket_id: str, body: Resume | None = None) -> TicketDetail | TicketReceipt:
    """The deadlines move by the business time of the pause."""
    asking = client(request)
    work.resume(
        ticket_id,
        reason=body.reason if body else None,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/resolve",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="resolve",
    summary="Resolve",
    openapi_extra=IF_MATCH,
)
def resolve(request: HttpRequest, ticket_id: str, body: Said | None = None) -> TicketDetail | TicketReceipt:
    """Every clock of the customer's stops; waits and escalations end."""
    asking = client(request)
    work.resolve(
        ticket_id, note=body.note if body else "", by=asking.actor, now=asking.now, expected=asking.expected
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/reopen",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="reopen",
    summary="Reopen",
    openapi_extra=IF_MATCH,
)
def reopen(request: HttpRequest, ticket_id: str, body: Said | None = None) -> TicketDetail | TicketReceipt:
    """Only a resolved ticket; a closed one is followed up by a new message."""
    asking = client(request)
    work.reopen_ticket(
        ticket_id, note=body.note if body else "", by=asking.actor, now=asking.now, expected=asking.expected
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/assign",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.ASSIGN),
    operation_id="assign",
    summary="Assign",
    openapi_extra=IF_MATCH,
)
def assign(request: HttpRequest, ticket_id: str, body: Assign) -> TicketDetail | TicketReceipt:
    """A team of another level closes and reopens the ownership clocks; the customer's run on."""
    asking = client(request)
    work.assign(
        ticket_id,
        agent=body.agent or None,
        team=body.team or None,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/priority",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.PRIORITISE),
    operation_id="prioritise",
    summary="Set the priority",
    openapi_extra=IF_MATCH,
)
def prioritise(request: HttpRequest, ticket_id: str, body: SetPriority) -> TicketDetail | TicketReceipt:
    """The running promises change as the policy says."""
    asking = client(request)
    work.prioritise(
        ticket_id,
        priority=body.priority,
        note=body.note,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/void",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="void",
    summary="Void: spam, test or deleted",
    openapi_extra=IF_MATCH,
)
def void(request: HttpRequest, ticket_id: str, body: VoidTicket) -> TicketDetail | TicketReceipt:
    asking = client(request)
    work.void(ticket_id, because=body.because, by=asking.actor, now=asking.now, expected=asking.expected)
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/escalate",
    response={201: TicketDetail | TicketReceipt},
    auth=needs(Act.ESCALATE),
    operation_id="escalate",
    summary="Escalate by hand",
    openapi_extra=IF_MATCH,
)
def escalate_ticket(request: HttpRequest, ticket_id: str, body: Escalate) -> TicketDetail | TicketReceipt:
    asking = client(request)
    escalate.escalate(
        ticket_id,
        target=body.target,
        note=body.note,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)
