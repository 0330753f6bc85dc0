"""The sweep: every step once, in order, however late, however many, whoever else sweeps."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connections

from flowdesk.automations.services import Trigger
from flowdesk.core.actor import Actor, system
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation import services as escalation
from flowdesk.escalation.models import Escalation
from flowdesk.flows import automate, desk, escalate, work
from flowdesk.people.models import Agent, Shift, Team, TeamMember
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.worker.jobs.wake_clocks import wake_clocks
from tests.builders import MONDAY_9, World
from tests.database import ThrowawayDatabase
from tests.flows.story import (
    DAY,
    HOUR,
    MINUTE,
    a_colleague,
    a_staffed_world,
    an_open_ticket,
    clock,
    come_back,
    log,
    mails,
    pass_time,
    ticket,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def steps_of(world: World, metric: str) -> list[tuple[int, str]]:
    return [
        (line.data["step"], line.data["target"])
        for line in log(world, "step_fired")
        if line.data["metric"] == metric and line.data["reason"] == "promise_spent"
    ]


def test_after_two_days_away_every_step_is_fired_once_in_order_and_says_how_late(world: World) -> None:
    an_open_ticket(world)
    back = MONDAY_9 + 2 * DAY + MINUTE

    come_back(at=back)

    assert steps_of(world, "first_response") == [
        (50, "assignee"),
        (75, "team_lead"),
        (90, "assignee"),
        (90, "team_lead"),
        (100, "support_manager"),
        (125, "director"),
    ]
    fired = [line for line in log(world, "step_fired") if line.data["reason"] == "promise_spent"]
    instants = [datetime.fromisoformat(line.data["fires_at"]) for line in fired]
    assert instants == sorted(instants)
    for line, at in zip(fired, instants, strict=True):
        assert line.data["late_by_seconds"] == (back - at).total_seconds() > 0


def test_after_two_days_away_the_customer_gets_one_mail(world: World) -> None:
    an_open_ticket(world)
    mails(world, at=MONDAY_9)

    come_back(at=MONDAY_9 + 2 * DAY)

    assert mails(world, at=MONDAY_9 + 2 * DAY) == ["customer_acknowledged", "customer_delayed"]


def test_a_miss_found_late_is_dated_when_it_fell_due(world: World) -> None:
    an_open_ticket(world)

    come_back(at=MONDAY_9 + 2 * DAY)

    assert clock(world, "first_response").missed_at == MONDAY_9 + 4 * HOUR


def test_coming_back_late_tells_the_same_people_as_never_having_been_away() -> None:
    told = []
    for slug, sweeps in (("punctual", pass_all), ("late", come_back)):
        world = a_staffed_world(slug)
        an_open_ticket(world)
        sweeps(at=MONDAY_9 + 10 * HOUR)
        with reading(world.tenant.id):
            # What begins with an escalation begins when that is made, late or not; these began with the ticket.
            rows = Escalation.objects.filter(
                reason="promise_spent", metric__in=["first_response", "resolution"]
            ).order_by("fires_at", "id")
            told.append([(one.rule, one.step, one.target, one.fires_at) for one in rows])

    assert told[0] == told[1] != []


def pass_all(*, at: datetime) -> None:
    pass_time(until=at)


def test_a_wait_that_ended_while_we_were_away_ended_at_its_bound(world: World) -> None:
    opened = an_open_ticket(world)
    work.send_reply(opened, text="Hm.", by=world.bo, now=MONDAY_9 + MINUTE)
    bound = MONDAY_9 + 3 * HOUR
    work.wait(
        opened,
        reason=WaitReason.THIRD_PARTY,
        note="The carrier.",
        until=bound,
        by=world.bo,
        now=MONDAY_9 + HOUR,
    )

    come_back(at=MONDAY_9 + DAY)

    resolution = clock(world, "resolution")
    assert resolution.pauses == [MONDAY_9 + HOUR, bound]
    assert resolution.due_at == MONDAY_9 + 2 * DAY + 2 * HOUR
    assert ticket(world).status == "open"


def test_two_sweeps_at_once_fire_every_step_once(world: World) -> None:
    for _ in range(12):
        an_open_ticket(world)
    back = MONDAY_9 + 2 * DAY
    start, faults = threading.Barrier(2), []

    def sweep() -> None:
        try:
            start.wait(timeout=20)
            come_back(at=back)
        except BaseException as fault:
            faults.append(fault)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    come_back(at=back)

    assert faults == []
    with reading(world.tenant.id):
        fired = Counter(
            (line.ticket_id, line.data["metric"], line.data["cycle"], line.data["step"], line.data["target"])
            for line in TicketEvent.objects.filter(kind="step_fired")
        )
        assert not Ticket.objects.filter(wake_at__lte=back).exists()
    assert set(fired.values()) == {1}
    assert len({ticket_id for ticket_id, *_ in fired}) == 12


def multiply(world: World, database: ThrowawayDatabase, *, times: int) -> None:
    """Copies of the one ticket with its clocks, made by a superuser: flows would take a minute."""
    with psycopg.connect(database.admin, autocommit=True) as admin:

        def columns(table: str, prefix: str) -> str:
            names = admin.execute(
                "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0"
                " and not attisdropped and attname not in ('id', 'public_id', 'number', 'ticket_id')",
                [table],
            )
            return ", ".join(prefix + name for (name,) in names)

        admin.execute(
            f"insert into tickets_ticket (public_id, number, {columns('tickets_ticket', '')})"
            f" select gen_random_uuid(), number + copy, {columns('tickets_ticket', '')}"
            f" from tickets_ticket, generate_series(1, {times}) copy"
        )
        admin.execute(
            f"insert into sla_clock (ticket_id, {columns('sla_clock', '')})"
            f" select t.id, {columns('sla_clock', 'c.')}"
            " from sla_clock c, tickets_ticket t where t.id <> c.ticket_id"
        )


def test_a_thousand_tickets_due_at_one_instant_are_all_woken_once(
    world: World, migrated_database: ThrowawayDatabase
) -> None:
    an_open_ticket(world)
    multiply(world, migrated_database, times=999)
    at = MONDAY_9 + 2 * HOUR  # half of four hours

    woken = [wake_clocks(now=at) for _ in range(4)]

    assert woken == [500, 500, 0, 0]
    with reading(world.tenant.id):
        half = Escalation.objects.filter(metric="first_response", step=50)
        assert half.count() == half.values("ticket").distinct().count() == 1000
        assert not Ticket.objects.filter(wake_at__lte=at).exists()


def spoil(world: World, ticket_id: int) -> None:
    """The clocks of a ticket name a calendar that is not in the revision they began with."""
    with writing(world.tenant.id):
        Clock.objects.filter(ticket_id=ticket_id).update(calendar="a calendar nobody wrote")


@pytest.fixture
def bad(world: World) -> int:
    """Three tickets, the middle one spoilt."""
    for _ in range(3):
        an_open_ticket(world)
    spoilt = ticket(world, number=2).id
    spoil(world, spoilt)
    return spoilt


def test_a_bad_row_is_put_off_and_the_others_go_on(
    world: World, bad: int, caplog: pytest.LogCaptureFixture
) -> None:
    at = MONDAY_9 + 2 * HOUR

    woken = [wake_clocks(now=at) for _ in range(5)]

    assert woken == [2, 0, 0, 0, 0]
    assert [line.data for line in log(world, "wake_failed")] == [{"failures": 1, "fault": "KeyError"}]
    assert [record.message for record in caplog.records] == ["wake_failed"]
    assert ticket(world, id=bad).wake_at == at + timedelta(seconds=10)
    with reading(world.tenant.id):
        assert Escalation.objects.filter(step=50).values("ticket").distinct().count() == 2


def test_a_bad_row_is_tried_ever_later_but_for_ever_and_told_loudly_from_the_third_time_on(
    world: World, bad: int, caplog: pytest.LogCaptureFixture
) -> None:
    waits, at = [], MONDAY_9 + 2 * HOUR
    for _ in range(8):
        come_back(at=at)
        next_at = ticket(world, id=bad).wake_at
        assert next_at is not None
        waits.append(next_at - at)
        at = next_at

    assert [wait.total_seconds() for wait in waits] == [10, 40, 160, 640, 2560, 3600, 3600, 3600]
    told = [record.levelname for record in caplog.records if record.message == "wake_failed"]
    assert told == ["WARNING"] * 2 + ["ERROR"] * 6


def test_failures_without_number_do_not_overflow(world: World, bad: int) -> None:
    at = MONDAY_9 + 2 * HOUR
    with writing(world.tenant.id):
        Ticket.objects.filter(id=bad).update(wake_failures=32767)

    come_back(at=at)

    assert (ticket(world, id=bad).wake_failures, ticket(world, id=bad).wake_at) == (32767, at + HOUR)


def test_a_ticket_whose_act_always_takes_too_long_is_put_off_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        an_open_ticket(world)
    slow, at = ticket(world, number=2).id, MONDAY_9 + 2 * HOUR
    wake_one = escalate._wake

    def wake_slowly(work: desk.Work, *, by: Actor, at: datetime) -> None:
        if work.ticket.id == slow:
            with connections["default"].cursor() as cursor:
                cursor.execute("set local statement_timeout = 20")
                cursor.execute("select pg_sleep(20)")
        wake_one(work, by=by, at=at)

    monkeypatch.setattr(escalate, "_wake", wake_slowly)

    assert [wake_clocks(now=at) for _ in range(2)] == [2, 0]
    assert [line.data for line in log(world, "wake_failed")] == [{"failures": 1, "fault": "OperationalError"}]
    assert ticket(world, id=slow).wake_at == at + timedelta(seconds=10)


@pytest.mark.parametrize("away", [OperationalError("the database restarts"), InterfaceError("closed")])
def test_a_database_that_is_away_is_no_tickets_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    an_open_ticket(world)

    def gone(*_: object, **__: object) -> None:
        raise away

    with monkeypatch.context() as patch:
        patch.setattr(escalation, "load_crew", gone)
        for _ in range(4):
            with pytest.raises(type(away)):
                wake_clocks(now=MONDAY_9 + 2 * HOUR)

    assert (ticket(world).wake_failures, log(world, "wake_failed")) == (0, [])
    assert wake_clocks(now=MONDAY_9 + 2 * HOUR) == 1
    with reading(world.tenant.id):
        assert Escalation.objects.filter(step=50).exists()


def test_a_failure_does_not_move_what_somebody_dealt_with_meanwhile(world: World) -> None:
    an_open_ticket(world)
    before = ticket(world)

    failures = escalate.put_aside(
        before.id, by=system(world.tenant.id), now=MONDAY_9 + MINUTE, fault="KeyError"
    )

    assert failures is None
    assert ticket(world).wake_at == before.wake_at
    assert log(world, "wake_failed") == []


def test_a_bad_row_does_not_stop_the_automation_run_by_hand(world: World, bad: int) -> None:
    ran = automate.run_automation(trigger=Trigger.HAND, by=system(world.tenant.id), now=MONDAY_9 + 2 * HOUR)

    assert ran.counts["woken"] == 2
    assert ticket(world, id=bad).wake_failures == 1


def test_what_was_put_off_is_swept_as_before_once_somebody_could_work_on_it(world: World, bad: int) -> None:
    wake_clocks(now=MONDAY_9 + 2 * HOUR)
    with writing(world.tenant.id):
        Clock.objects.filter(ticket_id=bad).update(calendar="business")
    work.add_note(
        shown("tkt", ticket(world, id=bad).public_id), text="Mended.", by=world.bo, now=MONDAY_9 + 2 * HOUR
    )

    assert ticket(world, id=bad).wake_failures == 0
    with reading(world.tenant.id):
        assert Escalation.objects.filter(ticket_id=bad, step=50).exists()


@contextmanager
def somebody_works_on(world: World, ticket_id: int, database: ThrowawayDatabase) -> Iterator[None]:
    with psycopg.connect(database.roles["app"]) as agent:
        agent.execute("select set_config('app.tenant', %s, true)", [str(world.tenant.id)])
        agent.execute("select 1 from tickets_ticket where id = %s for no key update", [ticket_id])
        yield
        agent.rollback()


def test_a_busy_ticket_is_due_next_round(world: World, migrated_database: ThrowawayDatabase) -> None:
    for _ in range(2):
        an_open_ticket(world)
    busy = ticket(world, number=1).id

    with somebody_works_on(world, busy, migrated_database):
        first = wake_clocks(now=MONDAY_9 + 2 * HOUR)
    second = wake_clocks(now=MONDAY_9 + 2 * HOUR)

    assert (first, second) == (1, 1)
    assert log(world, "wake_failed") == []


def test_a_ticket_that_is_not_due_is_left_alone(world: World) -> None:
    an_open_ticket(world)
    before = ticket(world)

    woken = escalate.wake([before.id], by=system(world.tenant.id), now=MONDAY_9 + MINUTE)

    assert woken == 0
    assert ticket(world).updated_at == before.updated_at


def test_waking_twice_at_one_instant_says_nothing_twice(world: World) -> None:
    an_open_ticket(world)

    come_back(at=MONDAY_9 + 3 * HOUR)
    told = len(log(world))
    come_back(at=MONDAY_9 + 3 * HOUR)

    assert len(log(world)) == told


def test_tickets_that_climb_together_are_shared_among_the_agents_of_the_next_level(world: World) -> None:
    cy = a_colleague(world, "Cy Dahl")
    with writing(world.tenant.id):
        Agent.objects.filter(id=cy.id).update(capacity=2, languages=["en", "sv"])
        tier_2 = Team.objects.get(slug="tier-2")
        TeamMember.objects.create(tenant=world.tenant, team=tier_2, agent=cy)
        shift = Shift.objects.filter(agent=world.bo_agent).get()
        shift.pk, shift.agent = None, cy
        shift.save()
        Agent.objects.filter(name="Bo Ek").update(capacity=6)
    for _ in range(6):
        an_open_ticket(world)

    come_back(at=MONDAY_9 + 2 * HOUR)

    with reading(world.tenant.id):
        taken = Counter(Ticket.objects.filter(level=2).values_list("assignee__name", flat=True))
        assert taken == {"Cy Dahl": 2, None: 4}  # Bo is full with what he had, and Cy with two
        assert Agent.objects.get(id=cy.id).last_assigned_at == MONDAY_9 + 2 * HOUR
