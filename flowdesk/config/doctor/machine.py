"""Checks of the machine and the settings: they need no database."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen
from zoneinfo import available_timezones

from flowdesk.config.doctor.outcome import Outcome, ok, problem, warning
from flowdesk.config.mail import BadMailAddress, mail_settings
from flowdesk.core.embedded.roles import passwords_in
from flowdesk.core.supervisor.disk import LITTLE
from flowdesk.core.supervisor.port import PortUnavailable, check_port
from flowdesk.core.supervisor.secret_key import FILE as SECRET_KEY

MEGABYTE = 1_000_000
SOON_LITTLE = 1000 * MEGABYTE
SHORTEST_KEY = 32  # characters
PATIENCE = 5.0  # seconds for another server's answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the checks look at: the place, the settings, and who runs."""

    folder: Path
    environment: Mapping[str, str]
    host: str
    port: int
    holder: int | None  # the process that runs Flowdesk on the folder

    def setting(self, name: str) -> str:
        return self.environment.get(name, "").strip()


Check = Callable[[Machine], Outcome]


def data_folder(machine: Machine) -> Outcome:
    """Whether the folder can be written, and its secrets be read by their owner only."""
    folder = machine.folder
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        return problem(
            f"{folder} cannot be written: {error.strerror}",
            mend="Give it to the user that runs Flowdesk, free the disk, or set FLOWDESK_DATA to another folder.",
        )
    secrets = (folder / SECRET_KEY, passwords_in(folder), folder / "first-login.json")
    open_ones = [path.name for path in secrets if path.exists() and path.stat().st_mode & 0o077]
    if open_ones:
        return problem(
            f"Other users can read {', '.join(open_ones)} in {folder}",
            mend=f"chmod 600 {' '.join(str(folder / name) for name in open_ones)}",
        )
    if folder.stat().st_mode & 0o022:
        return problem(f"Other users can write in {folder}", mend=f"chmod go-w {folder}")
    return ok(f"{folder} is ours alone to write")


def disk(machine: Machine) -> Outcome:
    free = shutil.disk_usage(machine.folder).free
    says = f"{free / MEGABYTE:,.0f} MB free where {machine.folder} is"
    mend = "Free some space or move the data folder; when the disk is full nothing can be written, and nothing is lost."
    if free < LITTLE:
        return problem(says, mend=mend)
    return warning(says, mend=mend) if free < SOON_LITTLE else ok(says)


def port(machine: Machine) -> Outcome:
    """Free while nothing runs; while Flowdesk runs, its own web must be the one that answers."""
    address = f"{machine.host}:{machine.port}"
    try:
        check_port(machine.port, host=machine.host)
    except PortUnavailable as error:
        if machine.holder is None:
            return problem(str(error), mend="Stop the other program, or choose another port: --port or PORT.")
        if _is_flowdesk(machine):
            return ok(f"Flowdesk answers on {address}")
        return problem(
            f"Something else answers on {address}",
            mend="Ask with the --host and --port that Flowdesk was started with, or see logs/web.log.",
        )
    if machine.holder is None:
        return ok(f"{address} is free")
    return problem(
        f"Flowdesk runs (process {machine.holder}), and nothing answers on {address}",
        mend="Ask with the --host and --port that it was started with, or see logs/web.log.",
    )


def _is_flowdesk(machine: Machine) -> bool:
    host = "127.0.0.1" if machine.host == "0.0.0.0" else machine.host  # noqa: S104 - compared, not bound
    try:
        with urlopen(f"http://{host}:{machine.port}/healthz", timeout=PATIENCE) as answer:
            return bool(json.loads(answer.read()).get("status") == "ok")
    except (URLError, OSError, ValueError, AttributeError):
        return False


