"""Say what is wrong with this deployment, and how to mend it."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from flowdesk.config.commands._address import add_address, chosen_port
from flowdesk.config.commands._django import NoDesk, django
from flowdesk.config.doctor import machine
from flowdesk.config.doctor.machine import Machine
from flowdesk.config.doctor.outcome import Outcome, problem
from flowdesk.config.doctor.rounds import examine
from flowdesk.core.embedded.errors import DatabaseUnavailable
from flowdesk.core.embedded.lock import holder
from flowdesk.core.supervisor.connection import data_folder

EPILOG = """Run it with the settings that Flowdesk runs with. Nothing is changed; where no database runs, it is started
for the time of the questions. The exit code is 1 when there is a problem, 0 otherwise, with or without warnings."""
MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


def add_arguments(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_address(parser)
    parser.add_argument("--audit", action="store_true", help="walk the whole audit log and prove its seals")
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    found = []
    for name, outcome in _examine(args):
        found.append({"check": name, "state": str(outcome.state), "says": outcome.says, "mend": outcome.mend})
        if not args.json:
            print(f"{MARKS[outcome.state]}{name}: {outcome.says}")
            if outcome.mend:
                print(f"        → {outcome.mend}")
    problems, warnings = (sum(one["state"] == state for one in found) for state in ("problem", "warning"))
    if args.json:
        print(json.dumps({"problems": problems, "warnings": warnings, "checks": found}, ensure_ascii=False))
    else:
        print(f"\n{len(found)} checks: {problems} problems, {warnings} warnings.")
    return 1 if problems else 0


def _examine(args: Namespace) -> Iterator[tuple[str, Outcome]]:
    try:
        folder = data_folder(os.environ)
    except DatabaseUnavailable as error:
        yield "data folder", problem(str(error), mend="Nothing else can be asked before that.")
        return
    patient = Machine(
        folder=folder,
        environment=dict(os.environ),
        host=args.host,
        port=chosen_port(args),
        holder=holder(folder),
    )
    yield from examine(machine.CHECKS, patient)
    try:
        with django(args):
            from flowdesk.config.doctor import audit, database, work

            proof = audit.PROOF if args.audit else {}
            yield from examine({**database.CHECKS, **work.CHECKS, **audit.CHECKS, **proof}, patient)
    except NoDesk as error:
        yield "desk", problem(str(error), mend="Ask again with the settings that Flowdesk runs with.")
    except DatabaseUnavailable as error:
        yield "server", problem(str(error), mend="See logs/postgres.log in the data folder.")
