"""What routing goes by: absences that stand beside one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.flows import crew
from flowdesk.people.models import Absence
from tests.builders import MONDAY_9, World
from tests.flows.story import DAY, HOUR, a_staffed_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

TO_WEDNESDAY = (1 * DAY, 3 * DAY)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def away(
    world: World, start: timedelta, end: timedelta | None, *, now: timedelta = timedelta(0), of: str = "bo"
) -> str:
    """Note an absence, counted from Monday at nine; its id."""
    agent = {"bo": world.bo_agent, "ada": world.ada_agent}[of]
    row = crew.begin_absence(
        shown("agt", agent.public_id), starts_at=MONDAY_9 + start, ends_at=None if end is None else MONDAY_9 + end,
        by=world.bo if of == "bo" else world.ada, now=MONDAY_9 + now,
    )  # fmt: skip
    return shown(crew.ABSENCE, row.public_id)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (2 * DAY, 4 * DAY, "starts_at"),
        (1 * DAY, 3 * DAY, "starts_at"),
        (2 * DAY, None, "starts_at"),
        (0 * DAY, 2 * DAY, "ends_at"),
        (0 * DAY, 4 * DAY, "ends_at"),
        (0 * DAY, None, "ends_at"),
    ],
)
def test_an_absence_that_overlaps_another_names_the_field_and_the_other(
    world: World, start: timedelta, end: timedelta | None, field: str
) -> None:
    away(world, *TO_WEDNESDAY)

    with pytest.raises(Invalid) as refused:
        away(world, start, end)

    reason = "overlaps the absence from 2026-06-16T07:00:00+00:00 to 2026-06-18T07:00:00+00:00"
    assert refused.value.faults == (Fault(field, reason),)


def test_an_absence_without_an_end_overlaps_all_that_comes(world: World) -> None:
    away(world, 1 * DAY, None)

    with pytest.raises(Invalid, match=r"from 2026-06-16T07:00:00\+00:00 until further notice"):
        away(world, 300 * DAY, 301 * DAY)


def test_absences_may_touch_and_those_of_others_do_not_count(world: World) -> None:
    away(world, *TO_WEDNESDAY)

    away(world, 0 * DAY, 1 * DAY)
    away(world, 3 * DAY, None)
    away(world, *TO_WEDNESDAY, of="ada")

    with reading(world.tenant.id):
        assert Absence.objects.count() == 4


def test_who_came_back_this_morning_may_be_away_from_today_again(world: World) -> None:
    first = away(world, -2 * DAY, 2 * DAY, now=-2 * DAY)
    crew.end_absence(first, by=world.bo, now=MONDAY_9)

    away(world, -9 * HOUR, 1 * DAY, now=3 * HOUR)

    with reading(world.tenant.id):
        assert Absence.objects.count() == 2


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "worker"])
def test_of_absences_noted_at_one_instant_one_gets_in(world: World) -> None:
    together = Barrier(4)

    def begin(number: int) -> bool:
        try:
            together.wait()
            away(world, 1 * DAY, (2 + number) * DAY)
        except Invalid:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        noted = list(pool.map(begin, range(4)))

    assert sorted(noted) == [False, False, False, True]
    with reading(world.tenant.id):
        assert Absence.objects.count() == 1
