"""Business time by example: the calendar's rules, one fact each."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from flowdesk.engine.business_time import (
    WHOLE_DAY,
    WORKING_WEEK,
    BeyondHorizon,
    BusinessCalendar,
    Holiday,
    NeverOpen,
    Unit,
    Weekday,
    Window,
    always_open,
    business_hours,
    due_at,
    frozen_target,
    has_no_open_time,
    weekdays_around_the_clock,
)
from flowdesk.engine.spans import ZERO, Span

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OFFICE = business_hours()
EPIPHANY = Holiday(on=date(2026, 1, 6), name="Epiphany")


def stockholm(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A wall time in Stockholm in March 2026, whose 2nd is a Monday; later days run into April."""
    return (datetime(2026, 3, 1, hour, minute) + (day - 1) * DAY).replace(tzinfo=STOCKHOLM)  # noqa: DTZ001


MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(2, 9)


def window(opens: str, closes: str) -> Window:
    return Window(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


def a_calendar(*hours: Window, **said: object) -> BusinessCalendar:
    """Monday to Friday with these windows."""
    return BusinessCalendar(week=dict.fromkeys(WORKING_WEEK, hours), **said)  # type: ignore[arg-type]


NIGHTS = a_calendar(window("22:00", "06:00"))


class TestAdding:
    def test_an_hour_on_friday_at_half_past_four_ends_on_monday_at_half_past_nine(self) -> None:
        assert OFFICE.add(stockholm(FRIDAY, 16, 30), HOUR) == stockholm(MONDAY + 7, 9, 30)

    def test_an_amount_used_up_exactly_at_closing_lands_on_the_closing_instant(self) -> None:
        assert OFFICE.add(stockholm(FRIDAY, 16), HOUR) == stockholm(FRIDAY, 17)

    def test_one_microsecond_more_than_until_closing_lands_after_the_next_opening(self) -> None:
        landing = OFFICE.add(stockholm(FRIDAY, 16), HOUR + timedelta.resolution)

        assert landing == stockholm(MONDAY + 7, 9) + timedelta.resolution

    def test_a_start_in_closed_time_runs_from_the_next_opening(self) -> None:
        assert OFFICE.add(stockholm(SUNDAY, 12), HOUR) == stockholm(MONDAY + 7, 10)

    def test_a_start_at_closing_runs_from_the_next_opening(self) -> None:
        assert OFFICE.add(stockholm(MONDAY, 17), HOUR) == stockholm(TUESDAY, 10)

    def test_nothing_added_in_open_time_stays(self) -> None:
        assert OFFICE.add(stockholm(MONDAY, 9), ZERO) == stockholm(MONDAY, 9)

    def test_nothing_added_at_closing_stays(self) -> None:
        assert OFFICE.add(stockholm(MONDAY, 17), ZERO) == stockholm(MONDAY, 17)

    def test_nothing_added_in_closed_time_is_the_next_opening(self) -> None:
        assert OFFICE.add(stockholm(MONDAY, 17, 1), ZERO) == stockholm(TUESDAY, 9)

    def test_a_negative_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            OFFICE.add(stockholm(MONDAY), -HOUR)

    def test_an_instant_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="has no zone"):
            OFFICE.add(datetime(2026, 3, 2, 9), HOUR)  # noqa: DTZ001  # the mistake under test

    def test_answers_are_in_utc(self) -> None:
        assert OFFICE.add(stockholm(MONDAY, 9), HOUR).tzinfo is UTC
        assert OFFICE.add(stockholm(MONDAY, 9), ZERO).tzinfo is UTC

    def test_half_a_year_of_work_passes_new_year(self) -> None:
        start = datetime(2026, 10, 1, 9, tzinfo=STOCKHOLM)

        landing = OFFICE.add(start, 130 * 8 * HOUR)

        assert landing == datetime(2027, 3, 31, 17, tzinfo=STOCKHOLM)


