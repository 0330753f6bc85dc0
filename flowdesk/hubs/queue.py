"""The queue as it stands: where the active tickets are, and which to work in what order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from flowdesk.engine.clock import CUSTOMER_METRICS
from flowdesk.engine.lanes import Lane, Signal
from flowdesk.hubs import sql
from flowdesk.hubs.board import TicketLine, Verdict
from flowdesk.tickets.standing import Late, Stand, active_counts, counted, next_due
from flowdesk.tickets.states import Status

LEVELS = (1, 2, 3)
CUSTOMER = sorted(metric.value for metric in CUSTOMER_METRICS)


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
    counts, coming = active_counts(now=now), next_due(now=now)
    with connection.cursor() as cursor:
        cursor.execute(sql.UNTAKEN, [tenant, now, now, tenant])
        untaken, first_untaken_at = cursor.fetchone() or (0, None)
    stands = counts.stands
    breached: list[Stand | Late] = [one for one in stands if one.is_breached]
    workable = [one for one in stands if one.is_workable]
    unswept = [one for one in counts.late if one.is_over]
    at_risk = [one for one in counts.late if not one.is_over]
    active, over = counted(stands), counts.over
    at_risk_here = counted(one for one in at_risk if one.is_workable)
    waiting = counted(one for one in stands if not one.is_workable and not one.is_breached) - counted(
        one for one in unswept if not one.is_workable
    )
    return Queue(
        signals={
            Signal.ACTIVE: active,
            Signal.URGENT: counted(one for one in stands if one.is_urgent),
            Signal.UNASSIGNED: counted(one for one in stands if one.is_unassigned),
            Signal.SLA_BREACHED: over,
            Signal.ESCALATION_DUE: counted(at_risk) + untaken,
            Signal.WAITING_INTERNAL: counted(one for one in workable if one.is_waiting_for_us),
            Signal.WAITING_CUSTOMER: counted(one for one in stands if one.status == Status.PENDING),
            Signal.WORKABLE: counted(workable),
            Signal.FIRST_RESPONSE_OPEN: counted(one for one in workable if one.is_unanswered),
            Signal.FIRST_RESPONSE_AT_RISK: counted(
                one for one in (*breached, *counts.late) if one.is_workable and one.is_unanswered
            ),
        },
        verdict=Verdict(
            over=over,
            at_risk=at_risk_here,
            on_time=active - over - waiting - at_risk_here,
            waiting=waiting,
            next_due_at=coming.any,
        ),
        windows={
            Lane.ESCALATION_DUE: earliest(first_untaken_at, *(one.due_at for one in at_risk)),
            Lane.FIRST_RESPONSE: coming.unanswered,
            Lane.PRESSURE: coming.workable,
        },
        levels={level: counted(one for one in stands if one.level == level) for level in LEVELS},
        urgent_breached=counted(one for one in (*breached, *unswept) if one.is_urgent),
    )


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
