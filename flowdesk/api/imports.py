"""Imports of tickets in bulk: send a file, see how far it is, fetch what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.errors import FieldProblem, LengthRequired, Unreadable
from flowdesk.api.pagination import OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import Filters
from flowdesk.api.shapes import Out
from flowdesk.core.actor import Act
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.flows.import_tickets import send_import
from flowdesk.intake.bulk import runs
from flowdesk.intake.bulk.runs import Order, TooLarge
from flowdesk.intake.bulk.states import FileFormat, RunState
from flowdesk.intake.models import ImportRun

router = Router(tags=["imports"])
KINDS = {
    "application/x-ndjson": FileFormat.JSONL,
    "application/jsonl": FileFormat.JSONL,
    "text/csv": FileFormat.CSV,
}
MEDIA_TYPES = {FileFormat.JSONL: "application/x-ndjson", FileFormat.CSV: "text/csv; charset=utf-8"}
IN_MEMORY = 1024 * 1024  # bytes of a file that are held in memory while it comes in
FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
    }
}


class Refused(Out):
    """A row that could not be used, by its line in the file."""

    line: int
    errors: list[FieldProblem]


class ImportOut(Out):
    """An import. `share` of the file has been read; `seconds_left` is told while it runs; `fault` says why the
    file as a whole could not be used."""

    id: str
    name: str
    format: FileFormat
    state: RunState
    dry_run: bool
    fault: str
    size: int
    share: float
    rows: int
    imported: int
    skipped: int
    refused: int
    created_at: datetime
    ended_at: datetime | None
    seconds_left: float | None


class ImportDetail(ImportOut):
    """An import with the first rows it refused."""

    first_refused: list[Refused]


class ImportOptions(Filters):
    name: Annotated[str, Field(max_length=200, description="Of the file, for people.")] = ""
    dry_run: Annotated[bool, Field(description="Tell what would happen and change nothing.")] = False
    ignore_unknown: Annotated[bool, Field(description="Pass over columns that are none of ours.")] = False
    again: Annotated[bool, Field(description="Import it once more, though this very file was imported.")] = (
        False
    )


@router.post(
    "/imports",
    response={202: ImportDetail},
    auth=needs(Act.IMPORT),
    operation_id="import_tickets",
    summary="Import tickets in bulk",
    openapi_extra=FILE_BODY,
)
def import_tickets(
    request: HttpRequest, response: HttpResponse, options: Query[ImportOptions]
) -> ImportDetail:
    """The body is the file: JSON lines or CSV, plain or gzipped, named by its content type.

    It is stored and imported soon; ask for how far it is. The same file sent again answers with its first import.
    """
    asking = client(request)
    form = KINDS.get((request.content_type or "").lower())
    if form is None:
        raise Unreadable(f"The body must be one of {', '.join(KINDS)}.")
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        digest, size = _received(request, file)
        order = Order(
            name=options.name,
            format=form,
            is_dry=options.dry_run,
            ignores_unknown=options.ignore_unknown,
            is_again=options.again,
        )
        run = send_import(order, file, digest=digest, size=size, by=asking.actor, now=asking.now)
    response["Location"] = f"/api/v1/imports/{shown(runs.PREFIX, run.public_id)}"
    with reading(asking.tenant):
        return _detail(run, now=asking.now)


def _received(request: HttpRequest, file: IO[bytes]) -> tuple[bytes, int]:
    """Take the body in, a piece at a time; returns its digest and size, with the file back at its beginning."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal():
        raise LengthRequired
    limit = settings.IMPORT_LIMIT
    too_large = TooLarge(f"The file is larger than {limit} bytes; send it in parts.")
    if int(length) > limit:
        raise too_large
    digest, size = sha256(), 0
    while piece := request.read(64 * 1024):
        size += len(piece)
        if size > limit:
            raise too_large
        digest.update(piece)
        file.write(piece)
    if size != int(length):
        raise Unreadable("The body ended early; nothing was kept.")
    file.seek(0)
    request.body_digest = digest.digest()  # type: ignore[attr-defined]  # once.fingerprint asks for it
    return digest.digest(), size


@router.get(
    "/imports",
    response=Page[ImportOut],
    auth=needs(Act.IMPORT),
    operation_id="list_imports",
    summary="Imports",
)
def list_imports(request: HttpRequest, filters: Query[OnlyPages]) -> Page[ImportOut]:
    """Newest first."""
    asking = client(request)
    name = f"{asking.tenant}.imports"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = runs.runs_before(after[0] if after else 0, limit=filters.limit + 1)
    page = rows[: filters.limit]
    return Page[ImportOut](
        items=[ImportOut(**_values(run, now=asking.now)) for run in page],
        next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None,
    )


@router.get(
    "/imports/{import_id}",
    response=ImportDetail,
    auth=needs(Act.IMPORT),
    operation_id="read_import",
    summary="How far an import is",
)
def read_import(request: HttpRequest, import_id: str) -> ImportDetail:
    """What became of its rows so far, and the first of them that were refused."""
    asking = client(request)
    with reading(asking.tenant):
        return _detail(runs.run_by(parsed(runs.PREFIX, import_id)), now=asking.now)


@router.get(
    "/imports/{import_id}/refused",
    auth=needs(Act.IMPORT),
    operation_id="read_refused_rows",
    summary="The refused rows",
    response={200: None},
    openapi_extra={"responses": {200: {"description": "A file of the kind that was sent.", "content": {
        kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/csv")
    }}}},
)  # fmt: skip
def read_refused_rows(request: HttpRequest, import_id: str) -> StreamingHttpResponse:
    """A file of the kind that was sent, each row as it came with its reasons in `refused`: made to be sent again."""
    asking = client(request)
    with reading(asking.tenant):
        run = runs.run_by(parsed(runs.PREFIX, import_id))
    form = FileFormat(run.format)
    answer = StreamingHttpResponse(runs.refused_report(run), content_type=MEDIA_TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="refused.{form.value}"'
    return answer


@router.post(
    "/imports/{import_id}/cancel",
    response=ImportDetail,
    auth=needs(Act.IMPORT),
    operation_id="cancel_import",
    summary="Call an import off",
)
def cancel_import(request: HttpRequest, import_id: str) -> ImportDetail:
    """It stops within a moment. Tickets that are in stay in."""
    asking = client(request)
    run = runs.cancel_run(import_id, by=asking.actor, now=asking.now)
    with reading(asking.tenant):
        return _detail(run, now=asking.now)


def _detail(run: ImportRun, *, now: datetime) -> ImportDetail:
    return ImportDetail(**_values(run, now=now), first_refused=list(_first_refused(run)))


def _first_refused(run: ImportRun) -> Iterator[Refused]:
    for refusal in runs.first_refusals(run):
        errors = [FieldProblem(field=fault.field, reason=fault.reason) for fault in refusal.faults]
        yield Refused(line=refusal.line, errors=errors)


_AS_THEY_ARE = (
    "name", "format", "state", "fault", "size", "rows", "imported", "skipped", "refused", "created_at", "ended_at",
)  # fmt: skip


def _values(run: ImportRun, *, now: datetime) -> dict[str, Any]:
    rest = runs.rest_of(run, now=now)
    return {
        **{name: getattr(run, name) for name in _AS_THEY_ARE},
        "id": shown(runs.PREFIX, run.public_id),
        "dry_run": run.is_dry,
        "share": round(run.bytes_read / run.size, 4) if run.size else 0.0,
        "seconds_left": round(rest.total_seconds(), 1) if rest is not None else None,
    }
