"""`flowdesk run` as an operator starts it, and patience with it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from flowdesk.core.embedded.postmaster import read_postmaster

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds; only ever reached by a failure


def eventually(what: str, happens: object, *, patience: float = PATIENCE) -> None:
    """Wait until `happens()` is true; fails with `what` after a long time."""
    assert callable(happens)
    deadline = time.monotonic() + patience
    while not happens():
        assert time.monotonic() < deadline, f"it never happened that {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Desk:
    """`flowdesk run` as an operator starts it."""

    process: subprocess.Popen[str]
    port: int
    data: Path
    said: list[dict[str, object]] = field(default_factory=list)

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if self.said[-1].get("ready"):
                threading.Thread(target=self._go_on_listening, daemon=True).start()
                return
        raise AssertionError(f"flowdesk run ended: {self.said}")

    def _go_on_listening(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):  # closed by who started the process
            for line in self.process.stdout:
                self.said.append(json.loads(line))

    def was_told(self, words: str) -> bool:
        return any(words in str(line.get("line")) for line in self.said)

    def close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return json.loads(answer.read()) == {"status": "ok"}
        except OSError:
            return False

    def server_pid(self) -> int:
        found = read_postmaster(self.data / "postgres")
        return found.pid if found else 0

    def web_pids(self) -> list[int]:
        """The web's main process and its server processes."""
        wanted = f"--port\0{self.port}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
                if b"\0web\0" in words and wanted in words:
                    found.append(int(entry.name))
        return found


def started(data: Path, *, port: int) -> Desk:
    environment = {**os.environ, "FLOWDESK_DATA": str(data), "PYTHONPATH": str(CHECKOUT)}
    environment.pop("DATABASE_URL", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "run", "--json", "--no-demo", "--port", str(port)],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Desk(process, port, data)
