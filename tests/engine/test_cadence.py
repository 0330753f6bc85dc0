"""Weekly instants."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.business_time import Weekday
from flowdesk.engine.cadence import Weekly

STOCKHOLM = ZoneInfo("Europe/Stockholm")
REVIEW = Weekly(weekday=Weekday.MONDAY, at=time(9))
EARLY = datetime(2020, 1, 1, tzinfo=UTC)
MONDAY_9 = datetime(2026, 6, 22, 7, tzinfo=UTC)


def test_the_next_review_of_document_0_is_monday_at_nine() -> None:
    found = REVIEW.next_after(datetime(2026, 6, 16, 12, tzinfo=UTC))

    assert found.astimezone(STOCKHOLM).isoformat() == "2026-06-22T09:00:00+02:00"


def test_at_the_instant_itself_the_last_is_now_and_the_next_a_week_on() -> None:
    assert REVIEW.last_until(MONDAY_9) == MONDAY_9
    assert REVIEW.next_after(MONDAY_9) == MONDAY_9 + timedelta(days=7)


def test_nine_stays_nine_over_both_clock_changes() -> None:
    spring = REVIEW.next_after(datetime(2026, 3, 28, tzinfo=UTC))
    autumn = REVIEW.next_after(datetime(2026, 10, 24, tzinfo=UTC))

    assert spring == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 26, 8, tzinfo=UTC)


def test_a_time_that_clocks_skip_is_the_first_instant_after_it() -> None:
    skipped = Weekly(weekday=Weekday.SUNDAY, at=time(2, 30))

    assert skipped.next_after(datetime(2026, 3, 28, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_clocks_show_twice_is_its_first_showing() -> None:
    doubled = Weekly(weekday=Weekday.SUNDAY, at=time(2, 30))

    assert doubled.next_after(datetime(2026, 10, 24, tzinfo=UTC)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Weekly(weekday=Weekday.MONDAY, at=time(9), zone="Europe/Nowhere")


@given(
    at=st.integers(0, 15 * 366 * 86_400).map(lambda seconds: EARLY + timedelta(seconds=seconds)),
    weekday=st.sampled_from(Weekday),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    zone=st.sampled_from(["Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_last_and_next_are_neighbours_around_every_instant(
    at: datetime, weekday: Weekday, hour: int, minute: int, zone: str
) -> None:
    weekly = Weekly(weekday=weekday, at=time(hour, minute), zone=zone)

    last, following = weekly.last_until(at), weekly.next_after(at)

    assert last <= at < following
    assert weekly.next_after(last) == following
    assert weekly.last_until(following) == following
    assert abs(following - last - timedelta(days=7)) <= timedelta(hours=1)
