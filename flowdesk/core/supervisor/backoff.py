"""When to start a crashed child again: soon at first, then ever more rarely, soon again once it has held."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.5  # seconds
LONGEST = 30.0
STEADY_AFTER = 60.0  # a child that lived this long had no trouble starting


@dataclass(slots=True)
class Backoff:
    """The waits of one child."""

    failures: int = 0
    steady_after: float = STEADY_AFTER  # seconds

    def after_a_life_of(self, seconds: float) -> float:
        """How long to wait before the next start."""
        self.failures = 1 if seconds >= self.steady_after else self.failures + 1
        return float(min(LONGEST, FIRST * 2 ** (self.failures - 1)))
