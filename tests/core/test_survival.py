"""A desk cannot be knocked over: processes killed in any order, a full disk, restarts under load."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest

from flowdesk.core.embedded.as_user import database_user
from flowdesk.core.embedded.database import dsns_at
from flowdesk.core.embedded.errors import FolderUnusable
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.postmaster import read_postmaster
from flowdesk.core.embedded.roles import read_passwords
from flowdesk.core.ids import shown
from tests.core.desk import CHECKOUT, PATIENCE, Desk, eventually, free_port, is_alive, started

# -- whatever is killed ---------------------------------------------------------------------------------


def processes(parent: int, *, word: bytes) -> list[int]:
    """The processes that `parent` started with `word` in their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            started_by = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if started_by == parent and word in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def victims(desk: Desk) -> dict[str, list[int]]:
    """Every kind of process of a desk that somebody may kill."""
    web = processes(desk.process.pid, word=b"\0web\0")
    return {
        "supervisor": [desk.process.pid],
        "web": web,
        "web server": processes(web[0], word=b"\0web\0") if web else [],
        "worker": processes(desk.process.pid, word=b"\0worker\0"),
        "postmaster": [desk.server_pid()],
        "backend": processes(desk.server_pid(), word=b"postgres: flowdesk_"),
    }


def is_whole(desk: Desk) -> bool:
    """Every process is there, the pages answer, and the database does through them."""
    alive = {kind: [pid for pid in pids if is_alive(pid)] for kind, pids in victims(desk).items()}
    counts = {kind: len(pids) for kind, pids in alive.items() if kind != "backend"}
    wanted = {"supervisor": 1, "web": 1, "web server": 2, "worker": 1, "postmaster": 1}
    return counts == wanted and bool(alive["backend"]) and desk.answers() and shows_a_page(desk)


def shows_a_page(desk: Desk) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{desk.port}/login", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def kill_one(desk: Desk, kind: str) -> None:
    """Kill -9; a killed supervisor is started again, as a service manager would."""
    os.kill(victims(desk)[kind][0], signal.SIGKILL)
    if kind != "supervisor":
        return
    desk.process.wait(PATIENCE)
    desk.close()
    deadline = time.monotonic() + PATIENCE
    while True:
        # The old web needs a moment to see that it is alone, and holds the port until then.
        next_one = started(desk.data, port=desk.port)
        try:
            next_one.wait_until_ready()
        except AssertionError:
            next_one.process.wait(PATIENCE)
            assert time.monotonic() < deadline, "the desk does not start again"
            continue
        desk.process = next_one.process
        return


KINDS = ["supervisor", "web", "web server", "worker", "postmaster", "backend"]


def orders() -> list[list[str]]:
    """Each kind once from the top down, and some at random that are the same every time."""
    return [KINDS, random.Random(20260301).choices(KINDS, k=8)]


@pytest.mark.parametrize("order", orders(), ids=["downwards", "random"])
def test_whatever_is_killed_the_desk_is_whole_again(desk: Desk, order: list[str]) -> None:
    """About a minute in all: each kill waits until every process is back and a page is shown."""
    eventually("the desk is whole", lambda: is_whole(desk))
    for kind in order:
        kill_one(desk, kind)
        eventually(f"the desk is whole after the {kind} was killed", lambda: is_whole(desk))


# -- nothing acknowledged is lost -----------------------------------------------------------------------


@dataclass
class Load:
    """Clients that open tickets until told to stop, and remember what was acknowledged."""

    desk: Desk
    key: str
    acknowledged: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _clients: list[threading.Thread] = field(default_factory=list)

    def open_ticket(self) -> int:
        """The status of the answer; 0 for none."""
        body = json.dumps({"email": "maja@nordvik.example", "subject": "Load", "text": "One of many."})
        request = Request(
            f"http://127.0.0.1:{self.desk.port}/api/v1/tickets",
            data=body.encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=10) as answer:
                self.acknowledged.append(str(json.loads(answer.read())["id"]))
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
        except (OSError, HTTPException, ValueError):
            return 0

    def start(self, *, clients: int = 3) -> None:
        def open_many() -> None:
            while not self._stop.is_set():
                if (status := self.open_ticket()) != 201:
                    self.refused.append(status)
                    time.sleep(0.05)

        self._clients = [threading.Thread(target=open_many, daemon=True) for _ in range(clients)]
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        self._stop.set()
        for client in self._clients:
            client.join(PATIENCE)

    def lost(self) -> set[str]:
        """What was acknowledged and is not in the database."""
        found = read_postmaster(self.desk.data / "postgres")
        passwords = read_passwords(self.desk.data)
        assert found is not None
        assert passwords is not None
        with psycopg.connect(dsns_at(found.sockets, passwords=passwords).worker) as worker:
            rows = worker.execute("select public_id from tickets_ticket").fetchall()
        return set(self.acknowledged) - {shown("tkt", row[0]) for row in rows}


