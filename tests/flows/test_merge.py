"""One ticket is merged into another, and taken out again (N11)."""

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from flowdesk.core.actor import Actor, ActorKind, Role
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.lanes import Window
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, merge, receive, reconfigure, work
from flowdesk.hubs.outcomes import window_hit_rate
from flowdesk.notifications.models import Delivery
from flowdesk.notifications.services import dispatch
from flowdesk.people.models import Agent
from flowdesk.people.services import CustomerCard
from flowdesk.sla.models import Clock
from flowdesk.tickets.merges import NotMerged, merged_into
from flowdesk.tickets.models import Merge, Message, Task, Ticket, TicketEvent, Wait
from flowdesk.tickets.services import WrongState
from flowdesk.tickets.states import Channel
from flowdesk.triage.models import TermHolder
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.flows.story import DAY, HOUR, MINUTE, a_staffed_world, an_open_ticket, come_back, log, pass_time
from tests.flows.test_fold import assert_fold_is_stored
from tests.triage.desk import index_all, like

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def row(world: World, name: str) -> Ticket:
    with reading(world.tenant.id):
        return next(one for one in Ticket.objects.all() if shown("tkt", one.public_id) == name)


def clocks(world: World, name: str) -> dict[str, Clock]:
    """The newest cycle of each metric."""
    ticket = row(world, name)
    with reading(world.tenant.id):
        return {one.metric: one for one in Clock.objects.filter(ticket_id=ticket.id).order_by("id")}


def write(world: World, name: str, text: str, *, at: datetime) -> receive.Opened:
    return receive.take_message(name, text=text, channel=Channel.EMAIL, by=world.bo, now=at)


def hold_by(world: World, ticket: str, name: str) -> str:
    """Give a ticket to somebody by name."""
    with writing(world.tenant.id):
        agent = Agent.objects.get(name=name)
        Ticket.objects.filter(number=row(world, ticket).number).update(assignee=agent)
    return name


def a_stranger(world: World) -> str:
    """A ticket of another customer."""
    a_customer(world, name="Ekberg", tier="free")
    return receive.open_ticket(a_message(email="maja@ekberg.example"), by=world.bo, now=MONDAY_9).id


# -- what a merge is


def test_the_source_ends_outside_every_rate_and_the_target_keeps_its_promises(world: World) -> None:
    target = an_open_ticket(world)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)
    before = {metric: (one.started_at, one.due_at) for metric, one in clocks(world, target).items()}

    done = merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 90 * MINUTE)

    assert (done.source, done.target) == (2, 1)
    gone = row(world, source)
    assert (gone.status, gone.merged_into_id) == ("merged", row(world, target).id)
    assert (gone.due_at, gone.wake_at) == (None, None)
    assert {one.outcome for one in clocks(world, source).values()} == {"merged"}
    assert {metric: (one.started_at, one.due_at) for metric, one in clocks(world, target).items()} == before
    assert [(line.kind, line.data["number"]) for line in log(world, "ticket_merged", "merge_taken")] == [
        ("ticket_merged", 1),
        ("merge_taken", 2),
    ]
    assert_fold_is_stored(world, at=MONDAY_9 + 90 * MINUTE)


def missed(world: World, *, at: datetime) -> int:
    """How many broken promises the hit rate of a month counts."""
    with reading(world.tenant.id):
        rate = window_hit_rate(world.tenant.id, window=Window.MONTH, now=at, goal=90)
    return rate.decided - rate.met


