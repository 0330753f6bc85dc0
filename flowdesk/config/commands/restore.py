"""Bring a desk back from a backup, into an empty data folder or an empty external database."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from flowdesk.config.commands._django import tell
from flowdesk.config.commands.run import FOUNDED
from flowdesk.core.embedded.archive import read_manifest
from flowdesk.core.embedded.backup import restore_embedded, restore_external
from flowdesk.core.embedded.errors import DatabaseUnavailable
from flowdesk.core.supervisor.connection import Roles, data_folder, external_dsns

EPILOG = """Every part is proven by its checksum before anything is touched, every table by its rows and walls
afterwards. A restore never replaces a desk. The next start brings an older backup's tables up to date, and what fell
due meanwhile is told once, with how late it is."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", type=Path, help="what `flowdesk backup` wrote")
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="an empty data folder (default: FLOWDESK_DATA)"
    )


def run(args: Namespace) -> int:
    path: Path = args.file.expanduser().absolute()
    environment = dict(os.environ)
    if args.into is not None:
        if environment.get("DATABASE_URL"):
            raise DatabaseUnavailable("--into names a data folder, DATABASE_URL a database; choose one.")
        environment["FLOWDESK_DATA"] = str(args.into.expanduser().absolute())
    roles = Roles.SINGLE if read_manifest(path).is_single_role else Roles.THREE
    folder = data_folder(environment)
    external = None
    if environment.get("DATABASE_URL"):
        external = external_dsns(environment, folder=folder, roles=roles)
    if external is None:
        manifest = restore_embedded(path, folder, notes={FOUNDED: ""}, say=tell)
    else:
        key = environment.get("FLOWDESK_SECRET_KEY")
        manifest = restore_external(path, external, folder=folder, secret_key=key, say=tell)
    rows = sum(manifest.contents.rows.values())
    if args.json:
        print(json.dumps({"folder": str(folder), "made_at": manifest.made_at, "rows": rows}))
    else:
        print(f"Restored into {folder}: {rows} rows, as of {manifest.made_at}. Start it with")
        print(f"  FLOWDESK_DATA={folder} flowdesk run")
    return 0
