"""Sixteen people who give out tickets at once, against four: each act picks the best agent of a team under lock."""

from __future__ import annotations

import json
import socket
import time
from itertools import cycle
from statistics import median
from threading import Thread

from benchmarks.create import CLIENTS, CROWD, HOST, Spell, must_be, postmaster, spell, web
from benchmarks.desk import Desk
from benchmarks.run import Row, Run
from flowdesk.core.actor import Act, system

TICKETS = 400  # given back and forth between two teams


def bars(run: Run) -> list[Row]:
    """The row on assigning."""
    desk = run.desk("small")
    seconds, rounds = (1.0, 2) if run.quick else (4.0, 5)
    requests = desk.run(_requests, desk)
    with web(desk) as (port, process):
        at = postmaster(desk)
        found: dict[int, list[Spell]] = {CLIENTS: [], CROWD: []}
        for count in range(rounds + 1):
            for clients, spells in found.items():
                one = spell(
                    lambda clients=clients: _assign(port, requests, clients=clients, seconds=seconds),  # type: ignore[misc]
                    web=process, postmaster=at,
                )  # fmt: skip
                if count:  # the first round warms up
                    spells.append(one)
                    run.say(f"{clients} writers: {one.rate:.0f} assignments/s")
    timed = {
        clients: Spell(
            *(median(values) for values in zip(*((s.rate, s.web, s.database) for s in spells), strict=True))
        )
        for clients, spells in found.items()
    }
    few, many = timed[CLIENTS], timed[CROWD]
    return [
        Row(
            name="assign", what=f"Tickets assigned by {CROWD} writers at once against {CLIENTS}",
            measured=many.rate / few.rate, bar=0.9, goal=1.0, more_is_better=True,
            sides={f"{clients} writers": one.timed() for clients, one in timed.items()},
            notes=[f"{few.rate:.0f} and {many.rate:.0f} assignments/s over HTTP; times are an assignment's share"],
        )
    ]  # fmt: skip


def _requests(desk: Desk) -> list[tuple[bytes, bytes]]:
    """For each ticket the bytes that give it to one team, and to another."""
    from flowdesk.accounts.services import create_key
    from flowdesk.core.ids import shown
    from flowdesk.core.tenant import reading
    from flowdesk.tickets.models import Ticket

    made = create_key("bench-assign", scopes=[Act.ASSIGN.value], by=system(desk.tenant), now=desk.now)
    with reading(desk.tenant):
        active = (
            Ticket.objects.filter(status="open").order_by("id").values_list("public_id", flat=True)[:TICKETS]
        )
        names = [shown("tkt", name) for name in active]
    return [(_request(made.secret, name, "tier-1"), _request(made.secret, name, "tier-2")) for name in names]


def _request(secret: str, ticket: str, team: str) -> bytes:
    body = json.dumps({"team": team}).encode()
    head = (
        f"POST /api/v1/tickets/{ticket}/assign HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _assign(port: int, requests: list[tuple[bytes, bytes]], *, clients: int, seconds: float) -> int:
    """Assignments that so many writers got through, each on tickets of their own."""
    done = [0] * clients
    ends_by = time.perf_counter() + seconds

    def write(me: int) -> None:
        mine = cycle([request for pair in zip(*requests[me::clients], strict=True) for request in pair])
        with socket.create_connection((HOST, port)) as line:
            while time.perf_counter() < ends_by:
                line.sendall(next(mine))
                must_be(line, b" 200 ")
                done[me] += 1

    threads = [Thread(target=write, args=(me,)) for me in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)
