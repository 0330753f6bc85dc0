"""Checks of the work: does what is due get done?"""

from __future__ import annotations

from collections.abc import Mapping

from flowdesk.config.doctor.database import ask
from flowdesk.config.doctor.machine import Check, Machine
from flowdesk.config.doctor.outcome import Outcome, ok, problem, warning
from flowdesk.core.processes import LATE_AFTER
from flowdesk.tickets.sql import WRONGLY_COUNTED

LATE = 5.0  # seconds that an instant may lie back; the sweep asks five times a second
TOO_LATE = 30.0
START_WORKER = "Start one: `flowdesk run`, or `flowdesk worker` beside it; see logs/worker.log."


def workers(_: Machine) -> Outcome:
    """Whether a worker lives, on whatever host: each beats every few seconds."""
    [(living, seconds)] = ask(
        "select count(*) filter (where beat_at > now() - make_interval(secs => %s)),"
        " extract(epoch from now() - max(beat_at))::float8 from core_process where kind = 'worker'",
        LATE_AFTER.total_seconds(),
        alias="worker",
    )
    if living:
        return ok(f"{living} at work")
    says = "No worker is there" if seconds is None else f"The last sign of a worker is {_length(seconds)} old"
    return warning(f"{says}: no clock wakes and no mail leaves", mend=START_WORKER)


def sweep(machine: Machine) -> Outcome:
    """How long the oldest instant that has come waits to be acted on."""
    [(count, seconds)] = ask(
        "select count(*), coalesce(extract(epoch from now() - min(wake_at)), 0)::float8 from tickets_ticket"
        " where wake_at is not null and wake_at <= now()",
        alias="worker",
    )
    if seconds < LATE:
        return ok("Every ticket was woken in time")
    says = f"{count} tickets wait to be woken, the oldest for {_length(seconds)}"
    if workers(machine).state != "ok":
        return warning(f"{says}; nobody works", mend=START_WORKER)
    failing = ask("select count(*) from tickets_ticket where wake_failures > 0", alias="worker")[0][0]
    mend = f"See logs/worker.log ({failing} tickets failed when woken); start another `flowdesk worker`."
    return problem(says, mend=mend) if seconds >= TOO_LATE else warning(says, mend=mend)


def events(machine: Machine) -> Outcome:
    """How long the oldest event waits to become deliveries."""
    [(count, seconds)] = ask(
        "select count(*), coalesce(extract(epoch from now() - min(at)), 0)::float8 from tickets_ticketevent"
        " where dispatched_at is null",
        alias="worker",
    )
    if seconds < LATE:
        return ok("Every event has been dispatched")
    says = f"{count} events are not dispatched, the oldest for {_length(seconds)}"
    if workers(machine).state != "ok":
        return warning(f"{says}; nobody works", mend=START_WORKER)
    return (
        problem(says, mend="See logs/worker.log.")
        if seconds >= TOO_LATE
        else warning(says, mend="Ask again in a minute; see logs/worker.log.")
    )


def deliveries(machine: Machine) -> Outcome:
    """Whether what is to be told is handed over."""
    [(waiting, late, failed)] = ask(
        "select count(*) filter (where state = 'due'),"
        " count(*) filter (where state = 'due' and due_at < now() - make_interval(secs => %s)),"
        " count(*) filter (where state = 'failed' and created_at > now() - interval '7 days')"
        " from notifications_delivery where state in ('due', 'failed')",
        TOO_LATE,
        alias="worker",
    )
    if late and workers(machine).state == "ok":
        return problem(
            f"{late} deliveries are overdue, {waiting} wait in all",
            mend="See logs/worker.log and the check 'mail'.",
        )
    if late:
        return warning(f"{late} deliveries are overdue; nobody works", mend=START_WORKER)
    if failed:
        return warning(
            f"{failed} deliveries of the last seven days were given up",
            mend="Their tickets say why; mend the addresses or the mail server.",
        )
    return ok(f"{waiting} deliveries wait for their time, none was given up in seven days")


def index(machine: Machine) -> Outcome:
    """Whether tickets can be found by their words; after an import it takes a while."""
    [(count,)] = ask(
        "select count(*) from tickets_ticket"
        " where id > (select reached from triage_indexingprogress order by id limit 1)",
        alias="worker",
    )
    if not count:
        return ok("Every ticket is found by its words")
    says = f"{count} tickets are not found by their words yet"
    if workers(machine).state != "ok":
        return warning(f"{says}; nobody works", mend=START_WORKER)
    return ok(f"{says}: the worker is at it")


def counts(_: Machine) -> Outcome:
    """Whether the kept counts of the active tickets are what the tickets say."""
    wrong = [tenant for (tenant,) in ask(WRONGLY_COUNTED, alias="worker")]
    if not wrong:
        return ok("The counts of the queues are those of the tickets")
    return problem(
        f"The counts of the queues differ from the tickets (tenants: {len(wrong)})",
        mend="`flowdesk recount` counts them anew; tickets were written past the database's triggers.",
    )


def _length(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


CHECKS: Mapping[str, Check] = {
    "workers": workers,
    "sweep": sweep,
    "events": events,
    "deliveries": deliveries,
    "index": index,
    "counts": counts,
}
