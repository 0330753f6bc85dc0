"""Opening tickets over HTTP against pgbench that replays the same statements on the same database.

The statements of one creation are recorded with their values as the server would send them; pgbench sends them again
with a fresh ticket each time, prepared, in the same two transactions, as the same role. What Flowdesk adds to them is
reading the request, deciding and answering.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.desk import Desk
from benchmarks.processes import cpu_of_family
from benchmarks.run import Row, Run, Timed
from flowdesk.core.actor import Act, system

CLIENTS, CROWD = 4, 16
WORDS = "The export of our orders stops half way since this morning. " * 3
HOST = "127.0.0.1"

Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of one side: tickets a second, and the CPU milliseconds of one by whose they are."""

    rate: float
    web: float
    database: float

    def timed(self) -> Timed:
        return Timed(wall=1e3 / self.rate, cpu=self.web, database_cpu=self.database)


def bars(run: Run) -> list[Row]:
    """The rows on creation."""
    desk = run.desk("small")
    seconds, rounds = (1.0, 2) if run.quick else (4.0, 5)
    secret, address = desk.run(_key_and_address, desk)
    request = _request(secret, address)
    with web(desk) as (port, process), tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "create.sql"
        script.write_text(_script(desk, desk.run(_recorded, request)), encoding="utf-8")
        at = postmaster(desk)
        sides: dict[str, Callable[[], int]] = {
            "pgbench, 4 clients": lambda: _replay(run, desk, script, seconds=seconds),
            "HTTP, 4 clients": lambda: _ask(port, request, clients=CLIENTS, seconds=seconds),
            "HTTP, 16 clients": lambda: _ask(port, request, clients=CROWD, seconds=seconds),
        }
        found: dict[str, list[Spell]] = {name: [] for name in sides}
        for count in range(rounds + 1):
            for name, side in sides.items():
                one = spell(side, web=process, postmaster=at)
                if count:  # the first round warms up
                    found[name].append(one)
                    run.say(f"{name}: {one.rate:.0f} tickets/s")
    timed = {
        name: Spell(
            *(median(values) for values in zip(*((s.rate, s.web, s.database) for s in spells), strict=True))
        )
        for name, spells in found.items()
    }
    replayed, few, many = timed.values()
    shown = {name: spell.timed() for name, spell in timed.items()}
    return [
        Row(
            name="create", what="Tickets opened over HTTP by 4 clients against pgbench replaying the statements",
            measured=few.rate / replayed.rate, bar=0.35, goal=0.5, more_is_better=True, sides=shown,
            notes=[f"{few.rate:.0f} tickets/s over HTTP, {replayed.rate:.0f} replayed; times are a ticket's share"],
        ),
        Row(
            name="create_crowd", what="Tickets opened over HTTP by 16 clients against 4",
            measured=many.rate / few.rate, bar=1.0, goal=1.0, more_is_better=True, sides=shown,
        ),
    ]  # fmt: skip


def _key_and_address(desk: Desk) -> tuple[str, str]:
    """A key that may open tickets, and somebody who writes."""
    from flowdesk.accounts.services import create_key
    from flowdesk.core.tenant import reading
    from flowdesk.people.models import Contact

    made = create_key("bench", scopes=[Act.OPEN.value], by=system(desk.tenant), now=desk.now)
    with reading(desk.tenant):
        contact = Contact.objects.exclude(email="").order_by("id").first()
        assert contact is not None
        return made.secret, contact.email


