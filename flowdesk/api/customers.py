"""Customers and their contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import Client, client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import AgentId, Body, Email, Filters
from flowdesk.api.shapes import AgentRef, Receipt, agent_ref
from flowdesk.api.versions import IF_MATCH, IF_NONE_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.flows import reconfigure
from flowdesk.people import queries as people
from flowdesk.people import services
from flowdesk.people.models import Contact, Customer
from flowdesk.people.services import ContactCard, CustomerCard
from flowdesk.tickets.states import Channel

router = Router(tags=["customers"])

Name = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Field(max_length=64)]
Language = Annotated[str, Field(max_length=8)]


class CustomerOut(Versioned):
    """The party served; its tier says which promises it has bought."""

    id: str
    name: str
    tier: str
    is_vip: bool
    language: str
    zone: str
    preferred_channel: str
    dedicated_agent: AgentRef | None
    external_ref: str
    created_at: datetime


class ContactOut(Versioned):
    """A person writing for a customer."""

    id: str
    name: str
    email: str
    phone: str
    language: str
    created_at: datetime


class ChangeCustomer(Body):
    """New values; what is left out stays. `dedicated_agent` is an agent's id, or empty for nobody."""

    name: Name | None = None
    tier: Word | None = None
    is_vip: bool | None = None
    language: Language | None = None
    zone: Word | None = None
    preferred_channel: Channel | None = None
    dedicated_agent: AgentId | None = None
    external_ref: Name | None = None


class NewCustomer(ChangeCustomer):
    """A new customer; without a tier it gets the lowest."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class ContactBody(Body):
    """Values of a contact; what is left out stays."""

    name: Name | None = None
    email: Email | None = None
    phone: Annotated[str, Field(max_length=40)] | None = None
    language: Language | None = None


class CustomerFilters(Filters):
    q: Annotated[
        str, Field(max_length=200, description="In the name; or a reference, or a contact's address.")
    ] = ""
    tier: Word = ""
    cursor: Cursor = ""
    limit: Limit = DEFAULT


@router.post(
    "/customers",
    response={201: CustomerOut | Receipt},
    auth=needs(Act.MANAGE_CUSTOMERS),
    operation_id="create_customer",
    summary="Create a customer",
)
def create_customer(request: HttpRequest, response: HttpResponse, body: NewCustomer) -> CustomerOut | Receipt:
    asking = client(request)
    made = services.create_customer(CustomerCard(**body.model_dump()), by=asking.actor, now=asking.now)
    customer_id = shown("cus", made.public_id)
    response["Location"] = f"/api/v1/customers/{customer_id}"
    return _read_back(asking, customer_id)


@router.get(
    "/customers",
    response=Page[CustomerOut],
    auth=needs(Act.READ),
    operation_id="list_customers",
    summary="List customers",
)
def list_customers(request: HttpRequest, filters: Query[CustomerFilters]) -> Page[CustomerOut]:
    """By name."""
    asking, name = client(request), f"{client(request).tenant}.customers"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = people.customer_page(q=filters.q, tier=filters.tier, after=after, limit=filters.limit + 1)
        page = rows[: filters.limit]
        keys = (page[-1].folded, page[-1].id) if len(rows) > len(page) else None  # type: ignore[attr-defined]
        return Page[CustomerOut](
            items=[customer_out(row) for row in page], next=cursor_at(keys, of=name) if keys else None
        )


@router.get(
    "/customers/{customer_id}",
    response=CustomerOut,
    auth=needs(Act.READ),
    operation_id="read_customer",
    summary="Read a customer",
    openapi_extra=IF_NONE_MATCH,
)
def read_customer(request: HttpRequest, customer_id: str) -> CustomerOut:
    return _read(client(request).tenant, customer_id)


@router.patch(
    "/customers/{customer_id}",
    response=CustomerOut | Receipt,
    auth=needs(Act.MANAGE_CUSTOMERS),
    operation_id="change_customer",
    summary="Change a customer",
    openapi_extra=IF_MATCH,
)
def change_customer(request: HttpRequest, customer_id: str, body: ChangeCustomer) -> CustomerOut | Receipt:
    """A new tier changes the promises that run for the customer's tickets, as the policy says."""
    asking = client(request)
    card = CustomerCard(**body.model_dump())
    reconfigure.change_terms(
        customer_id, card=card, by=asking.actor, now=asking.now, expected=asking.expected
    )
    return _read_back(asking, customer_id)


