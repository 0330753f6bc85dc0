"""Reads of the hubs: facts from the database, meanings from the engine (design section 6).

Everything is asked inside an open scope of the tenant, on a page `with reading(tenant):`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from flowdesk.accounts.models import User
from flowdesk.automations.models import AutomationRun
from flowdesk.core.errors import OutsideTenant
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.clock import Metric
from flowdesk.engine.escalation import EscalationPolicy, StepAct
from flowdesk.engine.lanes import (
    QUEUE_SIGNALS,
    HubPolicy,
    Lane,
    Severity,
    Signal,
    Window,
    WorkNext,
    count_severity,
    lane_rows,
    recovery_path,
    work_next,
)
from flowdesk.engine.scoring import enforcement_score
from flowdesk.hubs.board import (
    AutomationBlock,
    Enforcement,
    HitRate,
    Owner,
    ReportRow,
    ReviewBlock,
    Rung,
    RunRow,
    SignalRow,
    SlaHub,
    Strip,
    TicketLine,
)
from flowdesk.hubs.models import LaunchReport
from flowdesk.hubs.outcomes import Closed, closed_estimates, dues, window_hit_rate
from flowdesk.hubs.owners import crew_at, owners_of, pressure_on
from flowdesk.hubs.queue import CallbackCounts, callback_counts, followup_counts, queue_at, work_order
from flowdesk.policies.document import PolicyDocument

HUB = "sla"
TICKETS_SHOWN = 4
ROWS_SHOWN = 5
ROUTE = "/flow/scheduler/tickets/automations/run"
SECRET_NAME = "FLOW_TICKET_AUTOMATION_CRON_SECRET"  # noqa: S105 - the variable's name, not the secret


def sla_hub(tenant: int, *, window: Window, now: datetime, policy: PolicyDocument) -> SlaHub:
    """The ticket SLA hub of the open scope's tenant; raises OutsideTenant for another one's."""
    if tenant != current_tenant():
        raise OutsideTenant
    hubs, since = policy.hubs, now - window.length
    queue = queue_at(tenant, now=now)
    due = dues(tenant, since=since, now=now)
    closed = closed_estimates(tenant, since=since, now=now, likely_from=hubs.likely_from)
    callbacks, followups = callback_counts(), followup_counts()
    breached, workable = int(queue.signals[Signal.SLA_BREACHED]), int(queue.signals[Signal.WORKABLE])
    crew = crew_at(now)
    pressure = pressure_on(crew, workable=workable, over=breached, next_due_at=queue.verdict.next_due_at)
    values: dict[Signal, float] = {
        **queue.signals,
        Signal.CREATED: due.created,
        Signal.CALLBACK_QUEUED: callbacks.queued,
        Signal.CALLBACK_OVERDUE: callbacks.overdue,
        Signal.REOPEN_RISK: closed.reopen,
        Signal.CSAT_RISK: closed.csat,
        Signal.REOPEN_LIKELY: closed.likely,
        Signal.FOLLOWUP_OPEN: followups.open,
        Signal.FOLLOWUP_LATE: followups.late,
        Signal.PRESSURE: pressure.ratio,
    }
    tickets = work_order(tenant, now=now, breached=breached, limit=TICKETS_SHOWN)
    windows = {
        **queue.windows,
        Lane.SLA_BREACHED: next((line.due_at for line in tickets if line.is_over), None),
        Lane.CALLBACK: callbacks.first_due_at,
    }
    rows = lane_rows(values, lanes=hubs.lanes, windows=windows)
    following = work_next(rows)
    rate = window_hit_rate(tenant, window=window, now=now, goal=hubs.goal_percent)
    owners = owners_of({*(row.owner for row in rows), hubs.review.owner}, crew=crew)
    runs, reports = _histories()
    return SlaHub(
        as_of=now,
        since=since,
        window=window,
        windows=hubs.windows,
        verdict=queue.verdict,
        hit_rate=rate,
        enforcement=Enforcement(
            percent=enforcement_score(due.in_time, fell_due=due.fell_due),
            in_time=due.in_time,
            fell_due=due.fell_due,
        ),
        pressure=pressure,
        critical=count_severity(rows, Severity.CRITICAL),
        warning=count_severity(rows, Severity.WARNING),
        lanes=rows,
        owners=owners,
        next=following,
        tickets=_shown(tickets, following),
        path=recovery_path(rows),
        strip=Strip(
            urgent_breached=queue.urgent_breached,
            urgent=int(values[Signal.URGENT]),
            callback_queued=callbacks.queued,
            callback_overdue=callbacks.overdue,
            escalation_window_at=windows[Lane.ESCALATION_DUE],
        ),
        signals=_signal_rows(values, window=window, before=due.created_before, closed=closed),
        levels=queue.levels,
        ladder=_ladder(policy.escalation),
        review=_review(hubs, owners, rate, callbacks, now=now),
        automation=AutomationBlock(
            route=ROUTE,
            secret_name=SECRET_NAME,
            cadence=hubs.automation,
            next_at=hubs.automation.next_after(now),
            runs=runs,
        ),
        reports=reports,
    )


def _shown(lines: Sequence[TicketLine], following: WorkNext) -> tuple[TicketLine, ...]:
    """Breached ones alone as long as there are any; in a healthy queue none."""
    if following.lane is None:
        return ()
    over = [line for line in lines if line.is_over]
    return tuple((over or list(lines))[:TICKETS_SHOWN])


def _signal_rows(
    values: Mapping[Signal, float], *, window: Window, before: int, closed: Closed
) -> tuple[SignalRow, ...]:
    """The twelve, each with the query under which the inbox shows what was counted (`tickets.signals`)."""
    rows = []
    for key in QUEUE_SIGNALS:
        query = {"signal": key.value}
        if key in (Signal.CREATED, Signal.REOPEN_RISK, Signal.CSAT_RISK):
            query["window"] = window.value
        rows.append(
            SignalRow(
                key=key,
                value=values[key],
                query=query,
                of={Signal.REOPEN_RISK: closed.resolved, Signal.CSAT_RISK: closed.closed}.get(key),
                before=before if key is Signal.CREATED else None,
            )
        )
    return tuple(rows)


def _ladder(policy: EscalationPolicy) -> tuple[Rung, ...]:
    """The rungs of the two promises every ticket has, joined (C1)."""
    rungs: dict[int, list[str]] = {}
    for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION):
        for step in policy.ladder.get(metric, ()):
            targets = rungs.setdefault(step.percent, [])
            told = (*step.to, "customer") if StepAct.TELL_CUSTOMER in step.acts else step.to
            targets.extend(target for target in told if target not in targets)
    return tuple(Rung(percent=percent, targets=tuple(targets)) for percent, targets in sorted(rungs.items()))


def _review(
    hubs: HubPolicy, owners: Mapping[str, Owner], rate: HitRate, callbacks: CallbackCounts, *, now: datetime
) -> ReviewBlock:
    agenda = (
        ("missed_promises", rate.decided - rate.met),
        ("late_callbacks", callbacks.overdue),
        ("vacant_posts", sum(1 for owner in owners.values() if owner.is_vacant or owner.fell_to)),
    )
    return ReviewBlock(
        owner=owners[hubs.review.owner],
        cadence=hubs.review.cadence,
        next_at=hubs.review.cadence.next_after(now),
        agenda=tuple((key, count) for key, count in agenda if count),
    )


def _histories() -> tuple[tuple[RunRow, ...], tuple[ReportRow, ...]]:
    """The last runs of the automation and the last reports, with the names of those who asked for them."""
    runs = list(AutomationRun.objects.order_by("-started_at", "-id")[:ROWS_SHOWN])
    reports = list(
        LaunchReport.objects.filter(hub=HUB).order_by("-published_at", "-id").defer("snapshot")[:ROWS_SHOWN]
    )
    users = {run.user_id for run in runs if run.user_id} | {report.published_by for report in reports}
    names = dict(User.objects.filter(id__in=users).values_list("id", "name")) if users else {}
    return (
        tuple(
            RunRow(
                public_id=run.public_id,
                trigger=run.trigger,
                person=names.get(run.user_id, "") if run.user_id else "",
                started_at=run.started_at,
                ended_at=run.ended_at,
                counts=run.counts,
            )
            for run in runs
        ),
        tuple(
            ReportRow(
                public_id=report.public_id,
                published_at=report.published_at,
                person=names.get(report.published_by, ""),
                status_note=report.status_note,
            )
            for report in reports
        ),
    )
