"""Limits on requests, counted over all processes and hosts without a write for each request.

A row in the database counts what of a limit has been given out in the present window. Each process takes a slice
of it with one statement and then counts in memory; the slices shrink as the window's amount runs out. What a process
holds is good for its window only, so never more than the amount is let through in one. A window ends for a process
by its own clock.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import connection, connections

from flowdesk.core.addresses import address_of, neighbourhood
from flowdesk.core.errors import DomainError
from flowdesk.core.limits import Limit

SLICES = 20  # of a window's amount at the most in one slice: 20 processes and more share it fairly
SHRINKS = 4  # and never more than this part of what is left
MOST_HELD = 10_000  # names that a process remembers: strangers' addresses must not fill its memory
BAD_KEY_COST = 50  # requests that one with a wrong key or secret counts for

# A window that another machine's clock has begun is begun for all.
TAKE = """
insert into accounts_quota as quota (name, turn, taken, granted, ends_at)
values (%(name)s::text, %(turn)s::bigint, %(first)s::int, %(first)s::int, %(ends_at)s::timestamptz)
on conflict (name) do update
set (turn, taken, granted, ends_at) = (
    select greatest(quota.turn, excluded.turn), used + share, share, greatest(quota.ends_at, excluded.ends_at)
    from (select case when quota.turn >= excluded.turn then quota.taken else 0 end as used) as before
    cross join lateral (
        select greatest(0, least(
            %(amount)s::int - used,
            greatest(%(cost)s::int, least(%(slice)s::int, (%(amount)s::int - used) / %(shrinks)s::int))
        )) as share
    ) as given
)
returning turn, taken, granted
"""

FORGET = "delete from accounts_quota where ends_at < %s"


class TooManyRequests(DomainError):
    """That was too much in too short a time: wait for the seconds that the header Retry-After says."""

    status = 429
    code = "too_many_requests"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after a request: `by` whom it counts, what is left of it, and until when."""

    by: str
    limit: Limit
    is_within: bool
    left: int
    seconds_left: int


@dataclass(slots=True)
class _Slice:
    """What this process holds of one window: `held` may still be spent here, `outside` is in the shared row."""

    turn: int
    held: int = 0
    outside: int = 0


_slices: dict[str, _Slice] = {}
_lock = Lock()


def spend_for_address(meta: Mapping[str, Any], *, at: datetime, cost: int = 1) -> Standing | None:
    """Count a request by its client's address, from its `META`; None where no limit is set or nothing is known."""
    limit, address = settings.REQUEST_LIMITS.get("address"), neighbourhood(address_of(meta))
    if limit is None or not address:
        return None
    # An address is personal data: the row shows a keyed hash of it.
    hidden = hmac.digest(settings.SECRET_KEY.encode(), address.encode(), sha256).hex()[:32]
    return spend(f"address {hidden}", limit, by="address", at=at, cost=cost)


def spend_for_key(key: int, *, own: int | None, at: datetime) -> Standing | None:
    """Count a request by an API key's row id; `own` is the amount the key was given instead of the usual one."""
    limit = settings.REQUEST_LIMITS.get("key")
    if limit is not None and own is not None:
        limit = Limit(own, limit.seconds)
    return spend(f"key {key}", limit, by="key", at=at) if limit else None


def spend_for_tenant(tenant: int, *, at: datetime) -> Standing | None:
    """Count a request by the tenant it is for."""
    limit = settings.REQUEST_LIMITS.get("tenant")
    return spend(f"tenant {tenant}", limit, by="tenant", at=at) if limit else None


def must_be_within(standing: Standing | None) -> None:
    """Raise TooManyRequests for a limit that is used up."""
    if standing is not None and not standing.is_within:
        fault = TooManyRequests()
        fault.retry_after = standing.seconds_left
        raise fault


def spend(name: str, limit: Limit, *, by: str, at: datetime, cost: int = 1) -> Standing:
    """Count `cost` requests under a name; outside any transaction, for the count must not wait for a commit."""
    turn = int(at.timestamp()) // limit.seconds
    with _lock:
        mine = _slices.get(name)
        if mine is not None and mine.turn >= turn and (mine.held >= cost or mine.outside == 0):
            return _spent(mine, limit, by=by, at=at, cost=cost)
    taken = _take(name, limit, turn=turn, cost=cost)
    with _lock:
        mine = _slices.get(name)
        if mine is None or mine.turn < taken.turn:
            _make_room(turn)
            mine = _slices[name] = taken
        elif mine.turn == taken.turn:  # another thread took a slice as well
            mine.held += taken.held
            mine.outside = min(mine.outside, taken.outside)
        return _spent(mine, limit, by=by, at=at, cost=cost)


def forget_windows(*, now: datetime) -> int:
    """Delete the rows of windows that are over; returns how many."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(FORGET, [now])
        return int(cursor.rowcount)


def _spent(mine: _Slice, limit: Limit, *, by: str, at: datetime, cost: int) -> Standing:
    is_within = mine.held >= cost
    mine.held = max(0, mine.held - cost)
    ends = (mine.turn + 1) * limit.seconds
    return Standing(by, limit, is_within, mine.held + mine.outside, max(1, math.ceil(ends - at.timestamp())))


def _take(name: str, limit: Limit, *, turn: int, cost: int) -> _Slice:
    """A slice from the shared row: none when the window's amount is given out."""
    slice_ = max(1, limit.amount // SLICES)
    values: dict[str, Any] = {
        "name": name,
        "turn": turn,
        "first": min(limit.amount, max(cost, slice_)),
        "ends_at": datetime.fromtimestamp((turn + 1) * limit.seconds, UTC),
        "amount": limit.amount,
        "cost": cost,
        "slice": slice_,
        "shrinks": SHRINKS,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        row = cursor.fetchone()
    assert row is not None
    its_turn, taken, granted = row
    return _Slice(int(its_turn), int(granted), max(0, limit.amount - int(taken)))


def _make_room(turn: int) -> None:
    """Forget names when they are too many: tokens that are lost so are let through by nobody."""
    if len(_slices) < MOST_HELD:
        return
    for name in [name for name, one in _slices.items() if one.turn < turn]:
        del _slices[name]
    if len(_slices) >= MOST_HELD:
        _slices.clear()