@pytest.fixture
def load(desk: Desk) -> Iterator[Load]:
    made = flowdesk(desk.data, "key", "create", "--name", "load", "--scopes", "read,open", "--json")
    load = Load(desk, json.loads(made.stdout)["key"])
    yield load
    load.stop()


def flowdesk(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowdesk", *words],
        cwd=CHECKOUT,
        env={**os.environ, "FLOWDESK_DATA": str(data), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )


def restart(desk: Desk) -> None:
    desk.process.terminate()
    assert desk.process.wait(PATIENCE) == 0
    desk.close()
    desk.process = (next_one := started(desk.data, port=desk.port)).process
    next_one.wait_until_ready()


def test_stopping_and_starting_under_load_loses_nothing_acknowledged(desk: Desk, load: Load) -> None:
    load.start()
    for _ in range(3):
        before = len(load.acknowledged)
        eventually("tickets are opened", lambda before=before: len(load.acknowledged) > before + 20)
        restart(desk)
    before = len(load.acknowledged)
    eventually("tickets are opened again", lambda: len(load.acknowledged) > before + 20)
    load.stop()

    assert load.lost() == set()


@contextlib.contextmanager
def a_small_disk(*, megabytes: int) -> Iterator[Path]:
    """A file system of its own, as only root may mount one."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        options = f"size={megabytes}m,mode=0711"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", name], check=False).returncode:
            pytest.skip("no file system can be mounted here")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def fill_disk(folder: Path) -> Path:
    """Take every byte; the file that holds them."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 65536):
            pass
    return ballast


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told_loses_nothing_and_is_outlived() -> None:
    with a_small_disk(megabytes=400) as data:
        desk = started(data, port=free_port())
        try:
            desk.wait_until_ready()
            made = flowdesk(data, "key", "create", "--name", "load", "--scopes", "read,open", "--json")
            load = Load(desk, json.loads(made.stdout)["key"])
            load.start()
            eventually("tickets are opened", lambda: len(load.acknowledged) > 50)
            ballast = fill_disk(data)
            eventually("changes are refused", lambda: len(load.refused) > 10, patience=60)
            eventually("it is told", lambda: desk.was_told("almost full"))
            before = len(load.acknowledged)
            ballast.unlink()
            eventually("tickets are opened again", lambda: len(load.acknowledged) > before + 20, patience=60)
            eventually("it is told", lambda: desk.was_told("has room again"))
            load.stop()

            assert load.lost() == set()
            assert desk.process.poll() is None
        finally:
            desk.process.terminate()
            desk.process.wait(PATIENCE)
            desk.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_start_on_a_full_disk_says_so() -> None:
    with a_small_disk(megabytes=30) as data:
        ballast = fill_disk(data)
        done = subprocess.run(
            [sys.executable, "-m", "flowdesk", "migrate"],
            cwd=CHECKOUT,
            env={**os.environ, "FLOWDESK_DATA": str(data)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ballast.exists()
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "Make room" in done.stderr
        assert "Traceback" not in done.stderr


# -- places that cannot be used -------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user to become")
def test_a_folder_that_may_not_be_written_is_told_with_the_way_out() -> None:
    user = database_user()
    assert user is not None
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        child = os.fork()
        if child == 0:
            os.setgid(user.gid)
            os.setuid(user.uid)
            try:
                FolderLock(Path(name)).acquire()
            except FolderUnusable as error:
                os._exit(0 if "FLOWDESK_DATA" in str(error) and "Permission denied" in str(error) else 3)
            os._exit(4)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_starts_a_desk_from_a_checkout_that_nobody_else_can_enter() -> None:
    with tempfile.TemporaryDirectory() as name:
        hidden = Path(name)
        hidden.chmod(0o700)
        shutil.copytree(
            CHECKOUT / "flowdesk", hidden / "flowdesk", ignore=shutil.ignore_patterns("__pycache__")
        )
        environment = {**os.environ, "PYTHONPATH": str(hidden)}
        for variable in ("FLOWDESK_DATA", "DATABASE_URL"):
            environment.pop(variable, None)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "flowdesk",
                "run",
                "--json",
                "--no-demo",
                "--port",
                str(port := free_port()),
            ],
            cwd=hidden,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        desk = Desk(process, port, hidden / ".data")
        try:
            desk.wait_until_ready()
            elsewhere = Path(str(desk.said[-1]["data"]))

            assert shows_a_page(desk)
            assert elsewhere.parent == Path("/var/lib/flowdesk")
            assert any(str(elsewhere) in str(line.get("line")) for line in desk.said)
            assert hidden.stat().st_mode & 0o777 == 0o700
        finally:
            process.terminate()
            process.wait(PATIENCE)
            desk.close()
        shutil.rmtree(elsewhere)
