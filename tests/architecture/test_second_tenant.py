"""Every table from a second tenant's place: what is another's is not seen, changed, taken, or pointed at."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from django.db import DatabaseError, connection, connections
from psycopg import errors, sql
from pytest_django import DjangoDbBlocker

from flowdesk.accounts.models import Tenant
from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.errors import OutsideTenant
from flowdesk.core.models import TenantKey
from flowdesk.core.tenant import reading, writing
from tests.architecture.house import tenant_models
from tests.architecture.rows import Rows, fill
from tests.builders import MONDAY_9
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])
each_model = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)


@dataclass(frozen=True)
class Neighbours:
    """Two tenants with the same kinds of rows."""

    ours: Rows
    theirs: Rows


@pytest.fixture(scope="module")
def neighbours(
    migrated_database: ThrowawayDatabase, django_db_blocker: DjangoDbBlocker
) -> Iterator[Neighbours]:
    """Filled once for all tests: each is refused, or takes back what it did."""
    with django_db_blocker.unblock():
        yield Neighbours(
            *(
                fill(Tenant.objects.create(slug=slug, name=slug.title(), created_at=MONDAY_9))
                for slug in ("ours", "theirs")
            )
        )
        connections.close_all()
        migrated_database.restore_rows()


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
