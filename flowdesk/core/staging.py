"""Many rows at once: copied into tables of the act's own, from which one statement for each table takes them.

COPY is the cheapest way in, but it cannot write to a table under row level security itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from django.db import connection

_as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


class Stage:
    """For each table named a stage with the given columns of it; gone afterwards."""

    def __init__(self, tables: Mapping[str, Sequence[str]]) -> None:
        self._columns = {table: ", ".join(columns) for table, columns in tables.items()}

    def __enter__(self) -> Self:
        _execute(
            f"create temporary table staged_{table} as select {names} from {table} with no data"  # noqa: S608 - constants
            for table, names in self._columns.items()
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if fault is None:  # what failed is rolled back
            _execute(f"drop table staged_{table}" for table in self._columns)

    def copy(self, table: str, lines: str) -> None:
        """Put `lines_of` rows on the stage of a table, in their order."""
        if not lines:
            return
        with (
            connection.cursor() as cursor,
            cursor.copy(f"copy staged_{table} ({self._columns[table]}) from stdin") as copy,
        ):
            copy.write(lines)

    def move(self, *tables: str) -> None:
        """Write what is on the stages of these tables to the tables, and leave the stages empty."""
        moves = (
            f"insert into {table} ({names}) select {names} from staged_{table}; truncate staged_{table}"  # noqa: S608 - constants
            for table, names in self._columns.items()
            if table in tables
        )
        _execute(moves)


def _execute(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("; ".join(statements))


def lines_of(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as COPY reads them; dictionaries and lists are JSON."""
    return "".join(["\t".join([_FORMS[value.__class__](value) for value in row]) + "\n" for row in rows])


def _text(value: str) -> str:
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