class TestSubtracting:
    def test_it_walks_back_over_the_weekend(self) -> None:
        assert OFFICE.subtract(stockholm(MONDAY + 7, 9, 30), HOUR) == stockholm(FRIDAY, 16, 30)

    def test_an_amount_used_up_exactly_at_opening_lands_on_the_opening_instant(self) -> None:
        assert OFFICE.subtract(stockholm(MONDAY, 10), HOUR) == stockholm(MONDAY, 9)

    def test_nothing_subtracted_in_closed_time_is_the_closing_before(self) -> None:
        assert OFFICE.subtract(stockholm(SUNDAY), ZERO) == stockholm(FRIDAY, 17)

    def test_nothing_subtracted_at_opening_stays(self) -> None:
        assert OFFICE.subtract(stockholm(MONDAY, 9), ZERO) == stockholm(MONDAY, 9)

    def test_a_negative_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            OFFICE.subtract(stockholm(MONDAY), -HOUR)

    def test_it_passes_new_year(self) -> None:
        end = datetime(2026, 1, 2, 10, tzinfo=STOCKHOLM)

        assert OFFICE.subtract(end, 3 * 8 * HOUR) == datetime(2025, 12, 30, 10, tzinfo=STOCKHOLM)


class TestElapsed:
    def test_a_week_has_forty_hours(self) -> None:
        assert OFFICE.elapsed(stockholm(MONDAY), stockholm(MONDAY + 7)) == 40 * HOUR

    def test_backwards_nothing_elapses(self) -> None:
        assert OFFICE.elapsed(stockholm(TUESDAY), stockholm(MONDAY)) == ZERO

    def test_signed_it_counts_backwards(self) -> None:
        assert OFFICE.signed_elapsed(stockholm(TUESDAY, 10), stockholm(MONDAY, 16)) == -2 * HOUR

    def test_a_decade_is_counted_whole(self) -> None:
        start, end = datetime(2016, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

        assert OFFICE.elapsed(start, end) == OFFICE.count_business_days(start.date(), end.date()) * 8 * HOUR


class TestWindows:
    def test_lunch_between_two_windows_does_not_count(self) -> None:
        split = a_calendar(window("09:00", "12:00"), window("13:00", "17:00"))

        assert split.add(stockholm(MONDAY, 11, 30), HOUR) == stockholm(MONDAY, 13, 30)

    def test_a_break_is_cut_out(self) -> None:
        with_lunch = a_calendar(window("09:00", "17:00"), breaks=(window("12:00", "13:00"),))

        assert with_lunch.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 7 * HOUR

    def test_a_break_may_hold_on_one_weekday(self) -> None:
        with_fika = a_calendar(window("09:00", "17:00"), breaks={Weekday.FRIDAY: (window("15:00", "15:30"),)})

        assert with_fika.elapsed(stockholm(THURSDAY), stockholm(FRIDAY)) == 8 * HOUR
        assert with_fika.elapsed(stockholm(FRIDAY), stockholm(SATURDAY)) == 7 * HOUR + 30 * MINUTE

    def test_a_break_at_night_cuts_the_shift_that_began_the_day_before(self) -> None:
        with_rest = a_calendar(
            window("22:00", "06:00"), breaks={Weekday.SATURDAY: (window("02:00", "03:00"),)}
        )

        assert with_rest.elapsed(stockholm(FRIDAY, 22), stockholm(SATURDAY, 6)) == 7 * HOUR

    def test_overlapping_windows_count_once(self) -> None:
        doubled = a_calendar(window("09:00", "13:00"), window("11:00", "17:00"))

        assert doubled.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 8 * HOUR

    def test_a_night_belongs_to_the_date_it_starts_on(self) -> None:
        assert NIGHTS.is_open(stockholm(SATURDAY, 5, 59))
        assert not NIGHTS.is_open(stockholm(MONDAY, 1))

    def test_a_window_may_last_until_midnight(self) -> None:
        evenings = a_calendar(window("18:00", "00:00"))

        assert evenings.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 6 * HOUR
        assert evenings.next_close(stockholm(MONDAY, 20)) == stockholm(TUESDAY)

    def test_midnight_to_midnight_is_the_whole_day(self) -> None:
        monday_only = BusinessCalendar(week={Weekday.MONDAY: (WHOLE_DAY,)})

        assert monday_only.spans(stockholm(SUNDAY - 7), stockholm(SUNDAY)) == (
            Span(stockholm(MONDAY), stockholm(TUESDAY)),
        )

    def test_windows_that_meet_at_midnight_have_no_closing_between_them(self) -> None:
        evening_and_morning = a_calendar(window("20:00", "00:00"), window("00:00", "04:00"))

        assert evening_and_morning.next_close(stockholm(MONDAY, 21)) == stockholm(TUESDAY, 4)

    def test_wall_times_carry_no_zone(self) -> None:
        with pytest.raises(ValueError, match="wall-clock"):
            Window(opens=time(9, tzinfo=UTC), closes=time(17))


class TestHolidays:
    def test_a_holiday_is_skipped(self) -> None:
        swedish = business_hours(holidays=(EPIPHANY,))

        landing = swedish.add(datetime(2026, 1, 5, 16, tzinfo=STOCKHOLM), 2 * HOUR)

        assert landing == datetime(2026, 1, 7, 10, tzinfo=STOCKHOLM)

    def test_a_night_begun_before_the_holiday_runs_on(self) -> None:
        nights = replace(NIGHTS, holidays=(Holiday(on=date(2026, 3, 3)),))

        assert nights.spans(stockholm(MONDAY), stockholm(THURSDAY)) == (
            Span(stockholm(MONDAY, 22), stockholm(TUESDAY, 6)),
            Span(stockholm(WEDNESDAY, 22), stockholm(THURSDAY)),
        )

    def test_a_part_day_holiday_closes_just_that_part(self) -> None:
        half_day = replace(OFFICE, holidays=(Holiday(on=date(2026, 3, 2), window=window("13:00", "00:00")),))

        assert half_day.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 4 * HOUR

    def test_a_part_day_holiday_cuts_a_night_begun_the_day_before(self) -> None:
        nights = replace(NIGHTS, holidays=(Holiday(on=date(2026, 3, 3), window=window("00:00", "12:00")),))

        assert nights.elapsed(stockholm(MONDAY), stockholm(TUESDAY, 12)) == 2 * HOUR

    def test_a_part_day_holiday_may_run_across_midnight(self) -> None:
        nights = replace(NIGHTS, holidays=(Holiday(on=date(2026, 3, 2), window=window("23:00", "01:00")),))

        assert nights.elapsed(stockholm(MONDAY), stockholm(TUESDAY, 12)) == 6 * HOUR

    @pytest.mark.parametrize("year", [2020, 2025, 2031])
    def test_a_yearly_holiday_returns_every_year(self, year: int) -> None:
        calendar = replace(always_open(), holidays=(Holiday(on=date(2024, 12, 24), yearly=True),))

        assert not calendar.is_open(datetime(year, 12, 24, 12, tzinfo=STOCKHOLM))
        assert calendar.is_open(datetime(year, 12, 23, 12, tzinfo=STOCKHOLM))

    def test_a_yearly_leap_day_exists_in_leap_years_only(self) -> None:
        calendar = replace(always_open(), holidays=(Holiday(on=date(2024, 2, 29), yearly=True),))

        assert calendar.count_business_days(date(2026, 2, 1), date(2026, 4, 1)) == 59
        assert calendar.count_business_days(date(2028, 2, 1), date(2028, 4, 1)) == 59


class TestDatedHours:
    def test_they_stand_in_for_the_weekdays_hours(self) -> None:
        calendar = replace(OFFICE, dated_hours={date(2026, 3, 2): (window("10:00", "12:00"),)})

        assert calendar.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 2 * HOUR

    def test_they_open_a_day_that_is_closed(self) -> None:
        calendar = replace(OFFICE, dated_hours={date(2026, 3, 7): (window("10:00", "12:00"),)})

        assert calendar.add(stockholm(FRIDAY, 16), 2 * HOUR) == stockholm(SATURDAY, 11)

    def test_no_hours_close_the_date(self) -> None:
        calendar = replace(OFFICE, dated_hours={date(2026, 3, 2): ()})

        assert calendar.next_open(stockholm(MONDAY, 9)) == stockholm(TUESDAY, 9)

    def test_they_hold_on_a_holiday(self) -> None:
        calendar = replace(
            OFFICE,
            holidays=(
                Holiday(on=date(2026, 3, 2)),
                Holiday(on=date(2026, 3, 2), window=window("10:00", "11:00")),
            ),
            dated_hours={date(2026, 3, 2): (window("10:00", "12:00"),)},
        )

        assert calendar.elapsed(stockholm(MONDAY), stockholm(TUESDAY)) == 2 * HOUR


class TestOpenAndClosed:
    def test_opening_is_open_and_closing_is_not(self) -> None:
        assert OFFICE.is_open(stockholm(MONDAY, 9))
        assert not OFFICE.is_open(stockholm(MONDAY, 17))

    def test_the_next_open_instant_of_an_open_one_is_itself(self) -> None:
        assert OFFICE.next_open(stockholm(MONDAY, 10)) == stockholm(MONDAY, 10)

    def test_the_next_open_instant_of_the_weekend_is_monday_morning(self) -> None:
        assert OFFICE.next_open(stockholm(FRIDAY, 17)) == stockholm(MONDAY + 7, 9)

    def test_the_weekend_was_last_open_on_friday_evening(self) -> None:
        assert OFFICE.previous_open(stockholm(SUNDAY)) == stockholm(FRIDAY, 17)

    def test_the_next_closing_of_a_closed_instant_is_the_one_after_the_next_opening(self) -> None:
        assert OFFICE.next_close(stockholm(MONDAY, 8)) == stockholm(MONDAY, 17)
        assert OFFICE.next_close(stockholm(MONDAY, 17)) == stockholm(TUESDAY, 17)

    def test_changes_are_strictly_before_and_after(self) -> None:
        assert OFFICE.next_change(stockholm(MONDAY, 9)) == stockholm(MONDAY, 17)
        assert OFFICE.next_change(stockholm(MONDAY, 17)) == stockholm(TUESDAY, 9)
        assert OFFICE.previous_change(stockholm(TUESDAY, 9)) == stockholm(MONDAY, 17)
        assert OFFICE.previous_change(stockholm(MONDAY, 17)) == stockholm(MONDAY, 9)

    def test_spans_are_cut_at_the_edges(self) -> None:
        assert OFFICE.spans(stockholm(MONDAY, 12), stockholm(TUESDAY, 10)) == (
            Span(stockholm(MONDAY, 12), stockholm(MONDAY, 17)),
            Span(stockholm(TUESDAY, 9), stockholm(TUESDAY, 10)),
        )

    def test_no_spans_lie_in_an_empty_stretch(self) -> None:
        assert OFFICE.spans(stockholm(MONDAY, 12), stockholm(MONDAY, 12)) == ()

    def test_spans_after_go_on_from_the_instant(self) -> None:
        assert list(islice(OFFICE.spans_after(stockholm(FRIDAY, 12)), 2)) == [
            Span(stockholm(FRIDAY, 12), stockholm(FRIDAY, 17)),
            Span(stockholm(MONDAY + 7, 9), stockholm(MONDAY + 7, 17)),
        ]

    def test_spans_before_go_back_from_the_instant(self) -> None:
        assert list(islice(OFFICE.spans_before(stockholm(MONDAY, 12)), 2)) == [
            Span(stockholm(MONDAY, 9), stockholm(MONDAY, 12)),
            Span(stockholm(FRIDAY - 7, 9), stockholm(FRIDAY - 7, 17)),
        ]

    def test_spans_before_an_opening_begin_with_the_span_before_it(self) -> None:
        assert next(OFFICE.spans_before(stockholm(TUESDAY, 9))) == Span(
            stockholm(MONDAY, 9), stockholm(MONDAY, 17)
        )


class TestBusinessDays:
    def test_the_wall_time_stays(self) -> None:
        assert OFFICE.add_business_days(stockholm(THURSDAY, 11, 15), 2) == stockholm(MONDAY + 7, 11, 15)

    def test_one_business_day_is_not_twenty_four_office_hours(self) -> None:
        start = stockholm(MONDAY, 11)

        assert OFFICE.add_business_days(start, 1) == stockholm(TUESDAY, 11)
        assert OFFICE.add(start, 24 * HOUR) == stockholm(THURSDAY, 11)

    def test_a_start_on_the_weekend_counts_from_monday_morning(self) -> None:
        assert OFFICE.add_business_days(stockholm(SATURDAY, 12), 1) == stockholm(TUESDAY + 7, 9)

    def test_a_start_at_closing_counts_from_the_next_morning(self) -> None:
        assert OFFICE.add_business_days(stockholm(MONDAY, 17), 1) == stockholm(WEDNESDAY, 9)

    def test_no_days_only_move_to_the_next_open_instant(self) -> None:
        assert OFFICE.add_business_days(stockholm(MONDAY, 11), 0) == stockholm(MONDAY, 11)
        assert OFFICE.add_business_days(stockholm(SATURDAY), 0) == stockholm(MONDAY + 7, 9)

    def test_negative_days_are_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            OFFICE.add_business_days(stockholm(MONDAY), -1)

    def test_holidays_are_not_counted(self) -> None:
        swedish = business_hours(holidays=(EPIPHANY,))
        start = datetime(2026, 1, 5, 10, tzinfo=STOCKHOLM)

        assert swedish.add_business_days(start, 1) == datetime(2026, 1, 7, 10, tzinfo=STOCKHOLM)

    def test_in_a_gap_between_windows_the_closing_before_it(self) -> None:
        calendar = replace(
            OFFICE, dated_hours={date(2026, 3, 3): (window("09:00", "11:00"), window("14:00", "17:00"))}
        )

        assert calendar.add_business_days(stockholm(MONDAY, 12), 1) == stockholm(TUESDAY, 11)
        assert calendar.add_business_days(stockholm(MONDAY, 14), 1) == stockholm(TUESDAY, 14)

    def test_before_opening_the_opening(self) -> None:
        calendar = replace(OFFICE, dated_hours={date(2026, 3, 3): (window("11:00", "17:00"),)})

        assert calendar.add_business_days(stockholm(MONDAY, 10), 1) == stockholm(TUESDAY, 11)

    def test_after_the_last_closing_the_last_closing(self) -> None:
        calendar = replace(OFFICE, dated_hours={date(2026, 3, 3): (window("09:00", "12:00"),)})

        assert calendar.add_business_days(stockholm(MONDAY, 16), 1) == stockholm(TUESDAY, 12)

    def test_two_in_the_morning_of_a_night_belongs_to_the_evening_before(self) -> None:
        assert NIGHTS.add_business_days(stockholm(SATURDAY, 2), 1) == stockholm(TUESDAY + 7, 2)
        assert NIGHTS.add_business_days(stockholm(TUESDAY, 2), 1) == stockholm(WEDNESDAY, 2)

    def test_around_the_clock_a_day_is_the_same_time_tomorrow(self) -> None:
        assert always_open().add_business_days(stockholm(28, 12), 1) == stockholm(29, 12)

    def test_hours_that_a_long_night_outlasts_are_no_further_day(self) -> None:
        calendar = BusinessCalendar(
            week={
                Weekday.MONDAY: (window("20:00", "20:00"),),
                Weekday.TUESDAY: (window("00:00", "01:00"),),
                Weekday.WEDNESDAY: (WHOLE_DAY,),
            }
        )

        assert calendar.add_business_days(stockholm(TUESDAY, 12), 1) == stockholm(THURSDAY)

    def test_a_day_whose_hours_are_all_closed_is_no_business_day(self) -> None:
        calendar = replace(OFFICE, holidays=(Holiday(on=date(2026, 3, 3), window=window("08:00", "18:00")),))

        assert calendar.add_business_days(stockholm(MONDAY, 10), 1) == stockholm(WEDNESDAY, 10)

    def test_they_are_listed_and_counted_up_to_the_last_date(self) -> None:
        friday, tuesday = date(2026, 3, 6), date(2026, 3, 10)

        assert OFFICE.business_days(friday, tuesday) == (friday, date(2026, 3, 9))
        assert OFFICE.count_business_days(friday, tuesday) == 2
        assert OFFICE.count_business_days(tuesday, friday) == 0


class TestPresets:
    def test_around_the_clock_needs_nothing_laid_out(self) -> None:
        calendar = always_open()

        assert calendar.add(stockholm(SATURDAY, 12), 50 * HOUR) == stockholm(SATURDAY, 12) + 50 * HOUR
        assert calendar.subtract(stockholm(SATURDAY, 12), 50 * HOUR) == stockholm(SATURDAY, 12) - 50 * HOUR
        assert calendar.elapsed(stockholm(MONDAY), stockholm(SUNDAY)) == 6 * DAY
        assert calendar.spans(stockholm(MONDAY), stockholm(SUNDAY)) == (
            Span(stockholm(MONDAY), stockholm(SUNDAY)),
        )
        assert calendar.add(stockholm(MONDAY), ZERO) == stockholm(MONDAY)

    def test_weekdays_run_from_monday_to_saturday_midnight_local_time(self) -> None:
        span = next(weekdays_around_the_clock().spans_after(stockholm(SUNDAY - 7, 12)))

        assert span == Span(stockholm(MONDAY), stockholm(SATURDAY))

    def test_business_hours_are_forty_a_week(self) -> None:
        assert len(OFFICE.spans(stockholm(MONDAY), stockholm(MONDAY + 7))) == 5


class TestErrors:
    @pytest.mark.parametrize(
        "never",
        [
            BusinessCalendar(name="shut"),
            a_calendar(window("09:00", "17:00"), breaks=(window("08:00", "18:00"),)),
            BusinessCalendar(dated_hours={date(2026, 3, 2): ()}),
        ],
    )
    def test_a_calendar_that_is_never_open_says_so(self, never: BusinessCalendar) -> None:
        with pytest.raises(NeverOpen):
            never.add(stockholm(MONDAY), HOUR)
        with pytest.raises(NeverOpen):
            never.subtract(stockholm(MONDAY), HOUR)
        with pytest.raises(NeverOpen):
            never.add_business_days(stockholm(MONDAY), 1)

    def test_on_a_calendar_that_is_never_open_nothing_elapses(self) -> None:
        never = BusinessCalendar(name="shut")

        assert never.elapsed(stockholm(MONDAY), stockholm(SUNDAY)) == ZERO
        assert not never.is_open(stockholm(MONDAY))

    def test_what_opens_only_in_the_past_is_beyond_the_horizon(self) -> None:
        once = BusinessCalendar(dated_hours={date(2020, 3, 2): (WHOLE_DAY,)})

        with pytest.raises(BeyondHorizon):
            once.next_open(stockholm(MONDAY))
        assert once.previous_open(stockholm(MONDAY)) == datetime(2020, 3, 3, tzinfo=STOCKHOLM)

    def test_the_horizon_does_not_depend_on_what_was_asked_before(self) -> None:
        near = replace(OFFICE, horizon_years=3)
        just_too_much = 3 * 366 * 8 * HOUR

        for year in (2030, 2024, 2026, 2028):
            near.is_open(datetime(year, 6, 1, tzinfo=UTC))
            with pytest.raises(BeyondHorizon):
                near.add(datetime(2026, 1, 1, tzinfo=UTC), just_too_much)

    @pytest.mark.parametrize("calendar", [always_open(), OFFICE])
    def test_a_length_past_the_horizon_is_refused(self, calendar: BusinessCalendar) -> None:
        start = stockholm(MONDAY)

        with pytest.raises(BeyondHorizon):
            calendar.add(start, 60 * 366 * DAY)
        with pytest.raises(BeyondHorizon):
            calendar.subtract(start, 60 * 366 * DAY)
        with pytest.raises(BeyondHorizon):
            calendar.elapsed(start, start + 60 * 366 * DAY)
        with pytest.raises(BeyondHorizon):
            calendar.spans(start, start + 60 * 366 * DAY)

    @pytest.mark.parametrize("calendar", [always_open(), OFFICE])
    @pytest.mark.parametrize("edge", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
    def test_the_ends_of_all_time_are_beyond_the_horizon(
        self, calendar: BusinessCalendar, edge: datetime
    ) -> None:
        with pytest.raises(BeyondHorizon):
            calendar.next_change(edge)
        with pytest.raises(BeyondHorizon):
            calendar.previous_change(edge)

    def test_what_never_closes_has_no_next_change(self) -> None:
        with pytest.raises(BeyondHorizon):
            always_open().next_close(stockholm(MONDAY))
        with pytest.raises(BeyondHorizon):
            next(always_open().spans_after(stockholm(MONDAY)))

    def test_a_business_day_past_the_horizon_is_refused(self) -> None:
        once = BusinessCalendar(dated_hours={date(2026, 3, 3): (WHOLE_DAY,)}, horizon_years=3)

        with pytest.raises(BeyondHorizon):
            once.add_business_days(stockholm(MONDAY), 1)

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="unknown time zone 'Europe/Atlantis'"):
            business_hours("Europe/Atlantis")

    def test_a_horizon_too_short_to_lay_out_a_year_is_refused(self) -> None:
        with pytest.raises(ValueError, match="too short"):
            BusinessCalendar(horizon_years=2)


class TestValues:
    def test_calendars_that_say_the_same_are_equal(self) -> None:
        one = a_calendar(window("13:00", "17:00"), window("09:00", "12:00"))
        other = replace(a_calendar(window("09:00", "12:00"), window("13:00", "17:00")), dated_hours={})
        one.is_open(stockholm(MONDAY))

        assert one == other
        assert hash(one) == hash(other)

    def test_calendars_that_differ_in_a_break_are_not_equal(self) -> None:
        assert replace(OFFICE, breaks=(window("12:00", "13:00"),)) != OFFICE

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda calendar: pickle.loads(pickle.dumps(calendar))])
    def test_a_copy_is_equal(self, copied: object) -> None:
        calendar = replace(OFFICE, holidays=(EPIPHANY,), dated_hours={date(2026, 3, 7): (WHOLE_DAY,)})

        twin = copied(calendar)  # type: ignore[operator]

        assert twin == calendar
        assert twin.is_open(stockholm(SATURDAY, 20))

    def test_what_it_was_built_from_may_change_later(self) -> None:
        week = {Weekday.MONDAY: (WHOLE_DAY,)}
        calendar = BusinessCalendar(week=week)

        week.clear()

        assert calendar.is_open(stockholm(MONDAY))

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(FrozenInstanceError):
            OFFICE.zone = "UTC"  # type: ignore[misc]
        with pytest.raises(TypeError):
            OFFICE.week[Weekday.SUNDAY] = (WHOLE_DAY,)  # type: ignore[index]


