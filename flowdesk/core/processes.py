"""Heartbeats: each web and worker process writes a row of its own, and anybody can tell from them who lives.

Any number of hosts share the table, so that one page of one web process answers for the whole deployment.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connections, transaction

from flowdesk.core import metrics
from flowdesk.core.models import Process
from flowdesk.core.time import now

log = logging.getLogger("flowdesk.processes")
BEAT_EVERY = timedelta(seconds=5)
LATE_AFTER = timedelta(seconds=30)  # the engine is late: no worker has beaten, or none has swept, for so long
DEAD_AFTER = timedelta(minutes=10)
ENDED = "ended"
Gauges = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """How the workers are: seconds since the newest heartbeat and by how much the sweep lags; None for no worker."""

    heartbeat_age: float | None
    sweep_lag: float | None

    @property
    def note(self) -> str:
        """`worker_silent`, `sweep_late`, or nothing when all is well."""
        late = LATE_AFTER.total_seconds()
        if self.heartbeat_age is None or self.heartbeat_age > late:
            return "worker_silent"
        return "sweep_late" if (self.sweep_lag or 0) > late else ""


class Heart:
    """This process's own row."""

    def __init__(self, kind: str) -> None:
        self.kind, self.host, self.pid, self.started_at = kind, socket.gethostname(), os.getpid(), now()
        self._row: int | None = None
        self._written: metrics.Counts = {}  # what the row holds
        self._base: metrics.Counts = {}  # what another process has taken for ended and folded already

    def beat(self, *, at: datetime, gauges: Gauges | None = None) -> None:
        """Write the heartbeat, the counts and the gauges; a row that was taken for dead begins anew."""
        measured = {**own_gauges(), **(gauges or {})}
        counts = self.live_counts()
        if not self._written_over(beat_at=at, counts=counts, gauges=measured):
            if self._row is not None:  # folded meanwhile, with all that was written
                self._base = metrics.merged([self._base, self._written])
                counts = self.live_counts()
            row = Process.objects.create(
                kind=self.kind,
                host=self.host,
                pid=self.pid,
                started_at=self.started_at,
                beat_at=at,
                counts=counts,
                gauges=measured,
            )
            self._row = row.id
        self._written = counts

    def _written_over(self, **values: Any) -> bool:
        return self._row is not None and bool(Process.objects.filter(id=self._row).update(**values))

    def is_mine(self, row: Process) -> bool:
        return row.id == self._row

    def live_counts(self) -> metrics.Counts:
        """What this process has counted up to this moment, as its row will say it."""
        return metrics.less(metrics.counts(), self._base)


def own_gauges() -> dict[str, float]:
    """Memory in bytes and processor time in seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "resident_bytes": resident_bytes(usage.ru_maxrss),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
    }


def resident_bytes(largest: int) -> float:
    """What lies in memory now; where the system does not tell, the largest it ever was."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return largest * (1 if sys.platform == "darwin" else 1024)


def fold_ended(*, at: datetime) -> int:
    """Fold the counts of processes that have been silent for long into one row; returns how many."""
    with transaction.atomic(durable=True):
        gone = list(
            Process.objects.select_for_update(skip_locked=True)
            .filter(beat_at__lt=at - DEAD_AFTER)
            .exclude(kind=ENDED)
        )
        if not gone:
            return 0
        Process.objects.get_or_create(kind=ENDED, host="", pid=0, started_at=EPOCH, defaults={"beat_at": at})
        kept = Process.objects.select_for_update().get(kind=ENDED, host="", pid=0, started_at=EPOCH)
        kept.counts = metrics.merged([kept.counts, *(one.counts for one in gone)])
        kept.beat_at = at
        kept.save(update_fields=["counts", "beat_at"])
        Process.objects.filter(id__in=[one.id for one in gone]).delete()
        return len(gone)


EPOCH = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def living(*, at: datetime) -> list[Process]:
    """Processes that may still live, the latest heartbeat first."""
    return list(Process.objects.filter(beat_at__gte=at - DEAD_AFTER).exclude(kind=ENDED).order_by("-beat_at"))


def engine_of(rows: list[Process], *, at: datetime) -> Engine:
    """How the workers among these rows are."""
    workers = [row for row in rows if row.kind == "worker"]
    if not workers:
        return Engine(heartbeat_age=None, sweep_lag=None)
    fresh = [row for row in workers if at - row.beat_at <= LATE_AFTER]
    # Tickets are late when nobody wakes them, whoever measured it; any worker that sweeps serves all.
    lags = [
        max(row.gauges.get("sweep_lag_seconds", 0.0), row.gauges.get("sweep_round_age_seconds", 0.0))
        for row in fresh
    ]
    return Engine(
        heartbeat_age=max(0.0, (at - workers[0].beat_at).total_seconds()), sweep_lag=min(lags, default=None)
    )


class Watch:
    """A web process's watch: it beats, and knows how the engine is without asking at every request."""

    def __init__(self) -> None:
        self.heart: Heart | None = None
        self.note = ""

    def start(self, stop: threading.Event | None = None) -> None:
        """Begin in a thread of its own; called once in each process that serves, after it was forked."""
        metrics.reset()
        self.heart = Heart("web")
        threading.Thread(
            target=self._run, args=(stop or threading.Event(),), name="heartbeat", daemon=True
        ).start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.look(at=now())
            except DatabaseError:
                log.warning("heartbeat_failed", exc_info=True)
            finally:
                connections.close_all()  # no connection waits between two beats
            stop.wait(2 * BEAT_EVERY.total_seconds())

    def look(self, *, at: datetime) -> None:
        """One beat, and one look at the engine; each episode of lateness is told once."""
        assert self.heart is not None
        self.heart.beat(at=at)
        is_new = at - self.heart.started_at < LATE_AFTER  # the workers may be starting, too
        note = "" if is_new else engine_of(living(at=at), at=at).note
        if note != self.note:
            log.warning("engine_late", extra={"note": note}) if note else log.info("engine_on_time")
            self.note = note


watch = Watch()
