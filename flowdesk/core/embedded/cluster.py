"""A PostgreSQL server in a folder: make it, start it, adopt it, stop it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from flowdesk.core.embedded.as_user import DatabaseUser, identity, plain_environment, run_as
from flowdesk.core.embedded.binaries import Binaries
from flowdesk.core.embedded.errors import (
    FolderUnusable,
    OtherMajor,
    StartCalledOff,
    StartFailed,
)
from flowdesk.core.embedded.postmaster import Postmaster, is_postmaster_of, leftovers, read_postmaster

SUPERUSER = "postgres"
PORT = "5432"  # names the socket only: the server listens on no network address
SOCKET_FOLDER_PREFIX = "fd-"
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path must fit in 107 bytes (103 on macOS)
BUILTIN_LOCALES_SINCE = 17
# What a server is told to stop by, and the seconds it gets to do so: fast, at once, and not by its own will.
HARDER_AND_HARDER = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
ATTEMPT = 5  # seconds for one try to connect; there is always another
NEWS_AFTER = 5.0  # seconds of waiting after which somebody should hear that it goes on

FULL = 20_000_000  # bytes: less than the one journal segment and the odds and ends that a start writes

Say = Callable[[str], None]

DURABLE: Mapping[str, str] = {
    # Said although they are the defaults: an acknowledged row survives kill -9 by these three.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # pages are many short queries; compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_logical_replication_workers": "0",  # nothing here subscribes to another server
    "log_line_prefix": "%m [%p] %u ",
    # What fails in a statement is told by whoever asked, without its values; the server's own words have them in.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "password_encryption": "scram-sha-256",
}
THROWAWAY: Mapping[str, str] = {
    **DURABLE,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "4GB",
}


def _silent(_: str) -> None:
    """Say nothing."""


def _never() -> bool:
    return False


@dataclass(kw_only=True)
class Cluster:
    """One server. `folder` is ours (the caller holds its FolderLock), `postgres/` in it the server's."""

    folder: Path
    binaries: Binaries
    user: DatabaseUser | None
    password: str  # the superuser's
    settings: Mapping[str, str] = field(default_factory=lambda: DURABLE)
    say: Say = _silent
    gives_up: Callable[[], bool] = _never  # asked while waiting for the server: has somebody pressed Ctrl-C?
    _process: subprocess.Popen[bytes] | None = None
    _pid: int | None = None
    _sockets: Path | None = None

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / "postgres.log"

    @property
    def pid(self) -> int | None:
        return self._pid

    @property
    def sockets(self) -> Path | None:
        return self._sockets

    @property
    def superuser_conninfo(self) -> str:
        return socket_conninfo(self._sockets, user=SUPERUSER, password=self.password, database="postgres")

    def start(self) -> None:
        """Bring the server up, or adopt the one that still runs here; returns once it answers."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        found = read_postmaster(self.data)
        if found is not None and is_postmaster_of(found.pid, data=self.data) and self._adopt(found):
            return
        self._clear_remains(found)
        self._launch()
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End the server fast: sessions are cut, nothing committed is lost, the next start is a plain one."""
        if self._pid is None:
            return
        for number, patience in HARDER_AND_HARDER:
            self._signal(number)
            if self._ended_within(patience):
                break
            self.say(f"PostgreSQL has not stopped after {patience:.0f} s; asking harder.")
        self._remove_sockets()
        self._pid = self._process = None

    def is_running(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._pid is not None and is_postmaster_of(self._pid, data=self.data)

    def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        if self._process is not None:
            self._process.wait()
            return
        while self.is_running():  # an adopted server is not our child: nobody tells us when it ends
            time.sleep(0.5)

    # -- making ---------------------------------------------------------------------------------------

    def _initialise(self) -> None:
        """Make the server's folder, whole or not at all: drafted beside its place, then renamed."""
        if self.data.exists() and any(self.data.iterdir()):
            raise FolderUnusable(f"{self.data} is not empty and holds no PostgreSQL database; move it away.")
        self.say("Making a new database folder.")
        draft = self.folder / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = self._password_file()
        try:
            if self.user is not None:
                os.chown(draft, self.user.uid, self.user.gid)
            command = [self.binaries.program("initdb"), "--pgdata", str(draft), *self._locale_options()]
            command += ["--username", SUPERUSER, "--pwfile", str(secret), "--auth", "scram-sha-256"]
            command += ["--encoding", "UTF8", "--no-instructions"]
            if self.settings.get("fsync") == "off":
                command.append("--no-sync")
            code, output = run_as(self.user, command, env=plain_environment())
        finally:
            secret.unlink()
            secret.parent.rmdir()
        if code != 0:
            raise StartFailed(f"The database folder {self.data} could not be made:\n{output.strip()[-2000:]}")
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _locale_options(self) -> list[str]:
        # The builtin provider sorts the same on every machine and never changes under an index.
        if self.binaries.major >= BUILTIN_LOCALES_SINCE:
            return ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        return ["--locale", "C.UTF-8"]

    def _password_file(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="fd-"))
        path = folder / "password"
        path.touch(mode=0o600)
        path.write_text(self.password + "\n")
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)
            os.chown(folder, self.user.uid, self.user.gid)
        return path

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.binaries.major):
            raise OtherMajor(
                f"{self.data} was made by PostgreSQL {made_by}, the programs here are {self.binaries.major}. "
                + (
                    "Bring it over with `flowdesk upgrade`; the old folder is kept."
                    if made_by.isdecimal() and int(made_by) < self.binaries.major
                    else "An older server cannot read it: run the newer Flowdesk that wrote it, or restore a backup."
                )
            )
        owner = self.data.stat().st_uid
        if owner != (os.geteuid() if self.user is None else self.user.uid):
            raise FolderUnusable(
                f"{self.data} belongs to another user (id {owner}); start Flowdesk as that user, "
                "or choose another folder with FLOWDESK_DATA."
            )

    # -- starting -------------------------------------------------------------------------------------

    def _adopt(self, found: Postmaster) -> bool:
        """Take over a server that outlived its supervisor; False if it ended while we looked."""
        if found.sockets is None:
            return False
        self._pid, self._sockets = found.pid, found.sockets
        self.say(f"Adopting the database server that still runs here (process {found.pid}).")
        try:
            self._wait_until_it_answers()
        except StartCalledOff:
            raise
        except StartFailed:
            self._pid = self._sockets = None
            return False
        return True

    def _clear_remains(self, found: Postmaster | None) -> None:
        """Remove what a killed server left behind, once none of its processes can still write."""
        deadline = time.monotonic() + 30.0
        while leftovers(self.data):
            # Backends see within a moment that their postmaster is gone and end by themselves.
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"Processes of an earlier server still use {self.data}: {leftovers(self.data)}."
                )
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if found is None or found.sockets is None or found.sockets == self._sockets:
            return
        if found.sockets.name.startswith(SOCKET_FOLDER_PREFIX):
            shutil.rmtree(found.sockets, ignore_errors=True)

    def _launch(self) -> None:
        # A server that crashed comes back at the same address: its clients know no other.
        self._sockets = self._kept_sockets() or self._make_sockets()
        options = {
            **self.settings,
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
        }
        command = [self.binaries.program("postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal must not reach it before its clients are gone.
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                command,
                cwd="/",
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **identity(self.user),
            )
        self._pid = self._process.pid

    def _kept_sockets(self) -> Path | None:
        if self._sockets is None or not self._sockets.is_dir():
            return None
        for remains in self._sockets.glob(".s.PGSQL.*"):
            remains.unlink()
        return self._sockets

    def _make_sockets(self) -> Path:
        base = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 - mkdtemp makes it 0700 and new
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER_PREFIX, dir=base))
        if len(str(folder)) > LONGEST_SOCKET_FOLDER:
            folder.rmdir()
            raise StartFailed(f"The temporary folder {folder.parent} has too long a name for a socket.")
        if self.user is not None:
            os.chown(folder, self.user.uid, self.user.gid)
        return folder

    def _wait_until_it_answers(self) -> None:
        """Wait as long as the server lives: recovery after a crash may take minutes and must not be cut."""
        started = time.monotonic()
        told = False
        while True:
            try:
                psycopg.connect(self.superuser_conninfo, connect_timeout=ATTEMPT, autocommit=True).close()
            except psycopg.OperationalError as error:
                if _is_about_the_password(error):
                    raise FolderUnusable(
                        f"The database in {self.data} does not accept the password kept beside it "
                        f"({self.folder / 'database-passwords.json'}); was that file replaced?"
                    ) from error
            else:
                return
            if not self.is_running():
                self._remove_sockets()
                self._pid = self._process = None
                raise StartFailed(self._why_not())
            if self.gives_up():
                raise StartCalledOff
            if not told and time.monotonic() - started > NEWS_AFTER:
                self.say("PostgreSQL is still starting (it may be recovering); waiting.")
                told = True
            time.sleep(0.02)

    def _why_not(self) -> str:
        if (free := shutil.disk_usage(self.folder).free) < FULL:
            return (
                f"PostgreSQL does not start: the disk of {self.folder} is full ({free / 1e6:.1f} MB free). Make room; "
                "nothing that was accepted is lost."
            )
        return f"PostgreSQL did not start. The end of {self.log}:\n{self._log_end()}"

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-1500:].strip() if self.log.exists() else "(no log)"

    # -- stopping -------------------------------------------------------------------------------------

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None and self.is_running():
            try:
                os.kill(self._pid, number)
            except ProcessLookupError:
                return

    def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _remove_sockets(self) -> None:
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None


def socket_conninfo(sockets: Path | None, *, user: str, password: str, database: str) -> str:
    """How to reach `database` through the socket in `sockets` (None: the server has not been started)."""
    if sockets is None:
        raise StartFailed("The database server has not been started.")
    return make_conninfo(host=str(sockets), port=PORT, user=user, password=password, dbname=database)


def _is_about_the_password(error: psycopg.OperationalError) -> bool:
    return "password authentication failed" in str(error)
