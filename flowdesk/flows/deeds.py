"""What several flows do to a ticket on its desk: reopen it, end a wait, resolve it. None of these is a flow."""

from collections.abc import Sequence
from datetime import datetime

from flowdesk.core.actor import Actor
from flowdesk.engine.promises import Occurrence, WaitReason
from flowdesk.escalation import services as escalation
from flowdesk.flows.desk import Work
from flowdesk.tickets.models import Wait
from flowdesk.tickets.states import EventKind, Status, TaskOutcome


def reopen(work: Work, *, by: Actor, at: datetime, because: str) -> None:
    """Set a resolved ticket to work again; the caller lets REOPENED happen."""
    ticket = work.ticket
    ticket.status = Status.OPEN
    ticket.reopen_count += 1
    ticket.resolved_at = None
    ticket.waiting_internal_since = at
    ticket.level_entered_at = at  # the time it was closed is no time in a level
    work.changed |= {"reopen_count", "resolved_at", "waiting_internal_since", "level_entered_at"}
    work.log(EventKind.TICKET_REOPENED, by=by, at=at, because=because)


def end_wait(
    work: Work,
    reason: WaitReason,
    *,
    by: Actor,
    at: datetime,
    because: str,
    ended_at: datetime | None = None,
) -> bool:
    """End an open wait for this reason; the ticket is open again when no other is left.

    `ended_at` is when it was over, if that was before `at`, the instant of the act that notes it.
    """
    over = ended_at or at
    open_ones = [wait for wait in work.desk.waits if wait.reason == reason and wait.ended_at is None]
    for wait in open_ones:
        wait.ended_at = over
        wait.save(update_fields=["ended_at"])
        work.log(
            EventKind.WAIT_ENDED,
            by=by,
            at=at,
            reason=reason.value,
            because=because,
            ended_at=over.isoformat(),
        )
    left = [wait for wait in work.desk.waits if wait.ended_at is None]
    if open_ones:
        work.ticket.status = status_of(left)
    return bool(open_ones)


def status_of(waits: Sequence[Wait]) -> Status:
    """The status that open waits make: pending is the customer's move, on hold anybody else's."""
    reasons = {wait.reason for wait in waits}
    if reasons - {WaitReason.CUSTOMER.value}:
        return Status.ON_HOLD
    return Status.PENDING if reasons else Status.OPEN


def end_work(work: Work, *, by: Actor, at: datetime, because: str) -> None:
    """Resolve a ticket on its desk."""
    ticket = work.ticket
    for reason in [WaitReason(wait.reason) for wait in work.desk.waits]:
        end_wait(work, reason, by=by, at=at, because="resolved")
    ticket.status = Status.RESOLVED
    ticket.resolved_at = at
    ticket.waiting_internal_since = None
    work.changed |= {"resolved_at", "waiting_internal_since"}
    work.task_outcome = TaskOutcome.DONE
    work.log(EventKind.TICKET_RESOLVED, by=by, at=at, because=because, agent=by.agent)
    work.happen(Occurrence.RESOLVED, at=at)
    escalation.close_all(ticket.id, at=at)
