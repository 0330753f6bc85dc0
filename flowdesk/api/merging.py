"""Two tickets that are one case: merging them, and taking them apart."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import Body
from flowdesk.api.tickets import TicketDetail, TicketReceipt, read_back
from flowdesk.api.versions import IF_MATCH
from flowdesk.core.actor import Act
from flowdesk.flows import merge as flow

router = Router(tags=["work"])


class MergeInto(Body):
    """Which ticket stands for this one from now on."""

    into: Annotated[str, Field(max_length=64, description="The other ticket's id.")]
    across_customers: Annotated[
        bool,
        Field(
            description="Must be true where the tickets are of two customers: each would see the other's words."
        ),
    ] = False
    earliest: Annotated[
        bool,
        Field(description="Count the other ticket's open promises from the earlier of the two starts."),
    ] = False  # fmt: skip


@router.post(
    "/tickets/{ticket_id}/merge",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="merge",
    summary="Merge into another ticket",
    openapi_extra=IF_MATCH,
)
def merge(request: HttpRequest, ticket_id: str, body: MergeInto) -> TicketDetail | TicketReceipt:
    """Its clocks end outside every rate, but for recorded misses; its words show in the other one, where later ones
    land."""
    asking = client(request)
    flow.merge(
        ticket_id,
        into=body.into,
        across_customers=body.across_customers,
        earliest=body.earliest,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, ticket_id)


@router.post(
    "/tickets/{ticket_id}/unmerge",
    response=TicketDetail | TicketReceipt,
    auth=needs(Act.WORK),
    operation_id="unmerge",
    summary="Undo a merge",
    openapi_extra=IF_MATCH,
)
def unmerge(request: HttpRequest, ticket_id: str) -> TicketDetail | TicketReceipt:
    """The ticket goes on as if it had not been merged; what was written to it since stays in the other one."""
    asking = client(request)
    flow.unmerge(ticket_id, by=asking.actor, now=asking.now, expected=asking.expected)
    return read_back(asking, ticket_id)
