"""A kept hub never hides a change, and never shows another tenant's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flowdesk.core.errors import OutsideTenant
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import Signal, Window
from flowdesk.flows import receive
from flowdesk.hubs.board import SlaHub
from flowdesk.hubs.kept import KEPT_FOR, hub_as_of
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def the_hub(world: World, *, after: timedelta = timedelta(0), window: Window = Window.DAY) -> SlaHub:
    with reading(world.tenant.id):
        return hub_as_of(world.tenant.id, window=window, now=MONDAY_9 + after)


def active_in(hub: SlaHub) -> float:
    return next(row.value for row in hub.signals if row.key is Signal.ACTIVE)


def test_a_second_look_finds_the_first_ones_hub() -> None:
    world = a_world()

    first = the_hub(world)

    assert the_hub(world, after=SECOND) is first


def test_a_ticket_that_somebody_opens_is_counted_at_once() -> None:
    world = a_world()
    a_customer(world)
    before = the_hub(world)

    receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    assert (active_in(before), active_in(the_hub(world))) == (0, 1)


def test_a_kept_hub_ages() -> None:
    world = a_world()
    first = the_hub(world)

    assert the_hub(world, after=KEPT_FOR - SECOND).as_of == first.as_of
    assert the_hub(world, after=KEPT_FOR).as_of == MONDAY_9 + KEPT_FOR


def test_an_earlier_instant_is_not_answered_with_a_later_hub() -> None:
    world = a_world()
    the_hub(world, after=SECOND)

    assert the_hub(world).as_of == MONDAY_9


def test_each_window_is_kept_for_itself() -> None:
    world = a_world()
    the_hub(world)

    assert the_hub(world, window=Window.WEEK).window is Window.WEEK


def test_tenants_do_not_share_what_is_kept() -> None:
    ours, theirs = a_world(), a_world("other")
    a_customer(ours)
    receive.open_ticket(a_message(), by=ours.bo, now=MONDAY_9)

    assert (active_in(the_hub(ours)), active_in(the_hub(theirs))) == (1, 0)


def test_another_tenants_hub_is_refused_even_when_it_is_kept() -> None:
    ours, theirs = a_world(), a_world("other")
    the_hub(theirs)

    with reading(ours.tenant.id), pytest.raises(OutsideTenant):
        hub_as_of(theirs.tenant.id, window=Window.DAY, now=MONDAY_9)
