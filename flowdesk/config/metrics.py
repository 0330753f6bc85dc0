"""`/metrics`: the whole deployment in Prometheus' text format, from any one web process.

Counts come from the heartbeat rows of all processes and from this one's memory; what waits in the tables was
measured by a worker at its last heartbeat. So a scrape reads a handful of small rows, however many tickets there are.
"""

from __future__ import annotations

import hmac
import ipaddress
import platform
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from flowdesk import __version__
from flowdesk.config.health import PROBE
from flowdesk.core import metrics
from flowdesk.core.models import Process
from flowdesk.core.postgres.base import answered_within
from flowdesk.core.processes import ENDED, LATE_AFTER, engine_of, living, watch
from flowdesk.core.time import now

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")

# Measured by a worker, of the whole deployment: the newest measurement counts.
MEASURED: Mapping[str, str] = {
    "sweep_lag_seconds": "How long the oldest due ticket has waited for the sweep.",
    "sweep_round_age_seconds": "Since the last round of the sweep ended well, in the worker that swept last.",
    "tickets_due": "Tickets that are due and not woken yet.",
    "tickets_put_aside": "Tickets that could not be woken and wait for another try.",
    "tickets_unassigned": "Active tickets that nobody has.",
    "events_undispatched": "Ticket events not yet turned into deliveries.",
    "deliveries_due": "Deliveries that are due and not taken yet.",
    "deliveries_later": "Deliveries under way, or put off after a failure.",
    "tickets_unindexed": "Tickets that are not found by their words yet.",
    "audit_unsealed": "Audit entries that wait for their seal.",
    "database_connections": "Connections to the database, of all processes.",
}
# Measured by each process, of itself.
OWN: Mapping[str, str] = {
    "resident_bytes": "Memory of a process.",
    "cpu_seconds": "Processor time of a process since it started.",
}


@require_GET
def scrape(request: HttpRequest) -> HttpResponse:
    """Every metric; 403 for whoever neither has the token nor asks from this machine."""
    if not may_scrape(request):
        return HttpResponse("Metrics are for this machine, or for FLOWDESK_METRICS_TOKEN.\n", status=403,
                            content_type="text/plain; charset=utf-8")  # fmt: skip
    return HttpResponse("\n".join(exposition(at=now())) + "\n", content_type=MEDIA_TYPE)


def may_scrape(request: HttpRequest) -> bool:
    """With a token set, who sends it; without one, who asks from this machine itself and not through a proxy."""
    if token := settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def exposition(*, at: datetime) -> Iterator[str]:
    """The lines of a scrape. Without a database only what this process knows itself."""
    try:
        with answered_within(PROBE, connection):
            rows = living(at=at)
            ended = list(Process.objects.filter(kind=ENDED))
    except DatabaseError:
        connection.close()
        yield from _gauge("database_up", "Whether the database answers this process.", {"": 0})
        yield from _counts([metrics.counts()])
        return
    yield from _gauge("database_up", "Whether the database answers this process.", {"": 1})
    build = metrics.labelled({"version": __version__, "python": platform.python_version()})
    yield from _gauge("build_info", "What runs here.", {build: 1})
    yield from _processes(rows, at=at)
    heart = watch.heart
    others = [row.counts for row in (*rows, *ended) if heart is None or not heart.is_mine(row)]
    # Ours first: a release beside us with other bounds must not spoil them.
    yield from _counts([heart.live_counts() if heart else metrics.counts(), *others])


def _processes(rows: list[Process], *, at: datetime) -> Iterator[str]:
    living_now = [row for row in rows if at - row.beat_at <= LATE_AFTER]
    named = {
        row.id: metrics.labelled({"kind": row.kind, "host": row.host, "pid": str(row.pid)}) for row in rows
    }
    engine = engine_of(rows, at=at)
    yield from _gauge(
        "worker_up", "1 while a worker beats and sweeps in time.", {"": 0 if engine.note else 1}
    )
    if engine.heartbeat_age is not None:
        yield from _gauge(
            "worker_heartbeat_age_seconds",
            "Since the newest heartbeat of any worker.",
            {"": engine.heartbeat_age},
        )
    kinds = {f'{{kind="{kind}"}}': sum(row.kind == kind for row in living_now) for kind in ("web", "worker")}
    yield from _gauge("processes", "Processes that beat.", kinds)
    for name, about in OWN.items():
        values = {named[row.id]: row.gauges[name] for row in living_now if name in row.gauges}
        yield from _gauge(
            f"process_{name}", about, values, kind="counter" if name == "cpu_seconds" else "gauge"
        )
    # What a silent worker measured long ago would look like the present: it is left out.
    measured: Mapping[str, float] = next((row.gauges for row in living_now if row.kind == "worker"), {})
    for name, about in MEASURED.items():
        if name in measured:
            yield from _gauge(name, about, {"": measured[name]})


def _gauge(name: str, about: str, values: Mapping[str, float], *, kind: str = "gauge") -> Iterator[str]:
    if values:
        yield f"# HELP flowdesk_{name} {about}"
        yield f"# TYPE flowdesk_{name} {kind}"
        for labels, value in values.items():
            yield f"flowdesk_{name}{labels} {metrics.number(value)}"


def _counts(parts: list[metrics.Counts]) -> Iterator[str]:
    whole = metrics.merged(parts)
    for metric in metrics.registered():
        yield f"# HELP {metric.name} {metric.about}"
        yield f"# TYPE {metric.name} {metric.kind}"
        yield from metric.lines(whole.get(metric.name, {}))
