"""Writes of accounts: API keys, each act with its line in the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection
from django.db.models import Q

from flowdesk.accounts import sql
from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.accounts.models import ApiKey
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError, Fault, Invalid, NotFound
from flowdesk.core.models import columns_of, row_of
from flowdesk.core.tenant import act

SHOWN = 11  # characters of a key by which people tell it from others: `fdk_` and seven more
STAMPED_EVERY = timedelta(minutes=1)
_KEY_BY_DIGEST = sql.KEY_BY_DIGEST.format(columns=columns_of(ApiKey, "key"))


class KeyRevoked(DomainError):
    """This key has been revoked before."""

    code = "key_revoked"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is seen here and never again."""

    row: ApiKey
    secret: str


@act
def create_key(
    name: str,
    *,
    scopes: Iterable[str],
    by: Actor,
    now: datetime,
    expires_at: datetime | None = None,
    limit: int | None = None,
) -> NewKey:
    """Make a key to the actor's tenant; `limit` are its own requests in a window, else as set. Raises Invalid."""
    by.must(Act.CONFIGURE)
    wanted = sorted(set(scopes))
    known = {one.value for one in Act}
    faults = []
    if not name.strip() or len(name) > 200:
        faults.append(Fault("name", "must be of 1 to 200 characters"))
    if not wanted:
        faults.append(Fault("scopes", "must name at least one"))
    if unknown := [scope for scope in wanted if scope not in known]:
        faults.append(Fault("scopes", f"{', '.join(unknown)}: not one of {', '.join(sorted(known))}"))
    if expires_at is not None and expires_at <= now:
        faults.append(Fault("expires_at", "lies in the past"))
    if limit is not None and not 0 < limit < 10**9:
        faults.append(Fault("limit", "must be from 1 to 999999999"))
    if faults:
        raise Invalid(*faults)
    secret = f"fdk_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        tenant_id=by.tenant,
        name=name.strip(),
        prefix=secret[:SHOWN],
        digest=digest_of(secret),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
        limit=limit,
    )
    after = {"scopes": wanted, "limit": limit, "expires_at": expires_at.isoformat() if expires_at else None}
    record_act(AuditAct.KEY_CREATED, thing="api_key", thing_id=row.id, by=by, at=now, after=after)
    return NewKey(row, secret)


@act
def revoke_key(prefix: str, *, by: Actor, now: datetime) -> ApiKey:
    """End a key by its first characters. Raises NotFound, KeyRevoked."""
    by.must(Act.CONFIGURE)
    row = ApiKey.objects.select_for_update().filter(tenant_id=by.tenant, prefix=prefix[:SHOWN]).first()
    if row is None:
        raise NotFound
    if row.revoked_at is not None:
        raise KeyRevoked
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    record_act(AuditAct.KEY_REVOKED, thing="api_key", thing_id=row.id, by=by, at=now)
    return row


def usable_key(secret: str, *, at: datetime) -> ApiKey | None:
    """The key behind a secret, unless it is unknown, expired or revoked; its use is noted once a minute.

    The secret has 256 random bits, so looking up its digest tells a guesser nothing by its timing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEY_BY_DIGEST, [digest_of(secret)])
        values = cursor.fetchone()
    row = row_of(ApiKey, values) if values else None
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
        return None
    if row.last_used_at is None or row.last_used_at <= at - STAMPED_EVERY:
        is_stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - STAMPED_EVERY)
        ApiKey.objects.filter(is_stale, id=row.id).update(last_used_at=at)
    return row


def digest_of(secret: str) -> bytes:
    """What is kept of a key."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
