"""Backup and restore as an operator does them: while the desk works, and back to a desk that goes on."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psycopg
import pytest

from flowdesk.core.embedded.as_user import database_user
from flowdesk.core.embedded.database import dsns_at
from flowdesk.core.embedded.postmaster import read_postmaster
from flowdesk.core.embedded.roles import read_passwords
from tests.core.desk import CHECKOUT, PATIENCE, Desk, eventually, free_port, started

# A customer's ticket of two days ago that nobody has looked at since: much of its ladder is overdue.
FOUND_LATE_TICKET = """
from argparse import Namespace
from datetime import timedelta
from flowdesk.config.commands._django import new_django
with new_django(Namespace()):
    from django.core.management import call_command
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    from flowdesk.core.time import now
    from flowdesk.flows import receive
    from tests.builders import a_customer, a_message, a_world
    at = now() - timedelta(days=2)
    world = a_world(at=at)
    a_customer(world, at=at)
    receive.open_ticket(a_message(), by=world.bo, now=at)
"""


def run(data: Path, *words: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=CHECKOUT,
        env={**os.environ, "FLOWDESK_DATA": str(data), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done


def flowdesk(data: Path, *words: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    return run(data, "-m", "flowdesk", *words, ok=ok)


@pytest.fixture
def folders() -> Iterator[tuple[Path, Path]]:
    """A place for the desk, and one for what is restored."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        for folder in (pair := (Path(name) / "desk", Path(name) / "restored")):
            folder.mkdir(mode=0o711 if database_user() else 0o700)
        yield pair


@contextlib.contextmanager
def running(data: Path, *, port: int) -> Iterator[Desk]:
    desk = started(data, port=port)
    try:
        desk.wait_until_ready()
        yield desk
    finally:
        desk.process.terminate()
        desk.process.wait(PATIENCE)
        desk.close()


def ask(data: Path, question: str) -> list[tuple[object, ...]]:
    """What the worker sees in the server that runs on `data`."""
    found, passwords = read_postmaster(data / "postgres"), read_passwords(data)
    assert found is not None
    assert passwords is not None
    with psycopg.connect(dsns_at(found.sockets, passwords=passwords).worker) as worker:
        return worker.execute(question).fetchall()


def log_in(desk: Desk, *, email: str, password: str) -> str:
    """Where a person is who has typed this into the login page."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    address = f"http://127.0.0.1:{desk.port}/login"
    with browser.open(address) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token is not None
    words = urlencode({"csrfmiddlewaretoken": token[1], "login": email, "password": password})
    with browser.open(address, data=words.encode()) as page:
        return str(page.url)


def test_a_restored_desk_is_logged_in_to_and_tells_what_fell_due_once(folders: tuple[Path, Path]) -> None:
    data, restored = folders
    backup = data.parent / "desk.flowdesk"
    run(data, "-c", FOUND_LATE_TICKET)
    made = json.loads(flowdesk(data, "backup", str(backup), "--json").stdout)
    flowdesk(data, "backup", "--verify", str(backup))
    flowdesk(data, "restore", str(backup), "--into", str(restored))
    refused = flowdesk(data, "restore", str(backup), "--into", str(restored), ok=False)

    with running(restored, port=free_port()) as desk:
        steps = (
            "select ticket_id, rule, metric, cycle, step, target, count(*) from escalation_escalation"
            " group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6"
        )
        eventually("late steps are told", lambda: ask(restored, steps))
        eventually(
            "nothing is due any more",
            lambda: not ask(restored, "select 1 from tickets_ticket where wake_at <= now()"),
        )
        told = ask(restored, steps)
        place = log_in(desk, email="ada@global.example", password="s3cret-words")
    with running(restored, port=free_port()):
        time.sleep(1.0)  # a worker that would tell again has five rounds to do so
        told_again = ask(restored, steps)

    assert made["rows"]["tickets_ticket"] == 1
    assert made["rows"]["escalation_escalation"] < len(told)
    assert {row[-1] for row in told} == {1}
    assert told_again == told
    assert place.endswith("/flow/tickets/sla")
    assert "not empty" in refused.stderr


def test_a_running_desk_is_backed_up_undisturbed_and_never_upgraded(folders: tuple[Path, Path]) -> None:
    data, _ = folders
    path = data.parent / "desk.flowdesk"
    with running(data, port=free_port()) as desk:
        told = flowdesk(data, "backup", str(path))
        refused = flowdesk(data, "upgrade", ok=False)

        assert path.stat().st_mode & 0o777 == 0o600
        assert "is written" in told.stdout
        assert "tables saved" in told.stderr
        assert f"process {desk.process.pid}" in refused.stderr
        assert desk.answers()
