"""Attempts that are counted, over all processes: wrong passwords and requests for a link.

An attempt is counted before it is made, so that many at once do not slip past a limit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils.crypto import salted_hmac

from flowdesk.accounts import sql
from flowdesk.core.addresses import neighbourhood
from flowdesk.core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in a window that begins with the first of them."""

    name: str
    attempts: int
    window: timedelta


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
# One person at one place; one place, whoever it tries; one person, from wherever it is tried.
LOGIN_HERE = Limit("login here", 8, QUARTER)
LOGIN_PLACE = Limit("login place", 60, QUARTER)
LOGIN_PERSON = Limit("login person", 100, HOUR)
LINK_PLACE = Limit("link place", 20, HOUR)
LINK_PERSON = Limit("link person", 4, HOUR)
PASSWORD_AGAIN = Limit("password again", 8, QUARTER)


class TooManyAttempts(DomainError):
    """Too many attempts. Try again later."""

    status = 429
    code = "too_many_attempts"

    def __init__(self, ends_at: datetime, *, is_first: bool) -> None:
        super().__init__()
        self.ends_at = ends_at
        self.is_first = (
            is_first  # of this window: worth an entry in the audit log, as the next thousand are not
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a limit counts for one subject."""

    limit: Limit
    subject: str

    @property
    def digest(self) -> bytes:
        """What is kept: nobody reads from the table who was tried from where."""
        return salted_hmac(self.limit.name, self.subject, algorithm="sha256").digest()


def login_buckets(address: str, email: str) -> tuple[Bucket, ...]:
    """What an attempt to log in counts against; the narrowest limit first."""
    place, person = neighbourhood(address), email.casefold()
    return (
        Bucket(LOGIN_HERE, f"{place} {person}"),
        Bucket(LOGIN_PLACE, place),
        Bucket(LOGIN_PERSON, person),
    )


def link_buckets(address: str, email: str) -> tuple[Bucket, ...]:
    """What asking for a link by mail counts against."""
    return Bucket(LINK_PERSON, email.casefold()), Bucket(LINK_PLACE, neighbourhood(address))


def count_attempt(buckets: Sequence[Bucket], *, now: datetime) -> None:
    """Count one attempt against each limit in turn. Raises TooManyAttempts at the first that is used up."""
    for bucket in buckets:
        with connection.cursor() as cursor:
            ends_at = now + bucket.limit.window
            cursor.execute(sql.COUNT_ATTEMPT, {"bucket": bucket.digest, "now": now, "ends_at": ends_at})
            row = cursor.fetchone()
        assert row is not None
        count, ends_at = row
        if count > bucket.limit.attempts:
            raise TooManyAttempts(ends_at, is_first=count == bucket.limit.attempts + 1)


def take_back(buckets: Sequence[Bucket]) -> None:
    """The attempt was no wrong one: the narrowest limit begins anew, the wider ones forget this attempt alone."""
    narrowest, *wider = (bucket.digest for bucket in buckets)
    with connection.cursor() as cursor:
        cursor.execute(sql.FORGET_ATTEMPTS, [[narrowest]])
        cursor.execute(sql.TAKE_BACK_ATTEMPT, [wider])


def sweep_attempts(*, now: datetime) -> None:
    """Forget windows that have ended."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SWEEP_ATTEMPTS, [now])
