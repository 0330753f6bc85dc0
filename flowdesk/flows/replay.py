"""An event log is replayed: read, followed in virtual time, and its clocks written down.

Nothing is stored, sent or asked of a database.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import IO

from flowdesk.engine.replay import ClockLine, Replayed, replay
from flowdesk.intake.event_log import Progress, read_entries
from flowdesk.policies.replay import ReplayPolicy

HEADER = (
    "ticket",
    "metric",
    "cycle",
    "target_minutes",
    "started_at",
    "due_at",
    "stopped_at",
    "elapsed_minutes",
    "outcome",
)
MINUTE = timedelta(minutes=1)


def replay_log(path: Path, *, policy: ReplayPolicy, tell: Callable[[Progress], None]) -> Replayed:
    """Follow a log file to its end; raises EventLogFault, and nothing is left behind."""
    with closing(read_entries(path, layout=policy.layout, tell=tell)) as entries:  # type: ignore[type-var]
        return replay(entries, policy=policy.promises)


def write_clocks(replayed: Replayed, *, to: IO[str], zone: tzinfo) -> None:
    """One row a clock, in the order the tickets appeared; instants in ISO 8601 with the zone's offset."""
    rows = csv.writer(to, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(_row(line, zone) for line in replayed.lines())


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A text file that appears under its name only once complete; raises OSError at once if it cannot."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    file = part.open("w", encoding="utf-8", newline="")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _row(line: ClockLine, zone: tzinfo) -> tuple[object, ...]:
    return (
        line.ticket,
        line.metric.value,
        line.cycle,
        _minutes(line.target),
        _instant(line.started_at, zone),
        _instant(line.due_at, zone),
        _instant(line.stopped_at, zone) if line.stopped_at else "",
        _minutes(line.elapsed),
        line.ending.value,
    )


def _instant(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat()


def _minutes(length: timedelta) -> str:
    """Minutes, with decimals only where there are seconds."""
    whole, rest = divmod(length, MINUTE)
    return str(whole) if not rest else f"{length / MINUTE:.6f}".rstrip("0")
