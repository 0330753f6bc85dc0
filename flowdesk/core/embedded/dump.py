"""A database out of a running server and into an empty one, by PostgreSQL's own pg_dump and pg_restore.

Out: consistent as of one instant while everybody works on, with the number of rows of each table at that very
instant. In: tables, rows, rights and walls; the roles must be there first.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flowdesk.core.embedded.as_user import plain_environment
from flowdesk.core.embedded.binaries import Binaries
from flowdesk.core.embedded.errors import DatabaseUnavailable

Say = Callable[[str], None]
Connection = psycopg.Connection[Any]

# pg_dump and pg_restore tell with --verbose which table they are at; nothing else tells how far they are.
DUMPS_TABLE = "dumping contents of table"
RESTORES_TABLE = "processing data for table"
ERROR_LINES = 12  # of what a failed program said


class DumpFailed(DatabaseUnavailable):
    """The database could not be copied."""


class CopyDiffers(DatabaseUnavailable):
    """What was restored is not what was dumped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a database holds, as far as two can be compared: rows by table, and the walls of each table."""

    rows: Mapping[str, int]
    walls: Mapping[str, list[str]]  # tables with forced row level security: the names of their policies

    def differences(self, other: Contents) -> list[str]:
        """What `other` has differently, in words; empty when nothing is."""
        rows = [
            f"{table} has {_or_none(other.rows.get(table))} rows, not {_or_none(self.rows.get(table))}"
            for table in sorted({*self.rows, *other.rows})
            if self.rows.get(table) != other.rows.get(table)
        ]
        walls = [
            f"{table} has other walls"
            for table in sorted({*self.walls, *other.walls})
            if self.walls.get(table) != other.walls.get(table)
        ]
        return rows + walls


def _or_none(count: int | None) -> str:
    return "no" if count is None else str(count)


def contents(connection: Connection) -> Contents:
    """The contents of `public` as `connection` sees them; raises DumpFailed when it does not see all."""
    tables = [
        (str(name), bool(forced), list(policies), bool(sees_all))
        for name, forced, policies, sees_all in connection.execute(
            """
            select c.relname, c.relrowsecurity and c.relforcerowsecurity,
                array(select p.polname::text from pg_policy p where p.polrelid = c.oid order by 1),
                not row_security_active(c.oid)
                or exists (select from pg_policy p where p.polrelid = c.oid and p.polcmd in ('*', 'r')
                           and pg_get_expr(p.polqual, p.polrelid) = 'true'
                           and (0 = any(p.polroles) or current_user::regrole::oid = any(p.polroles)))
            from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1
            """
        )
    ]
    hidden = [name for name, _, _, sees_all in tables if not sees_all]
    if hidden:
        raise DumpFailed(
            f"The role '{connection.info.user}' does not see every row of {', '.join(hidden)}: the policy "
            "'owner' is missing there. A copy would be incomplete, so none is made; `flowdesk migrate` as the "
            "role that owns the tables comes first."
        )
    rows = {}
    for name, *_ in tables:
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(name))).fetchone()
        rows[name] = int(row[0]) if row else 0
    return Contents(rows=rows, walls={name: policies for name, forced, policies, _ in tables if forced})


@contextmanager
def frozen(dsn: str) -> Iterator[tuple[Connection, str]]:
    """A connection that sees one instant for as long as it is open, and the name by which others may see it too."""
    with psycopg.connect(dsn, prepare_threshold=None) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("select pg_export_snapshot()").fetchone()
        assert row is not None
        yield connection, str(row[0])


def dump(dsn: str, *, binaries: Binaries, to: IO[bytes], say: Say) -> Contents:
    """Write the whole database to `to` in pg_dump's custom format; what it held at that instant."""
    with frozen(dsn) as (connection, snapshot):
        _refuse_newer(connection, binaries=binaries)
        held = contents(connection)
        command = [binaries.program("pg_dump"), "--format=custom", "--verbose", "--lock-wait-timeout=60s"]
        # The owner is no superuser: it sees all through the policy 'owner', which `contents` has made sure of.
        command += [f"--snapshot={snapshot}", "--enable-row-security"]
        watch = _progress(say, "saved", marker=DUMPS_TABLE, tables=len(held.rows))
        _run(command, dsn=dsn, tell=watch, to=to)
    return held


def restore(dump_file: Path, dsn: str, *, binaries: Binaries, say: Say, tables: int) -> None:
    """Fill the empty database at `dsn` with `dump_file`: all of it, or nothing."""
    program = binaries.program("pg_restore")
    listed = subprocess.run(  # noqa: S603 - our own program, no shell
        [program, "--list", str(dump_file)],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        raise DumpFailed(f"{dump_file} cannot be read:\n{_end(listed.stderr.splitlines())}")
    # Who may use the schema itself was settled when the database was made, by a role that may do so.
    wanted = [line for line in listed.stdout.splitlines() if " ACL - SCHEMA public " not in line]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as names:
        names.write("\n".join(wanted) + "\n")
        names.flush()
        command = [program, "--verbose", "--single-transaction", f"--use-list={names.name}", str(dump_file)]
        _run(command, dsn=dsn, tell=_progress(say, "restored", marker=RESTORES_TABLE, tables=tables))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("analyze")  # else the first pages are planned for empty tables


def compare(wanted: Contents, dsn: str) -> None:
    """Raises CopyDiffers unless the database at `dsn` holds `wanted`, walls included."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        differences = wanted.differences(contents(connection))
    if differences:
        raise CopyDiffers("What was restored is not what was dumped: " + "; ".join(differences[:10]) + ".")


def _refuse_newer(connection: Connection, *, binaries: Binaries) -> None:
    major = connection.info.server_version // 10_000
    if major > binaries.major:
        raise DumpFailed(
            f"The server is PostgreSQL {major}, the pg_dump that comes along is {binaries.major} and cannot copy a "
            "newer one. Upgrade Flowdesk, or use the server's own backup."
        )


def _run(
    command: Sequence[str], *, dsn: str, tell: Callable[[str], None], to: IO[bytes] | None = None
) -> None:
    """Run a PostgreSQL client on `dsn`, its output into `to`; raises DumpFailed with its last words."""
    address = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    # Not on the command line, where every user of the machine could read it.
    environment = {**plain_environment(), "PGPASSWORD": address.pop("password", "")}
    words: list[str] = []

    def listen(stream: IO[bytes]) -> None:
        for line in stream:
            words.append(line.decode("utf-8", "replace").rstrip())
            del words[:-200]
            tell(words[-1])

    with subprocess.Popen(  # noqa: S603 - our own program, no shell
        [*command, f"--dbname={make_conninfo(**address)}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        listener = threading.Thread(target=listen, args=(process.stderr,), daemon=True)
        listener.start()
        try:
            shutil.copyfileobj(process.stdout, to or io.BytesIO(), 1024 * 1024)
        except BaseException:
            process.kill()
            raise
        listener.join()
    if process.returncode:
        telling = [line for line in words if "error" in line.lower() or "detail" in line.lower()]
        raise DumpFailed(f"{Path(command[0]).name} failed:\n{_end(telling or words)}")


def _end(lines: Sequence[str]) -> str:
    return "\n".join(lines[-ERROR_LINES:])


def _progress(say: Say, done: str, *, marker: str, tables: int) -> Callable[[str], None]:
    """Says after every tenth part of the tables how far it is."""
    seen = told = 0

    def watch(line: str) -> None:
        nonlocal seen, told
        if marker not in line:
            return
        seen += 1
        if (part := seen * 10 // max(1, tables)) > told:
            told = part
            say(f"{seen} of {tables} tables {done}.")

    return watch
