"""Lists arrive in the database as they were, whatever is in them and however they were written."""

from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.types.json import Jsonb

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 29, 1, 30, 0, 123_456, tzinfo=UTC)


class Priority(IntEnum):
    P1 = 1


def arrived(items: list[Any], of: str) -> Any:
    """The list as the database has it, after one that taught the cursor another type of element."""
    with connection.cursor() as cursor:
        cursor.execute("select %s::text[]", [["taught"]])
        return cursor.execute(f"select %s::{of}[]", [items]).fetchone()[0]


@pytest.mark.parametrize(
    ("items", "of"),
    [
        ([1, -1, 0, None, 2**62], "bigint"),
        ([Priority.P1, 2], "smallint"),
        ([[1, 2], [3, 4]], "int"),
        ([True, None, False], "boolean"),
        (["resolution", "first_response", "first_response"], "text"),
        (["", "null", "NULL", "Null", "nullable", "a,b", "a b", "{}", '"', "\\", "\n", "'", "ö", "\u2003"], "text"),
        (["open", None], "text"),
        ([["a", "b"], ["c", "null"]], "text"),
        ([AT, None, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)], "timestamptz"),
        ([[AT, AT]], "timestamptz"),
        ([timedelta(0), None, -timedelta(microseconds=1), timedelta(days=400, hours=25), -timedelta(5)], "interval"),
        ([UUID(int=1), None, UUID(int=2**128 - 1)], "uuid"),
        ([None, None], "timestamptz"),
        ([], "timestamptz"),
        ([], "text"),
    ],
)  # fmt: skip
def test_a_list_arrives_as_it_was(items: list[Any], of: str) -> None:
    assert arrived(items, of) == items


def test_an_instant_of_another_zone_arrives_as_the_same_instant() -> None:
    assert arrived([AT.astimezone(timezone(timedelta(hours=-7)))], "timestamptz") == [AT]


def test_days_of_a_length_stay_days() -> None:
    with connection.cursor() as cursor:
        asked = cursor.execute("select (%s::interval[])[1]::text", [[timedelta(days=2, hours=3)]])
        assert asked.fetchone() == ("2 days 03:00:00",)


def test_documents_in_a_list_are_written_as_ever() -> None:
    with connection.cursor() as cursor:
        asked = cursor.execute("select (%s::jsonb[])[2] ->> 'a'", [[Jsonb({}), Jsonb({"a": 'x",{'})]])
        assert asked.fetchone() == ('x",{',)


def test_a_statement_can_be_shown_with_its_lists() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert arrived([AT], "timestamptz") == [AT]

    assert "2026-03-29" in asked.captured_queries[-1]["sql"]
