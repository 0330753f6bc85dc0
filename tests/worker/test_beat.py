"""The worker's heartbeat: what it measures of the whole deployment, and when it says that it is late."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connections

from flowdesk.core.models import Process
from flowdesk.core.tenant import writing
from flowdesk.core.time import at as pinned
from flowdesk.notifications.services import dispatch
from flowdesk.tickets.models import Ticket
from flowdesk.worker import sql
from flowdesk.worker.jobs.beat import QUEUE_EVERY, Pulse, measured, queue_depth
from tests.builders import MONDAY_9
from tests.flows.story import HOUR, a_staffed_world, an_open_ticket
from tests.triage.desk import index_all

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
SECOND = timedelta(seconds=1)


def test_an_empty_desk_has_nothing_waiting() -> None:
    found = measured(at=MONDAY_9)

    assert found.pop("database_connections") >= 1
    assert set(found.values()) == {0.0}


def test_what_waits_is_counted_over_all_tenants() -> None:
    for slug in ("global", "other"):
        world = a_staffed_world(slug)
        an_open_ticket(world, at=MONDAY_9)
    with writing(world.tenant.id):
        Ticket.objects.update(wake_at=MONDAY_9 + HOUR, wake_failures=2, assignee=None)

    found = measured(at=MONDAY_9 + 2 * HOUR)

    assert found["tickets_due"] == 2
    assert found["tickets_put_aside"] == 1
    assert found["sweep_lag_seconds"] >= 3600
    assert found["events_undispatched"] > 2
    assert found["tickets_unindexed"] == 2
    index_all()
    assert measured(at=MONDAY_9)["tickets_unindexed"] == 0
    assert queue_depth() >= 1
    while dispatch(at=MONDAY_9):
        pass
    assert measured(at=MONDAY_9)["events_undispatched"] == 0
    assert measured(at=MONDAY_9 + HOUR)["deliveries_due"] > 0


def test_a_sweep_that_lags_is_told_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    with pinned(MONDAY_9):
        pulse = Pulse()

    with caplog.at_level(logging.INFO, "flowdesk.worker"):
        for seconds in (5, 31, 36, 41):
            pulse.beat(at=MONDAY_9 + seconds * SECOND)
        pulse.swept(at=MONDAY_9 + 42 * SECOND)
        for seconds in (43, 46):
            pulse.beat(at=MONDAY_9 + seconds * SECOND)

    assert [record.message for record in caplog.records] == ["sweep_late", "sweep_on_time"]


def test_what_waited_before_it_started_is_late_only_if_it_goes_on_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = a_staffed_world()
    an_open_ticket(world, at=MONDAY_9)
    with writing(world.tenant.id):
        Ticket.objects.update(wake_at=MONDAY_9 + HOUR)
    started = MONDAY_9 + 2 * HOUR
    with pinned(started):
        pulse = Pulse()

    told = []
    with caplog.at_level(logging.INFO, "flowdesk.worker"):
        for seconds in (1, 29, 31):
            pulse.swept(at=started + seconds * SECOND)
            pulse.beat(at=started + seconds * SECOND)
            told.append(len(caplog.records))

    assert told == [0, 0, 1]


def test_the_queue_is_counted_less_often_than_the_heart_beats() -> None:
    with pinned(MONDAY_9):
        pulse = Pulse()
    pulse.beat(at=MONDAY_9)
    world = a_staffed_world()
    an_open_ticket(world, at=MONDAY_9)
    with writing(world.tenant.id):
        Ticket.objects.update(assignee=None)

    def told() -> float:
        return float(Process.objects.get().gauges["tickets_unassigned"])

    pulse.beat(at=MONDAY_9 + SECOND)
    assert told() == 0
    pulse.beat(at=MONDAY_9 + QUEUE_EVERY)
    assert told() == 1


@pytest.mark.parametrize("part", ["wake_at <=", "wake_failures >"])
def test_what_is_measured_often_is_found_by_an_index(part: str) -> None:
    """The tables are as good as empty here, so the planner is told to leave its favourite of small tables alone."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("explain " + sql.MEASURE.replace("%(now)s", "now()"))
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("rollback")

    assert part.split()[0] in plan
    assert "Seq Scan" not in plan
