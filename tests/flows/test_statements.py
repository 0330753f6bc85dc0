"""What the hot paths ask of the database: their cost is their statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowdesk.engine.facts import Priority
from flowdesk.worker.jobs.wake_clocks import wake_clocks
from tests.builders import MONDAY_9
from tests.flows.story import HOUR, MINUTE, a_staffed_world, an_open_ticket, log, next_instant, pass_time

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def test_waking_twelve_tickets_takes_no_more_statements_than_waking_one() -> None:
    counts = []
    for slug, tickets in (("one", 1), ("twelve", 12)):
        world = a_staffed_world(slug)
        for _ in range(tickets):
            an_open_ticket(world, tier="enterprise", priority=Priority.P2)
        rung = next_instant()
        assert rung is not None
        with CaptureQueriesContext(connection) as asked:
            assert wake_clocks(now=rung) == tickets
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_handing_up_twelve_tickets_takes_no_more_statements_than_handing_up_one() -> None:
    counts = []
    for slug, tickets in (("one", 1), ("twelve", 12)):
        world = a_staffed_world(slug)
        for _ in range(tickets):
            an_open_ticket(world)
        stuck = MONDAY_9 + 2 * HOUR
        pass_time(until=stuck - MINUTE)
        with CaptureQueriesContext(connection) as asked:
            assert wake_clocks(now=stuck) == tickets
        counts.append(len(asked))
        assert len(log(world, "level_changed")) == tickets

    assert counts[0] == counts[1]
