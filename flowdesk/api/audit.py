"""The audit log for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.accounts.audit import AuditFilter, AuditLine, SealState, audit_page
from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import DEFAULT, Cursor, Limit, Page, cursor_at, place_after
from flowdesk.api.reading import LARGEST, Filters, Instant
from flowdesk.api.shapes import Out
from flowdesk.core.actor import Act, ActorKind
from flowdesk.core.tenant import reading

router = Router(tags=["audit"])


class AuditEntryOut(Out):
    """One act. `before` and `after` hold ids and enumerations; `number` is its place in the sealed chain."""

    id: str
    at: datetime
    actor_kind: ActorKind
    actor_id: int | None
    act: str
    thing: str
    thing_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]
    number: int | None
    seal: SealState


class AuditFilters(Filters):
    act: Annotated[str, Field(max_length=64)] = ""
    actor_kind: ActorKind | None = None
    actor_id: Annotated[int, Field(ge=1, le=LARGEST)] | None = None
    since: Instant | None = None
    until: Annotated[Instant | None, Field(description="Not included.")] = None
    cursor: Cursor = ""
    limit: Limit = DEFAULT


@router.get(
    "/audit",
    response=Page[AuditEntryOut],
    auth=needs(Act.AUDIT),
    operation_id="list_audit",
    summary="Read the audit log",
)
def list_audit(request: HttpRequest, filters: Query[AuditFilters]) -> Page[AuditEntryOut]:
    """The newest first; the seal of each line is checked as it is read. `actor_id` needs its `actor_kind`."""
    asking, name = client(request), f"{client(request).tenant}.audit"
    after = place_after(filters.cursor, of=name)
    wanted = AuditFilter(
        act=filters.act,
        actor_kind=filters.actor_kind.value if filters.actor_kind else "",
        actor_id=filters.actor_id,
        since=filters.since,
        until=filters.until,
    )
    with reading(asking.tenant):
        lines = audit_page(wanted, before=after[0] if after else None, limit=filters.limit + 1)
    page = lines[: filters.limit]
    return Page[AuditEntryOut](
        items=[_out(line) for line in page],
        next=cursor_at([page[-1].entry.id], of=name) if len(lines) > len(page) else None,
    )


def _out(line: AuditLine) -> AuditEntryOut:
    entry = line.entry
    return AuditEntryOut(
        id=str(entry.id),
        at=entry.at,
        actor_kind=ActorKind(entry.actor_kind),
        actor_id=entry.actor_id,
        act=entry.act,
        thing=entry.thing,
        thing_id=entry.thing_id,
        before=entry.before,
        after=entry.after,
        number=line.number,
        seal=line.seal,
    )
