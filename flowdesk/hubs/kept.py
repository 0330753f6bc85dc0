"""The hub as it was read a moment ago, for as long as nobody has written anything since.

Many look at a hub, and reading it anew costs some twenty statements. A hub is kept in this process for some seconds
under its tenant, its window and the database's snapshot: the snapshot changes with every transaction that commits, in
whatever process, so what is kept never hides a change. Only time may have passed, which the page says (`as_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from flowdesk.core.errors import OutsideTenant
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.lanes import Window
from flowdesk.hubs.board import SlaHub
from flowdesk.hubs.queries import sla_hub
from flowdesk.policies.services import current_policy

KEPT_FOR = timedelta(seconds=5)
MOST_KEPT = 256  # hubs of one process

# A transaction that has written sees rows which no snapshot tells of.
SNAPSHOT = "select pg_current_snapshot()::text, pg_current_xact_id_if_assigned() is not null"


@dataclass(frozen=True, slots=True)
class _Kept:
    snapshot: str
    hub: SlaHub


_kept: dict[tuple[int, Window], _Kept] = {}


def hub_as_of(tenant: int, *, window: Window, now: datetime) -> SlaHub:
    """The hub of the open scope's tenant, at most `KEPT_FOR` old; raises OutsideTenant for another one's."""
    if tenant != current_tenant():
        raise OutsideTenant
    # Asked before the first count: what commits while we count makes the next look count again.
    snapshot, has_written = _snapshot()
    known = _kept.get((tenant, window))
    if (
        known is not None
        and not has_written
        and known.snapshot == snapshot
        and timedelta(0) <= now - known.hub.as_of < KEPT_FOR
    ):
        return known.hub
    hub = sla_hub(tenant, window=window, now=now, policy=current_policy())
    if not has_written:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[tenant, window] = _Kept(snapshot, hub)
    return hub


def _snapshot() -> tuple[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]), bool(row[1])
