"""Wakes tickets whose instant has come, whatever tenant they belong to."""

import logging
from collections import defaultdict
from datetime import datetime

from django.db import connections

from flowdesk.core.actor import system
from flowdesk.flows import escalate
from flowdesk.tickets import sql

log = logging.getLogger("flowdesk.worker")
BATCH = 500
PART = 100  # tickets in one transaction: locks are held briefly, and a bad row spoils few


def wake_clocks(*, now: datetime) -> int:
    """One round; returns how many tickets were woken. The cost follows what is due, not what is stored."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.DUE_TICKETS, [now, BATCH])
        due: dict[int, list[int]] = defaultdict(list)
        for tenant, ticket in cursor.fetchall():
            due[tenant].append(ticket)
    return sum(
        _wake(tenant, ids[start : start + PART], now=now)
        for tenant, ids in due.items()
        for start in range(0, len(ids), PART)
    )


def _wake(tenant: int, ids: list[int], *, now: datetime) -> int:
    """Wake some tickets together; if one of them cannot be woken, each by itself, and put the bad one aside."""
    by = system(tenant)
    try:
        return escalate.wake(ids, by=by, now=now)
    except Exception as fault:
        if len(ids) > 1:
            return sum(_wake(tenant, [one], now=now) for one in ids)
        log.exception("wake_failed", extra={"tenant": tenant, "ticket": ids[0]})
        escalate.put_aside(ids[0], by=by, now=now, fault=type(fault).__name__)
        return 0
