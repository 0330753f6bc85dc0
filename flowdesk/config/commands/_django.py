"""Starting Django for a command, with its database up."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from flowdesk.core.supervisor.connection import Roles, command_environment
from flowdesk.core.supervisor.parent_pipe import watch_supervisor


def tell(line: str) -> None:
    """A word about what goes on; results alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def django(args: Namespace) -> Iterator[None]:
    """Django set up on a database that is there."""
    watch_supervisor()
    roles = Roles.SINGLE if getattr(args, "single_role", False) else Roles.THREE
    with command_environment(os.environ, say=tell, roles=roles) as environment:
        os.environ.update(environment)
        import django as framework

        framework.setup()
        from flowdesk.config.logs import tell_faults

        tell_faults()
        yield
