"""Desks to measure: a throwaway PostgreSQL with the settings of a real data folder, and databases full of tickets."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

import django
import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flowdesk.core.embedded.as_user import database_user
from flowdesk.core.embedded.cluster import Cluster
from flowdesk.core.embedded.database import cluster_in, dsns_at, start_and_prepare
from flowdesk.core.embedded.roles import Dsns, ensure_database, ensure_grants, keep_passwords
from flowdesk.core.supervisor.secret_key import ensure_secret_key

ALIASES = {"owner": "owner", "default": "app", "worker": "worker"}  # Django's name to the role's

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A loaded database. `run` calls something in a thread whose Django is connected to it and to nothing else."""

    dsns: Dsns
    admin: str  # a superuser's connection string, as no product code has
    folder: Path
    tenant: int
    tickets: int
    active: int
    now: datetime  # the instant up to which its tickets have lived
    thread: ThreadPoolExecutor

    def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self.thread.submit(work, *args, **kwargs).result()

    def close(self) -> None:
        """Let go of the database, so that the server can stop."""
        self.thread.submit(_disconnect).result()
        self.thread.shutdown()

    def environment(self) -> dict[str, str]:
        """The variables for a `flowdesk web` or `flowdesk worker` on this desk."""
        return {**os.environ, **environment_of(self.dsns, self.folder)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL with the settings of a real data folder."""

    cluster: Cluster

    @property
    def version(self) -> str:
        with psycopg.connect(self.cluster.superuser_conninfo) as connection:
            return str(connection.info.parameter_status("server_version"))

    def new_desk(
        self,
        name: str,
        *,
        tickets: int,
        active: int,
        now: datetime,
        tenants: int = 1,
        lives: int = 8_000,
        say: Callable[[str], None],
    ) -> Desk:
        """A database of its own, migrated and loaded; `tenants` share the tickets, and the first is the desk's.

        `lives` are lived at the most (see `benchmarks.load`).
        """
        from benchmarks.load import load  # which wants models, and so Django set up

        dsns = self._database(name)
        admin = make_conninfo(self.cluster.superuser_conninfo, dbname=name)
        thread = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=point_django_at, initargs=(dsns,))
        thread.submit(migrate).result()
        say(f"{name}: loading {tickets:,} tickets, {active:,} of them active")
        loaded = [
            thread.submit(
                load, admin, tickets=tickets // tenants, active=active // tenants, now=now, slug=f"bench-{at}",
                lives=lives, say=say,
            ).result()
            for at in range(1, tenants + 1)
        ]  # fmt: skip
        return Desk(
            dsns=dsns, admin=admin, folder=self.cluster.folder, tenant=loaded[0], tickets=tickets, active=active,
            now=now, thread=thread,
        )  # fmt: skip

    def _database(self, name: str) -> Dsns:
        with psycopg.connect(self.cluster.superuser_conninfo, autocommit=True) as admin:
            ensure_database(admin, name=name)
        dsns = dsns_at(self.cluster.sockets, passwords=keep_passwords(self.cluster.folder), database=name)
        with psycopg.connect(dsns.owner, autocommit=True) as owner:
            ensure_grants(owner)
        return dsns


@contextmanager
def bench_server() -> Iterator[Server]:
    """A server in a folder of its own, as durable as a real one; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="flowdesk-bench-"))
    folder.chmod(0o711 if database_user() else 0o700)
    cluster = cluster_in(folder, say=lambda _: None)
    try:
        start_and_prepare(cluster)
        yield Server(cluster=cluster)
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def set_django_up() -> None:
    """Before the first model is imported. Which database is meant is decided thread by thread."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowdesk.config.settings")
    os.environ.setdefault("FLOWDESK_SECRET_KEY", secrets.token_urlsafe(32))
    django.setup()


def environment_of(dsns: Dsns, folder: Path) -> dict[str, str]:
    return {
        **dsns.environment(),
        "FLOWDESK_DATA": str(folder),
        "FLOWDESK_SECRET_KEY": ensure_secret_key(folder),
        "DJANGO_SETTINGS_MODULE": "flowdesk.config.settings",
        # One key asks more than any program should: what is measured is the work, not the refusal.
        **{f"FLOWDESK_LIMIT_{of}": "off" for of in ("ADDRESS", "KEY", "TENANT")},
    }


def point_django_at(dsns: Dsns) -> None:
    """Make this thread's three connections, and no other's, lead to a database."""
    for alias, role in ALIASES.items():
        dsn = conninfo_to_dict(getattr(dsns, role))
        place = {
            "NAME": dsn["dbname"],
            "USER": dsn.get("user", ""),
            "PASSWORD": dsn.get("password", ""),
            "HOST": dsn.get("host", ""),
            "PORT": str(dsn.get("port", "")),
        }
        connections[alias].settings_dict = {**connections[alias].settings_dict, **place}


def _disconnect() -> None:
    connections.close_all()


def migrate() -> None:
    call_command("migrate", database="owner", interactive=False, verbosity=0)
