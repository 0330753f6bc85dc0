"""Words come in."""

from datetime import timedelta

import pytest

from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, receive, work
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket, TicketEvent
from tests.builders import MONDAY_9, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def test_a_ticket_gets_number_team_assignee_and_clocks() -> None:
    world = a_world()
    a_customer(world)

    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    with reading(world.tenant.id):
        ticket = Ticket.objects.get(number=opened.number)
        metrics = set(Clock.objects.values_list("metric", flat=True))
    assert opened.number == 1
    assert ticket.assignee_id == world.bo_agent.id
    assert {"first_response", "resolution"} <= metrics
    assert ticket.due_at is not None


def test_a_p1_escalates_to_whoever_is_on_call_at_once() -> None:
    world = a_world()
    a_customer(world)

    receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9, priority=Priority.P1)

    with reading(world.tenant.id):
        one = Escalation.objects.get(rule="p1_created")
    assert one.agent_id == world.ada_agent.id
    assert one.due_at == MONDAY_9 + timedelta(minutes=15)


def test_a_reply_meets_the_first_response() -> None:
    world = a_world()
    a_customer(world)
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    work.send_reply(
        opened.id, text="Under settings, then language.", by=world.bo, now=MONDAY_9 + timedelta(minutes=5)
    )

    with reading(world.tenant.id):
        clock = Clock.objects.get(metric="first_response")
        kinds = list(TicketEvent.objects.order_by("id").values_list("kind", flat=True))
    assert clock.outcome == "met"
    assert clock.spent == timedelta(minutes=5)
    assert kinds[0] == "ticket_opened"


def test_taking_one_escalation_takes_all_of_the_ticket() -> None:
    world = a_world()
    a_customer(world)
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9, priority=Priority.P1)
    escalate.escalate(opened.id, target="support_manager", by=world.bo, now=MONDAY_9 + timedelta(minutes=1))
    with reading(world.tenant.id):
        mine = Escalation.objects.filter(state="open", agent_id=world.ada_agent.id).order_by("id")
        first, waiting = mine[0], mine.count()

    escalate.acknowledge(shown("esc", first.public_id), by=world.ada, now=MONDAY_9 + timedelta(minutes=2))

    with reading(world.tenant.id):
        left = Escalation.objects.filter(state="open").count()
    assert waiting == 2
    assert left == 0
