"""A run of the automation as a whole: what breaks off is not taken for done."""

import pytest

from flowdesk.automations.models import AutomationRun
from flowdesk.automations.services import RETRY_AFTER, Trigger
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.flows import automate
from flowdesk.worker.jobs.schedules import run_schedules
from tests.builders import MONDAY_9, World
from tests.flows.story import DAY, HOUR, a_staffed_world, an_open_ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

NEXT_WEEK = MONDAY_9 + 7 * DAY


class Broken(Exception):
    """Whatever stops a run midway."""


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    an_open_ticket(world)
    return world


def run(world: World, *, slot: str = "key-1") -> automate.Ran:
    by = system(world.tenant.id)
    return automate.run_automation(trigger=Trigger.ROUTE, slot=slot, by=by, now=MONDAY_9 + 2 * HOUR)


def broken_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    def drain(**_: object) -> None:
        raise Broken

    monkeypatch.setattr(automate, "drain_queue", drain)


def runs(world: World) -> list[AutomationRun]:
    with reading(world.tenant.id):
        return list(AutomationRun.objects.order_by("id"))


def test_a_run_that_broke_off_is_run_again_under_the_same_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken_drain(patch)
        with pytest.raises(Broken):
            run(world)

    again = run(world)

    failed, done = runs(world)
    assert (failed.slot, failed.ended_at) == ("", MONDAY_9 + 2 * HOUR)
    assert (failed.counts["failed"], failed.counts["slot"], failed.counts["woken"]) == (True, "key-1", 1)
    assert (again.is_repeat, done.slot, run(world).is_repeat) == (False, "key-1", True)


def test_a_schedule_that_broke_off_is_due_again_a_little_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken_drain(patch)
        assert run_schedules(now=NEXT_WEEK) == 0

    at_once = run_schedules(now=NEXT_WEEK + RETRY_AFTER / 2)
    later = run_schedules(now=NEXT_WEEK + RETRY_AFTER)

    assert (at_once, later) == (0, 1)
    assert run_schedules(now=NEXT_WEEK + HOUR) == 0
