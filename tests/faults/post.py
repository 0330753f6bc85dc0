"""A mail server on the loopback that counts what comes in by its Message-ID."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Post:
    """Mails by Message-ID, and for each mail when its conversation began (seconds of the monotonic clock)."""

    port: int = 0
    arrived: Counter[str] = field(default_factory=Counter)
    begun: list[float] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - the server's name for it
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        session.begun_at = time.monotonic()
        return responses

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        headers = BytesHeaderParser().parsebytes(envelope.original_content)
        self.arrived[headers["Message-ID"]] += 1
        self.begun.append(session.begun_at)
        return "250 OK"

    def first_after(self, instant: float) -> float | None:
        """When the first conversation that brought a mail began after `instant`."""
        return min((begun for begun in list(self.begun) if begun > instant), default=None)


@contextmanager
def a_post(port: int) -> Iterator[Post]:
    """A running server on 127.0.0.1."""
    post = Post(port=port)
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post
    finally:
        controller.stop()
