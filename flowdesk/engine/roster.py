"""Who is on duty when (F-ESC-19, F-CMD-18): weekly shifts, rotations, and the overrides that swap people.

A roster is a sequence of `Shift` and `Rotation` in the order people are to be called in: an earlier layer
first. Hours are wall-clock hours in each entry's own zone, so a hand-over at nine stays at nine when clocks
change. Everybody is named by their agent id. An entry without a team serves every team.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from flowdesk.engine.business_time import (
    DEFAULT_ZONE,
    BeyondHorizon,
    Weekday,
    Window,
    resolve_local,
    zone_named,
)
from flowdesk.engine.spans import Span, as_utc, intersect, subtract, union

DAY = timedelta(days=1)
# Rosters repeat by the week; what does not change within this long is taken not to change at all.
LOOK_AHEAD = timedelta(days=371)
MOMENT = timedelta(microseconds=1)


class Duty(StrEnum):
    """What being on duty means: working the queue, or to be called."""

    WORK = "work"
    ON_CALL = "on_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Hours an agent is on duty each week, on the local dates they start on.

    Hours that end no later than they start run across midnight. `valid_from` is the first date the shift
    may start on, `valid_until` the first on which it no longer does. Raises ValueError for an unknown zone.
    """

    agent: str
    weekdays: frozenset[Weekday]
    starts: time
    ends: time
    zone: str = DEFAULT_ZONE
    kind: Duty = Duty.WORK
    team: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def __post_init__(self) -> None:
        zone_named(self.zone)
        Window(opens=self.starts, closes=self.ends)

    def stretches(self, within: Span) -> Iterator[tuple[str, Span]]:
        """The agent's stretches of duty that may touch `within`, whole."""
        zone = zone_named(self.zone)
        hours = Window(opens=self.starts, closes=self.ends)
        # A shift of the day before may still run; two days cover what a clock change adds.
        day = within.start.astimezone(zone).date() - 2 * DAY
        last = within.end.astimezone(zone).date()
        while (day := day + DAY) <= last:
            if day.weekday() in self.weekdays and _is_valid(day, self.valid_from, self.valid_until):
                starts, ends = hours.on(day)
                yield self.agent, Span(resolve_local(starts, zone)[0], resolve_local(ends, zone)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Agents who take turns around the clock, each for `turn_days` local days.

    The first agent's first turn begins on `first_on` at `handover_at`; after the last agent the first one
    follows. No turn begins on or after `valid_until`, and the one then running ends there. Raises
    ValueError for no agents, an empty turn or an unknown zone.
    """

    agents: tuple[str, ...]
    first_on: date
    handover_at: time = time(9)
    turn_days: int = 7
    zone: str = DEFAULT_ZONE
    kind: Duty = Duty.ON_CALL
    team: str | None = None
    valid_until: date | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "agents", tuple(self.agents))
        zone_named(self.zone)
        if not self.agents or self.turn_days < 1:
            raise ValueError("a rotation needs at least one agent and turns of at least one day")

    def stretches(self, within: Span) -> Iterator[tuple[str, Span]]:
        """The turns that may touch `within`, whole, each with its agent."""
        zone = zone_named(self.zone)
        since = (within.start.astimezone(zone).date() - self.first_on).days
        turn = max(0, since // self.turn_days - 1)
        while True:
            day = self.first_on + timedelta(days=turn * self.turn_days)
            next_day = day + timedelta(days=self.turn_days)
            if self.valid_until is not None:
                next_day = min(next_day, self.valid_until)
            starts, ends = (
                resolve_local(datetime.combine(on, self.handover_at), zone)[0]
                for on in (day, max(day, next_day))
            )
            if starts >= within.end or starts == ends:
                return
            yield self.agents[turn % len(self.agents)], Span(starts, ends)
            turn += 1


Rostered = Shift | Rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A change to the roster over one span.

    With `removes` and `adds` the one stands in for the other, exactly when the other would have been on
    duty. Only `removes` takes a person off; only `adds` puts one on for the whole span, last in order.
    Without a team it holds in every team. Raises ValueError when it names nobody.
    """

    span: Span
    removes: str | None = None
    adds: str | None = None
    kind: Duty = Duty.WORK
    team: str | None = None

    def __post_init__(self) -> None:
        if self.removes is None and self.adds is None:
            raise ValueError("an override must take somebody off duty or put somebody on")


def on_duty(
    roster: Sequence[Rostered],
    *,
    at: datetime,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> tuple[str, ...]:
    """Who is on duty at `at`, in the order of the roster, everybody once.

    A stand-in takes the place of the person they stand in for. Without a team: of every team.
    """
    at = as_utc(at)
    return _present(
        duty_spans(roster, within=Span(at, at + MOMENT), kind=kind, team=team, overrides=overrides), at
    )


def next_handover(
    roster: Sequence[Rostered],
    *,
    after: datetime,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> datetime | None:
    """The first instant after `after` at which other people are on duty; None when none comes in a year."""
    after = as_utc(after)
    for ahead in (8 * DAY, 57 * DAY, LOOK_AHEAD):
        within = Span(after, after + ahead)
        duties = duty_spans(roster, within=within, kind=kind, team=team, overrides=overrides)
        now = _present(duties, after)
        for instant in _changes(duties, within):
            if _present(duties, instant) != now:
                return instant
    return None


def next_duty_at(
    roster: Sequence[Rostered],
    *,
    after: datetime,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> datetime | None:
    """The first instant from `after` on with somebody on duty; None when there is none in a year."""
    after = as_utc(after)
    if on_duty(roster, at=after, kind=kind, team=team, overrides=overrides):
        return after
    # Nobody is on duty now, so the next change of people is somebody coming.
    return next_handover(roster, after=after, kind=kind, team=team, overrides=overrides)


def shift_ends_at(
    roster: Sequence[Rostered],
    *,
    agent: str,
    at: datetime,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> datetime | None:
    """When the duty that `agent` is on at `at` ends; None when they are not on duty.

    Shifts that follow each other without a break are one. Raises BeyondHorizon for a duty that goes on for
    more than a year.
    """
    at = as_utc(at)
    for ahead in (2 * DAY, 57 * DAY, LOOK_AHEAD):
        within = Span(at, at + ahead)
        duties = duty_spans(roster, within=within, kind=kind, team=team, overrides=overrides)
        mine = union(span for person, spans in duties if person == agent for span in spans)
        if not mine or mine[0].start > at:
            return None
        if mine[0].end < within.end:
            return mine[0].end
    raise BeyondHorizon(f"the duty of {agent!r} does not end within a year of {at.isoformat()}")


def gaps(
    roster: Sequence[Rostered],
    *,
    within: Span,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> tuple[Span, ...]:
    """The parts of `within` in which nobody is on duty."""
    duties = duty_spans(roster, within=within, kind=kind, team=team, overrides=overrides)
    return subtract([within], (span for _, spans in duties for span in spans))


def duty_spans(
    roster: Sequence[Rostered],
    *,
    within: Span,
    kind: Duty,
    team: str | None = None,
    overrides: Sequence[Override] = (),
) -> tuple[tuple[str, tuple[Span, ...]], ...]:
    """Who is on duty when in `within`: agents with their spans, in the order they are to be called in.

    An agent may appear more than once. Overrides apply one after the other: a stand-in can be replaced.
    """
    duties = [
        _Stretch(agent, entry.team or team, intersect([span], [within]))
        for entry in roster
        if entry.kind == kind and _serves(entry.team, team)
        for agent, span in entry.stretches(within)
    ]
    for override in overrides:
        if override.kind == kind and _serves(override.team, team):
            duties = list(_overridden(duties, override, within))
    return tuple((stretch.agent, stretch.spans) for stretch in duties if stretch.spans)


class _Stretch(NamedTuple):
    """Duty of one agent for one team; for every team when that is None."""

    agent: str
    team: str | None
    spans: tuple[Span, ...]


def _overridden(duties: Iterable[_Stretch], override: Override, within: Span) -> Iterator[_Stretch]:
    for agent, team, spans in duties:
        # Whoever serves every team stays on duty for the others when one team swaps them out.
        if agent == override.removes and override.team in (None, team):
            if override.adds is not None:
                yield _Stretch(override.adds, team, intersect(spans, [override.span]))
            yield _Stretch(agent, team, subtract(spans, [override.span]))
        else:
            yield _Stretch(agent, team, spans)
    if override.removes is None and override.adds is not None:
        yield _Stretch(override.adds, override.team, intersect([override.span], [within]))


def _serves(entry_team: str | None, team: str | None) -> bool:
    return entry_team is None or team is None or entry_team == team


def _is_valid(day: date, first: date | None, until: date | None) -> bool:
    return (first is None or first <= day) and (until is None or day < until)


def _present(duties: Iterable[tuple[str, tuple[Span, ...]]], at: datetime) -> tuple[str, ...]:
    present = (agent for agent, spans in duties if any(at in span for span in spans))
    return tuple(dict.fromkeys(present))


def _changes(duties: Iterable[tuple[str, tuple[Span, ...]]], within: Span) -> list[datetime]:
    """Every instant inside `within` at which a stretch of duty starts or ends."""
    edges = {edge for _, spans in duties for span in spans for edge in (span.start, span.end)}
    return sorted(edge for edge in edges if within.start < edge < within.end)
