"""Event logs of other help desks: a CSV file, plain or gzipped, becomes entries in the order it tells them.

The file is read as a stream and never held whole. Whatever cannot be read raises EventLogFault with the line.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO

from flowdesk.engine.business_time import resolve_local
from flowdesk.engine.history import LogEntry
from flowdesk.policies.reader import suggestion
from flowdesk.policies.sections.event_log import LogLayout, Told

GZIP_MAGIC = b"\x1f\x8b"
EVERY = 1000  # rows between two words on how far the reading is
LONGEST_CELL = 200


class EventLogFault(Exception):
    """An event log that cannot be used: `line` counts from 1 and is 0 for the file as a whole."""

    def __init__(self, path: Path, line: int, reason: str, *, column: str = "") -> None:
        self.path, self.line, self.column, self.reason = path, line, column, reason
        place = f"{path}, line {line}" if line else str(path)
        super().__init__(f"{place}{f', column {column!r}' if column else ''}: {reason}")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a log has been read: its rows so far, and the share of the file's bytes, from 0 to 1."""

    rows: int
    share: float


def read_entries(
    path: Path, *, layout: LogLayout, tell: Callable[[Progress], None] = lambda progress: None
) -> Iterator[LogEntry]:
    """The rows of a log as entries, in file order, which must be the order of time; raises EventLogFault.

    `tell` hears now and then how far it is, and once at the end. Close the iterator to close the file early.
    """
    with _opened(path) as (text, share):
        rows = csv.reader(text, delimiter=layout.delimiter, strict=True)
        lines = _numbered(rows, path)
        header = next(lines, None)
        if header is None:
            raise EventLogFault(path, 1, "the file is empty; its first line must name the columns")
        reader = _RowReader(path, layout, _places(path, layout, header[1]), width=len(header[1]))
        count = 0
        for line, row in lines:
            if not row:
                continue  # an empty line, as at the end of many files
            yield reader.entry(line, row)
            count += 1
            if count % EVERY == 0:
                tell(Progress(count, share()))
        tell(Progress(count, 1.0))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[str], Callable[[], float]]]:
    """The file as text, unpacked where it is gzip, and how much of it has been read."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise EventLogFault(path, 0, error.strerror or str(error)) from None
    with raw:
        size = path.stat().st_size or 1
        text = TextIOWrapper(_unpacked(raw, path), encoding="utf-8-sig", newline="")
        try:
            yield text, lambda: min(raw.tell() / size, 1.0)
        finally:
            text.detach()


def _unpacked(raw: BufferedReader, path: Path) -> BufferedReader:
    """The file itself, or what is packed in it."""
    is_packed = path.suffix == ".gz" or raw.peek(2)[:2] == GZIP_MAGIC
    return BufferedReader(gzip.GzipFile(fileobj=raw)) if is_packed else raw


def _line_out_of_utf_8(path: Path) -> int:
    with path.open("rb") as raw:
        for line, text in enumerate(_unpacked(raw, path), start=1):
            try:
                text.decode()
            except UnicodeDecodeError:
                return line
    return 0


def _numbered(rows: Iterator[list[str]], path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on."""
    while True:
        line = rows.line_num + 1  # type: ignore[attr-defined]
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise EventLogFault(path, line, f"is not CSV: {error}") from None
        except UnicodeDecodeError:
            # Text is decoded in blocks, some way ahead of the rows.
            raise EventLogFault(path, _line_out_of_utf_8(path), "is not a text in UTF-8") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise EventLogFault(path, line, f"the gzip file is broken from here on: {error}") from None
        except OSError as error:
            raise EventLogFault(path, line, error.strerror or str(error)) from None
        yield line, row


def _places(path: Path, layout: LogLayout, header: Sequence[str]) -> Mapping[Told, int]:
    """Where each column stands; what the layout does not name is ignored."""
    names = [name.strip() for name in header]
    places = {}
    for told, name in layout.columns.items():
        if name not in names:
            raise EventLogFault(path, 1, f"there is no such column{suggestion(name, names)}", column=name)
        if names.count(name) > 1:
            raise EventLogFault(path, 1, "the column is there more than once", column=name)
        places[told] = names.index(name)
    return places


