"""The ticket SLA hub says what the rows say."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowdesk.core.actor import system
from flowdesk.core.errors import OutsideTenant
from flowdesk.core.ids import parsed
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.lanes import BACKLOGS, HEALTHY, Lane, Severity, Signal, StepState, Window
from flowdesk.engine.promises import WaitReason
from flowdesk.engine.scoring import PressureLevel, PressureReason, RiskFacts, csat_risk, reopen_risk
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, receive, work
from flowdesk.hubs.board import SlaHub
from flowdesk.hubs.queries import sla_hub
from flowdesk.hubs.queue import CUSTOMER
from flowdesk.people.models import Agent, Post, Shift
from flowdesk.policies.services import current_policy
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Task, Ticket
from flowdesk.tickets.signals import filter_of
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOON = MONDAY_9 + 3 * HOUR


def the_hub(world: World, *, at: datetime = NOON, window: Window = Window.DAY) -> SlaHub:
    with reading(world.tenant.id):
        return sla_hub(world.tenant.id, window=window, now=at, policy=current_policy())


def a_desk() -> World:
    world = a_world()
    a_customer(world)
    return world


def a_ticket(
    world: World, *, at: datetime = MONDAY_9, priority: Priority = Priority.P3, **values: Any
) -> str:
    """A ticket as the flow opens it; `values` then overwrite its row."""
    opened = receive.open_ticket(a_message(), by=world.bo, now=at, priority=priority)
    if values:
        with writing(world.tenant.id):
            Ticket.objects.filter(number=opened.number).update(**values)
    return opened.id


def facts_of_closed(ticket: Ticket) -> RiskFacts:
    """What the estimates look at, from the ticket's own clocks."""
    decided = Clock.objects.filter(ticket=ticket, metric__in=CUSTOMER, outcome__in=["met", "missed"])
    return RiskFacts(
        reopen_count=ticket.reopen_count,
        reply_count=ticket.reply_count,
        missed_clocks=decided.filter(missed_at__isnull=False).count(),
        spent_percent=max(100 * one.spent // one.target for one in decided.filter(metric="resolution")),
        negative_signals=int(ticket.was_unhappy),
    )


def wake_all(world: World, *, at: datetime) -> None:
    with reading(world.tenant.id):
        ids = list(Ticket.objects.filter(wake_at__lte=at).values_list("id", flat=True))
    escalate.wake(ids, by=system(world.tenant.id), now=at)


def value_of(hub: SlaHub, signal: Signal) -> float:
    return next(row.value for row in hub.signals if row.key is signal)


def listed(world: World, hub: SlaHub, signal: Signal) -> int:
    """How many tickets the list behind a signal shows."""
    with reading(world.tenant.id):
        escalated = Escalation.objects.filter(state="open").values("ticket_id")
        asked = filter_of(signal.value, now=hub.as_of, since=hub.since, escalated=escalated)
        return Ticket.objects.filter(asked).count() if asked is not None else 0


# -- a fresh tenant


def test_a_fresh_tenant_is_calm_in_every_block() -> None:
    hub = the_hub(a_world())

    assert (hub.hit_rate.percent, hub.hit_rate.decided, set(hub.hit_rate.points)) == (100.0, 0, {100.0})
    assert (hub.enforcement.percent, hub.enforcement.fell_due) == (100.0, 0)
    assert (hub.critical, hub.warning) == (0, 0)
    assert hub.verdict.active == 0
    assert all(row.value == 0 for row in hub.signals)
    assert all((row.severity, row.window_at) == (Severity.OK, None) for row in hub.lanes)
    assert (hub.next.primary_action, hub.tickets) == (HEALTHY, ())
    assert [step.state for step in hub.path] == [StepState.DONE, StepState.DONE, StepState.CURRENT]
    assert hub.pressure.level is PressureLevel.LOW
    assert hub.can_publish


def test_the_next_review_and_the_next_run_are_monday() -> None:
    hub = the_hub(a_world(), at=datetime.fromisoformat("2026-06-16T12:00:00+02:00"))

    assert hub.review.next_at == datetime.fromisoformat("2026-06-22T09:00:00+02:00")
    assert hub.automation.next_at == datetime.fromisoformat("2026-06-22T08:15:00+02:00")
    assert hub.automation.secret_name == "FLOW_TICKET_AUTOMATION_CRON_SECRET"


def test_the_ladder_joins_response_and_resolution() -> None:
    hub = the_hub(a_world())

    assert [rung.percent for rung in hub.ladder] == [50, 75, 90, 100, 125]
    assert hub.ladder[3].targets == ("support_manager", "customer")


# -- signals


def test_each_signal_counts_what_design_says_and_opens_the_same_tickets() -> None:
    world = a_desk()
    a_ticket(
        world, priority=Priority.P2, due_at=NOON - HOUR, at_risk_at=NOON - 2 * HOUR
    )  # over, not yet swept
    a_ticket(world, is_breached=True, due_at=None, at_risk_at=None, status="pending")  # over, waits
    a_ticket(world, due_at=NOON + HOUR, at_risk_at=NOON - MINUTE)  # at risk
    a_ticket(world, assignee=None, due_at=NOON + 9 * HOUR, at_risk_at=NOON + 5 * HOUR)
    a_ticket(world, status="pending", due_at=None, at_risk_at=None, waiting_internal_since=None)
    a_ticket(
        world, status="on_hold", due_at=NOON + HOUR, at_risk_at=NOON - MINUTE, waiting_internal_since=None
    )
    a_ticket(world, status="void", due_at=NOON - HOUR)
    a_ticket(world, status="closed", resolved_at=NOON - HOUR)
    a_ticket(world, at=MONDAY_9 - timedelta(hours=30), due_at=NOON + 9 * HOUR, at_risk_at=NOON + 5 * HOUR)
    escalated = a_ticket(world, due_at=NOON + 9 * HOUR, at_risk_at=NOON + 5 * HOUR)
    escalate.escalate(escalated, target="director", by=world.ada, now=MONDAY_9 + 30 * MINUTE)
    with writing(world.tenant.id):
        Ticket.objects.filter(number=10).update(due_at=NOON + 9 * HOUR, at_risk_at=NOON + 5 * HOUR)

    hub = the_hub(world)

    assert {row.key.value: row.value for row in hub.signals if row.key.value not in ("reopen_risk", "csat_risk")} == {
        "created": 8, "active": 8, "urgent": 1, "unassigned": 1, "sla_breached": 2, "escalation_due": 3,
        "waiting_internal": 5, "waiting_customer": 2, "callback_queued": 0, "callback_overdue": 0,
    }  # fmt: skip
    for row in hub.signals:
        assert listed(world, hub, row.key) == (row.of if row.of is not None else row.value), row.key
    for lane in hub.lanes:
        assert listed(world, hub, BACKLOGS[lane.key]) == lane.backlog, lane.key


def test_every_active_ticket_stands_in_exactly_one_place() -> None:
    world = a_desk()
    a_ticket(world, due_at=NOON - HOUR, at_risk_at=NOON - 2 * HOUR)
    a_ticket(world, due_at=NOON + HOUR, at_risk_at=NOON)
    a_ticket(world, due_at=NOON + 2 * HOUR, at_risk_at=NOON + HOUR)
    a_ticket(world, status="on_hold", due_at=None, at_risk_at=None)

    verdict = the_hub(world).verdict

    assert (verdict.over, verdict.at_risk, verdict.on_time, verdict.waiting) == (1, 1, 1, 1)
    assert verdict.next_due_at == NOON + HOUR


def test_a_deadline_is_a_breach_at_its_very_instant() -> None:
    world = a_desk()
    a_ticket(world, due_at=NOON, at_risk_at=NOON - HOUR)

    assert the_hub(world, at=NOON - timedelta(microseconds=1)).verdict.over == 0
    assert the_hub(world, at=NOON).verdict.over == 1


def test_created_tells_the_window_before() -> None:
    world = a_desk()
    for hours in (1, 25, 26, 49):
        a_ticket(world, at=NOON - hours * HOUR)

    created = the_hub(world).signals[0]

    assert (created.value, created.before) == (1, 2)
    assert created.query == {"signal": "created", "window": "24h"}


# -- lanes and work next


def test_the_longest_overdue_comes_first() -> None:
    world = a_desk()
    for late in (5, 50, 20, 40, 10):
        a_ticket(world, due_at=NOON - late * MINUTE, at_risk_at=MONDAY_9)
    a_ticket(world, due_at=NOON + MINUTE, at_risk_at=MONDAY_9)

    hub = the_hub(world)

    assert [NOON - line.due_at for line in hub.tickets if line.due_at] == [
        m * MINUTE for m in (50, 40, 20, 10)
    ]
    assert hub.lanes[0].window_at == NOON - 50 * MINUTE
    assert (hub.next.primary_action, hub.next.backlog) == ("sla_breached", 5)
    assert not hub.can_publish


def test_a_breached_ticket_that_waits_shows_when_it_was_missed() -> None:
    world = a_desk()
    opened = a_ticket(world, priority=Priority.P1)
    work.send_reply(opened, text="On it.", by=world.bo, now=MONDAY_9 + MINUTE)
    wake_all(world, at=MONDAY_9 + 5 * HOUR)
    work.wait(opened, reason=WaitReason.CUSTOMER, by=world.bo, now=MONDAY_9 + 5 * HOUR)
    with writing(world.tenant.id):  # the escalation's own promise to write, which no wait pauses, is kept
        Clock.objects.filter(metric="communication").update(state="stopped", outcome="met")
        Ticket.objects.update(due_at=None, at_risk_at=None)

    hub = the_hub(world, at=MONDAY_9 + 6 * HOUR)

    (line,) = hub.tickets
    assert (line.is_over, line.waits, line.due_at) == (True, True, MONDAY_9 + 2 * HOUR + MINUTE)
    assert hub.lanes[0].window_at == line.due_at


def test_without_breaches_the_next_to_fall_due_are_shown() -> None:
    world = a_desk()
    a_ticket(world, due_at=NOON + 2 * MINUTE, at_risk_at=MONDAY_9)
    a_ticket(world, due_at=NOON + MINUTE, at_risk_at=MONDAY_9)

    hub = the_hub(world)

    assert [line.due_at for line in hub.tickets] == [NOON + MINUTE, NOON + 2 * MINUTE]
    assert hub.next.primary_action == "escalation_due"


def test_tickets_are_counted_by_level_of_support() -> None:
    world = a_desk()
    for level in (1, 1, 2, 3):
        a_ticket(world, level=level)

    assert the_hub(world).levels == {1: 2, 2: 1, 3: 1}


def test_unanswered_tickets_wait_in_the_first_response_lane() -> None:
    world = a_desk()
    answered = a_ticket(world)
    a_ticket(world)
    a_ticket(world, is_proactive=True)
    work.send_reply(answered, text="Done.", by=world.bo, now=MONDAY_9 + MINUTE)

    lane = the_hub(world, at=MONDAY_9 + 2 * MINUTE).lanes[2]

    assert (lane.key, lane.backlog, lane.severity) == (Lane.FIRST_RESPONSE, 1, Severity.OK)


# -- what the window decided


def test_the_hit_rate_is_of_customer_promises_decided_in_the_window() -> None:
    world = a_desk()
    kept = a_ticket(world)
    a_ticket(world, priority=Priority.P1)
    work.send_reply(kept, text="There you go.", by=world.bo, now=MONDAY_9 + MINUTE)
    wake_all(world, at=MONDAY_9 + 16 * MINUTE)

    hub = the_hub(world, at=MONDAY_9 + 16 * MINUTE)

    assert (hub.hit_rate.met, hub.hit_rate.decided, hub.hit_rate.percent) == (1, 2, 50.0)
    assert len(hub.hit_rate.points) == 15
    assert (hub.hit_rate.points[0], hub.hit_rate.points[-1]) == (100.0, 50.0)


def test_what_was_decided_before_the_window_is_only_in_the_line_before() -> None:
    world = a_desk()
    a_ticket(world, priority=Priority.P1)
    wake_all(world, at=MONDAY_9 + 16 * MINUTE)

    hub = the_hub(world, at=MONDAY_9 + 25 * HOUR)

    assert (hub.hit_rate.decided, hub.hit_rate.percent) == (0, 100.0)
    assert (hub.hit_rate.points[0], hub.hit_rate.points[-1]) == (0.0, 100.0)


def test_voided_tickets_are_outside_every_rate() -> None:
    world = a_desk()
    spam = a_ticket(world, priority=Priority.P1)
    wake_all(world, at=MONDAY_9 + 16 * MINUTE)
    work.void(spam, by=world.ada, now=MONDAY_9 + 17 * MINUTE)

    hub = the_hub(world)

    assert (hub.hit_rate.decided, value_of(hub, Signal.CREATED), hub.verdict.active) == (0, 0, 0)


def test_enforcement_counts_escalations_taken_before_their_deadline() -> None:
    world = a_desk()
    for _ in range(3):
        escalate.escalate(a_ticket(world), target="director", by=world.ada, now=MONDAY_9)
    with reading(world.tenant.id):
        first, second, _ = Escalation.objects.filter(rule="by_hand").order_by("id")
    taken_in_time, taken_late = MONDAY_9 + 30 * MINUTE, MONDAY_9 + 90 * MINUTE
    with writing(world.tenant.id):
        for one, at in ((first, taken_in_time), (second, taken_late)):
            Escalation.objects.filter(id=one.id).update(state="acknowledged", acknowledged_at=at, ended_at=at)

    hub = the_hub(world)

    assert (hub.enforcement.in_time, hub.enforcement.fell_due) == (1, 3)
    assert round(hub.enforcement.percent, 1) == 33.3


def test_enforcement_counts_tasks_done_before_their_deadline() -> None:
    world = a_desk()
    tickets = [a_ticket(world) for _ in range(4)]
    due, late = MONDAY_9 + 30 * MINUTE, MONDAY_9 + 40 * MINUTE
    ended = [("done", MONDAY_9), ("done", late), ("", None), ("handed_on", MONDAY_9)]
    with writing(world.tenant.id):
        Task.objects.all().delete()
        for name, (outcome, at) in zip(tickets, ended, strict=True):
            row = Ticket.objects.get(public_id=parsed("tkt", name))
            Task.objects.create(
                tenant=world.tenant, public_id=uuid4(), ticket=row, kind="first_investigation", agent=world.bo_agent,
                opened_at=MONDAY_9, due_at=due, ended_at=at, outcome=outcome,
            )  # fmt: skip

    hub = the_hub(world)

    assert (hub.enforcement.in_time, hub.enforcement.fell_due) == (
        1,
        3,
    )  # handed on in time: it never fell due


def test_a_ticket_that_ended_before_its_escalations_deadline_was_in_time() -> None:
    world = a_desk()
    opened = a_ticket(world)
    escalate.escalate(opened, target="director", by=world.ada, now=MONDAY_9)
    work.resolve(opened, by=world.bo, now=MONDAY_9 + 20 * MINUTE)

    assert the_hub(world).enforcement.percent == 100.0


def test_the_estimates_are_the_sums_of_what_each_ticket_explains() -> None:
    world = a_desk()
    for number, (reopens, replies) in enumerate([(0, 1), (2, 3), (3, 12)]):
        opened = a_ticket(world, priority=Priority.P1)
        if number:
            wake_all(world, at=MONDAY_9 + 16 * MINUTE)
        work.resolve(opened, by=world.bo, now=MONDAY_9 + (20 if number else 10) * MINUTE)
        with writing(world.tenant.id):
            Ticket.objects.filter(number=number + 1).update(
                reopen_count=reopens, reply_count=replies, was_unhappy=reopens > 0
            )

    hub = the_hub(world)
    with reading(world.tenant.id):
        facts = [facts_of_closed(ticket) for ticket in Ticket.objects.order_by("number")]

    reopen, csat = hub.signals[10], hub.signals[11]
    assert (reopen.of, csat.of) == (3, 3)
    assert [one.missed_clocks for one in facts] == [0, 1, 1]
    assert reopen.value == pytest.approx(sum(reopen_risk(one).probability for one in facts))
    assert csat.value == pytest.approx(sum(csat_risk(one).probability for one in facts))
    assert hub.lanes[5].backlog == 2


# -- people


def test_a_lane_whose_post_is_vacant_falls_upward_and_says_so() -> None:
    hub = the_hub(a_world())

    lead = hub.owners["support_lead"]

    assert (lead.person, lead.fell_to) == ("Ada Lind", "director")
    assert lead.way == ("support_lead", "support_manager", "director")
    assert hub.owners["callback_ops"].way[0] == "callback_ops"
    assert set(hub.owners) == {row.owner for row in hub.lanes}


def test_a_lane_whose_post_is_held_stays_there() -> None:
    world = a_world()
    with writing(world.tenant.id):
        Post.objects.create(
            tenant=world.tenant, slug="callback_ops", name="Callback ops", holder=world.bo_agent
        )

    owner = the_hub(world).owners["callback_ops"]

    assert (owner.person, owner.name, owner.fell_to) == ("Bo Ek", "Callback ops", "")


def test_with_everybody_away_a_lane_has_nobody_and_says_whether_a_contact_is_told() -> None:
    world = a_world()
    with writing(world.tenant.id):
        Agent.objects.update(is_available=False)

    owner = the_hub(world).owners["support_lead"]

    assert (owner.is_vacant, owner.person, owner.has_contact) == (True, "", False)


def test_pressure_is_workable_tickets_by_places_on_shift() -> None:
    world = a_desk()
    with writing(world.tenant.id):
        Agent.objects.update(capacity=1)
        Agent.objects.filter(id=world.ada_agent.id).update(is_available=False)
    a_ticket(world)

    hub = the_hub(world, at=MONDAY_9 + MINUTE)

    assert (hub.pressure.level, hub.pressure.ratio) == (PressureLevel.HIGH, 1.0)
    assert hub.lanes[4].severity is Severity.WARNING


def test_with_nobody_on_shift_a_promise_that_falls_due_first_is_critical() -> None:
    world = a_desk()
    with writing(world.tenant.id):
        Shift.objects.all().delete()
    a_ticket(world)

    hub = the_hub(world, at=MONDAY_9 + MINUTE)

    assert hub.pressure.because is PressureReason.NOBODY_ON_SHIFT
    assert hub.lanes[4].severity is Severity.CRITICAL


# -- walls and cost


def test_a_strangers_tickets_are_not_counted() -> None:
    world, other = a_world(), a_world("cleo")
    a_customer(other)
    a_ticket(other, due_at=MONDAY_9)

    assert the_hub(world).verdict.active == 0


def test_the_hub_asks_no_more_with_more_tickets() -> None:
    world = a_desk()
    a_ticket(world, due_at=MONDAY_9)
    few = _queries(world)
    for _ in range(5):
        a_ticket(world, due_at=MONDAY_9)

    assert _queries(world) == few == 12


def _queries(world: World) -> int:
    with reading(world.tenant.id):
        policy = current_policy()
        with CaptureQueriesContext(connection) as asked:
            sla_hub(world.tenant.id, window=Window.DAY, now=NOON, policy=policy)
    return len(asked)


def test_the_hub_is_asked_in_its_own_scope_only() -> None:
    world, other = a_world(), a_world("cleo")

    with reading(other.tenant.id), pytest.raises(OutsideTenant):
        sla_hub(world.tenant.id, window=Window.DAY, now=NOON, policy=current_policy())


def test_every_block_of_the_page_has_its_field() -> None:
    assert {field.name for field in fields(SlaHub)} >= {
        "verdict", "hit_rate", "enforcement", "critical", "warning", "next", "tickets", "path", "lanes", "strip",
        "signals", "levels", "ladder", "review", "automation", "reports",
    }  # fmt: skip
