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
TRUTHS, TRUTH = TYPES["bool"].array_oid, {True: "t", False: "f", None: "NULL"}
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


def _word(word: str | None) -> str:
    if word is None or PLAIN.fullmatch(word):
        return "NULL" if word is None else word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


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
        try:
            if self.oid in NUMBERS:
                items = ["NULL" if one is None else int.__repr__(one) for one in obj]
            elif self.oid == TRUTHS:
                items = [TRUTH[one] for one in obj]
            elif not self.oid:
                # Columns of words are of few words, many times.
                written = {one: _word(one) for one in set(obj)}
                items = [written[one] for one in obj]
            else:
                return super().dump(obj)
        except TypeError:  # lists in the list, or something else than words
            return super().dump(obj)
        return b"{%s}" % ",".join(items).encode()


class BinaryColumnDumper(BaseListDumper):
    """Flat lists of what is in `BINARY`."""

    format = Format.BINARY

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The list as PostgreSQL sends it."""
        of, written = BINARY[self.oid]
        items = [NULL if one is None else written(one) for one in obj]
        return HEAD.pack(1, 1, of, len(items), 1) + b"".join(items)
