"""Drawings as values: bars, ticks and lines in percent of their own width, so that they are fluid.

Percentages and coordinates are strings ("33.33%"), because a template would write 33,33 in Swedish.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Self


def percent(share: float) -> str:
    """A coordinate for a drawing; the point is a point in every language."""
    return f"{share:.2f}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of a drawing, in percent of its width."""

    kind: str  # calm, warning, critical, paused
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark under a drawing."""

    x: str
    words: str
    is_done: bool = False
    anchor: str = "middle"


LADDER_END = 125.0  # the scale ends where the director is told
LADDER_BANDS = (("calm", 0.0, 75.0), ("warning", 75.0, 100.0), ("critical", 100.0, LADDER_END))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """How much of a promise is spent, with its rungs; `words` say the same aloud."""

    words: str
    spent_percent: float = 0.0
    rungs: tuple[tuple[int, bool], ...] = ((50, False), (75, False), (90, False), (100, False), (125, False))
    has_mark: bool = True

    @property
    def bars(self) -> tuple[Bar, ...]:
        spent = min(self.spent_percent, LADDER_END)
        return tuple(
            Bar(
                kind=kind,
                x=percent(first / LADDER_END * 100),
                width=percent((min(spent, last) - first) / LADDER_END * 100),
            )
            for kind, first, last in LADDER_BANDS
            if spent > first
        )

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(
            Tick(
                x=percent(rung / LADDER_END * 100),
                words=str(rung),
                is_done=fired,
                anchor="end" if rung >= LADDER_END else "middle",
            )
            for rung, fired in self.rungs
        )

    @property
    def mark(self) -> str:
        return percent(min(self.spent_percent, LADDER_END) / LADDER_END * 100) if self.has_mark else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A clock's life on the wall: what it was doing when; `words` say the same aloud."""

    words: str
    bars: tuple[Bar, ...] = ()
    ticks: tuple[Tick, ...] = ()
    now: Tick | None = None

    @classmethod
    def between(
        cls,
        first: datetime,
        last: datetime,
        *,
        spans: Iterable[tuple[str, datetime, datetime]],
        ticks: Iterable[tuple[datetime, str]],
        now: datetime,
        now_words: str,
        words: str,
    ) -> Self:
        """Place spans (kind, start, end) and ticks (instant, words) between two instants."""

        def at(instant: datetime) -> float:
            return max(0.0, min(100.0, (instant - first) / (last - first) * 100))

        def anchor(share: float) -> str:
            return "start" if share < 5 else "end" if share > 95 else "middle"

        return cls(
            words=words,
            bars=tuple(
                Bar(kind=kind, x=percent(at(start)), width=percent(at(end) - at(start)))
                for kind, start, end in spans
                if at(end) > at(start)
            ),
            ticks=tuple(
                Tick(x=percent(at(instant)), words=said, is_done=instant <= now, anchor=anchor(at(instant)))
                for instant, said in ticks
            ),
            now=Tick(x=percent(at(now)), words=now_words, is_done=True, anchor=anchor(at(now)))
            if first <= now <= last
            else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesBar:
    """Where all active tickets stand."""

    over: int = 0
    at_risk: int = 0
    on_time: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.over + self.at_risk + self.on_time + self.waiting

    @property
    def bars(self) -> tuple[Bar, ...]:
        if not self.total:
            return ()
        counts = (
            ("critical", self.over),
            ("warning", self.at_risk),
            ("calm", self.on_time),
            ("paused", self.waiting),
        )
        bars, before = [], 0
        for kind, count in counts:
            if count:
                bars.append(
                    Bar(
                        kind=kind,
                        x=percent(before / self.total * 100),
                        width=percent(count / self.total * 100),
                    )
                )
            before += count
        return tuple(bars)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Where one stretch ends and the next begins."""
        return tuple(after.x for _before, after in pairwise(self.bars))


SPARK_WIDTH, SPARK_HEIGHT = 120.0, 28.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A line of the last values against a goal, all in percent; `words` say the same aloud."""

    words: str
    values: tuple[float, ...]
    goal: float

    def _y(self, value: float) -> float:
        low = min((*self.values, self.goal))
        high = max((*self.values, self.goal))
        return SPARK_HEIGHT - 4 - (value - low) / ((high - low) or 1.0) * (SPARK_HEIGHT - 8)

    @property
    def points(self) -> str:
        step = SPARK_WIDTH / max(1, len(self.values) - 1)
        return " ".join(f"{index * step:.1f},{self._y(value):.1f}" for index, value in enumerate(self.values))

    @property
    def goal_y(self) -> str:
        return f"{self._y(self.goal):.1f}"
