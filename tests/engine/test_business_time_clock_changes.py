"""Clock changes are real time, in the north, the south, by half an hour, at midnight and by a whole day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from flowdesk.engine.business_time import (
    WHOLE_DAY,
    BusinessCalendar,
    Weekday,
    Window,
    always_open,
    business_hours,
    resolve_local,
    weekdays_around_the_clock,
)
from flowdesk.engine.spans import ZERO, Span

HOUR = timedelta(hours=1)
HALF_HOUR = timedelta(minutes=30)


def daily(opens: str, closes: str, zone: str = "Europe/Stockholm") -> BusinessCalendar:
    """The same window every day."""
    hours = Window(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
    return BusinessCalendar(zone=zone, week=dict.fromkeys(Weekday, (hours,)))


def local(wall_time: str, zone: str = "Europe/Stockholm", *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(wall_time).replace(tzinfo=ZoneInfo(zone), fold=fold)


def open_on(calendar: BusinessCalendar, day: str) -> timedelta:
    """Open time between the midnights of `day`."""
    midnight = datetime.fromisoformat(day)
    first, last = (calendar.resolve_local(midnight + n * timedelta(days=1))[0] for n in (0, 1))
    return calendar.elapsed(first, last)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Stockholm", "2026-03-29", 23),
        ("Europe/Stockholm", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Auckland", "2026-09-27", 23),
        ("Pacific/Auckland", "2026-04-05", 25),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_a_whole_day_has_as_many_hours_as_its_clocks_run(zone: str, day: str, hours: float) -> None:
    assert open_on(daily("00:00", "00:00", zone), day) == hours * HOUR
    assert open_on(always_open(zone), day) == hours * HOUR


@pytest.mark.parametrize(
    "zone", ["America/Havana", "Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("year", [2011, 2018, 2026])
def test_whole_days_leave_no_hole_and_no_overlap_in_a_year(zone: str, year: int) -> None:
    first, last = datetime(year, 1, 5, tzinfo=UTC), datetime(year, 12, 27, tzinfo=UTC)

    # Dated hours long ago keep the calendar from taking the short way of one that is always open.
    calendar = BusinessCalendar(
        zone=zone, week=dict.fromkeys(Weekday, (WHOLE_DAY,)), dated_hours={date(1990, 1, 1): ()}
    )

    assert calendar.spans(first, last) == (Span(first, last),)


def test_a_shift_through_the_night_that_clocks_go_forward_is_an_hour_shorter() -> None:
    nights = daily("22:00", "06:00")

    assert nights.elapsed(local("2026-03-28T22:00"), local("2026-03-29T06:00")) == 7 * HOUR


def test_a_shift_through_the_night_that_clocks_go_back_is_an_hour_longer() -> None:
    nights = daily("22:00", "06:00")

    assert nights.elapsed(local("2026-10-24T22:00"), local("2026-10-25T06:00")) == 9 * HOUR


def test_office_hours_open_at_the_same_wall_time_on_both_sides_of_a_change() -> None:
    office = business_hours()

    assert office.next_open(local("2026-03-28T12:00")) == local("2026-03-30T09:00")
    assert office.add(local("2026-03-27T16:30"), HOUR) == local("2026-03-30T09:30")
    assert office.add(local("2026-10-23T16:30"), HOUR) == local("2026-10-26T09:30")


def test_a_weekday_week_has_its_hours_whatever_sunday_does() -> None:
    week = weekdays_around_the_clock()

    assert week.elapsed(local("2026-03-23T00:00"), local("2026-03-30T00:00")) == 120 * HOUR


def test_an_opening_in_the_gap_is_the_first_instant_after_it() -> None:
    assert daily("02:30", "09:00").next_open(local("2026-03-29T00:00")) == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_a_closing_in_the_gap_is_the_first_instant_after_it() -> None:
    early = daily("00:00", "02:30")

    assert early.next_close(local("2026-03-29T01:00")) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert open_on(early, "2026-03-29") == 2 * HOUR


def test_a_window_within_the_gap_does_not_open() -> None:
    assert open_on(daily("02:10", "02:50"), "2026-03-29") == ZERO


def test_a_window_within_the_fold_opens_once() -> None:
    fold = daily("02:10", "02:50")

    assert fold.spans(local("2026-10-25T00:00"), local("2026-10-25T12:00")) == (
        Span(local("2026-10-25T02:10"), local("2026-10-25T02:50")),
    )
    assert not fold.is_open(local("2026-10-25T02:30", fold=1))


def test_a_window_that_opens_in_the_fold_opens_the_first_time() -> None:
    assert open_on(daily("02:30", "04:00"), "2026-10-25") == 2 * HOUR + HALF_HOUR


def test_a_business_day_into_the_gap_is_due_right_after_it() -> None:
    calendar = always_open()

    landing = calendar.add_business_days(local("2026-03-28T02:30"), 1)

    assert landing == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_business_day_into_the_fold_is_due_the_first_time() -> None:
    landing = always_open().add_business_days(local("2026-10-24T02:30"), 1)

    # In UTC: a time that happens twice never equals the same instant told in another zone.
    assert landing == local("2026-10-25T02:30", fold=0).astimezone(UTC)


def test_a_business_day_out_of_the_second_fold_keeps_the_wall_time() -> None:
    landing = always_open().add_business_days(local("2026-10-25T02:30", fold=1), 1)

    assert landing == local("2026-10-26T02:30")


@pytest.mark.parametrize(
    ("zone", "wall_time", "first", "last"),
    [
        ("Europe/Stockholm", "2026-06-01T12:00", "2026-06-01T10:00", "2026-06-01T10:00"),
        ("Europe/Stockholm", "2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Stockholm", "2026-03-29T02:59:59.999999", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Stockholm", "2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Stockholm", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30", "2026-10-03T15:30"),
        ("America/Havana", "2026-03-08T00:30", "2026-03-08T05:00", "2026-03-08T05:00"),
        ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00", "2018-11-04T03:00"),
        ("Pacific/Apia", "2011-12-30T13:00", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("Asia/Kolkata", "2026-03-29T02:30", "2026-03-28T21:00", "2026-03-28T21:00"),
    ],
)
def test_a_wall_time_stands_for_its_instants(zone: str, wall_time: str, first: str, last: str) -> None:
    instants = resolve_local(datetime.fromisoformat(wall_time), ZoneInfo(zone))

    assert instants == tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (first, last))


def test_a_wall_time_has_no_zone() -> None:
    with pytest.raises(ValueError, match="a wall time has none"):
        business_hours().resolve_local(datetime(2026, 3, 2, tzinfo=UTC))


def test_a_question_asked_in_the_second_fold_is_not_taken_for_the_first() -> None:
    first, second = (local("2026-10-25T02:30", fold=fold) for fold in (0, 1))

    assert always_open().elapsed(first, second) == HOUR
    assert daily("00:00", "06:00").elapsed(first, second) == HOUR
    assert daily("00:00", "06:00").add(first, HOUR) == second.astimezone(UTC)