def test_a_recorded_miss_of_the_source_stays_in_the_hit_rate(world: World) -> None:
    source = an_open_ticket(world)
    due = clocks(world, source)["first_response"].due_at
    target = an_open_ticket(world, at=due)
    pass_time(until=due + MINUTE)
    before = clocks(world, source)["first_response"]
    assert missed(world, at=due + HOUR) == 1

    merge.merge(source, into=target, by=world.bo, now=due + 2 * MINUTE)

    ended = clocks(world, source)
    assert (ended["first_response"].outcome, ended["resolution"].outcome) == ("missed", "merged")
    assert missed(world, at=due + HOUR) == 1
    assert_fold_is_stored(world, at=due + 2 * MINUTE)

    merge.unmerge(source, by=world.bo, now=due + 3 * MINUTE)

    back = clocks(world, source)["first_response"]
    assert (back.state, back.outcome, back.due_at) == ("running", "missed", before.due_at)
    assert (back.pauses, back.stopped_at) == (before.pauses, None)
    assert missed(world, at=due + HOUR) == 1
    assert_fold_is_stored(world, at=due + 3 * MINUTE)


def test_a_miss_of_an_answer_owed_only_for_the_source_stays_when_it_leaves(world: World) -> None:
    target = an_open_ticket(world, priority=Priority.P1)
    work.send_reply(target, text="Done.", by=world.bo, now=MONDAY_9 + MINUTE)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    due = clocks(world, target)["next_response"].due_at
    pass_time(until=due + MINUTE)

    merge.unmerge(source, by=world.bo, now=due + 2 * MINUTE)

    answer = clocks(world, target)["next_response"]
    assert (answer.state, answer.outcome, answer.missed_at) == ("stopped", "missed", due)
    assert_fold_is_stored(world, at=due + 2 * MINUTE)


def test_what_waits_climbs_or_was_asked_of_the_source_ends(world: World) -> None:
    target = an_open_ticket(world)
    source = an_open_ticket(world, tier="enterprise", priority=Priority.P1)
    work.wait(source, reason=WaitReason.THIRD_PARTY, note="The carrier.", by=world.bo, now=MONDAY_9 + MINUTE)

    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * MINUTE)

    ticket = row(world, source)
    with reading(world.tenant.id):
        assert not Wait.objects.filter(ticket_id=ticket.id, ended_at__isnull=True).exists()
        assert not Escalation.objects.filter(ticket_id=ticket.id, state="open").exists()
        assert not Task.objects.filter(ticket_id=ticket.id, ended_at__isnull=True).exists()
        told = Escalation.objects.latest("id").id
    pass_time(until=MONDAY_9 + HOUR)
    with reading(world.tenant.id):
        assert not Escalation.objects.filter(ticket_id=ticket.id, id__gt=told).exists()


def test_an_unanswered_message_of_the_source_falls_due_in_the_target_from_when_it_was_written(
    world: World,
) -> None:
    target = an_open_ticket(world)
    work.send_reply(target, text="Which one?", then_wait=True, by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)

    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * HOUR)

    answer = clocks(world, target)["next_response"]
    assert (answer.state, answer.started_at) == ("running", MONDAY_9 + HOUR)
    ticket = row(world, target)
    assert (ticket.status, ticket.unanswered_since) == ("open", MONDAY_9 + HOUR)
    assert_fold_is_stored(world, at=MONDAY_9 + 2 * HOUR)


def test_an_answered_source_leaves_the_targets_wait_alone(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    for name in (target, source):
        work.send_reply(name, text="Which one?", then_wait=True, by=world.bo, now=MONDAY_9 + MINUTE)

    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    assert row(world, target).status == "pending"
    assert "next_response" not in clocks(world, target)


def test_a_merge_answers_nobody(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)

    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    assert row(world, target).first_response_at is None
    assert clocks(world, target)["first_response"].state == "running"


def test_the_earliest_start_counts_if_it_is_asked_for(world: World) -> None:
    old = an_open_ticket(world)
    new = an_open_ticket(world, at=MONDAY_9 + 3 * HOUR)
    kept = clocks(world, new)["resolution"]

    merge.merge(old, into=new, by=world.bo, now=MONDAY_9 + 3 * HOUR + MINUTE, earliest=True)

    moved = clocks(world, new)["resolution"]
    assert (kept.started_at, moved.started_at) == (MONDAY_9 + 3 * HOUR, MONDAY_9)
    assert moved.due_at < kept.due_at
    assert moved.spent == timedelta(hours=3, minutes=1)
    assert row(world, new).unanswered_since == MONDAY_9
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR + MINUTE)


