"""The worker's loop: what is due is done at once, and the idle loop asks a few times a second."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.db import Error as DatabaseError
from django.db import connections

from flowdesk.accounts.answers import SWEPT_AT_ONCE, forget_answers
from flowdesk.accounts.audit_chain import BATCH, seal_audit
from flowdesk.accounts.limits import forget_windows
from flowdesk.accounts.users import sweep_access
from flowdesk.core import metrics
from flowdesk.core.time import now
from flowdesk.core.trace import tracing
from flowdesk.notifications.letters import send_letters
from flowdesk.notifications.services import deliver, dispatch
from flowdesk.tickets.standing import fold_standing
from flowdesk.triage.indexing import index_round
from flowdesk.worker.jobs.beat import Pulse
from flowdesk.worker.jobs.queue import work_off
from flowdesk.worker.jobs.schedules import run_schedules
from flowdesk.worker.jobs.wake_clocks import wake_clocks

log = logging.getLogger("flowdesk.worker")
IDLE = 0.2  # seconds: the largest part of the time from a due instant to the hand-over
SCHEDULES_EVERY = 15.0
FORGET_EVERY = 15.0
INDEX_EVERY = 5.0
INDEX_PAUSE = 0.1  # seconds between batches: a desk full of tickets to index must not hold up the sweep
WATCH_EVERY = 3.0  # the heartbeat, and the seals of the audit log
LONGEST_PAUSE = 2.0  # seconds after rounds that failed: whatever comes back is found soon
LEAVE = 10.0  # seconds that a thread has to end its round before the process goes


def run_loop(stop: threading.Event) -> None:
    """Until `stop` is set.

    Mail goes out in a thread of its own, and so do the schedules of all tenants: neither a slow mail server nor
    a long run must hold up the sweep.
    """
    pulse = Pulse()
    others = [
        threading.Thread(
            target=_repeat,
            args=(_deliver_round, stop),
            kwargs={"job": "deliver"},
            name="deliver",
            daemon=True,
        ),
        threading.Thread(
            target=_repeat,
            args=(_schedules_round, stop),
            kwargs={"job": "schedules", "idle": SCHEDULES_EVERY},
            name="schedules",
            daemon=True,
        ),
        threading.Thread(
            target=_repeat,
            args=(_forget_round, stop),
            kwargs={"job": "forget", "idle": FORGET_EVERY},
            name="forget",
            daemon=True,
        ),
        threading.Thread(
            target=_repeat,
            args=(partial(_index_round, stop), stop),
            kwargs={"job": "index", "idle": INDEX_EVERY},
            name="index",
            daemon=True,
        ),
        threading.Thread(
            target=_repeat,
            args=(lambda: _watch_round(pulse), stop),
            kwargs={"job": "watch", "idle": WATCH_EVERY},
            name="watch",
            daemon=True,
        ),
        threading.Thread(
            target=_repeat,
            args=(partial(work_off, stop), stop),
            kwargs={"job": "queue"},
            name="queue",
            daemon=True,
        ),
    ]
    for thread in others:
        thread.start()
    _repeat(lambda: _sweep_round(pulse), stop, job="sweep")
    ends_by = time.monotonic() + LEAVE
    for thread in others:
        thread.join(timeout=max(0.0, ends_by - time.monotonic()))
    with suppress(DatabaseError):
        pulse.beat(at=now())  # so that the counts of the last seconds are kept
    connections.close_all()


def _repeat(
    work: Callable[[], int], stop: threading.Event, *, job: str = "round", idle: float = IDLE
) -> None:
    """Round after round; `idle` seconds pass after one with nothing to do, ever more after those that failed."""
    with tracing(job=job):
        _rounds(work, stop, idle=idle)
    connections.close_all()


def _rounds(work: Callable[[], int], stop: threading.Event, *, idle: float) -> None:
    pause = IDLE
    while not stop.is_set():
        try:
            done = work()
            pause = 0.0 if done else idle
        except DatabaseError:
            # The database restarts or fails over: drop the connections and try again, slower each time.
            log.warning("database_unavailable", exc_info=True)
            connections.close_all()
            pause = min(LONGEST_PAUSE, max(IDLE, pause) * 2)
        except Exception:
            log.exception("round_failed")
            pause = min(LONGEST_PAUSE, max(IDLE, pause) * 2)
        if pause:
            stop.wait(pause)


def _sweep_round(pulse: Pulse) -> int:
    try:
        woken = wake_clocks(now=now())
        dispatched = dispatch(at=now())
    except Exception:
        metrics.SWEEP_ROUNDS.add("failed")
        raise
    metrics.SWEEP_ROUNDS.add("done")
    metrics.TICKETS_WOKEN.add(by=woken)
    metrics.EVENTS_DISPATCHED.add(by=dispatched)
    pulse.swept(at=now())
    return woken + dispatched


def _schedules_round() -> int:
    return run_schedules(now=now())


def _forget_round() -> int:
    at = now()
    sweep_access(now=at)
    forget_windows(now=at)
    fold_standing()
    return forget_answers(now=at) // SWEPT_AT_ONCE  # a full batch: there is more


def _index_round(stop: threading.Event) -> int:
    indexed = index_round(now=now())
    if indexed:
        stop.wait(INDEX_PAUSE)
    return indexed


def _deliver_round() -> int:
    return deliver(clock=now) + send_letters(clock=now)


def _watch_round(pulse: Pulse) -> int:
    pulse.beat(at=now())
    return seal_audit(now=now()) // BATCH  # a full batch: there is more
