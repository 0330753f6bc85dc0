"""Files of tickets: JSON lines or CSV, plain or gzipped, become records in the order in which they stand.

A file is read as a stream and never held whole. A record that cannot be read says why and the next one is read; what
makes the whole file useless raises UnusableFile.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader, TextIOWrapper
from math import inf
from typing import Any

from flowdesk.core.errors import DomainError
from flowdesk.intake.bulk.states import FileFormat

GZIP_MAGIC = b"\x1f\x8b"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
LONGEST_RECORD = 4 * 1024 * 1024  # bytes of a JSON line, characters of a CSV cell
KEPT = 256 * 1024  # bytes that are kept of a record that is refused
DELIMITERS = ",;\t|"
REASON = (
    "refused"  # the column that a report of refused rows adds; a file that is sent again may still have it
)


class UnusableFile(DomainError):
    """The file as a whole cannot be imported."""

    status = 422
    code = "unusable_file"


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file: its first line, its values by column, or why it cannot be read."""

    line: int
    values: Mapping[str, Any]
    raw: bytes
    fault: str = ""


@dataclass(slots=True)
class RecordFile:
    """A file being read: its records once, in order. A CSV file has a header, and columns named by it."""

    records: Iterator[Record]
    tell: Callable[[], int]  # bytes read so far, of the file as it was sent
    stream: io.BufferedIOBase | io.TextIOBase  # held, because one that nobody holds closes its source
    header: str = ""
    columns: Sequence[str] = field(default_factory=list)


def open_records(source: io.RawIOBase, *, form: FileFormat, most_unpacked: float = inf) -> RecordFile:
    """The records of a file read from its beginning; raises UnusableFile at once, or while they are read.

    `source` must be able to tell how many bytes of it have been read. What is packed in it may have `most_unpacked`
    bytes.
    """
    stream = _unpacked(source, most_unpacked)
    start = _peek(stream, 4096)
    if start.startswith(UTF_16_MARKS):
        raise UnusableFile("The file is UTF-16; save it as UTF-8.")
    if not start.strip():
        raise UnusableFile("The file is empty.")
    if form is FileFormat.JSONL:
        if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            raise UnusableFile("The file is one JSON array; write one object on each line instead.")
        return RecordFile(_json_lines(stream), source.tell, stream)
    return _csv_file(stream, source.tell)


def _unpacked(source: io.RawIOBase, most: float) -> BufferedReader[Any]:
    """The bytes themselves, or what is packed in them."""
    stream: BufferedReader[Any] = BufferedReader(source)
    if stream.peek(2)[:2] != GZIP_MAGIC:
        return stream
    return BufferedReader(_Unpacked(stream, most))


class _Unpacked(io.RawIOBase):
    """What is packed in a gzip file; raises UnusableFile when it is more than `most` bytes."""

    def __init__(self, packed: BufferedReader[Any], most: float) -> None:
        self._file, self._most, self._read = gzip.GzipFile(fileobj=packed), most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read1(len(buffer))
        self._read += len(data)
        if self._read > self._most:
            raise UnusableFile(
                f"The file holds more than {self._most} bytes when unpacked; send it in parts."
            )
        buffer[: len(data)] = data
        return len(data)


def _peek(stream: BufferedReader[Any], size: int) -> bytes:
    try:
        return stream.peek(size)[:size]
    except (EOFError, OSError, zlib.error):
        raise UnusableFile("The file is a broken gzip file.") from None


# -- JSON lines ---------------------------------------------------------------------------------------------


def _json_lines(stream: BufferedReader[Any]) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        line = _line(stream, number)
        if not line:
            return
        if len(line) > LONGEST_RECORD:
            _skip_line(stream, line)
            yield Record(number, {}, line[:KEPT], f"is longer than {LONGEST_RECORD} bytes")
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield _json_record(number, line)


def _line(stream: BufferedReader[Any], number: int) -> bytes:
    try:
        return stream.readline(LONGEST_RECORD + 1)
    except (EOFError, OSError, zlib.error):
        raise UnusableFile(f"The gzip file is broken from line {number} on.") from None


def _skip_line(stream: BufferedReader[Any], line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_RECORD)


def _json_record(number: int, line: bytes) -> Record:
    raw = line.rstrip(b"\r\n")
    try:
        values = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return Record(number, {}, raw, f"is not text in UTF-8 (byte {error.start + 1})")
    except json.JSONDecodeError as error:
        return Record(number, {}, raw, f"is not JSON: {error.msg} (column {error.colno})")
    except RecursionError:
        return Record(number, {}, raw, "is nested too deeply")
    except ValueError as error:
        return Record(number, {}, raw, f"is not JSON: {error}")
    if not isinstance(values, dict):
        return Record(number, {}, raw, "is not an object")
    return Record(number, values, raw)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


# -- CSV ----------------------------------------------------------------------------------------------------


def _csv_file(stream: BufferedReader[Any], tell: Callable[[], int]) -> RecordFile:
    # A byte that is no UTF-8 becomes a lone surrogate, which is found in the one row that holds it.
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    header = text.readline(LONGEST_RECORD).rstrip("\r\n")
    csv.field_size_limit(LONGEST_RECORD)
    columns = columns_of(header)
    if not all(name.isprintable() for name in columns):
        raise UnusableFile("The first line of a CSV file must name its columns; this one is no text.")
    return RecordFile(_csv_rows(text, columns, delimiter_of(header)), tell, text, header, columns)


def delimiter_of(header: str) -> str:
    """What stands between the columns: comma, semicolon, tab or bar, whichever the first line has most of."""
    return max(DELIMITERS, key=header.count)


def columns_of(header: str) -> list[str]:
    """The columns that the first line of a CSV file names."""
    return next(csv.reader([header], delimiter=delimiter_of(header)), [])


class _Lines:
    """The lines of a text, and those that the record being read is made of."""

    def __init__(self, text: TextIOWrapper) -> None:
        self.text, self.taken = text, list[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.text.readline(LONGEST_RECORD)
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def raw(self) -> bytes:
        """The record as it came."""
        return "".join(self.taken).rstrip("\r\n").encode("utf-8", "surrogateescape")


def _csv_rows(text: TextIOWrapper, columns: Sequence[str], delimiter: str) -> Iterator[Record]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 2  # of the whole file, whose first line names the columns
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _refuse_open_quotation(line, error)
            yield Record(line, {}, lines.raw(), f"is not CSV: {error}")
            continue
        except (EOFError, OSError, zlib.error):
            raise UnusableFile(f"The gzip file is broken from line {line} on.") from None
        if cells:
            yield _csv_record(line, cells, columns, lines.raw())


def _refuse_open_quotation(line: int, error: csv.Error) -> None:
    """Raise UnusableFile for a record without an end: nobody can tell how many rows it has swallowed."""
    words = str(error)
    if "unexpected end" in words:
        raise UnusableFile(f"Line {line} begins a quotation that is not closed.") from None
    if "field larger" in words:
        raise UnusableFile(
            f"Line {line} begins a quotation that is not closed, or a cell longer than {LONGEST_RECORD} characters."
        ) from None


def _csv_record(line: int, cells: list[str], columns: Sequence[str], raw: bytes) -> Record:
    if len(cells) != len(columns):
        return Record(line, {}, raw, f"has {len(cells)} cells where the first line has {len(columns)}")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return Record(line, {}, raw, "is not text in UTF-8")
    return Record(line, dict(zip(columns, cells, strict=True)), raw)


def csv_cell(text: str) -> str:
    """Text as one cell of a CSV file."""
    return '"' + text.replace('"', '""') + '"'
