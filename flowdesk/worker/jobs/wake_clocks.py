"""Wakes tickets whose instant has come, whatever tenant they belong to."""

from collections import defaultdict
from datetime import datetime

from django.db import connections

from flowdesk.core import metrics
from flowdesk.core.actor import system
from flowdesk.flows import escalate
from flowdesk.tickets import sql

BATCH = 500
PART = 250  # tickets in one transaction: locks are held for some 75 ms, and a bad row spoils few


def wake_clocks(*, now: datetime) -> int:
    """One round; returns how many tickets were woken. The cost follows what is due, not what is stored."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.DUE_TICKETS, [now, BATCH])
        due: dict[int, list[int]] = defaultdict(list)
        for tenant, ticket, wake_at in cursor.fetchall():
            due[tenant].append(ticket)
            metrics.WAKE_LATENESS.observe((now - wake_at).total_seconds())
    return sum(
        escalate.wake_each(ids[start : start + PART], by=system(tenant), now=now)
        for tenant, ids in due.items()
        for start in range(0, len(ids), PART)
    )
