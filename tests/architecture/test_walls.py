"""The second wall, as the database itself describes it: whoever adds a table has to say how it is walled."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connections
from django.db.models import Model
from psycopg import errors

from flowdesk.accounts.tenancy import TenantModel, TenantPart
from flowdesk.core.models import TenantKey
from tests.architecture.house import our_models, tenant_models
from tests.builders import MONDAY_9, a_customer, a_message, a_world
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

# Read before a tenant is known, or belonging to none (design section 1, "Two doors").
WITHOUT_WALLS = frozenset(
    {
        "accounts_apikey",
        "accounts_letter",  # of a person, whatever tenants they belong to; so are sessions
        "accounts_membership",
        "accounts_session",
        "accounts_quota",  # counts requests by address before a key is read, and shows neither text nor address
        "accounts_tenant",
        "accounts_throttle",  # of somebody who has not come in yet
        "accounts_user",
        "triage_indexingprogress",  # how far all tickets are indexed: a row id
        "triage_termholder",  # terms as numbers with ids of tickets; `triage.sql` names the tenant in each statement
        "core_process",  # heartbeats and counts of processes: no tenant's
    }
)
OF_LIBRARIES = ("account_", "auth_", "django_", "socialaccount_", "mfa_", "procrastinate_")
# Table to the columns that may still change after the row is written.
APPEND_ONLY = {
    "accounts_auditentry": set(),
    "accounts_auditseal": set(),
    "hubs_launchreport": set(),
    "policies_policyrevision": {"is_current"},
    "tickets_ticketevent": {"dispatched_at"},
}
# And what the worker alone may stamp on it.
WORKER_STAMPS = {"accounts_auditentry": {"sealed_at"}}
TENANT_TABLES = sorted(model._meta.db_table for model in tenant_models())


@pytest.fixture
def admin(migrated_database: ThrowawayDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(migrated_database.admin) as connection:
        yield connection


def role(alias: str) -> str:
    return str(connections[alias].settings_dict["USER"])


def test_the_tables_without_walls_are_a_pinned_list(admin: psycopg.Connection[Any]) -> None:
    open_tables = {
        name
        for (name,) in admin.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
            " and not (relrowsecurity and relforcerowsecurity)"
        )
    }

    assert {name for name in open_tables if not name.startswith(OF_LIBRARIES)} == WITHOUT_WALLS


def test_no_view_or_function_of_ours_looks_past_the_walls(admin: psycopg.Connection[Any]) -> None:
    views = admin.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
    ).fetchall()
    definers = admin.execute(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef"
    ).fetchall()

    assert (views, definers) == ([], [])


def test_every_row_with_a_tenant_is_a_tenant_model() -> None:
    loose = {
        model._meta.db_table
        for model in our_models()
        if not issubclass(model, TenantModel) and any(field.name == "tenant" for field in model._meta.fields)
    }

    assert loose <= WITHOUT_WALLS


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_tenants_table_is_walled_and_not_even_its_owner_is_let_past(
    admin: psycopg.Connection[Any], table: str
) -> None:
    enabled, forced = admin.execute(
        "select relrowsecurity, relforcerowsecurity from pg_class where oid = %s::regclass", [table]
    ).fetchone() or (False, False)
    policies = {
        name: (set(roles), using)
        for name, roles, using in admin.execute(
            "select policyname, roles::text[], qual from pg_policies where tablename = %s", [table]
        )
    }

    assert enabled
    assert forced
    assert set(policies) == {"tenant", "worker", "owner"}
    assert policies["tenant"][0] == {role("default")}
    assert "app.tenant" in policies["tenant"][1]
    assert policies["worker"][0] == {role("worker")}
    assert policies["owner"][0] == {role("owner")}


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_keys_between_tenant_tables_carry_the_tenant(
    admin: psycopg.Connection[Any], model: type[Model]
) -> None:
    wanted = {
        (("tenant_id", field.column), field.remote_field.model._meta.db_table)
        for field in model._meta.local_fields
        if isinstance(field, TenantKey)
    }
    found = {
        (tuple(columns), parent)
        for columns, parent in admin.execute(
            """
            select array(select attname::text from unnest(conkey) with ordinality as k(number, place)
                         join pg_attribute a on a.attrelid = conrelid and a.attnum = k.number order by place),
                confrelid::regclass::text
            from pg_constraint where conrelid = %s::regclass and contype = 'f' and convalidated
            """,
            [model._meta.db_table],
        )
    }

    assert wanted <= found
    # The other keys lead to tables that stand outside every tenant.
    assert {parent for columns, parent in found - wanted} <= WITHOUT_WALLS


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_every_row_is_held_to_its_tenant_by_a_key_that_is_never_empty(
    admin: psycopg.Connection[Any], model: type[Model]
) -> None:
    own = admin.execute(
        """
        select from pg_constraint where conrelid = %s::regclass and contype = 'f' and convalidated
            and confrelid = 'accounts_tenant'::regclass
        """,
        [model._meta.db_table],
    ).fetchall()

    hangs_on_another = [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, TenantKey) and not field.null and field.related_model is not model
    ]
    assert bool(own) is not issubclass(model, TenantPart)
    assert own or hangs_on_another


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_a_tenants_model_points_at_tenants_rows_through_tenant_keys_only(model: type[Model]) -> None:
    plain = [
        field.name
        for field in model._meta.local_fields
        if field.is_relation
        and not isinstance(field, TenantKey)
        and isinstance(field.related_model, type)
        and issubclass(field.related_model, TenantModel)
    ]

    assert plain == []
    assert model._meta.local_many_to_many == []


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_every_unique_key_but_the_primary_begins_with_the_tenant(
    admin: psycopg.Connection[Any], table: str
) -> None:
    firsts = dict(
        admin.execute(
            """
            select i.indexrelid::regclass::text, a.attname::text from pg_index i
            left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
            where i.indrelid = %s::regclass and i.indisunique and not i.indisprimary
            """,
            [table],
        ).fetchall()
    )

    assert {name: first for name, first in firsts.items() if first != "tenant_id"} == {}


def rights(admin: psycopg.Connection[Any], name: str, table: str) -> tuple[set[str], set[str]]:
    """What a role may do to a whole table, and which columns of it it may change."""
    whole = {
        right
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
        if admin.execute("select has_table_privilege(%s, %s, %s)", [name, table, right]).fetchone() == (True,)
    }
    columns = {
        column
        for (column,) in admin.execute(
            "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and has_column_privilege(%s, attrelid, attnum, 'UPDATE')",
            [table, name],
        )
    }
    return whole, columns


@pytest.mark.parametrize("alias", ["default", "worker"])
@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_what_happened_cannot_be_changed(admin: psycopg.Connection[Any], table: str, alias: str) -> None:
    whole, columns = rights(admin, role(alias), table)

    assert whole == {"SELECT", "INSERT"}
    stamped = WORKER_STAMPS.get(table, set()) if alias == "worker" else set()
    assert columns == APPEND_ONLY[table] | stamped


@pytest.mark.parametrize("alias", ["default", "worker"])
def test_no_serving_role_may_empty_a_table_or_point_at_it(admin: psycopg.Connection[Any], alias: str) -> None:
    too_much = {
        table: more
        for table in TENANT_TABLES
        if (more := rights(admin, role(alias), table)[0] - {"SELECT", "INSERT", "UPDATE", "DELETE"})
    }

    assert too_much == {}


def test_the_serving_roles_are_plain(admin: psycopg.Connection[Any]) -> None:
    for alias in ("default", "worker", "owner"):
        row = admin.execute(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = %s",
            [role(alias)],
        ).fetchone()

        assert row == (False, False, False, False)


def test_the_serving_roles_do_not_play_each_other(admin: psycopg.Connection[Any]) -> None:
    ours = [role(alias) for alias in ("default", "worker", "owner")]
    members = admin.execute(
        "select member::regrole::text, roleid::regrole::text from pg_auth_members"
        " where member::regrole::text = any(%s)",
        [ours],
    ).fetchall()

    assert members == []


def test_the_app_may_not_make_tables(admin: psycopg.Connection[Any]) -> None:
    for alias in ("default", "worker"):
        assert admin.execute(
            "select has_schema_privilege(%s, 'public', 'CREATE')", [role(alias)]
        ).fetchone() == (False,)


def test_every_table_of_ours_has_a_model(admin: psycopg.Connection[Any]) -> None:
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    tables = {
        name
        for (name,) in admin.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        )
    }

    assert {name for name in tables - known if not name.startswith(OF_LIBRARIES)} == set()


@pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
def test_without_a_tenant_the_app_sees_nothing_and_the_worker_everything(
    migrated_database: ThrowawayDatabase,
) -> None:
    from flowdesk.flows import receive

    for slug in ("alder", "birch"):
        world = a_world(slug)
        a_customer(world)
        receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)

    def tenants(name: str, setting: str | None) -> list[int]:
        with psycopg.connect(migrated_database.roles[name]) as connection:
            if setting is not None:
                connection.execute("select set_config('app.tenant', %s, false)", [setting])
            return [
                count
                for (count,) in connection.execute(
                    "select count(*) from tickets_ticket group by tenant_id order by tenant_id"
                )
            ]

    assert tenants("app", None) == []
    assert tenants("app", "") == []
    assert tenants("app", str(world.tenant.id)) == [1]
    assert tenants("app", "0") == []
    assert tenants("worker", None) == [1, 1]
    assert tenants("worker", str(world.tenant.id)) == [1, 1]
    with pytest.raises(errors.InvalidTextRepresentation):
        tenants("app", "1 or true")