def test_what_the_earlier_start_breaks_is_broken_at_the_merge_and_told_once(world: World) -> None:
    old = an_open_ticket(world)
    due = clocks(world, old)["first_response"].due_at
    new = an_open_ticket(world, at=due + HOUR)

    merge.merge(old, into=new, by=world.bo, now=due + 2 * HOUR, earliest=True)
    pass_time(until=due + 3 * HOUR)

    first = clocks(world, new)["first_response"]
    assert first.missed_at == due + 2 * HOUR
    told = [one for one in log(world, "step_fired") if one.ticket_id == row(world, new).id]
    steps = [one.data["step"] for one in told if one.data["metric"] == "first_response"]
    assert sorted(set(steps)) == [50, 75, 90, 100, 125]
    assert_fold_is_stored(world, at=due + 3 * HOUR)


# -- where words go


def test_a_later_message_to_the_source_lands_in_the_target_with_its_own_writer(world: World) -> None:
    target, source = an_open_ticket(world), a_stranger(world)
    merge.merge(source, into=target, across_customers=True, by=world.bo, now=MONDAY_9 + HOUR)

    held = write(world, source, "It still fails.", at=MONDAY_9 + 2 * HOUR)

    assert (held.id, held.number) == (target, 1)
    with reading(world.tenant.id):
        message = Message.objects.select_related("contact").latest("id")
        assert message.ticket_id == row(world, target).id
        assert message.contact is not None
        assert message.contact.email == "maja@ekberg.example"


def test_a_row_of_merges_leads_to_the_last(world: World) -> None:
    a, b, c = (an_open_ticket(world) for _ in range(3))
    merge.merge(a, into=b, by=world.bo, now=MONDAY_9 + HOUR)
    merge.merge(b, into=c, by=world.bo, now=MONDAY_9 + 2 * HOUR)

    assert write(world, a, "Still.", at=MONDAY_9 + 3 * HOUR).id == c
    with reading(world.tenant.id):
        assert [one.number for one in merged_into(row(world, c).id)] == [1, 2]
        assert [one.number for one in merged_into(row(world, b).id)] == [1]

    merge.unmerge(b, by=world.bo, now=MONDAY_9 + 4 * HOUR)

    assert write(world, a, "And still.", at=MONDAY_9 + 5 * HOUR).id == b
    come_back(at=MONDAY_9 + 5 * HOUR)
    assert_fold_is_stored(world, at=MONDAY_9 + 5 * HOUR)


def test_a_message_to_what_was_merged_into_a_closed_ticket_opens_a_follow_up(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + MINUTE)
    work.resolve(target, by=world.bo, now=MONDAY_9 + HOUR)
    pass_time(until=MONDAY_9 + 30 * DAY)

    held = write(world, source, "It is back.", at=MONDAY_9 + 30 * DAY)

    assert held.number == 3
    assert row(world, held.id).follows_id == row(world, target).id


# -- who is told


def told_of_merges(world: World) -> list[tuple[str, int]]:
    """Who has a notice, and on which ticket."""
    dispatch(at=MONDAY_9 + DAY)
    with reading(world.tenant.id):
        rows = Delivery.objects.filter(template="agent_merged").order_by("id")
        return list(rows.values_list("agent__name", "ticket__number"))


