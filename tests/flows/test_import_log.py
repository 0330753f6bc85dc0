"""A log of another desk becomes tickets here."""

from datetime import datetime, timedelta

import pytest

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.engine.history import LogEntry, LogState
from flowdesk.escalation.models import Escalation
from flowdesk.flows.import_log import import_log
from flowdesk.notifications.services import dispatch
from flowdesk.policies.services import current_policy
from flowdesk.sla.fold import fold
from flowdesk.sla.services import load_clocks
from flowdesk.tickets.models import Ticket, TicketEvent
from tests.builders import MONDAY_9, World, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])
HOUR = timedelta(hours=1)


def row(
    ticket: str, hours: float, state: LogState, *, priority: int = 3, assignee: str = "Resolver 1"
) -> LogEntry:
    return LogEntry(
        ticket=ticket,
        at=MONDAY_9 + hours * HOUR,
        state=state,
        priority=priority,
        assignee=assignee,
        tier="starter",
    )


LOG = [
    row("INC1", 0, LogState.OPEN, assignee=""),
    row("INC1", 1, LogState.OPEN),
    row("INC1", 2, LogState.CUSTOMER),
    row("INC1", 5, LogState.OPEN, priority=2),
    row("INC1", 6, LogState.RESOLVED, priority=2),
    row("INC1", 30, LogState.OPEN, priority=2),
    row("INC1", 31, LogState.CLOSED, priority=2),
    row("INC2", 1, LogState.OPEN),
    row("INC2", 3, LogState.THIRD_PARTY),
    row("INC3", 4, LogState.RESOLVED),
]


def imported(world: World, *, now: datetime) -> dict[str, Ticket]:
    list(import_log(LOG, name="desk.csv", by=system(world.tenant.id), now=now))
    with reading(world.tenant.id):
        return {ticket.external_ref: ticket for ticket in Ticket.objects.all()}


def test_tickets_stand_as_the_log_left_them() -> None:
    found = imported(a_world(), now=MONDAY_9 + 40 * HOUR)

    assert {ref: ticket.status for ref, ticket in found.items()} == {
        "INC1": "closed",
        "INC2": "on_hold",
        "INC3": "resolved",
    }
    assert found["INC1"].reopen_count == 1


def test_clocks_are_a_fold_over_the_events() -> None:
    world = a_world()
    now = MONDAY_9 + 40 * HOUR
    found = imported(world, now=now)

    with reading(world.tenant.id):
        for ticket in found.values():
            kept = [one.clock for one in load_clocks(world.tenant.id, [ticket.id])[ticket.id]]
            log = list(TicketEvent.objects.filter(ticket_id=ticket.id).order_by("id"))
            folded = fold(log, policy=current_policy(), to=now).promises.clocks
            assert {(one.metric, one.cycle): one for one in kept} == {
                (one.metric, one.cycle): one for one in folded
            }


def test_nobody_is_told_and_nothing_escalates() -> None:
    world = a_world()
    imported(world, now=MONDAY_9 + 400 * HOUR)

    assert dispatch(at=MONDAY_9 + 400 * HOUR) == 0
    with reading(world.tenant.id):
        assert not Escalation.objects.exists()


def test_an_import_may_be_begun_again() -> None:
    world = a_world()
    imported(world, now=MONDAY_9 + 40 * HOUR)

    *_, again = import_log(LOG, name="desk.csv", by=system(world.tenant.id), now=MONDAY_9 + 41 * HOUR)

    assert (again.tickets, again.known) == (0, 3)
