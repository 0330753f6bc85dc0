"""Answers kept for requests that may be sent again: what was done is committed with the act that did it.

A request names itself by its key; the tenant, the API key and that name are the row. While its act runs, an
advisory lock of the act's transaction says so to everybody else. When the transaction ends, either row and act
are there, or neither is: no crash leaves one without the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection, connections
from psycopg.types.json import Jsonb

from flowdesk.core.errors import DomainError, Invalid, invalid
from flowdesk.core.tenant import current_tenant, writing

KEPT_FOR = timedelta(hours=24)
SWEPT_AT_ONCE = 1000
FIELD = "Idempotency-Key"

# Nothing comes back where another transaction holds the lock, or a row younger than a day is there.
CLAIM = """
insert into accounts_keptanswer as kept (tenant_id, api_key, key, request, at, headers, body)
select %(tenant)s::bigint, %(api_key)s::bigint, %(key)s::text, %(request)s::bytea, %(at)s::timestamptz, '{}'::jsonb, ''
where pg_try_advisory_xact_lock(%(lock)s::bigint)
on conflict (tenant_id, api_key, key) do update
set request = excluded.request, at = excluded.at, result = null, status = null, headers = '{}'::jsonb, body = ''
where kept.at < %(too_old)s::timestamptz
returning id
"""

FIND = """
select id, request, result, status, headers, body from accounts_keptanswer
where tenant_id = %s and api_key = %s and key = %s and at >= %s
"""

NOTE_RESULT = "update accounts_keptanswer set result = %s where tenant_id = %s and id = %s"

# Two may make the answer of one act, after a crash or in a race: the first one stays, and both send it.
KEEP = """
update accounts_keptanswer
set headers = case when status is null then %s::jsonb else headers end,
    body = case when status is null then %s::text else body end,
    status = coalesce(status, %s::smallint)
where tenant_id = %s and id = %s
returning status, headers, body
"""

FORGET = """
delete from accounts_keptanswer
where id in (select id from accounts_keptanswer where at < %s order by at limit %s for update skip locked)
"""


class StillRunning(DomainError):
    """The first request with this Idempotency-Key is still being served."""

    code = "in_flight"
    retry_after = 1


class KeyUsedOtherwise(Invalid):
    """The key stands for another request."""

    code = "key_reused"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent: status, the headers that matter, and the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request that is being done now (`is_new`), or was done before: its row, and what is known of it."""

    row: int
    is_new: bool
    result: Any = None  # what the act returned, as JSON
    answer: Answer | None = None  # None where the process ended between act and answer


def claim(key: str, *, api_key: int, request: bytes, at: datetime) -> Claimed:
    """Begin a request inside its act's transaction, or find how it ended before.

    `request` is the SHA-256 of what was asked. Raises StillRunning, and KeyUsedOtherwise for another request.
    """
    tenant, too_old = current_tenant(), at - KEPT_FOR
    name = sha256(f"{tenant} {api_key} {key}".encode()).digest()
    values: dict[str, Any] = {
        "tenant": tenant,
        "api_key": api_key,
        "key": key,
        "request": request,
        "at": at,
        "too_old": too_old,
        "lock": int.from_bytes(name[:8], signed=True),
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
        if row is not None:
            return Claimed(int(row[0]), is_new=True)
        cursor.execute(FIND, [tenant, api_key, key, too_old])
        row = cursor.fetchone()
    if row is None:
        raise StillRunning
    row_id, asked, result, status, headers, body = row
    if bytes(asked) != request:
        raise _used_otherwise()
    answer = None if status is None else Answer(status, _plain(headers), body)
    return Claimed(int(row_id), is_new=False, result=_plain(result), answer=answer)


def note_result(row: int, result: Any) -> None:
    """Keep what the act returned, as JSON, in the act's own transaction."""
    with connection.cursor() as cursor:
        values: list[Any] = [Jsonb(result), current_tenant(), row]
        cursor.execute(NOTE_RESULT, values)


def keep_answer(row: int, answer: Answer, *, tenant: int) -> Answer:
    """Keep the answer of an act that is committed; returns the one that is kept, which is the first one made."""
    with writing(tenant), connection.cursor() as cursor:
        values: list[Any] = [Jsonb(dict(answer.headers)), answer.body, answer.status, tenant, row]
        cursor.execute(KEEP, values)
        kept = cursor.fetchone()
    if kept is None:  # forgotten meanwhile
        return answer
    status, headers, body = kept
    return Answer(status, _plain(headers), body)


def forget_answers(*, now: datetime) -> int:
    """Delete what has been kept for a day, of all tenants; returns how many, at most a batch."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(FORGET, [now - KEPT_FOR, SWEPT_AT_ONCE])
        return int(cursor.rowcount)


def _used_otherwise() -> Invalid:
    plain = invalid(FIELD, "stands for another request of yours: take a new key for a new request")
    return KeyUsedOtherwise(*plain.faults)


def _plain(value: Any) -> Any:
    # Django's connection hands jsonb out as text.
    return json.loads(value) if isinstance(value, str) else value
