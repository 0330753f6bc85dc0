"""Runs of imports: begun, carried on, called off and ended; each start and end has its line in the audit log."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import IO, Any
from uuid import UUID

from django.db import connection

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError, Fault, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import act, reading
from flowdesk.intake.bulk.files import KEPT, REASON, csv_cell, delimiter_of
from flowdesk.intake.bulk.states import FileFormat, RunState
from flowdesk.intake.models import ImportPart, ImportRun, RefusedRow

PREFIX = "imp"
PART = 1024 * 1024  # bytes of a stored file in one row
MOST_REFUSED = 100_000  # rows; a file with more is of another kind
LONGEST_FAULT = 500
REPORT_ROWS = 50  # read at once for a report


class RunEnded(DomainError):
    """This import has ended."""

    code = "import_ended"


class Overtaken(DomainError):
    """Another process carries this import on."""

    code = "import_overtaken"


class OtherFile(DomainError):
    """This is not the file that the import was begun with."""

    code = "other_file"


class TooLarge(DomainError):
    """The file is larger than an import may be."""

    status = 413
    code = "file_too_large"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of some rows."""

    rows: int
    imported: int
    skipped: int
    refused: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be used: its line in the file, and all that is wrong with it."""

    line: int
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class RefusedRecord(Refusal):
    """A refusal with the row as it came."""

    row: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants imported, and how."""

    name: str
    format: FileFormat
    is_dry: bool = False
    ignores_unknown: bool = False
    is_again: bool = False  # a new run, though the same file was imported before


def begin_run(order: Order, *, digest: bytes, size: int, by: Actor, now: datetime) -> ImportRun:
    """The run for a file, inside an act.

    The same file once: unless told otherwise, its last run answers for it, and one that failed or was called off is
    to be carried on. A dry run that has ended is done anew, for what it told may hold no longer.
    """
    _lock_file(digest, tenant=by.tenant)
    if not order.is_again:
        same = ImportRun.objects.filter(
            digest=digest,
            is_dry=order.is_dry,
            format=order.format.value,
            ignores_unknown=order.ignores_unknown,
        )
        known = same.order_by("-id").select_for_update().first()
        if known is not None and (known.is_open or not known.is_dry):
            _reopen(known)
            return known
    run = ImportRun.objects.create(
        tenant_id=by.tenant,
        public_id=new_id(now),
        name=order.name[:200],
        digest=digest,
        size=size,
        format=order.format.value,
        is_dry=order.is_dry,
        ignores_unknown=order.ignores_unknown,
        state=RunState.QUEUED.value,
        actor_kind=by.kind.value,
        actor_id=by.id,
        created_at=now,
    )
    record_act(
        AuditAct.IMPORT_BEGUN, thing="import", thing_id=run.id, by=by, at=now,
        after={"size": size, "dry_run": run.is_dry},
    )  # fmt: skip
    return run


def _lock_file(digest: bytes, *, tenant: int) -> None:
    """Let who sends the same file at the same moment wait until this act has ended: then its run can be found."""
    name = sha256(f"import {tenant} ".encode() + digest).digest()
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s::bigint)", [int.from_bytes(name[:8], signed=True)])


def _reopen(run: ImportRun) -> None:
    """Set a run that did not come to its end to go on; its file must be sent again, or read where it lies."""
    if run.state in (RunState.FAILED, RunState.CANCELLED):
        run.state, run.fault, run.ended_at = RunState.QUEUED.value, "", None
        run.save(update_fields=["state", "fault", "ended_at"])


@act
def begin_local_run(order: Order, *, digest: bytes, size: int, by: Actor, now: datetime) -> ImportRun:
    """A run for a file that is read where it lies."""
    by.must(Act.IMPORT)
    return begin_run(order, digest=digest, size=size, by=by, now=now)


def store_file(run: ImportRun, file: IO[bytes]) -> None:
    """Keep the file of a run until it has ended, inside an act."""
    for number, data in enumerate(iter(lambda: file.read(PART), b"")):
        ImportPart.objects.create(tenant_id=run.tenant_id, run=run, number=number, data=data)
    run.is_stored = True
    run.save(update_fields=["is_stored"])


class StoredFile(io.RawIOBase):
    """The file of a run as it was sent to us, read a part at a time, each in a transaction of its own.

    Reading raises RunEnded when the run has ended meanwhile, and its file is gone.
    """

    def __init__(self, run: ImportRun) -> None:
        self._run, self._next, self._rest, self._told = run, 0, b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._part()
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        self._told += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._told

    def _part(self) -> bytes:
        if self._told >= self._run.size:
            return b""
        with reading(self._run.tenant_id):
            row = ImportPart.objects.filter(run=self._run, number=self._next).first()
        if row is None:
            raise RunEnded
        self._next += 1
        return bytes(row.data)


@act
def take_up(public_id: UUID, *, reopens: bool, by: Actor, now: datetime) -> ImportRun:
    """Begin a run or carry it on; with `reopens` also one that failed or was called off. Raises RunEnded."""
    by.must(Act.IMPORT)
    run = run_by(public_id, is_locked=True)
    if run.state == RunState.DONE or not (run.is_open or reopens):
        raise RunEnded
    run.state, run.fault, run.ended_at = RunState.RUNNING.value, "", None
    run.resumed_at, run.resumed_from = now, run.bytes_read
    run.save(update_fields=["state", "fault", "ended_at", "resumed_at", "resumed_from"])
    return run


