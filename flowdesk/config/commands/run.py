"""Run everything on this machine: database, web, worker and demo."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from flowdesk.config.commands._address import add_address
from flowdesk.config.commands._login import known_login, sample_call
from flowdesk.config.commands._migrated import is_migrated, note_migrated
from flowdesk.core.embedded.cluster import Cluster
from flowdesk.core.embedded.database import cluster_in, start_and_prepare
from flowdesk.core.embedded.errors import StartCalledOff
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.roles import Dsns
from flowdesk.core.supervisor.child import ChildSpec
from flowdesk.core.supervisor.connection import (
    Roles,
    child_environment,
    data_folder,
    external_dsns,
    wanted_folder,
)
from flowdesk.core.supervisor.port import check_port
from flowdesk.core.supervisor.tree import ChildFailed, Supervisor

HERE = Path(__file__).parent
FOUNDED = "founded"  # a note in the data folder that its database has its first tenant


def add_arguments(parser: ArgumentParser) -> None:
    add_address(parser)
    parser.add_argument("--no-demo", action="store_true", help="no demo tenant and no life in it")
    parser.add_argument(
        "--single-role",
        action="store_true",
        help="external database with one role: without row level security between tenants",
    )


def run(args: Namespace) -> int:
    voice = Voice(as_json=args.json)
    folder = data_folder(os.environ)
    with FolderLock(folder):
        check_port(args.port, host=args.host)
        if folder != (wanted := wanted_folder(os.environ)):
            voice.say(f"PostgreSQL does not run as root, and its user cannot reach {wanted}.")
            voice.say(f"The data is in {folder} instead.")
        return Desk(args, folder=folder, voice=voice).run()


class Voice:
    """What the operator sees: lines for people, or one JSON object per line for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def say(self, line: str) -> None:
        self.show("flowdesk", line)

    def show(self, name: str, line: str) -> None:
        self._print(json.dumps({"from": name, "line": line}) if self._as_json else f"{name:<8} | {line}")

    @staticmethod
    def _print(text: str) -> None:
        with suppress(OSError):  # the terminal may be gone; the desk goes on
            print(text, flush=True)

    def welcome(self, *, address: str, login: Mapping[str, str], folder: Path, mail: str) -> None:
        if self._as_json:
            told = {"ready": True, "address": address, **login, "mail": mail, "data": str(folder)}
            self._print(json.dumps(told))
            return
        lines = ["", f"  Flowdesk is ready:  {address}"]
        if login:
            lines += [f"  Log in with         {login.get('email')}  /  {login.get('password')}"]
        if "admin" in login:
            lines += [f"                      {login['admin']}  /  the same, administers"]
        lines += [
            "",
            f"  Try                 {address}/flow/tickets/sla        every promise and its clock",
            f"                      {address}/flow/inbox              the work, most urgent first",
        ]
        if "api_key" in login:
            lines += [
                "                      Open an enterprise P1 and watch it climb on the first page:",
                f"                      {sample_call(address, login['api_key'])}",
            ]
        lines += [
            f"  Mail                {mail}",
            f"  Logs and data       {folder}",
            "  Stop with Ctrl-C; everything is kept.",
            "",
        ]
        self._print("\n".join(lines))


