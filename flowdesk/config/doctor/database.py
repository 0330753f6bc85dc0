"""Checks of the database: who may do what in it, and whether it is the one this program needs. They need Django."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from flowdesk.accounts.models import Tenant
from flowdesk.accounts.tenancy import TenantModel
from flowdesk.config.doctor.machine import Check, Machine
from flowdesk.config.doctor.outcome import Outcome, ok, problem, warning
from flowdesk.core.embedded.binaries import OLDEST_MAJOR
from flowdesk.core.embedded.external import urls_from
from flowdesk.core.time import now

SKEW_SEEN = 1.0  # seconds; clocks are promised to the minute
SKEW_WRONG = 10.0
SERVING = {"default": "app", "worker": "worker"}  # Django's names for the roles that serve
OWNER_VARIABLES = (b"FLOWDESK_OWNER_DSN=", b"DATABASE_OWNER_URL=")


def ask(question: str, *values: Any, alias: str = "owner") -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def role(alias: str) -> str:
    return str(connections[alias].settings_dict["USER"])


def server(machine: Machine) -> Outcome:
    """Whether the server answers to all three roles, and is new enough."""
    for alias in connections:
        ask("select 1", alias=alias)
    [(number, words)] = ask(
        "select current_setting('server_version_num')::int, current_setting('server_version')"
    )
    kind = "embedded" if urls_from(machine.environment) is None else "external"
    if number // 10_000 < OLDEST_MAJOR:
        return problem(
            f"The {kind} server is PostgreSQL {words}",
            mend=f"Flowdesk needs {OLDEST_MAJOR} or newer; see `flowdesk upgrade` for an embedded one.",
        )
    return ok(f"The {kind} server is PostgreSQL {words}, and answers to every role")


def migrations(_: Machine) -> Outcome:
    executor = MigrationExecutor(connections["owner"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = f"{plan[0][0].app_label}.{plan[0][0].name}"
        return problem(
            f"{len(plan)} migrations are not applied, the first is {first}", mend="Run `flowdesk migrate`."
        )
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    ours = sorted(
        f"{app}.{name}" for app, name in unknown if app in {c.label for c in apps.get_app_configs()}
    )
    if ours:
        return warning(
            f"The database has migrations that this program does not know: {', '.join(ours[:3])}",
            mend="A newer Flowdesk has worked here; run that one.",
        )
    return ok("Every migration is applied")


def roles(_: Machine) -> Outcome:
    """Whether a page's role could see past its tenant."""
    if settings.SINGLE_ROLE:
        return warning(
            "One role serves and owns: row level security is off, only the program keeps tenants apart",
            mend="Set DATABASE_URL, DATABASE_OWNER_URL and DATABASE_WORKER_URL to three roles.",
        )
    for alias, kind in SERVING.items():
        [(is_superuser, bypasses, makes_roles)] = ask(
            "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = %s", role(alias)
        )
        rights = {
            "superuser": is_superuser,
            "bypassrls": bypasses,
            "createrole": makes_roles,
        }
        if strong := [right for right, has in rights.items() if has]:
            return problem(
                f"The {kind}'s role '{role(alias)}' has {', '.join(strong)}: no policy holds it",
                mend=f'alter role "{role(alias)}" {" ".join("no" + right for right in strong)}',
            )
    for other in ("worker", "owner"):
        if ask("select 1 where pg_has_role(%s::name, %s::name, 'member')", role("default"), role(other)):
            return problem(
                f"The app's role is a member of '{role(other)}': every page could see every tenant",
                mend=f'revoke "{role(other)}" from "{role("default")}"',
            )
    return ok("App and worker are plain roles, and strangers to each other")


