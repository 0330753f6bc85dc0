"""Business time: when a calendar is open, and how much open time lies between two instants.

Every promise is measured here (F-SLA-03). Instants are aware datetimes, answered in UTC; lengths are
`timedelta` of real time, so a day of 25 hours has 25 hours and no microsecond is ever rounded. Opening
hours are wall-clock windows that belong to the local date they start on. A wall time that a clock change
leaves out stands for the first instant after it, one that happens twice for its first time.

A question without an answer raises `NeverOpen` or `BeyondHorizon`; no answer is ever a clamp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flowdesk.engine.spans import ZERO, Span, Timeline, as_utc, intersect, subtract, union

DEFAULT_ZONE = "Europe/Stockholm"
DEFAULT_HORIZON_YEARS = 50
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
# Years whose neighbours still fit into what `datetime` can count.
FIRST_YEAR, LAST_YEAR = MINYEAR + 1, MAXYEAR - 1
NOTHING_LAID_OUT = Timeline((), first=datetime.max.replace(tzinfo=UTC), last=datetime.min.replace(tzinfo=UTC))
MIDNIGHT = time(0)
MOST_REMEMBERED = 20_000  # answers about business days
MonthDay = tuple[int, int]


class NeverOpen(Exception):  # named for the fault
    """The calendar has no open time at all."""


class BeyondHorizon(Exception):  # named for the fault
    """The answer lies further away than the calendar looks."""


class Weekday(IntEnum):
    """The days of the week as `date.weekday()` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


WORKING_WEEK = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """Wall-clock hours from `opens` up to `closes`.

    A window that closes no later than it opens runs across midnight: 22:00-06:00 is a night, 09:00-00:00
    lasts until midnight, 00:00-00:00 is the whole day. Raises ValueError for a time with a zone.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise ValueError("opening hours are wall-clock times; the calendar has the zone")

    def on(self, day: date) -> tuple[datetime, datetime]:
        """The local times at which the window of `day` opens and closes."""
        last_day = day if self.closes > self.opens else day + DAY
        return datetime.combine(day, self.opens), datetime.combine(last_day, self.closes)


WHOLE_DAY = Window(opens=MIDNIGHT, closes=MIDNIGHT)
OFFICE_HOURS = Window(opens=time(9), closes=time(17))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A closed day or, with a `window`, a closed part of one.

    A whole-day holiday removes the windows that start on it: a night begun the day before runs on. A part
    closes exactly its hours, whichever window they lie in. A `yearly` one returns on the same day of every
    year, before and after `on`; a yearly 29 February exists in leap years only.
    """

    on: date
    name: str = ""
    yearly: bool = False
    window: Window | None = None


