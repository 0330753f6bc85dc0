"""A real `flowdesk run` in a folder of its own, its processes by name, and a way to end all of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from flowdesk.core.embedded.as_user import database_user
from flowdesk.core.embedded.cluster import SUPERUSER, socket_conninfo
from flowdesk.core.embedded.postmaster import is_postmaster_of, read_postmaster
from flowdesk.core.embedded.roles import DATABASE, read_passwords
from tests.faults.servers import Server

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0  # seconds; only ever reached by a failure


class Part(StrEnum):
    """A process of an installation."""

    SERVER = "web server process"
    WEB = "web main process"
    WORKER = "worker"
    POSTMASTER = "postmaster"
    BACKEND = "PostgreSQL backend"
    SUPERVISOR = "supervisor"


class NotServing(AssertionError):
    """The installation does not come up, or does not come up again."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(happens: object, *, what: str, patience: float = PATIENCE) -> None:
    """Wait until `happens()` is true; raises NotServing with `what` when it never is."""
    assert callable(happens)
    ends_at = time.monotonic() + patience
    while not happens():
        if time.monotonic() > ends_at:
            raise NotServing(f"it never happened that {what}")
        time.sleep(0.05)


@dataclass(kw_only=True)
class Installation:
    """One `flowdesk run`, and further workers beside it where there are any."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    database: Server | None = None  # a server of its own; without one it is embedded
    _supervisor: subprocess.Popen[bytes] | None = None
    _workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def words(self) -> Path:
        """What the supervisor and further workers said."""
        return self.folder / "campaign.out"

    def start(self) -> None:
        """Start it; what a killed one left behind may need a moment before it makes room."""

        def came_up() -> bool:
            if self._supervisor is None or self._supervisor.poll() is not None:
                self._supervisor = self._spawn("run", "--no-demo", "--port", str(self.port), "--json")
            return self.answers()

        try:
            wait_until(came_up, what="the installation came up")
        except NotServing as fault:
            raise NotServing(f"{fault}\n{self.last_words()}") from None

    def answers(self) -> bool:
        """Whether the web answers that it lives."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def keep_running(self) -> None:
        """Start again what nobody else does: the supervisor, a server of its own, further workers."""
        if self.database is not None:
            self.database.keep_running()
        if self._supervisor is None or self._supervisor.poll() is not None:
            self.start()
        for worker in [worker for worker in self._workers if worker.poll() is not None]:
            self._workers.remove(worker)
            self.add_worker()

    def add_worker(self) -> None:
        """One more worker beside the supervisor's, as another machine would run it."""
        self._workers.append(self._spawn("worker"))

    def furnish(self, *slugs: str) -> dict[str, str]:
        """Tenants with people and a hurried policy; their keys by slug."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.furnish", *slugs],
            env=self._environment(), cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        if done.returncode != 0:
            raise NotServing(f"furnishing failed:\n{done.stderr}")
        return {str(slug): str(key) for slug, key in json.loads(done.stdout).items()}

    def admin_dsn(self) -> str:
        """A superuser's way into the database."""
        if self.database is not None:
            return self.database.admin_dsn
        found, passwords = read_postmaster(self.folder / "postgres"), read_passwords(self.folder)
        assert found is not None
        assert passwords is not None
        return socket_conninfo(found.sockets, user=SUPERUSER, password=passwords.superuser, database=DATABASE)

    @property
    def _data(self) -> Path:
        return self.database.cluster.data if self.database is not None else self.folder / "postgres"

    def processes(self, part: Part) -> list[int]:
        """The process ids of a part, as they are at this moment."""
        if part is Part.SUPERVISOR:
            alive = self._supervisor is not None and self._supervisor.poll() is None
            return [self._supervisor.pid] if self._supervisor is not None and alive else []
        if part in (Part.POSTMASTER, Part.BACKEND):
            found = read_postmaster(self._data)
            if found is None or not is_postmaster_of(found.pid, data=self._data):
                return []
            if part is Part.POSTMASTER:
                return [found.pid]
            return [pid for pid in children_of(found.pid) if "postgres: flowdesk" in command_of(pid)]
        supervised = [pid for one in self.processes(Part.SUPERVISOR) for pid in children_of(one)]
        if part is Part.WORKER:
            own = [pid for pid in supervised if "flowdesk worker" in command_of(pid)]
            return own + [worker.pid for worker in self._workers if worker.poll() is None]
        webs = [pid for pid in supervised if "flowdesk web" in command_of(pid)]
        return webs if part is Part.WEB else [child for web in webs for child in children_of(web)]

    def last_words(self) -> str:
        """The end of every log, for whoever has to find out why."""
        logs = [self.words, *sorted((self.folder / "logs").glob("*.log"))]
        return "\n".join(f"--- {log.name}\n{_end_of(log)}" for log in logs if log.exists())

    def stop(self) -> None:
        """End everything of it, whatever state it is in."""
        for process in (*self._workers, *([self._supervisor] if self._supervisor else [])):
            process.terminate()
        for process in (*self._workers, *([self._supervisor] if self._supervisor else [])):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            process.kill()
            process.wait()
        found = read_postmaster(self.folder / "postgres")
        if found is not None and is_postmaster_of(found.pid, data=self.folder / "postgres"):
            os.kill(found.pid, signal.SIGINT)
            wait_until(
                lambda: not is_postmaster_of(found.pid, data=self.folder / "postgres"),
                what="the orphaned server ended",
            )
        if found is not None and found.sockets is not None:
            shutil.rmtree(found.sockets, ignore_errors=True)

    def _spawn(self, *words: str) -> subprocess.Popen[bytes]:
        with self.words.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "flowdesk", *words], env=self._environment(), cwd=CHECKOUT,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """The machine's own, without any setting of Flowdesk's that the caller happens to have."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FLOWDESK_", "DATABASE_", "DJANGO_", "PG"))
        }
        return {
            **kept,
            "PYTHONPATH": str(CHECKOUT),
            "FLOWDESK_DATA": str(self.folder),
            **({"DATABASE_URL": self.database.url} if self.database is not None else {}),
            **{f"FLOWDESK_LIMIT_{of}": "off" for of in ("ADDRESS", "KEY", "TENANT")},
            **self.environment,
        }


@contextmanager
def an_installation(
    environment: Mapping[str, str], *, database: Server | None = None
) -> Iterator[Installation]:
    """A started installation in a new folder; ended and removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="flowdesk-faults-"))
    folder.chmod(0o711 if database_user() else 0o700)
    installation = Installation(folder=folder, port=free_port(), environment=environment, database=database)
    try:
        installation.start()
        yield installation
    finally:
        try:
            installation.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def children_of(pid: int) -> Sequence[int]:
    """The processes that `pid` started and that still run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def command_of(pid: int) -> str:
    """What a process was started as; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]
