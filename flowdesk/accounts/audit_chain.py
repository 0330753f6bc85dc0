"""The audit log as a chain: each tenant's entries in one order, every seal a hash over the one before it.

    digest(0) = 32 zero bytes;  digest(n) = SHA-256(digest(n - 1) + JSON of [n, and every column of entry n])

The sealer alone gives the order, so a late commit is sealed late, and once. What the chain proves:

- changing, removing, inserting or reordering an entry or a seal below the end breaks it at that very place;
- cutting its end off, or writing it anew from some place on, keeps it whole in itself. That is found by a head
  kept elsewhere: number and digest of the last seal, signed with the deployment's secret. The sealer keeps the
  heads in the data folder, and writes each into the log; a backup or a log server holds them beyond our reach.

Whoever has the deployment's secret, the database owner's password and every copy of the heads can forge it all.
Entries not sealed yet (a few seconds' worth) are not protected; `verify_audit` counts them.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections, transaction
from django.utils.crypto import salted_hmac

from flowdesk.accounts import audit_sql as sql
from flowdesk.accounts.models import Tenant
from flowdesk.core import metrics
from flowdesk.core.embedded.roles import write_secret

log = logging.getLogger("flowdesk.audit")
GENESIS = bytes(32)
BATCH = 10_000  # entries sealed in one transaction, or walked at once
HEADS_FILE = "audit-heads.json"


class SealedRow(NamedTuple):
    """A seal and what it seals; a missing entry leaves None from `id` on."""

    number: int
    digest: bytes
    entry: int
    id: int | None
    tenant: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    act: str
    thing: str
    thing_id: int | None
    before: str
    after: str


def digest_of(previous: bytes, row: SealedRow) -> bytes:
    """The seal of an entry at its number, after the digest before it: SHA-256, 32 bytes."""
    content = [row.number, row.id, row.tenant, row.at.isoformat(), *row[6:]]
    return sha256(previous + json.dumps(content, separators=(",", ":")).encode()).digest()


# -- sealing ------------------------------------------------------------------------------------------------


def seal_audit(*, now: datetime) -> int:
    """Seal what is not sealed yet, in every tenant; returns how many entries. Safe to call from any worker.

    One transaction under one lock: a sealer that dies midway has sealed nothing, and another one at work makes
    this round do nothing.
    """
    with transaction.atomic(using="worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.LOCK_CHAIN)
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(sql.UNSEALED, [BATCH])
        entries = cursor.fetchall()
        if not entries:
            return 0
        cursor.execute(sql.HEADS, [sorted({entry[1] for entry in entries})])
        ends = {tenant: (number, bytes(digest)) for tenant, number, digest in cursor.fetchall()}
        seals = []
        for entry in entries:
            tenant = entry[1]
            number, previous = ends.get(tenant, (0, GENESIS))
            digest = digest_of(previous, SealedRow(number + 1, b"", entry[0], *entry))
            ends[tenant] = (number + 1, digest)
            seals.append((tenant, entry[0], number + 1, digest))
        cursor.execute(sql.INSERT_SEALS, [now, *(list(column) for column in zip(*seals, strict=True))])
        cursor.execute(sql.MARK_SEALED, [now, [entry[0] for entry in entries]])
    # Only once it is committed: a head that runs ahead of the chain would cry wolf.
    heads = [signed_head(tenant, number, digest) for tenant, (number, digest) in sorted(ends.items())]
    metrics.AUDIT_SEALED.add(by=len(entries))
    keep_heads(heads)
    for head in heads:
        log.info("audit_sealed", extra=asdict(head))
    return len(entries)


# -- heads --------------------------------------------------------------------------------------------------


class HeadsUnreadable(ValueError):
    """The file of audit heads is not what the sealer wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a tenant's chain as it was once: digest and signature in hexadecimal."""

    tenant: int
    number: int
    digest: str
    signature: str

    @property
    def is_ours(self) -> bool:
        """Whether this deployment's secret signed it."""
        return hmac.compare_digest(self.signature, _signature(self.tenant, self.number, self.digest))


def signed_head(tenant: int, number: int, digest: bytes) -> Head:
    """A head signed with the deployment's secret (HMAC-SHA-256)."""
    spelled = digest.hex()
    return Head(tenant=tenant, number=number, digest=spelled, signature=_signature(tenant, number, spelled))


def _signature(tenant: int, number: int, digest: str) -> str:
    return salted_hmac("flowdesk.audit.head", f"{tenant}:{number}:{digest}", algorithm="sha256").hexdigest()


