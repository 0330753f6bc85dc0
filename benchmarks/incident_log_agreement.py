"""How far replayed clocks agree with what the desk behind an incident log said itself.

    python benchmarks/incident_log_agreement.py --replay replay.csv.gz --tickets tickets.csv.gz

The log is replayed under a policy (the shipped one unless `--policy` names another). The tickets file has a row
for each ticket with `number`, `made_sla` (true or false), `opened_at`, `closed_at`, `priority_first` and
`priority_last`. Agreement is the share of tickets whose resolution clock ended as the desk's own flag says; what
remains is sorted into its causes.
"""

from __future__ import annotations

import csv
import gzip
import resource
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

from flowdesk.engine.clock import Metric
from flowdesk.engine.history import LogEntry
from flowdesk.engine.replay import ClockLine, Ending, Replayed, replay
from flowdesk.intake.event_log import read_entries
from flowdesk.policies.replay import find_replay_policy, load_replay_policy

EDGE = timedelta(minutes=30)  # so near the target that the log's whole minutes and the desk's job may decide
ROUND = timedelta(days=1)

Row = Mapping[str, str]


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replay", type=Path, required=True)
    parser.add_argument("--tickets", type=Path, required=True)
    parser.add_argument("--policy", default="incident_log.yaml")
    parser.add_argument("--priority", default="3", help="the priority that is judged, by its first sign")
    args = parser.parse_args()
    policy = load_replay_policy(find_replay_policy(args.policy))
    began, cpu = perf_counter(), process_time()
    facts = Facts()
    found = replay(facts.watched(read_entries(args.replay, layout=policy.layout)), policy=policy.promises)
    print(
        f"{found.events:,} events of {len(found.cases):,} tickets in {perf_counter() - began:.1f} s "
        f"({process_time() - cpu:.1f} s of CPU), {peak_megabytes():.0f} MB at the most"
    )
    tickets = read_tickets(args.tickets)
    for column in ("priority_last", "priority_first"):
        told = {number: row for number, row in tickets.items() if row[column].startswith(args.priority)}
        report(found, told, facts, title=f"{column} = {args.priority}")


def report(found: Replayed, tickets: Mapping[str, Row], facts: Facts, *, title: str) -> None:
    lines = {line.ticket: line for line in found.lines() if line.metric is Metric.RESOLUTION}
    rest = [
        (lines[number], row)
        for number, row in tickets.items()
        if number in lines and (lines[number].ending is Ending.MET) != (row["made_sla"] == "true")
    ]
    unseen = len(tickets.keys() - lines.keys())
    judged = len(tickets) - unseen
    print(f"\n{title}: {judged:,} tickets, agreement {1 - len(rest) / judged:.3%}, {len(rest)} differ")
    if unseen:
        print(f"  {unseen} tickets are not in the log")
    for cause, count in Counter(cause_of(line, row, facts) for line, row in rest).most_common():
        print(f"  {count:4}  {cause}")


class Facts:
    """What the log shows beside its clocks and the causes need."""

    def __init__(self) -> None:
        self.priorities: dict[str, set[int]] = {}
        self.closings: dict[str, int] = {}

    def watched(self, log: Iterator[LogEntry]) -> Iterator[LogEntry]:
        for entry in log:
            self.priorities.setdefault(entry.ticket, set()).add(entry.priority)
            self.closings[entry.ticket] = self.closings.get(entry.ticket, 0) + (entry.state == "closed")
            yield entry


def cause_of(line: ClockLine, row: Row, facts: Facts) -> str:
    """The first cause that applies, from the plainest on."""
    over = line.elapsed - line.target
    if len(facts.priorities[line.ticket]) > 1:
        return f"had several priorities; the desk says {verdict(row)}"
    if facts.closings[line.ticket] > 1:
        return f"written to after its closing; the desk says {verdict(row)}"
    if abs(over) <= EDGE:
        return f"within {EDGE.seconds // 60} minutes of the target; the desk says {verdict(row)}"
    if timedelta(0) < over <= ROUND:
        # A cluster on one day is an event of the desk, not of the clock.
        return f"up to a day over; the desk says {verdict(row)}; opened {row['opened_at'][:10]}"
    return f"further off; the desk says {verdict(row)}"


def verdict(row: Row) -> str:
    return "met" if row["made_sla"] == "true" else "missed"


def read_tickets(path: Path) -> dict[str, Row]:
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8") as file:
        return {row["number"]: row for row in csv.DictReader(file)}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
