"""The line to the database is cut, closed and left half open: errors in time, and everything goes on by itself.

Takes about a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import NamedTuple

import pytest
from psycopg.conninfo import make_conninfo

from flowdesk.core.embedded.cluster import PORT, SUPERUSER
from tests.faults.installation import Installation, an_installation, free_port, wait_until
from tests.faults.load import Ledger, Load
from tests.faults.post import Post, a_post
from tests.faults.proxy import Line, a_line
from tests.faults.servers import NAME, Server, a_server
from tests.faults.verdict import settled_verdict

pytestmark = pytest.mark.faults

ANSWER_WITHIN = 2  # seconds
CONNECT_WITHIN = 5  # seconds, as the settings have it
CLIENTS = 4


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation that reaches its database through a line of ours, with clients at work."""

    installation: Installation
    line: Line
    ledger: Ledger
    post: Post
    key: str

    def asks(self, path: str) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self.installation.port, timeout=30)) as connection:
            headers = {"Authorization": f"Bearer {self.key}", "Cookie": "sessionid=somebodys"}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def goes_on(self) -> None:
        """Clients are answered and mails go out again, by themselves."""
        now = time.monotonic()
        wait_until(lambda: self.ledger.first_after(now), what="clients are answered again", patience=20)
        wait_until(lambda: self.post.first_after(now), what="mails go out again", patience=30)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with a_server() as server, a_post(free_port()) as post:
        assert server.cluster.sockets is not None
        with a_line(server.cluster.sockets / f".s.PGSQL.{PORT}") as line:
            url = make_conninfo(
                host="127.0.0.1",
                port=line.port,
                user=SUPERUSER,
                password=server.cluster.password,
                dbname=NAME,
            )
            environment = {
                "FLOWDESK_SMTP_URL": f"smtp://127.0.0.1:{post.port}",
                "FLOWDESK_DATABASE_TIMEOUT": str(ANSWER_WITHIN),
            }
            through = Server(cluster=server.cluster, url=url)
            with an_installation(environment, database=through) as installation:
                keys = installation.furnish("north")
                load = Load(port=installation.port, keys=keys, seed=4, pause=0.3)
                with load.running(clients=CLIENTS) as ledger:
                    running = Desk(installation, line, ledger, post, keys["north"])
                    running.goes_on()
                    yield running
                verdict = settled_verdict(server.admin_dsn, ledger, post)
    assert verdict.faults == {}
    assert ledger.worst == []


def test_a_line_that_breaks_again_and_again_is_mended_each_time(desk: Desk) -> None:
    for _ in range(5):
        desk.line.cut()
        time.sleep(0.7)

    desk.goes_on()


def test_while_the_database_is_away_programs_get_a_problem_and_people_a_page(desk: Desk) -> None:
    desk.line.close()
    try:
        answer, page, health = desk.asks("/api/v1/tickets"), desk.asks("/flow/inbox"), desk.asks("/healthz")
    finally:
        desk.line.open()

    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert json.loads(answer.body)["code"] == "service_unavailable"
    assert answer.headers["Retry-After"] == "2"
    assert health.status == 200
    assert (page.status, page.headers["Retry-After"]) == (503, "2")
    assert b"Back in a moment" in page.body
    desk.goes_on()


def test_a_line_that_stands_still_hangs_nobody_and_acknowledges_nothing(desk: Desk) -> None:
    desk.line.stall()
    stalled_at = time.monotonic()
    try:
        answer = desk.asks("/api/v1/tickets")
        took = time.monotonic() - stalled_at
        time.sleep(max(0.0, 6.0 - took))
        acknowledged = [one for one in desk.ledger.acknowledged if one.begun > stalled_at]
    finally:
        desk.line.flow()

    assert answer.status == 503
    # Every client before it may have waited for the limit on one of the server's threads.
    assert took < 2 * (ANSWER_WITHIN + CONNECT_WITHIN)
    assert acknowledged == []
    desk.goes_on()
