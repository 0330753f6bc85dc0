"""How a customer feels in later words: noted, explained, and anger weighs the priority anew (F-TRI-08)."""

from __future__ import annotations

from typing import Any

import pytest

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows import receive, work
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import latest_traces
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import HOUR, a_staffed_world, log, ticket
from tests.flows.test_fold import ANGRY, assert_fold_is_stored

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

CALM = {"subject": "The export stops", "text": "The export stops at sixty percent with an error message."}


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    a_customer(world, tier="professional")
    return world


def opened(world: World, **said: Any) -> str:
    return receive.open_ticket(a_message(**CALM), by=world.bo, now=MONDAY_9, **said).id


def writes(world: World, name: str, text: str) -> None:
    receive.take_message(
        name, text=text, channel=Channel.EMAIL, by=system(world.tenant.id), now=MONDAY_9 + HOUR
    )


def traces(world: World, subject: str) -> dict[str, Any]:
    with reading(world.tenant.id):
        return latest_traces([ticket(world).id], subject=subject)[ticket(world).id]


def test_anger_in_a_later_message_raises_the_priority_by_one_and_says_why(world: World) -> None:
    name = opened(world)
    before = ticket(world)
    assert (before.sentiment in ("neutral", "negative"), before.priority) == (True, 3)

    writes(world, name, ANGRY)

    after = ticket(world)
    assert (after.sentiment, after.priority) == ("angry", 2)
    assert traces(world, "triage")["sentiment"]["sentiment"] == "angry"
    assert [one["code"] for one in traces(world, "priority")["reasons"]][-1] == "raised_by_anger"
    (changed,) = log(world, "priority_changed")
    assert (changed.data["before"], changed.data["after"], changed.data["because"]) == (3, 2, "anger")
    assert_fold_is_stored(world, at=MONDAY_9 + HOUR)
    with reading(world.tenant.id):
        due = Clock.objects.get(metric="first_response").due_at
    assert due == MONDAY_9 + 2 * HOUR  # a professional P2's, from the start


def test_the_second_angry_message_raises_nothing_more(world: World) -> None:
    name = opened(world)
    writes(world, name, ANGRY)
    writes(world, name, ANGRY)

    assert ticket(world).priority == 2
    assert len(log(world, "priority_changed")) == 1


def test_a_priority_said_outright_stands_in_anger(world: World) -> None:
    by_hand, at_once = opened(world), opened(world, priority=Priority.P4)
    work.prioritise(by_hand, priority=Priority.P3, by=world.ada, now=MONDAY_9)
    for name in (by_hand, at_once):
        writes(world, name, ANGRY)

    with reading(world.tenant.id):
        assert sorted(Ticket.objects.values_list("priority", "sentiment")) == [
            (3, "angry"), (4, "angry"),
        ]  # fmt: skip


def test_calmer_words_take_the_anger_back_and_lower_nothing(world: World) -> None:
    name = opened(world)
    writes(world, name, ANGRY)
    writes(world, name, "Great, wonderful, thank you so much. I love it, excellent help!")

    after = ticket(world)
    assert (after.sentiment, after.priority) == ("positive", 2)


def test_words_without_feeling_leave_the_mood_as_it_was(world: World) -> None:
    name = opened(world)
    writes(world, name, ANGRY)
    writes(world, name, "The number is 4711.")

    assert ticket(world).sentiment == "angry"


def test_a_rule_of_escalation_may_ask_for_the_mood(world: World) -> None:
    rule = "{name: fury, on: [prioritised], if: \"sentiment == 'angry'\", to: [director], within: 1 h, act: reach_out}"
    source = pack_source()
    head, events, tail = source.partition("  events:\n")
    assert events
    with writing(world.tenant.id):
        save_revision(f"{head}{events}    - {rule}\n{tail}", by=system(world.tenant.id), at=MONDAY_9)
    name = opened(world)

    writes(world, name, ANGRY)

    with reading(world.tenant.id):
        assert Escalation.objects.filter(rule="fury").count() == 1
