"""Follow an event log in virtual time and tell which promises were met.

Needs no database and tells nobody anything: results go to standard output, progress to standard error.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from flowdesk.config.commands._django import django
from flowdesk.config.commands._progress import ProgressLine
from flowdesk.engine.clock import Metric
from flowdesk.engine.replay import Ending, Replayed
from flowdesk.flows.replay import replay_log, write_clocks, written_whole
from flowdesk.intake.event_log import EventLogFault, Progress, read_entries
from flowdesk.policies.reader import PolicyFaults
from flowdesk.policies.replay import find_replay_policy, load_replay_policy, shipped_policies

BAD_INPUT = 2


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the event log: .csv or .csv.gz")
    parser.add_argument(
        "--policy",
        required=True,
        metavar="FILE",
        help=f"the promises and how to read the log; shipped: {', '.join(shipped_policies())}",
    )
    parser.add_argument(
        "--tenant",
        metavar="SLUG",
        help="write the log into this tenant, held to the tenant's own promises; nobody is told",
    )
    parser.add_argument("--clocks", type=Path, metavar="OUT.csv", help="write one row for each clock here")


def run(args: Namespace) -> int:
    policy_file = find_replay_policy(args.policy)
    progress = ProgressLine(sys.stderr)
    if args.tenant:
        return _into_tenant(args, policy_file, progress)
    try:
        policy = load_replay_policy(policy_file)
        _must_not_overwrite(args.clocks, args.file, policy_file)
        # Opened first: a result that cannot be written is known before the work, not after it.
        with written_whole(args.clocks) if args.clocks else nullcontext() as clocks:
            replayed = replay_log(
                args.file, policy=policy, tell=lambda so_far: say_progress(progress, so_far)
            )
            if clocks is not None:
                write_clocks(replayed, to=clocks, zone=policy.layout.zone)
    except (PolicyFaults, EventLogFault, UnusableOutput) as fault:
        progress.end()
        return _refused(str(fault), as_json=args.json)
    except OSError as error:
        progress.end()
        return _refused(f"{args.clocks}: {error.strerror or error}", as_json=args.json)
    progress.end()
    told = summary(replayed)
    if not args.json:
        print(table(told))
    print(json.dumps(told))
    return 0


def _into_tenant(args: Namespace, policy_file: Path, progress: ProgressLine) -> int:
    """The second mode: the log's tickets are kept, with all that happened to them."""
    try:
        if args.clocks:
            raise UnusableOutput("--clocks goes with a replay that writes nothing else; leave out --tenant")
        policy = load_replay_policy(policy_file)
        with django(args):
            from flowdesk.accounts.models import Tenant
            from flowdesk.core.actor import system
            from flowdesk.core.errors import Invalid
            from flowdesk.core.time import now
            from flowdesk.flows.import_log import Imported, import_log

            tenant = Tenant.objects.filter(slug=args.tenant).first()
            if tenant is None:
                return _refused(f"there is no tenant {args.tenant!r}", as_json=args.json)
            done = Imported()
            entries = read_entries(
                args.file, layout=policy.layout, tell=lambda so_far: say_progress(progress, so_far)
            )
            try:
                for done in import_log(
                    entries, name=args.file.name, by=system(tenant.id, name="import"), now=now()
                ):
                    progress.say(f"{done.tickets + done.known:,} tickets written or known")
            except Invalid as fault:
                return _refused(fault.message, as_json=args.json)
    except (PolicyFaults, EventLogFault, UnusableOutput) as fault:
        progress.end()
        return _refused(str(fault), as_json=args.json)
    progress.end()
    told = {"tenant": args.tenant, "tickets": done.tickets, "known": done.known, "events": done.events}
    print(json.dumps(told))
    return 0


def say_progress(line: ProgressLine, so_far: Progress) -> None:
    line.say(f"{so_far.rows:,} events, {so_far.share:.0%} of the file", is_last=so_far.share >= 1)


class UnusableOutput(Exception):
    """The clocks would be written over what they are made from."""


def _must_not_overwrite(clocks: Path | None, *inputs: Path) -> None:
    if clocks is None or not clocks.exists():
        return
    if clocks.is_dir():
        raise UnusableOutput(f"{clocks}: is a folder")
    for path in inputs:
        if path.exists() and clocks.samefile(path):
            raise UnusableOutput(f"{clocks}: is an input; the clocks would be written over it")


def _refused(reason: str, *, as_json: bool) -> int:
    print(json.dumps({"error": reason}) if as_json else f"flowdesk: {reason}", file=sys.stderr)
    return BAD_INPUT


def summary(replayed: Replayed) -> dict[str, Any]:
    """What the replay found, as one object."""
    outcomes = replayed.outcomes()
    metrics = {*outcomes, *(metric for metric, _ in replayed.steps)}
    return {
        "tickets": len(replayed.cases),
        "events": replayed.events,
        "steps_fired": sum(replayed.steps.values()),
        "metrics": {
            metric.value: _of_metric(metric, outcomes.get(metric, Counter()), replayed)
            for metric in Metric
            if metric in metrics
        },
        "until": replayed.until.isoformat() if replayed.until else None,
    }


def _of_metric(metric: Metric, counts: Counter[Ending], replayed: Replayed) -> dict[str, Any]:
    steps = {str(percent): count for (of, percent), count in sorted(replayed.steps.items()) if of is metric}
    return {**{ending.value: counts[ending] for ending in Ending}, "steps": steps}


def table(told: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{told['tickets']:,} tickets, {told['events']:,} events, {told['steps_fired']:,} steps fired",
        "",
        f"{'metric':<20}" + "".join(f"{ending.value:>10}" for ending in Ending),
    ]
    for metric, counts in told["metrics"].items():
        lines.append(f"{metric:<20}" + "".join(f"{counts[ending.value]:>10,}" for ending in Ending))
    return "\n".join([*lines, ""])