def test_those_who_have_the_two_tickets_are_told_where_they_go_on(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    mia = hold_by(world, source, "Mia Berg")
    work.take(target, by=world.ada, now=MONDAY_9 + MINUTE)

    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    assert sorted(told_of_merges(world)) == [("Ada Lind", 1), (mia, 1)]


def test_who_merges_is_not_told_of_it_and_nobody_twice(world: World) -> None:
    target, source, third = (an_open_ticket(world) for _ in range(3))
    for name in (target, source, third):
        work.take(name, by=world.ada, now=MONDAY_9 + MINUTE)

    merge.merge(source, into=target, by=world.ada, now=MONDAY_9 + HOUR)
    assert told_of_merges(world) == []
    merge.merge(third, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    assert told_of_merges(world) == [("Ada Lind", 1)]


# -- what is refused


def test_two_customers_are_merged_only_if_somebody_says_so(world: World) -> None:
    target, source = an_open_ticket(world), a_stranger(world)

    with pytest.raises(Invalid) as refused:
        merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    assert [fault.field for fault in refused.value.faults] == ["across_customers"]
    merge.merge(source, into=target, across_customers=True, by=world.bo, now=MONDAY_9 + HOUR)
    assert row(world, source).status == "merged"


def test_a_ticket_is_not_merged_into_itself_nor_into_nothing(world: World) -> None:
    ticket = an_open_ticket(world)

    for into in (ticket, "tkt_00000000000000000000000000", "esc_1"):
        with pytest.raises(Invalid) as refused:
            merge.merge(ticket, into=into, by=world.bo, now=MONDAY_9 + HOUR)
        assert [fault.field for fault in refused.value.faults] == ["into"]


def test_what_is_merged_is_merged_no_further_and_takes_nothing_in(world: World) -> None:
    a, b, c = (an_open_ticket(world) for _ in range(3))
    merge.merge(a, into=b, by=world.bo, now=MONDAY_9 + HOUR)

    for source, target in ((a, c), (c, a), (b, a)):
        with pytest.raises(WrongState, match="Ticket #1 was merged into another"):
            merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)


def test_an_open_ticket_does_not_end_in_a_resolved_one(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    work.resolve(target, by=world.bo, now=MONDAY_9 + MINUTE)

    with pytest.raises(WrongState, match="Ticket #1 is resolved"):
        merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)

    work.resolve(source, by=world.bo, now=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    assert row(world, source).status == "merged"


@pytest.mark.parametrize("end", ["closed", "void"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_what_has_ended_for_good_is_merged_with_nothing(world: World, end: str, side: str) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    name = source if side == "source" else target
    if end == "void":
        work.void(name, by=world.bo, now=MONDAY_9 + MINUTE)
    else:
        work.resolve(name, by=world.bo, now=MONDAY_9 + MINUTE)
        with writing(world.tenant.id):
            Ticket.objects.filter(id=row(world, name).id).update(status="closed")

    with pytest.raises(WrongState, match="has ended for good"):
        merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)


ON_A_MERGED_TICKET: dict[str, Callable[[World, str, datetime], Any]] = {
    "reply": lambda world, it, at: work.send_reply(it, text="Hello.", by=world.bo, now=at),
    "assign": lambda world, it, at: work.assign(it, by=world.ada, now=at),
    "take": lambda world, it, at: work.take(it, by=world.bo, now=at),
    "wait": lambda world, it, at: work.wait(it, reason=WaitReason.CUSTOMER, by=world.bo, now=at),
    "resume": lambda world, it, at: work.resume(it, by=world.bo, now=at),
    "resolve": lambda world, it, at: work.resolve(it, by=world.bo, now=at),
    "reopen": lambda world, it, at: work.reopen_ticket(it, by=world.bo, now=at),
    "priority": lambda world, it, at: work.prioritise(it, priority=Priority.P1, by=world.bo, now=at),
    "void": lambda world, it, at: work.void(it, by=world.bo, now=at),
    "escalate": lambda world, it, at: escalate.escalate(it, target="on_call", by=world.bo, now=at),
}


@pytest.mark.parametrize("act", ON_A_MERGED_TICKET)
def test_nothing_is_done_on_a_merged_ticket_but_its_return(world: World, act: str) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    before = row(world, source).version

    with pytest.raises(WrongState):
        ON_A_MERGED_TICKET[act](world, source, MONDAY_9 + 2 * HOUR)

    assert row(world, source).version == before


def test_who_may_not_work_may_not_merge(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    reader = Actor(tenant=world.tenant.id, role=Role.AUDITOR, kind=ActorKind.USER, id=1, name="Rut")

    with pytest.raises(Forbidden):
        merge.merge(source, into=target, by=reader, now=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    with pytest.raises(Forbidden):
        merge.unmerge(source, by=reader, now=MONDAY_9 + HOUR)


def test_another_tenants_ticket_is_neither_source_nor_target(world: World) -> None:
    other = a_world("elsewhere")
    mine, theirs = an_open_ticket(world), an_open_ticket(other)

    with pytest.raises(Invalid):
        merge.merge(mine, into=theirs, by=world.bo, now=MONDAY_9 + HOUR)
    with pytest.raises(NotFound):
        merge.merge(theirs, into=mine, by=world.bo, now=MONDAY_9 + HOUR)
    with pytest.raises(NotFound):
        merge.unmerge(theirs, by=world.bo, now=MONDAY_9 + HOUR)


# -- undo


def state_of(world: World, name: str) -> dict[str, Any]:
    """All that a merge and its undoing must leave as it was."""
    ticket = row(world, name)
    names = ("status", "team_id", "assignee_id", "level", "level_entered_at", "due_at", "at_risk_at", "is_breached",
             "wake_at", "unanswered_since", "waiting_internal_since", "resolved_at", "merged_into_id")  # fmt: skip
    with reading(world.tenant.id):
        rows = Clock.objects.filter(ticket_id=ticket.id).order_by("metric", "cycle").values()
        told = Escalation.objects.filter(ticket_id=ticket.id).order_by("rule", "metric", "step", "target")
        return {
            **{field: getattr(ticket, field) for field in names},
            "clocks": [{key: value for key, value in one.items() if key not in ("id", "ticket_id")} for one in rows],
            "waits": list(
                Wait.objects.filter(ticket_id=ticket.id).order_by("id").values_list("reason", "ended_at", "ends_by")
            ),
            "tasks": list(Task.objects.filter(ticket_id=ticket.id).values_list("kind", "ended_at", "outcome")),
            "told": list(told.values_list("rule", "metric", "step", "target", "state", "fires_at")),
        }  # fmt: skip


WAITING = [
    lambda world, it: None,
    lambda world, it: work.wait(it, reason=WaitReason.THIRD_PARTY, note="Them.", by=world.bo, now=MONDAY_9 + MINUTE),
    lambda world, it: work.send_reply(it, text="Which?", then_wait=True, by=world.bo, now=MONDAY_9 + MINUTE),
    lambda world, it: work.wait(
        it, reason=WaitReason.CUSTOMER_ASKED, until=MONDAY_9 + 3 * HOUR, by=world.bo, now=MONDAY_9 + MINUTE
    ),
    lambda world, it: work.resolve(it, by=world.bo, now=MONDAY_9 + MINUTE),
    lambda world, it: work.assign(it, by=world.ada, now=MONDAY_9 + MINUTE),
]  # fmt: skip


@pytest.mark.parametrize("how", range(len(WAITING)))
@pytest.mark.parametrize("length", [timedelta(0), 30 * MINUTE, 5 * HOUR, 3 * DAY])
@pytest.mark.parametrize("priority", [Priority.P1, Priority.P3])
def test_a_merge_that_is_undone_has_not_been(how: int, length: timedelta, priority: Priority) -> None:
    """Beside a twin that nobody merged, and for which the engine was away as long."""
    states = []
    merged_at = MONDAY_9 + 20 * MINUTE
    for slug in ("merged", "left"):
        world = a_staffed_world(slug)
        source = an_open_ticket(world, tier="professional", priority=priority)
        WAITING[how](world, source)  # type: ignore[no-untyped-call]
        with writing(world.tenant.id):
            Ticket.objects.exclude(id=row(world, source).id).update(wake_at=None)
        target = receive.open_ticket(
            a_message(subject="Another matter"), by=world.bo, now=MONDAY_9, priority=Priority.P4
        ).id
        if WAITING[how] is WAITING[4]:
            work.resolve(target, by=world.bo, now=MONDAY_9 + MINUTE)
        if slug == "merged":
            merge.merge(source, into=target, by=world.bo, now=merged_at)
            merge.unmerge(source, by=world.bo, now=merged_at + length)
        come_back(at=merged_at + length)
        assert_fold_is_stored(world, at=merged_at + length)
        states.append(state_of(world, source))
        with writing(world.tenant.id):
            Ticket.objects.update(wake_at=None)

    ours, twins = states
    revisions = [one.pop("policy_revision_id") for state in states for one in state["clocks"]]
    assert revisions
    for name in ("tenant_id", "since", "spent"):  # counted at different instants, to the same end
        for state in states:
            for one in state["clocks"]:
                if one["state"] == "running" or name == "tenant_id":
                    one.pop(name)
    for state in states:
        for name in ("team_id", "assignee_id"):
            state[name] = state[name] is not None
    assert ours == twins


def test_steps_that_fell_due_meanwhile_are_done_once_and_late(world: World) -> None:
    target = an_open_ticket(world, priority=Priority.P4)
    source = an_open_ticket(world, tier="enterprise", priority=Priority.P2)
    due = clocks(world, source)["first_response"].due_at
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + MINUTE)

    merge.unmerge(source, by=world.bo, now=due + 5 * MINUTE)
    come_back(at=due + 6 * MINUTE)

    lines = [one.data for one in log(world, "step_fired") if one.ticket_id == row(world, source).id]
    steps = [
        one["step"] for one in lines if one["metric"] == "first_response" and one["reason"] == "promise_spent"
    ]
    assert sorted(set(steps)) == [50, 75, 90, 100]
    breach = next(one for one in lines if one["step"] == 100 and one["metric"] == "first_response")
    assert breach["late_by_seconds"] == 300
    assert clocks(world, source)["first_response"].missed_at == due


def test_an_escalation_that_the_merge_ended_climbs_on(world: World) -> None:
    target = an_open_ticket(world, priority=Priority.P4)
    source = an_open_ticket(world, tier="enterprise", priority=Priority.P1)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + MINUTE)
    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 2 * MINUTE)

    pass_time(until=MONDAY_9 + HOUR)

    with reading(world.tenant.id):
        called = Escalation.objects.filter(ticket_id=row(world, source).id, rule="p1_created")
        states = set(called.values_list("state", flat=True))
    assert "climbed" in states


def test_what_came_to_the_merged_one_stays_in_the_target_and_its_own_talk_goes_home(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    write(world, source, "One more thing.", at=MONDAY_9 + 2 * HOUR)

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * HOUR)

    with reading(world.tenant.id):
        texts = list(Message.objects.order_by("id").values_list("ticket__number", "text"))
    assert texts == [
        (1, "I cannot find the setting."),
        (2, "I cannot find the setting."),
        (1, "One more thing."),
    ]
    assert write(world, source, "Mine again.", at=MONDAY_9 + 4 * HOUR).id == source


def test_an_answer_owed_only_for_the_source_is_owed_no_more_when_it_leaves(world: World) -> None:
    target = an_open_ticket(world)
    work.send_reply(target, text="Done.", by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * HOUR)

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * HOUR)

    answer = clocks(world, target)["next_response"]
    assert (answer.state, answer.outcome) == ("stopped", "void")
    assert row(world, target).unanswered_since is None
    assert clocks(world, source)["first_response"].state == "running"
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR)


