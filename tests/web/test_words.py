from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from flowdesk.web import words

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 6, 18, 7, 42, tzinfo=UTC)

LENGTHS = (
    (timedelta(0), "0m"),
    (timedelta(seconds=59), "0m"),
    (timedelta(minutes=6, seconds=30), "6m"),
    (timedelta(hours=1, minutes=20), "1h 20m"),
    (timedelta(hours=3, minutes=5), "3h 05m"),
    (timedelta(hours=23, minutes=59), "23h 59m"),
    (timedelta(days=2, hours=4, minutes=50), "2d 4h"),
    (timedelta(minutes=-12), "12m"),
)


@pytest.mark.parametrize(("span", "said"), LENGTHS)
def test_a_length_is_as_short_as_its_size_allows(span: timedelta, said: str) -> None:
    assert words.length(span) == said


def test_the_chip_words_say_which_side_of_the_promise_we_are_on() -> None:
    assert words.left(timedelta(minutes=6)) == "6m left"
    assert words.over(timedelta(minutes=-12)) == "12m over"
    assert words.took(timedelta(minutes=8)) == "in 8m"
    assert words.late(timedelta(minutes=4)) == "4m late"


def test_the_chip_words_follow_the_reader_into_swedish() -> None:
    with translation.override("sv"):
        assert words.left(timedelta(hours=1, minutes=20)) == "1 h 20 min kvar"
        assert words.over(timedelta(minutes=12)) == "12 min över"


def test_a_column_of_spent_time_always_shows_its_hours() -> None:
    assert words.spent(timedelta(0)) == "0h 00m"
    assert words.spent(timedelta(hours=10, minutes=20)) == "10h 20m"


def test_today_needs_no_date_and_another_year_needs_one() -> None:
    at = datetime(2026, 6, 18, 2, 55, tzinfo=UTC)

    assert words.moment(at, zone=STOCKHOLM, now=NOW) == "04:55"
    assert words.moment(at - timedelta(days=3), zone=STOCKHOLM, now=NOW) == "Mon 15 Jun 04:55"
    assert words.moment(at - timedelta(days=400), zone=STOCKHOLM, now=NOW) == "14 May 2025 04:55"


def test_a_day_is_the_readers_day_not_utcs() -> None:
    late_evening = datetime(2026, 6, 17, 22, 30, tzinfo=UTC)

    assert words.moment(late_evening, zone=STOCKHOLM, now=NOW) == "00:30"


def test_the_long_moment_names_its_zone() -> None:
    at = datetime(2026, 6, 22, 7, 0, tzinfo=UTC)

    assert words.long_moment(at, zone=STOCKHOLM, now=NOW) == "Mon 22 June, 09:00 CEST"
    with translation.override("sv"):
        assert words.long_moment(at, zone=STOCKHOLM, now=NOW) == "mån 22 juni, 09:00 CEST"


def test_months_are_lower_case_in_swedish() -> None:
    with translation.override("sv"):
        said = words.moment(NOW - timedelta(days=3), zone=STOCKHOLM, now=NOW)

    assert said == "mån 15 jun 09:42"
