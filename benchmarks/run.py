"""One run of the benchmarks: what its rows share, how they measure, and what they find."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks.desk import Desk, Server, bench_server

LIVES, QUICK_LIVES = 8_000, 500
# Tickets and active ones of each size of desk, and of the same in a quick run.
SIZES: Mapping[str, tuple[int, int]] = {
    "small": (10_000, 1_000),
    "middle": (100_000, 10_000),
    "large": (1_000_000, 100_000),
}
QUICK_SIZES: Mapping[str, tuple[int, int]] = {
    "small": (2_000, 200),
    "middle": (5_000, 500),
    "large": (20_000, 2_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured bar. `sides` are the two that were compared, each with its milliseconds and CPU milliseconds."""

    name: str
    what: str
    measured: float
    bar: float | None  # None: the design names none, only the other
    goal: float | None
    unit: str = "x"
    more_is_better: bool = False
    sides: Mapping[str, Timed] = field(default_factory=dict)
    notes: Sequence[str] = ()
    faults: int = 0  # wrong answers: however fast, it has missed

    @property
    def verdict(self) -> str:
        """Which of the two it reaches: goal or bar; else missed, or open where there is no bar to miss."""
        for name, limit in (("goal", self.goal), ("bar", self.bar)):
            if not self.faults and limit is not None and self._reaches(limit):
                return name
        return "open" if self.bar is None and not self.faults else "missed"

    def _reaches(self, limit: float) -> bool:
        return self.measured >= limit if self.more_is_better else self.measured <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Medians of one side over the rounds, in milliseconds for one call."""

    wall: float
    cpu: float  # of this process
    database_cpu: float  # of the PostgreSQL processes that served it; 0 where there were none


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the sides to compare: a call, the desk it runs on, and how often it is called in a round."""

    call: Callable[[], object]
    desk: Desk | None = None
    times: int = 1


def alternate(sides: Mapping[str, Side], *, rounds: int) -> dict[str, Timed]:
    """Each side in turn, `rounds` times after a first one that warms up and does not count."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sides}
    for count in range(rounds + 1):
        for name, side in sides.items():
            timed = side.desk.run(_timed, side) if side.desk else _timed(side)
            if count:
                found[name].append(timed)
    return {
        name: Timed(
            **dict(zip(("wall", "cpu", "database_cpu"), map(median, zip(*every, strict=True)), strict=True))
        )
        for name, every in found.items()
    }


def _timed(side: Side) -> tuple[float, float, float]:
    backends = _backends() if side.desk else ()
    database, cpu, wall = _cpu_of(backends), process_time(), perf_counter()
    for _ in range(side.times):
        side.call()
    wall, cpu = perf_counter() - wall, process_time() - cpu
    return tuple(value / side.times * 1e3 for value in (wall, cpu, _cpu_of(backends) - database))  # type: ignore[return-value]


def _backends() -> tuple[int, ...]:
    """The server processes behind this thread's open connections."""
    from django.db import connections

    return tuple(
        one.connection.info.backend_pid
        for one in connections.all(initialized_only=True)
        if one.connection is not None
    )


def _cpu_of(processes: Sequence[int]) -> float:
    """Seconds of CPU that processes have used; finer than the hundredths of /proc/PID/stat."""
    return sum(int(Path(f"/proc/{one}/schedstat").read_text().split()[0]) for one in processes) / 1e9


@dataclass(kw_only=True)
class Run:
    """One run; server and desks are made when a row first asks for them, and shared."""

    quick: bool = False
    began: float = field(default_factory=perf_counter)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _resources: ExitStack = field(default_factory=ExitStack)
    _desks: dict[str, Desk] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9

    @cached_property
    def server(self) -> Server:
        return self._resources.enter_context(bench_server())

    def desk(self, size: str) -> Desk:
        """The desk of a size: small, middle or large."""
        if size not in self._desks:
            tickets, active = (QUICK_SIZES if self.quick else SIZES)[size]
            self._desks[size] = self.server.new_desk(
                f"bench_{size}",
                tickets=tickets,
                active=active,
                now=self.now,
                say=self.say,
                lives=QUICK_LIVES if self.quick else LIVES,
            )
        return self._desks[size]

    def say(self, line: str) -> None:
        """What goes on; results alone go to standard output."""
        print(f"{perf_counter() - self.began:7.1f} s  {line}", file=sys.stderr, flush=True)

    def close(self) -> None:
        for desk in self._desks.values():
            desk.close()
        self._resources.close()


def conditions() -> dict[str, object]:
    """The machine and the load on it when the run begins."""
    import platform

    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