def hold(run: ImportRun) -> ImportRun:
    """The run, locked, as it stands; inside an act. Raises Overtaken when it has come further than this reader."""
    held = run_by(run.public_id, is_locked=True)
    if held.rows != run.rows:
        raise Overtaken
    return held


def note_progress(
    run: ImportRun, counts: Counts, refusals: Sequence[RefusedRecord], *, header: str, bytes_read: int
) -> ImportRun:
    """Move a held run on, in the transaction that writes its tickets."""
    RefusedRow.objects.bulk_create(
        RefusedRow(
            tenant_id=run.tenant_id,
            run=run,
            line=refusal.line,
            faults=[[fault.field, fault.reason] for fault in refusal.faults],
            row=refusal.row[:KEPT],
        )
        for refusal in refusals
    )
    run.rows += counts.rows
    run.imported += counts.imported
    run.skipped += counts.skipped
    run.refused += counts.refused
    run.header, run.bytes_read = header, min(bytes_read, run.size)
    run.save(update_fields=["rows", "imported", "skipped", "refused", "header", "bytes_read"])
    return run


@act
def end_run(public_id: UUID, *, by: Actor, now: datetime, fault: str = "") -> ImportRun:
    """Close a run: with a fault it has failed. One that was called off meanwhile stays so."""
    by.must(Act.IMPORT)
    run = run_by(public_id, is_locked=True)
    if run.is_open:
        _end(run, RunState.FAILED if fault else RunState.DONE, by=by, now=now, fault=fault)
    return run


@act
def cancel_run(run_id: str, *, by: Actor, now: datetime) -> ImportRun:
    """Call a run off: what is in stays in. Raises NotFound, RunEnded."""
    by.must(Act.IMPORT)
    run = run_by(parsed(PREFIX, run_id), is_locked=True)
    if not run.is_open:
        raise RunEnded
    _end(run, RunState.CANCELLED, by=by, now=now)
    return run


def _end(run: ImportRun, state: RunState, *, by: Actor, now: datetime, fault: str = "") -> None:
    run.state, run.ended_at, run.fault = state.value, now, fault[:LONGEST_FAULT]
    if state is RunState.DONE:
        run.bytes_read = run.size
    run.is_stored = False
    run.save(update_fields=["state", "ended_at", "fault", "bytes_read", "is_stored"])
    ImportPart.objects.filter(run=run).delete()
    after = {
        "state": run.state,
        "imported": run.imported,
        "skipped": run.skipped,
        "refused": run.refused,
    }
    record_act(AuditAct.IMPORT_ENDED, thing="import", thing_id=run.id, by=by, at=now, after=after)


def run_by(public_id: UUID, *, is_locked: bool = False) -> ImportRun:
    """A run of the open tenant; raises NotFound."""
    rows = ImportRun.objects.select_for_update() if is_locked else ImportRun.objects
    run = rows.filter(public_id=public_id).first()
    if run is None:
        raise NotFound
    return run


def runs_before(last: int, *, limit: int) -> list[ImportRun]:
    """Runs of the open tenant, newest first; `last` is the row id to go on from, 0 for the first."""
    rows = ImportRun.objects.filter(id__lt=last) if last else ImportRun.objects.all()
    return list(rows.order_by("-id")[:limit])


def rest_of(run: ImportRun, *, now: datetime) -> timedelta | None:
    """How long a running import will still take, by the bytes it has read since it was begun or taken up again."""
    if run.state != RunState.RUNNING or run.resumed_at is None:
        return None
    done = run.bytes_read - run.resumed_from
    if done <= 0:
        return None
    return (now - run.resumed_at) * ((run.size - run.bytes_read) / done)


def first_refusals(run: ImportRun, *, limit: int = 20) -> list[Refusal]:
    """The first rows that were refused; inside an open scope."""
    return [
        Refusal(line, [Fault(field, reason) for field, reason in faults])
        for line, faults in RefusedRow.objects.filter(run=run)
        .order_by("line")
        .values_list("line", "faults")[:limit]
    ]


def refused_report(run: ImportRun) -> Iterator[bytes]:
    """The refused rows as a file of the run's own kind, each with its reasons: it can be corrected and sent again.

    Reads in an open scope of its own for each stretch, so that a long report holds no transaction open.
    """
    is_csv = run.format == FileFormat.CSV
    delimiter = delimiter_of(run.header)
    if is_csv and run.header:
        yield f"{run.header}{delimiter}{REASON}\n".encode("utf-8", "surrogateescape")
    last = 0
    while True:
        with reading(run.tenant_id):
            rows = list(RefusedRow.objects.filter(run=run, line__gt=last).order_by("line")[:REPORT_ROWS])
        for row in rows:
            why = f"line {row.line}: " + "; ".join(f"{field}: {reason}" for field, reason in row.faults)
            raw = bytes(row.row)
            yield _refused_line(raw, delimiter, why) if is_csv else _refused_object(raw, why)
        if len(rows) < REPORT_ROWS:
            return
        last = rows[-1].line


def _refused_line(raw: bytes, delimiter: str, why: str) -> bytes:
    """A refused row of CSV with its reasons; one that was cut is shown as one cell, so that it is closed."""
    if len(raw) == KEPT:
        raw = csv_cell(raw.decode("utf-8", "replace")).encode()
    return raw + f"{delimiter}{csv_cell(why)}\n".encode()


def _refused_object(raw: bytes, why: str) -> bytes:
    """A refused JSON line with its reasons; one that is no object is shown as text."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        found = {"row": raw.decode("utf-8", "replace")}
    return json.dumps({**found, REASON: why}).encode() + b"\n"
