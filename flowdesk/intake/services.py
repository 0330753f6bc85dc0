"""Recognises who writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import current_tenant
from flowdesk.core.text import is_address, one_line
from flowdesk.people import queries as people
from flowdesk.people.models import Contact, Customer
from flowdesk.tickets.states import Channel

LONGEST_SUBJECT, LONGEST_TEXT, LONGEST_HTML = 300, 200_000, 500_000
LONGEST_LANGUAGE = 8
CUSTOMER, CONTACT = "cus", "con"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """Words from outside, whatever way they came.

    The writer is a contact of ours by id, or known by address; an unknown address becomes a new contact, of the
    customer named by id or name, or else a customer of its own in the lowest tier.
    """

    channel: Channel
    subject: str
    text: str
    html: str = ""  # the same words formatted; rules read `text` alone
    contact: str = ""  # public id
    customer: str = ""  # public id
    customer_name: str = ""
    tier: str = ""  # for a customer that is made now
    email: str = ""
    name: str = ""
    phone: str = ""
    language: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who is served and who writes for them; a customer without a contact can be told nothing by mail."""

    customer: Customer
    contact: Contact | None


def must_be_usable(message: InboundMessage) -> None:
    """Raise Invalid naming each field that cannot be used."""
    faults = []
    if not one_line(message.subject):
        faults.append(Fault("subject", "must not be empty"))
    if len(message.subject) > LONGEST_SUBJECT:
        faults.append(Fault("subject", f"is longer than {LONGEST_SUBJECT} characters"))
    if not message.text.strip():
        faults.append(Fault("text", "must not be empty"))
    if len(message.text) > LONGEST_TEXT:
        faults.append(Fault("text", f"is longer than {LONGEST_TEXT} characters"))
    if len(message.html) > LONGEST_HTML:
        faults.append(Fault("html", f"is longer than {LONGEST_HTML} characters"))
    if not (message.contact or message.customer or message.email or message.customer_name):
        faults.append(Fault("email", "names nobody: give a contact, a customer or an address"))
    faults += [
        Fault(name, "holds a null character")
        for name in ("subject", "text", "html", "name", "customer_name", "email", "phone", "language")
        if "\x00" in getattr(message, name)
    ]
    if message.email and "\x00" not in message.email and not is_address(message.email):
        faults.append(Fault("email", "is not an e-mail address"))
    if len(message.language) > LONGEST_LANGUAGE:
        faults.append(Fault("language", f"is longer than {LONGEST_LANGUAGE} characters"))
    if faults:
        raise Invalid(*faults)


def recognise(message: InboundMessage, *, lowest_tier: str, at: datetime) -> Writer:
    """The customer and contact behind a message, made now where they are new; raises NotFound for a foreign id."""
    if message.contact:
        contact = people.contact_by_id(parsed(CONTACT, message.contact))
        if contact is None:
            raise Invalid(Fault("contact", "there is no contact by that id"))
        return Writer(contact.customer, contact)
    if message.email:
        contact = people.contact_by_address(message.email)
        if contact is not None:
            return Writer(contact.customer, contact)
    customer = _customer(message, lowest_tier=lowest_tier, at=at)
    return Writer(customer, _new_contact(message, customer, at=at))


def _customer(message: InboundMessage, *, lowest_tier: str, at: datetime) -> Customer:
    if message.customer:
        found = Customer.objects.filter(public_id=parsed(CUSTOMER, message.customer)).first()
        if found is None:
            raise Invalid(Fault("customer", "there is no customer by that id"))
        return found
    name = one_line(message.customer_name) or one_line(message.name) or message.email
    if message.customer_name:
        found = Customer.objects.filter(name__iexact=name).order_by("id").first()
        if found is not None:
            return found
    return Customer.objects.create(
        tenant_id=current_tenant(),
        public_id=new_id(at),
        name=name[:200],
        tier=message.tier or lowest_tier,
        language=message.language,
        created_at=at,
    )


def _new_contact(message: InboundMessage, customer: Customer, *, at: datetime) -> Contact | None:
    if not (message.email or message.phone or message.name):
        return None
    return Contact.objects.create(
        tenant_id=current_tenant(),
        public_id=new_id(at),
        customer=customer,
        name=one_line(message.name)[:200],
        email=message.email.lower(),
        phone=message.phone[:40],
        language=message.language,
        created_at=at,
    )
