"""What the tests of pages share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests.database import ThrowawayDatabase
from tests.web.desk import Desk, a_busy_desk


@pytest.fixture(autouse=True)
def forgotten_counts() -> None:
    """A login is counted; these tests log in all the time."""
    cache.clear()


@pytest.fixture(scope="module")
def busy_desk(
    migrated_database: ThrowawayDatabase, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Desk]:
    """One desk for all tests of a module: each of them works in a transaction that is rolled back."""
    with django_db_blocker.unblock():
        desk = a_busy_desk()
        connections.close_all()
    yield desk
    with django_db_blocker.unblock():
        connections.close_all()
    migrated_database.restore_rows()
