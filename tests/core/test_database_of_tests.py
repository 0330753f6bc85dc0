"""The tests' own ground: which role Django is, and that no test sees another's rows."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import ProgrammingError, connection, connections


@pytest.mark.django_db(databases=["default", "owner", "worker"])
def test_every_alias_logs_in_as_its_own_plain_role() -> None:
    roles = {}
    for alias in ("default", "owner", "worker"):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
            )
            roles[alias] = cursor.fetchone()

    assert len({name for name, _, _ in roles.values()}) == 3
    assert not any(strong for _, *rights in roles.values() for strong in rights)


@pytest.mark.django_db
def test_the_app_may_use_the_owners_tables_and_make_none() -> None:
    known = ContentType.objects.count()

    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("create table of_its_own (id int)")
    assert known > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_transaction_test_finds_the_migrated_rows_and_no_others(time: str) -> None:
    found = ContentType.objects.filter(app_label="of_a_test").count()
    migrated = ContentType.objects.exclude(app_label="of_a_test").count()

    ContentType.objects.create(app_label="of_a_test", model=time)

    assert found == 0
    assert migrated > 0
