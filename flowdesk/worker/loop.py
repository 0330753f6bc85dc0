"""The worker's loop: what is due is done at once, and the idle loop asks a few times a second."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import connections

from flowdesk.core.time import now
from flowdesk.notifications.services import deliver, dispatch
from flowdesk.worker.jobs.schedules import run_schedules
from flowdesk.worker.jobs.wake_clocks import wake_clocks

log = logging.getLogger("flowdesk.worker")
IDLE = 0.2  # seconds: the largest part of the time from a due instant to the hand-over
SCHEDULES_EVERY = 15.0
LEAVE = 10.0  # seconds that a thread has to end its round before the process goes


def run_loop(stop: threading.Event) -> None:
    """Until `stop` is set.

    Mail goes out in a thread of its own, and so do the schedules of all tenants: neither a slow mail server nor
    a long run must hold up the sweep.
    """
    others = [
        threading.Thread(target=_repeat, args=(_deliver_round, stop), name="deliver", daemon=True),
        threading.Thread(
            target=_repeat,
            args=(_schedules_round, stop),
            kwargs={"idle": SCHEDULES_EVERY},
            name="schedules",
            daemon=True,
        ),
    ]
    for thread in others:
        thread.start()
    _repeat(_sweep_round, stop)
    ends_by = time.monotonic() + LEAVE
    for thread in others:
        thread.join(timeout=max(0.0, ends_by - time.monotonic()))


def _repeat(work: Callable[[], int], stop: threading.Event, *, idle: float = IDLE) -> None:
    """Round after round; `idle` seconds pass after one with nothing to do, at most five after one that failed."""
    pause = IDLE
    while not stop.is_set():
        try:
            done = work()
            pause = 0.0 if done else idle
        except DatabaseError:
            # The database restarts or fails over: drop the connections and try again, slower each time.
            log.warning("database_unavailable", exc_info=True)
            connections.close_all()
            pause = min(5.0, max(IDLE, pause) * 2)
        except Exception:
            log.exception("round_failed")
            pause = min(5.0, max(IDLE, pause) * 2)
        if pause:
            stop.wait(pause)
    connections.close_all()


def _sweep_round() -> int:
    return wake_clocks(now=now()) + dispatch(at=now())


def _schedules_round() -> int:
    return run_schedules(now=now())


def _deliver_round() -> int:
    return deliver(clock=now)
