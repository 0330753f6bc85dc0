"""Columns of many rows on their way to `unnest`: each list is written in one go.

psycopg asks a dumper for every element and looks at each answer for what it must quote. In a sweep that is most of
what sending costs, and reading instants from words is a good part of what the server does with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import PyFormat
from psycopg.pq import Format
from psycopg.types.array import BaseListDumper, ListDumper

TYPES = adapters.types
NUMBERS = frozenset(TYPES[name].array_oid for name in ("int2", "int4", "int8"))
PLAIN = re.compile(r"(?!null$)[\w.:+/-]+", re.IGNORECASE | re.ASCII)  # a word that an array need not quote

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HEAD = Struct("!iiIii")  # one dimension, whether there are nulls, of which type, how many, counted from
NULL = Struct("!i").pack(-1)
INSTANT, LENGTH, ID = (
    Struct("!iq"),
    Struct("!iqii"),
    Struct("!i16s"),
)  # the first number is the size of the rest


def _instant(at: datetime) -> bytes:
    return INSTANT.pack(8, (at - EPOCH) // MICROSECOND)


def _length(length: timedelta) -> bytes:
    return LENGTH.pack(16, length.seconds * 1_000_000 + length.microseconds, length.days, 0)


def _id(public_id: UUID) -> bytes:
    return ID.pack(16, public_id.bytes)


BINARY: Mapping[int, tuple[int, Callable[[Any], bytes]]] = {
    TYPES["timestamptz"].array_oid: (TYPES["timestamptz"].oid, _instant),
    TYPES["interval"].array_oid: (TYPES["interval"].oid, _length),
    TYPES["uuid"].array_oid: (TYPES["uuid"].oid, _id),
}


class ColumnDumper(ListDumper):
    """Lists. Flat ones of numbers, plain words, instants, lengths and ids are written at once, others as ever."""

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002  # psycopg's name
        """The dumper for what this list holds; in binary where that is faster, unless text is asked for."""
        upgraded = super().upgrade(obj, format)
        if (
            format is not PyFormat.TEXT
            and upgraded.oid in BINARY
            and not any(type(one) is list for one in obj)
        ):
            binary = BinaryColumnDumper(self.cls, self._tx)
            binary.oid = upgraded.oid
            return binary
        return upgraded

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The list as PostgreSQL writes it."""
        written = self._numbers(obj) if self.oid in NUMBERS else None if self.oid else self._words(obj)
        return super().dump(obj) if written is None else b"{%s}" % written.encode()

    def _numbers(self, obj: list[Any]) -> str | None:
        try:
            return ",".join(["NULL" if one is None else int.__repr__(one) for one in obj])
        except TypeError:  # a list in the list
            return None

    def _words(self, obj: list[Any]) -> str | None:
        try:
            # Columns of words are of few words, many times.
            return ",".join(obj) if all(map(PLAIN.fullmatch, set(obj))) else None
        except TypeError:  # something else than words
            return None


class BinaryColumnDumper(BaseListDumper):
    """Flat lists of what is in `BINARY`."""

    format = Format.BINARY

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The list as PostgreSQL sends it."""
        of, written = BINARY[self.oid]
        items = [NULL if one is None else written(one) for one in obj]
        return HEAD.pack(1, 1, of, len(items), 1) + b"".join(items)
