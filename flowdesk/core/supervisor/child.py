"""One child process: started in a session of its own, its words kept in a log, ended as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flowdesk.core.supervisor.parent_pipe import VARIABLE
from flowdesk.core.supervisor.terminal import on_terminal

LARGEST_LOG = 10 * 1024 * 1024  # bytes; then the log moves to `.1` and a new one begins

Show = Callable[[str, str], None]  # name of the child, one line of its output


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    may_end: bool = False  # a child whose work can be done; others are started again even after code 0
    may_wait: bool = False  # started once the desk answers, so that the first page has the machine to itself


class Child:
    """A running child."""

    def __init__(self, spec: ChildSpec, *, pipe: int, log: Path, show: Show) -> None:
        self.spec = spec
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            spec.command,
            env={**spec.environment, VARIABLE: str(pipe)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(pipe,),
            start_new_session=True,  # Ctrl-C is the supervisor's to pass on, in its order
        )
        assert self._process.stdout is not None
        self._pump = threading.Thread(
            target=pump,
            args=(self._process.stdout,),
            kwargs={"name": spec.name, "log": log, "show": show},
            daemon=True,
        )
        self._pump.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, *, timeout: float | None = None) -> int:
        """Its exit code, once it has ended and its last words are kept; raises TimeoutExpired."""
        code = self._process.wait(timeout)
        self._pump.join(1.0)  # a grandchild may hold the pipe for longer
        return code

    def is_running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        if self.is_running():
            self._process.terminate()

    def kill(self) -> None:
        """End it and everything it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            self._process.kill()


def pump(stream: IO[bytes], *, name: str, log: Path, show: Show) -> None:
    """Copy every line to the log, and its beginning to the terminal, until the stream ends."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = log.open("ab", buffering=0)
    try:
        for line in stream:
            # Whatever happens to the log (a full disk): reading goes on, or the child would stand still.
            with suppress(OSError, ValueError):
                file.write(line)
                if file.tell() > LARGEST_LOG:
                    file.close()
                    log.replace(log.with_name(log.name + ".1"))
                    file = log.open("ab", buffering=0)
            text = line.decode("utf-8", "replace").rstrip()
            if (shown := on_terminal(text)) is not None:
                show(name, shown)
    finally:
        file.close()
        stream.close()
