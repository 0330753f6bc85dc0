"""A thousand promises due at one instant, from that instant until the last word is handed over.

A real worker on the real clock; mails go into the folder that keeps them while no server is named. A delivery counts
from its due instant to the instant it was recorded as handed over, which is later than the handing over itself.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

import psycopg

from benchmarks.desk import Desk
from benchmarks.run import Row, Run
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.intake.services import InboundMessage
from flowdesk.tickets.states import Channel
from flowdesk.worker.demo.cast import CLIENTS

LEAD = timedelta(seconds=5)  # from the worker's start to the due instant
PATIENCE = 120.0  # seconds after which a worker that has not told everybody is stuck

# Who was told what of the tickets since their promise fell due, and how many seconds after that.
TOLD = """
select channel, extract(epoch from sent_at - %(due)s)::float8 from notifications_delivery
where tenant_id = %(tenant)s and ticket_id = any(%(ids)s) and created_at >= %(due)s and state = 'sent'
"""
# What is still to be done about them.
LEFT = """
select (select count(*) from tickets_ticket where tenant_id = %(tenant)s and id = any(%(ids)s) and wake_at <= %(due)s)
    + (select count(*) from tickets_ticketevent where tenant_id = %(tenant)s and ticket_id = any(%(ids)s)
        and dispatched_at is null)
    + (select count(*) from notifications_delivery where tenant_id = %(tenant)s and ticket_id = any(%(ids)s)
        and state = 'due')
"""


def bars(run: Run) -> list[Row]:
    """The row on handing over."""
    desk, count = run.desk("small"), 100 if run.quick else 1000
    run.say(f"handover: opening {count:,} tickets")
    due, ids = desk.run(_due_together, desk, count)
    values = {"tenant": desk.tenant, "ids": ids, "due": due}
    with psycopg.connect(desk.admin, autocommit=True) as admin:
        # Nobody is to be told that they were opened: the worker has nothing to do until they fall due.
        admin.execute("update tickets_ticketevent set dispatched_at = at where dispatched_at is null")
        with _worker(desk):
            told = _told(admin, values, due=due)
    by_channel = {
        channel: sorted(after for of, after in told if of == channel)
        for channel in sorted({of for of, _ in told})
    }
    return [
        Row(
            name="handover", what=f"{count:,} promises due at once: due instant to hand-over, 99th percentile",
            measured=_p99([after for _, after in told]), bar=2.0, goal=0.5, unit="s",
            notes=[
                f"{channel}: {len(times):,}, median {times[len(times) // 2]:.2f} s, 99 % {_p99(times):.2f} s,"
                f" last {times[-1]:.2f} s"
                for channel, times in by_channel.items()
            ],
        )
    ]  # fmt: skip


def _due_together(desk: Desk, count: int) -> tuple[datetime, list[int]]:
    """Tickets whose first rung falls due at one instant shortly ahead, and that instant."""
    from flowdesk.flows import receive
    from flowdesk.tickets.models import Ticket

    around_the_clock = next(client for client in CLIENTS if client.tier == "enterprise")
    message = InboundMessage(
        channel=Channel.EMAIL, subject="Export stops half way", text="It stops half way.",
        email=around_the_clock.address(around_the_clock.people[0]),
    )  # fmt: skip
    by = system(desk.tenant)

    def opened(at: datetime) -> Ticket:
        number = receive.open_ticket(message, by=by, now=at, priority=Priority.P2).number
        with reading(desk.tenant):
            return Ticket.objects.get(number=number)

    first = opened(datetime.now(UTC) - timedelta(days=1))
    assert first.wake_at is not None
    began = time.perf_counter()
    opened(first.created_at)
    each = timedelta(seconds=time.perf_counter() - began)
    due = datetime.now(UTC).replace(microsecond=0) + LEAD + 2 * each * count
    opened_at = due - (first.wake_at - first.created_at)
    ids = []
    for _ in range(count):
        ticket = opened(opened_at)
        assert ticket.wake_at == due, "this customer's promises do not run around the clock"
        ids.append(ticket.id)
    return due, ids


@contextmanager
def _worker(desk: Desk) -> Iterator[None]:
    """`flowdesk worker` on the desk."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "worker"], env=desk.environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _told(
    admin: psycopg.Connection[Any], values: dict[str, Any], *, due: datetime
) -> list[tuple[str, float]]:
    """Channel and seconds after `due` of every delivery, once nothing is left to do."""
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    ends_by = time.monotonic() + PATIENCE
    while True:
        left = admin.execute(LEFT, values).fetchone()
        assert left is not None
        if left[0] == 0:
            return admin.execute(TOLD, values).fetchall()
        assert time.monotonic() < ends_by, f"{left[0]} things are still to be done"
        time.sleep(0.25)


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100, method="inclusive")[98]
