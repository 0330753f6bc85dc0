"""What a hub knows at one instant, as plain values: the page, the report and the API read it from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flowdesk.engine.cadence import Weekly
from flowdesk.engine.lanes import LaneRow, PathStep, Signal, Window, WorkNext
from flowdesk.engine.scoring import Pressure


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers for something: a post, and the person it is or has fallen to.

    `way` are the posts asked, the owner's own first; `agent` is None when all of them are vacant, and then
    `has_contact` says whether the tenant's mandatory contact is told instead.
    """

    post: str
    name: str  # of the post, as the tenant calls it; empty when the tenant has no such post
    agent: int | None
    person: str
    way: tuple[str, ...]
    has_contact: bool = False

    @property
    def is_vacant(self) -> bool:
        return self.agent is None

    @property
    def fell_to(self) -> str:
        """The post above that has it because the owner's own is vacant; empty when it did not fall."""
        return self.way[-1] if self.agent is not None and len(self.way) > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where all active tickets stand; each is counted once. `next_due_at` is the next deadline ahead."""

    over: int = 0
    at_risk: int = 0
    on_time: int = 0
    waiting: int = 0
    next_due_at: datetime | None = None

    @property
    def active(self) -> int:
        return self.over + self.at_risk + self.on_time + self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRate:
    """Percent; `points` are the same rate as it stood through the window, oldest first, the last one now."""

    percent: float = 100.0
    met: int = 0
    decided: int = 0
    goal_percent: float = 95.0
    points: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """Percent; `in_time` of `fell_due` items with a deadline of their own."""

    percent: float = 100.0
    in_time: int = 0
    fell_due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket that wants work. `due_at` is past when it is over; `waits` when its clocks stand still."""

    public_id: UUID
    number: int
    subject: str
    priority: int
    status: str
    customer: str
    assignee: str
    due_at: datetime | None
    at_risk_at: datetime | None
    is_over: bool
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """One measured number and the inbox query that opens its tickets.

    `of` is the number of tickets an estimate is about; `before` what the window before this one had.
    """

    key: Signal
    value: float
    query: Mapping[str, str]
    of: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The support command strip (F-HUB-07)."""

    urgent_breached: int = 0
    urgent: int = 0
    callback_queued: int = 0
    callback_overdue: int = 0
    escalation_window_at: datetime | None = None  # None: within SLA


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A rung of the ladder: whom a promise tells at so many percent; "customer" among them when told."""

    percent: int
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBlock:
    """The standing meeting and what lies on its table: keys with counts, none of them 0."""

    owner: Owner
    cadence: Weekly
    next_at: datetime
    agenda: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of the ticket automation; `person` is empty for the schedule and the route."""

    public_id: UUID
    trigger: str
    person: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationBlock:
    route: str
    secret_name: str
    cadence: Weekly
    next_at: datetime
    runs: tuple[RunRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """A launch report that was published."""

    public_id: UUID
    published_at: datetime
    person: str
    status_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaHub:
    """Every block of the ticket SLA hub (F-HUB-01..23) as it stands `as_of`."""

    as_of: datetime
    since: datetime
    window: Window
    windows: tuple[Window, ...]
    verdict: Verdict
    hit_rate: HitRate
    enforcement: Enforcement
    pressure: Pressure
    critical: int
    warning: int
    lanes: tuple[LaneRow, ...]
    owners: Mapping[str, Owner]  # by post: of every lane and of the review
    next: WorkNext
    tickets: tuple[TicketLine, ...]
    path: tuple[PathStep, ...]
    strip: Strip
    signals: tuple[SignalRow, ...]
    levels: Mapping[int, int]  # active tickets by level of support
    ladder: tuple[Rung, ...]
    review: ReviewBlock
    automation: AutomationBlock
    reports: tuple[ReportRow, ...] = field(default_factory=tuple)

    @property
    def can_publish(self) -> bool:
        """Launch mode is open: no lane is critical."""
        return self.critical == 0
