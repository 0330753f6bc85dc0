"""One bad row, a release ahead of us, a dispatcher beside us: everybody else is told, and nobody twice."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connections

from flowdesk.core.tenant import reading, writing
from flowdesk.notifications import services
from flowdesk.notifications.models import Delivery, Notice
from flowdesk.notifications.plans import EventRow, Telling
from flowdesk.notifications.services import RETRIES, deliver, dispatch
from flowdesk.tickets.models import Ticket, TicketEvent
from tests.builders import MONDAY_9, World
from tests.flows.story import DAY, HOUR, a_staffed_world, an_open_ticket, come_back

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def an_event(world: World, kind: str, *, at: datetime = MONDAY_9, **data: Any) -> int:
    """A line in the log of the first ticket that no flow of this release wrote."""
    with writing(world.tenant.id):
        return TicketEvent.objects.create(
            tenant=world.tenant, ticket=Ticket.objects.get(number=1), kind=kind, at=at, actor_kind="system", data=data
        ).id  # fmt: skip


def left(world: World) -> int:
    with reading(world.tenant.id):
        return TicketEvent.objects.filter(dispatched_at__isnull=True).count()


def told(world: World, **which: Any) -> int:
    with reading(world.tenant.id):
        return Delivery.objects.filter(**which).count()


def test_an_event_that_cannot_be_dispatched_stops_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    other = a_staffed_world("other")
    an_open_ticket(world)
    bad = an_event(world, "agent_replied")  # without the message it is about
    an_open_ticket(world)
    an_open_ticket(other)
    events = left(world) + left(other)

    assert dispatch(at=MONDAY_9) == events

    assert (left(world), left(other)) == (0, 0)
    assert told(world, template="customer_acknowledged") == 2
    assert told(other, template="customer_acknowledged") == 1
    assert told(world, event_id=bad) == 0
    assert [record.message for record in caplog.records] == ["dispatch_failed", "event_not_dispatched"]
    assert vars(caplog.records[1])["event"] == bad


def test_a_kind_of_a_newer_release_is_skipped_with_a_word_about_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    an_open_ticket(world)
    an_event(world, "made_by_newer_release")

    dispatch(at=MONDAY_9)

    assert (left(world), told(world, template="customer_acknowledged")) == (0, 1)
    assert [record.message for record in caplog.records] == ["event_kind_unknown"]


def test_a_bad_event_does_not_make_two_mails_of_what_an_act_says_in_one(world: World) -> None:
    for _ in range(3):
        an_open_ticket(world)
    dispatch(at=MONDAY_9)
    come_back(at=MONDAY_9 + 2 * DAY)
    an_event(world, "agent_replied", at=MONDAY_9 + 2 * DAY)

    dispatch(at=MONDAY_9 + 2 * DAY)

    with reading(world.tenant.id):
        late = Delivery.objects.filter(template="customer_delayed").values_list("ticket__number", flat=True)
        assert sorted(late) == [1, 2, 3]
    assert left(world) == 0


@pytest.mark.parametrize("away", [OperationalError("the database restarts"), InterfaceError("closed")])
def test_a_database_that_is_away_is_no_events_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    an_open_ticket(world)
    before = left(world)

    def gone(_: EventRow) -> list[Telling]:
        raise away

    with monkeypatch.context() as patch:
        patch.setattr(services, "tellings", gone)
        with pytest.raises(type(away)):
            dispatch(at=MONDAY_9)

    assert left(world) == before
    assert dispatch(at=MONDAY_9) == before


def test_a_notice_that_cannot_be_shown_holds_up_no_other_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    an_open_ticket(world)
    an_open_ticket(world)
    dispatch(at=MONDAY_9)
    with reading(world.tenant.id):
        bad = Delivery.objects.filter(channel="notice").order_by("id")[0].id
    own_show = services._show

    def show(tenant: int, ids: list[int], *, at: datetime) -> None:
        own_show(tenant, [one for one in ids if one != bad], at=at)
        if bad in ids:
            raise ValueError("a notice nobody can show")

    with monkeypatch.context() as patch:
        patch.setattr(services, "_show", show)
        deliver(clock=lambda: MONDAY_9)

    with reading(world.tenant.id):
        one = Delivery.objects.get(id=bad)
        assert (one.state, one.attempts, one.error) == ("due", 1, "ValueError")
        assert one.due_at == MONDAY_9 + RETRIES[0]
        assert Notice.objects.count() == 1
    assert [record.message for record in caplog.records] == ["notice_failed"]
    deliver(clock=lambda: MONDAY_9 + RETRIES[0])
    assert told(world, id=bad, state="sent") == 1


def test_two_dispatchers_at_once_tell_a_customer_of_a_delay_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_open_ticket(world)
    dispatch(at=MONDAY_9)
    for _ in range(2):
        an_event(world, "step_fired", at=MONDAY_9 + HOUR, acts=["tell_customer"], agent=world.bo_agent.id)
    own_insert = services._insert
    writes, faults = threading.Event(), list[BaseException]()

    def second() -> None:
        try:
            dispatch(at=MONDAY_9 + HOUR)
        except BaseException as fault:  # noqa: BLE001 - told by the thread that waits
            faults.append(fault)
        finally:
            connections.close_all()

    beside = threading.Thread(target=second)

    def insert(execute: Callable[..., object], told: Sequence[Telling], *, at: datetime) -> None:
        if not writes.is_set():
            # The first has read who was told; the second has time enough to read it too, were it let.
            writes.set()
            beside.start()
            beside.join(timeout=1)
        own_insert(execute, told, at=at)

    monkeypatch.setattr(services, "_insert", insert)

    dispatch(at=MONDAY_9 + HOUR, limit=1)
    beside.join(timeout=20)

    assert (beside.is_alive(), faults, left(world)) == (False, [], 0)
    assert told(world, template="customer_delayed") == 1
    assert told(world, template="agent_warned", channel="notice") == 2


def test_events_without_a_delay_do_not_wait_for_another_dispatcher(world: World) -> None:
    an_open_ticket(world)
    with connections["owner"].cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select pg_advisory_xact_lock(hashtext('flowdesk.dispatch'))")
        try:
            with connections["worker"].cursor() as worker:
                worker.execute("set lock_timeout = '2s'")
            assert dispatch(at=MONDAY_9) > 0
        finally:
            cursor.execute("rollback")
            connections["worker"].close()
