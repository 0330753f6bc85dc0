"""A PostgreSQL that somebody else runs: check that it will do, and prepare its roles if we may."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from flowdesk.core.embedded.binaries import OLDEST_MAJOR
from flowdesk.core.embedded.errors import DatabaseUnavailable, RoleRefused, ServerTooOld
from flowdesk.core.embedded.roles import (
    APP,
    OWNER,
    ROLES,
    WORKER,
    Dsns,
    Passwords,
    ensure_grants,
    ensure_roles,
    keep_passwords,
    one_at_a_time,
    read_passwords,
)

URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL")

BY_HAND = f"""create role {OWNER} login password '…';
create role {APP} login password '…';
create role {WORKER} login password '…';
grant all on database … to {OWNER};
grant connect, temporary on database … to {APP}, {WORKER};
grant create, usage on schema public to {OWNER};
grant usage on schema public to {APP}, {WORKER};"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """The addresses an operator gave us."""

    app: str
    owner: str | None = None
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """What a role may do beyond its tables."""

    name: str
    is_superuser: bool
    bypasses_rls: bool
    may_create_roles: bool


def urls_from(environment: Mapping[str, str]) -> Urls | None:
    """The external database named in the environment; None means the embedded one."""
    app, owner, worker = (environment.get(name, "").strip() or None for name in URLS)
    if app is None:
        if owner or worker:
            raise DatabaseUnavailable(f"{URLS[1]} or {URLS[2]} is set, but not {URLS[0]}.")
        return None
    if (owner is None) != (worker is None):
        raise DatabaseUnavailable(f"Set all three of {', '.join(URLS)}, or {URLS[0]} alone.")
    return Urls(app=app, owner=owner, worker=worker)


def use_three_roles(urls: Urls) -> Dsns:
    """Three given roles, whatever their names: none too strong, and each really somebody else."""
    assert urls.owner is not None
    assert urls.worker is not None
    with connect(urls.app, name="DATABASE_URL") as app:
        app_name = refuse_strong(app, name="DATABASE_URL")
        place = _place(app)
    with connect(urls.worker, name="DATABASE_WORKER_URL") as worker:
        worker_name = refuse_strong(worker, name="DATABASE_WORKER_URL")
        _must_be_at(worker, place, name="DATABASE_WORKER_URL")
    with connect(urls.owner, name="DATABASE_OWNER_URL") as owner:
        owner_name = strength(owner).name
        _must_be_at(owner, place, name="DATABASE_OWNER_URL")
        _must_not_act_as(owner, app_name, others=(worker_name, owner_name))
        _must_own_the_schema(owner, name="DATABASE_OWNER_URL")
        ensure_grants(owner, app=app_name, worker=worker_name)
    # The walls of the tables name these roles: an address that leaves its role open gets it written out.
    return Dsns(
        owner=make_conninfo(urls.owner, user=owner_name),
        app=make_conninfo(urls.app, user=app_name),
        worker=make_conninfo(urls.worker, user=worker_name),
    )


def make_three_roles(urls: Urls, *, folder: Path) -> Dsns:
    """One given role that may create roles: make the three, keep their passwords in `folder`."""
    with connect(urls.app, name="DATABASE_URL") as admin:
        given = strength(admin)
        if not (given.may_create_roles or given.is_superuser):
            raise RoleRefused(
                f"DATABASE_URL's role '{given.name}' may not create roles. Let an administrator run\n\n"
                f"{BY_HAND}\n\nand set DATABASE_URL (app), DATABASE_OWNER_URL and DATABASE_WORKER_URL; "
                "or start with --single-role to run without the database's own wall between tenants."
            )
        with one_at_a_time(admin):
            passwords = _ensure_known_roles(admin, folder=folder)
            _open_database(admin)
        dsns = _dsns_like(urls.app, passwords=passwords)
    with connect(dsns.owner, name="the owner's role") as owner:
        ensure_grants(owner)
    return dsns


def use_single_role(urls: Urls) -> Dsns:
    """One role for everything, row level security off; asked for with --single-role only."""
    with connect(urls.app, name="DATABASE_URL") as only:
        refuse_strong(only, name="DATABASE_URL")
        _must_own_the_schema(only, name="DATABASE_URL")
        dsn = make_conninfo(urls.app, user=strength(only).name)
    return Dsns(owner=dsn, app=dsn, worker=dsn, single_role=True)


# -- checks ---------------------------------------------------------------------------------------------


def connect(dsn: str, *, name: str) -> Connection:
    """A connection to a server that is new enough; what fails is told with the variable that named it."""
    try:
        connection = psycopg.connect(dsn, connect_timeout=10, autocommit=True, prepare_threshold=None)
    except psycopg.ProgrammingError:
        # Without libpq's words: they repeat the address, and its password.
        raise DatabaseUnavailable(
            f"{name} is not an address of a database, such as postgresql://user:password@host:5432/name; "
            "characters that mean something in an address are percent-encoded."
        ) from None
    except psycopg.OperationalError as error:
        # A password with an unencoded @ ends up in the host's name.
        reason = re.sub(r"([\"'])[^\"']*@[^\"']*\1", "…", str(error).strip())
        raise DatabaseUnavailable(f"{name} does not connect: {reason}") from None
    major = connection.info.server_version // 10_000
    if major < OLDEST_MAJOR:
        connection.close()
        raise ServerTooOld(
            f"Flowdesk needs PostgreSQL {OLDEST_MAJOR} or newer; {name} leads to version {major}."
        )
    return connection


def strength(connection: Connection) -> Strength:
    row = connection.execute(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user"
    ).fetchone()
    assert row is not None
    return Strength(name=row[0], is_superuser=row[1], bypasses_rls=row[2], may_create_roles=row[3])


def refuse_strong(connection: Connection, *, name: str) -> str:
    """The role's name; raises RoleRefused if no policy could hold it."""
    given = strength(connection)
    too_strong = {"is a superuser": given.is_superuser, "bypasses row security": given.bypasses_rls}
    for what, is_true in too_strong.items():
        if is_true:
            raise RoleRefused(
                f"{name}'s role '{given.name}' {what}: nothing in the database would keep one tenant's pages "
                f"from another's rows. Give it a plain role such as {APP}."
            )
    return given.name


