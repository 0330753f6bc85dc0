"""The only place that reads the wall clock, and the names of the zones it can be told in."""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from collections.abc import Iterator

_pinned: ContextVar[datetime | None] = ContextVar("pinned_now", default=None)


def now() -> datetime:
    """The present instant, aware and in UTC; everything below the edge takes it as an argument."""
    return _pinned.get() or datetime.now(UTC)


@cache
def known_zones() -> frozenset[str]:
    """The time zones this machine knows, looked up once: it takes hundreds of file names each time."""
    return frozenset(available_timezones())


@contextmanager
def at(instant: datetime) -> "Iterator[None]":
    """Pin `now()` to `instant` for a story that moves time."""
    token = _pinned.set(instant)
    try:
        yield
    finally:
        _pinned.reset(token)
