"""Django's PostgreSQL backend, whose connections do not wait for ever and read instants fast.

A server that is gone without a word (a pulled plug, a firewall that forgot the line, a machine that stands still)
leaves its clients waiting. TCP's own limits see the first two only; a `statement_timeout` sees none of them, nor a
commit that waits for a synchronous standby. So the client keeps the time itself: what is not answered in time is an
error, and the connection is closed. It is not cancelled: PostgreSQL ends a cancelled wait for the standby with
success, and that would acknowledge what may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg import adapters
from psycopg.errors import _WaitTimeout
from psycopg.pq import Format

from flowdesk.core.postgres.arrays import ColumnDumper

_INSTANT = adapters.types["timestamptz"].oid
INSTANT_LOADER: Any = adapters.get_loader(_INSTANT, Format.TEXT)


class NoAnswer(psycopg.OperationalError):
    """The database did not answer in time; whether it did what was asked is not known."""


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when one answer takes longer than `answer_within` seconds; None waits for ever."""

    answer_within: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's; raises NoAnswer."""
        if timeout is not None or self.answer_within is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_within)
        except _WaitTimeout:
            self.pgconn.finish()
            raise NoAnswer(f"no answer within {self.answer_within:g} s") from None


@contextmanager
def answered_within(seconds: float, connection: Any) -> Iterator[None]:
    """A shorter limit for a probe: whoever asks how we are waits for a few seconds, and has to hear of it.

    It holds for the look at an idle connection too, which comes before the first statement. A new connection has the
    limit for connecting beside it.
    """
    raw = connection.connection
    if raw is None:
        yield
        return
    before, raw.answer_within = raw.answer_within, seconds
    try:
        yield
    finally:
        raw.answer_within = before


class DatabaseWrapper(base.DatabaseWrapper):
    """Reads the limit from the connection's setting ANSWER_WITHIN, and instants as psycopg does.

    That is in C and in the session's zone, which is UTC. Django puts a reader of its own in its place, which matches
    patterns in Python: thirty times the work, for every instant of every row.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> ImpatientConnection:
        # As Django's, without its own pool and choice of isolation, which nobody here asks for.
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = ImpatientConnection.connect(**conn_params)
        connection.answer_within = self.settings_dict.get("ANSWER_WITHIN")
        connection.adapters.register_loader("timestamptz", INSTANT_LOADER)
        connection.adapters.register_dumper(list, ColumnDumper)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        # As Django's, without its own reader of instants.
        if name:
            return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)
        return self.connection.cursor()