def _request(secret: str, address: str) -> bytes:
    """The bytes a client sends, the same each time."""
    asked = {"email": address, "subject": "Export stops half way", "text": WORDS, "priority": "P3"}
    body = json.dumps(asked).encode()
    head = (
        f"POST /api/v1/tickets HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# -- the side of pgbench


def _recorded(request: bytes) -> list[Statement]:
    """The statements of one creation as the web process sends them, with their values."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    head, _, body = request.partition(b"\r\n\r\n")
    bearer = re.search(rb"Authorization: (.*)\r\n", head)
    assert bearer is not None
    statements: list[Statement] = []

    def note(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's own shape
        statements.append((statement, values or ()))
        return execute(statement, values, many, context)

    client = Client(headers={"Authorization": bearer[1].decode()})
    for _ in range(2):  # the first reads the policy
        statements.clear()
        with connection.execute_wrapper(note):
            answer = client.post("/api/v1/tickets", data=body, content_type="application/json")
        assert answer.status_code == 201, answer.content
    return statements


def _script(desk: Desk, statements: Sequence[Statement]) -> str:
    """The statements as pgbench reads them, with a new ticket's ids wherever the recorded one's stand."""
    lines, ticket, begun = [], None, False
    with psycopg.connect(desk.admin) as connection:
        for text, values in statements:
            if "set_config" in text:
                lines.append("begin;")
                begun = True
            if "nextval" in text:
                lines.append(f"{_one_line(text)} as ticket \\gset")
                ticket = _last_ticket(desk)
                continue
            pieces = text.split("%s")
            assert len(pieces) == len(values) + 1
            said = [_said(value, ticket=ticket, connection=connection) for value in values]
            lines.append(_one_line("".join(a + b for a, b in zip(pieces, [*said, ""], strict=True))) + ";")
    assert begun, "a creation begins a transaction"
    assert ticket is not None, "a creation draws its id first"
    return "\n".join([*lines, "commit;", ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _last_ticket(desk: Desk) -> int:
    with psycopg.connect(desk.admin) as connection:
        row = connection.execute("select max(id) from tickets_ticket").fetchone()
    assert row is not None
    return int(row[0])


def _said(value: Any, *, ticket: int | None, connection: psycopg.Connection[Any]) -> str:
    """A value as SQL. Public ids are drawn anew; the ticket's row id is the variable that was just set."""
    if isinstance(value, UUID):
        return "gen_random_uuid()"
    if ticket is not None and value == ticket and not isinstance(value, bool):
        return ":ticket"
    if ticket is not None and isinstance(value, list) and value and set(map(str, value)) == {str(ticket)}:
        return f"array[{', '.join(':ticket' for _ in value)}]"
    return sql.Literal(value).as_string(connection)


def _replay(run: Run, desk: Desk, script: Path, *, seconds: float) -> int:
    """Transactions that pgbench got through."""
    done = subprocess.run(
        [
            run.server.cluster.binaries.folder / "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
            "-T", str(max(1, round(seconds))), "-f", script, desk.dsns.app,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    counted = re.search(r"transactions actually processed: (\d+)", done.stdout)
    failed = re.search(r"failed transactions: (\d+)", done.stdout)
    assert counted, done.stderr[-2000:]
    assert done.returncode == 0, done.stderr[-2000:]
    assert failed is None or failed[1] == "0", done.stderr[-2000:]
    return int(counted[1])


# -- the side of HTTP


@contextmanager
def web(desk: Desk) -> Iterator[tuple[int, int]]:
    """`flowdesk web` on the desk: its port and process."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "web", "--port", str(port), "--host", HOST],
        env=desk.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ends_by = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < ends_by:
            try:
                socket.create_connection((HOST, port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _ask(port: int, request: bytes, *, clients: int, seconds: float) -> int:
    """Tickets that so many clients opened, each asking again as soon as it is answered."""
    opened = [0] * clients
    ends_by = time.perf_counter() + seconds

    def ask(me: int) -> None:
        with socket.create_connection((HOST, port)) as line:
            while time.perf_counter() < ends_by:
                line.sendall(request)
                must_be(line, b" 201 ")
                opened[me] += 1

    threads = [Thread(target=ask, args=(me,)) for me in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(opened)


def must_be(line: socket.socket, status: bytes) -> None:
    """Read one whole answer, which must be of this status."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = line.recv(65536)
        assert part, "the server hung up"
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status in head.partition(b"\r\n")[0], answer
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None, head
    while len(body) < int(length[1]):
        body += line.recv(65536)


def postmaster(desk: Desk) -> int:
    """The process that the database's others come from."""
    with psycopg.connect(desk.admin) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        assert row is not None
        stat = Path(f"/proc/{row[0]}/stat").read_text(encoding="ascii")
    return int(stat.rpartition(")")[2].split()[1])


def spell(side: Callable[[], int], *, web: int, postmaster: int) -> Spell:
    """How many a second one side got through, and what that cost the web and the database."""
    before = cpu_of_family(web), cpu_of_family(postmaster)
    began = time.perf_counter()
    tickets = side()
    seconds = time.perf_counter() - began
    used = cpu_of_family(web) - before[0], cpu_of_family(postmaster) - before[1]
    return Spell(tickets / seconds, *(value / tickets * 1e3 for value in used))
