"""A published launch report as a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from flowdesk.accounts.models import User
from flowdesk.hubs.models import LaunchReport
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.hubs import words as said
from flowdesk.web.vocabulary import SEVERITIES, say


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLane:
    words: str
    owner: str
    backlog: int
    severity: str
    severity_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """What was true when it was published."""

    tenant: str
    published_at: str
    published_when: str
    person: str
    status_note: str
    hit_rate: str
    enforcement: str
    standing: tuple[tuple[str, int], ...]
    lanes: tuple[ReportLane, ...]
    back_href: str
    share_href: str


def report_page(request: AgentRequest, report: LaunchReport, *, now: datetime) -> ReportPage:
    """The report in the reader's language; its numbers are the snapshot's."""
    snapshot: Mapping[str, Any] = report.snapshot
    person = User.objects.filter(id=report.published_by).values_list("name", flat=True).first() or ""
    verdict = snapshot["verdict"]
    return ReportPage(
        tenant=request.tenant.slug,
        published_at=words.iso(report.published_at, request.zone),
        published_when=words.long_moment(report.published_at, zone=request.zone, now=now),
        person=person,
        status_note=report.status_note,
        hit_rate=words.percent(snapshot["hit_rate"]["percent"]),
        enforcement=words.percent(snapshot["enforcement"]["percent"]),
        standing=tuple((said.STANDING_WORDS[name], int(verdict[name])) for name in said.STANDING_WORDS),
        lanes=tuple(
            ReportLane(
                words=say(said.LANES, lane["key"]),
                owner=snapshot["owners"].get(lane["owner"], {}).get("person", ""),
                backlog=int(lane["backlog"]),
                severity=lane["severity"],
                severity_words=say(SEVERITIES, lane["severity"]),
            )
            for lane in snapshot["lanes"]
        ),
        back_href=reverse("sla-hub"),
        share_href=request.build_absolute_uri(),
    )