def test_what_the_customer_wrote_in_the_target_since_is_still_owed_an_answer(world: World) -> None:
    target = an_open_ticket(world)
    work.send_reply(target, text="Done.", by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * HOUR)
    write(world, target, "Any news?", at=MONDAY_9 + 150 * MINUTE)

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * HOUR)

    answer = clocks(world, target)["next_response"]
    assert (answer.state, answer.started_at) == ("running", MONDAY_9 + 150 * MINUTE)
    assert row(world, target).unanswered_since == MONDAY_9 + 150 * MINUTE
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR)


def a_wait_that_a_merge_ended(world: World) -> tuple[str, str]:
    """A target that waited for its customer, and a source that asks."""
    target = an_open_ticket(world)
    work.send_reply(target, text="Which one?", then_wait=True, by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    source = an_open_ticket(world, at=MONDAY_9 + HOUR)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * HOUR)
    return source, target


def test_a_wait_that_the_merge_ended_goes_on_as_if_it_had_not() -> None:
    """Beside a twin into which nothing was merged."""
    states = []
    for slug in ("merged", "left"):
        world = a_staffed_world(slug)
        target = an_open_ticket(world)
        work.send_reply(target, text="Which one?", then_wait=True, by=world.bo, now=MONDAY_9 + 10 * MINUTE)
        source = an_open_ticket(world, at=MONDAY_9 + HOUR)
        if slug == "merged":
            merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * HOUR)
            assert row(world, target).status == "open"
            merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * HOUR)
            assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR)
        waiting, paused = state_of(world, target), clocks(world, target)["resolution"]
        write(world, target, "The blue one.", at=MONDAY_9 + 5 * HOUR)
        come_back(at=MONDAY_9 + 5 * HOUR)
        assert_fold_is_stored(world, at=MONDAY_9 + 5 * HOUR)
        answered, running = state_of(world, target), clocks(world, target)["resolution"]
        names = ("status", "waits", "unanswered_since", "waiting_internal_since")
        states.append([
            *(state[name] for state in (waiting, answered) for name in names),
            (paused.state, paused.spent), (running.state, running.spent, running.due_at),
        ])  # fmt: skip

    ours, twins = states
    assert ours == twins
    assert (ours[0], ours[-2][0]) == ("pending", "paused")


