"""The queue as it stands: where the active tickets are, and which to work in what order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from flowdesk.engine.clock import CUSTOMER_METRICS
from flowdesk.engine.lanes import Lane, Signal
from flowdesk.hubs import sql
from flowdesk.hubs.board import TicketLine, Verdict
from flowdesk.tickets.states import WORKABLE, Status

LEVELS = (1, 2, 3)
CUSTOMER = sorted(metric.value for metric in CUSTOMER_METRICS)


class _Group(NamedTuple):
    """Active tickets that stand alike, and how many of them are what else, in the order of `sql.ACTIVE`."""

    status: str
    level: int
    is_over: bool
    is_late: bool  # three quarters of a promise are spent
    tickets: int
    urgent: int
    unassigned: int
    waiting_for_us: int
    unanswered: int
    due_at: datetime | None
    first_response_due_at: datetime | None  # of the unanswered ones

    @property
    def is_workable(self) -> bool:
        return self.status in WORKABLE

    @property
    def is_at_risk(self) -> bool:
        return self.is_late and not self.is_over


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The signals that active tickets give, where they stand, and the most pressing deadline of a lane."""

    signals: dict[Signal, float]
    verdict: Verdict
    windows: dict[Lane, datetime | None]
    levels: dict[int, int]
    urgent_breached: int


def queue_at(tenant: int, *, now: datetime) -> Queue:
    """The active tickets, each counted where it stands at `now`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.ACTIVE, [now, now, tenant])
        groups = [_Group(*row) for row in cursor.fetchall()]
        cursor.execute(sql.UNTAKEN, [tenant, now, now, tenant])
        untaken, first_untaken_at = cursor.fetchone() or (0, None)
    over = [one for one in groups if one.is_over]
    waiting = [one for one in groups if not one.is_over and not one.is_workable]
    at_risk = [one for one in groups if one.is_at_risk]
    workable = [one for one in groups if one.is_workable]
    active, over_count, waiting_count = _count(groups), _count(over), _count(waiting)
    at_risk_here = _count(one for one in at_risk if one.is_workable)
    return Queue(
        signals={
            Signal.ACTIVE: active,
            Signal.URGENT: sum(one.urgent for one in groups),
            Signal.UNASSIGNED: sum(one.unassigned for one in groups),
            Signal.SLA_BREACHED: over_count,
            Signal.ESCALATION_DUE: _count(at_risk) + untaken,
            Signal.WAITING_INTERNAL: sum(one.waiting_for_us for one in workable),
            Signal.WAITING_CUSTOMER: _count(one for one in groups if one.status == Status.PENDING),
            Signal.WORKABLE: _count(workable),
            Signal.FIRST_RESPONSE_OPEN: sum(one.unanswered for one in workable),
            Signal.FIRST_RESPONSE_AT_RISK: sum(
                one.unanswered for one in workable if one.is_late or one.is_over
            ),
        },
        verdict=Verdict(
            over=over_count,
            at_risk=at_risk_here,
            on_time=active - over_count - waiting_count - at_risk_here,
            waiting=waiting_count,
            next_due_at=earliest(*(one.due_at for one in groups if not one.is_over)),
        ),
        windows={
            Lane.ESCALATION_DUE: earliest(first_untaken_at, *(one.due_at for one in at_risk)),
            Lane.FIRST_RESPONSE: earliest(*(one.first_response_due_at for one in workable)),
            Lane.PRESSURE: earliest(*(one.due_at for one in workable if not one.is_over)),
        },
        levels={level: _count(one for one in groups if one.level == level) for level in LEVELS},
        urgent_breached=sum(one.urgent for one in over),
    )


def _count(groups: Iterable[_Group]) -> int:
    return sum(one.tickets for one in groups)


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of the instants that are there."""
    return min((instant for instant in instants if instant is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackCounts:
    queued: int = 0
    overdue: int = 0
    first_due_at: datetime | None = None


def callback_counts() -> CallbackCounts:
    """Promised calls. None are kept yet: there is no table of callbacks, so there is nothing to count."""
    return CallbackCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowupCounts:
    open: int = 0
    late: int = 0


def followup_counts() -> FollowupCounts:
    """Closures that want a survey. None are kept yet: there is no table of surveys, so nothing to count."""
    return FollowupCounts()


def work_order(tenant: int, *, now: datetime, breached: int, limit: int) -> list[TicketLine]:
    """The next tickets in the order of work; breached ones that wait come after those that run."""
    with connection.cursor() as cursor:
        cursor.execute(sql.WORK_ORDER, [tenant, limit])
        lines = [_line(row, now=now) for row in cursor.fetchall()]
        running = sum(1 for line in lines if line.is_over)
        if running < min(breached, limit):
            cursor.execute(sql.WAITING_BREACHED, [CUSTOMER, tenant, limit - running])
            lines[running:running] = [_line(row, now=now) for row in cursor.fetchall()]
    return lines


def _line(row: Sequence[Any], *, now: datetime) -> TicketLine:
    (
        public_id,
        number,
        subject,
        priority,
        status,
        due_at,
        at_risk_at,
        is_breached,
        customer,
        agent,
        missed_at,
    ) = row
    return TicketLine(
        public_id=public_id,
        number=number,
        subject=subject,
        priority=priority,
        status=status,
        customer=customer,
        assignee=agent or "",
        due_at=due_at or missed_at,
        at_risk_at=at_risk_at,
        is_over=is_breached or (due_at is not None and due_at <= now),
        waits=due_at is None,
    )
