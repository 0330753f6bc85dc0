"""Many rows for one table: copied into a table of the act's own, from which one statement takes them.

COPY is the cheapest way in, but it cannot write to a table under row level security itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

_as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


@contextmanager
def staged(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Rows with these columns of `table`, in their order, in a table by the name given; gone afterwards.

    Dictionaries and lists are JSON.
    """
    name, names = f"staged_{table}", ", ".join(columns)
    lines = [_line(row) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(f"create temporary table {name} as select {names} from {table} with no data")  # noqa: S608 - constants
        with cursor.copy(f"copy {name} ({names}) from stdin") as copy:
            copy.write("".join(lines))
        yield name
        cursor.execute(f"drop table {name}")


def insert_staged(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to a table, in their order."""
    names = ", ".join(columns)
    with staged(table, columns, rows) as source, connection.cursor() as cursor:
        cursor.execute(f"insert into {table} ({names}) select {names} from {source}")  # noqa: S608 - constants


def _line(row: Sequence[Any]) -> str:
    return "\t".join([_FORMS[value.__class__](value) for value in row]) + "\n"


def _text(value: str) -> str:
    """Text as COPY reads it back."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\n" in value:
        value = value.replace("\n", "\\n")
    if "\r" in value:
        value = value.replace("\r", "\\r")
    if "\t" in value:
        value = value.replace("\t", "\\t")
    return value


def _length(value: timedelta) -> str:
    return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"


class _Forms(dict[type, Callable[[Any], str]]):
    """How the values of a class are written; a class of its own kind, such as an enumeration, as what it is made of."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        found = self[kind] = next((self[base] for base in kind.__mro__[1:] if base in self), str)
        return found


_FORMS = _Forms(
    {
        type(None): lambda value: "\\N",
        bool: lambda value: "t" if value else "f",
        int: str,
        str: _text,
        datetime: lru_cache(10_000)(datetime.isoformat),  # a life names the same instants again and again
        timedelta: _length,
        dict: lambda value: _text(_as_json(value)),
        list: lambda value: _text(_as_json(value)),
    }
)