AFTER_THE_MERGE: dict[str, Callable[[World, str, datetime], Any]] = {
    "the customer wrote": lambda world, it, at: write(world, it, "The blue one.", at=at),
    "the customer thanked": lambda world, it, at: write(world, it, "Thank you!", at=at),
    "somebody answered": lambda world, it, at: work.send_reply(it, text="Done.", by=world.bo, now=at),
    "it was resolved": lambda world, it, at: work.resolve(it, by=world.bo, now=at),
}


@pytest.mark.parametrize("what", AFTER_THE_MERGE)
def test_a_wait_does_not_come_back_over_what_has_ended_it_since(world: World, what: str) -> None:
    source, target = a_wait_that_a_merge_ended(world)
    AFTER_THE_MERGE[what](world, target, MONDAY_9 + 150 * MINUTE)
    status = row(world, target).status

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * HOUR)

    assert row(world, target).status == status != "pending"
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR)


def test_a_wait_whose_bound_has_passed_ends_at_the_next_sweep(world: World) -> None:
    source, target = a_wait_that_a_merge_ended(world)

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 14 * DAY)
    come_back(at=MONDAY_9 + 14 * DAY)

    assert row(world, target).status == "resolved"
    assert_fold_is_stored(world, at=MONDAY_9 + 14 * DAY)


