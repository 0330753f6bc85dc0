"""Writes of people: customers and the contacts who write for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import act, current_tenant
from flowdesk.core.text import is_address, one_line
from flowdesk.core.time import known_zones
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.people.models import Agent, Contact, Customer
from flowdesk.policies.services import current_policy

CUSTOMER, CONTACT, AGENT = "cus", "con", "agt"
LANGUAGES = ("en", "sv")
LONGEST: Mapping[str, int] = {"name": 200, "external_ref": 200, "phone": 40, "email": 254}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """What is written about a customer; None leaves a value as it is."""

    name: str | None = None
    tier: str | None = None
    is_vip: bool | None = None
    language: str | None = None
    zone: str | None = None
    preferred_channel: str | None = None
    dedicated_agent: str | None = None  # an agent's public id, or "" for nobody
    external_ref: str | None = None

    def given(self) -> dict[str, str | bool]:
        """The values that are to be written."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCard:
    """What is written about a contact; None leaves a value as it is."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None

    def given(self) -> dict[str, str]:
        """The values that are to be written."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@act
def create_customer(card: CustomerCard, *, by: Actor, now: datetime) -> Customer:
    """A new customer; without a tier it gets the lowest. Raises Invalid naming each field that cannot be used."""
    by.must(Act.MANAGE_CUSTOMERS)
    if card.name is None:
        raise Invalid(Fault("name", "must not be empty"))
    tiers = current_policy().promises.tiers.values()
    customer = Customer(
        tenant_id=current_tenant(),
        public_id=new_id(now),
        tier=min(tiers, key=lambda tier: tier.rank).name,
        created_at=now,
    )
    write_customer(customer, card)
    audit_customer(AuditAct.CUSTOMER_CREATED, customer, card, before={}, by=by, at=now)
    return customer


def audited_terms(customer: Customer) -> dict[str, Any]:
    """What decides how a customer is served; the audit log says it before and after a change."""
    return {name: getattr(customer, name) for name in ("tier", "is_vip", "dedicated_agent_id")}


def audit_customer(
    act: AuditAct,
    customer: Customer,
    card: CustomerCard,
    *,
    before: Mapping[str, Any],
    by: Actor,
    at: datetime,
) -> None:
    """Write down that a customer's card was written: its terms before and after, of the rest only the names."""
    after = audited_terms(customer) | {"fields": sorted(card.given())}
    record_act(act, thing="customer", thing_id=customer.id, by=by, at=at, before=before, after=after)


def write_customer(customer: Customer, card: CustomerCard) -> None:
    """Put the card's values on the row and save them and no others, inside an act. Raises Invalid."""
    faults = [*_faults(card.given()), *_customer_faults(customer, card)]
    values = card.given()
    dedicated = values.pop("dedicated_agent", None)
    if isinstance(dedicated, str):
        customer.dedicated_agent_id = _agent(dedicated, faults)
    if faults:
        raise Invalid(*faults)
    for name, value in values.items():
        setattr(customer, name, one_line(value) if isinstance(value, str) else value)
    if customer._state.adding:
        customer.save()
    else:
        customer.changes += 1
        customer.save(update_fields=[*card.given(), "changes"])


@act
def add_contact(customer: str, card: ContactCard, *, by: Actor, now: datetime) -> Contact:
    """A new person writing for the customer. Raises Invalid, NotFound."""
    by.must(Act.MANAGE_CUSTOMERS)
    owner = customer_by(customer)
    if not any(card.given().values()):
        raise Invalid(Fault("email", "names nobody: give a name, an address or a phone number"))
    contact = Contact(tenant_id=current_tenant(), public_id=new_id(now), customer=owner, created_at=now)
    _write_contact(contact, card)
    _audit_contact(AuditAct.CONTACT_ADDED, contact, card, by=by, at=now)
    return contact


