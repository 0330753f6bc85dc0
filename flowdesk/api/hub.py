"""The ticket SLA hub as data: what the page shows, by keys instead of sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import Filters
from flowdesk.api.shapes import AgentRef, Out, agent_ref
from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import LaneRow, Severity, StepState, Window
from flowdesk.engine.scoring import PressureLevel, PressureReason
from flowdesk.hubs.board import SlaHub, TicketLine
from flowdesk.hubs.kept import hub_as_of
from flowdesk.people import queries as people
from flowdesk.people.models import Agent

router = Router(tags=["hubs"])

Agents = Mapping[int, Agent]


class HubFilters(Filters):
    window: Annotated[Window, Field(description="How far back the hub looks.")] = Window.DAY


class VerdictOut(Out):
    """Where all active tickets stand; each is counted once."""

    active: int
    over: int
    at_risk: int
    on_time: int
    waiting: int
    next_due_at: datetime | None


class HitRateOut(Out):
    """Customer clocks decided in the window. `points` is the rate as it stood, oldest first, the last one now."""

    percent: float
    met: int
    decided: int
    goal_percent: float
    points: list[float]


class EnforcementOut(Out):
    """Items with a deadline of their own that fell due in the window, and how many were acted on in time."""

    percent: float
    in_time: int
    fell_due: int


class PressureOut(Out):
    """New and open tickets per place on shift; `ratio` is null when there is no place."""

    level: PressureLevel
    ratio: float | None
    because: PressureReason


class OwnerOut(Out):
    """Who answers: a post and the person it is or has fallen to; `way` are the posts asked."""

    post: str
    name: str
    agent: AgentRef | None
    way: list[str]
    is_vacant: bool


class LaneOut(Out):
    """One line of work. `measured` is what its severity goes by; null when it has no bound."""

    lane: str
    owner: OwnerOut
    backlog: int
    measured: float | None
    severity: Severity
    next_action: str
    window_at: datetime | None


class WorkNextOut(Out):
    """The one thing to do, who does it, and what follows; `action` is `healthy` when nothing is enforced."""

    action: str
    owner: OwnerOut | None
    backlog: int
    fast_follow: str | None


class HubTicket(Out):
    """A ticket that wants work; `waits` when its clocks stand still."""

    id: str
    number: int
    subject: str
    priority: str
    status: str
    customer: str
    assignee: str
    due_at: datetime | None
    at_risk_at: datetime | None
    is_over: bool
    waits: bool


class StepOut(Out):
    step: str
    state: StepState
    count: int
    lane: str | None


class StripOut(Out):
    """The support command strip; without an escalation window everything is within SLA."""

    urgent: int
    urgent_breached: int
    callback_queued: int
    callback_overdue: int
    escalation_window_at: datetime | None


class SignalOut(Out):
    """One measured number. `of` is how many tickets an estimate is about, `before` the window before this one."""

    signal: str
    value: float | None
    of: int | None
    before: int | None


class RungOut(Out):
    percent: int
    targets: list[str]


class ReviewOut(Out):
    """The standing meeting and what lies on its table."""

    owner: OwnerOut
    next_at: datetime
    agenda: dict[str, int]


class RunOut(Out):
    """One run of the ticket automation and what it counted."""

    id: UUID
    trigger: str
    person: str
    started_at: datetime
    ended_at: datetime | None
    counts: dict[str, Any]


class AutomationOut(Out):
    route: str
    secret_name: str
    next_at: datetime
    runs: list[RunOut]


class ReportOut(Out):
    """A launch report that was published."""

    id: UUID
    published_at: datetime
    person: str
    status_note: str


class SlaHubOut(Out):
    """Every block of the ticket SLA hub as it stands `as_of`, looking back to `since`."""

    as_of: datetime
    since: datetime
    window: Window
    verdict: VerdictOut
    hit_rate: HitRateOut
    enforcement: EnforcementOut
    pressure: PressureOut
    critical: int
    warning: int
    can_publish: bool
    work_next: WorkNextOut
    tickets: list[HubTicket]
    recovery_path: list[StepOut]
    strip: StripOut
    signals: list[SignalOut]
    lanes: list[LaneOut]
    levels: dict[int, int]  # active tickets by level of support
    ladder: list[RungOut]
    review: ReviewOut
    automation: AutomationOut
    reports: list[ReportOut]


@router.get(
    "/hubs/sla",
    response=SlaHubOut,
    auth=needs(Act.READ),
    operation_id="read_sla_hub",
    summary="The ticket SLA hub",
)
def read_sla_hub(request: HttpRequest, filters: Query[HubFilters]) -> SlaHubOut:
    """How hot it is, what comes next, and the seven lanes."""
    asking = client(request)
    with reading(asking.tenant):
        hub = hub_as_of(asking.tenant, window=filters.window, now=asking.now)
        agents = people.agents_by_id(owner.agent for owner in hub.owners.values() if owner.agent is not None)
        return _hub_out(hub, agents)


def _hub_out(hub: SlaHub, agents: Agents) -> SlaHubOut:
    verdict, rate, strip = hub.verdict, hub.hit_rate, hub.strip
    return SlaHubOut(
        as_of=hub.as_of,
        since=hub.since,
        window=hub.window,
        verdict=VerdictOut(
            active=verdict.active,
            over=verdict.over,
            at_risk=verdict.at_risk,
            on_time=verdict.on_time,
            waiting=verdict.waiting,
            next_due_at=verdict.next_due_at,
        ),
        hit_rate=HitRateOut(
            percent=rate.percent,
            met=rate.met,
            decided=rate.decided,
            goal_percent=rate.goal_percent,
            points=list(rate.points),
        ),
        enforcement=EnforcementOut(
            percent=hub.enforcement.percent,
            in_time=hub.enforcement.in_time,
            fell_due=hub.enforcement.fell_due,
        ),
        pressure=PressureOut(
            level=hub.pressure.level, ratio=_finite(hub.pressure.ratio), because=hub.pressure.because
        ),
        critical=hub.critical,
        warning=hub.warning,
        can_publish=hub.can_publish,
        work_next=WorkNextOut(
            action=hub.next.primary_action,
            owner=_owner(hub, hub.next.owner, agents) if hub.next.owner else None,
            backlog=hub.next.backlog,
            fast_follow=hub.next.fast_follow.key.value if hub.next.fast_follow else None,
        ),
        tickets=[_ticket(line) for line in hub.tickets],
        recovery_path=[
            StepOut(
                step=step.key.value, state=step.state, count=step.count, lane=step.lane and step.lane.value
            )
            for step in hub.path
        ],
        strip=StripOut(
            urgent=strip.urgent,
            urgent_breached=strip.urgent_breached,
            callback_queued=strip.callback_queued,
            callback_overdue=strip.callback_overdue,
            escalation_window_at=strip.escalation_window_at,
        ),
        signals=[
            SignalOut(signal=row.key.value, value=_finite(row.value), of=row.of, before=row.before)
            for row in hub.signals
        ],
        lanes=[_lane(hub, row, agents) for row in hub.lanes],
        levels=dict(hub.levels),
        ladder=[RungOut(percent=rung.percent, targets=list(rung.targets)) for rung in hub.ladder],
        **_below(hub, agents),
    )


def _below(hub: SlaHub, agents: Agents) -> dict[str, Any]:
    """What stands below the lanes: the review, the automation, the reports."""
    return {
        "review": ReviewOut(
            owner=_owner(hub, hub.review.owner.post, agents),
            next_at=hub.review.next_at,
            agenda=dict(hub.review.agenda),
        ),
        "automation": AutomationOut(
            route=hub.automation.route,
            secret_name=hub.automation.secret_name,
            next_at=hub.automation.next_at,
            runs=[
                RunOut(
                    id=run.public_id,
                    trigger=run.trigger,
                    person=run.person,
                    started_at=run.started_at,
                    ended_at=run.ended_at,
                    counts=dict(run.counts),
                )
                for run in hub.automation.runs
            ],
        ),
        "reports": [
            ReportOut(
                id=row.public_id,
                published_at=row.published_at,
                person=row.person,
                status_note=row.status_note,
            )
            for row in hub.reports
        ],
    }


def _lane(hub: SlaHub, row: LaneRow, agents: Agents) -> LaneOut:
    return LaneOut(
        lane=row.key.value,
        owner=_owner(hub, row.owner, agents),
        backlog=row.backlog,
        measured=_finite(row.measured),
        severity=row.severity,
        next_action=row.next_action,
        window_at=row.window_at,
    )


def _owner(hub: SlaHub, post: str, agents: Agents) -> OwnerOut:
    owner = hub.owners[post]
    return OwnerOut(
        post=owner.post,
        name=owner.name,
        agent=agent_ref(agents.get(owner.agent or 0)),
        way=list(owner.way),
        is_vacant=owner.is_vacant,
    )


def _ticket(line: TicketLine) -> HubTicket:
    return HubTicket(
        id=shown("tkt", line.public_id),
        number=line.number,
        subject=line.subject,
        priority=f"P{line.priority}",
        status=line.status,
        customer=line.customer,
        assignee=line.assignee,
        due_at=line.due_at,
        at_risk_at=line.at_risk_at,
        is_over=line.is_over,
        waits=line.waits,
    )


def _finite(number: float) -> float | None:
    # JSON has no word for endless.
    return number if isfinite(number) else None
