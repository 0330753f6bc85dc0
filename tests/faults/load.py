"""Clients that open tickets, answer them and write again over HTTP, and keep what was acknowledged."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from zlib import crc32

from tests.faults.furnish import MAIL_DOMAIN

PATIENCE = 20.0  # seconds a client waits for an answer
AGAIN_AFTER = 0.2  # seconds before a client tries again what was not acknowledged
KINDS = ("open", "open", "open", "reply", "reply", "message")  # what clients do, by weight
SUBJECTS = ("Question about an invoice", "The export is slow", "Production is down, urgent", "Login fails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A request that was answered with 2xx. Its marker stands in the words that must be in the database."""

    marker: str
    kind: str
    tenant: str
    ticket: str  # public id
    thing: str  # public id of what was made: the ticket, the reply; of a customer's message the ticket
    begun: float  # seconds of the monotonic clock
    ended: float


@dataclass
class Ledger:
    """What the clients saw. A marker belongs to one try: the same words sent again carry another."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)  # by HTTP status
    unanswered: int = 0
    tries: int = 0
    worst: list[str] = field(default_factory=list)  # answers that no fault of a process explains

    def first_after(self, instant: float) -> float | None:
        """When the first request that was begun after `instant` was acknowledged."""
        return min((one.ended for one in list(self.acknowledged) if one.begun > instant), default=None)

    def opened(self, tenant: str) -> list[str]:
        return [one.ticket for one in list(self.acknowledged) if one.kind == "open" and one.tenant == tenant]


@dataclass
class Load:
    """Some clients, each in a thread of its own."""

    port: int
    keys: Mapping[str, str]  # tenant to key
    seed: int
    pause: float  # seconds a client rests between two requests
    ledger: Ledger = field(default_factory=Ledger)
    _stop: threading.Event = field(default_factory=threading.Event)
    _markers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def running(self, *, clients: int) -> Iterator[Ledger]:
        """Until the block ends; every client then finishes the request it is in."""
        threads = [
            threading.Thread(target=self._client, args=(random.Random(self.seed + number),), daemon=True)
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self.ledger
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(PATIENCE + 5)

    def _client(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            tenant = chance.choice(list(self.keys))
            known = self.ledger.opened(tenant)
            kind = chance.choice(KINDS) if known else "open"
            ticket = "" if kind == "open" else chance.choice(known[-50:])
            subject = chance.choice(SUBJECTS)
            while not self._tried(kind, tenant, ticket, subject) and not self._stop.wait(AGAIN_AFTER):
                pass
            self._stop.wait(self.pause * chance.uniform(0.5, 1.5))

    def _tried(self, kind: str, tenant: str, ticket: str, subject: str) -> bool:
        """One try; False when it has to be made again."""
        marker = f"try-{self.seed}-{next(self._markers)}."
        begun = time.monotonic()
        self.ledger.tries += 1
        try:
            status, answer = self._post(*_request(kind, ticket, subject, marker), key=self.keys[tenant])
        except (OSError, HTTPException, ValueError):
            self.ledger.unanswered += 1
            return False
        if not 200 <= status < 300:
            self.ledger.refused[status] += 1
            if status not in (409, 503):  # somebody was faster; the database is away
                self.ledger.worst.append(f"{kind}: {status} {answer}")
            return status == 409
        thing = answer["id"]
        self.ledger.acknowledged.append(
            Acknowledged(
                marker=marker, kind=kind, tenant=tenant, ticket=ticket or thing, thing=thing,
                begun=begun, ended=time.monotonic(),
            )
        )  # fmt: skip
        return True

    def _post(self, path: str, body: Mapping[str, Any], *, key: str) -> tuple[int, Mapping[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def _request(kind: str, ticket: str, subject: str, marker: str) -> tuple[str, Mapping[str, Any]]:
    match kind:
        case "open":
            email = f"customer{crc32(marker.encode()) % 200}@customers.{MAIL_DOMAIN}"
            words = {"subject": f"{subject} {marker}", "text": f"Please look at this. {marker}"}
            return "/tickets", {**words, "email": email, "tier": "enterprise", "language": "en"}
        case "reply":
            return f"/tickets/{ticket}/replies", {"text": f"We are on it. {marker}"}
        case _:
            return f"/tickets/{ticket}/messages", {"text": f"It is still broken. {marker}"}
