"""Starting Django for a command, with its database up."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from flowdesk.core.embedded.errors import DatabaseUnavailable
from flowdesk.core.embedded.external import urls_from
from flowdesk.core.supervisor.connection import Roles, command_environment, data_folder
from flowdesk.core.supervisor.parent_pipe import watch_supervisor


def tell(line: str) -> None:
    """A word about what goes on; results alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


class NoDesk(DatabaseUnavailable):
    """There is no desk in the data folder."""


@contextmanager
def django(args: Namespace) -> Iterator[None]:
    """Django set up on a desk that is there; raises NoDesk rather than make one of whoever only asks."""
    if "FLOWDESK_APP_DSN" not in os.environ and urls_from(os.environ) is None:
        folder = data_folder(os.environ)
        if not (folder / "postgres" / "PG_VERSION").exists():
            raise NoDesk(
                f"There is no desk in {folder}. Set FLOWDESK_DATA to the data folder of the desk you mean;"
                " `flowdesk run` makes a new one."
            )
    with new_django(args):
        yield


@contextmanager
def new_django(args: Namespace) -> Iterator[None]:
    """Django set up on a database, which is made where there is none."""
    watch_supervisor()
    roles = Roles.SINGLE if getattr(args, "single_role", False) else Roles.THREE
    with command_environment(os.environ, say=tell, roles=roles) as environment:
        os.environ.update(environment)
        import django as framework

        framework.setup()
        from flowdesk.config.logs import tell_faults

        tell_faults()
        yield
