"""What processes use, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds


def cpu_of_family(root: int) -> float:
    """Seconds of CPU of a process and all below it, those that have ended included."""
    ticks = 0
    for one in family(root):
        with suppress(FileNotFoundError):  # it ended just now, and its parent counts it
            used = _stat(one)
            # utime and stime of each; cutime and cstime of the root alone: of children that ended.
            ticks += sum(map(int, used[11:15] if one == root else used[11:13]))
    return ticks * TICK


def family(root: int) -> Iterator[int]:
    """A process and every process below it."""
    yield root
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from family(int(child))


def memory_of_family(root: int) -> int:
    """Bytes that a process and all below it hold, shared pages divided among those who share them (PSS)."""
    return sum(_proportional(one) for one in family(root))


def _proportional(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold anything."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
