"""The hub's lanes: signal, severity, owner, next action; what to work next and the way back to calm.

Words are keys (the web says them in the reader's language). A missing signal is 0, so that a desk without
tickets is within SLA in every lane (C14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flowdesk.engine.cadence import Weekly


class Signal(StrEnum):
    """What is measured. The first twelve are the hub's queue signals in their order (F-HUB-09)."""

    CREATED = "created"
    ACTIVE = "active"
    URGENT = "urgent"
    UNASSIGNED = "unassigned"
    SLA_BREACHED = "sla_breached"
    ESCALATION_DUE = "escalation_due"
    WAITING_INTERNAL = "waiting_internal"
    WAITING_CUSTOMER = "waiting_customer"
    CALLBACK_QUEUED = "callback_queued"
    CALLBACK_OVERDUE = "callback_overdue"
    REOPEN_RISK = "reopen_risk"  # expected number of tickets
    CSAT_RISK = "csat_risk"  # expected number of tickets
    # Beside the twelve, for lanes alone:
    WORKABLE = "workable"
    PRESSURE = "pressure"  # workable tickets per place on shift
    FIRST_RESPONSE_OPEN = "first_response_open"
    FIRST_RESPONSE_AT_RISK = "first_response_at_risk"
    REOPEN_LIKELY = "reopen_likely"
    FOLLOWUP_OPEN = "followup_open"
    FOLLOWUP_LATE = "followup_late"


QUEUE_SIGNALS = tuple(Signal)[:12]
Signals = Mapping[Signal, float]


