"""The story of the clock that matters now, from the ticket's own log: every line is folded again, none is stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flowdesk.engine.clock import CUSTOMER_METRICS, Clock, ClockState, Metric
from flowdesk.engine.promises import Entry, What
from flowdesk.policies.services import Policy
from flowdesk.sla.fold import fold
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import TicketStory
from flowdesk.web import words
from flowdesk.web.chips import target_words
from flowdesk.web.drawings import Strip
from flowdesk.web.ticket import words as said
from flowdesk.web.ticket.page import Ledger, LedgerRow
from flowdesk.web.vocabulary import METRICS, TARGETS, WAIT_REASONS, say


def ledger_of(
    ticket: Ticket,
    clocks: Sequence[Clock],
    story: TicketStory,
    *,
    policy: Policy,
    zone: ZoneInfo,
    now: datetime,
) -> Ledger | None:
    """The ledger of the promise that falls due next, else of the resolution, else of the last one that ended."""
    clock = _chosen(clocks, now=now)
    if clock is None:
        return None
    folded = fold(story.events, policy=policy, to=now)
    entries = [one for one in folded.entries if one.metric is clock.metric and one.cycle == clock.cycle]
    rows = [_row(entry, entries, zone=zone, now=now) for entry in entries]
    if clock.is_active:
        rows.append(_now_row(clock, zone=zone, now=now))
        rows += _ahead(clock, policy, zone=zone, now=now)
    return Ledger(
        metric=say(METRICS, clock.metric.value),
        caption=said.ledger_caption(
            target_words(clock),
            policy=policy.promises.name,
            revision=policy.number,
            calendar=clock.promise.calendar_name,
        ),
        rows=tuple(rows),
        strip=_strip(clock, policy, zone=zone, now=now),
    )


def _chosen(clocks: Sequence[Clock], *, now: datetime) -> Clock | None:
    mine = [clock for clock in clocks if clock.metric in CUSTOMER_METRICS]
    ahead = [clock for clock in mine if clock.state is ClockState.RUNNING and clock.due_at > now]
    if ahead:
        return min(ahead, key=lambda clock: clock.due_at)
    active = [clock for clock in mine if clock.is_active]
    if active:
        return max(active, key=lambda clock: (clock.metric is Metric.RESOLUTION, clock.due_at))
    return max(mine, key=lambda clock: clock.stopped_at or clock.started_at, default=None)


def _row(entry: Entry, entries: Sequence[Entry], *, zone: ZoneInfo, now: datetime) -> LedgerRow:
    strong, sentence = _words(entry, entries, zone=zone, now=now)
    return LedgerRow(
        at=words.iso(entry.at, zone),
        when=words.moment(entry.at, zone=zone, now=now),
        strong=strong,
        words=sentence,
        spent=words.spent(entry.spent),
    )


def _words(entry: Entry, entries: Sequence[Entry], *, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    due = words.moment(entry.due_at, zone=zone, now=now)
    match entry.what:
        case What.STARTED:
            return said.ledger_event("started"), said.due_fact(due)
        case What.PAUSED:
            reasons = ", ".join(say(WAIT_REASONS, reason.value) for reason in entry.reasons)
            return said.ledger_event("paused"), reasons
        case What.RESUMED:
            pause = entry.at - _pause_start(entry, entries)
            return said.ledger_event("resumed"), said.pause_moves_due(words.length(pause), due=due)
        case What.STEP:
            return words.percent(entry.percent or 0), ""
        case What.RETARGETED:
            return said.ledger_event("retargeted"), said.new_target(entry.because, due=due)
        case What.RESTORED | What.MOVED:
            return said.ledger_event(entry.what.value), said.due_fact(due)
        case What.CONTINUED:
            return said.ledger_event("reopened"), said.due_fact(due)
        case What.STOPPED:
            late = entry.at > entry.due_at
            return said.ledger_event("stopped" if late else "met"), said.was_due(due)
        case What.MISSED:
            return said.ledger_event("missed"), ""
        case _:
            return said.ledger_event(entry.what.value), ""


def _pause_start(entry: Entry, entries: Sequence[Entry]) -> datetime:
    before = [one.at for one in entries if one.what is What.PAUSED and one.at <= entry.at]
    return before[-1] if before else entry.at


def _now_row(clock: Clock, *, zone: ZoneInfo, now: datetime) -> LedgerRow:
    state = "paused" if clock.state is ClockState.PAUSED else "running"
    return LedgerRow(
        at=words.iso(now, zone),
        when=words.clock(now, zone),
        strong="",
        words=said.ledger_now(int(clock.percent(now)), state=state),
        spent=words.spent(clock.elapsed(now)),
        kind="now" if now >= clock.due_at else "",
    )


def _ahead(clock: Clock, policy: Policy, *, zone: ZoneInfo, now: datetime) -> list[LedgerRow]:
    """The next rung, should nothing stop the clock."""
    if clock.state is not ClockState.RUNNING:
        return []
    rungs = policy.escalation.ladder.get(clock.metric, ())
    ahead = [(clock.step_at(step.percent), step) for step in rungs if step.percent not in clock.fired]
    ahead = [(at, step) for at, step in ahead if at > now]
    if not ahead:
        return []
    at, step = min(ahead, key=lambda row: row[0])
    return [
        LedgerRow(
            at=words.iso(at, zone),
            when=words.moment(at, zone=zone, now=now),
            strong=words.percent(step.percent),
            words=", ".join(say(TARGETS, target) for target in step.to),
            spent=words.spent(clock.target * step.percent // 100),
            kind="ahead",
        )
    ]


def _strip(clock: Clock, policy: Policy, *, zone: ZoneInfo, now: datetime) -> Strip | None:
    """The clock's life on the wall: running, paused, at risk, over."""
    until = clock.stopped_at or now
    last = max(until, clock.due_at if clock.is_active else until)
    if last <= clock.started_at:
        return None
    pauses = [(pause.start, pause.end) for pause in clock.pauses]
    if clock.state is ClockState.PAUSED:
        pauses.append((clock.since, until))
    risk = clock.step_at(75) if clock.state is ClockState.RUNNING else clock.due_at
    spans: list[tuple[str, datetime, datetime]] = []
    at = clock.started_at
    for start, end in [*pauses, (until, until)]:
        spans += _coloured(at, min(start, until), risk=risk, due=clock.due_at)
        if end > start:
            spans.append(("paused", start, end))
        at = max(at, end)
    percents = [percent for percent in policy.promises.percents.get(clock.metric, ()) if percent <= 100]
    running = clock.state is ClockState.RUNNING
    ticks = [
        (clock.step_at(percent), str(percent))
        for percent in percents
        if running and clock.step_at(percent) <= last
    ]
    first_words = words.moment(clock.started_at, zone=zone, now=now)
    return Strip.between(
        clock.started_at,
        last,
        spans=spans,
        ticks=[(clock.started_at, first_words), *ticks]
        if last - clock.started_at > timedelta(minutes=1)
        else [],
        now=until,
        now_words=said.now_mark(words.clock(until, zone)) if clock.is_active else words.clock(until, zone),
        words=said.strip_words(clock.metric.value, first=first_words, now=words.clock(until, zone)),
    )


def _coloured(
    start: datetime, end: datetime, *, risk: datetime, due: datetime
) -> list[tuple[str, datetime, datetime]]:
    """A running stretch in the colours of the time at risk."""
    cuts = [("calm", datetime.min.replace(tzinfo=start.tzinfo), risk), ("warning", risk, due)]
    cuts.append(("critical", due, datetime.max.replace(tzinfo=start.tzinfo)))
    return [
        (kind, max(start, first), min(end, last))
        for kind, first, last in cuts
        if min(end, last) > max(start, first)
    ]
