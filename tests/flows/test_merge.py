"""One ticket is merged into another (N11)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from flowdesk.core.actor import Actor, ActorKind, Role
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.lanes import Window
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, merge, work
from flowdesk.hubs.outcomes import window_hit_rate
from flowdesk.notifications.models import Delivery
from flowdesk.notifications.services import dispatch
from flowdesk.tickets.merges import merged_into
from flowdesk.tickets.models import Message, Task, Ticket, Wait
from flowdesk.tickets.services import WrongState
from tests.builders import MONDAY_9, World, a_world
from tests.flows.merging import a_stranger, clocks, hold_by, row, write
from tests.flows.story import DAY, HOUR, MINUTE, a_staffed_world, an_open_ticket, come_back, log, pass_time
from tests.flows.test_fold import assert_fold_is_stored

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


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
