"""Laws that hold on every calendar, and an oracle that walks the minutes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowdesk.engine.business_time import (
    BeyondHorizon,
    BusinessCalendar,
    Holiday,
    Weekday,
    Window,
    always_open,
    business_hours,
)
from flowdesk.engine.spans import ZERO, Span, total

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# North, half an hour, south, none at all, at midnight.
ZONES = (
    "Europe/Stockholm",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Asia/Kolkata",
)
# Days around clock changes of these zones in 2026, and around New Year.
EVENTFUL = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 9, 27), date(2026, 10, 4)]
EVENTFUL += [date(2026, 10, 25), date(2026, 11, 1), date(2026, 1, 1)]

# No opening or closing lies in an hour that happens twice: there wall time alone cannot tell.
wall_times = st.builds(
    time, hour=st.sampled_from([0, *range(3, 24)]), minute=st.sampled_from([0, 15, 20, 30, 59])
)


def is_long_enough(window: Window) -> bool:
    """At least two hours: of less, the horizon of these calendars would not hold the lengths asked for."""
    opens, closes = window.on(date(2026, 6, 1))
    return closes - opens >= 2 * HOUR


windows = st.builds(Window, opens=wall_times, closes=wall_times).filter(is_long_enough)
hours = st.lists(windows, min_size=1, max_size=2).map(tuple)
days = st.builds(lambda day, off: day + off * DAY, st.sampled_from(EVENTFUL), st.integers(-3, 3))
holidays = st.builds(Holiday, on=days, yearly=st.booleans(), window=st.none() | windows)
calendars = st.builds(
    BusinessCalendar,
    zone=st.sampled_from(ZONES),
    week=st.dictionaries(st.sampled_from(Weekday), hours, min_size=2),
    holidays=st.lists(holidays, max_size=3).map(tuple),
    dated_hours=st.dictionaries(days, st.lists(windows, max_size=2).map(tuple), max_size=2),
    breaks=st.lists(
        st.builds(lambda hour: Window(opens=time(hour), closes=time(hour, 45)), st.integers(3, 23)),
        max_size=1,
    ).map(tuple),
    horizon_years=st.just(3),
)
minutes = st.builds(
    lambda day, minute: datetime.combine(day, time(0), tzinfo=UTC) + minute * MINUTE,
    days,
    st.integers(0, 1439),
)
instants = st.builds(lambda at, more: at + more, minutes, st.timedeltas(-30 * DAY, 30 * DAY))
lengths = st.timedeltas(timedelta.resolution, 2 * DAY)

thorough = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def walks_open(calendar: BusinessCalendar, at: datetime) -> bool:
    """Whether `at` is open, told from the wall clock alone."""
    local = at.astimezone(ZoneInfo(calendar.zone)).replace(tzinfo=None)

    def is_within(window: Window, day: date) -> bool:
        opens, closes = datetime.combine(day, window.opens), datetime.combine(day, window.closes)
        return opens <= local < (closes if closes > opens else closes + DAY)

    def holidays_on(day: date) -> list[Holiday]:
        if day in calendar.dated_hours:
            return []
        same = [one for one in calendar.holidays if one.on == day]
        return same + [
            one
            for one in calendar.holidays
            if one.yearly and one.on != day and (one.on.month, one.on.day) == (day.month, day.day)
        ]

    is_open = False
    for day in (local.date() - DAY, local.date()):
        weekday = Weekday(day.weekday())
        own = calendar.dated_hours.get(day, calendar.week.get(weekday, ()))
        if not any(one.window is None for one in holidays_on(day)):
            is_open |= any(is_within(window, day) for window in own)
    for day in (local.date() - DAY, local.date()):
        assert not isinstance(calendar.breaks, tuple)
        closed = list(calendar.breaks.get(Weekday(day.weekday()), ()))
        closed += [one.window for one in holidays_on(day) if one.window is not None]
        if any(is_within(window, day) for window in closed):
            return False
    return is_open


@thorough
@given(calendars, minutes, st.integers(1, 2 * 1440))
def test_elapsed_agrees_with_walking_the_minutes(
    calendar: BusinessCalendar, start: datetime, length: int
) -> None:
    walked = sum(walks_open(calendar, start + n * MINUTE) for n in range(length))

    assert calendar.elapsed(start, start + length * MINUTE) == walked * MINUTE


@thorough
@given(calendars, minutes, st.integers(1, 600))
def test_adding_agrees_with_walking_the_minutes(
    calendar: BusinessCalendar, start: datetime, length: int
) -> None:
    at, left = start, length
    while left and at - start < 3 * DAY:
        left -= walks_open(calendar, at)
        at += MINUTE

    landing = calendar.add(start, length * MINUTE)

    assert landing == at if not left else landing > at


@thorough
@given(calendars, minutes, st.integers(1, 600))
def test_subtracting_agrees_with_walking_back(calendar: BusinessCalendar, end: datetime, length: int) -> None:
    at, left = end, length
    while left and end - at < 3 * DAY:
        at -= MINUTE
        left -= walks_open(calendar, at)

    landing = calendar.subtract(end, length * MINUTE)

    assert landing == at if not left else landing < at


@thorough
@given(calendars, instants, lengths)
def test_what_is_added_has_elapsed(calendar: BusinessCalendar, start: datetime, length: timedelta) -> None:
    assert calendar.elapsed(start, calendar.add(start, length)) == length


@thorough
@given(calendars, instants)
def test_nothing_elapses_while_nothing_is_added(calendar: BusinessCalendar, start: datetime) -> None:
    assert calendar.elapsed(start, calendar.add(start, ZERO)) == ZERO
    assert calendar.elapsed(calendar.subtract(start, ZERO), start) == ZERO


@thorough
@given(calendars, instants, lengths)
def test_what_is_subtracted_elapses_again(
    calendar: BusinessCalendar, end: datetime, length: timedelta
) -> None:
    assert calendar.elapsed(calendar.subtract(end, length), end) == length


@thorough
@given(calendars, instants, lengths)
def test_subtracting_what_was_added_leads_back(
    calendar: BusinessCalendar, start: datetime, length: timedelta
) -> None:
    opened = calendar.next_open(start)

    back = calendar.subtract(calendar.add(start, length), length)

    assert back == opened


@thorough
@given(calendars, instants, lengths, lengths)
def test_adding_in_two_parts_is_adding_once(
    calendar: BusinessCalendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    assert calendar.add(calendar.add(start, one), other) == calendar.add(start, one + other)


@thorough
@given(calendars, instants, instants, instants)
def test_splitting_a_stretch_keeps_its_total(
    calendar: BusinessCalendar, a: datetime, b: datetime, c: datetime
) -> None:
    a, b, c = sorted((a, b, c))

    assert calendar.elapsed(a, b) + calendar.elapsed(b, c) == calendar.elapsed(a, c)


@thorough
@given(calendars, instants, instants)
def test_spans_add_up_to_what_elapsed(calendar: BusinessCalendar, a: datetime, b: datetime) -> None:
    a, b = sorted((a, b))
    spans = calendar.spans(a, b)

    assert total(spans) == calendar.elapsed(a, b) == -calendar.signed_elapsed(b, a)
    assert all(a <= span.start < span.end <= b for span in spans)


@thorough
@given(calendars, instants, instants, lengths, lengths)
def test_starting_later_or_needing_more_never_ends_earlier(
    calendar: BusinessCalendar, a: datetime, b: datetime, one: timedelta, other: timedelta
) -> None:
    a, b = sorted((a, b))
    one, other = sorted((one, other))

    assert calendar.add(a, one) <= calendar.add(b, one)
    assert calendar.add(a, one) <= calendar.add(a, other)
    assert calendar.subtract(a, one) <= calendar.subtract(b, one)


@thorough
@given(calendars, instants)
def test_a_change_ends_what_held_before_it(calendar: BusinessCalendar, at: datetime) -> None:
    try:
        after, before = calendar.next_change(at), calendar.previous_change(at)
    except BeyondHorizon:
        return  # this calendar happens to be open all the time

    assert before < at < after
    assert calendar.is_open(at) != calendar.is_open(after)
    assert calendar.is_open(before) != calendar.is_open(before - timedelta.resolution)
    assert calendar.elapsed(at, after) == (after - at if calendar.is_open(at) else ZERO)


@thorough
@given(calendars, instants)
def test_spans_after_and_before_are_the_spans_between(calendar: BusinessCalendar, at: datetime) -> None:
    try:
        after = list(islice(calendar.spans_after(at), 3))
        before = list(islice(calendar.spans_before(at), 3))
    except BeyondHorizon:
        return  # this calendar happens to be open all the time

    assert calendar.spans(at, after[-1].end) == tuple(after)
    assert calendar.spans(before[-1].start, at) == tuple(reversed(before))


@thorough
@given(calendars, instants, st.integers(1, 8))
def test_a_business_day_lands_on_the_nth_open_day(
    calendar: BusinessCalendar, start: datetime, days: int
) -> None:
    zone = ZoneInfo(calendar.zone)
    start = calendar.next_open(start)

    landing = calendar.add_business_days(start, days)

    assert landing > start
    assert calendar.previous_open(landing) == landing
    # A night belongs to the date before, at either end, and may outlast all hours of the next date.
    first, last = start.astimezone(zone).date(), landing.astimezone(zone).date()
    assert days - 1 <= calendar.count_business_days(first + DAY, last + DAY) <= days + 2


@settings(deadline=None)
@given(st.sampled_from(ZONES), instants, st.integers(0, 20), st.integers(0, 20))
def test_office_days_add_up(zone: str, start: datetime, one: int, other: int) -> None:
    office = business_hours(zone)

    assert office.add_business_days(office.add_business_days(start, one), other) == office.add_business_days(
        start, one + other
    )


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(ZONES), instants, lengths)
def test_two_halves_of_every_day_are_around_the_clock(zone: str, start: datetime, length: timedelta) -> None:
    halves = (Window(opens=time(0), closes=time(12)), Window(opens=time(12), closes=time(0)))
    halved = BusinessCalendar(zone=zone, week=dict.fromkeys(Weekday, halves), horizon_years=3)
    whole = always_open(zone)

    assert halved.add(start, length) == whole.add(start, length) == start + length
    assert halved.subtract(start, length) == whole.subtract(start, length) == start - length
    assert halved.elapsed(start, start + length) == whole.elapsed(start, start + length) == length
    assert halved.add_business_days(start, 3) == whole.add_business_days(start, 3)


@pytest.mark.parametrize("asked_first", [1995, 2019, 2026, 2033, 2090])
def test_an_answer_does_not_depend_on_what_was_asked_before(asked_first: int) -> None:
    questions: list[Callable[[BusinessCalendar, datetime], object]] = [
        lambda calendar, at: calendar.add(at, 3000 * HOUR),
        lambda calendar, at: calendar.subtract(at, 3000 * HOUR),
        lambda calendar, at: calendar.elapsed(at, at + 700 * DAY),
        lambda calendar, at: calendar.next_change(at),
        lambda calendar, at: calendar.spans(at, at + 30 * DAY),
    ]
    asked = business_hours()
    asked.is_open(datetime(asked_first, 6, 1, tzinfo=UTC))

    for year in (2026, 1990, 2033, 2050, 2025):
        at = datetime(year, 12, 31, 12, tzinfo=UTC)
        for question in questions:
            assert question(asked, at) == question(business_hours(), at)


def test_threads_that_share_a_calendar_get_the_same_answers() -> None:
    shared = business_hours()
    starts = [datetime(2000 + n % 40, 1 + n % 12, 1, 10, tzinfo=UTC) for n in range(200)]

    with ThreadPoolExecutor(8) as threads:
        landings = list(threads.map(lambda start: shared.add(start, 100 * HOUR), starts))

    fresh = business_hours()
    assert landings == [fresh.add(start, 100 * HOUR) for start in starts]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(ZONES), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_a_wall_time_resolves_to_instants_that_show_it(zone: str, local: datetime) -> None:
    first, last = business_hours(zone).resolve_local(local)
    shown = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in (first, last)]

    assert first <= last
    assert shown[0] == shown[1] or first == last
    assert shown[0] >= local


def test_a_span_of_one_microsecond_can_be_open() -> None:
    sliver = Window(opens=time(9), closes=time(9, 0, 0, 1))
    calendar = BusinessCalendar(zone="UTC", week={Weekday.MONDAY: (sliver,)})
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)

    assert calendar.spans(monday, monday + 7 * DAY) == (Span(monday, monday + timedelta.resolution),)
    assert calendar.add(monday, 3 * timedelta.resolution) == monday + 14 * DAY + timedelta.resolution
