"""Wake clocks, deliver notices and mails, run schedules."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser, Namespace

from flowdesk.config.commands._django import new_django, tell


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    with new_django(args):
        from flowdesk.worker.loop import run_loop
        from flowdesk.worker.memory import settle

        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        settle()
        tell("worker: watching the clocks")
        run_loop(stop)
    return 0
