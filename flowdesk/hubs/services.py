"""Writes of the hubs: publishing what a hub says at one instant."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError, NotFound, invalid
from flowdesk.core.ids import new_id, parsed, shown
from flowdesk.core.tenant import act
from flowdesk.engine.lanes import Lane, Window, blocking_lanes
from flowdesk.hubs.board import SlaHub
from flowdesk.hubs.models import LaunchReport
from flowdesk.hubs.queries import HUB, sla_hub
from flowdesk.policies.services import current_policy

PREFIX = "rpt"
LONGEST_NOTE = 2_000
# What a report holds. No ticket, subject or customer: its link may be shared with people who work none.
BLOCKS = (
    "as_of", "since", "window", "verdict", "hit_rate", "enforcement", "pressure", "critical", "warning", "lanes",
    "path", "strip", "signals", "levels",
)  # fmt: skip


class LanesCritical(DomainError):
    """A launch report opens when no lane is critical."""

    code = "lanes_critical"

    def __init__(self, lanes: tuple[Lane, ...]) -> None:
        super().__init__(f"These lanes are critical: {', '.join(lanes)}. Clear them, then publish.")
        self.lanes = lanes


@act
def publish_report(*, by: Actor, now: datetime, window: Window = Window.DAY, status_note: str = "") -> str:
    """Publish the hub as it stands (F-ANA-09); returns the report's public id.

    Raises LanesCritical while a lane is critical, Invalid for a note that is too long.
    """
    by.must(Act.PUBLISH)
    if len(status_note) > LONGEST_NOTE:
        raise invalid("status_note", f"is longer than {LONGEST_NOTE} characters")
    hub = sla_hub(by.tenant, window=window, now=now, policy=current_policy())
    blocking = blocking_lanes(hub.lanes)
    if blocking:
        raise LanesCritical(blocking)
    report = LaunchReport.objects.create(
        tenant_id=by.tenant,
        public_id=new_id(now),
        hub=HUB,
        published_at=now,
        published_by=by.id or 0,
        status_note=status_note.strip(),
        snapshot=snapshot_of(hub),
    )
    record_act(
        AuditAct.LAUNCH_REPORT_PUBLISHED,
        thing="launch_report",
        thing_id=report.id,
        by=by,
        at=now,
        after={"hub": HUB, "window": window.value, "critical": hub.critical, "warning": hub.warning},
    )
    return shown(PREFIX, report.public_id)


def published_report(public_id: str) -> LaunchReport:
    """A report of the open scope's tenant; raises NotFound."""
    report = LaunchReport.objects.filter(public_id=parsed(PREFIX, public_id)).first()
    if report is None:
        raise NotFound
    return report


def snapshot_of(hub: SlaHub) -> dict[str, Any]:
    """The hub's numbers as plain JSON: instants in ISO 8601 with offset, a ratio without bound as null."""
    values = asdict(hub)
    return {
        **{block: _plain(values[block]) for block in BLOCKS},
        # Posts and who filled them; how a vacant one fell is part of what was true that day.
        "owners": {
            slug: {"person": owner.person, "way": list(owner.way)} for slug, owner in hub.owners.items()
        },
    }


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case float() if not isfinite(value):
            return None
        case _:
            return value
