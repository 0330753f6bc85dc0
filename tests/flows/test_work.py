"""What agents do with a ticket, and what it does to what was promised."""

from dataclasses import replace

import pytest

from flowdesk.core.actor import Role, system
from flowdesk.core.errors import Forbidden, Invalid
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, receive, work
from flowdesk.flows.work import ChangedMeanwhile
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Note, Ticket, Wait
from flowdesk.tickets.services import WrongState
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World
from tests.flows.story import (
    DAY,
    HOUR,
    MINUTE,
    a_staffed_world,
    an_open_ticket,
    clock,
    ladder,
    log,
    mails,
    pass_time,
    ticket,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

NOON = MONDAY_9 + 3 * HOUR


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def an_answered_ticket(world: World) -> str:
    """Answered ten minutes after it came in, so that only the resolution is open."""
    opened = an_open_ticket(world)
    work.send_reply(opened, text="We look into it.", by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    return opened


def customer_writes(world: World, opened: str, text: str, *, at: object) -> None:
    receive.take_message(opened, text=text, channel=Channel.EMAIL, by=system(world.tenant.id), now=at)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", [WaitReason.THIRD_PARTY, WaitReason.CUSTOMER_ASKED, WaitReason.CUSTOMER])
def test_a_pause_moves_the_deadline_by_its_own_business_time(world: World, reason: WaitReason) -> None:
    opened = an_answered_ticket(world)
    before = clock(world, "resolution").due_at

    work.wait(opened, reason=reason, note="The carrier.", by=world.bo, now=NOON)
    paused = clock(world, "resolution")
    work.resume(opened, by=world.bo, now=NOON + DAY)  # a night between: eight open hours, not 24

    assert paused.state == "paused"
    assert before == MONDAY_9 + 2 * DAY
    # Used up exactly at closing, and so due on the closing instant of that Wednesday.
    assert clock(world, "resolution").due_at == before + 8 * HOUR
    assert clock(world, "resolution").spent == 3 * HOUR


def test_maintenance_pauses_even_the_first_answer_and_is_told(world: World) -> None:
    opened = an_open_ticket(world)

    work.wait(opened, reason=WaitReason.MAINTENANCE, by=world.bo, now=MONDAY_9 + HOUR)
    pass_time(until=MONDAY_9 + 7 * HOUR)

    assert clock(world, "first_response").state == "paused"
    assert ladder(world, "ladder.first_response") == []
    assert mails(world, at=NOON)[-1] == "customer_waiting"


def test_overlapping_waits_count_once(world: World) -> None:
    opened = an_answered_ticket(world)
    before = clock(world, "resolution").due_at

    work.wait(opened, reason=WaitReason.THIRD_PARTY, note="The carrier.", by=world.bo, now=NOON)
    work.wait(opened, reason=WaitReason.CUSTOMER_ASKED, by=world.bo, now=NOON + HOUR)
    work.resume(opened, reason=WaitReason.THIRD_PARTY, by=world.bo, now=NOON + 2 * HOUR)
    assert ticket(world).status == "on_hold"
    work.resume(opened, reason=WaitReason.CUSTOMER_ASKED, by=world.bo, now=NOON + 3 * HOUR)

    assert clock(world, "resolution").due_at == before + 3 * HOUR
    assert ticket(world).status == "open"


def test_a_wait_for_a_third_party_says_for_whom(world: World) -> None:
    opened = an_answered_ticket(world)

    with pytest.raises(Invalid) as refused:
        work.wait(opened, reason=WaitReason.THIRD_PARTY, note="  ", by=world.bo, now=NOON)

    assert [fault.field for fault in refused.value.faults] == ["note"]
    assert clock(world, "resolution").state == "running"
    assert log(world, "wait_started") == []


def test_a_wait_lasts_no_longer_than_the_policy_lets_it(world: World) -> None:
    opened = an_answered_ticket(world)

    for until in (NOON, NOON - MINUTE, NOON + 30 * DAY):
        with pytest.raises(Invalid):
            work.wait(opened, reason=WaitReason.CUSTOMER, until=until, by=world.bo, now=NOON)

    with reading(world.tenant.id):
        assert not Wait.objects.exists()


def test_waiting_twice_for_the_same_is_refused(world: World) -> None:
    opened = an_answered_ticket(world)
    work.wait(opened, reason=WaitReason.CUSTOMER, by=world.bo, now=NOON)

    with pytest.raises(WrongState):
        work.wait(opened, reason=WaitReason.CUSTOMER, by=world.bo, now=NOON + MINUTE)
    work.resume(opened, by=world.bo, now=NOON + HOUR)
    with pytest.raises(WrongState):
        work.resume(opened, by=world.bo, now=NOON + HOUR)


def test_a_silent_customer_is_reminded_after_two_days_and_resolved_after_five(world: World) -> None:
    opened = an_open_ticket(world)
    work.send_reply(opened, text="Which version?", then_wait=True, by=world.bo, now=MONDAY_9 + 10 * MINUTE)
    assert ticket(world).status == "pending"

    pass_time(until=MONDAY_9 + 2 * DAY + 9 * MINUTE)
    assert log(world, "wait_reminded") == []
    pass_time(until=MONDAY_9 + 2 * DAY + 10 * MINUTE)
    assert len(log(world, "wait_reminded")) == 1
    # Five business days from Monday: Friday is Midsummer's Eve, so the fifth is the Tuesday after.
    fifth = MONDAY_9 + 8 * DAY + 10 * MINUTE
    pass_time(until=fifth - MINUTE)
    assert ticket(world).status == "pending"
    pass_time(until=fifth)

    assert ticket(world).status == "resolved"
    assert ticket(world).resolved_at == fifth
    assert mails(world, at=fifth)[-2:] == ["customer_reminded", "customer_resolved"]
    assert clock(world, "resolution").outcome == "met"


def test_the_customers_word_ends_the_wait_and_asks_for_an_answer(world: World) -> None:
    opened = an_open_ticket(world)
    work.send_reply(opened, text="Which version?", then_wait=True, by=world.bo, now=MONDAY_9 + 10 * MINUTE)

    customer_writes(world, opened, "Version 4.2.", at=NOON)

    assert ticket(world).status == "open"
    assert clock(world, "resolution").state == "running"
    assert clock(world, "next_response").started_at == NOON
    assert ticket(world).unanswered_since == NOON
    pass_time(until=MONDAY_9 + 30 * DAY - MINUTE)
    assert log(world, "wait_reminded") == []


def test_a_thank_you_starts_and_reopens_nothing(world: World) -> None:
    opened = an_answered_ticket(world)
    work.resolve(opened, by=world.bo, now=NOON)

    customer_writes(world, opened, "Thank you!", at=NOON + MINUTE)

    assert ticket(world).status == "resolved"
    with reading(world.tenant.id):
        assert not Clock.objects.filter(metric="next_response").exists()


def test_a_second_question_before_an_answer_keeps_the_first_ones_deadline(world: World) -> None:
    opened = an_answered_ticket(world)
    customer_writes(world, opened, "And another thing.", at=NOON)
    customer_writes(world, opened, "Are you there?", at=NOON + HOUR)

    assert clock(world, "next_response").started_at == NOON
    work.send_reply(opened, text="Yes.", by=world.bo, now=NOON + 2 * HOUR)
    assert clock(world, "next_response").outcome == "met"
    assert clock(world, "next_response").spent == 2 * HOUR


def test_resolving_ends_waits_and_stops_every_clock(world: World) -> None:
    opened = an_open_ticket(world)
    work.wait(opened, reason=WaitReason.CUSTOMER_ASKED, by=world.bo, now=MONDAY_9 + HOUR)

    work.resolve(opened, by=world.bo, now=NOON, note="It was the cable.")

    with reading(world.tenant.id):
        assert not Clock.objects.exclude(state="stopped").exists()
        assert not Wait.objects.filter(ended_at__isnull=True).exists()
        assert Note.objects.filter(text="It was the cable.").exists()
    assert ticket(world).wake_at == NOON + 5 * DAY
    assert clock(world, "first_response").outcome == "met"  # resolved without a reply stops it as well


def test_reopening_goes_on_where_it_was_left_with_the_closed_time_left_out(world: World) -> None:
    opened = an_answered_ticket(world)
    before = clock(world, "resolution").due_at
    work.resolve(opened, by=world.bo, now=NOON)

    work.reopen_ticket(opened, by=world.bo, now=NOON + DAY)

    resolution = clock(world, "resolution")
    assert (resolution.state, resolution.cycle) == ("running", 1)
    assert resolution.due_at == before + 8 * HOUR  # an office day was left out
    assert ticket(world).reopen_count == 1
    with reading(world.tenant.id):
        assert Clock.objects.filter(metric="first_response").count() == 1


def test_words_after_resolving_reopen(world: World) -> None:
    opened = an_answered_ticket(world)
    work.resolve(opened, by=world.bo, now=NOON)

    customer_writes(world, opened, "It is broken again.", at=NOON + HOUR)

    assert (ticket(world).status, ticket(world).reopen_count) == ("open", 1)
    assert clock(world, "next_response").started_at == NOON + HOUR


def test_a_resolved_ticket_closes_after_five_days_and_stays_closed(world: World) -> None:
    opened = an_answered_ticket(world)
    work.resolve(opened, by=world.bo, now=NOON)

    pass_time(until=NOON + 5 * DAY - MINUTE)
    assert ticket(world).status == "resolved"
    pass_time(until=NOON + 5 * DAY)

    assert (ticket(world).status, ticket(world).wake_at) == ("closed", None)
    with pytest.raises(WrongState):
        work.reopen_ticket(opened, by=world.bo, now=NOON + 6 * DAY)


def test_a_message_on_a_closed_ticket_opens_a_linked_follow_up(world: World) -> None:
    opened = an_answered_ticket(world)
    work.resolve(opened, by=world.bo, now=NOON)
    pass_time(until=NOON + 5 * DAY)

    customer_writes(world, opened, "It happens again.", at=NOON + 6 * DAY)

    with reading(world.tenant.id):
        old, new = Ticket.objects.order_by("number")
    assert (old.status, new.status) == ("closed", "open")
    assert new.follows_id == old.id


def test_words_that_come_later_call_for_the_same_people(world: World) -> None:
    opened = an_answered_ticket(world)

    customer_writes(world, opened, "My lawyer will sue you.", at=NOON)

    with reading(world.tenant.id):
        rules = set(Escalation.objects.values_list("rule", flat=True))
    assert "legal_threat" in rules


def test_an_act_after_a_deadline_does_not_carry_the_climb_away(world: World) -> None:
    opened = an_open_ticket(world)
    escalate.escalate(opened, target="support_manager", by=world.bo, now=MONDAY_9)
    work.wait(opened, reason=WaitReason.CUSTOMER_ASKED, by=world.bo, now=MONDAY_9 + MINUTE)

    work.add_note(opened, text="Still at it.", by=world.bo, now=MONDAY_9 + HOUR + MINUTE)

    with reading(world.tenant.id):
        targets = set(Escalation.objects.filter(rule="by_hand").values_list("target", flat=True))
    assert targets == {"support_manager", "director"}


def test_resolving_after_a_standstill_leaves_no_open_task(world: World) -> None:
    opened = an_open_ticket(world)

    work.resolve(opened, by=world.bo, now=MONDAY_9 + 6 * HOUR)

    with reading(world.tenant.id):
        fired = Escalation.objects.filter(rule="ladder.first_response").count()
        assert not Escalation.objects.filter(state="open").exists()
    assert fired > 0


def test_a_void_ticket_is_outside_every_rate_and_wakes_nobody(world: World) -> None:
    opened = an_open_ticket(world)
    work.wait(opened, reason=WaitReason.CUSTOMER_ASKED, by=world.bo, now=MONDAY_9 + HOUR)

    work.void(opened, by=world.bo, now=NOON)

    with reading(world.tenant.id):
        assert set(Clock.objects.values_list("outcome", flat=True)) == {"void"}
    assert (ticket(world).status, ticket(world).wake_at) == ("void", None)


def test_more_pressing_terms_hold_from_the_start(world: World) -> None:
    opened = an_open_ticket(world)

    work.prioritise(opened, priority=Priority.P2, by=world.bo, now=MONDAY_9 + HOUR)
    assert clock(world, "first_response").due_at == MONDAY_9 + 4 * HOUR
    work.prioritise(opened, priority=Priority.P1, by=world.bo, now=MONDAY_9 + 2 * HOUR)

    # An hour from the start has gone by already: it is broken when it is agreed, and said so at once.
    assert clock(world, "first_response").missed_at == MONDAY_9 + 2 * HOUR
    assert 100 in [told.step for told in ladder(world, "ladder.first_response")]


def test_a_miss_is_never_taken_back(world: World) -> None:
    opened = an_open_ticket(world)
    pass_time(until=MONDAY_9 + 4 * HOUR)

    work.prioritise(opened, priority=Priority.P4, by=world.bo, now=MONDAY_9 + 5 * HOUR)
    work.send_reply(opened, text="Here.", by=world.bo, now=MONDAY_9 + 6 * HOUR)

    assert clock(world, "first_response").outcome == "missed"
    assert clock(world, "first_response").missed_at == MONDAY_9 + 4 * HOUR


def test_a_note_answers_nobody(world: World) -> None:
    opened = an_open_ticket(world)

    work.add_note(opened, text="Ask Ada.", by=world.bo, now=MONDAY_9 + MINUTE)

    assert clock(world, "first_response").state == "running"
    assert ticket(world).first_response_at is None


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * 200_001])
def test_words_that_cannot_be_kept_are_refused_and_nothing_happens(world: World, text: str) -> None:
    opened = an_open_ticket(world)
    before = len(log(world))

    with pytest.raises(Invalid):
        work.send_reply(opened, text=text, by=world.bo, now=NOON)

    assert len(log(world)) == before


