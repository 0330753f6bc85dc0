"""Starts what a calendar says, in every tenant: the weekly automation run, and the queue when places have come free."""

import logging
from datetime import datetime

from django.db import connection

from flowdesk.accounts.models import Tenant
from flowdesk.automations.services import AlreadyRunning, Trigger, due_schedules, slot_of
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.flows.automate import drain_queue, run_automation
from flowdesk.policies.services import current_policy

log = logging.getLogger("flowdesk.worker")


def run_schedules(*, now: datetime) -> int:
    """One round; returns how many runs were started. A tenant whose round fails does not stop the others."""
    return sum(
        _tenant_round(tenant, now=now)
        for tenant in Tenant.objects.order_by("id").values_list("id", flat=True)
    )


def _tenant_round(tenant: int, *, now: datetime) -> int:
    started = 0
    try:
        with reading(tenant):
            due = due_schedules(current_policy().hubs.automation, now=now)
        for slot in due:
            try:
                run_automation(trigger=Trigger.SCHEDULE, slot=slot_of(slot), by=system(tenant), now=now)
                started += 1
            except AlreadyRunning:
                log.info("automation_running", extra={"tenant": tenant})
        drain_queue(by=system(tenant), now=now)
    except Exception:
        log.exception("schedule_failed", extra={"tenant": tenant})
        # Where the database broke the line, the next tenant gets a new one.
        connection.close_if_unusable_or_obsolete()
    return started
