"""Attempts are counted over all processes, and a window ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from flowdesk.accounts.models import Throttle
from flowdesk.accounts.throttle import (
    LOGIN_HERE,
    LOGIN_PERSON,
    LOGIN_PLACE,
    Bucket,
    TooManyAttempts,
    count_attempt,
    login_buckets,
    sweep_attempts,
    take_back,
)
from tests.builders import MONDAY_9

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def attempts_until_refused(address: str, emails: list[str]) -> int:
    for number, email in enumerate(emails):
        try:
            count_attempt(login_buckets(address, email), now=MONDAY_9)
        except TooManyAttempts:
            return number
    return len(emails)


def test_one_person_at_one_place_has_eight_attempts() -> None:
    assert attempts_until_refused("192.0.2.7", ["ada@x.example"] * 20) == LOGIN_HERE.attempts


def test_another_person_at_that_place_is_not_held_up() -> None:
    attempts_until_refused("192.0.2.7", ["ada@x.example"] * 20)

    count_attempt(login_buckets("192.0.2.7", "bo@x.example"), now=MONDAY_9)


def test_one_place_cannot_try_everybody() -> None:
    assert attempts_until_refused("192.0.2.7", [f"{n}@x.example" for n in range(100)]) == LOGIN_PLACE.attempts


def test_one_person_cannot_be_tried_from_everywhere() -> None:
    for number in range(LOGIN_PERSON.attempts):
        count_attempt(login_buckets(f"198.51.100.{number}", "ada@x.example"), now=MONDAY_9)

    with pytest.raises(TooManyAttempts):
        count_attempt(login_buckets("203.0.113.1", "ada@x.example"), now=MONDAY_9)


def test_capitals_and_neighbours_share_a_bucket() -> None:
    assert login_buckets("2001:db8::1", "Ada@X.example") == login_buckets("2001:db8::2", "ada@x.example")


def test_a_window_ends_when_it_said() -> None:
    bucket = Bucket(LOGIN_HERE, "somebody")
    for _ in range(LOGIN_HERE.attempts):
        count_attempt([bucket], now=MONDAY_9)
    later = MONDAY_9 + timedelta(minutes=14)

    with pytest.raises(TooManyAttempts) as refused:
        count_attempt([bucket], now=later)
    assert refused.value.ends_at == MONDAY_9 + LOGIN_HERE.window
    count_attempt([bucket], now=refused.value.ends_at)


def test_the_first_refusal_of_a_window_is_told_apart() -> None:
    bucket = Bucket(LOGIN_HERE, "somebody")
    told = []
    for _ in range(LOGIN_HERE.attempts + 3):
        try:
            count_attempt([bucket], now=MONDAY_9)
        except TooManyAttempts as fault:
            told.append(fault.is_first)

    assert told == [True, False, False]


def test_a_right_password_leaves_no_count_behind() -> None:
    buckets = login_buckets("192.0.2.7", "ada@x.example")
    for _ in range(3):
        count_attempt(buckets, now=MONDAY_9)

    take_back(buckets)

    counts = {bytes(row.bucket): row.count for row in Throttle.objects.all()}
    here, place, person = (bucket.digest for bucket in buckets)
    assert here not in counts
    assert (counts[place], counts[person]) == (2, 2)


def test_nobody_can_read_who_was_tried() -> None:
    count_attempt(login_buckets("192.0.2.7", "ada@x.example"), now=MONDAY_9)

    with connection.cursor() as cursor:
        cursor.execute("select string_agg(t::text, ' ') from accounts_throttle t")
        (text,) = cursor.fetchone() or ("",)
    assert text
    for said in ("ada@", "x.example", "192.0.2.7"):  # no part that a digest could hold by chance
        assert said not in text
        assert said.encode().hex() not in text


def test_windows_that_ended_are_swept() -> None:
    count_attempt([Bucket(LOGIN_HERE, "early")], now=MONDAY_9)
    count_attempt([Bucket(LOGIN_PERSON, "long")], now=MONDAY_9)

    sweep_attempts(now=MONDAY_9 + LOGIN_HERE.window)

    assert Throttle.objects.count() == 1


@pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
def test_many_at_once_do_not_slip_past_together() -> None:
    bucket = Bucket(LOGIN_HERE, "somebody")

    def attempt(_: int) -> bool:
        try:
            count_attempt([bucket], now=MONDAY_9)
        except TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        let_in = list(threads.map(attempt, range(40)))

    assert sum(let_in) == LOGIN_HERE.attempts
