"""From the command to the first page on a data folder that is there, and what all processes hold with the demo."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median

from benchmarks.processes import memory_of_family
from benchmarks.run import Row, Run
from flowdesk.core.embedded.as_user import database_user

HOST, PAGE = "127.0.0.1", "/login"
SETTLE = 10.0  # seconds after the first page at which memory is read
PATIENCE = 300.0  # the first start founds the demo


def bars(run: Run) -> list[Row]:
    """The rows on starting."""
    folder = Path(tempfile.mkdtemp(prefix="flowdesk-bench-"))
    folder.chmod(0o711 if database_user() else 0o700)
    try:
        run.say("start: founding the demo")
        with _running(folder):
            pass
        starts = []
        for _ in range(2 if run.quick else 5):
            with _running(folder) as (seconds, _):
                starts.append(seconds)
                run.say(f"start: first page after {seconds:.2f} s")
        with _running(folder) as (_, process):
            time.sleep(SETTLE)
            held = memory_of_family(process) / 1e6
    finally:
        shutil.rmtree(folder)
    return [
        Row(
            name="start", what="Start to first page on an existing folder, with the demo", measured=median(starts),
            bar=3.0, goal=1.5, unit="s",
        ),
        Row(
            name="memory", what="Memory of all processes with the demo, shared pages counted once", measured=held,
            bar=500, goal=300, unit="MB",
        ),
    ]  # fmt: skip


@contextmanager
def _running(folder: Path) -> Iterator[tuple[float, int]]:
    """`flowdesk run` on the folder: the seconds to its first page, and its process."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FLOWDESK_", "DATABASE_"))
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "run", "--port", str(port)],
        env={**environment, "FLOWDESK_DATA": str(folder)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not _shows_page(port):
            assert process.poll() is None, "flowdesk run ended by itself"
            assert time.perf_counter() - began < PATIENCE, "no page came"
            time.sleep(0.02)
        yield time.perf_counter() - began, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _shows_page(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", PAGE)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