def secret_key(machine: Machine) -> Outcome:
    kept = machine.folder / SECRET_KEY
    key = machine.setting("FLOWDESK_SECRET_KEY")
    place = "FLOWDESK_SECRET_KEY"
    if not key:
        if not kept.exists():
            return ok("The signing key is made at the first start")
        place, key = str(kept), kept.read_text().strip()
    if len(key) < SHORTEST_KEY:
        return problem(
            f"The signing key in {place} has {len(key)} characters: who guesses it can log in as anybody",
            mend="Set a random one of 50 characters; everybody logs in again.",
        )
    return ok(f"The signing key is in {place}")


def address(machine: Machine) -> Outcome:
    """Whether links in mails lead here, and come through the list of hosts."""
    url = machine.setting("FLOWDESK_PUBLIC_URL")
    hosts = [host.strip() for host in machine.setting("FLOWDESK_HOSTS").split(",") if host.strip()]
    if "*" in hosts:
        return warning(
            "FLOWDESK_HOSTS lets every name in",
            mend="Name the hosts that people use, with commas between them.",
        )
    if not url:
        return ok(f"Links lead to http://{machine.host}:{machine.port} (FLOWDESK_PUBLIC_URL is not set)")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return problem(
            f"FLOWDESK_PUBLIC_URL is '{url}'",
            mend="It begins with https:// and names the host that people use.",
        )
    if hosts and not any(_lets_in(host, parts.hostname) for host in hosts):
        return problem(
            f"FLOWDESK_HOSTS turns away {parts.hostname}, to which FLOWDESK_PUBLIC_URL leads",
            mend=f"FLOWDESK_HOSTS={','.join([*hosts, parts.hostname])}",
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return warning(
            f"People reach {parts.hostname} without TLS: passwords and cookies can be read on the way",
            mend="Put a TLS proxy before Flowdesk, and set FLOWDESK_PUBLIC_URL to its https:// address.",
        )
    return ok(f"Links lead to {url}")


def _lets_in(host: str, name: str) -> bool:
    # As Django reads it: a leading dot stands for the domain and all below.
    return name == host.strip("[]") or (host.startswith(".") and (name == host[1:] or name.endswith(host)))


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def mail(machine: Machine) -> Outcome:
    """Whether there is a mail server, and it greets."""
    url = machine.setting("FLOWDESK_SMTP_URL")
    if not url:
        return warning(
            f"No mail goes out: mails are kept in {machine.folder / 'outbox'}",
            mend="Name a server: FLOWDESK_SMTP_URL=smtp://user:password@host:587?starttls",
        )
    try:
        settings = mail_settings(url)
    except BadMailAddress as error:
        return problem(str(error), mend="Write it as smtp://user:password@host:587?starttls or smtps://…")
    server = f"{settings['EMAIL_HOST']}:{settings['EMAIL_PORT']}"
    try:
        with socket.create_connection(
            (settings["EMAIL_HOST"], settings["EMAIL_PORT"]), timeout=PATIENCE
        ) as connection:
            greets = settings["EMAIL_USE_SSL"] or connection.recv(4).startswith(b"220")
    except OSError as error:
        return problem(
            f"The mail server {server} does not answer: {error.strerror or error}",
            mend="Mails wait and are tried again; mend the server or FLOWDESK_SMTP_URL.",
        )
    if not greets:
        return problem(f"{server} is no mail server", mend="Correct host and port in FLOWDESK_SMTP_URL.")
    return ok(f"Mail goes out through {server}")


def time_zones(_: Machine) -> Outcome:
    """Whether Python knows the zones that calendars are written in."""
    zones = (
        available_timezones()
    )  # looked up on the disk: a zone that was read before is kept, whatever came of it
    if "Europe/Stockholm" not in zones:
        return problem(
            "There is no time zone data",
            mend="Install the package tzdata: make setup, or pip install tzdata.",
        )
    return ok(f"{len(zones)} time zones, tzdata {importlib.metadata.version('tzdata')}")


CHECKS: Mapping[str, Check] = {
    "data folder": data_folder,
    "disk": disk,
    "port": port,
    "secret key": secret_key,
    "address": address,
    "mail": mail,
    "time zones": time_zones,
}