@router.get(
    "/customers/{customer_id}/contacts",
    response=Page[ContactOut],
    auth=needs(Act.READ),
    operation_id="list_contacts",
    summary="Contacts of a customer",
)
def list_contacts(request: HttpRequest, customer_id: str, filters: Query[OnlyPages]) -> Page[ContactOut]:
    asking, name = client(request), f"{client(request).tenant}.contacts.{customer_id}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        owner = services.customer_by(customer_id)
        rows = people.contacts_of(owner.id, after=after[0] if after else 0, limit=filters.limit + 1)
        page = rows[: filters.limit]
        return Page[ContactOut](
            items=[contact_out(row) for row in page],
            next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None,
        )


@router.post(
    "/customers/{customer_id}/contacts",
    response={201: ContactOut | Receipt},
    auth=needs(Act.MANAGE_CUSTOMERS),
    operation_id="add_contact",
    summary="Add a contact",
)
def add_contact(request: HttpRequest, customer_id: str, body: ContactBody) -> ContactOut | Receipt:
    asking = client(request)
    made = services.add_contact(
        customer_id, ContactCard(**body.model_dump()), by=asking.actor, now=asking.now
    )
    return _contact_back(asking, made)


@router.get(
    "/contacts/{contact_id}",
    response=ContactOut,
    auth=needs(Act.READ),
    operation_id="read_contact",
    summary="Read a contact",
    openapi_extra=IF_NONE_MATCH,
)
def read_contact(request: HttpRequest, contact_id: str) -> ContactOut:
    with reading(client(request).tenant):
        return contact_out(services.contact_by(contact_id))


@router.patch(
    "/contacts/{contact_id}",
    response=ContactOut | Receipt,
    auth=needs(Act.MANAGE_CUSTOMERS),
    operation_id="change_contact",
    summary="Change a contact",
    openapi_extra=IF_MATCH,
)
def change_contact(request: HttpRequest, contact_id: str, body: ContactBody) -> ContactOut | Receipt:
    asking = client(request)
    card = ContactCard(**body.model_dump())
    changed = services.change_contact(
        contact_id, card, by=asking.actor, now=asking.now, expected=asking.expected
    )
    return _contact_back(asking, changed)


def _read_back(asking: Client, customer_id: str) -> CustomerOut | Receipt:
    """The customer after an act, as far as the key may see it."""
    return _read(asking.tenant, customer_id) if asking.may_read else Receipt(id=customer_id)


def _contact_back(asking: Client, row: Contact) -> ContactOut | Receipt:
    return contact_out(row) if asking.may_read else Receipt(id=shown("con", row.public_id))


def _read(tenant: int, customer_id: str) -> CustomerOut:
    with reading(tenant):
        return customer_out(services.customer_by(customer_id))


def customer_out(row: Customer) -> CustomerOut:
    return CustomerOut(
        version=row.version,
        id=shown("cus", row.public_id),
        name=row.name,
        tier=row.tier,
        is_vip=row.is_vip,
        language=row.language,
        zone=row.zone,
        preferred_channel=row.preferred_channel,
        dedicated_agent=agent_ref(row.dedicated_agent),
        external_ref=row.external_ref,
        created_at=row.created_at,
    )


def contact_out(row: Contact) -> ContactOut:
    return ContactOut(
        version=row.version,
        id=shown("con", row.public_id),
        name=row.name,
        email=row.email,
        phone=row.phone,
        language=row.language,
        created_at=row.created_at,
    )