class TestTargets:
    def test_minutes_are_of_all_time(self) -> None:
        assert due_at(OFFICE, stockholm(FRIDAY, 16, 30), 60, Unit.MINUTES) == stockholm(FRIDAY, 17, 30)

    def test_business_minutes_are_of_open_time(self) -> None:
        assert due_at(OFFICE, stockholm(FRIDAY, 16, 30), 60, Unit.BUSINESS_MINUTES) == stockholm(
            MONDAY + 7, 9, 30
        )

    def test_business_days_keep_the_wall_time(self) -> None:
        assert due_at(OFFICE, stockholm(FRIDAY, 16, 30), 2, Unit.BUSINESS_DAYS) == stockholm(
            TUESDAY + 7, 16, 30
        )

    def test_a_target_is_frozen_to_the_open_time_until_it_is_due(self) -> None:
        assert frozen_target(OFFICE, stockholm(FRIDAY, 16, 30), 60, Unit.MINUTES) == 30 * MINUTE
        assert frozen_target(OFFICE, stockholm(FRIDAY, 16, 30), 60, Unit.BUSINESS_MINUTES) == HOUR
        assert frozen_target(OFFICE, stockholm(FRIDAY, 16, 30), 2, Unit.BUSINESS_DAYS) == 16 * HOUR

    def test_minutes_outside_open_time_freeze_to_nothing_and_say_so(self) -> None:
        assert frozen_target(OFFICE, stockholm(SATURDAY), 60, Unit.MINUTES) == ZERO
        assert has_no_open_time(OFFICE, stockholm(SATURDAY), 60, Unit.MINUTES)
        assert not has_no_open_time(OFFICE, stockholm(FRIDAY, 16, 30), 60, Unit.MINUTES)

    def test_a_negative_promise_is_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            due_at(OFFICE, stockholm(MONDAY), -1, Unit.MINUTES)
