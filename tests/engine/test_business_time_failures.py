"""Failures known from other desks, each kept out by a test that is named after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from flowdesk.engine.business_time import (
    BusinessCalendar,
    Holiday,
    Unit,
    Weekday,
    Window,
    always_open,
    business_hours,
    due_at,
    frozen_target,
    weekdays_around_the_clock,
)
from flowdesk.engine.spans import ZERO

STOCKHOLM = ZoneInfo("Europe/Stockholm")
HOUR = timedelta(hours=1)
EPIPHANY = Holiday(on=date(2026, 1, 6), name="Epiphany")
OFFICE = business_hours(holidays=(EPIPHANY,))


def at(day: date | str, hour: int = 0, minute: int = 0) -> datetime:
    on = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime.combine(on, time(hour, minute), tzinfo=STOCKHOLM)


def test_business_hours_ignored_in_a_breach() -> None:
    friday, monday = at("2026-01-09", 16, 30), at("2026-01-12", 9, 30)

    assert due_at(OFFICE, friday, 60, Unit.BUSINESS_MINUTES) == monday
    assert OFFICE.elapsed(friday, monday - timedelta.resolution) < HOUR


def test_a_hold_added_as_wall_time_is_wrong_on_holidays() -> None:
    start, held, resumed = at("2026-01-05", 10), at("2026-01-05", 16), at("2026-01-07", 10)
    target = 8 * HOUR

    paused = OFFICE.elapsed(held, resumed)
    due = OFFICE.add(start, target + paused)

    assert paused == 2 * HOUR
    assert due == at("2026-01-07", 12)


def test_pausing_on_a_holiday_looks_broken() -> None:
    held, resumed = at("2026-01-06", 10), at("2026-01-06", 15)

    assert OFFICE.elapsed(held, resumed) == ZERO
    # What the screen shows instead: closed, and from when on time runs again.
    assert not OFFICE.is_open(held)
    assert OFFICE.next_open(resumed) == at("2026-01-07", 9)


@pytest.mark.parametrize("day", ["2026-01-06", "2026-01-10", "2026-01-11"])
def test_a_start_on_a_day_without_work_counts_from_that_days_clock(day: str) -> None:
    morning = OFFICE.next_open(at(day, 15))

    assert OFFICE.add(at(day, 15), HOUR) == morning + HOUR
    assert OFFICE.add_business_days(at(day, 15), 1) == OFFICE.add_business_days(morning, 1)


def test_one_day_means_three_days_because_it_is_twenty_four_office_hours() -> None:
    start = at("2026-01-12", 10)

    assert due_at(OFFICE, start, 1, Unit.BUSINESS_DAYS) == at("2026-01-13", 10)
    assert frozen_target(OFFICE, start, 1, Unit.BUSINESS_DAYS) == 8 * HOUR


@pytest.mark.parametrize("calendar", [OFFICE, always_open(), weekdays_around_the_clock()])
def test_levels_before_the_deadline_fall_outside_the_calendar(calendar: BusinessCalendar) -> None:
    start = at("2026-01-09", 16, 30)
    target = frozen_target(calendar, start, 480, Unit.BUSINESS_MINUTES)

    for percent in (50, 75, 90, 100, 125):
        # Whole microseconds, never floats.
        spent = target * percent // 100
        step = calendar.add(start, spent)
        assert calendar.elapsed(start, step) == spent
        assert Fraction(spent // timedelta.resolution, target // timedelta.resolution) == Fraction(
            percent, 100
        )
        assert calendar.previous_open(step) == step


@pytest.mark.parametrize("day", [date(2026, 3, 27) + n * timedelta(days=1) for n in range(6)])
@pytest.mark.parametrize("zone", ["Europe/Stockholm", "America/New_York", "Asia/Kolkata"])
def test_windows_shift_by_an_hour_when_clocks_change(zone: str, day: date) -> None:
    calendar = BusinessCalendar(
        zone=zone, week=dict.fromkeys(Weekday, (Window(opens=time(9), closes=time(17)),))
    )
    noon = datetime.combine(day, time(12), tzinfo=ZoneInfo(zone))

    opened, closes = calendar.previous_change(noon), calendar.next_change(noon)

    assert opened.astimezone(ZoneInfo(zone)).time() == time(9)
    assert closes.astimezone(ZoneInfo(zone)).time() == time(17)


def test_deadlines_sent_without_a_zone_are_read_hours_off() -> None:
    due = OFFICE.add(at("2026-07-01", 10), HOUR)

    assert due.isoformat() == "2026-07-01T09:00:00+00:00"
    assert due.tzinfo is UTC


def test_a_long_hold_is_not_counted_in_days_on_a_calendar_without_a_day() -> None:
    summer = replace(OFFICE, dated_hours={date(2026, 7, 1) + n * timedelta(days=1): () for n in range(31)})

    assert summer.elapsed(at("2026-07-01"), at("2026-08-01")) == ZERO
    assert summer.add(at("2026-06-30", 16), 2 * HOUR) == at("2026-08-03", 10)