class Desk:
    """One run, from the database up to the last child and down again."""

    def __init__(self, args: Namespace, *, folder: Path, voice: Voice) -> None:
        self._args = args
        self._folder = folder
        self._voice = voice
        self._roles = Roles.SINGLE if args.single_role else Roles.THREE

    @property
    def _reachable_host(self) -> str:
        """A name by which this machine reaches the web; "every address" is none."""
        host = str(self._args.host)
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
        return f"[{host}]" if ":" in host else host

    @property
    def address(self) -> str:
        return f"http://{self._reachable_host}:{self._args.port}"

    def run(self) -> int:
        environment = child_environment(os.environ, folder=self._folder)
        environment.setdefault("FLOWDESK_HOSTS", f"localhost,127.0.0.1,[::1],{self._reachable_host}")
        environment.setdefault("FLOWDESK_PUBLIC_URL", self.address)  # what links in mails begin with
        dsns = external_dsns(os.environ, folder=self._folder, roles=self._roles)
        cluster = None if dsns else cluster_in(self._folder, say=self._voice.say)
        supervisor = Supervisor(logs=self._folder / "logs", show=self._voice.show, database=cluster)
        supervisor.listen_for_signals()
        try:
            if cluster is not None:
                cluster.gives_up = supervisor.was_asked_to_stop
                dsns = start_and_prepare(cluster)
            assert dsns is not None
            if dsns.single_role:
                self._voice.say(
                    "One database role: row level security is OFF; only the program keeps tenants apart."
                )
            self._migrate(supervisor, cluster, {**environment, **dsns.environment()})
            self._found(supervisor, cluster, environment, dsns)
            if supervisor.was_asked_to_stop():
                return 0
            return supervisor.run(
                self._children(environment, dsns), is_ready=self._answers, on_ready=self._welcome
            )
        except StartCalledOff:
            return 0
        finally:
            self._voice.say("Stopping.")
            supervisor.stop()

    def _migrate(
        self, supervisor: Supervisor, cluster: Cluster | None, environment: Mapping[str, str]
    ) -> None:
        # Asking Django costs a second of every start; for a database that is ours alone a note is proof.
        if cluster is not None and is_migrated(self._folder):
            return
        self._voice.say("Bringing the tables up to date.")
        code = supervisor.run_once(
            ChildSpec(name="migrate", command=_command("migrate"), environment=environment)
        )
        if code != 0 and not supervisor.was_asked_to_stop():
            raise ChildFailed(f"The migrations failed; see {self._folder / 'logs' / 'migrate.log'}.")
        if code == 0:
            note_migrated(self._folder)

    def _found(
        self, supervisor: Supervisor, cluster: Cluster | None, environment: Mapping[str, str], dsns: Dsns
    ) -> None:
        """The first tenant, with the demo in it unless it is not wanted; later starts leave it alone."""
        note = self._folder / FOUNDED
        if supervisor.was_asked_to_stop() or (cluster is not None and note.exists()):
            return
        name, words = "found" if self._args.no_demo else "demo", ["--first-start"]
        self._voice.say(
            "Founding the tenant 'global'." if self._args.no_demo else "Founding the demo; once only."
        )
        spec = ChildSpec(name=name, command=_command(name, *words), environment=_served(environment, dsns))
        code = supervisor.run_once(spec)
        if code != 0 and not supervisor.was_asked_to_stop():
            raise ChildFailed(
                f"The first tenant was not founded; see {self._folder / 'logs' / (name + '.log')}."
            )
        if code == 0:
            note.write_text("")

    def _children(self, environment: Mapping[str, str], dsns: Dsns) -> list[ChildSpec]:
        """Web, worker and demo, as far as they are installed; none is given the owner's password."""
        inherited = _served(environment, dsns)
        address = ["--host", self._args.host, "--port", str(self._args.port)]
        commands = {"web": _command("web", *address), "worker": _command("worker")}
        if not self._args.no_demo:
            commands["demo"] = _command("demo", "--move")
        return [
            ChildSpec(
                name=name,
                command=command,
                environment=inherited,
                may_end=name == "demo",
                may_wait=name != "web",
            )
            for name, command in commands.items()
            if (HERE / f"{name}.py").exists()
        ]

    def _answers(self) -> bool:
        host, port = self._reachable_host, self._args.port
        asked_as = os.environ.get("FLOWDESK_HOSTS", "").split(",")[0].strip().lstrip(".*")
        connection = HTTPConnection(host.strip("[]"), port, timeout=2)
        try:
            # By a name that the settings know: any other is turned away before it reaches the page.
            connection.request("GET", "/healthz", headers={"Host": asked_as or f"{host}:{port}"})
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _welcome(self) -> None:
        server = os.environ.get("FLOWDESK_SMTP_URL", "").strip()
        mail = (
            f"goes to {urlsplit(server).hostname}"
            if server
            else f"is kept in {self._folder / 'outbox'} until FLOWDESK_SMTP_URL names a server"
        )
        login = known_login(self._folder)
        self._voice.welcome(address=self.address, login=login, folder=self._folder, mail=mail)


def _served(environment: Mapping[str, str], dsns: Dsns) -> dict[str, str]:
    """What a child that serves is given: everything but the owner's password."""
    connections = dsns.environment()
    if not dsns.single_role:
        del connections["FLOWDESK_OWNER_DSN"]
    return {**environment, **connections}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "flowdesk", *words]
