"""The tests' database: a throwaway server, the three roles, every migration, and a way back to empty tables.

FLOWDESK_TEST_POSTGRES=system takes Debian's PostgreSQL instead of the embedded one;
FLOWDESK_TEST_DATABASE_URL takes a running server, on which it must name a superuser.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flowdesk.core.embedded.as_user import database_user, reachable_binaries
from flowdesk.core.embedded.binaries import Binaries, embedded_binaries, system_binaries
from flowdesk.core.embedded.cluster import THROWAWAY, Cluster
from flowdesk.core.embedded.roles import ensure_database, ensure_grants, ensure_roles

ALIASES = {"owner": "owner", "default": "app", "worker": "worker"}  # Django's name to the role's

Rows = Mapping[str, bytes]  # a table's name to its rows, as COPY text


@dataclass(kw_only=True)
class ThrowawayDatabase:
    """A database that is gone after the tests; `admin` is a superuser in it, as no product code ever is."""

    admin: str
    roles: Mapping[str, str]  # the role's short name to its connection string
    _migrated: Rows = field(default_factory=dict)  # what migrations made

    @cached_property
    def _cleaner(self) -> psycopg.Connection[Any]:
        """One connection after all tests: a new one would have to learn every table again."""
        return psycopg.connect(self.admin, prepare_threshold=1)

    @cached_property
    def _which_are_filled(self) -> sql.Composed:
        """Asks for the names of the tables of `public` that hold any row."""
        names = self._cleaner.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition"
        ).fetchall()
        return sql.SQL(" union all ").join(
            sql.SQL("select {name} where exists (select 1 from {table})").format(
                name=sql.Literal(name), table=sql.Identifier(name)
            )
            for (name,) in names
        )

    def remember_rows(self) -> None:
        """Keep what migrations put into tables: every test may rely on it."""
        self._migrated = self.rows()

    def rows(self) -> Rows:
        """All that every table holds now."""
        with self._cleaner.transaction():
            return {table: self._copy_out(table) for table in self._filled_tables()}

    def restore_rows(self, wanted: Rows | None = None) -> None:
        """Bring every table to `wanted`, or to what `remember_rows` saw, past all rules, keys and walls."""
        admin, wanted = self._cleaner, self._migrated if wanted is None else wanted
        with admin.transaction():
            # As a replica the server fires neither triggers nor foreign keys, so the order does not matter.
            admin.execute("set local session_replication_role = replica")
            admin.execute("set local lock_timeout = '10s'")  # a test that left a transaction open is told
            for table in {*self._filled_tables(), *wanted}:
                admin.execute(sql.SQL("delete from {}").format(sql.Identifier(table)))
            for table, rows in wanted.items():
                statement = sql.SQL("copy {} ({}) from stdin").format(
                    sql.Identifier(table), self._columns(table)
                )
                with admin.cursor() as cursor, cursor.copy(statement) as copy:
                    copy.write(rows)

    def _filled_tables(self) -> list[str]:
        return [name for (name,) in self._cleaner.execute(self._which_are_filled)]

    def _copy_out(self, table: str) -> bytes:
        statement = sql.SQL("copy (select {} from {}) to stdout").format(
            self._columns(table), sql.Identifier(table)
        )
        with self._cleaner.cursor() as cursor, cursor.copy(statement) as copy:
            return b"".join(bytes(part) for part in copy)

    def _columns(self, table: str) -> sql.Composed:
        """What can be written: the database says for itself what is generated."""
        names = self._cleaner.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and not attisdropped and attgenerated = '' order by attnum",
            [table],
        )
        return sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)

    def close(self) -> None:
        self._cleaner.close()


@contextmanager
def throwaway_database() -> Iterator[ThrowawayDatabase]:
    url = os.environ.get("FLOWDESK_TEST_DATABASE_URL")
    if url:
        with _database_on(url) as database:
            yield database
        return
    with throwaway_cluster(_binaries()) as cluster:
        cluster.start()
        with _database_on(cluster.superuser_conninfo) as database:
            yield database


@contextmanager
def throwaway_cluster(binaries: Binaries | None = None) -> Iterator[Cluster]:
    """A server in a folder of its own, not started; stopped and removed at the end."""
    user = database_user()
    folder = Path(tempfile.mkdtemp(prefix="flowdesk-test-"))
    folder.chmod(0o711 if user else 0o700)
    cluster = Cluster(
        folder=folder,
        binaries=reachable_binaries(binaries or embedded_binaries(), user=user),
        user=user,
        password=secrets.token_urlsafe(12),
        settings=THROWAWAY,
    )
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def point_django_at(database: ThrowawayDatabase) -> None:
    """Make Django's three connections lead to the tests' database, each in its role."""
    for alias, role in ALIASES.items():
        dsn = conninfo_to_dict(database.roles[role])
        place: dict[str, Any] = {
            "NAME": dsn["dbname"],
            "USER": dsn["user"],
            "PASSWORD": dsn["password"],
            "HOST": dsn.get("host", ""),
            "PORT": str(dsn.get("port", "")),
        }
        connections[alias].close()
        connections.settings[alias].update(place)  # for the threads to come
        connections[alias].settings_dict.update(place)


def _binaries() -> Binaries | None:
    if os.environ.get("FLOWDESK_TEST_POSTGRES") != "system":
        return None
    found = system_binaries()
    assert found is not None, "FLOWDESK_TEST_POSTGRES=system, but no PostgreSQL 15 or newer is installed"
    return found


@contextmanager
def _database_on(server: str) -> Iterator[ThrowawayDatabase]:
    """A new database with new roles on `server`, reached as a superuser; dropped at the end."""
    suffix = secrets.token_hex(4)  # roles belong to the whole server: never touch an installation's own
    name = f"flowdesk_test_{suffix}"
    passwords = {
        f"flowdesk_{role}_{suffix}": secrets.token_urlsafe(12) for role in ("owner", "app", "worker")
    }
    names = list(passwords)
    with psycopg.connect(server, autocommit=True) as admin:
        ensure_roles(admin, passwords=passwords)
        ensure_database(admin, name=name, roles=names)
    roles = {
        role.split("_")[1]: make_conninfo(server, dbname=name, user=role, password=password)
        for role, password in passwords.items()
    }
    with psycopg.connect(roles["owner"], autocommit=True) as owner:
        ensure_grants(owner, app=names[1], worker=names[2])
    database = ThrowawayDatabase(admin=make_conninfo(server, dbname=name), roles=roles)
    try:
        yield database
    finally:
        database.close()
        connections.close_all()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
            for role in names:
                admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