def test_starts_that_the_merge_moved_move_back(world: World) -> None:
    old = an_open_ticket(world)
    new = an_open_ticket(world, at=MONDAY_9 + 3 * HOUR)
    before = {metric: (one.started_at, one.due_at) for metric, one in clocks(world, new).items()}
    merge.merge(old, into=new, by=world.bo, now=MONDAY_9 + 3 * HOUR + MINUTE, earliest=True)

    merge.unmerge(old, by=world.bo, now=MONDAY_9 + 3 * HOUR + 2 * MINUTE)

    assert {metric: (one.started_at, one.due_at) for metric, one in clocks(world, new).items()} == before
    assert row(world, new).unanswered_since == MONDAY_9 + 3 * HOUR
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * HOUR + 2 * MINUTE)


def test_what_comes_back_stands_on_the_terms_of_today(world: World) -> None:
    target, source = an_open_ticket(world, tier="starter"), an_open_ticket(world, tier="starter")
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + MINUTE)
    customer = row(world, source).customer_id
    with reading(world.tenant.id):
        name = shown("cus", Ticket.objects.select_related("customer").get(number=1).customer.public_id)
    reconfigure.change_terms(
        name, card=CustomerCard(tier="enterprise"), by=world.ada, now=MONDAY_9 + 2 * MINUTE
    )
    assert clocks(world, source)["resolution"].outcome == "merged"

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 3 * MINUTE)

    assert customer == row(world, source).customer_id
    assert clocks(world, source)["resolution"].due_at == clocks(world, target)["resolution"].due_at
    assert_fold_is_stored(world, at=MONDAY_9 + 3 * MINUTE)


