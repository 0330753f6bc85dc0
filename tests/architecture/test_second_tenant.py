"""Every table from a second tenant's place: what is another's is not seen, changed, taken, or pointed at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection
from psycopg import errors, sql

from flowdesk.accounts.models import Tenant
from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.errors import DomainError, NotFound, OutsideTenant
from flowdesk.core.ids import shown
from flowdesk.core.models import TenantKey
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, merge, receive, reconfigure, work
from flowdesk.people import services as people
from flowdesk.people.models import Agent, Contact, Team
from flowdesk.people.services import ContactCard, CustomerCard
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import Channel
from tests.architecture.house import tenant_models
from tests.architecture.rows import Rows, fill
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
each_model = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)


@dataclass(frozen=True)
class Neighbours:
    """Two tenants with the same kinds of rows."""

    ours: Rows
    theirs: Rows


@pytest.fixture
def neighbours() -> Neighbours:
    ours, theirs = (
        fill(Tenant.objects.create(slug=slug, name=slug.title(), created_at=MONDAY_9))
        for slug in ("ours", "theirs")
    )
    return Neighbours(ours, theirs)


@each_model
def test_another_tenants_row_is_not_seen(neighbours: Neighbours, model: type[TenantModel]) -> None:
    mine, foreign = neighbours.ours.of(model).pk, neighbours.theirs.of(model).pk
    with reading(neighbours.ours.tenant.id):
        named = set(model.objects.values_list("pk", flat=True))
        unnamed = set(model.everywhere.values_list("pk", flat=True))  # the second wall alone
        with connection.cursor() as cursor:
            cursor.execute(f"select id from {model._meta.db_table}")
            raw = {row[0] for row in cursor.fetchall()}
        with pytest.raises(model.DoesNotExist):
            model.everywhere.get(pk=foreign)
    every = model.everywhere.using("worker")
    ours = set(every.filter(tenant=neighbours.ours.tenant).values_list("pk", flat=True))

    assert named == unnamed == raw == ours
    assert mine in ours
    assert foreign not in ours


@each_model
def test_another_tenants_row_cannot_be_changed_or_deleted(
    neighbours: Neighbours, migrated_database: ThrowawayDatabase, model: type[TenantModel]
) -> None:
    foreign, table = neighbours.theirs.of(model).pk, sql.Identifier(model._meta.db_table)
    with psycopg.connect(migrated_database.roles["app"], autocommit=True) as app:
        app.execute("select set_config('app.tenant', %s, false)", [str(neighbours.ours.tenant.id)])
        for statement in (
            "update {} set tenant_id = tenant_id where id = %s",
            "delete from {} where id = %s",
        ):
            try:
                touched = app.execute(sql.SQL(statement).format(table), [foreign]).rowcount
            except errors.InsufficientPrivilege:  # append-only: nobody's row may be
                continue
            assert touched == 0

    with reading(neighbours.theirs.tenant.id):
        assert model.objects.filter(pk=foreign).exists()


@each_model
def test_a_row_cannot_be_written_into_another_tenant(
    neighbours: Neighbours, model: type[TenantModel]
) -> None:
    row = neighbours.ours.of(model)
    copy = model.from_db("default", [f.attname for f in model._meta.concrete_fields],
                         [getattr(row, f.attname) for f in model._meta.concrete_fields])  # fmt: skip
    copy.pk, copy.tenant_id = None, neighbours.theirs.tenant.id

    with pytest.raises(DatabaseError) as refused, writing(neighbours.ours.tenant.id):
        copy.save(force_insert=True)

    assert isinstance(refused.value.__cause__, errors.InsufficientPrivilege)


@each_model
def test_a_row_cannot_be_given_to_another_tenant(neighbours: Neighbours, model: type[TenantModel]) -> None:
    row = neighbours.ours.of(model)

    with pytest.raises(DatabaseError) as refused, writing(neighbours.ours.tenant.id):
        model.objects.filter(pk=row.pk).update(tenant_id=neighbours.theirs.tenant.id)

    assert isinstance(refused.value.__cause__, errors.InsufficientPrivilege)


KEYS = [
    (model, column)
    for model in tenant_models()
    for column in model._meta.local_fields
    if isinstance(column, TenantKey)
]


@pytest.mark.parametrize(
    ("model", "key"), KEYS, ids=lambda part: getattr(part, "attname", None) or part.__name__
)
def test_another_tenants_row_cannot_be_pointed_at(
    neighbours: Neighbours, migrated_database: ThrowawayDatabase, model: type[TenantModel], key: TenantKey
) -> None:
    """Even the owner, whom row level security lets see every tenant, cannot join two of them."""
    parent = key.related_model
    assert isinstance(parent, type)
    mine, foreign = neighbours.ours.of(model).pk, neighbours.theirs.of(parent).pk
    statement = sql.SQL("update {} set {} = %s where id = %s").format(
        sql.Identifier(model._meta.db_table), sql.Identifier(key.column)
    )

    with psycopg.connect(migrated_database.roles["owner"]) as owner:
        assert owner.execute(statement, [foreign, mine]).rowcount == 1
        with pytest.raises(errors.ForeignKeyViolation):
            owner.execute("set constraints all immediate")
        owner.rollback()


@each_model
def test_nothing_can_be_asked_outside_a_scope(model: type[TenantModel]) -> None:
    for ask in (model.objects.all, model.objects.count, lambda: model.objects.filter(pk=1)):
        with pytest.raises(OutsideTenant):
            ask()


@each_model
def test_past_the_first_wall_without_a_scope_there_is_nothing(
    neighbours: Neighbours, model: type[TenantModel]
) -> None:
    assert neighbours.ours.of(model).pk
    assert model.everywhere.count() == 0


@pytest.fixture
def houses() -> tuple[World, World]:
    ours, theirs = a_world("ours"), a_world("theirs")
    for world in (ours, theirs):
        a_customer(world)
    return ours, theirs


@dataclass(frozen=True)
class Foreign:
    """Public ids of another tenant's things."""

    ticket: str
    escalation: str
    customer: str
    contact: str
    agent: str
    team: str


