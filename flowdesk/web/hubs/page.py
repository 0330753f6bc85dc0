"""What the ticket SLA hub shows (F-HUB-01 to F-HUB-22), in the order hot, next, lanes, rest."""

from dataclasses import dataclass, field

from flowdesk.web.drawings import Ladder, LanesBar
from flowdesk.web.parts import Chip, Empty, Face, Form, Link, Metric, TicketLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How hot it is, in one sentence with a number in it."""

    state: str  # critical, warning, calm
    words: str
    detail: str = ""
    chip: Chip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """The one thing to do: a page to go to, or a form to send."""

    words: str
    href: str = ""
    form: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNext:
    """One action, one owner, one button (F-HUB-05)."""

    title: str
    owner_role: str
    owner: Face
    primary: Deed
    fast_follow: str
    fast_follow_link: Link | None = None
    tickets: tuple[TicketLine, ...] = ()
    empty: Empty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """A step of the recovery path: "done", "current" or "ahead"."""

    words: str
    about: str
    state: str
    href: str = ""
    tail: str = ""
    chip_state: str = ""  # the tail as a chip: critical, warning
    form: Form | None = None  # publish


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """One lane with its owner and its next action (F-HUB-13)."""

    words: str
    owner_role: str
    owner: Face
    backlog: int
    severity: str  # ok, warning, critical
    severity_words: str
    next_action: str
    href: str
    window: Chip | None = None  # None: within SLA


@dataclass(frozen=True, slots=True, kw_only=True)
class StripCard:
    """A card of the support command strip (F-HUB-07)."""

    words: str
    figure: str
    about: str
    chip: Chip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """The queue that is enforced now (F-HUB-08)."""

    title: str
    owner: str
    backlog: int
    window: Chip | None = None
    macro: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One measured number (F-HUB-09); it opens its tickets."""

    words: str
    figure: str
    href: str
    small: str = ""
    state: str = ""  # critical, warning


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLine:
    """What a level of support does (F-HUB-10), and how much lies there."""

    level: str
    words: str
    tickets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The standing meeting (F-HUB-11)."""

    meeting: str
    owner: str
    next_at: str
    next_when: str
    agenda: str
    agenda_href: str = ""
    calendar_href: str = ""  # .ics


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the ticket automation."""

    at: str
    when: str
    by: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """The automation that sweeps the queue (F-HUB-12); the secret's name, never its value."""

    route: str
    secret_name: str
    is_secret_set: bool
    schedule: str
    runs: tuple[Run, ...] = ()
    no_runs: str = ""
    run: Form | None = None
    runs_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaHubPage:
    """The whole hub; a fresh tenant fills every block with zeros."""

    tenant: str
    as_of: str  # "Live, as of 09:42 CEST"
    href: str  # this window's address, asked again at a threshold
    verdict: Verdict
    bar: LanesBar
    hit_rate: Metric
    enforcement_score: Metric
    severities: Metric
    next: WorkNext
    path: tuple[PathStep, ...]
    lanes: tuple[LaneRow, ...]
    lanes_words: str
    command_href: str
    strip: tuple[StripCard, ...]
    enforcement: Enforcement
    signals: tuple[Signal, ...]
    policy: tuple[LevelLine, ...]
    ladder: Ladder
    ladder_words: str
    review: Review
    automation: Automation
    ladder_href: str = ""
    windows: tuple[Link, ...] = field(default_factory=tuple)  # 24 h, 7 days, 30 days
