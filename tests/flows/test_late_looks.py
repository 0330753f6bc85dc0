"""What a second look brought to light, each pinned by the fault it was."""

from datetime import timedelta

import pytest

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows import receive, work
from flowdesk.people.models import Shift, ShiftKind
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.services import WrongState
from flowdesk.worker.jobs.wake_clocks import wake_clocks
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    return world


def the_ticket(world: World) -> Ticket:
    with reading(world.tenant.id):
        return Ticket.objects.get()


def test_time_in_a_level_begins_anew_when_a_ticket_is_reopened(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)
    work.resolve(opened.id, by=world.bo, now=MONDAY_9 + HOUR)

    work.reopen_ticket(opened.id, by=world.bo, now=MONDAY_9 + 5 * HOUR)

    assert the_ticket(world).level_entered_at == MONDAY_9 + 5 * HOUR


def test_a_step_passes_over_an_assignee_off_duty_and_says_so(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9, priority=Priority.P3)
    with writing(world.tenant.id):
        Shift.objects.filter(agent_id=world.bo_agent.id, kind=ShiftKind.WORK).update(weekdays=[6])

    wake_clocks(now=MONDAY_9 + 3 * HOUR)

    with reading(world.tenant.id):
        step = Escalation.objects.get(rule="ladder.first_response", step=50, target="assignee")
    assert opened.number == 1
    assert step.agent_id == world.ada_agent.id
    assert step.trace["way"] == ["assignee", "team_lead"]


def test_a_transfer_waits_for_the_first_act_of_those_who_got_it(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)
    work.send_reply(opened.id, text="We look.", by=world.bo, now=MONDAY_9 + HOUR)

    work.assign(opened.id, team="security", by=world.ada, now=MONDAY_9 + 2 * HOUR)

    assert the_ticket(world).waiting_internal_since == MONDAY_9 + 2 * HOUR


def test_what_has_ended_is_voided_by_a_manager_alone(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)
    work.resolve(opened.id, by=world.bo, now=MONDAY_9 + HOUR)

    with pytest.raises(WrongState):
        work.void(opened.id, by=world.bo, now=MONDAY_9 + 2 * HOUR)
    work.void(opened.id, by=system(world.tenant.id), now=MONDAY_9 + 2 * HOUR)

    assert the_ticket(world).status == "void"