@pytest.fixture
def foreign(houses: tuple[World, World]) -> Foreign:
    _, theirs = houses
    opened = receive.open_ticket(a_message(), by=theirs.bo, now=MONDAY_9, priority=Priority.P1)
    with reading(theirs.tenant.id):
        contact = Contact.objects.select_related("customer").get()
        return Foreign(
            ticket=opened.id,
            escalation=shown("esc", Escalation.objects.order_by("id")[0].public_id),
            customer=shown("cus", contact.customer.public_id),
            contact=shown("con", contact.public_id),
            agent=shown("agt", Agent.objects.order_by("id")[0].public_id),
            team=shown("tem", Team.objects.order_by("id")[0].public_id),
        )


Act = Callable[[World, Foreign], Any]
ACTS: dict[str, Act] = {
    "reply": lambda us, it: work.send_reply(it.ticket, text="Hello", by=us.bo, now=MONDAY_9),
    "note": lambda us, it: work.add_note(it.ticket, text="Hm", by=us.bo, now=MONDAY_9),
    "assign": lambda us, it: work.assign(it.ticket, by=us.ada, now=MONDAY_9),
    "take": lambda us, it: work.take(it.ticket, by=us.bo, now=MONDAY_9),
    "wait": lambda us, it: work.wait(it.ticket, reason=WaitReason.CUSTOMER, by=us.bo, now=MONDAY_9),
    "resume": lambda us, it: work.resume(it.ticket, by=us.bo, now=MONDAY_9),
    "resolve": lambda us, it: work.resolve(it.ticket, by=us.bo, now=MONDAY_9),
    "reopen": lambda us, it: work.reopen_ticket(it.ticket, by=us.bo, now=MONDAY_9),
    "prioritise": lambda us, it: work.prioritise(it.ticket, priority=Priority.P4, by=us.bo, now=MONDAY_9),
    "void": lambda us, it: work.void(it.ticket, by=us.bo, now=MONDAY_9),
    "merge": lambda us, it: merge.merge(it.ticket, into=it.ticket, by=us.bo, now=MONDAY_9),
    "unmerge": lambda us, it: merge.unmerge(it.ticket, by=us.bo, now=MONDAY_9),
    "escalate": lambda us, it: escalate.escalate(it.ticket, target="on_call", by=us.bo, now=MONDAY_9),
    "acknowledge": lambda us, it: escalate.acknowledge(it.escalation, by=us.ada, now=MONDAY_9),
    "message": lambda us, it: receive.take_message(
        it.ticket, text="Me again", channel=Channel.EMAIL, by=us.bo, now=MONDAY_9
    ),
    "terms": lambda us, it: reconfigure.change_terms(
        it.customer, card=CustomerCard(tier="free"), by=us.ada, now=MONDAY_9
    ),
    "contact": lambda us, it: people.add_contact(
        it.customer, ContactCard(name="Eve"), by=us.ada, now=MONDAY_9
    ),
    "card": lambda us, it: people.change_contact(
        it.contact, ContactCard(name="Eve"), by=us.ada, now=MONDAY_9
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_another_tenants_thing_is_not_found_by_any_act(
    houses: tuple[World, World], foreign: Foreign, act: str
) -> None:
    with pytest.raises(NotFound):
        ACTS[act](houses[0], foreign)


def test_a_ticket_is_not_given_to_another_tenants_people(
    houses: tuple[World, World], foreign: Foreign
) -> None:
    ours, _ = houses
    opened = receive.open_ticket(a_message(), by=ours.bo, now=MONDAY_9)
    with reading(ours.tenant.id):
        before = Ticket.objects.values("assignee_id", "team_id").get()

    for names in ({"agent": foreign.agent}, {"team": foreign.team}):
        with pytest.raises(DomainError):
            work.assign(opened.id, by=ours.ada, now=MONDAY_9, **names)

    with reading(ours.tenant.id):
        assert Ticket.objects.values("assignee_id", "team_id").get() == before


def test_the_sweep_wakes_only_the_tickets_of_its_tenant(
    houses: tuple[World, World], foreign: Foreign
) -> None:
    from flowdesk.core.actor import system

    ours, theirs = houses
    with reading(theirs.tenant.id):
        theirs_due = list(Ticket.objects.values_list("id", flat=True))

    woken = escalate.wake(theirs_due, by=system(ours.tenant.id), now=MONDAY_9.replace(year=2027))

    assert woken == 0


def test_the_same_address_is_two_people_in_two_tenants(houses: tuple[World, World]) -> None:
    ours, theirs = houses
    for world in houses:
        receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    found = []
    for world in (ours, theirs):
        with reading(world.tenant.id):
            ticket = Ticket.objects.select_related("contact").get()
            found.append((ticket.number, ticket.contact_id, ticket.contact.email if ticket.contact else ""))

    assert [number for number, _, _ in found] == [1, 1]
    assert found[0][2] == found[1][2]
    assert found[0][1] != found[1][1]
