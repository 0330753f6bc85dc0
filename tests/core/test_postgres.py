"""A database that does not answer is given up in time; whose fault a failing statement is; how rows are read."""

import time
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.test import RequestFactory

from flowdesk.core.models import Process, columns_of, row_of, rows_in_binary
from flowdesk.core.postgres.base import NoAnswer, answered_within
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.web.outage import server_error
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's connection waits a fifth of a second for each answer."""
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "answer_within", 0.2)


def failure(*statements: str) -> DatabaseError:
    """What the last of the statements raises, in one transaction."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as fault:
        return fault
    raise AssertionError("nothing failed")


def test_a_statement_without_an_answer_ends_in_time_and_the_next_one_works(impatient: None) -> None:
    began = time.monotonic()

    fault = failure("select pg_sleep(20)")

    assert isinstance(fault.__cause__, NoAnswer)
    assert time.monotonic() - began < 5
    with connection.cursor() as cursor:
        assert cursor.execute("select 1").fetchone() == (1,)


def test_a_probe_gives_up_sooner_and_leaves_the_limit_as_it_was() -> None:
    connection.ensure_connection()
    limit = connection.connection.answer_within
    with answered_within(0.2, connection):
        fault = failure("select pg_sleep(22)")

    assert isinstance(fault.__cause__, NoAnswer)
    with answered_within(0.2, connection), connection.cursor() as cursor:
        cursor.execute("select 1")
    assert connection.connection.answer_within == limit


def test_the_server_notices_that_a_client_gave_up(
    impatient: None, migrated_database: ThrowawayDatabase
) -> None:
    failure("select pg_sleep(21)")

    with psycopg.connect(migrated_database.admin, autocommit=True) as admin:
        for _ in range(100):
            running = admin.execute(
                "select count(*) from pg_stat_activity where query like 'select pg_sleep(21)%' and state = 'active'"
            ).fetchone()
            if running == (0,):
                return
            time.sleep(0.1)
    raise AssertionError("the server goes on for nobody")


def test_a_slow_statement_is_its_own_fault(impatient: None) -> None:
    assert not is_database_away(failure("select pg_sleep(20)"))
    assert not is_database_away(failure("set local statement_timeout = 20", "select pg_sleep(20)"))


def test_a_wrong_statement_is_its_own_fault() -> None:
    assert not is_database_away(failure("select nothing"))
    assert not is_database_away(ValueError("not the database at all"))


def test_a_server_that_ends_the_connection_is_away() -> None:
    assert is_database_away(failure("select pg_terminate_backend(pg_backend_pid())"))


def test_a_server_that_nobody_finds_is_away() -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect("host=127.0.0.1 port=1 dbname=nowhere")
    fault = OperationalError()
    fault.__cause__ = raised.value

    assert is_database_away(fault)
    assert is_database_away(InterfaceError("the connection is closed"))


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("select pg_terminate_backend(pg_backend_pid())", 503),
        ("select pg_sleep(20)", 503),
        ("select nothing", 500),
        ("do $$ begin raise sqlstate '40P01'; end $$", 500),
    ],
)
def test_only_a_database_that_is_away_or_silent_asks_to_come_again(
    impatient: None, statement: str, status: int
) -> None:
    try:
        raise failure(statement)
    except DatabaseError:
        answer = server_error(RequestFactory().get("/"))

    assert (answer.status_code, "Retry-After" in answer.headers) == (status, status == 503)


def test_an_instant_is_read_in_utc_to_the_microsecond_however_it_is_asked_for() -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 120_000, tzinfo=UTC)
    read = []
    with connection.cursor() as cursor:
        for written in ("2026-03-29 01:30:00.12+00", "2026-03-29 03:30:00.12+02"):
            read += cursor.execute("select %s::timestamptz", [written]).fetchone()
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute("select %s::timestamptz", [at])
        read += cursor.fetchone()

    assert read == [at, at, at]
    assert all(instant.tzinfo is UTC for instant in read)  # what the engine need not turn


def test_a_row_of_a_hot_statement_is_the_row_that_the_orm_reads() -> None:
    now = datetime(2026, 6, 8, 9, tzinfo=UTC)
    kept = Process.objects.create(
        kind="worker", host="here", pid=1, started_at=now, beat_at=now, counts={"a": 1}
    )
    with connection.cursor() as cursor:
        cursor.execute(f"select {columns_of(Process, 'core_process')} from core_process")
        row = row_of(Process, cursor.fetchone())

    assert vars(row).keys() == vars(kept).keys()
    assert {name: value for name, value in vars(row).items() if name != "_state"} == {
        name: value for name, value in vars(kept).items() if name != "_state"
    }
    in_binary = row_of(
        Process, rows_in_binary(f"select {columns_of(Process, 'core_process')} from core_process", [])[0]
    )
    assert in_binary == row
    assert (in_binary.started_at, in_binary.counts) == (now, {"a": 1})
    assert in_binary.started_at.tzinfo is UTC
    row.pid = 2
    row.save()  # an update: it knows that it is in the database, and in which
    assert [(one.id, one.pid) for one in Process.objects.all()] == [(kept.id, 2)]
