"""What the pages of teams and agents show."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Face, Form, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """One agent of a team as they stand now."""

    face: Face
    href: str = ""  # to change what they can do, for who may
    standing: str = ""  # "away until Monday", "off shift"
    is_here: bool = True
    skills: tuple[str, ...] = ()
    languages: str = ""
    channels: str = ""
    is_senior: bool = False
    tickets: str = ""
    load: str = ""  # "6 of 10"
    share: int = 0  # percent of their capacity, 100 at the most


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCard:
    """One team with its people."""

    slug: str
    name: str
    level: str
    lead: str
    queue: str
    queue_href: str
    members: tuple[MemberLine, ...]
    even_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewPage:
    """Every team."""

    teams: tuple[TeamCard, ...]
    links: tuple[Link, ...] = ()
    me: Form | None = None  # "I am here" or "I am away"
    empty: Empty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceLine:
    """When somebody is away, and who stands in."""

    words: str
    substitute: str
    end: Form | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPage:
    """One agent: what routing goes by, and when they are away."""

    name: str
    back_href: str
    card: Form | None
    absence: Form | None
    absences: tuple[AbsenceLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLine:
    """One move of a plan: a tick in front of it keeps it."""

    value: str  # what the form sends
    number: int
    subject: str
    href: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    """What a plan would make of one agent's load."""

    name: str
    before: str
    after: str
    share_before: int
    share_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvenPage:
    """How a team could be evened out: nothing has moved yet."""

    team: str
    back_href: str
    href: str
    words: str
    moves: tuple[MoveLine, ...] = ()
    loads: tuple[LoadLine, ...] = ()
    stuck: str = ""
    empty: Empty | None = None
