"""What every test may rely on: a database in which Django is the app role, under row level security."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests.database import ThrowawayDatabase, point_django_at, throwaway_database


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """A strong hash takes a third of a second, on purpose; the tests' people are not worth guarding."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def no_request_limits() -> None:
    """A process counts on from test to test; the tests of the limits set their own."""
    settings.REQUEST_LIMITS = {}


@pytest.fixture(autouse=True)
def data_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test keeps in the data folder is gone after it, and never in a developer's own."""
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


@pytest.fixture(autouse=True)
def language_of_its_own() -> None:
    """A request leaves its reader's language behind in the thread; the next test begins in none."""
    translation.deactivate()


@pytest.fixture(scope="session")
def migrated_database(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[ThrowawayDatabase]:
    """Started for the first test that asks for a database, so that pure tests never wait for one."""
    with throwaway_database() as database:
        point_django_at(database)
        with django_db_blocker.unblock():
            call_command("migrate", database="owner", interactive=False, verbosity=0)
            database.remember_rows()
            connections.close_all()
        yield database
        with django_db_blocker.unblock():
            connections.close_all()


@pytest.fixture(scope="session")
def django_db_setup(migrated_database: ThrowawayDatabase) -> Iterator[None]:
    """Takes the place of pytest-django's own, which would create and flush the database as the app."""
    own_way = TransactionTestCase._fixture_teardown

    def empty_tables(_: TransactionTestCase) -> None:
        for connection in connections.all():
            if connection.connection is not None and not connection.in_atomic_block:
                connection.close()  # a transaction left open would keep its locks
        migrated_database.restore_rows()

    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = own_way  # type: ignore[method-assign]
