"""Bring the data folder's database to the PostgreSQL that comes along; the old one is kept."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from flowdesk.config.commands._django import tell
from flowdesk.core.embedded.errors import DatabaseUnavailable
from flowdesk.core.embedded.external import urls_from
from flowdesk.core.embedded.upgrade import upgrade
from flowdesk.core.supervisor.connection import data_folder


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from-binaries",
        type=Path,
        metavar="DIR",
        help="where the old version's programs are (default: looked for in the wheel and in Debian's folders)",
    )


def run(args: Namespace) -> int:
    if urls_from(os.environ) is not None:
        raise DatabaseUnavailable("DATABASE_URL names a server that others run; they upgrade it.")
    done = upgrade(data_folder(os.environ), from_binaries=args.from_binaries, say=tell)
    kept = str(done.kept) if done.kept else None
    if args.json:
        print(json.dumps({"before": done.before, "after": done.after, "kept": kept, "rows": dict(done.rows)}))
    elif kept is None:
        print(f"The database is of PostgreSQL {done.after} already.")
    else:
        rows = sum(done.rows.values())
        print(f"Upgraded from PostgreSQL {done.before} to {done.after}: {rows} rows, all counted.")
        print(f"The old folder is kept as {kept}; remove it when you are content.")
    return 0
