"""What is promised changes under tickets that are being worked on."""

from datetime import datetime

from flowdesk.accounts.audit import AuditAct
from flowdesk.core.actor import Act, Actor
from flowdesk.core.tenant import act
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.promises import Occurrence
from flowdesk.flows.desk import Work, close_work, work_on
from flowdesk.people import services as people
from flowdesk.people.models import Customer
from flowdesk.people.services import CustomerCard
from flowdesk.tickets import services as tickets
from flowdesk.tickets.states import EventKind


@act
def change_terms(
    customer_id: str, *, card: CustomerCard, by: Actor, now: datetime, expected: Expected = None
) -> Customer:
    """Write a customer's card; a new tier changes the promises that run for its tickets as the policy says.

    A resolved ticket notes the new tier too: it may be taken up again. Raises Invalid naming each field that
    cannot be used, and then nothing is changed.
    """
    by.must(Act.MANAGE_CUSTOMERS)
    found = people.customer_by(customer_id).id
    # Tickets first, then what stands around them: everybody locks in this order. A tier that looks the same now
    # may be another one once the customer is ours, so the tickets are locked for every tier that is given.
    locked = tickets.lock_tickets_of(found) if card.tier is not None else []
    customer = people.lock_customer(found)
    must_stand_at(customer.version, expected)
    before = people.audited_terms(customer)
    works = work_on(locked) if card.tier != customer.tier else []
    people.write_customer(customer, card)
    people.audit_customer(AuditAct.CUSTOMER_CHANGED, customer, card, before=before, by=by, at=now)
    for work in works:
        _change_tier(work, before["tier"], customer.tier, by=by, at=now)
    if works:
        close_work(*works, by=by, at=now)
    return customer


def _change_tier(work: Work, before: str, after: str, *, by: Actor, at: datetime) -> None:
    work.pass_time(to=at)  # what was due on the old terms is due
    work.desk.tier = after
    work.customer.tier = after
    work.log(EventKind.TERMS_CHANGED, by=by, at=at, before=before, after=after)
    work.happen(Occurrence.TERMS_CHANGED, at=at)
    work.pass_time(to=at)  # and what the new terms make due at once, too