def test_an_auditor_reads_and_does_not_work(world: World) -> None:
    opened = an_open_ticket(world)
    auditor = replace(world.bo, role=Role.AUDITOR)

    with pytest.raises(Forbidden):
        work.send_reply(opened, text="Hello.", by=auditor, now=NOON)
    with reading(world.tenant.id):
        assert Ticket.objects.get().reply_count == 0


def test_a_priority_that_somebody_else_set_since_is_not_set_over_unseen(world: World) -> None:
    opened = an_open_ticket(world)
    work.prioritise(opened, priority=Priority.P2, seen=Priority.P3, by=world.ada, now=NOON)

    with pytest.raises(ChangedMeanwhile, match=r"Ada Lind set P2 \(2026-06-15T10:00:00"):
        work.prioritise(opened, priority=Priority.P4, seen=Priority.P3, by=world.bo, now=NOON + MINUTE)

    assert ticket(world).priority == 2
    work.prioritise(opened, priority=Priority.P4, seen=Priority.P2, by=world.bo, now=NOON + MINUTE)
    assert ticket(world).priority == 4


@pytest.mark.parametrize("to", ["ada", ""])
def test_an_assignee_whom_somebody_else_gave_it_since_keeps_it(world: World, to: str) -> None:
    opened = an_open_ticket(world)
    ada, bo = (shown("agt", agent.public_id) for agent in (world.ada_agent, world.bo_agent))
    work.assign(opened, agent=bo, by=world.ada, now=MONDAY_9)
    work.assign(opened, agent=ada if to else None, seen=bo, by=world.ada, now=MONDAY_9)
    said = "Ada Lind gave the ticket to Ada Lind" if to else "Ada Lind put the ticket back in its queue"

    with pytest.raises(ChangedMeanwhile, match=said):
        work.assign(opened, agent=bo, seen=bo, by=world.bo, now=MONDAY_9 + MINUTE)

    assert ticket(world).assignee_id == (world.ada_agent.id if to else None)
    work.assign(opened, agent=bo, seen=ada if to else "", by=world.bo, now=MONDAY_9 + MINUTE)
    assert ticket(world).assignee_id == world.bo_agent.id


