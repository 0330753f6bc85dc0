"""What several flows do to a ticket on its desk: reopen, end a wait, resolve, weigh anew. None of these is a flow."""

from collections.abc import Sequence
from datetime import datetime

from flowdesk.core.actor import Actor
from flowdesk.engine.alternatives import Weighed
from flowdesk.engine.facts import Sentiment
from flowdesk.engine.priority import Grade
from flowdesk.engine.promises import Occurrence, WaitReason
from flowdesk.escalation import services as escalation
from flowdesk.flows.desk import Work
from flowdesk.tickets.models import Explanation, Ticket, TicketEvent, Wait
from flowdesk.tickets.states import EventKind, Status, TaskOutcome

CORRECTED, ANGER = "corrected", "anger"
COMPUTED = (CORRECTED, ANGER)  # why a priority changed, other than that somebody said it outright
GRADES = {grade.value[0].upper(): grade for grade in Grade}  # as a ticket keeps them


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


def end_waits_at_their_bounds(work: Work, *, last_act: datetime, by: Actor, at: datetime) -> None:
    """Waits that reached their bound end themselves; a wait for the customer reminds first and resolves last.

    A wait ends at its bound even when we come late, and what was paused has run since then; but not before the
    last act on the ticket, which still found it waiting.
    """
    rules = work.desk.policy.promises.waits
    for wait in sorted(work.desk.waits, key=lambda wait: (wait.ends_by, wait.id)):
        reason = WaitReason(wait.reason)
        rule = rules.get(reason)
        if wait.ends_by <= at:
            over = max(wait.ends_by, last_act)
            work.pass_time(to=over)
            if rule is not None and rule.resolves_at_limit:
                work.pass_time(to=at)
                end_work(work, by=by, at=at, because="customer_silent")
                return
            end_wait(work, reason, by=by, at=at, because="limit", ended_at=over)
            work.happen(Occurrence.WAIT_ENDED, at=over, ended_waits=[reason])
        elif wait.remind_at is not None and wait.remind_at <= at:
            wait.remind_at = None
            wait.save(update_fields=["remind_at"])
            work.log(EventKind.WAIT_REMINDED, by=by, at=at, reason=reason.value)


def is_set_by_hand(ticket: Ticket) -> bool:
    """Whether somebody said the priority outright, when the ticket came in or later."""
    changes = TicketEvent.objects.filter(ticket_id=ticket.id, kind=EventKind.PRIORITY_CHANGED)
    if any(why not in COMPUTED for why in changes.values_list("data__because", flat=True)):
        return True
    traces = Explanation.objects.filter(ticket_id=ticket.id, subject="priority").values_list(
        "trace", flat=True
    )
    return any(one["code"] == "set_by_agent" for trace in traces for one in trace.get("reasons", ()))


def weighed_again(work: Work, *, at: datetime) -> Weighed:
    """What a ticket's priority is made of, as it stands."""
    ticket, customer = work.ticket, work.customer
    return Weighed(
        impact=GRADES[ticket.impact],
        urgency=GRADES[ticket.urgency],
        category=ticket.category or None,
        subcategory=ticket.subcategory or None,
        customer_tier=customer.tier,
        is_vip=customer.is_vip,
        recent_escalations=escalation.recent_escalations(customer.id, at=at),
        sentiment=Sentiment(ticket.sentiment) if ticket.sentiment else None,
        signals=frozenset(ticket.signals),
    )
