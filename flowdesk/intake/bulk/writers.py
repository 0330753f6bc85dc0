"""Who wrote the tickets of a batch: known people found and new ones made, in a handful of statements for all rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Lower

from flowdesk.core.ids import new_id
from flowdesk.core.tenant import current_tenant
from flowdesk.intake.bulk.rows import TicketRow
from flowdesk.people.models import Contact, Customer


class Recognised(NamedTuple):
    """Who is served, in which tier, and who writes for them: row ids, for a batch needs no more of most of them."""

    customer: int
    tier: str
    contact: int | None


def recognise_all(rows: Sequence[TicketRow], *, lowest_tier: str, at: datetime) -> list[Recognised]:
    """The writer of each row, as `intake.services.recognise` would find or make them one by one.

    A known address is its contact, whatever customer the row names. A name alone is a customer without a contact.
    """
    addresses = {row.email for row in rows if row.email}
    contacts = _contacts(addresses)
    new = [row for row in rows if not row.email or row.email not in contacts]
    customers = _customers(new, lowest_tier=lowest_tier, at=at)
    Contact.objects.bulk_create(
        [
            Contact(
                tenant_id=current_tenant(), public_id=new_id(at), customer=customers[_party(row)],
                name=row.name, email=row.email, phone=row.phone, language=row.language, created_at=at,
            )
            for row in {row.email: row for row in reversed(new) if row.email}.values()
        ],
        ignore_conflicts=True,  # somebody may have written to us from there this very moment
    )  # fmt: skip
    contacts |= _contacts({row.email for row in new if row.email})
    return [
        contacts[row.email]
        if row.email
        else Recognised(customers[_party(row)].id, customers[_party(row)].tier, None)
        for row in rows
    ]


def _contacts(addresses: set[str]) -> dict[str, Recognised]:
    """The contacts behind these addresses, by address."""
    if not addresses:
        return {}
    found = Contact.objects.annotate(address=Lower("email")).exclude(email="")
    rows = found.filter(address__in=sorted(addresses)).values_list(
        "email", "customer_id", "customer__tier", "id"
    )
    return {email.lower(): Recognised(customer, tier, contact) for email, customer, tier, contact in rows}


def _party(row: TicketRow) -> str:
    """Whom a new writer belongs to: the customer the row names, or one of their own."""
    return (row.customer_name or row.email).lower()


def _customers(rows: Sequence[TicketRow], *, lowest_tier: str, at: datetime) -> Mapping[str, Customer]:
    """A customer for each of these rows, by `_party`: one named in the row is looked up, the others are new."""
    named = sorted({row.customer_name.lower() for row in rows if row.customer_name})
    known = Customer.objects.annotate(folded=Lower("name")).filter(folded__in=named) if named else ()
    # Of several by one name the oldest.
    found: dict[str, Customer] = {
        customer.name.lower(): customer for customer in sorted(known, key=lambda one: -one.id)
    }
    made: dict[str, Customer] = {}
    for row in rows:
        party = _party(row)
        if party not in found:
            found[party] = made[party] = Customer(
                tenant_id=current_tenant(), public_id=new_id(at), tier=row.tier or lowest_tier,
                name=row.customer_name or row.name or row.email, language=row.language, created_at=at,
            )  # fmt: skip
    Customer.objects.bulk_create(made.values())
    return found
