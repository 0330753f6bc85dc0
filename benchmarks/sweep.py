"""The idle sweep: what the worker asks several times a second when nothing is due, on a large desk and a small one."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.desk import Desk
from benchmarks.run import Row, Run, Side, alternate
from flowdesk.notifications.services import dispatch
from flowdesk.worker.jobs.wake_clocks import wake_clocks

TIMES = 100


def bars(run: Run) -> Sequence[Row]:
    small, large = run.desk("small"), run.desk("large")
    timed = alternate(
        {
            f"{large.tickets:,} tickets": Side(call=lambda: sweep(large), desk=large, times=TIMES),
            f"{small.tickets:,} tickets": Side(call=lambda: sweep(small), desk=small, times=TIMES),
        },
        rounds=run.rounds,
    )
    much, little = timed.values()
    return [
        Row(
            name="sweep",
            what=f"Idle sweep, {large.tickets:,} tickets against {small.tickets:,}",
            measured=much.wall / little.wall,
            bar=2,
            goal=1.2,
            sides=timed,
        )
    ]


def sweep(desk: Desk) -> None:
    """One round of the worker's loop at the instant up to which the desk has lived: nothing is due."""
    done = wake_clocks(now=desk.now) + dispatch(at=desk.now)
    assert done == 0, "the desk is swept, and nothing waits to be dispatched"
