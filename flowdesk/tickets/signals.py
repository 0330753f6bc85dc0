"""Which tickets a queue signal counts, as a filter: what a hub counts is what a list shows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from flowdesk.tickets.models import IS_ACTIVE
from flowdesk.tickets.states import SET_ASIDE, Status

_WORKABLE = Q(status__in=["new", "open"])


def is_over(now: datetime) -> Q:
    """A promise is broken, recorded already or not yet."""
    return Q(is_breached=True) | Q(due_at__lte=now)


def is_due(now: datetime, escalated: QuerySet[Any]) -> Q:
    """An escalation nobody has taken, or three quarters spent and not over; `escalated` are ticket ids."""
    # Spelled out: a ticket without a deadline is not over, but comparing with nothing is unknown.
    in_time = Q(is_breached=False) & (Q(due_at__isnull=True) | Q(due_at__gt=now))
    return Q(id__in=escalated) | (Q(at_risk_at__lte=now) & in_time)


def filter_of(signal: str, *, now: datetime, since: datetime, escalated: QuerySet[Any]) -> Q | None:
    """The filter of a signal of the hubs (`engine.lanes.Signal`); None for one that counts no tickets.

    `since` is where the window starts, open there and closed at `now`.
    """
    made = _FILTERS.get(signal)
    return made(now, since, escalated) if made else None


_Maker = Callable[[datetime, datetime, QuerySet[Any]], Q]

_FILTERS: Mapping[str, _Maker] = {
    "created": lambda now, since, _: (
        Q(created_at__gt=since, created_at__lte=now) & ~Q(status__in=[one.value for one in SET_ASIDE])
    ),
    "active": lambda *_: IS_ACTIVE,
    "urgent": lambda *_: IS_ACTIVE & Q(priority__lte=2),
    "unassigned": lambda *_: IS_ACTIVE & Q(assignee__isnull=True),
    "sla_breached": lambda now, *_: IS_ACTIVE & is_over(now),
    "escalation_due": lambda now, _, escalated: IS_ACTIVE & is_due(now, escalated),
    "waiting_internal": lambda *_: _WORKABLE & Q(waiting_internal_since__isnull=False),
    "waiting_customer": lambda *_: Q(status=Status.PENDING.value),
    "workable": lambda *_: _WORKABLE,
    "first_response_open": lambda *_: _WORKABLE & Q(first_response_at__isnull=True, is_proactive=False),
    "reopen_risk": lambda now, since, _: Q(status="resolved", resolved_at__gt=since, resolved_at__lte=now),
    "csat_risk": lambda now, since, _: Q(
        status__in=["resolved", "closed"], resolved_at__gt=since, resolved_at__lte=now
    ),
}
