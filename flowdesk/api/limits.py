"""Limits on requests below `/api/`: by address before anything else, then by key and by tenant.

Every answer tells how the tightest of them stands, as draft-ietf-httpapi-ratelimit-headers (11, May 2026) writes it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flowdesk.accounts.limits import (
    BAD_KEY_COST,
    Standing,
    TooManyRequests,
    must_be_within,
    spend_for_address,
    spend_for_key,
    spend_for_tenant,
)
from flowdesk.accounts.models import ApiKey
from flowdesk.api.errors import ROOT, problem_of
from flowdesk.core.time import now


class RequestLimits:
    """Middleware: counts a request by its address, and tells on the answer how its limits stand."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        standings: list[Standing] = []
        request.standings = standings  # type: ignore[attr-defined]
        try:
            _note(request, spend_for_address(request.META, at=now()))
            response = self.get_response(request)
        except TooManyRequests as fault:
            response = problem_of(fault)
        if standings:
            response["RateLimit-Policy"] = ", ".join(
                f'"{one.by}";q={one.limit.amount};w={one.limit.seconds}' for one in standings
            )
            tightest = min(standings, key=lambda one: (one.is_within, one.left / one.limit.amount))
            left = tightest.left if tightest.is_within else 0
            response["RateLimit"] = f'"{tightest.by}";r={left};t={tightest.seconds_left}'
        return response


def count_key(request: HttpRequest, key: ApiKey) -> None:
    """Count a request with a good key. Raises TooManyRequests."""
    at = now()
    _note(request, spend_for_key(key.id, own=key.limit, at=at))
    _note(request, spend_for_tenant(key.tenant_id, at=at))


def count_bad_key(request: HttpRequest) -> None:
    """A wrong key counts for many requests: whoever guesses is shut out soon."""
    spend_for_address(request.META, at=now(), cost=BAD_KEY_COST)


def _note(request: HttpRequest, standing: Standing | None) -> None:
    if standing is not None:
        request.standings.append(standing)  # type: ignore[attr-defined]
    must_be_within(standing)
