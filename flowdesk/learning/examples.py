"""Rows to learn from, and how they are read out of a CSV file."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

LONGEST_FIELD = 1_000_000
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    label: str


class BadExamples(Exception):
    """The file cannot be learned from."""


def read_examples(file: Path, *, text: str, label: str) -> list[Example]:
    """The file's rows; raises BadExamples with the row or column and the reason."""
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with _opened(file) as source, TextIOWrapper(source, encoding="utf-8-sig", newline="") as lines:
            return list(_examples(csv.reader(lines), file.name, text=text, label=label))
    except UnicodeDecodeError as fault:
        raise BadExamples(f"{file.name}: byte {fault.start} is not UTF-8") from fault
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadExamples(f"{file.name}: the gzip packing is damaged: {fault}") from fault
    except OSError as fault:
        raise BadExamples(f"{file}: {fault.strerror or fault}") from fault


def _opened(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def _examples(rows: Iterator[list[str]], name: str, *, text: str, label: str) -> Iterator[Example]:
    try:
        header = next(rows, None)
        if not header:
            raise BadExamples(f"{name}: is empty; its first line names the columns")
        for column in (text, label):
            if header.count(column) != 1:
                why = "is there twice" if column in header else "is not there"
                raise BadExamples(f"{name}: column {column!r} {why}; the columns are {', '.join(header)}")
        text_at, label_at = header.index(text), header.index(label)
        count = 0
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            where = f"{name}: row {number}"
            if len(row) != len(header):
                raise BadExamples(f"{where} has {len(row)} columns, the first line names {len(header)}")
            if not row[label_at].strip():
                raise BadExamples(f"{where}: column {label!r} is empty")
            if "\x00" in row[text_at] or "\x00" in row[label_at]:
                raise BadExamples(f"{where}: holds a zero byte")
            count += 1
            if count > MOST_ROWS:
                raise BadExamples(f"{name}: has more than {MOST_ROWS:,} rows")
            yield Example(row[text_at], row[label_at].strip())
        if not count:
            raise BadExamples(f"{name}: has no row below its first line")
    except csv.Error as fault:
        raise BadExamples(f"{name}: {fault}") from fault
