"""The three roles every Flowdesk database has, their passwords and their rights.

owner migrates and owns the tables; app serves people, one tenant at a time; worker claims and stamps what is
due. None is a superuser, none bypasses row level security: what a role may see is decided by policies.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from flowdesk.core.embedded.errors import FolderUnusable

OWNER = "flowdesk_owner"
APP = "flowdesk_app"
WORKER = "flowdesk_worker"
ROLES = (OWNER, APP, WORKER)
DATABASE = "flowdesk"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """One random password per role, made once per data folder and readable by its owner only."""

    superuser: str
    owner: str
    app: str
    worker: str

    @classmethod
    def fresh(cls) -> Self:
        return cls(**{role.name: secrets.token_urlsafe(24) for role in fields(cls)})

    def by_role(self) -> Mapping[str, str]:
        return {OWNER: self.owner, APP: self.app, WORKER: self.worker}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsns:
    """How to connect as each role (libpq connection strings, passwords included)."""

    owner: str
    app: str
    worker: str
    single_role: bool = False  # one role plays all three: row level security is off

    def environment(self) -> dict[str, str]:
        """The variables that the settings read."""
        names = {"FLOWDESK_OWNER_DSN": self.owner, "FLOWDESK_APP_DSN": self.app}
        names["FLOWDESK_WORKER_DSN"] = self.worker
        return {**names, "FLOWDESK_SINGLE_ROLE": "1"} if self.single_role else names

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """What `environment()` wrote."""
        names = ("FLOWDESK_OWNER_DSN", "FLOWDESK_APP_DSN", "FLOWDESK_WORKER_DSN")
        owner, app, worker = (environment[name] for name in names)
        return cls(owner=owner, app=app, worker=worker, single_role="FLOWDESK_SINGLE_ROLE" in environment)


def passwords_in(folder: Path) -> Path:
    return folder / "database-passwords.json"


def read_passwords(folder: Path) -> Passwords | None:
    path = passwords_in(folder)
    try:
        return Passwords(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise FolderUnusable(f"{path}, the database's passwords, cannot be read ({error}).") from error


def keep_passwords(folder: Path) -> Passwords:
    """The folder's passwords, made and stored (0600, whole or not at all) on first use."""
    known = read_passwords(folder)
    if known is not None:
        return known
    if (folder / "postgres" / "PG_VERSION").exists():
        raise FolderUnusable(
            f"{passwords_in(folder)} is missing; without it the database in {folder / 'postgres'} is "
            "locked. Put it back from a backup of this folder."
        )
    passwords = Passwords.fresh()
    write_secret(passwords_in(folder), json.dumps(asdict(passwords), indent=2) + "\n")
    return passwords


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, and that is never seen half written."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(path)


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else prepares this database.

    Rights are rows of the server's own catalogue, and of two that write one of them at once the second fails
    ("tuple concurrently updated"): a web and two workers may well start in the same moment.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('flowdesk.roles'))")
        yield


def ensure_roles(admin: Connection, *, passwords: Mapping[str, str]) -> None:
    """Make the roles that are missing, and give all three their known, plain rights."""
    for role, password in passwords.items():
        exists = admin.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
        # The server is sent a verifier, so that no log of statements can ever show the password.
        verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        admin.execute(
            sql.SQL("{verb} role {role} login nocreatedb nocreaterole password {verifier}").format(
                verb=sql.SQL("alter" if exists else "create"), role=sql.Identifier(role), verifier=verifier
            )
        )


def ensure_database(admin: Connection, *, name: str, roles: Sequence[str] = ROLES) -> None:
    """Make the database if it is missing; the first of `roles` owns it, only they may enter it."""
    if admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
        admin.execute(
            sql.SQL("create database {} owner {} template template0 encoding 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(roles[0])
            )
        )
    admin.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    admin.execute(
        sql.SQL("grant connect, temporary on database {} to {}").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, roles))
        )
    )


def ensure_grants(owner: Connection, *, app: str = APP, worker: str = WORKER) -> None:
    """As the owner: whatever it will create in `public` can be used by app and worker.

    Default privileges only, never `on all tables`: migrations take single rights back (an event may not be
    changed), and a start must not give them again.
    """
    users = sql.SQL(", ").join(map(sql.Identifier, sorted({app, worker})))
    rights = (
        ("select, insert, update, delete", "tables"),
        ("usage, select", "sequences"),
    )
    with one_at_a_time(owner):
        for allowed, kind in rights:
            owner.execute(
                sql.SQL("alter default privileges in schema public grant {} on {} to {}").format(
                    sql.SQL(allowed), sql.SQL(kind), users
                )
            )