def resolve_local(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last instant at which clocks in `zone` show `local`, a datetime without a zone.

    They differ only where clocks go back. A time that clocks skip gives the first instant after it, twice.
    Raises ValueError for a datetime with a zone.
    """
    if local.tzinfo is not None:
        raise ValueError(f"{local.isoformat()} has a zone; a wall time has none")
    first = local.replace(tzinfo=zone, fold=0)
    last = local.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), last.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        instant = first.astimezone(UTC)
        return instant, instant
    if before > after:
        return first.astimezone(UTC), last.astimezone(UTC)
    # In a gap both readings miss: one lies before the change and one after it. Halve down to the change.
    early, late = last.astimezone(UTC), first.astimezone(UTC)
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    change = late.replace(microsecond=0)
    return change, change


@dataclass(frozen=True, slots=True)
class _DayLater:
    """An open day some business days after another, for what begins on that before the first hours on the way end.

    `shift` is how far apart the same wall time is on the two, where no clock changes around them.
    """

    day: date
    spans: Sequence[Span]
    since_before: datetime
    shift: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessCalendar:
    """When a promise's time runs: weekly hours, holidays, dated hours and breaks in one zone.

    `week` and `breaks` map weekdays to windows; breaks given as plain windows hold every day. `dated_hours`
    are the last word on their date: they stand in for its weekday's windows, and holidays on that date do
    not touch them. Breaks are cut out of all of it. Windows may overlap and touch; time counts once.

    A question reaches at most `horizon_years` (at least 3, of 366 days each) from the instant it starts at.

    Calendars are values: equal and hashable by what they say, safe to share between threads. Open spans are
    laid out for whole years when first asked for and then remembered, so keep a calendar rather than
    building it again. Raises ValueError for an unknown zone or a horizon that is too short.
    """

    name: str = ""
    zone: str = DEFAULT_ZONE
    week: Mapping[Weekday, tuple[Window, ...]] = field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()
    dated_hours: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    breaks: Mapping[Weekday, tuple[Window, ...]] | tuple[Window, ...] = ()
    horizon_years: int = DEFAULT_HORIZON_YEARS
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _reach: timedelta = field(init=False, repr=False, compare=False)
    _is_always_open: bool = field(init=False, repr=False, compare=False)
    _holidays: Mapping[date | MonthDay, list[Holiday]] = field(init=False, repr=False, compare=False)
    _timeline: Timeline = field(init=False, repr=False, compare=False)
    _days: dict[date, tuple[Span, ...]] = field(init=False, repr=False, compare=False)
    _later: dict[tuple[date, int], _DayLater] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.horizon_years < 3:
            raise ValueError(f"a horizon of {self.horizon_years} years is too short; 3 is the least")
        breaks = self.breaks if isinstance(self.breaks, Mapping) else dict.fromkeys(Weekday, self.breaks)
        self._set("_zone", zone_named(self.zone))
        self._set("_reach", 366 * DAY * self.horizon_years)
        self._set("week", _weekly(self.week))
        self._set("breaks", _weekly(breaks))
        self._set("holidays", tuple(self.holidays))
        hours = {day: tuple(sorted(self.dated_hours[day])) for day in sorted(self.dated_hours)}
        self._set("dated_hours", MappingProxyType(hours))
        exceptions = (self.holidays, self.dated_hours, self.breaks)
        whole_week = all(WHOLE_DAY in self.week.get(weekday, ()) for weekday in Weekday)
        self._set("_is_always_open", whole_week and not any(exceptions))
        self._set("_holidays", _holidays_by_day(self.holidays))
        self._set("_timeline", NOTHING_LAID_OUT)
        self._set("_days", {})
        self._set("_later", {})

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        hours = (tuple(self.week.items()), tuple(self.dated_hours.items()))
        return hash((self.name, self.zone, hours, self.holidays, self.horizon_years))

    def __reduce__(self) -> tuple[Callable[..., BusinessCalendar], tuple[dict[str, object]]]:
        # Read-only mappings cannot be pickled, and what is laid out need not be.
        said = {name: getattr(self, name) for name in ("name", "zone", "holidays", "horizon_years")}
        plain = {name: dict(getattr(self, name)) for name in ("week", "dated_hours", "breaks")}
        return _calendar_from, ({**said, **plain},)

    # How much, and until when

    def add(self, start: datetime, length: timedelta) -> datetime:
        """The first instant by which `length` of open time has passed since `start`.

        An amount used up exactly at closing lands on the closing instant. Nothing added gives `start` when
        it is open or a closing instant, else the next opening. Raises ValueError for a negative length.
        """
        if start.tzinfo is not UTC:
            start = as_utc(start)
        if length > ZERO:
            landing = self._timeline.add(start, length)
            return self._add_further(start, length) if landing is None else landing
        if length < ZERO:
            raise ValueError("cannot add a negative length; subtract it")
        return start if self._touches(start) else self.next_open(start)

    def subtract(self, end: datetime, length: timedelta) -> datetime:
        """The last instant from which `length` of open time passes until `end`; mirrors `add`.

        An amount used up exactly at opening lands on the opening instant. Nothing subtracted gives `end`
        when it is open or a closing instant, else the closing before it. Raises ValueError if negative.
        """
        end = as_utc(end)
        if length < ZERO:
            raise ValueError("cannot subtract a negative length; add it")
        if length == ZERO:
            return self.previous_open(end)
        landing = self._moved(end, -length)
        if self._is_always_open:
            return landing
        return self._look_back(end, lambda timeline: timeline.subtract(end, length))

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Open time in `[start, end)`; zero when `end` is not after `start` or nothing ever opens."""
        if start.tzinfo is not UTC:
            start = as_utc(start)
        if end.tzinfo is not UTC:
            end = as_utc(end)
        if end <= start:
            return ZERO
        timeline = self._timeline
        if not (timeline.covers(start) and timeline.covers(end)):
            if self._is_always_open:
                return self._moved(start, end - start) - start
            timeline = self._timeline_from(start, until=end)
        return timeline.opened(end) - timeline.opened(start)

    def signed_elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Open time from `start` to `end`, negative when `end` comes first."""
        start, end = as_utc(start), as_utc(end)
        return self.elapsed(start, end) if start <= end else -self.elapsed(end, start)

    # Open or not

    def is_open(self, at: datetime) -> bool:
        """Whether `at` lies in open time; a closing instant does not."""
        at = as_utc(at)
        return self._is_always_open or self._timeline_around(at).is_open(at)

    def next_open(self, at: datetime) -> datetime:
        """The first open instant from `at` on: `at` itself when it is open."""
        at = as_utc(at)
        if self._is_always_open or self._timeline_around(at).is_open(at):
            return at
        return self.next_change(at)

    def previous_open(self, at: datetime) -> datetime:
        """`at` when it is open or a closing instant, else the last closing instant before it."""
        at = as_utc(at)
        return at if self._touches(at) else self.previous_change(at)

    def next_close(self, at: datetime) -> datetime:
        """The first closing instant after `at`."""
        return self.next_change(self.next_open(at))

    def next_change(self, at: datetime) -> datetime:
        """The first opening or closing instant after `at`."""
        at = as_utc(at)
        return self._look_ahead(at, lambda timeline: timeline.change_after(at))

    def previous_change(self, at: datetime) -> datetime:
        """The last opening or closing instant before `at`."""
        at = as_utc(at)
        return self._look_back(at, lambda timeline: timeline.change_before(at))

    # Spans

    def spans(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """The open spans in `[start, end)`, cut at its edges; none when `end` is not after `start`."""
        start, end = as_utc(start), as_utc(end)
        if end <= start:
            return ()
        if self._is_always_open:
            return (Span(start, self._moved(start, end - start)),)
        return self._timeline_from(start, until=end).between(start, end)

    def spans_after(self, at: datetime) -> Iterator[Span]:
        """Open spans in order, the first cut to begin at `at`; endless until no change is in reach."""
        start = self.next_open(at)
        while True:
            end = self.next_change(start)
            yield Span(start, end)
            start = self.next_change(end)

    def spans_before(self, at: datetime) -> Iterator[Span]:
        """Open spans from late to early, the first cut to end at `at`; endless like `spans_after`."""
        end, start = as_utc(at), self.previous_change(at)
        if not self.is_open(start):
            end, start = start, self.previous_change(start)
        while True:
            yield Span(start, end)
            end = self.previous_change(start)
            start = self.previous_change(end)

    # Business days

    def add_business_days(self, start: datetime, days: int) -> datetime:
        """The same wall time on the `days`-th open day after `start`'s.

        `start` is moved to its next open instant first, and belongs to the local date whose window it lies
        in: two in the morning of a night shift is still the evening before. On the day found, a time before
        the first opening becomes that opening, one in a gap or after the last closing becomes the closing
        before it. An open day is a local date that windows with open time start on. Raises ValueError for
        negative `days`.
        """
        if days < 0:
            raise ValueError("cannot add a negative number of business days")
        start = self.next_open(start)
        if not days:
            return start
        local = start.astimezone(self._zone)
        owner = local.date()
        for span in self._spans_of(owner):
            if span.start <= start < span.end:
                break
        else:
            owner -= DAY
        later = self._later.get((owner, days))
        if later is None or start >= later.since_before:
            later = self._day_later(owner, days, since=start)
        if later.shift is not None:
            at = start + later.shift
        else:
            wall_time = local.replace(tzinfo=None, fold=0) - datetime.combine(owner, MIDNIGHT)
            at = self.resolve_local(datetime.combine(later.day, MIDNIGHT) + wall_time)[0]
        begun = [span for span in later.spans if span.start <= at]
        return min(at, begun[-1].end) if begun else later.spans[0].start

    def business_days(self, first: date, until: date) -> tuple[date, ...]:
        """The open days from `first` up to but not including `until`."""
        days = (first + DAY * n for n in range((until - first).days))
        return tuple(day for day in days if self._spans_of(day))

    def count_business_days(self, first: date, until: date) -> int:
        """How many open days lie from `first` up to but not including `until`."""
        return len(self.business_days(first, until))

    def resolve_local(self, local: datetime) -> tuple[datetime, datetime]:
        """The first and the last instant with this wall time in the calendar's zone; see `resolve_local`."""
        return resolve_local(local, self._zone)

    # Hours of one date

    def _spans_of(self, day: date) -> tuple[Span, ...]:
        """The open time of the windows that start on the local date `day`, laid out when first asked for."""
        spans = self._days.get(day)
        if spans is None:
            spans = self._days[day] = self._hours_of(day)
        return spans

    def _hours_of(self, day: date) -> tuple[Span, ...]:
        windows = self._windows_of(day)
        if not windows:
            return ()
        spans = union(self._instants(day, window) for window in windows)
        # A closed part may have begun the day before, and a night is cut by those of the day after.
        near = (day - DAY, day, day + DAY)
        closed = [self._instants(other, part) for other in near for part in self._closed_parts_of(other)]
        return subtract(spans, closed) if closed else spans

    def _windows_of(self, day: date) -> tuple[Window, ...]:
        if day in self.dated_hours:
            return self.dated_hours[day]
        windows = self.week.get(Weekday(day.weekday()), ())
        if windows and any(holiday.window is None for holiday in self._holidays_of(day)):
            return ()
        return windows

    def _holidays_of(self, day: date) -> Iterator[Holiday]:
        yield from self._holidays.get(day, ())
        yield from self._holidays.get((day.month, day.day), ())

    def _closed_parts_of(self, day: date) -> Iterator[Window]:
        assert isinstance(self.breaks, Mapping)
        yield from self.breaks.get(Weekday(day.weekday()), ())
        if day not in self.dated_hours:
            for holiday in self._holidays_of(day):
                if holiday.window is not None:
                    yield holiday.window

    def _instants(self, day: date, window: Window) -> Span:
        opens, closes = window.on(day)
        return Span(self.resolve_local(opens)[0], self.resolve_local(closes)[0])

    def _day_later(self, owner: date, days: int, *, since: datetime) -> _DayLater:
        """The `days`-th open day after `owner` for what begins at `since`, remembered for what begins as well there."""
        day, spans = self._open_day_after(owner, days, since=since)
        on_the_way = [owner + DAY * n for n in range(1, (day - owner).days + 1)]
        first_end = min(span.end for passed in on_the_way for span in self._spans_of(passed))
        found = _DayLater(day, spans, first_end, self._shift(owner, day))
        if since < first_end:
            if len(self._later) >= MOST_REMEMBERED:
                self._later.clear()
            self._later[owner, days] = found
        return found

    def _shift(self, owner: date, day: date) -> timedelta | None:
        """How far the same wall time lies apart on two days and in the nights after them; None when clocks change."""
        shifts = []
        for one in (owner, day):
            midnights = [datetime.combine(one + DAY * n, MIDNIGHT) for n in range(3)]
            instants = [instant for midnight in midnights for instant in self.resolve_local(midnight)]
            if [instant - instants[0] for instant in instants] != [n * DAY for n in (0, 0, 1, 1, 2, 2)]:
                return None
            shifts.append(instants[0])
        return shifts[1] - shifts[0]

    def _open_day_after(self, day: date, days: int, *, since: datetime) -> tuple[date, list[Span]]:
        """The `days`-th open day after `day`, at least the first, with its spans that end after `since`."""
        found, spans = day, list[Span]()
        while days:
            if found - day >= self._reach or found.year > LAST_YEAR:
                raise BeyondHorizon(f"no such business day within {self.horizon_years} years of {day}")
            found += DAY
            # A long night may outlast all hours of the next date; those are over and no further day.
            spans = [span for span in self._spans_of(found) if span.end > since]
            days -= bool(spans)
        return found, spans

    # Laying out years

    def _moved(self, at: datetime, length: timedelta) -> datetime:
        """`at` moved by real time; raises BeyondHorizon."""
        if abs(length) > self._reach:
            raise self._out_of_reach(at)
        try:
            return at + length
        except OverflowError:
            raise self._out_of_reach(at) from None

    def _touches(self, at: datetime) -> bool:
        return self._is_always_open or self._timeline_around(at).touches(at)

    def _add_further(self, start: datetime, length: timedelta) -> datetime:
        landing = self._moved(start, length)
        if self._is_always_open:
            return landing
        return self._look_ahead(start, lambda timeline: timeline.add(start, length))

    def _look_ahead(self, at: datetime, ask: Callable[[Timeline], datetime | None]) -> datetime:
        """The first answer of ever longer timelines after `at`; raises NeverOpen or BeyondHorizon."""
        timeline, more = self._timeline_around(at), 1
        while (answer := ask(timeline)) is None:
            if self._never_changes() or timeline.last - at > self._reach:
                raise self._out_of_reach(at)
            timeline = self._laid_out(self._year(at), self._year(timeline.last) - 1 + more)
            more = min(2 * more, self.horizon_years)
        if answer - at > self._reach:
            raise self._out_of_reach(at)
        return answer

    def _look_back(self, at: datetime, ask: Callable[[Timeline], datetime | None]) -> datetime:
        """The first answer of ever longer timelines before `at`; raises NeverOpen or BeyondHorizon."""
        timeline, more = self._timeline_around(at), 1
        while (answer := ask(timeline)) is None:
            if self._never_changes() or at - timeline.first > self._reach:
                raise self._out_of_reach(at)
            timeline = self._laid_out(self._year(timeline.first) - more, self._year(at))
            more = min(2 * more, self.horizon_years)
        if at - answer > self._reach:
            raise self._out_of_reach(at)
        return answer

    def _out_of_reach(self, at: datetime) -> NeverOpen | BeyondHorizon:
        if self._never_opens():
            return NeverOpen(f"calendar {self.name or self.zone!r} is never open")
        return BeyondHorizon(f"no answer within {self.horizon_years} years of {at.isoformat()}")

    def _never_changes(self) -> bool:
        return self._is_always_open or self._never_opens()

    def _never_opens(self) -> bool:
        # Any fortnight without exceptions shows every weekday and the nights between them.
        monday = date(2024, 1, 1)
        plain = replace(self, zone="UTC", holidays=(), dated_hours={})
        return not (
            plain.business_days(monday, monday + 14 * DAY)
            or any(self._spans_of(day) for day in self.dated_hours)
        )

    def _timeline_around(self, at: datetime) -> Timeline:
        timeline = self._timeline
        if timeline.covers(at):
            return timeline
        # Most questions look ahead by days: late in the year they need the next one as well.
        return self._laid_out(self._year(at, -5 * DAY), self._year(at, 90 * DAY))

    def _timeline_from(self, start: datetime, *, until: datetime) -> Timeline:
        if until - start > self._reach:
            raise self._out_of_reach(start)
        return self._laid_out(self._year(start, -DAY), self._year(until, DAY))

    def _year(self, at: datetime, moved: timedelta = ZERO) -> int:
        """The local year of `at` moved by some days; raises BeyondHorizon at the ends of all time."""
        if not FIRST_YEAR < at.year < LAST_YEAR:
            raise BeyondHorizon(f"{at.isoformat()} lies beyond every calendar")
        return (at + moved).astimezone(self._zone).year

    def _laid_out(self, first: int, last: int) -> Timeline:
        """A timeline of at least the years from `first` to `last`, remembered where it is not too long."""
        known = self._timeline
        have = range(0)
        if known is not NOTHING_LAID_OUT:
            have = range(self._year(known.first), self._year(known.last))
            years = range(min(first, have.start), max(last + 1, have.stop))
        if not have or len(years) > self.horizon_years:
            have, years = range(0), range(first, last + 1)
        if years == have:
            return known
        spans = list(known.spans()) if have else []
        for year in years:
            if year not in have:
                spans.extend(self._spans_of_year(year))
        timeline = Timeline(union(spans), first=self._new_year(years.start), last=self._new_year(years.stop))
        # Within the horizon a remembered timeline never needs to check how far an answer lies; and no
        # lock is needed: threads that race build equal timelines, and either may stay.
        if len(years) <= self.horizon_years:
            self._set("_timeline", timeline)
        return timeline

    def _spans_of_year(self, year: int) -> tuple[Span, ...]:
        if not FIRST_YEAR < year < LAST_YEAR:
            raise BeyondHorizon(f"the year {year} lies beyond every calendar")
        # The last night of the year before runs into this one.
        start = date(year, 1, 1) - DAY
        days = (start + DAY * n for n in range((date(year + 1, 1, 1) - start).days))
        spans = (span for day in days for span in self._spans_of(day))
        return intersect(spans, [Span(self._new_year(year), self._new_year(year + 1))])

    def _new_year(self, year: int) -> datetime:
        return self.resolve_local(datetime(year, 1, 1))[0]  # noqa: DTZ001  # a wall time on purpose


def zone_named(name: str) -> ZoneInfo:
    """The zone with this IANA name; raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise ValueError(f"unknown time zone {name!r}") from fault


def _weekly(
    windows: Mapping[Weekday, Iterable[Window]],
) -> Mapping[Weekday, tuple[Window, ...]]:
    """Sorted windows by weekday, without empty days, so that equal weeks compare equal."""
    sorted_days = {Weekday(day): tuple(sorted(windows[day])) for day in sorted(windows)}
    return MappingProxyType({day: hours for day, hours in sorted_days.items() if hours})


def _holidays_by_day(holidays: Iterable[Holiday]) -> Mapping[date | MonthDay, list[Holiday]]:
    by_day: dict[date | MonthDay, list[Holiday]] = {}
    for holiday in holidays:
        key = (holiday.on.month, holiday.on.day) if holiday.yearly else holiday.on
        by_day.setdefault(key, []).append(holiday)
    return MappingProxyType(by_day)


def _calendar_from(said: dict[str, object]) -> BusinessCalendar:
    return BusinessCalendar(**said)  # type: ignore[arg-type]  # what a calendar itself has said


# Presets


def always_open(zone: str = DEFAULT_ZONE) -> BusinessCalendar:
    """24/7, without holidays."""
    return BusinessCalendar(name="24/7", zone=zone, week=dict.fromkeys(Weekday, (WHOLE_DAY,)))


def weekdays_around_the_clock(zone: str = DEFAULT_ZONE) -> BusinessCalendar:
    """24/5: from Monday 00:00 to Saturday 00:00 local time, without holidays."""
    return BusinessCalendar(name="24/5", zone=zone, week=dict.fromkeys(WORKING_WEEK, (WHOLE_DAY,)))


def business_hours(zone: str = DEFAULT_ZONE, holidays: tuple[Holiday, ...] = ()) -> BusinessCalendar:
    """Monday to Friday, 09:00 to 17:00 local time."""
    week = dict.fromkeys(WORKING_WEEK, (OFFICE_HOURS,))
    return BusinessCalendar(name="business hours", zone=zone, week=week, holidays=holidays)


# Targets


class Unit(StrEnum):
    """What an amount of a promise counts."""

    MINUTES = "minutes"  # of all time
    BUSINESS_MINUTES = "business_minutes"  # of open time
    BUSINESS_DAYS = "business_days"


def due_at(calendar: BusinessCalendar, start: datetime, amount: int, unit: Unit) -> datetime:
    """When a promise of `amount` units given at `start` falls due, as long as nothing pauses it.

    `minutes` are of all time, open or not. Raises ValueError for a negative amount.
    """
    if amount < 0:
        raise ValueError("a promise cannot be negative")
    match unit:
        case Unit.MINUTES:
            return as_utc(start) + timedelta(minutes=amount)
        case Unit.BUSINESS_MINUTES:
            return calendar.add(start, timedelta(minutes=amount))
        case Unit.BUSINESS_DAYS:
            return calendar.add_business_days(start, amount)


def frozen_target(calendar: BusinessCalendar, start: datetime, amount: int, unit: Unit) -> timedelta:
    """The open time between `start` and when the promise falls due; percent steps and pauses count on it.

    Two instants can close the same open time. `calendar.add(start, frozen)` is the earlier: where `due_at`
    lies outside open time or on an opening, it gives the closing before. And a promise in `minutes` that
    begins and ends outside open time freezes to zero (`has_no_open_time` tells): there is nothing to take
    a percentage of, every step falls at `due_at`, and no pause can move it.
    """
    return calendar.elapsed(start, due_at(calendar, start, amount, unit))


def has_no_open_time(calendar: BusinessCalendar, start: datetime, amount: int, unit: Unit) -> bool:
    """Whether a promise falls due before any open time passes, so that its frozen target is zero."""
    return frozen_target(calendar, start, amount, unit) == ZERO
