"""Every request: its id, its one line in the log, and its time in the metrics."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponseBase

from flowdesk.core import metrics
from flowdesk.core.trace import trace, traced_fields, tracing

log = logging.getLogger("flowdesk.requests")
HEADER = "X-Request-Id"
USABLE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
TICKET = re.compile(r"tkt_[0-9a-hjkmnp-tv-z]{26}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"healthz", "readyz", "metrics", "static"})  # asked every few seconds, or many for a page


class RequestLines:
    """Middleware, the outermost: whatever happens further in, the request has an id, a line and a time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began, database = time.perf_counter(), Stopwatch()
        given = request.headers.get(HEADER, "")
        name = given if USABLE_ID.fullmatch(given) else secrets.token_hex(8)
        with tracing(request=name), connection.execute_wrapper(database):
            response = self.get_response(request)
            response[HEADER] = name
            _tell(request, response, seconds=time.perf_counter() - began, database=database)
        return response


class Stopwatch:
    """How long a request's statements take, in seconds, and how many there are."""

    def __init__(self) -> None:
        self.seconds, self.statements = 0.0, 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
            self.statements += 1


def _tell(request: HttpRequest, response: HttpResponseBase, *, seconds: float, database: Stopwatch) -> None:
    route = route_of(request)
    method = request.method if request.method in METHODS else "OTHER"
    status = response.status_code
    metrics.REQUESTS.observe(seconds, route, method, str(status))
    metrics.REQUEST_DATABASE.observe(database.seconds, route)
    match = request.resolver_match
    ticket = str(match.kwargs.get("ticket_id", "")) if match else ""
    if TICKET.fullmatch(ticket) and "ticket" not in traced_fields():
        trace(ticket=ticket)
    quiet = route in QUIET
    log.log(
        logging.ERROR if status >= 500 and not quiet else logging.DEBUG if quiet else logging.INFO,
        "request_served",
        extra={
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "database_ms": round(database.seconds * 1000, 1),
            "statements": database.statements,
        },
    )


def route_of(request: HttpRequest) -> str:
    """The pattern of the address, never the address itself: that may hold anything somebody typed."""
    if request.resolver_match is not None:
        return request.resolver_match.route.removeprefix("^") or "/"
    return "static" if request.path_info.startswith("/static/") else "none"
