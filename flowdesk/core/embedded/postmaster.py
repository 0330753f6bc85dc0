"""Who runs on a PostgreSQL data folder, told from its `postmaster.pid` and from the processes themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """What a `postmaster.pid` says; its process may be long gone, or by now be somebody else."""

    pid: int
    sockets: Path | None  # written a moment after the process id


def read_postmaster(data: Path) -> Postmaster | None:
    """The server that last started on `data`; None without a (readable) note of it."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    sockets = Path(lines[4]) if len(lines) > 4 and lines[4] else None  # line 5 by PostgreSQL's own layout
    return Postmaster(pid=pid, sockets=sockets) if pid > 0 else None


def is_postmaster_of(pid: int, *, data: Path) -> bool:
    """Whether `pid` is a live server on `data`, and not another program that was given its number."""
    if sys.platform != "linux":
        return _command_names(pid, data=data)
    # A server's working folder is its data folder: nothing else in the world is both that and postgres.
    return _works_in(pid, data=data) and not _is_zombie(pid)


def leftovers(data: Path) -> list[int]:
    """Processes that still work in `data`: backends that have yet to notice that their server is gone."""
    if sys.platform != "linux":
        return []  # PostgreSQL's own shared-memory check stands guard there
    candidates = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())
    return [pid for pid in candidates if _works_in(pid, data=data) and not _is_zombie(pid)]


def _works_in(pid: int, *, data: Path) -> bool:
    try:
        working_folder = os.readlink(PROC / str(pid) / "cwd")
        # The command line, not `exe`: a user may not read the latter of a process that changed its user.
        program = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0", 1)[0]
    except OSError:
        return False
    return working_folder == str(data.resolve()) and program.rsplit(b"/", 1)[-1].startswith(b"postgres")


def _is_zombie(pid: int) -> bool:
    try:
        status = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def _command_names(pid: int, *, data: Path) -> bool:
    ps = shutil.which("ps")
    if ps is None:
        return False
    told = subprocess.run(  # noqa: S603 - fixed words and a number
        [ps, "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "postgres" in told.stdout and str(data) in told.stdout
