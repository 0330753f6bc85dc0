"""A data folder of an older PostgreSQL becomes one of the programs here: dumped, restored beside, swapped.

Whatever interrupts it leaves a folder that starts: the old one until the swap, the new one from then on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowdesk.core.embedded.as_user import database_user, reachable_binaries
from flowdesk.core.embedded.backup import OUR_ROLES, fill
from flowdesk.core.embedded.binaries import binaries_of, embedded_binaries
from flowdesk.core.embedded.cluster import Cluster, Say
from flowdesk.core.embedded.database import UNFINISHED_UPGRADE, VERIFIED, cluster_in, finish_upgrade, prepare
from flowdesk.core.embedded.dump import dump
from flowdesk.core.embedded.errors import FolderUnusable
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.roles import keep_passwords, passwords_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did."""

    before: int  # majors of PostgreSQL
    after: int
    kept: Path | None  # the old server's folder; None when there was nothing to do
    rows: Mapping[str, int]


def upgrade(folder: Path, *, from_binaries: Path | None, say: Say) -> Upgraded:
    """Bring the server of `folder` to the major version of the programs here.

    Raises FolderInUse while a desk runs, BinariesMissing without the old programs, CopyDiffers when the counts of
    rows disagree; the old folder is then as it was.
    """
    with FolderLock(folder):
        finish_upgrade(folder)
        before, after = _major_of(folder), embedded_binaries().major
        if before == after:
            return Upgraded(before=before, after=after, kept=None, rows={})
        if before > after:
            raise FolderUnusable(
                f"{folder} is of PostgreSQL {before}, newer than the programs here ({after})."
            )
        if (kept := folder / f"postgres.old-{before}").exists():
            raise FolderUnusable(f"{kept} of an earlier upgrade is still there; move it away first.")
        user = database_user()
        old = Cluster(
            folder=folder,
            binaries=reachable_binaries(binaries_of(before, named=from_binaries), user=user),
            user=user,
            password=keep_passwords(folder).superuser,
            say=say,
        )
        draft = folder / UNFINISHED_UPGRADE
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        draft.chmod(folder.stat().st_mode & 0o777)
        shutil.copy2(passwords_in(folder), passwords_in(draft))  # the roles keep theirs
        new = cluster_in(draft, say=say)
        try:
            say(f"Copying the database from PostgreSQL {before} to {after}.")
            old.start()
            with (draft / "database.dump").open("wb") as stream:
                held = dump(prepare(old).owner, binaries=new.binaries, to=stream, say=say)
            old.stop()
            fill(new, draft / "database.dump", held=held, roles=OUR_ROLES, say=say)
        finally:
            new.stop()
            old.stop()
        (draft / VERIFIED).touch()
        finish_upgrade(folder)
        return Upgraded(before=before, after=after, kept=kept, rows=held.rows)


def _major_of(folder: Path) -> int:
    try:
        return int((folder / "postgres" / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise FolderUnusable(f"There is no database in {folder} to upgrade.") from error