def _place(connection: Connection) -> tuple[Any, ...]:
    """What tells one database from all others: the server's start, the database's number."""
    row = connection.execute(
        "select pg_postmaster_start_time(), oid from pg_database where datname = current_database()"
    ).fetchone()
    assert row is not None
    return tuple(row)


def _must_be_at(connection: Connection, place: tuple[Any, ...], *, name: str) -> None:
    if _place(connection) != place:
        raise DatabaseUnavailable(f"{name} leads to another database than DATABASE_URL.")


def _must_not_act_as(connection: Connection, app: str, *, others: Sequence[str]) -> None:
    """A policy for a role holds for its members too, so the app may be neither worker nor owner."""
    for other in others:
        row = connection.execute("select pg_has_role(%s::name, %s::name, 'member')", [app, other]).fetchone()
        if row and row[0]:
            raise RoleRefused(
                f"DATABASE_URL's role '{app}' is '{other}' or a member of it: every page could see every "
                "tenant. Give each address a role of its own, or start with --single-role."
            )


def _must_own_the_schema(connection: Connection, *, name: str) -> None:
    row = connection.execute("select has_schema_privilege('public', 'create')").fetchone()
    if not row or not row[0]:
        raise RoleRefused(f"{name}'s role may not create tables in the schema 'public', and migrations must.")


def _ensure_known_roles(admin: Connection, *, folder: Path) -> Passwords:
    """The three roles, made if missing; raises RoleRefused if they are there and `folder` cannot enter."""
    rows = admin.execute("select rolname from pg_roles where rolname = any(%s)", [list(ROLES)])
    existing = [row[0] for row in rows]
    known = read_passwords(folder)
    if existing and known is None:
        raise RoleRefused(
            f"The roles {', '.join(sorted(existing))} exist already, and {folder} does not hold their "
            "passwords. Set DATABASE_URL (app), DATABASE_OWNER_URL and DATABASE_WORKER_URL."
        )
    passwords = known or keep_passwords(folder)
    if len(existing) < len(ROLES):
        ensure_roles(admin, passwords=passwords.by_role())
    return passwords


def _open_database(admin: Connection) -> None:
    database = sql.Identifier(admin.info.dbname)
    owner, app, worker = map(sql.Identifier, (OWNER, APP, WORKER))
    try:
        admin.execute(
            sql.SQL("grant connect, temporary, create on database {} to {}").format(database, owner)
        )
        admin.execute(
            sql.SQL("grant connect, temporary on database {} to {}, {}").format(database, app, worker)
        )
        admin.execute(sql.SQL("grant create, usage on schema public to {}").format(owner))
        admin.execute(sql.SQL("grant usage on schema public to {}, {}").format(app, worker))
    except psycopg.errors.InsufficientPrivilege as error:
        raise RoleRefused(
            f"DATABASE_URL's role may create roles but not open the database '{admin.info.dbname}' to them; "
            "use the role that owns that database."
        ) from error


def _dsns_like(url: str, *, passwords: Passwords) -> Dsns:
    """The same server and database as `url`, as each of our roles."""
    return Dsns(
        owner=make_conninfo(url, user=OWNER, password=passwords.owner),
        app=make_conninfo(url, user=APP, password=passwords.app),
        worker=make_conninfo(url, user=WORKER, password=passwords.worker),
    )
