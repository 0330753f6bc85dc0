"""Reads of escalation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from flowdesk.core.errors import NotFound
from flowdesk.core.ids import parsed
from flowdesk.escalation.models import Escalation, EscalationKind, EscalationState
from flowdesk.escalation.services import PREFIX

RELATED = ("ticket", "agent", "team", "acknowledged_by")


def escalation_page(
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    state: EscalationState | None = None,
    kind: EscalationKind | None = None,
    ticket: int | None = None,
    due_before: datetime | None = None,
) -> list[Escalation]:
    """The newest escalations first; `after` is the row id of a page's last one."""
    found = Q()
    if state is not None:
        found &= Q(state=state.value)
    if kind is not None:
        found &= Q(kind=kind.value)
    if ticket is not None:
        found &= Q(ticket_id=ticket)
    if due_before is not None:
        found &= Q(due_at__lt=due_before)
    if after is not None:
        found &= Q(id__lt=after[0])
    return list(Escalation.objects.select_related(*RELATED).filter(found).order_by("-id")[:limit])


def escalation_by(public_id: str) -> Escalation:
    """One escalation; raises NotFound, for another tenant's id too."""
    found = Escalation.objects.select_related(*RELATED).filter(public_id=parsed(PREFIX, public_id)).first()
    if found is None:
        raise NotFound
    return found


def untaken_tickets() -> QuerySet[Any]:
    """Row ids of tickets with an escalation that nobody has taken, for use inside a filter."""
    return Escalation.objects.filter(state=EscalationState.OPEN).values("ticket_id")
