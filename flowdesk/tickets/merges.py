"""Merges: which ticket stands for which, what was merged into one, and what brings a ticket back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from flowdesk.core.errors import DomainError, NotFound, Overtaken
from flowdesk.core.ids import parsed, shown
from flowdesk.core.models import row_of
from flowdesk.core.tenant import current_tenant
from flowdesk.tickets import sql
from flowdesk.tickets.models import EPOCH, Merge, Ticket, Wait
from flowdesk.tickets.services import COLUMNS, PREFIX
from flowdesk.tickets.states import MergeReason, Status

_LOCK = sql.LOCK_STANDING_TICKET.format(columns=COLUMNS)


class NotMerged(DomainError):
    """The ticket is not merged into another."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """Where words to a ticket go, locked. `asked` is the one they were sent to, where another stands for it."""

    ticket: Ticket
    asked: Asked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A merged ticket: as it was left, and who wrote in it."""

    version: str
    contact: int | None


def lock_standing(public_id: str) -> Landed:
    """The ticket, or the last of those that stand for it, locked. Raises NotFound, and Overtaken by a merge."""
    wanted = parsed(PREFIX, public_id)
    which: dict[str, Any] = {"tenant": current_tenant(), "ticket": wanted}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, which)
        row = cursor.fetchone()
        ticket = row_of(Ticket, row) if row is not None else None
        if ticket is not None and ticket.public_id == wanted:
            return Landed(ticket=ticket, asked=None)
        cursor.execute(sql.LAST_OF_MERGES, which)
        last = cursor.fetchone()
    if last is None:
        raise NotFound
    name, contact, updated_at = last
    if ticket is None or ticket.public_id != name:
        raise Overtaken  # it was merged, or its merge undone, while we waited
    version = str((updated_at - EPOCH) // timedelta(microseconds=1))
    return Landed(ticket=ticket, asked=Asked(version=version, contact=contact))


def name_by_number(number: int) -> str | None:
    """The public id of the ticket that people call by this number."""
    row = Ticket.objects.filter(number=number).values_list("public_id", flat=True).first()
    return shown(PREFIX, row) if row else None


def merged_into(ticket: int) -> list[Ticket]:
    """The tickets that this one stands for, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MERGED_INTO, {"tenant": current_tenant(), "ticket": ticket})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return []
    return list(Ticket.objects.filter(id__in=ids).select_related("customer", "contact").order_by("id"))


def keep_merge(
    source: Ticket,
    target: Ticket,
    *,
    because: MergeReason,
    likeness_percent: int | None,
    agent: int | None,
    before: Mapping[str, Any],
    at: datetime,
) -> Merge:
    """Write down that one ticket stands for another; both are locked."""
    return Merge.objects.create(
        tenant_id=source.tenant_id,
        source_id=source.id,
        target_id=target.id,
        because=because.value,
        likeness_percent=likeness_percent,
        agent_id=agent,
        merged_at=at,
        before=dict(before),
    )


def merge_of(source: Ticket) -> Merge:
    """The merge that holds of a locked ticket; raises NotMerged."""
    if source.status != Status.MERGED:
        raise NotMerged
    return Merge.objects.get(source_id=source.id, undone_at__isnull=True)


def end_merge(merge: Merge, *, at: datetime) -> None:
    """The merge holds no more."""
    merge.undone_at = at
    merge.save(update_fields=["undone_at"])


def reopen_waits(ids: Sequence[int]) -> list[Wait]:
    """Let waits that a merge ended go on as if it had not; returns them."""
    with connection.cursor() as cursor:
        cursor.execute(sql.REOPEN_WAITS, [current_tenant(), list(ids)])
    return list(Wait.objects.filter(id__in=ids).order_by("id"))


def reopen_tasks(ids: Sequence[int]) -> list[tuple[int, datetime, str]]:
    """Ask again what a merge dropped; returns whom, until when, and for what."""
    with connection.cursor() as cursor:
        cursor.execute(sql.REOPEN_TASKS, [current_tenant(), list(ids)])
        return list(cursor.fetchall())


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLine:
    """A merge to look at, with its two tickets."""

    merge: Merge
    source: Ticket
    target: Ticket


def latest_merges(*, limit: int, because: Sequence[MergeReason] = ()) -> list[MergeLine]:
    """The latest merges that still hold, the newest first."""
    rows = Merge.objects.filter(undone_at__isnull=True).select_related("source", "target", "agent")
    if because:
        rows = rows.filter(because__in=[one.value for one in because])
    return [
        MergeLine(merge=row, source=row.source, target=row.target) for row in rows.order_by("-id")[:limit]
    ]
