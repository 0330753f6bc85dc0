"""Every count this program keeps, in one place: names, meaning, labels. Other modules add to them.

A process counts for itself, in memory. `core.processes` writes the counts beside the process's heartbeat, so that
one scrape of any web process tells of the whole deployment. No label ever holds a tenant, a person or a path.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

Samples = dict[str, list[float]]  # labels joined by BETWEEN, to the values of a series
Counts = dict[str, Samples]  # by the metric's name; plain JSON
BETWEEN = "\t"

_registry: dict[str, Metric] = {}


class Metric:
    """A family of series that only ever grow; `add` and `observe` may be called from any thread."""

    kind = "counter"
    width = 1  # values of each series

    def __init__(self, name: str, about: str, *labels: str) -> None:
        self.name, self.about, self.labels = f"flowdesk_{name}", about, labels
        self._samples: Samples = {}
        self._lock = threading.Lock()
        _registry[self.name] = self

    def samples(self) -> Samples:
        with self._lock:
            return {key: list(values) for key, values in self._samples.items()}

    def reset(self) -> None:
        """Start from nothing: a process that was forked has not done what its parent did."""
        with self._lock:
            self._samples.clear()

    def lines(self, samples: Samples) -> Iterator[str]:
        """The series in Prometheus' text format."""
        for key, values in self._known(samples):
            yield f"{self.name}{self.braced(key)} {number(values[0])}"

    def _known(self, samples: Samples) -> Iterator[tuple[str, list[float]]]:
        """The series in their order, without those of another release's shape."""
        return (one for one in sorted(samples.items()) if len(one[1]) == self.width)

    def braced(self, key: str, *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, key.split(BETWEEN), strict=False), *more]
        return labelled(dict(pairs))


class Counter(Metric):
    """How often something happened."""

    def add(self, *labels: str, by: float = 1) -> None:
        key = BETWEEN.join(labels)
        with self._lock:
            self._samples.setdefault(key, [0.0])[0] += by


class Histogram(Metric):
    """How long something took, in seconds: counts below each bound, above the last one, and the sum."""

    kind = "histogram"

    def __init__(self, name: str, about: str, *labels: str, bounds: Iterable[float]) -> None:
        super().__init__(name, about, *labels)
        self.bounds = tuple(bounds)
        self.width = len(self.bounds) + 2

    def observe(self, seconds: float, *labels: str) -> None:
        key = BETWEEN.join(labels)
        place = bisect_left(self.bounds, seconds)
        with self._lock:
            values = self._samples.setdefault(key, [0.0] * self.width)
            values[place] += 1
            values[-1] += seconds

    def lines(self, samples: Samples) -> Iterator[str]:
        for key, (*counts, total) in self._known(samples):
            below = list(accumulate(counts))
            for bound, count in zip((*map(number, self.bounds), "+Inf"), below, strict=True):
                yield f"{self.name}_bucket{self.braced(key, ('le', bound))} {number(count)}"
            yield f"{self.name}_sum{self.braced(key)} {number(total)}"
            yield f"{self.name}_count{self.braced(key)} {number(below[-1])}"


def labelled(labels: Mapping[str, str]) -> str:
    """Labels in braces, escaped; nothing for no labels."""
    if not labels:
        return ""
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def number(value: float) -> str:
    """A whole number without its point."""
    return str(int(value)) if value == int(value) else repr(value)


def registered() -> list[Metric]:
    return list(_registry.values())


def counts() -> Counts:
    """What this process has counted."""
    return {metric.name: samples for metric in registered() if (samples := metric.samples())}


def merged(parts: Iterable[Counts]) -> Counts:
    """Counts of several processes together; a series of other bounds than the first has is left out."""
    whole: Counts = {}
    for part in parts:
        for name, samples in part.items():
            for key, values in samples.items():
                known = whole.setdefault(name, {}).setdefault(key, [0.0] * len(values))
                if len(known) == len(values):
                    known[:] = [a + b for a, b in zip(known, values, strict=True)]
    return whole


def less(whole: Counts, part: Counts) -> Counts:
    """What `whole` has counted since `part`."""
    negative = {n: {k: [-v for v in vs] for k, vs in s.items()} for n, s in part.items()}
    return merged([whole, negative])


def reset() -> None:
    """Forget what was counted before this process was itself."""
    for metric in registered():
        metric.reset()


# -- the metrics --------------------------------------------------------------------------------------------

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LATE = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200)

REQUESTS = Histogram(
    "request_seconds", "Time to answer a request.", "route", "method", "status", bounds=QUICK
)
REQUEST_DATABASE = Histogram(
    "request_database_seconds", "Time of a request spent in the database.", "route", bounds=QUICK
)
SWEEP_ROUNDS = Counter("sweep_rounds_total", "Rounds of the sweep that ended, by outcome.", "outcome")
TICKETS_WOKEN = Counter("tickets_woken_total", "Tickets woken by the sweep.")
WAKE_FAILURES = Counter("wake_failures_total", "Tickets that could not be woken and were put off.")
WAKE_LATENESS = Histogram(
    "wake_lateness_seconds", "From the instant a ticket was due to the round that woke it.", bounds=LATE
)
EVENTS_DISPATCHED = Counter("events_dispatched_total", "Ticket events turned into deliveries.")
DELIVERIES = Counter("deliveries_total", "Deliveries tried, by channel and outcome.", "channel", "outcome")
HANDOVER_LATENESS = Histogram(
    "handover_lateness_seconds",
    "From the making of a delivery to its being handed over.",
    "channel",
    bounds=LATE,
)
AUTOMATION_RUNS = Counter("automation_runs_total", "Runs of the ticket automation.", "trigger", "outcome")
AUDIT_SEALED = Counter("audit_sealed_total", "Audit entries sealed.")