def test_what_one_has_set_oneself_or_what_else_has_changed_refuses_nothing(world: World) -> None:
    opened = an_open_ticket(world)
    work.take(opened, by=world.bo, now=MONDAY_9)
    work.prioritise(opened, priority=Priority.P2, by=world.bo, now=MONDAY_9)

    # In another window, which still shows nobody and P3; and somebody else writes meanwhile.
    work.add_note(opened, text="Look at the logs.", by=world.ada, now=MONDAY_9 + MINUTE)
    work.prioritise(opened, priority=Priority.P1, seen=Priority.P3, by=world.bo, now=MONDAY_9 + 2 * MINUTE)
    ada = shown("agt", world.ada_agent.public_id)
    work.assign(opened, agent=ada, seen="", by=world.bo, now=MONDAY_9 + 2 * MINUTE)

    assert (ticket(world).priority, ticket(world).assignee_id) == (1, world.ada_agent.id)


def test_what_the_desk_set_by_itself_is_named_so(world: World) -> None:
    opened = an_open_ticket(world)
    work.prioritise(opened, priority=Priority.P1, by=system(world.tenant.id), now=NOON)

    with pytest.raises(ChangedMeanwhile, match="Flowdesk set P1"):
        work.prioritise(opened, priority=Priority.P4, seen=Priority.P3, by=world.bo, now=NOON + MINUTE)


def test_who_got_it_because_time_went_by_was_given_it_by_the_desk(world: World) -> None:
    opened = an_open_ticket(world)
    ada, bo = (shown("agt", agent.public_id) for agent in (world.ada_agent, world.bo_agent))
    work.assign(opened, agent=ada, by=world.ada, now=MONDAY_9)
    work.add_note(
        opened, text="It has been on level 1 for too long.", by=world.ada, now=NOON
    )  # handed up with this
    assert ticket(world).assignee_id == world.bo_agent.id

    with pytest.raises(ChangedMeanwhile, match="Flowdesk gave the ticket to Bo Ek"):
        work.assign(opened, agent=bo, seen=ada, by=world.ada, now=NOON + MINUTE)
