"""How a child learns that its supervisor is gone: the pipe they share closes, even after kill -9.

The supervisor holds the only writing end and never writes; children hold the reading end, and end with it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

VARIABLE = "FLOWDESK_PARENT_PIPE"
GRACE = 10.0  # seconds a child may take to finish what it does before it is ended


def watch_parent_pipe(fd: int, *, on_close: Callable[[], None] | None = None) -> threading.Thread:
    """End this process once the pipe behind `fd` closes: politely, then for certain."""
    os.set_inheritable(fd, False)
    thread = threading.Thread(
        target=_watch, args=(fd, on_close or _end_this_process), name="parent-pipe", daemon=True
    )
    thread.start()
    return thread


def watch_supervisor() -> threading.Thread | None:
    """What every child calls at its start; does nothing for one that was started by hand."""
    fd = os.environ.pop(VARIABLE, "")
    return watch_parent_pipe(int(fd)) if fd.isdecimal() else None


def _watch(fd: int, on_close: Callable[[], None]) -> None:
    while True:
        try:
            if os.read(fd, 1) == b"":
                break
        except OSError:  # the descriptor is not what we were told: as good as closed
            break
    on_close()


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(70)
