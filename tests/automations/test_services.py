"""Runs of the ticket automation: one at a time, each slot once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from threading import Barrier

import pytest
from django.db import connection

from flowdesk.automations import services as automations
from flowdesk.automations.models import AutomationRun
from flowdesk.automations.services import AlreadyRunning, RunGone, Trigger, slot_of
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.business_time import Weekday
from flowdesk.engine.cadence import Weekly
from tests.builders import MONDAY_9, World, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MINUTE = timedelta(minutes=1)
MONDAY_0815 = Weekly(weekday=Weekday.MONDAY, at=time(8, 15))


def start(
    world: World, *, at: datetime = MONDAY_9, slot: str = "", trigger: Trigger = Trigger.ROUTE
) -> automations.Run:
    with writing(world.tenant.id):
        return automations.start_run(trigger=trigger, slot=slot, at=at)


def end(world: World, run: automations.Run, *, at: datetime = MONDAY_9 + MINUTE, **counts: int) -> None:
    with writing(world.tenant.id):
        automations.end_run(run.id, counts=counts, at=at)


def due(world: World, at: datetime) -> tuple[datetime, ...]:
    with reading(world.tenant.id):
        return automations.due_schedules(MONDAY_0815, now=at)


def test_a_second_run_meets_the_first_and_learns_its_id() -> None:
    world = a_world()
    first = start(world)

    with pytest.raises(AlreadyRunning) as refused:
        start(world, at=MONDAY_9 + MINUTE)

    assert refused.value.run == first.public_id


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "worker"])
def test_of_many_starts_at_one_instant_exactly_one_runs() -> None:
    world = a_world()
    together = Barrier(4)

    def begin(_: int) -> str:
        try:
            together.wait()
            return str(start(world).public_id)
        except AlreadyRunning as refused:
            return f"refused for {refused.run}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(begin, range(4)))

    (began,) = [answer for answer in answers if not answer.startswith("refused")]
    assert answers.count(f"refused for {began}") == 3


def test_an_ended_run_lets_the_next_one_begin() -> None:
    world = a_world()
    end(world, start(world), assigned=3)

    second = start(world, at=MONDAY_9 + 2 * MINUTE)

    assert not second.is_repeat
    with reading(world.tenant.id):
        assert AutomationRun.objects.order_by("id").values_list("counts", flat=True)[0] == {"assigned": 3}


def test_the_same_key_gets_the_same_answer() -> None:
    world = a_world()
    first = start(world, slot="key-1")
    end(world, first, assigned=3)

    again = start(world, slot="key-1", at=MONDAY_9 + 5 * MINUTE)

    assert (again.is_repeat, again.public_id, again.counts) == (True, first.public_id, {"assigned": 3})
    assert again.ended_at == MONDAY_9 + MINUTE


def test_the_same_key_in_flight_is_a_run_that_runs() -> None:
    world = a_world()
    first = start(world, slot="key-1")

    with pytest.raises(AlreadyRunning) as refused:
        start(world, slot="key-1", at=MONDAY_9 + MINUTE)

    assert refused.value.run == first.public_id


def test_a_killed_run_blocks_nobody_for_long_and_gives_its_slot_back() -> None:
    world = a_world()
    killed = start(world, slot="key-1")

    later = start(world, slot="key-1", at=MONDAY_9 + automations.ABANDONED_AFTER)

    assert not later.is_repeat
    assert later.public_id != killed.public_id
    with pytest.raises(RunGone):
        end(world, killed)


def test_tenants_do_not_block_each_other() -> None:
    world, other = a_world(), a_world("cleo")
    start(world, slot="key-1")

    assert not start(other, slot="key-1").is_repeat


def test_a_schedule_is_due_once_from_its_instant_on() -> None:
    world = a_world()
    slot = MONDAY_0815.next_after(MONDAY_9)

    assert due(world, slot - MINUTE) == ()
    assert due(world, slot) == (slot,)
    run = start(world, slot=slot_of(slot), trigger=Trigger.SCHEDULE, at=slot)
    end(world, run, at=slot + MINUTE)
    assert due(world, slot + MINUTE) == ()


def test_after_weeks_of_silence_only_the_last_slot_is_due() -> None:
    world = a_world()

    found = due(world, MONDAY_9 + timedelta(days=23))

    assert found == (MONDAY_0815.last_until(MONDAY_9 + timedelta(days=23)),)


def test_a_tenant_owes_nothing_for_the_time_before_it_was_there() -> None:
    world = a_world()

    assert due(world, MONDAY_9 + MINUTE) == ()
