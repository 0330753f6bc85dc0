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


def run_loop(stop: threading.Event) -> None:
    """Until `stop` is set. Mail goes out in a thread of its own: a slow mail server must not hold up the sweep."""
    sender = threading.Thread(target=_repeat, args=(_deliver_round, stop), name="deliver", daemon=True)
    sender.start()
    _repeat(_sweep_round(), stop)
    sender.join(timeout=10)


def _repeat(work: Callable[[], int], stop: threading.Event) -> None:
    pause = IDLE
    while not stop.is_set():
        try:
            done = work()
            pause = 0.0 if done else IDLE
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


def _sweep_round() -> Callable[[], int]:
    last_schedules = 0.0

    def sweep() -> int:
        nonlocal last_schedules
        done = wake_clocks(now=now()) + dispatch(at=now())
        if time.monotonic() - last_schedules >= SCHEDULES_EVERY:
            last_schedules = time.monotonic()
            run_schedules(now=now())
        return done

    return sweep


def _deliver_round() -> int:
    return deliver(clock=now)
