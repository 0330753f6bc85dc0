"""The only place that reads the wall clock."""

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_pinned: ContextVar[datetime | None] = ContextVar("pinned_now", default=None)


def now() -> datetime:
    """The present instant, aware and in UTC; everything below the edge takes it as an argument."""
    return _pinned.get() or datetime.now(UTC)


@contextmanager
def at(instant: datetime) -> "Iterator[None]":
    """Pin `now()` to `instant` for a story that moves time."""
    token = _pinned.set(instant)
    try:
        yield
    finally:
        _pinned.reset(token)
