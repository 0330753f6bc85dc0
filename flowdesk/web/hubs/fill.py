"""Fills the ticket SLA hub's page from what the hub knows."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import dateformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from flowdesk.core.actor import Act
from flowdesk.core.ids import shown
from flowdesk.engine.lanes import Lane, LaneRow, PathKey, PathStep, StepState, Window
from flowdesk.hubs.board import Owner, SignalRow, SlaHub, TicketLine
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.drawings import Ladder, LanesBar, Spark
from flowdesk.web.hubs import page as view
from flowdesk.web.hubs import words as said
from flowdesk.web.parts import (
    NOBODY,
    Chip,
    ChipState,
    Empty,
    Face,
    Field,
    Form,
    Kind,
    Link,
    Metric,
    running_chip,
)
from flowdesk.web.parts import TicketLine as TicketRow
from flowdesk.web.vocabulary import OWNERS, PRESSURES, SEVERITIES, TARGETS, say


def sla_page(request: AgentRequest, hub: SlaHub, *, now: datetime) -> view.SlaHubPage:
    """Every block of the hub (F-HUB-01 to F-HUB-22)."""
    zone = request.zone
    here = reverse("sla-hub")
    state, sentence = said.verdict(hub.verdict.over, at_risk=hub.verdict.at_risk)
    next_chip = _due_chip(hub.verdict.next_due_at, now=now)
    return view.SlaHubPage(
        tenant=request.tenant.slug,
        as_of=said.as_of(words.clock_and_zone(hub.as_of, zone)),
        href=f"{here}?window={hub.window.value}",
        verdict=view.Verdict(
            state=state,
            words=sentence,
            detail=said.next_one() if next_chip and state != "calm" else said.calm_detail(_pressure(hub)),
            chip=next_chip if state != "calm" else None,
        ),
        bar=LanesBar(
            over=hub.verdict.over,
            at_risk=hub.verdict.at_risk,
            on_time=hub.verdict.on_time,
            waiting=hub.verdict.waiting,
        ),
        hit_rate=_hit_rate(hub),
        enforcement_score=Metric(
            words=str(said.ENFORCEMENT_SCORE),
            figure=words.percent(hub.enforcement.percent),
            note=said.in_time_of(hub.enforcement.in_time, due=hub.enforcement.fell_due),
        ),
        severities=Metric(
            words=str(said.SEVERITY_COUNTS),
            figure=str(hub.critical),
            second_figure=str(hub.warning),
            note=said.of_lanes(len(hub.lanes)),
        ),
        next=_work_next(request, hub, now=now),
        path=tuple(_step(request, step, hub) for step in hub.path),
        lanes=tuple(_lane(row, hub.owners, now=now) for row in hub.lanes),
        lanes_words=said.lanes_words(hub.critical, warning=hub.warning),
        command_href="",
        strip=_strip(hub, now=now),
        enforcement=_enforcement(hub, now=now),
        signals=tuple(_signal(row) for row in hub.signals),
        policy=tuple(
            view.LevelLine(
                level=f"L{level}",
                words=say(said.LEVELS, f"L{level}"),
                tickets=said.tickets_count(hub.levels.get(level, 0)),
            )
            for level in (1, 2, 3)
        ),
        ladder=_ladder(hub),
        ladder_words=said.ladder_words([(rung.percent, rung.targets) for rung in hub.ladder]),
        review=_review(hub, zone=zone, now=now),
        automation=_automation(request, hub, zone=zone, now=now),
        windows=tuple(
            Link(
                words=say(said.WINDOWS, window.value),
                href=f"{here}?window={window.value}",
                is_current=window is hub.window,
            )
            for window in hub.windows
        ),
    )


def _pressure(hub: SlaHub) -> str:
    return say(PRESSURES, hub.pressure.level.value)


def _hit_rate(hub: SlaHub) -> Metric:
    rate = hub.hit_rate
    spark = None
    if rate.decided and len(rate.points) > 1:
        spark = Spark(
            words=said.spark_words(
                words.percent(rate.points[0]),
                last=words.percent(rate.points[-1]),
                goal=words.percent(rate.goal_percent),
            ),
            values=rate.points,
            goal=rate.goal_percent,
        )
    return Metric(
        words=str(said.HIT_RATE),
        figure=words.percent(rate.percent),
        note=said.met_of(rate.met, decided=rate.decided, goal=round(rate.goal_percent)),
        spark=spark,
    )


def _due_chip(due_at: datetime | None, *, now: datetime, at_risk_at: datetime | None = None) -> Chip | None:
    """A deadline as a chip; within the hour it is amber."""
    if due_at is None:
        return None
    if due_at <= now:
        return running_chip(due_at, now=now, state=ChipState.CRITICAL)
    near = (at_risk_at is not None and at_risk_at <= now) or (due_at - now).total_seconds() <= 3600
    return running_chip(
        due_at, now=now, state=ChipState.WARNING if near else ChipState.RUNNING, changes_at=due_at
    )


def _inbox(**query: str) -> str:
    return f"{reverse('inbox')}?{urlencode(query)}" if query else reverse("inbox")


LANE_QUERIES: Mapping[Lane, dict[str, str]] = {
    Lane.SLA_BREACHED: {"lane": "breached"},
    Lane.ESCALATION_DUE: {"signal": "escalation_due"},
    Lane.FIRST_RESPONSE: {"signal": "first_response_open"},
    Lane.CALLBACK: {"signal": "callback_queued"},
    Lane.PRESSURE: {"signal": "workable"},
    Lane.REOPEN_RISK: {"signal": "reopen_risk"},
    Lane.CSAT_FOLLOWUP: {"signal": "csat_risk"},
}


def _owner(post: str, owners: Mapping[str, Owner]) -> tuple[str, Face]:
    owner = owners.get(post)
    role = say(OWNERS, post) if post in OWNERS else (owner.name if owner and owner.name else post)
    if owner is None or owner.is_vacant:
        return role, NOBODY
    if owner.fell_to:
        role = _("{role} (vacant, falls to {post})").format(role=role, post=say(TARGETS, owner.fell_to))
    return role, Face.of(owner.person)


def _lane(row: LaneRow, owners: Mapping[str, Owner], *, now: datetime) -> view.LaneRow:
    role, face = _owner(row.owner, owners)
    return view.LaneRow(
        words=say(said.LANES, row.key.value),
        owner_role=role,
        owner=face,
        backlog=row.backlog,
        severity=row.severity.value,
        severity_words=say(SEVERITIES, row.severity.value),
        next_action=say(said.NEXT_ACTIONS, row.key.value),
        href=_inbox(**LANE_QUERIES[row.key]),
        window=_due_chip(row.window_at, now=now),
    )


def _work_next(request: AgentRequest, hub: SlaHub, *, now: datetime) -> view.WorkNext:
    lane = hub.next.lane
    follow = hub.next.fast_follow
    post = lane.owner if lane else hub.review.owner.post
    role, face = _owner(post, hub.owners)
    key = lane.key.value if lane else ""
    backlog = lane.backlog if lane else 0
    if lane is not None:
        primary = view.Deed(words=say(said.PRIMARY_ACTIONS, key), href=_inbox(**LANE_QUERIES[lane.key]))
    elif hub.verdict.active or not request.actor.may(Act.OPEN):
        primary = view.Deed(
            words=say(said.PRIMARY_ACTIONS, "healthy"), form=_publish_form(request, form_id="publish-next")
        )
        if primary.form is None:
            primary = view.Deed(words=say(said.PRIMARY_ACTIONS, "pressure"), href=_inbox())
    else:
        primary = view.Deed(words=_("Open the first ticket"), href=reverse("new-ticket"))
    return view.WorkNext(
        title=said.work_title(key, backlog),
        owner_role=role,
        owner=face,
        primary=primary,
        fast_follow=said.fast_follow(follow.key.value if follow else "", follow.backlog if follow else 0),
        fast_follow_link=Link(
            words=say(said.LANES, follow.key.value), href=_inbox(**LANE_QUERIES[follow.key])
        )
        if follow
        else None,
        tickets=tuple(_ticket(line, now=now) for line in hub.tickets),
        empty=None if hub.verdict.active else _start(request),
    )


def _start(request: AgentRequest) -> Empty:
    """What to do on a desk that has no ticket yet."""
    links = (
        [Link(words=_("Write a ticket"), href=reverse("new-ticket"))] if request.actor.may(Act.OPEN) else []
    )
    return Empty(
        title=str(said.START["title"]),
        words=_("Write one yourself, or send one through the API."),
        links=tuple(links),
    )


def _ticket(line: TicketLine, *, now: datetime) -> TicketRow:
    return TicketRow(
        number=line.number,
        subject=line.subject,
        href=reverse("ticket", args=[shown("tkt", line.public_id)]),
        customer=line.customer,
        priority=line.priority,
        chip=None if line.waits else _due_chip(line.due_at, now=now, at_risk_at=line.at_risk_at),
        assignee=Face.of(line.assignee) if line.assignee else NOBODY,
    )


def _step(request: AgentRequest, step: PathStep, hub: SlaHub) -> view.PathStep:
    key = step.key.value
    is_live = step.key is PathKey.LIVE
    ready = is_live and hub.can_publish
    tail, chip = "", ""
    if step.key is PathKey.BREACHED and step.count:
        tail, chip = said.over_tail(step.count), "critical"
    elif step.key is PathKey.ESCALATE and step.count:
        tail, chip = said.due_tail(step.count), "warning"
    elif is_live:
        tail = str(said.READY) if ready else said.lanes_to_go(step.count)
    return view.PathStep(
        words=say(said.STEPS, key),
        about=say(said.STEPS_ABOUT, "live_ready" if ready else key),
        state={StepState.DONE: "done", StepState.CURRENT: "current", StepState.AHEAD: "ahead"}[step.state],
        href="" if is_live else _inbox(**LANE_QUERIES[step.lane or Lane.SLA_BREACHED]),
        tail=tail,
        chip_state=chip,
        form=_publish_form(request, form_id="publish-step") if ready else None,
    )


def _publish_form(request: AgentRequest, *, form_id: str) -> Form | None:
    """The form that publishes the report; a calm hub has two of them."""
    if not request.actor.may(Act.PUBLISH):
        return None
    return Form(
        id=form_id,
        href=reverse("publish-report"),
        submit=_("Publish launch report"),
        title=_("Publish launch report"),
        fields=(
            Field(
                name="status_note",
                label=_("Status note"),
                kind=Kind.LONG,
                max_length=2000,
                hint=_("One or two sentences for whoever reads the report."),
            ),
        ),
    )


def _strip(hub: SlaHub, *, now: datetime) -> tuple[view.StripCard, ...]:
    strip = hub.strip
    window = _due_chip(strip.escalation_window_at, now=now)
    callbacks = "callback" if strip.callback_queued or strip.callback_overdue else "callback_none"
    return (
        view.StripCard(
            words=say(said.STRIP, "urgent"),
            figure=said.urgent_figure(strip.urgent_breached, urgent=strip.urgent),
            about=say(said.STRIP_ABOUT, "urgent"),
        ),
        view.StripCard(
            words=say(said.STRIP, "callback"),
            figure=said.callback_figure(strip.callback_queued, overdue=strip.callback_overdue),
            about=say(said.STRIP_ABOUT, callbacks),
        ),
        view.StripCard(
            words=say(said.STRIP, "escalation"),
            figure="" if window else str(said.WITHIN_SLA),
            about=said.pressure_advice(hub.pressure.level.value),
            chip=window,
        ),
    )


def _enforcement(hub: SlaHub, *, now: datetime) -> view.Enforcement:
    lane = hub.next.lane
    post = lane.owner if lane else hub.review.owner.post
    role, face = _owner(post, hub.owners)
    return view.Enforcement(
        title=said.enforcement_title(say(said.LANES, lane.key.value) if lane else ""),
        owner=said.owner_line(role, person=face.name),
        backlog=lane.backlog if lane else 0,
        window=_due_chip(lane.window_at, now=now) if lane else None,
    )


def _signal(row: SignalRow) -> view.Signal:
    estimate = row.of is not None
    small = _("of {n}").format(n=row.of) if estimate else ""
    if row.before is not None:
        change = int(row.value) - row.before
        small = f"{change:+d}" if change else ""
    state = ""
    if row.value and row.key.value in ("sla_breached", "callback_overdue"):
        state = "critical"
    elif row.value and row.key.value == "escalation_due":
        state = "warning"
    return view.Signal(
        words=say(said.SIGNALS, row.key.value),
        figure=number_format(row.value, decimal_pos=1) if estimate else str(int(row.value)),
        href=_inbox(**dict(row.query)),
        small=small,
        state=state,
    )


def _ladder(hub: SlaHub) -> Ladder:
    sentence = said.ladder_words([(rung.percent, rung.targets) for rung in hub.ladder])
    return Ladder(
        words=said.ladder_aloud(sentence),
        rungs=tuple((rung.percent, False) for rung in hub.ladder),
        has_mark=False,
    )


def _review(hub: SlaHub, *, zone: ZoneInfo, now: datetime) -> view.Review:
    role, face = _owner(hub.review.owner.post, hub.owners)
    agenda = ", ".join(said.agenda_line(key, count) for key, count in hub.review.agenda)
    return view.Review(
        meeting=str(said.MEETING),
        owner=said.owner_line(role, person=face.name),
        next_at=words.iso(hub.review.next_at, zone),
        next_when=words.long_moment(hub.review.next_at, zone=zone, now=now),
        agenda=agenda or str(said.NO_FINDINGS),
        calendar_href=reverse("review-calendar"),
    )


def _automation(request: AgentRequest, hub: SlaHub, *, zone: ZoneInfo, now: datetime) -> view.Automation:
    block = hub.automation
    local = block.next_at.astimezone(ZoneInfo(block.cadence.zone))
    runs = tuple(
        view.Run(
            at=words.iso(run.started_at, zone),
            when=words.moment(run.started_at, zone=zone, now=now),
            by=said.run_by(run.person)
            if run.person or run.trigger == "schedule"
            else said.run_by(run.trigger),
            words=said.run_words(_count(run.counts, "assigned"), escalated=_count(run.counts, "escalated"))
            if run.ended_at
            else _("running"),
        )
        for run in block.runs
    )
    return view.Automation(
        route=block.route,
        secret_name=block.secret_name,
        is_secret_set=bool(settings.AUTOMATION_CRON_SECRET),
        schedule=said.weekly(
            dateformat.format(local, "l"), time=block.cadence.at.strftime("%H:%M"), zone=block.cadence.zone
        ),
        runs=runs,
        no_runs="" if runs else said.no_runs(words.long_moment(block.next_at, zone=zone, now=now)),
        run=Form(id="run-form", href=reverse("run-automation"), submit=str(said.RUN_NOW))
        if request.actor.may(Act.AUTOMATE)
        else None,
    )


def _count(counts: Mapping[str, object], name: str) -> int:
    value = counts.get(name, 0)
    return value if isinstance(value, int) else 0


WINDOWS = {window.value: window for window in Window}