@dataclass(slots=True)
class _RowReader:
    """Turns rows into entries; keeps the instant of the row before, which no row may precede."""

    path: Path
    layout: LogLayout
    places: Mapping[Told, int]
    width: int
    last_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    def entry(self, line: int, row: Sequence[str]) -> LogEntry:
        if len(row) != self.width:
            raise EventLogFault(
                self.path, line, f"has {len(row)} cells where the first line has {self.width}"
            )
        layout = self.layout
        cells = {told: self._cell(row[place]) for told, place in self.places.items()}
        if not cells[Told.TICKET]:
            raise self._fault(line, Told.TICKET, "names no ticket")
        at = self._time(line, Told.AT, cells[Told.AT])
        if at < self.last_at:
            told = f"{cells[Told.AT]} is earlier than the row before; a log must be in the order of time"
            raise self._fault(line, Told.AT, told)
        self.last_at = at
        # A word that stands for an empty cell may still be given a meaning as a state.
        word = row[self.places[Told.STATE]].strip()
        state = layout.states.get(word)
        if state is None:
            raise self._unknown(line, Told.STATE, "status", word, layout.states)
        opened = cells.get(Told.OPENED_AT)
        return LogEntry(
            ticket=cells[Told.TICKET],
            at=at,
            state=state,
            priority=self._priority(line, cells.get(Told.PRIORITY, "")),
            tier=self._tier(line, cells.get(Told.TIER, "")),
            opened_at=self._time(line, Told.OPENED_AT, opened) if opened else None,
            assignee=cells.get(Told.ASSIGNEE),
            team=cells.get(Told.TEAM),
            reopened=self._count(line, cells.get(Told.REOPENED, "")),
            is_phone=cells.get(Told.CHANNEL) in layout.phone,
        )

    def _cell(self, text: str) -> str:
        text = text.strip()
        return "" if text in self.layout.missing else text

    def _time(self, line: int, told: Told, text: str) -> datetime:
        """The instant a cell names: with its own offset, else as a wall time of the layout's zone."""
        pattern, zone = self.layout.pattern, self.layout.zone
        try:
            read = datetime.fromisoformat(text) if pattern is None else datetime.strptime(text, pattern)  # noqa: DTZ007
            if read.tzinfo is not None:
                return read.astimezone(UTC)
            if zone.key == "UTC":
                return read.replace(tzinfo=UTC)
            first, last = resolve_local(read, zone)
        except (ValueError, OverflowError):
            form = "2026-03-29T14:05" if pattern is None else pattern
            raise self._fault(line, told, f"{_shown(text)} is no time written like {form}") from None
        # In the hour that clocks show twice, the second time is meant when the first would run backwards.
        return last if told is Told.AT and first < self.last_at else first

    def _priority(self, line: int, word: str) -> int:
        if word:
            priority = self.layout.priorities.get(word)
            if priority is None:
                raise self._unknown(line, Told.PRIORITY, "priority", word, self.layout.priorities)
            return priority
        if self.layout.priority is None:
            raise self._fault(line, Told.PRIORITY, "names no priority, and the policy has none for such rows")
        return self.layout.priority

    def _tier(self, line: int, word: str) -> str:
        if not word:
            return self.layout.tier
        if word not in self.layout.tiers:
            raise self._unknown(line, Told.TIER, "tier", word, self.layout.tiers)
        return word

    def _count(self, line: int, text: str) -> int:
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise self._fault(line, Told.REOPENED, f"{_shown(text)} is no count")
        return int(text or 0)

    def _unknown(self, line: int, told: Told, what: str, word: str, known: Iterable[str]) -> EventLogFault:
        return self._fault(line, told, f"unknown {what} {_shown(word)}{suggestion(word, known)}")

    def _fault(self, line: int, told: Told, reason: str) -> EventLogFault:
        return EventLogFault(self.path, line, reason, column=self.layout.columns[told])


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…")
