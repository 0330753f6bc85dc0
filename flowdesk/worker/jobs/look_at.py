"""Looks at new tickets once they can be found by their words, whatever tenant they belong to."""

import logging
from collections import defaultdict
from datetime import datetime

from django.db import connection, connections

from flowdesk.core.actor import system
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.flows import issues
from flowdesk.triage import sql

log = logging.getLogger("flowdesk.worker")
BATCH = 50


def look_at_new(*, now: datetime) -> int:
    """One round; returns how many tickets were looked at. One that cannot be is told of and passed by."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.TO_LOOK_AT, [BATCH])
        found: dict[int, list[int]] = defaultdict(list)
        for tenant, ticket in cursor.fetchall():
            found[tenant].append(ticket)
    done = 0
    for tenant, tickets in found.items():
        for ticket in tickets:
            try:
                issues.look_at_each([ticket], by=system(tenant, name="duplicates"), now=now)
                done += 1
            except Exception as fault:
                if is_database_away(fault):
                    raise
                log.exception("look_failed", extra={"tenant": tenant, "ticket": ticket})
                connection.close_if_unusable_or_obsolete()
                issues.pass_by(ticket, by=system(tenant, name="duplicates"), now=now)
    return done
