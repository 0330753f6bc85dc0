"""Save the whole desk in one file while it is in use, or prove that such a file can be restored."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from flowdesk.config.commands._django import tell
from flowdesk.core.embedded.archive import Manifest
from flowdesk.core.embedded.backup import back_up, verify
from flowdesk.core.embedded.roles import Dsns
from flowdesk.core.supervisor.connection import Roles, command_environment
from flowdesk.core.time import now

EPILOG = """The file holds the database as of one instant (attachments are rows of it), the signing key and the first
login: keep it as you keep a password. Mails kept in the data folder's outbox are not in it. Between two backups nothing
is kept: for any point in time in between, run an external PostgreSQL with archived WAL (pgBackRest, Barman) and back
the secret-key file up beside it."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("file", type=Path, help="a new file, or with --verify an old one")
    parser.add_argument(
        "--verify", action="store_true", help="restore FILE into a server that is thrown away, and compare"
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    path: Path = args.file.expanduser().absolute()
    if args.verify:
        manifest = verify(path, say=tell)
        return _answer(args, path, manifest, done="can be restored", verified=True)
    roles = Roles.SINGLE if args.single_role else Roles.THREE
    with command_environment(os.environ, say=tell, roles=roles) as environment:
        manifest = back_up(
            Dsns.of(environment),
            path,
            folder=Path(environment["FLOWDESK_DATA"]),
            secret_key=environment["FLOWDESK_SECRET_KEY"],
            made_at=now(),
            say=tell,
        )
    return _answer(args, path, manifest, done="is written", verified=False)


def _answer(args: Namespace, path: Path, manifest: Manifest, *, done: str, verified: bool) -> int:
    rows, size = sum(manifest.contents.rows.values()), path.stat().st_size
    if args.json:
        told = {"file": str(path), "bytes": size, "made_at": manifest.made_at, "verified": verified}
        print(json.dumps({**told, "server": manifest.server, "rows": dict(manifest.contents.rows)}))
    else:
        print(
            f"{path} {done}: {len(manifest.contents.rows)} tables, {rows} rows, {size / 1e6:.1f} MB, "
            f"as of {manifest.made_at}."
        )
    return 0
