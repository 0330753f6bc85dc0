"""Bring tickets of another desk in: a file of JSON lines or CSV, resumable, nobody is told.

A run that was cut off is carried on by the same command. Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowdesk.config.commands._django import django, tell
from flowdesk.config.commands._progress import ProgressLine

if TYPE_CHECKING:
    from flowdesk.intake.models import ImportRun

BAD_INPUT, SOME_REFUSED = 2, 3
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="tickets: .jsonl or .csv, plain or .gz")
    parser.add_argument(
        "--tenant", default="global", metavar="SLUG", help="whose they become (default: global)"
    )
    parser.add_argument("--format", choices=("jsonl", "csv"), help="when the file's name does not tell it")
    parser.add_argument("--dry-run", action="store_true", help="tell what would happen and change nothing")
    parser.add_argument(
        "--ignore-unknown", action="store_true", help="pass over columns that are none of ours"
    )
    parser.add_argument("--resume", metavar="RUN", help="carry this very run on, e.g. one that was cancelled")
    parser.add_argument(
        "--again", action="store_true", help="a new run, though this file was imported before"
    )
    parser.add_argument(
        "--refused", type=Path, metavar="OUT", help="write the refused rows here, with reasons"
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    form = args.format or _format_of(args.file)
    if form is None:
        tell(f"flowdesk: {args.file}: the name tells no format; add --format jsonl or --format csv")
        return BAD_INPUT
    try:
        with args.file.open("rb") as file:
            digest = file_digest(file, "sha256").digest()
    except OSError as error:
        tell(f"flowdesk: {args.file}: {error.strerror or error}")
        return BAD_INPUT
    if args.refused and args.refused.exists() and args.refused.samefile(args.file):
        tell(f"flowdesk: {args.refused}: is the file to import; the refused rows would be written over it")
        return BAD_INPUT
    with django(args):
        from flowdesk.core.errors import DomainError

        try:
            return _import(args, form, digest)
        except DomainError as fault:
            tell(f"flowdesk: {fault.message}")
            return BAD_INPUT


def _format_of(file: Path) -> str | None:
    name = file.with_suffix("") if file.suffix == ".gz" else file
    return SUFFIXES.get(name.suffix.lower())


def _import(args: Namespace, form: str, digest: bytes) -> int:
    from flowdesk.accounts.models import Tenant
    from flowdesk.core.actor import system
    from flowdesk.core.errors import NotFound
    from flowdesk.core.ids import parsed
    from flowdesk.core.tenant import reading
    from flowdesk.core.time import now
    from flowdesk.flows.import_tickets import import_tickets
    from flowdesk.intake.bulk import runs
    from flowdesk.intake.bulk.states import FileFormat, RunState

    tenant = Tenant.objects.filter(slug=args.tenant).first()
    if tenant is None:
        raise NotFound(f"there is no tenant {args.tenant!r}")
    by = system(tenant.id, name="import")
    if args.resume:
        with reading(tenant.id):
            found = runs.run_by(parsed(runs.PREFIX, args.resume))
        if bytes(found.digest) != digest:
            raise runs.OtherFile
    else:
        order = runs.Order(
            name=args.file.name, format=FileFormat(form), is_dry=args.dry_run,
            ignores_unknown=args.ignore_unknown, is_again=args.again,
        )  # fmt: skip
        size = args.file.stat().st_size
        found = runs.begin_local_run(order, digest=digest, size=size, by=by, now=now())
    if found.state == RunState.DONE:
        tell("This file was imported before; --again imports it once more.")
    else:
        progress = ProgressLine(sys.stderr)
        with args.file.open("rb", buffering=0) as source:
            found = import_tickets(
                found, source, by=by, clock=now, tell=lambda run: progress.say(_so_far(run))
            )
        progress.end()
    if args.refused:
        with args.refused.open("wb") as report:
            report.writelines(runs.refused_report(found))
    _show(found, args)
    if found.state != RunState.DONE:
        return BAD_INPUT
    return SOME_REFUSED if found.refused else 0


def _so_far(run: ImportRun) -> str:
    share = run.bytes_read / run.size
    return f"{run.rows:,} rows, {share:.0%} of the file, {run.refused:,} refused"


def _show(run: ImportRun, args: Namespace) -> None:
    from flowdesk.core.ids import shown
    from flowdesk.core.tenant import reading
    from flowdesk.intake.bulk.runs import PREFIX, first_refusals

    told: dict[str, Any] = {
        "run": shown(PREFIX, run.public_id), "tenant": args.tenant, "state": run.state, "dry_run": run.is_dry,
        "rows": run.rows, "imported": run.imported, "skipped": run.skipped, "refused": run.refused,
        "fault": run.fault,
    }  # fmt: skip
    if args.json:
        print(json.dumps(told))
        return
    verb = "would be imported" if run.is_dry else "imported"
    print(f"{run.imported:,} {verb}, {run.skipped:,} known already, {run.refused:,} refused  ({told['run']})")
    if run.fault:
        tell(f"flowdesk: {run.fault}")
    with reading(run.tenant_id):
        for refusal in first_refusals(run):
            why = "; ".join(f"{fault.field}: {fault.reason}" for fault in refusal.faults)
            tell(f"  line {refusal.line}: {why}")
