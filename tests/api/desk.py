"""A tenant as programs see it: a key, and calls that must answer as they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from flowdesk.accounts.services import create_key
from flowdesk.core.actor import Act, system
from flowdesk.core.time import at as pinned
from tests.builders import MONDAY_9, World, a_world

ROOT = "/api/v1"
EVERYTHING = tuple(act.value for act in Act)
TICKET = {
    "subject": "Checkout is down",
    "text": "Nobody can pay since ten past nine.",
    "customer_name": "Nordvik Retail",
    "tier": "enterprise",
    "email": "maja@nordvik.example",
    "priority": "P1",
}


@dataclass
class Desk:
    """Calls with one key at one instant; `later` moves it."""

    world: World
    key: str
    now: datetime = MONDAY_9
    web: Client = field(default_factory=Client)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> HttpResponse:
        """One request, whatever comes of it."""
        raw = b"" if body is None else json.dumps(body).encode()
        return self.raw(method, path, raw, query=query, more=headers)

    def raw(
        self,
        method: str,
        path: str,
        raw: bytes,
        *,
        kind: str = "application/json",
        query: Any = None,
        more: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= more or {}
        with pinned(self.now):
            return self.web.generic(  # type: ignore[return-value]
                method, f"{ROOT}{path}", raw, content_type=kind, headers=headers, query_params=query
            )

    def get(self, path: str, **query: Any) -> Any:
        return good(self.call("GET", path, **query))

    def post(self, path: str, body: Any = None) -> Any:
        return good(self.call("POST", path, body if body is not None else {}))

    def patch(self, path: str, body: Any) -> Any:
        return good(self.call("PATCH", path, body))

    def open(self, **values: Any) -> Any:
        return self.post("/tickets", {**TICKET, **values})

    @contextmanager
    def later(self, length: timedelta) -> Iterator[None]:
        before, self.now = self.now, self.now + length
        yield
        self.now = before


def a_desk(
    world: World | None = None,
    *,
    scopes: Iterable[str] = EVERYTHING,
    expires_at: datetime | None = None,
    limit: int | None = None,
) -> Desk:
    world = world or a_world()
    made = create_key(
        "tests", scopes=scopes, by=system(world.tenant.id), now=MONDAY_9, expires_at=expires_at, limit=limit
    )
    return Desk(world, made.secret)


def good(response: HttpResponse) -> Any:
    """The answer of a call that must have worked."""
    assert 200 <= response.status_code < 300, (response.status_code, response.content.decode()[:2000])
    return json.loads(response.content)


def refused(response: HttpResponse, status: int) -> Any:
    """The problem document of a call that must have failed so."""
    assert response.status_code == status, (response.status_code, response.content.decode()[:2000])
    assert response["Content-Type"] == "application/problem+json"
    found = json.loads(response.content)
    assert set(found) == {"type", "title", "status", "detail", "code", "errors"}
    assert found["status"] == status
    return found


def fields(problem: Any) -> set[str]:
    """The fields a problem document names."""
    return {one["field"] for one in problem["errors"]}
