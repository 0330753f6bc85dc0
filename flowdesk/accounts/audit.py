"""The audit log: what is written when somebody configures, opens a door or takes data out, and how it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from flowdesk.accounts import audit_sql as sql
from flowdesk.accounts.audit_chain import GENESIS, SealedRow, digest_of
from flowdesk.accounts.models import AuditEntry
from flowdesk.core.actor import Act, Actor, ActorKind
from flowdesk.core.tenant import act, current_tenant, reading


class AuditAct(StrEnum):
    """Acts of configuration, access, export and security."""

    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    LOCKED_OUT = "locked_out"
    LOGGED_OUT = "logged_out"
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  the name of an act
    PASSWORD_LINK_MADE = "password_link_made"  # noqa: S105
    PROFILE_CHANGED = "profile_changed"
    MEMBER_INVITED = "member_invited"
    MEMBER_DISABLED = "member_disabled"
    MEMBER_ENABLED = "member_enabled"
    MEMBER_ADDED = "member_added"
    POLICY_REVISED = "policy_revised"
    CUSTOMER_CREATED = "customer_created"
    CUSTOMER_CHANGED = "customer_changed"
    CONTACT_ADDED = "contact_added"
    CONTACT_CHANGED = "contact_changed"
    AUTOMATION_RUN = "automation_run"
    TRAINING_BEGUN = "training_begun"
    MODEL_PROMOTED = "model_promoted"
    MODEL_PUT_ASIDE = "model_put_aside"
    AGENT_CHANGED = "agent_changed"
    ABSENCE_BEGUN = "absence_begun"
    ABSENCE_ENDED = "absence_ended"
    TEAM_EVENED_OUT = "team_evened_out"
    ASSIGNMENTS_UNDONE = "assignments_undone"
    LAUNCH_REPORT_PUBLISHED = "launch_report_published"
    TICKETS_IMPORTED = "tickets_imported"
    IMPORT_BEGUN = "import_begun"
    IMPORT_ENDED = "import_ended"
    AUDIT_EXPORTED = "audit_exported"


class SealState(StrEnum):
    """How an entry stands to its seal, checked while it is read."""

    WAITING = "waiting"  # the sealer comes every few seconds
    HOLDS = "holds"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are asked for; empty values ask for all. `since` is included, `until` is not."""

    act: str = ""
    actor_kind: str = ""
    actor_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One entry as it is read: its place in the chain, and whether its seal holds."""

    entry: AuditEntry
    number: int | None
    seal: SealState


def record_act(
    act: str,
    *,
    thing: str,
    thing_id: int | None,
    by: Actor,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write an entry in the act's own transaction: what is done is audited, or neither happens.

    `before` and `after` hold ids and enumerations only, never text or addresses.
    """
    return AuditEntry.objects.create(
        tenant_id=current_tenant(),
        at=at,
        actor_kind=by.kind.value,
        actor_id=by.id if by.kind is not ActorKind.SYSTEM else None,
        act=str(act),
        thing=thing,
        thing_id=thing_id,
        before=dict(before or {}),
        after=dict(after or {}),
    )


def audit_page(wanted: AuditFilter, *, before: int | None = None, limit: int) -> list[AuditLine]:
    """The newest entries of the open tenant, from the one before the row id `before`; each with its seal checked."""
    rows = _asked(wanted).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return _with_seals(list(rows[:limit]))


def _asked(wanted: AuditFilter) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.all()
    if wanted.act:
        rows = rows.filter(act=wanted.act)
    if wanted.actor_kind:
        rows = rows.filter(actor_kind=wanted.actor_kind)
    if wanted.actor_kind and wanted.actor_id is not None:
        rows = rows.filter(actor_id=wanted.actor_id)
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    return rows


def _with_seals(entries: list[AuditEntry]) -> list[AuditLine]:
    with connection.cursor() as cursor:
        cursor.execute(sql.SEALS_OF, [current_tenant(), [entry.id for entry in entries]])
        seals = {sealed.entry: (sealed, previous) for sealed, previous in map(_sealed, cursor.fetchall())}
    return [_line(entry, seals.get(entry.id)) for entry in entries]


def _sealed(row: tuple[Any, ...]) -> tuple[SealedRow, bytes | None]:
    *sealed, previous = row
    return SealedRow(*sealed), None if previous is None else bytes(previous)


def _line(entry: AuditEntry, seal: tuple[SealedRow, bytes | None] | None) -> AuditLine:
    if seal is None:
        state = SealState.WAITING if entry.sealed_at is None else SealState.BROKEN
        return AuditLine(entry=entry, number=None, seal=state)
    sealed, previous = seal
    before = GENESIS if sealed.number == 1 else previous
    holds = before is not None and digest_of(before, sealed) == bytes(sealed.digest)
    state = SealState.HOLDS if holds else SealState.BROKEN
    return AuditLine(entry=entry, number=sealed.number, seal=state)


def last_seal() -> tuple[int, datetime] | None:
    """Number and instant of the open tenant's newest seal."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LAST_SEAL, [current_tenant()])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


# -- taking it away -----------------------------------------------------------------------------------------

CSV_COLUMNS = (
    "number",
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "act",
    "thing",
    "thing_id",
    "before",
    "after",
    "seal",
)
CSV_HEAD = ",".join(CSV_COLUMNS) + "\r\n"
CSV_PART = 1_000


@act
def export_audit(wanted: AuditFilter, *, by: Actor, now: datetime) -> int:
    """Note that the log is taken away, and by whom; returns the last entry's row id, the note itself."""
    by.must(Act.AUDIT)
    after = {"act": wanted.act, "actor_kind": wanted.actor_kind, "actor_id": wanted.actor_id}
    instants = {"since": wanted.since, "until": wanted.until}
    after |= {name: at.isoformat() for name, at in instants.items() if at is not None}
    noted = record_act(
        AuditAct.AUDIT_EXPORTED,
        thing="audit",
        thing_id=None,
        by=by,
        at=now,
        after={name: value for name, value in after.items() if value},
    )
    return noted.id


def csv_lines(tenant: int, wanted: AuditFilter, *, last: int) -> Iterator[str]:
    """The entries up to the row id `last` as CSV, the oldest first; each part is read in a scope of its own."""
    after = 0
    while True:
        with reading(tenant):
            rows = _asked(wanted).filter(id__gt=after, id__lte=last).order_by("id")
            lines = _with_seals(list(rows[:CSV_PART]))
        yield from map(_csv_line, lines)
        if len(lines) < CSV_PART:
            return
        after = lines[-1].entry.id


def _csv_line(line: AuditLine) -> str:
    one = line.entry
    out = io.StringIO()
    csv.writer(out).writerow(
        [
            line.number, one.id, one.at.isoformat(), one.actor_kind, one.actor_id, one.act, one.thing, one.thing_id,
            json.dumps(one.before), json.dumps(one.after), line.seal.value,
        ]
    )  # fmt: skip
    return out.getvalue()
