"""The embedded database as the rest of Flowdesk sees it: a folder in, three connection strings out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from flowdesk.core.embedded.as_user import DatabaseUser, database_user, place_data_folder, reachable_binaries
from flowdesk.core.embedded.binaries import embedded_binaries
from flowdesk.core.embedded.cluster import Cluster, socket_conninfo
from flowdesk.core.embedded.errors import DatabaseUnavailable, FolderInUse, FolderUnusable
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.postmaster import is_postmaster_of, read_postmaster
from flowdesk.core.embedded.roles import (
    APP,
    DATABASE,
    OWNER,
    WORKER,
    Dsns,
    Passwords,
    ensure_database,
    ensure_grants,
    ensure_roles,
    keep_passwords,
    read_passwords,
)

UNFINISHED_RESTORE = "restore.new"  # a restore drafts the whole folder in here
UNFINISHED_UPGRADE = "upgrade.new"  # an upgrade makes the new server's folder in here …
VERIFIED = "verified"  # … and this file beside it once that holds every row
PREPARED = "flowdesk: roles and rights, first edition"  # kept as the database's comment

Say = Callable[[str], None]


def choose_folder(wanted: Path) -> Path:
    """The data folder that stands for `wanted`: another one only where root's database user cannot go."""
    return place_data_folder(wanted.absolute(), user=database_user())


def own_folder(wanted: Path) -> Path:
    """The data folder beside a database that others run: nobody but us needs to reach it."""
    return place_data_folder(wanted.absolute(), user=None)


def cluster_in(folder: Path, *, say: Say) -> Cluster:
    """The server of `folder`, not started; the caller holds the folder's lock."""
    finish_upgrade(folder)
    if (folder / UNFINISHED_RESTORE).exists():
        raise FolderUnusable(
            f"A restore into {folder} was interrupted. Repeat `flowdesk restore`, or remove "
            f"{folder / UNFINISHED_RESTORE} if this folder is to begin empty."
        )
    user: DatabaseUser | None = database_user()
    return Cluster(
        folder=folder,
        binaries=reachable_binaries(embedded_binaries(), user=user),
        user=user,
        password=keep_passwords(folder).superuser,
        say=say,
    )


def finish_upgrade(folder: Path) -> None:
    """Swap in the server's folder that an upgrade has made and proven, wherever it was interrupted."""
    draft, data = folder / UNFINISHED_UPGRADE, folder / "postgres"
    if not (draft / VERIFIED).exists():
        return
    if (draft / "postgres").exists():
        if data.exists():
            data.rename(folder / f"postgres.old-{(data / 'PG_VERSION').read_text().strip()}")
        (draft / "postgres").rename(data)
    shutil.rmtree(draft)


def start_and_prepare(cluster: Cluster, *, database: str = DATABASE) -> Dsns:
    """Start the server and see to its roles, database and rights; returns how to connect."""
    cluster.start()
    return prepare(cluster, database=database)


def prepare(cluster: Cluster, *, database: str = DATABASE) -> Dsns:
    """See to the roles, the database and the rights of a running server; quick when all is there."""
    passwords = keep_passwords(cluster.folder)
    dsns = dsns_at(cluster.sockets, passwords=passwords, database=database)
    with psycopg.connect(cluster.superuser_conninfo, autocommit=True) as admin:
        if _is_prepared(admin, database=database):
            return dsns
        ensure_roles(admin, passwords=passwords.by_role())
        ensure_database(admin, name=database)
        with psycopg.connect(dsns.owner, autocommit=True) as owner:
            ensure_grants(owner)
            owner.execute(
                sql.SQL("comment on database {} is {}").format(
                    sql.Identifier(database), sql.Literal(PREPARED)
                )
            )
    return dsns


def _is_prepared(admin: psycopg.Connection[tuple[str | None]], *, database: str) -> bool:
    row = admin.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [database]
    ).fetchone()
    return row is not None and row[0] == PREPARED


def dsns_at(sockets: Path | None, *, passwords: Passwords, database: str = DATABASE) -> Dsns:
    """How each role connects to the server whose socket is in `sockets`."""
    return Dsns(
        owner=socket_conninfo(sockets, user=OWNER, password=passwords.owner, database=database),
        app=socket_conninfo(sockets, user=APP, password=passwords.app, database=database),
        worker=socket_conninfo(sockets, user=WORKER, password=passwords.worker, database=database),
    )


@contextmanager
def database_in(wanted: Path, *, say: Say) -> Iterator[Dsns]:
    """The embedded database for one command: the server that runs, else one started for it."""
    folder = choose_folder(wanted)
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except FolderInUse:
        yield _running_in(folder)
        return
    with lock:
        cluster = cluster_in(folder, say=say)
        try:
            yield start_and_prepare(cluster)
        finally:
            cluster.stop()


def _running_in(folder: Path) -> Dsns:
    """How to connect to the server that another Flowdesk runs on `folder`."""
    found, passwords = read_postmaster(folder / "postgres"), read_passwords(folder)
    if found is None or passwords is None or not is_postmaster_of(found.pid, data=folder / "postgres"):
        raise DatabaseUnavailable(f"Flowdesk is just starting or stopping on {folder}; try again soon.")
    return dsns_at(found.sockets, passwords=passwords)