def kept_heads(folder: Path | None = None) -> list[Head]:
    """The heads in the data folder; raises HeadsUnreadable."""
    path = (folder or settings.DATA_DIR) / HEADS_FILE
    try:
        return [Head(**head) for head in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise HeadsUnreadable(f"{path} cannot be read as audit heads; somebody wrote into it") from error


def keep_heads(heads: Iterable[Head], folder: Path | None = None) -> None:
    """Note the newest head of each tenant in the data folder; an older one never replaces a younger."""
    place = folder or settings.DATA_DIR
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(place / f"{HEADS_FILE}.lock"):
        newest = {head.tenant: head for head in kept_heads(place)}
        for head in heads:
            if head.tenant not in newest or newest[head.tenant].number < head.number:
                newest[head.tenant] = head
        text = json.dumps([asdict(newest[tenant]) for tenant in sorted(newest)], indent=1)
        write_secret(place / HEADS_FILE, text + "\n")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two workers of one machine share the file of heads."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


# -- verifying ----------------------------------------------------------------------------------------------


class Break(StrEnum):
    """How a chain is broken."""

    CHANGED = "changed"  # the entry, its place or its seal is not what was sealed
    REMOVED = "removed"  # an entry, or a seal with it, is missing from the middle
    INSERTED = "inserted"  # an entry calls itself sealed and is not
    TRUNCATED = "truncated"  # the chain ends before a head that was kept
    REWRITTEN = "rewritten"  # the chain passes a kept head with another digest
    FORGED_HEAD = "forged_head"  # a head that this deployment's secret did not sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What the verification of one tenant's chain found; `number` is where it breaks first."""

    tenant: int
    sealed: int = 0
    unsealed: int = 0
    fault: Break | None = None
    number: int | None = None
    entry: int | None = None

    @property
    def words(self) -> str:
        """One sentence for the operator."""
        if self.fault is None:
            return f"tenant {self.tenant}: {self.sealed} entries hold, {self.unsealed} wait for their seal"
        place = f" at number {self.number}" if self.number is not None else ""
        row = f" (entry {self.entry})" if self.entry is not None else ""
        return f"tenant {self.tenant}: {self.fault.value}{place}{row}; {self.sealed} entries hold before it"


def verify_audit(heads: Iterable[Head] | None = None) -> list[Chain]:
    """Walk every tenant's chain in batches and say where it breaks first; `heads` are those kept outside.

    Without `heads` those of the data folder are taken. Asks as the worker. Raises HeadsUnreadable.
    """
    kept: dict[int, list[Head]] = {}
    for head in kept_heads() if heads is None else heads:
        kept.setdefault(head.tenant, []).append(head)
    tenants = {*Tenant.objects.values_list("id", flat=True), *kept}
    return [_verify_chain(tenant, kept.get(tenant, [])) for tenant in sorted(tenants)]


def _verify_chain(tenant: int, heads: list[Head]) -> Chain:
    for head in heads:
        if not head.is_ours:
            return Chain(tenant=tenant, fault=Break.FORGED_HEAD, number=head.number)
    kept = {head.number: head.digest for head in heads}
    digest, sealed = GENESIS, 0
    for row in _walk(tenant):
        if row.number != sealed + 1:
            return Chain(tenant=tenant, sealed=sealed, fault=Break.REMOVED, number=sealed + 1)
        fault = _fault(row, digest, kept)
        if fault is not None:
            return Chain(tenant=tenant, sealed=sealed, fault=fault, number=row.number, entry=row.entry)
        digest, sealed = bytes(row.digest), row.number
    if max(kept, default=0) > sealed:
        return Chain(tenant=tenant, sealed=sealed, fault=Break.TRUNCATED, number=sealed + 1)
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.MARKED_WITHOUT_SEAL, [tenant])
        if stray := cursor.fetchone():
            return Chain(tenant=tenant, sealed=sealed, fault=Break.INSERTED, entry=stray[0])
        cursor.execute(sql.COUNT_UNSEALED, [tenant])
        return Chain(tenant=tenant, sealed=sealed, unsealed=cursor.fetchone()[0])


def _fault(row: SealedRow, previous: bytes, kept: Mapping[int, str]) -> Break | None:
    if row.id is None:
        return Break.REMOVED
    if digest_of(previous, row) != bytes(row.digest):
        return Break.CHANGED
    if kept.get(row.number, bytes(row.digest).hex()) != bytes(row.digest).hex():
        return Break.REWRITTEN
    return None


def _walk(tenant: int) -> Iterator[SealedRow]:
    last = 0
    while True:
        with connections["worker"].cursor() as cursor:
            cursor.execute(sql.WALK_CHAIN, [tenant, last, BATCH])
            rows: list[Any] = cursor.fetchall()
        yield from map(SealedRow._make, rows)
        if len(rows) < BATCH:
            return
        last = rows[-1][0]
