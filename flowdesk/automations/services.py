"""Runs of the ticket automation: one at a time in a tenant, each slot once, and no dead run blocks the next.

A run is three transactions: start, the work, end. The start is committed before the work begins, so that
everybody else sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from flowdesk.accounts.models import Tenant
from flowdesk.automations import sql
from flowdesk.automations.models import AutomationRun
from flowdesk.core.errors import DomainError
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.cadence import Weekly

PREFIX = "run"
# A run that has not ended by then was killed: its work is due rows, so the next run simply goes on.
ABANDONED_AFTER = timedelta(minutes=15)
RETRY_AFTER = timedelta(minutes=1)  # a scheduled run that broke off: not at every look at the schedules


class Trigger(StrEnum):
    """Who started a run."""

    SCHEDULE = "schedule"
    ROUTE = "route"
    HAND = "hand"


class AlreadyRunning(DomainError):
    """The ticket automation is running already."""

    code = "already_running"

    def __init__(self, run: UUID) -> None:
        super().__init__(f"The ticket automation is running already, as {shown(PREFIX, run)}.")
        self.run = run


class RunGone(DomainError):
    """This run was taken for dead and closed; its counts are not kept."""

    code = "run_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands. `is_repeat`: the slot was run before, and this is its answer again."""

    id: int
    public_id: UUID
    trigger: Trigger
    slot: str
    started_at: datetime
    ended_at: datetime | None = None
    counts: Mapping[str, Any]
    is_repeat: bool = False


def start_run(*, trigger: Trigger, at: datetime, slot: str = "", user: int | None = None) -> Run:
    """Begin a run of the open tenant, or give the ended run of the same slot again.

    `slot` is a schedule instant or an idempotency key; without one every call is a run of its own. Raises
    AlreadyRunning, with its id, while another one runs.
    """
    tenant = current_tenant()
    with connection.cursor() as cursor:
        cursor.execute(sql.ABANDON_RUNS, [at, tenant, at - ABANDONED_AFTER])
        cursor.execute(sql.START_RUN, [tenant, new_id(at), trigger.value, slot, user, at])
        row = cursor.fetchone()
    if row is not None:
        return Run(id=row[0], public_id=row[1], trigger=trigger, slot=slot, started_at=at, counts={})
    earlier = AutomationRun.objects.filter(trigger=trigger.value, slot=slot).exclude(slot="").first()
    if earlier is not None and earlier.ended_at is not None:
        return Run(
            id=earlier.id,
            public_id=earlier.public_id,
            trigger=trigger,
            slot=slot,
            started_at=earlier.started_at,
            ended_at=earlier.ended_at,
            counts=earlier.counts,
            is_repeat=True,
        )
    # Whoever blocked the insert may have ended since; asked again, the answer names one that was there.
    running = earlier or AutomationRun.objects.order_by("-started_at", "-id")[0]
    raise AlreadyRunning(running.public_id)


def end_run(run: int, *, counts: Mapping[str, Any], at: datetime) -> None:
    """Close a run with what it did; raises RunGone when it was taken for dead meanwhile."""
    ended = AutomationRun.objects.filter(id=run, ended_at__isnull=True).update(
        ended_at=at, counts=dict(counts)
    )
    if not ended:
        raise RunGone


def fail_run(run: int, *, counts: Mapping[str, Any], at: datetime) -> None:
    """Close a run that broke off, with what it did until then, and give its slot back for the next try.

    A run that was taken for dead meanwhile is closed already and stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.FAIL_RUN, [at, json.dumps(dict(counts)), current_tenant(), run])


def due_schedules(cadence: Weekly, *, now: datetime) -> tuple[datetime, ...]:
    """The slots of the schedule that are due in the open tenant: the last one, unless it was run.

    Slots missed before the last one stay missed: a run does whatever is due, so one is enough. A tenant owes
    nothing for the time before it was there. A slot whose run broke off is due again a little later.
    """
    slot = cadence.last_until(now)
    created_at = Tenant.objects.values_list("created_at", flat=True).get(id=current_tenant())
    runs = AutomationRun.objects.filter(trigger=Trigger.SCHEDULE.value)
    broke_off = Q(started_at__gt=now - RETRY_AFTER, counts__failed=True, counts__slot=slot_of(slot))
    if slot < created_at or runs.filter(Q(slot=slot_of(slot)) | broke_off).exists():
        return ()
    return (slot,)


def slot_of(instant: datetime) -> str:
    """A schedule instant as a run's slot."""
    return instant.isoformat()
