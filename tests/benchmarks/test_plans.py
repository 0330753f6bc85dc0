"""The hot reads walk the indexes made for them, once there is enough to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from benchmarks.load import load
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import Window
from flowdesk.escalation.services import recent_escalations
from flowdesk.hubs.queries import sla_hub
from flowdesk.people.models import Agent, Customer
from flowdesk.policies.services import current_policy
from flowdesk.routing.bulks import name_of
from flowdesk.routing.queries import AssignmentFilter, assignment_events
from flowdesk.tickets import sql
from flowdesk.tickets.queries import Lane, Order, TicketFilter, lane_counts, ticket_page
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


def plans_of(read: Callable[[], Any]) -> str:
    """The plans of every statement that a read sends."""
    with CaptureQueriesContext(connection) as sent:
        read()
    asked = [one["sql"] for one in sent.captured_queries if one["sql"].lstrip().lower().startswith("select")]
    with connection.cursor() as cursor:
        lines = []
        for statement in asked:
            cursor.execute("explain " + statement.replace("%", "%%"))
            lines += [row[0] for row in cursor.fetchall()]
    return "\n".join(lines)


def test_hot_reads_walk_their_indexes(migrated_database: ThrowawayDatabase, db: None) -> None:
    """One test for all: loading twenty thousand tickets takes seconds, and every read reads only."""
    tenant = load(
        migrated_database.admin,
        tickets=20_000,
        active=1_000,
        now=NOW,
        slug="bench",
        lives=300,
        say=lambda _: None,
    )
    wanted = TicketFilter(is_active=True)
    with reading(tenant):
        hub = plans_of(lambda: sla_hub(tenant, window=Window.DAY, now=NOW, policy=current_policy()))
        lanes = plans_of(lambda: lane_counts(now=NOW, me=1))
        pressing = plans_of(lambda: ticket_page(wanted, order=Order.DUE, after=None, limit=51, now=NOW))
        waits = replace(wanted, lane=Lane.WAITING)
        waiting = plans_of(lambda: ticket_page(waits, order=Order.DUE, after=None, limit=51, now=NOW))
        latest = plans_of(lambda: ticket_page(wanted, order=Order.UPDATED, after=None, limit=51, now=NOW))
        customer = Customer.objects.order_by("id").values_list("id", flat=True)[0]
        of_late = plans_of(lambda: recent_escalations(customer, at=NOW))
        bulk = AssignmentFilter(bulk=name_of(new_id(NOW)))
        of_bulk = plans_of(lambda: assignment_events(bulk, before=None, limit=51))
        agent = AssignmentFilter(agent=Agent.objects.order_by("id").values_list("id", flat=True)[0])
        of_agent = plans_of(lambda: assignment_events(agent, before=None, limit=51))
    with connections["worker"].cursor() as cursor:
        cursor.execute("explain " + sql.DUE_TICKETS, [NOW - timedelta(seconds=1), 500])
        sweep = "\n".join(row[0] for row in cursor.fetchall())

    for index in ("tickets_ticket_late", "escalation_untaken", "sla_clock_met", "sla_clock_decided"):
        assert f"Index Only Scan using {index}" in hub, hub
    assert "Index Only Scan using escalation_due" in hub
    assert "Index Only Scan using tickets_ticket_late" in lanes
    assert "Index Only Scan using tickets_ticket_due" in lanes
    for counts in (hub, lanes):
        assert "tickets_standing" in counts
    assert "using tickets_ticket_waiting" in waiting
    assert "using tickets_ticket_due" in pressing
    assert "Index Scan Backward using tickets_ticket_updated" in latest
    assert "using tickets_ticket_escalated" in of_late
    assert "using tickets_ticket_wake" in sweep
    assert "using tickets_event_ticket" in of_bulk, of_bulk
    assert "Index Scan Backward using tickets_event_assignee" in of_agent, of_agent
    for plan in (of_bulk, of_agent, hub, lanes, pressing, waiting, latest, of_late, sweep):
        assert "Seq Scan on tickets_" not in plan.replace("Seq Scan on tickets_standing", ""), plan
        assert "Seq Scan on sla_" not in plan, plan
        assert "Seq Scan on escalation_" not in plan, plan