def test_who_has_left_meanwhile_does_not_get_the_ticket_back(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    work.take(source, by=world.ada, now=MONDAY_9 + MINUTE)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + 2 * MINUTE)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.ada_agent.id).update(left_at=MONDAY_9 + HOUR)

    merge.unmerge(source, by=world.bo, now=MONDAY_9 + 90 * MINUTE)

    assert row(world, source).assignee_id is None
    assert_fold_is_stored(world, at=MONDAY_9 + 90 * MINUTE)


def test_a_merge_is_undone_once_and_can_be_made_again(world: World) -> None:
    target, source = an_open_ticket(world), an_open_ticket(world)
    with pytest.raises(NotMerged):
        merge.unmerge(source, by=world.bo, now=MONDAY_9)
    for hour in (1, 3):
        merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + hour * HOUR)
        merge.unmerge(source, by=world.bo, now=MONDAY_9 + (hour + 1) * HOUR)
    with pytest.raises(NotMerged):
        merge.unmerge(source, by=world.bo, now=MONDAY_9 + 5 * HOUR)

    with reading(world.tenant.id):
        assert Merge.objects.filter(undone_at__isnull=False).count() == 2
    come_back(at=MONDAY_9 + 5 * HOUR)
    assert_fold_is_stored(world, at=MONDAY_9 + 5 * HOUR)


def test_a_merged_ticket_is_found_by_its_words_no_more_until_it_comes_back(world: World) -> None:
    target, source = (an_open_ticket(world, subject="Export fails with E4021") for _ in range(2))
    index_all()
    kept = vocabulary_row(world)

    def found() -> bool:
        """By the other one, and by a word of its own."""
        ticket = row(world, source).id
        holds = TermHolder.objects.filter(tenant_id=world.tenant.id, ticket_id=ticket).exists()
        assert holds == (ticket in [one.ticket for one in like(world, row(world, target).id, least=0)])
        return holds

    assert found()
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9 + HOUR)
    assert not found()
    merge.unmerge(source, by=world.bo, now=MONDAY_9 + HOUR)
    assert found()
    assert vocabulary_row(world) == kept, "130 kB that no merge has to write"


def vocabulary_row(world: World) -> tuple[Any, ...]:
    """The row as it was last written: where it lies, and by which transaction."""
    with reading(world.tenant.id), connection.cursor() as cursor:
        cursor.execute("select ctid, xmin, xmax from triage_tenantvocabulary")
        (written,) = cursor.fetchall()
        return tuple(written)


# -- two at a time


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
