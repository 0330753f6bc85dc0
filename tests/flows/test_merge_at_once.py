"""Many merge, take apart and write at the same time (N11)."""

import random
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connections

from flowdesk.core.errors import DomainError
from flowdesk.core.tenant import reading
from flowdesk.flows import merge, work
from flowdesk.tickets.merges import NotMerged
from flowdesk.tickets.models import Merge, Message, TicketEvent
from flowdesk.tickets.services import WrongState
from tests.builders import MONDAY_9, World
from tests.flows.merging import write
from tests.flows.story import HOUR, a_staffed_world, an_open_ticket, come_back
from tests.flows.test_fold import assert_fold_is_stored

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do these at the same time; what each returned or the fault it raised."""
    found: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(place: int) -> None:
        gate.wait()
        try:
            found[place] = acts[place]()
        except DomainError as fault:
            found[place] = fault
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive(), "nobody waits for ever"
    return found


@pytest.mark.parametrize("_turn", range(5))
def test_of_two_who_merge_the_same_ticket_one_wins(world: World, _turn: int) -> None:
    source, b, c = (an_open_ticket(world) for _ in range(3))

    found = together(
        *(lambda into=into: merge.merge(source, into=into, by=world.bo, now=MONDAY_9 + HOUR) for into in (b, c))
    )  # fmt: skip

    assert sorted(type(one).__name__ for one in found) == ["Merged", "WrongState"]
    with reading(world.tenant.id):
        assert Merge.objects.count() == 1


@pytest.mark.parametrize("_turn", range(5))
def test_of_two_who_merge_crosswise_one_wins_and_neither_waits_for_ever(world: World, _turn: int) -> None:
    a, b = an_open_ticket(world), an_open_ticket(world)

    found = together(
        lambda: merge.merge(a, into=b, by=world.bo, now=MONDAY_9 + HOUR),
        lambda: merge.merge(b, into=a, by=world.ada, now=MONDAY_9 + HOUR),
    )

    assert sorted(type(one).__name__ for one in found) == ["Merged", "WrongState"]
    assert_fold_is_stored(world, at=MONDAY_9 + HOUR)


def test_words_that_come_during_merges_are_kept_once_where_they_belong(world: World) -> None:
    a, b, c = (an_open_ticket(world) for _ in range(3))
    at = MONDAY_9 + HOUR

    found = together(
        lambda: merge.merge(c, into=a, by=world.bo, now=at),
        lambda: write(world, c, "First words", at=at),
        lambda: write(world, c, "Second words", at=at),
        lambda: work.send_reply(b, text="Aside", by=world.bo, now=at),
        lambda: write(world, c, "Third words", at=at),
    )

    assert not [one for one in found if isinstance(one, DomainError)]
    with reading(world.tenant.id):
        said = list(Message.objects.filter(text__endswith="words").values_list("text", flat=True))
        wrote = TicketEvent.objects.filter(kind="customer_wrote").count()
    assert sorted(said) == ["First words", "Second words", "Third words"]
    assert wrote == 3
    assert_fold_is_stored(world, at=at)


ROUNDS, ACTS = 6, 12  # of each of four threads


def test_merges_and_words_on_the_same_tickets_wait_for_nobody_in_a_ring(world: World) -> None:
    """Each round has one instant: what is compared is order, not the clocks of machines."""
    names = [an_open_ticket(world) for _ in range(3)]
    faults: list[BaseException] = []

    def one_of_them(seed: int, at: datetime) -> None:
        dice = random.Random(seed)
        for _ in range(ACTS):
            one, other, third = dice.sample(names, 3)
            act = dice.choice([
                partial(merge.merge, one, into=other, by=world.bo, now=at),
                partial(merge.merge_each, [(one, other), (other, third)], by=world.bo, now=at),
                partial(merge.unmerge, one, by=world.ada, now=at),
                partial(merge.unmerge, one, by=world.ada, now=at),
                partial(write, world, one, "And another thing.", at=at),
            ])  # fmt: skip
            try:
                act()
            except (WrongState, NotMerged) as refused:
                if act.func is write:
                    faults.append(refused)  # words are never refused
            except Exception as fault:  # noqa: BLE001 - told by the test, with all the others
                faults.append(fault)

    for turn in range(1, ROUNDS + 1):
        at = MONDAY_9 + turn * HOUR
        together(*(partial(one_of_them, 10 * turn + thread, at) for thread in range(4)))
        come_back(at=at)
        assert faults == []
        assert_fold_is_stored(world, at=at)
