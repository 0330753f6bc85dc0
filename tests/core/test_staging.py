"""Rows that are copied come out as they went in, whatever they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from flowdesk.core.staging import Stage, lines_of
from flowdesk.engine.facts import Priority
from flowdesk.tickets.states import Status

pytestmark = pytest.mark.django_db(databases=["default"], transaction=True)

COLUMNS = {
    "words": "text", "number": "bigint", "truth": "boolean", "at": "timestamptz", "length": "interval",
    "name": "uuid", "document": "jsonb", "instants": "timestamptz[]",
}  # fmt: skip
AT = datetime(2026, 6, 15, 7, 0, 0, 123456, tzinfo=UTC)


def came_out(*rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows as a table holds them."""
    with transaction.atomic(), connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        cursor.execute(f"create temporary table kept (place serial, {columns}) on commit drop")
        with Stage({"kept": tuple(COLUMNS)}) as stage:
            stage.copy("kept", lines_of(rows))
            stage.move("kept")
            stage.copy("kept", "")
            stage.move("kept")
        cursor.execute(f"select {', '.join(COLUMNS)} from kept order by place")
        return cursor.fetchall()


def a_row(**values: Any) -> list[Any]:
    return [values.get(name) for name in COLUMNS]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "\\N",
        "\\.",
        "\\",
        "a\\tb",
        "a\tb",
        "one\ntwo\r\nthree\r",
        "\\\n\\",
        "Grüße 東京 🙂",
        "{}",
        "\x0b\x7f",
    ],
)
def test_words_come_out_as_they_went_in(words: str) -> None:
    rows = came_out(a_row(words=words), a_row(words="next"))

    assert [row[0] for row in rows] == [words, "next"]


@pytest.mark.parametrize(
    "length",
    [
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(days=400, hours=3, microseconds=999_999),
        timedelta(microseconds=-1),
        timedelta(days=-3, seconds=5),
    ],
)
def test_lengths_keep_their_last_microsecond(length: timedelta) -> None:
    assert came_out(a_row(length=length))[0][4] == length


def test_each_kind_of_value_is_written_as_its_column_reads_it() -> None:
    name, zone = UUID(int=7 << 76), timezone(timedelta(hours=2))
    document = {"quote": '"\\', "lines": ["a\nb", None, True], "when": 1.5}
    row = came_out(
        a_row(
            words=Status.ON_HOLD, number=Priority.P2, truth=False, at=AT.astimezone(zone), name=name,
            document=document, instants="{" + AT.isoformat() + "}",
        )
    )[0]  # fmt: skip

    assert row[:5] == ("on_hold", 2, False, AT, None)
    assert row[5] == name
    assert row[7] == [AT]


def test_a_document_keeps_every_letter() -> None:
    document = {"quote": '"\\', "lines": ["a\nb\t", "東京", None, True], "number": 1.5}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("create temporary table told (document jsonb) on commit drop")
        with Stage({"told": ["document"]}) as stage:
            stage.copy("told", lines_of([[document], [["a", "\\"]]]))
            stage.move("told")
        cursor.execute("select document = %s::jsonb from told", ['["a", "\\\\"]'])
        assert [row[0] for row in cursor.fetchall()] == [False, True]
        cursor.execute("select document->>'quote', document->'lines'->>0, document->'lines'->>1 from told")
        assert cursor.fetchone() == ('"\\', "a\nb\t", "東京")


def test_rows_keep_their_order() -> None:
    rows = came_out(*(a_row(number=number) for number in range(3_000)))

    assert [row[1] for row in rows] == list(range(3_000))


def test_a_stage_that_failed_leaves_the_next_one_free() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(), Stage({"django_migrations": ["app"]}):
        raise ZeroDivisionError
    with transaction.atomic(), Stage({"django_migrations": ["app"]}) as stage:
        stage.copy("django_migrations", lines_of([["x"]]))
