"""The kept counts of active tickets are what the tickets say, whoever wrote them and whenever they are folded."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from flowdesk.core.tenant import reading, writing
from flowdesk.flows import receive
from flowdesk.tickets.models import IS_ACTIVE, Standing, Ticket
from flowdesk.tickets.queries import lane_counts
from flowdesk.tickets.sql import LOCK_STANDING, WRONGLY_COUNTED
from flowdesk.tickets.standing import active_counts, counted, fold_standing, next_due, recount_standing
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.database import ThrowawayDatabase
from tests.flows.test_fold import Life

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Undone(Exception):
    """What an act may raise at its end."""


def kept(world: World) -> Counter[tuple[Any, ...]]:
    with reading(world.tenant.id):
        return Counter({tuple(one[:-1]): one.tickets for one in active_counts(now=MONDAY_9).stands})


def told(world: World) -> Counter[tuple[Any, ...]]:
    """The same, counted ticket by ticket."""
    with reading(world.tenant.id):
        return Counter(
            (
                one.status, one.level, one.priority <= 2, one.assignee_id is None,
                one.waiting_internal_since is not None,
                one.first_response_at is None and not one.is_proactive, one.is_breached,
            )
            for one in Ticket.objects.filter(IS_ACTIVE)
        )  # fmt: skip


def wrongly_counted() -> list[int]:
    with connections["worker"].cursor() as cursor:
        cursor.execute(WRONGLY_COUNTED)
        return [tenant for (tenant,) in cursor.fetchall()]


def a_queue(world: World, *, tickets: int = 1) -> None:
    a_customer(world)
    for _ in range(tickets):
        receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)


def rows_of(world: World) -> int:
    with reading(world.tenant.id):
        return Standing.objects.count()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_tickets_the_counts_follow(seed: int) -> None:
    world = a_world()
    life = Life(world, seed=seed)
    for _ in range(6):
        life.live(steps=5)
        assert kept(world) == told(world)

    assert wrongly_counted() == []


def test_many_tickets_written_and_deleted_at_once_are_counted(migrated_database: ThrowawayDatabase) -> None:
    world = a_world()
    a_queue(world, tickets=4)
    with writing(world.tenant.id):
        Ticket.objects.update(is_breached=True, priority=1)
    breached = kept(world)
    with writing(world.tenant.id):
        Ticket.objects.filter(number__lte=2).update(status="closed")
    with psycopg.connect(migrated_database.admin) as admin:
        [third] = admin.execute("select id from tickets_ticket where number = 3").fetchone() or (0,)
        for table in ("message", "ticketevent", "explanation"):
            admin.execute(f"delete from tickets_{table} where ticket_id = %s", [third])
        admin.execute("delete from sla_clock where ticket_id = %s", [third])
        admin.execute("delete from tickets_ticket where id = %s", [third])

    assert sum(breached.values()) == 4
    assert all(is_urgent and is_breached for (_, _, is_urgent, *_, is_breached) in breached)
    assert sum(kept(world).values()) == 1
    assert kept(world) == told(world)


def test_folding_keeps_every_count_and_few_rows() -> None:
    world, other = a_world(), a_world("other")
    a_queue(world, tickets=6)
    a_queue(other)
    before, rows_elsewhere = kept(world), rows_of(other)
    assert rows_of(world) > len(before)

    fold_standing(most=rows_elsewhere)

    assert kept(world) == before == told(world)
    assert rows_of(world) == len(before)
    assert rows_of(other) == rows_elsewhere  # few rows are left as they are
    assert wrongly_counted() == []


def test_what_is_written_while_it_is_folded_is_counted_once(migrated_database: ThrowawayDatabase) -> None:
    world = a_world()
    a_queue(world, tickets=3)
    with psycopg.connect(migrated_database.roles["app"]) as other:  # an act that has not committed yet
        other.execute("select set_config('app.tenant', %s, true)", [str(world.tenant.id)])
        other.execute("update tickets_ticket set priority = 1 where number = 2")
        fold_standing(most=0)
        between = kept(world)
        other.commit()

    assert sum(between.values()) == 3
    assert kept(world) == told(world)
    assert wrongly_counted() == []


def test_an_act_that_is_undone_leaves_no_count() -> None:
    world = a_world()
    a_queue(world)
    before = kept(world)

    with suppress(Undone), writing(world.tenant.id):
        Ticket.objects.update(status="on_hold")
        within = Standing.objects.filter(status="on_hold").count()
        raise Undone

    assert within == 1

    assert kept(world) == before


def test_tickets_written_past_the_triggers_are_found_and_counted_anew(
    migrated_database: ThrowawayDatabase,
) -> None:
    world, other = a_world(), a_world("other")
    a_queue(world, tickets=2)
    a_queue(other)
    with psycopg.connect(migrated_database.admin) as admin:
        admin.execute("set local session_replication_role = replica")
        admin.execute("update tickets_ticket set status = 'pending' where tenant_id = %s", [world.tenant.id])
    wrong = wrongly_counted()

    recount_standing()

    assert wrong == [world.tenant.id]
    assert wrongly_counted() == []
    assert kept(world) == told(world)
    assert kept(other) == told(other)


def test_what_time_has_changed_is_counted_without_an_act() -> None:
    world = a_world()
    a_queue(world, tickets=4)
    now = MONDAY_9 + 10 * HOUR
    far = now + 30 * HOUR
    with writing(world.tenant.id):
        Ticket.objects.update(due_at=far, at_risk_at=far, is_breached=False)
        Ticket.objects.filter(number=1).update(due_at=now - MINUTE, at_risk_at=now - HOUR)  # over, not swept
        Ticket.objects.filter(number=2).update(due_at=now + HOUR, at_risk_at=now - HOUR)  # at risk
        Ticket.objects.filter(number=3).update(due_at=None, at_risk_at=None, is_breached=True)  # over, waits

    with reading(world.tenant.id):
        counts, coming = active_counts(now=now), next_due(now=now)
        lanes = lane_counts(now=now, me=None)

    assert (counts.over, counted(counts.stands)) == (2, 4)
    assert {(one.is_over, one.tickets, one.due_at) for one in counts.late} == {
        (True, 1, now - MINUTE),
        (False, 1, now + HOUR),
    }
    assert (coming.any, coming.workable, coming.unanswered) == (now + HOUR, now + HOUR, now - MINUTE)
    assert (lanes["all"], lanes["breached"], lanes["due"]) == (4, 2, 1)


def test_all_that_is_active_is_counted_at_one_instant() -> None:
    world = a_world()

    with reading(world.tenant.id), CaptureQueriesContext(connection) as sent:
        active_counts(now=MONDAY_9)

    assert len(sent) == 1  # of two, the sweep could commit between them


def test_a_fold_that_another_is_at_is_left_to_it(migrated_database: ThrowawayDatabase) -> None:
    world = a_world()
    a_queue(world, tickets=3)
    rows = rows_of(world)
    with psycopg.connect(migrated_database.admin) as other:
        other.execute(LOCK_STANDING)
        fold_standing(most=0)
        left = rows_of(world)
    fold_standing(most=0)

    assert left == rows > rows_of(world)
