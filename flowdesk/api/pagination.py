"""Pages of a list: `{items, next}`, where `next` is an opaque, signed place to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core import signing
from pydantic import Field

from flowdesk.api.reading import Filters
from flowdesk.api.shapes import Out
from flowdesk.core.errors import invalid

T = TypeVar("T")
DEFAULT, MOST = 50, 200

Limit = Annotated[int, Field(ge=1, le=MOST, description="How many items at the most.")]
Cursor = Annotated[str, Field(max_length=2000, description="`next` of the page before.")]


class Page(Out, Generic[T]):
    """One page; `next` is null on the last one."""

    items: list[T]
    next: str | None


class OnlyPages(Filters):
    """A list that can only be paged."""

    cursor: Cursor = ""
    limit: Limit = DEFAULT


def place_after(cursor: str, *, of: str) -> tuple[Any, ...] | None:
    """The keys to go on after; None for the first page. Raises Invalid for a cursor of another list.

    `of` names the list: its tenant, kind and order. Instants come back as instants.
    """
    if not cursor:
        return None
    try:
        name, keys = signing.loads(cursor, salt="flowdesk.api.cursor")
        if name != of:
            raise ValueError
        return tuple(datetime.fromisoformat(key["at"]) if isinstance(key, dict) else key for key in keys)
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        raise invalid("cursor", "is not a place in this list; start again without it") from None


def cursor_at(keys: Sequence[Any], *, of: str) -> str:
    """The place after an item with these keys."""
    plain = [{"at": key.isoformat()} if isinstance(key, datetime) else key for key in keys]
    return signing.dumps([of, plain], salt="flowdesk.api.cursor")