def walls(_: Machine) -> Outcome:
    """Whether every tenant's table is under forced row level security with its three policies."""
    if settings.SINGLE_ROLE:
        return warning("There are no walls with one role", mend="See roles.")
    wanted = {("tenant", role("default")), ("worker", role("worker")), ("owner", role("owner"))}
    forced = {
        name
        for (name,) in ask(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relrowsecurity and relforcerowsecurity"
        )
    }
    policies: dict[str, set[tuple[str, str]]] = {}
    for table, policy, name in ask(
        "select tablename, policyname, unnest(roles) from pg_policies where schemaname = 'public'"
    ):
        policies.setdefault(table, set()).add((policy, name))
    tables = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel))
    if open_ones := [table for table in tables if table not in forced]:
        return problem(
            f"Row level security is not forced on {', '.join(open_ones)}",
            mend="; ".join(
                f"alter table {name} enable row level security, force row level security"
                for name in open_ones
            ),
        )
    if other := [table for table in tables if policies.get(table, set()) != wanted]:
        return problem(
            f"The policies on {', '.join(other)} are not those of the migrations",
            mend="Find out who changed them; restore a backup into an empty database and compare.",
        )
    return ok(f"Row level security is forced on all {len(tables)} tables of tenants")


def owner_password(machine: Machine) -> Outcome:
    """Whether a process that serves was given the owner's password."""
    if settings.SINGLE_ROLE:
        return warning("With one role the web owns the tables", mend="See roles.")
    if not Path("/proc/self/environ").exists():
        return ok("Only Linux tells what a process was given; not looked at here")
    guilty = [pid for pid, given in _serving(machine.folder) if given]
    if guilty:
        return problem(
            f"Processes that serve hold the owner's password: {', '.join(map(str, guilty))}",
            mend="Start web and worker without DATABASE_OWNER_URL; only `flowdesk migrate` needs it.",
        )
    return ok("No process that serves holds the owner's password")


def _serving(folder: Path) -> list[tuple[int, bool]]:
    """The web and worker processes on a folder, and whether each was given the owner's password."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # gone, or somebody else's
            continue
        is_ours = b"FLOWDESK_DATA=" + os.fsencode(folder) in variables
        if is_ours and b"flowdesk" in words and {b"web", b"worker"} & set(words):
            found.append((int(entry.name), any(one.startswith(OWNER_VARIABLES) for one in variables)))
    return found


def clock(_: Machine) -> Outcome:
    """Whether machine and database agree on the time; a promise is counted by the one and stored by the other."""
    before = now()
    [(there,)] = ask("select clock_timestamp()")
    after = now()
    skew = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    says = f"Machine and database are {skew:.1f} s apart"
    mend = "Let both keep time with NTP (timedatectl set-ntp true)."
    if skew >= SKEW_WRONG:
        return problem(says, mend=mend)
    return warning(says, mend=mend) if skew >= SKEW_SEEN else ok(says)


def zones(_: Machine) -> Outcome:
    """Whether Python and the database know the same rules for the tenants' zones, for a year from now."""
    start = now()
    months = [(start.year + (start.month + n) // 12, (start.month + n) % 12 + 1) for n in range(12)]
    instants = [datetime(year, month, 1, tzinfo=UTC) for year, month in months]
    names = sorted({*Tenant.objects.using("owner").values_list("zone", flat=True), "Europe/Stockholm"})
    known = {name for (name,) in ask("select name from pg_timezone_names where name = any(%s)", names)}
    for name in names:
        if name not in known:
            return problem(
                f"The database does not know the zone {name}", mend="Update the server's time zone data."
            )
        there = [
            local
            for (local,) in ask(
                "select at at time zone %s from unnest(%s::timestamptz[]) as at", name, instants
            )
        ]
        if there != [instant.astimezone(ZoneInfo(name)).replace(tzinfo=None) for instant in instants]:
            return warning(
                f"Python and the database have different rules for {name}",
                mend="Update tzdata on both: pip install -U tzdata, and the server's operating system.",
            )
    [(session,)] = ask("select current_setting('TimeZone')", alias="default")
    if session != "UTC":
        return problem(
            f"The app's sessions are in {session}", mend="Remove the zone from the role or the address."
        )
    return ok(f"Python and the database agree on {', '.join(names)}")


CHECKS: Mapping[str, Check] = {
    "server": server,
    "migrations": migrations,
    "roles": roles,
    "walls": walls,
    "owner password": owner_password,
    "clock": clock,
    "zones": zones,
}