class Lane(StrEnum):
    """The seven lanes in the order of document 0 (F-HUB-14..20)."""

    SLA_BREACHED = "sla_breached"
    ESCALATION_DUE = "escalation_due"
    FIRST_RESPONSE = "first_response"
    CALLBACK = "callback"
    PRESSURE = "pressure"
    REOPEN_RISK = "reopen_risk"
    CSAT_FOLLOWUP = "csat_followup"


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which value of its measure a lane warns and from which it is critical; None: never."""

    warning: float | None = None
    critical: float | None = None

    def __post_init__(self) -> None:
        if self.warning is not None and self.critical is not None and self.warning > self.critical:
            raise ValueError("a lane warns before it is critical")

    def severity(self, value: float) -> Severity:
        """A value that reaches a threshold has crossed it; nothing to do is ok whatever they are."""
        if value <= 0:
            return Severity.OK
        if self.critical is not None and value >= self.critical:
            return Severity.CRITICAL
        if self.warning is not None and value >= self.warning:
            return Severity.WARNING
        return Severity.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDefinition:
    """One lane: who answers for it, what lies in it, what its severity is measured by."""

    key: Lane
    owner: str  # a post
    backlog: Signal
    measure: Signal
    thresholds: Thresholds

    @property
    def next_action(self) -> str:
        """The key of the sentence that says what to do."""
        return self.key.value


# What a lane holds and how it is measured is its meaning; owner and thresholds are the tenant's.
BACKLOGS: Mapping[Lane, Signal] = {
    Lane.SLA_BREACHED: Signal.SLA_BREACHED,
    Lane.ESCALATION_DUE: Signal.ESCALATION_DUE,
    Lane.FIRST_RESPONSE: Signal.FIRST_RESPONSE_OPEN,
    Lane.CALLBACK: Signal.CALLBACK_QUEUED,
    Lane.PRESSURE: Signal.WORKABLE,
    Lane.REOPEN_RISK: Signal.REOPEN_LIKELY,
    Lane.CSAT_FOLLOWUP: Signal.FOLLOWUP_OPEN,
}
MEASURES: Mapping[Lane, Signal] = {
    **BACKLOGS,
    Lane.FIRST_RESPONSE: Signal.FIRST_RESPONSE_AT_RISK,
    Lane.CALLBACK: Signal.CALLBACK_OVERDUE,
    Lane.PRESSURE: Signal.PRESSURE,
    Lane.REOPEN_RISK: Signal.REOPEN_RISK,
    Lane.CSAT_FOLLOWUP: Signal.FOLLOWUP_LATE,
}


def lane(key: Lane, *, owner: str, thresholds: Thresholds) -> LaneDefinition:
    """The lane with a tenant's owner and thresholds."""
    return LaneDefinition(
        key=key, owner=owner, backlog=BACKLOGS[key], measure=MEASURES[key], thresholds=thresholds
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """A lane as it stands. `window_at` is its most pressing deadline, past or ahead; None: within SLA."""

    key: Lane
    owner: str
    backlog: int
    measured: float
    severity: Severity
    next_action: str
    window_at: datetime | None = None


def lane_rows(
    signals: Signals,
    *,
    lanes: Sequence[LaneDefinition],
    windows: Mapping[Lane, datetime | None] | None = None,
) -> tuple[LaneRow, ...]:
    """Each lane with its backlog, severity and window, in the order given."""
    windows = windows or {}
    rows = []
    for one in lanes:
        backlog, measured = int(signals.get(one.backlog, 0)), signals.get(one.measure, 0.0)
        rows.append(
            LaneRow(
                key=one.key,
                owner=one.owner,
                backlog=backlog,
                measured=measured,
                severity=one.thresholds.severity(measured),
                next_action=one.next_action,
                window_at=windows.get(one.key) if backlog else None,
            )
        )
    return tuple(rows)


def count_severity(rows: Sequence[LaneRow], severity: Severity) -> int:
    """How many lanes stand so."""
    return sum(1 for row in rows if row.severity is severity)


def blocking_lanes(rows: Sequence[LaneRow]) -> tuple[Lane, ...]:
    """The lanes that keep the launch report from being published: the critical ones."""
    return tuple(row.key for row in rows if row.severity is Severity.CRITICAL)


# -- what next

# Breached, then escalations due, then callbacks, whatever their severities (F-HUB-02, F-HUB-05).
PATH_FIRST = (Lane.SLA_BREACHED, Lane.ESCALATION_DUE, Lane.CALLBACK)
_URGENCY = {Severity.CRITICAL: 0, Severity.WARNING: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNext:
    """The one thing to do and the one after it; without `lane` the queue is healthy, nothing is enforced."""

    lane: LaneRow | None = None
    fast_follow: LaneRow | None = None

    @property
    def primary_action(self) -> str:
        """The key of the button's words."""
        return self.lane.key.value if self.lane else HEALTHY

    @property
    def owner(self) -> str | None:
        return self.lane.owner if self.lane else None

    @property
    def backlog(self) -> int:
        return self.lane.backlog if self.lane else 0


HEALTHY = "healthy"


def work_next(rows: Sequence[LaneRow]) -> WorkNext:
    """The lane to enforce and the lane to follow with.

    Lanes that are not ok are asked for in the order of the path, the others after them by severity and then
    by their own order. A lane of the path that holds something may still follow when it is ok.
    """
    order = {row.key: place for place, row in enumerate(rows)}

    def rank(row: LaneRow) -> tuple[int, int, int]:
        if row.key in PATH_FIRST:
            return 0, PATH_FIRST.index(row.key), 0
        return 1, _URGENCY[row.severity], order[row.key]

    asked = sorted((row for row in rows if row.severity is not Severity.OK), key=rank)
    if not asked:
        return WorkNext()
    quiet = [row for key in PATH_FIRST for row in rows if row.key is key and row.backlog and row not in asked]
    following = [*asked[1:], *quiet]
    return WorkNext(lane=asked[0], fast_follow=following[0] if following else None)


# -- the way back


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"


class PathKey(StrEnum):
    """The steps of the recovery path (F-HUB-03)."""

    BREACHED = "breached"
    ESCALATE = "escalate"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One step; `count` is what is left of it: tickets, or for the last one the lanes that still block it."""

    key: PathKey
    state: StepState
    count: int
    lane: Lane | None = None


def recovery_path(rows: Sequence[LaneRow]) -> tuple[PathStep, ...]:
    """Breached first, escalate next, go live now. The first step with something left is the current one."""
    left = {row.key: row.backlog for row in rows}
    steps = (
        (PathKey.BREACHED, Lane.SLA_BREACHED, left.get(Lane.SLA_BREACHED, 0)),
        (PathKey.ESCALATE, Lane.ESCALATION_DUE, left.get(Lane.ESCALATION_DUE, 0)),
        (PathKey.LIVE, None, len(blocking_lanes(rows))),
    )
    path: list[PathStep] = []
    has_current = False
    for key, of, count in steps:
        # Going live is never behind us: published or not, the next shift may publish again.
        is_done = count == 0 and key is not PathKey.LIVE
        state = StepState.DONE if is_done else StepState.AHEAD if has_current else StepState.CURRENT
        has_current = has_current or state is StepState.CURRENT
        path.append(PathStep(key=key, state=state, count=count, lane=of))
    return tuple(path)


# -- what the tenant decides


class Window(StrEnum):
    """The rolling stretch that a hub looks back on."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def length(self) -> timedelta:
        """Real time, whatever the clocks do: a day is 24 hours."""
        return _LENGTHS[self]


_LENGTHS = {Window.DAY: timedelta(hours=24), Window.WEEK: timedelta(days=7), Window.MONTH: timedelta(days=30)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The standing meeting and the post that calls it (F-HUB-11)."""

    owner: str
    cadence: Weekly


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPolicy:
    """What a tenant has decided about its hubs."""

    lanes: tuple[LaneDefinition, ...]
    review: Review
    automation: Weekly
    goal_percent: float = 95.0
    windows: tuple[Window, ...] = tuple(Window)  # the first one is shown unasked
    likely_from: float = 0.1  # a ticket at least this likely to come back lies in the reopen lane
