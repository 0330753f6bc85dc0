"""Which database, from which settings: the one door for every command that needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from flowdesk.core.embedded.database import choose_folder, database_in, own_folder
from flowdesk.core.embedded.errors import DatabaseUnavailable
from flowdesk.core.embedded.external import make_three_roles, urls_from, use_single_role, use_three_roles
from flowdesk.core.embedded.roles import Dsns
from flowdesk.core.supervisor.secret_key import ensure_secret_key

CHECKOUT = Path(__file__).resolve().parents[3]


class Roles(StrEnum):
    """How many database roles stand between a page and the tables."""

    THREE = "three"
    SINGLE = "single"


def wanted_folder(environment: Mapping[str, str]) -> Path:
    """Where the operator wants the data: FLOWDESK_DATA, else `.data` in the checkout."""
    named = environment.get("FLOWDESK_DATA", "").strip()
    return Path(named).expanduser().absolute() if named else CHECKOUT / ".data"


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where the database, its passwords and the logs live; made if missing.

    Not always where it is wanted: root's database user may be unable to go there.
    """
    wanted = wanted_folder(environment)
    return choose_folder(wanted) if urls_from(environment) is None else own_folder(wanted)


def external_dsns(environment: Mapping[str, str], *, folder: Path, roles: Roles) -> Dsns | None:
    """The checked and prepared external database, or None for the embedded one."""
    urls = urls_from(environment)
    if urls is None:
        if roles is Roles.SINGLE:
            raise DatabaseUnavailable("--single-role is for an external database; set DATABASE_URL.")
        return None
    if roles is Roles.SINGLE:
        return use_single_role(urls)
    if urls.owner is None:
        return make_three_roles(urls, folder=folder)
    return use_three_roles(urls)


def child_environment(environment: Mapping[str, str], *, folder: Path) -> dict[str, str]:
    """The caller's variables, without any database address, with our folder and key."""
    kept = {name: value for name, value in environment.items() if not name.startswith("DATABASE_")}
    for name in ("FLOWDESK_OWNER_DSN", "FLOWDESK_APP_DSN", "FLOWDESK_WORKER_DSN", "FLOWDESK_SINGLE_ROLE"):
        kept.pop(name, None)
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"):  # `make run DATABASE_URL=…` is repeated there
        kept.pop(name, None)
    kept["FLOWDESK_DATA"] = str(folder)
    kept["FLOWDESK_SECRET_KEY"] = environment.get("FLOWDESK_SECRET_KEY") or ensure_secret_key(folder)
    kept.setdefault("DJANGO_SETTINGS_MODULE", "flowdesk.config.settings")
    return kept


@contextmanager
def command_environment(
    environment: Mapping[str, str], *, say: Callable[[str], None], roles: Roles = Roles.THREE
) -> Iterator[dict[str, str]]:
    """The variables a single command needs, with its database up for as long as it runs.

    A child of the supervisor has them already; by hand they come from DATABASE_URL, from a Flowdesk that
    runs on the data folder, or from a server started just for this command.
    """
    if "FLOWDESK_APP_DSN" in environment:
        yield dict(environment)
        return
    folder = data_folder(environment)
    mine = child_environment(environment, folder=folder)
    external = external_dsns(environment, folder=folder, roles=roles)
    if external is not None:
        yield {**mine, **external.environment()}
        return
    with database_in(folder, say=say) as dsns:
        yield {**mine, **dsns.environment()}
