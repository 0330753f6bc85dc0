"""Bring the database's tables up to date."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from flowdesk.config.commands._django import new_django


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    with new_django(args):
        from django.core.management import call_command
        from django.db import connections
        from django.db.migrations.executor import MigrationExecutor

        connection = connections["owner"]
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
        if plan:
            call_command("migrate", database="owner", interactive=False, verbosity=0)
        connection.close()
    if args.json:
        print(json.dumps({"applied": names}))
    else:
        print(f"{len(names)} migrations applied." if names else "The tables are up to date.")
    return 0
