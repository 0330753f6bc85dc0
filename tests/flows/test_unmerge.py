"""A merge is undone, and both tickets are as if it had not been (N11)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import merge, receive, reconfigure, work
from flowdesk.people.models import Agent
from flowdesk.people.services import CustomerCard
from flowdesk.sla.models import Clock
from flowdesk.tickets.merges import NotMerged
from flowdesk.tickets.models import Merge, Message, Task, Ticket, Wait
from flowdesk.triage.models import TermHolder
from tests.builders import MONDAY_9, World, a_message
from tests.flows.merging import clocks, row, write
from tests.flows.story import DAY, HOUR, MINUTE, a_staffed_world, an_open_ticket, come_back, log, pass_time
from tests.flows.test_fold import assert_fold_is_stored
from tests.triage.desk import index_all, like

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_staffed_world()


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
