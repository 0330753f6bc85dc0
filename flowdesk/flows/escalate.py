"""Time passes, people escalate, somebody takes it."""

import logging
from collections.abc import Sequence
from datetime import datetime

from flowdesk.core import metrics
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.core.tenant import act
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.promises import Occurrence
from flowdesk.escalation import services as escalation
from flowdesk.flows.deeds import end_waits_at_their_bounds
from flowdesk.flows.desk import Work, close_work, open_work, work_on, write_note
from flowdesk.people import queries as people
from flowdesk.tickets import services as tickets
from flowdesk.tickets.states import EventKind, Status

log = logging.getLogger("flowdesk.worker")
LOUD_FROM = 3  # failures in a row that no passing trouble explains


@act
def wake(ids: Sequence[int], *, by: Actor, now: datetime) -> int:
    """Do what time has made due on these tickets of one tenant: misses, rungs, ends of waits, climbs.

    Tickets that somebody works on at this moment are left for the next round. Returns how many were woken.
    """
    by.must(Act.WORK)
    works = work_on(tickets.claim_tickets(ids, at=now))
    for work in works:
        _wake(work, by=by, at=now)
    if works:
        close_work(*works, by=by, at=now)
    return len(works)


def _wake(work: Work, *, by: Actor, at: datetime) -> None:
    ticket = work.ticket
    if ticket.status == Status.RESOLVED:
        _close(work, by=by, at=at)
        return
    end_waits_at_their_bounds(work, last_act=ticket.updated_at, by=by, at=at)
    work.pass_time(to=at)
    if not ticket.is_active:
        return


def _close(work: Work, *, by: Actor, at: datetime) -> None:
    """A resolved ticket closes after a while; a later message opens a linked follow-up."""
    ticket = work.ticket
    closes_at = (ticket.resolved_at or at) + work.desk.policy.promises.closes_after
    if closes_at > at:
        return
    ticket.status = Status.CLOSED
    ticket.closed_at = at
    work.changed.add("closed_at")
    work.log(EventKind.TICKET_CLOSED, by=by, at=at, because="time")
    work.happen(Occurrence.CLOSED, at=at)


def wake_each(ids: Sequence[int], *, by: Actor, now: datetime) -> int:
    """Wake tickets together; if one of them cannot be woken, each by itself, and put the bad one off (law 7).

    Several acts, each whole by itself. Returns how many were woken. When the database is away, its fault is
    raised and no ticket is blamed for it.
    """
    try:
        return wake(ids, by=by, now=now)
    except Exception as fault:
        if is_database_away(fault):
            raise
        if len(ids) > 1:
            return sum(wake_each([one], by=by, now=now) for one in ids)
        failures = put_aside(ids[0], by=by, now=now, fault=type(fault).__name__) or 0
        metrics.WAKE_FAILURES.add()
        log.log(
            logging.ERROR if failures >= LOUD_FROM else logging.WARNING,
            "wake_failed",
            exc_info=fault,
            extra={"tenant": by.tenant, "ticket": ids[0], "failures": failures},
        )
        return 0


@act
def escalate(
    ticket_id: str, *, target: str, by: Actor, now: datetime, note: str = "", expected: Expected = None
) -> None:
    """Escalate by hand to a post, the team lead or those on call; it is a task with a deadline."""
    work = open_work(ticket_id, Act.ESCALATE, by=by, expected=expected)
    tickets.must_be_active(work.ticket)
    crew = escalation.load_crew(people.teams(), at=now)
    known = {"team_lead", "on_call", *crew.offices}
    if target not in known:
        raise Invalid(Fault("target", f"is not one of {', '.join(sorted(known))}"))
    write_note(work, note, by=by, at=now)
    work.pass_time(to=now)
    work.asked.append((target, "by_hand"))
    close_work(work, by=by, at=now)


@act
def acknowledge(escalation_id: str, *, by: Actor, now: datetime, expected: Expected = None) -> None:
    """Take an escalation: the climb stops. Raises AlreadyAcknowledged when somebody was faster."""
    ticket_id = escalation.ticket_of(escalation_id)
    work = open_work(ticket_id, Act.ACKNOWLEDGE, by=by)
    one = escalation.lock_escalation(escalation_id)
    must_stand_at(one.version, expected)
    taken = escalation.acknowledge(one, agent=by.agent, at=now)
    work.open_tasks = [row for row in work.open_tasks if row.id not in taken]
    work.log(EventKind.ESCALATION_ACKNOWLEDGED, by=by, at=now, escalations=taken, agent=by.agent)
    work.pass_time(to=now)
    close_work(work, by=by, at=now)


@act
def put_aside(ticket_id: int, *, by: Actor, now: datetime, fault: str) -> int | None:
    """A ticket could not be woken: count it and try again later, so that the others go on meanwhile.

    Returns its failures in a row; None when it is gone or somebody else has dealt with it.
    """
    by.must(Act.WORK)
    failures = tickets.count_failure(ticket_id, at=now)
    if failures is not None:
        tickets.record(
            tickets.NewEvent(
                ticket=ticket_id,
                kind=EventKind.WAKE_FAILED,
                at=now,
                by=by,
                data={"failures": failures, "fault": fault},
            )
        )
    return failures
