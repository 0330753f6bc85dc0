"""What is being worked on right now, for the lines of the log: request, tenant, ticket, actor, job.

Ids and enumerations only. Each thread has its own; `config.logs` puts them on every line.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Value = str | int | float | None

_fields: ContextVar[Mapping[str, Value] | None] = ContextVar("trace", default=None)


def traced_fields() -> Mapping[str, Value]:
    """What is known at this moment."""
    return _fields.get() or {}


def trace(**fields: Value) -> None:
    """Add to what is known, until the enclosing `tracing` ends; outside of one there is nothing to add to."""
    known = _fields.get()
    if known is not None:
        _fields.set({**known, **fields})


@contextmanager
def tracing(**fields: Value) -> Iterator[None]:
    """A piece of work of which this is known; afterwards everything is as it was before."""
    token = _fields.set({**traced_fields(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)
