"""Half-open spans of time and the arithmetic on sets of them.

A `Span` runs from `start` up to, not including, `end`. The functions take spans in any order, overlapping
or not, and return them sorted, disjoint and never empty; spans that touch are one span. A `Timeline` is
such a set with running totals, so that "how much" and "when is it used up" are binary searches. All
lengths are `timedelta`, which counts whole microseconds: nothing here is ever rounded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

ZERO = timedelta(0)


def as_utc(at: datetime) -> datetime:
    """The same instant in UTC; raises ValueError for a datetime without a zone."""
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no zone; an instant needs one")
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The instants from `start` up to but not including `end`, kept in UTC.

    Any zone is accepted and turned into UTC. Raises ValueError for an instant without a zone, or when
    the end lies before the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_utc(self.start))
        object.__setattr__(self, "end", as_utc(self.end))
        if self.end < self.start:
            raise ValueError(f"a span cannot end ({self.end.isoformat()}) before {self.start.isoformat()}")

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> timedelta:
        """How long the span is in real time."""
        return self.end - self.start


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Every instant that lies in at least one of `spans`."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.start == span.end:
            continue
        if joined and span.start <= joined[-1].end:
            if span.end > joined[-1].end:
                joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(joined)


def intersect(a: Iterable[Span], b: Iterable[Span]) -> tuple[Span, ...]:
    """Every instant that lies both in `a` and in `b`."""
    ours, theirs = union(a), union(b)
    common: list[Span] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        start = max(ours[i].start, theirs[j].start)
        end = min(ours[i].end, theirs[j].end)
        if start < end:
            common.append(Span(start, end))
        if ours[i].end <= theirs[j].end:
            i += 1
        else:
            j += 1
    return tuple(common)


def subtract(a: Iterable[Span], b: Iterable[Span]) -> tuple[Span, ...]:
    """Every instant that lies in `a` and not in `b`."""
    holes = union(b)
    left: list[Span] = []
    j = 0
    for span in union(a):
        start = span.start
        while j < len(holes) and holes[j].end <= start:
            j += 1
        k = j
        while k < len(holes) and holes[k].start < span.end:
            if start < holes[k].start:
                left.append(Span(start, holes[k].start))
            start = max(start, holes[k].end)
            k += 1
        if start < span.end:
            left.append(Span(start, span.end))
    return tuple(left)


def total(spans: Iterable[Span]) -> timedelta:
    """How long `spans` are together; an instant in two of them counts once."""
    return sum((span.length for span in union(spans)), ZERO)


class Timeline:
    """The open spans between two instants, laid out for searching; immutable.

    `spans` must be sorted and disjoint and lie in `[first, last]`. An answer that needs to look outside
    that stretch is None, so that the owner of the timeline can lay out more and ask again. Instants must
    be in UTC already.
    """

    # Datetimes and timedeltas, not integers: they compare as fast and spare both conversions of a question.
    # `_before[n]` is the length of the first n spans. `_origins[n]` is when counting would have begun had it
    # never stopped before the end of the n-th: within that span, open time so far is `at - _origins[n]`.
    __slots__ = ("_before", "_origins", "_starts", "first", "last")

    def __init__(self, spans: Iterable[Span], *, first: datetime, last: datetime) -> None:
        laid_out = tuple(spans)
        self.first = first
        self.last = last
        self._starts = [span.start for span in laid_out]
        self._before = list(accumulate((span.length for span in laid_out), initial=ZERO))
        ends = [first, *(span.end for span in laid_out)]
        self._origins = [end - before for end, before in zip(ends, self._before, strict=True)]

    def covers(self, at: datetime) -> bool:
        """Whether `at` and the moments next to it lie in the stretch laid out."""
        return self.first < at < self.last

    def spans(self) -> Iterator[Span]:
        """All spans in order."""
        return (Span(start, self._end(n)) for n, start in enumerate(self._starts, 1))

    def _end(self, number: int) -> datetime:
        """Where the span with this number ends, counted from 1."""
        return self._origins[number] + self._before[number]

    def opened(self, at: datetime) -> timedelta:
        """Open time from the beginning of the timeline until `at`, which it must cover."""
        begun = bisect_right(self._starts, at)
        return min(at - self._origins[begun], self._before[begun])

    def is_open(self, at: datetime) -> bool:
        """Whether `at`, which the timeline must cover, lies in a span."""
        begun = bisect_right(self._starts, at)
        return bool(begun) and at < self._end(begun)

    def touches(self, at: datetime) -> bool:
        """Whether `at`, which the timeline must cover, lies in a span or on its end."""
        begun = bisect_right(self._starts, at)
        return bool(begun) and at <= self._end(begun)

    def add(self, start: datetime, length: timedelta) -> datetime | None:
        """The first instant by which `length` (more than zero) of open time has passed since `start`."""
        if start < self.first:
            return None
        begun = bisect_right(self._starts, start)
        ended = self._before[begun]
        opened = start - self._origins[begun]
        if opened > ended:
            opened = ended
        goal = opened + length
        if goal <= ended:
            return start + length
        number = bisect_left(self._before, goal, begun)
        if number == len(self._before):
            return None
        return self._origins[number] + goal

    def subtract(self, end: datetime, length: timedelta) -> datetime | None:
        """The last instant from which `length` (more than zero) of open time passes until `end`."""
        if end > self.last:
            return None
        goal = self.opened(end) - length
        if goal < ZERO:
            return None
        return self._origins[bisect_right(self._before, goal)] + goal

    def change_after(self, at: datetime) -> datetime | None:
        """The first opening or closing instant after `at`, which the timeline must cover."""
        begun = bisect_right(self._starts, at)
        if begun and at < (end := self._end(begun)):
            # A span cut off by the end of the timeline may go on behind it.
            return end if end < self.last else None
        return self._starts[begun] if begun < len(self._starts) else None

    def change_before(self, at: datetime) -> datetime | None:
        """The last opening or closing instant before `at`, which the timeline must cover."""
        begun = bisect_left(self._starts, at)
        if not begun:
            return None
        if at > (end := self._end(begun)):
            return end
        start = self._starts[begun - 1]
        return start if start > self.first else None

    def between(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """The spans within `[start, end)`, both covered, cut at its edges."""
        begun = bisect_right(self._starts, start)
        first = begun if self.is_open(start) else begun + 1
        last = bisect_left(self._starts, end)
        numbers = range(first, last + 1)
        return tuple(Span(max(self._starts[n - 1], start), min(self._end(n), end)) for n in numbers)
