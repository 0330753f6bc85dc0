"""Count the queues anew, after tickets were written past the database's triggers."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from flowdesk.config.commands._django import django


def add_arguments(parser: ArgumentParser) -> None:
    parser.epilog = (
        "Needed only where the doctor's check 'counts' asks for it. May run while everybody works."
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    with django(args):
        from flowdesk.config.doctor.database import ask
        from flowdesk.tickets.sql import WRONGLY_COUNTED
        from flowdesk.tickets.standing import recount_standing

        wrong = len(ask(WRONGLY_COUNTED, alias="owner"))
        recount_standing()
    said = f"The queues of all tenants were counted; {wrong} had been wrong."
    print(json.dumps({"were_wrong": wrong}) if args.json else said)
    return 0