@act
def change_contact(
    contact: str, card: ContactCard, *, by: Actor, now: datetime, expected: Expected = None
) -> Contact:
    """Write new values for a contact. Raises Invalid, NotFound."""
    by.must(Act.MANAGE_CUSTOMERS)
    row = Contact.objects.select_for_update(of=("self",)).filter(public_id=parsed(CONTACT, contact)).first()
    if row is None:
        raise NotFound
    must_stand_at(row.version, expected)
    _write_contact(row, card)
    _audit_contact(AuditAct.CONTACT_CHANGED, row, card, by=by, at=now)
    return row


def customer_by(public_id: str) -> Customer:
    """The customer of a public id; raises NotFound, for another tenant's too."""
    found = Customer.objects.filter(public_id=parsed(CUSTOMER, public_id)).first()
    if found is None:
        raise NotFound
    return found


def contact_by(public_id: str) -> Contact:
    """The contact of a public id; raises NotFound, for another tenant's too."""
    found = Contact.objects.filter(public_id=parsed(CONTACT, public_id)).first()
    if found is None:
        raise NotFound
    return found


def lock_customer(row: int) -> Customer:
    """The customer as it stands once nobody else writes it; raises NotFound.

    Not its key: others may go on opening tickets that point to it.
    """
    found = Customer.objects.select_for_update(no_key=True).filter(id=row).first()
    if found is None:
        raise NotFound
    return found


def _write_contact(contact: Contact, card: ContactCard) -> None:
    faults = list(_faults(card.given()))
    email = (card.email or "").strip().lower()
    if email and Contact.objects.filter(email__iexact=email).exclude(id=contact.id).exists():
        faults.append(Fault("email", "belongs to another contact"))
    if faults:
        raise Invalid(*faults)
    for name, value in card.given().items():
        setattr(contact, name, one_line(value))
    contact.email = contact.email.lower()
    if not contact._state.adding:
        contact.changes += 1
    contact.save()


def _audit_contact(act: AuditAct, contact: Contact, card: ContactCard, *, by: Actor, at: datetime) -> None:
    after = {"customer": contact.customer_id, "fields": sorted(card.given())}
    record_act(act, thing="contact", thing_id=contact.id, by=by, at=at, after=after)


def _faults(values: Mapping[str, str | bool]) -> Iterator[Fault]:
    """What is wrong with single values, whoever they describe."""
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if "\x00" in value:
            yield Fault(name, "holds a null character")
        elif len(value) > LONGEST.get(name, 200):
            yield Fault(name, f"is longer than {LONGEST.get(name, 200)} characters")
        elif name == "email" and value and not is_address(value.strip()):
            yield Fault(name, "is not an e-mail address")
        elif name == "language" and value not in ("", *LANGUAGES):
            yield Fault(name, f"is not one of {', '.join(LANGUAGES)}")
        elif name == "zone" and value and value not in known_zones():
            yield Fault(name, "is not a time zone such as Europe/Stockholm")


def _customer_faults(customer: Customer, card: CustomerCard) -> Iterator[Fault]:
    """What is wrong with a customer's card as a whole."""
    if card.name is not None and not one_line(card.name):
        yield Fault("name", "must not be empty")
    tiers = current_policy().promises.tiers
    if card.tier is not None and card.tier not in tiers:
        yield Fault("tier", f"is not one of {', '.join(tiers)}")
    ref = (card.external_ref or "").strip()
    if (
        ref
        and "\x00" not in ref
        and Customer.objects.filter(external_ref=ref).exclude(id=customer.id).exists()
    ):
        yield Fault("external_ref", "belongs to another customer")


def _agent(public_id: str, faults: list[Fault]) -> int | None:
    if not public_id:
        return None
    try:
        found = Agent.objects.filter(public_id=parsed(AGENT, public_id), left_at__isnull=True).first()
    except NotFound:
        found = None
    if found is None:
        faults.append(Fault("dedicated_agent", "there is no agent by that id"))
        return None
    return found.id
