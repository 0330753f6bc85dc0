"""A new ticket is looked at once it can be found: whether it repeats an older one, and what many are about.

The look is in parts, each whole by itself and done again without harm: what was merged is not merged again, and of
two that look at one ticket one goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db import connection

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError
from flowdesk.core.ids import shown
from flowdesk.core.tenant import act, current_tenant, reading
from flowdesk.engine.escalation import EventTrigger
from flowdesk.engine.likeness import DuplicateMode
from flowdesk.flows.desk import close_work, work_on
from flowdesk.flows.merge import merge
from flowdesk.policies.services import current_policy
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import EventKind, MergeReason
from flowdesk.triage import sql
from flowdesk.triage.doubles import Double, original_of
from flowdesk.triage.issues import place_ticket


def look_at_each(ids: Sequence[int], *, by: Actor, now: datetime) -> None:
    """Look at new tickets of one tenant, the oldest first."""
    by.must(Act.WORK)
    for ticket in sorted(ids):
        _look_at(ticket, by=by, now=now)


def _look_at(ticket_id: int, *, by: Actor, now: datetime) -> None:
    with reading(by.tenant):
        rule = current_policy().triage.duplicates
        found: Double | None = None
        if rule.mode is not DuplicateMode.OFF:
            ticket = Ticket.objects.filter(id=ticket_id).first()
            found = original_of(ticket, rule, now=now) if ticket is not None else None
    if found is not None and rule.mode is DuplicateMode.ACTIVE:
        # Somebody may have answered, merged or settled one of them meanwhile: then it stays as they left it.
        with suppress(DomainError):
            merge(
                shown(tickets.PREFIX, found.source.public_id),
                into=shown(tickets.PREFIX, found.target.public_id),
                by=by,
                now=now,
                because=MergeReason.BY_RULE,
                likeness_percent=round(100 * found.score),
                expected=frozenset({found.source.version}),
            )
    place(ticket_id, found if rule.mode is DuplicateMode.SHADOW else None, by=by, now=now)


@act
def place(ticket_id: int, double: Double | None, *, by: Actor, now: datetime) -> None:
    """Note that a ticket has been looked at, and put it into the issue it belongs to (N11).

    `double` is what the tenant's rule would merge it into, were it active. Opening an issue calls those whom the
    escalation matrix names, once: on the ticket that stands in its middle.
    """
    by.must(Act.WORK)
    locked = tickets.lock_tickets([ticket_id])
    with connection.cursor() as cursor:
        cursor.execute(sql.LOOKED_AT, [current_tenant(), ticket_id])
        if cursor.fetchone() is None:
            return  # somebody else has
    if not locked or not locked[0].is_active:
        return
    placed = place_ticket(locked[0], current_policy().triage.recurring, at=now)
    is_called = placed is not None and placed.is_new
    if double is None and not is_called:
        return
    (work,) = work_on(locked)
    if double is not None:
        work.log(
            EventKind.DUPLICATE_SEEN, by=by, at=now, target=double.target.id, number=double.target.number,
            percent=round(100 * double.score),
        )  # fmt: skip
    if is_called:
        work.triggers.add(EventTrigger.RECURRING)
    work.pass_time(to=now)
    close_work(work, by=by, at=now)


@act
def pass_by(ticket_id: int, *, by: Actor, now: datetime) -> None:
    """A ticket could not be looked at: the others must not wait for it."""
    by.must(Act.WORK)
    with connection.cursor() as cursor:
        cursor.execute(sql.LOOKED_AT, [by.tenant, ticket_id])
