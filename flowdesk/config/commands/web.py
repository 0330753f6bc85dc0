"""Serve the pages and the API."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from flowdesk.config.commands._address import add_address, chosen_port
from flowdesk.config.commands._django import new_django
from flowdesk.core.supervisor.port import check_port

TARGET = "flowdesk.config.wsgi:application"


def add_arguments(parser: ArgumentParser) -> None:
    add_address(parser)
    parser.add_argument("--workers", type=int, default=2, help="server processes (default: 2)")
    parser.add_argument("--threads", type=int, default=4, help="requests each serves at once (default: 4)")
    parser.add_argument(
        "--drain",
        type=float,
        default=float(os.environ.get("FLOWDESK_DRAIN_SECONDS", "0")),
        metavar="SECONDS",
        help="how long to go on serving after being told to stop, while /readyz says no (default: 0)",
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    port = chosen_port(args)
    check_port(port, host=args.host)
    with new_django(args):
        from django.conf import settings
        from granian.constants import Interfaces
        from granian.log import LogLevels
        from granian.server import Server

        server = Server(
            target=TARGET,
            address=args.host,
            port=port,
            interface=Interfaces.WSGI,
            workers=args.workers,
            blocking_threads=args.threads,
            respawn_failed_workers=True,
            respawn_interval=0.5,
            workers_kill_timeout=8,
            websockets=False,
            log_dictconfig=settings.LOGGING,
            log_level=LogLevels.warning,
        )
        _drain_first(server, seconds=args.drain)
        server.serve(target_loader=_loader(), wrap_loader=False)
    return 0


def _drain_first(server: Any, *, seconds: float) -> None:
    """Told to stop, the server first makes /readyz say no, and stops so many seconds later; told twice, at once."""
    from flowdesk.config.health import readiness

    stop = server.signal_handler_interrupt

    def drain(*_: object) -> None:
        if seconds and not readiness.stopping.is_set():
            threading.Timer(seconds, stop).start()
        else:
            stop()
        readiness.stopping.set()

    server.signal_handler_interrupt = drain


def _loader() -> Callable[[], Any]:
    """How a server process gets the application.

    On Linux it is loaded once, before the processes part, and shared between them: one start instead of two,
    and half the memory. No connection is opened before they part, so none is shared.
    """
    if sys.platform != "linux":
        return load_application
    multiprocessing.set_start_method("fork", force=True)
    application = _application()
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and so copy, every shared page

    def loaded() -> Any:
        _begin_to_serve()
        return application

    return loaded


def load_application() -> Any:
    """The application, in a process that starts from nothing."""
    application = _application()
    _begin_to_serve()
    return application


def _application() -> Any:
    from flowdesk.config.wsgi import application

    return application


def _begin_to_serve() -> None:
    """What each server process starts for itself, once it has parted from the others."""
    from flowdesk.core.processes import watch

    _end_with_the_server()
    watch.start()


def _end_with_the_server() -> None:
    """A server process whose main process was killed must not go on holding the port."""
    main = multiprocessing.parent_process()
    if main is None:
        return

    def wait() -> None:
        main.join()
        os._exit(70)

    threading.Thread(target=wait, name="main-process", daemon=True).start()
