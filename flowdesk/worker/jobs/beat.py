"""The worker's heartbeat: that it lives, that it sweeps, and what it measures of the whole deployment."""

import logging
from datetime import datetime, timedelta

from django.db import connections

from flowdesk.core.processes import LATE_AFTER, Heart, fold_ended
from flowdesk.worker import sql

log = logging.getLogger("flowdesk.worker")
QUEUE_EVERY = timedelta(seconds=30)


class Pulse:
    """One worker's heartbeat over its life. `swept` is told by the sweep, `beat` by a thread beside it."""

    def __init__(self) -> None:
        self._heart = Heart("worker")
        self._swept_at = self._heart.started_at
        self._queue = 0.0
        self._queue_at: datetime | None = None
        self._is_late = False

    def swept(self, *, at: datetime) -> None:
        """A round of the sweep has ended well."""
        self._swept_at = at

    def beat(self, *, at: datetime) -> None:
        """Measure and write the heartbeat; an episode of lateness is told when it begins and when it ends."""
        gauges = measured(at=at)
        gauges["sweep_round_age_seconds"] = max(0.0, (at - self._swept_at).total_seconds())
        if self._queue_at is None or at - self._queue_at >= QUEUE_EVERY:
            self._queue, self._queue_at = queue_depth(), at
            fold_ended(at=at)
        gauges["tickets_unassigned"] = self._queue
        self._heart.beat(at=at, gauges=gauges)
        # It cannot be late for what fell due before it lived: a desk starts with what waited while it stood still.
        lived = (at - self._heart.started_at).total_seconds()
        self._tell(max(min(gauges["sweep_lag_seconds"], lived), gauges["sweep_round_age_seconds"]))

    def _tell(self, lag: float) -> None:
        is_late = lag > LATE_AFTER.total_seconds()
        if is_late and not self._is_late:
            log.warning("sweep_late", extra={"lag_seconds": round(lag, 1)})
        elif self._is_late and not is_late:
            log.info("sweep_on_time")
        self._is_late = is_late


def measured(*, at: datetime) -> dict[str, float]:
    """How much waits in the whole deployment, and how long the oldest due ticket has waited for the sweep."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.MEASURE, {"now": at})
        values = cursor.fetchone()
        names = [column.name for column in cursor.description or ()]
    next_wake_at, *counts = values
    lag = max(0.0, (at - next_wake_at).total_seconds()) if next_wake_at is not None else 0.0
    return {"sweep_lag_seconds": lag, **dict(zip(names[1:], map(float, counts), strict=True))}


def queue_depth() -> float:
    """Active tickets that nobody has, over all tenants."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.QUEUE)
        return float(cursor.fetchone()[0])
