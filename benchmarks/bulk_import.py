"""Bulk import against COPY: the rows of a file as tickets, and the very same ticket rows into a bare table.

The import reads JSON lines, checks them, finds or makes people, lets each ticket's past happen to its promises, and
writes tickets, messages, events and clocks. COPY writes the ticket rows alone into a table with the same columns and
indexes, without keys, walls or anything beside it. Both tables grow alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from django.db import connections

from benchmarks.run import Row, Run, Side, alternate
from flowdesk.core.actor import system
from flowdesk.flows.import_tickets import import_tickets
from flowdesk.intake.bulk.runs import Order, begin_local_run
from flowdesk.intake.bulk.states import FileFormat

ROUNDS, ROWS, QUICK_ROWS = 5, 4_000, 400
NOW = datetime(2026, 6, 15, 7, 0, tzinfo=UTC)
ACTIVE = 0.05  # of the tickets of a file; the others are history
PEOPLE = 2_000
WORDS = ("invoice", "export", "login", "report", "error", "payment", "order", "address", "account", "printer")
CATEGORIES = ("billing", "technical", "account", "feature")


def rows(count: int, *, chance: random.Random, prefix: str) -> Iterator[dict[str, Any]]:
    """Tickets of three years: most of them closed, each with an answer, by some two thousand people."""
    for number in range(count):
        opened = NOW - timedelta(minutes=chance.randrange(60, 3 * 365 * 24 * 60))
        person = chance.randrange(PEOPLE)
        row = {
            "external_ref": f"{prefix}-{number}",
            "subject": " ".join(chance.choices(WORDS, k=5)),
            "text": " ".join(chance.choices(WORDS, k=40)),
            "email": f"person{person}@customer{person % 400}.example",
            "name": f"Person {person}",
            "customer_name": f"Customer {person % 400}",
            "priority": chance.choice(("P1", "P2", "P3", "P3", "P4")),
            "category": chance.choice(CATEGORIES),
            "channel": "email",
            "created_at": opened.isoformat(),
        }
        if chance.random() >= ACTIVE:
            answered = opened + timedelta(minutes=chance.expovariate(1 / 120))
            resolved = answered + timedelta(minutes=chance.expovariate(1 / 1440))
            if (closed := resolved + timedelta(days=5)) < NOW:
                row |= {
                    "first_response_at": answered.isoformat(),
                    "resolved_at": resolved.isoformat(),
                    "closed_at": closed.isoformat(),
                }
        yield row


def bars(run: Run) -> list[Row]:
    """Rows a second of the import, as a share of COPY's."""
    desk, size = run.desk("small"), QUICK_ROWS if run.quick else ROWS
    with TemporaryDirectory() as folder:
        bench = _Bench(folder=Path(folder), tenant=desk.tenant, size=size)
        desk.run(bench.make_bare_table)
        calls = {
            "make": bench.makes, "import": bench.imports, "fetch": bench.fetches, "copy": bench.copies,
        }  # fmt: skip
        sides = {name: Side(call=call, desk=desk) for name, call in calls.items()}
        times = alternate(sides, rounds=min(run.rounds, ROUNDS))
    took, copied = times["import"], times["copy"]
    return [
        Row(
            name="import",
            what="bulk import against COPY into the bare ticket table",
            measured=copied.wall / took.wall,
            bar=0.2,
            goal=0.3,
            more_is_better=True,
            sides={"import": took, "copy": copied},
            notes=(
                f"{1e3 * size / took.wall:,.0f} rows/s imported, {1e3 * size / copied.wall:,.0f} rows/s copied;"
                f" {took.cpu / size:.2f} ms of Python a row",
            ),
        )
    ]


class _Bench:
    """Files of tickets, each imported once and then copied."""

    def __init__(self, *, folder: Path, tenant: int, size: int) -> None:
        self.by, self.size, self.folder = system(tenant), size, folder
        self._chance, self._numbers, self._latest = random.Random(7), count(), 0
        self._data, self._rows = b"", b""

    def make_bare_table(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute("create table bare (like tickets_ticket including all)")

    @property
    def _file(self) -> Path:
        return self.folder / "tickets.jsonl"

    def makes(self) -> None:
        """A file of its own for the import to come; making it up is no part of what is measured."""
        self._latest = next(self._numbers)
        lines = (
            json.dumps(row) for row in rows(self.size, chance=self._chance, prefix=f"bench{self._latest}")
        )
        self._data = "\n".join(lines).encode()
        self._file.write_bytes(self._data)

    def imports(self) -> None:
        """That file, as the command imports it."""
        order, digest = Order(name=self._file.name, format=FileFormat.JSONL), sha256(self._data).digest()
        begun = begin_local_run(order, digest=digest, size=len(self._data), by=self.by, now=NOW)
        with self._file.open("rb", buffering=0) as source:
            done = import_tickets(begun, source, by=self.by, clock=lambda: NOW)
        assert (done.imported, done.refused) == (self.size, 0), (done.state, done.imported, done.fault)

    def fetches(self) -> None:
        """The ticket rows that the import before has written, for the copy to come."""
        wanted = f"select * from tickets_ticket where external_ref like 'bench{self._latest}-%'"
        with self._plain() as owner, owner.cursor().copy(f"copy ({wanted}) to stdout") as out:
            self._rows = b"".join(bytes(part) for part in out)

    def copies(self) -> None:
        with self._plain() as owner, owner.cursor().copy("copy bare from stdin") as into:
            into.write(self._rows)

    @staticmethod
    def _plain() -> psycopg.Connection[Any]:
        params = connections["owner"].get_connection_params()
        return psycopg.connect(
            **{name: value for name, value in params.items() if name not in ("cursor_factory", "context")}
        )
