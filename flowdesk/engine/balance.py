"""Which tickets should change hands within a team, so that nobody drowns while others wait (N12).

A plan is made before anything moves: people look at it, strike out what they know better, and only then it acts.
What an agent has begun to answer stays with them, unless they are away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from flowdesk.engine.routing import Candidate

EVEN = Fraction(1, 4)  # of a capacity: a smaller difference between two people is left as it is
MOST = 200  # moves of one plan; the next plan goes on
_LATEST = datetime.max.replace(tzinfo=UTC)


class MoveReason(StrEnum):
    AWAY = "away"  # whoever has it is not here
    OVER_CAPACITY = "over_capacity"
    UNEVEN = "uneven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movable:
    """A ticket that somebody has: `is_begun` when they have answered it, `is_theirs` when they are the customer's own
    person."""

    ticket: int
    agent: str
    weight: int = 1
    language: str | None = None
    skills: frozenset[str] = frozenset()  # one of them is asked for
    due_at: datetime | None = None
    is_begun: bool = False
    is_theirs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One ticket, from whom to whom, and why."""

    ticket: int
    before: str
    after: str
    reason: MoveReason


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePlan:
    """The moves in the order they should be made; `stuck` are tickets of people who are away that nobody can take."""

    moves: tuple[Move, ...]
    stuck: tuple[int, ...]
    loads: tuple[tuple[str, int, int], ...]  # agent, load before and after


def balance(team: Sequence[Candidate], tickets: Iterable[Movable]) -> BalancePlan:
    """Plan the moves within one team; the same input gives the same plan in whatever order it comes.

    First what people who are away have, the soonest deadline first; then one ticket at a time from whoever has the
    greatest share of their capacity in use to whoever would have the smallest, as long as that evens things out.
    """
    table = _Table({one.agent: one for one in team})
    mine = [one for one in tickets if one.agent in table.people]
    mine.sort(key=lambda one: (one.due_at or _LATEST, one.ticket))
    stuck = []
    for one in [one for one in mine if not table.people[one.agent].is_available][:MOST]:
        to = table.taker(one)
        if to is None:
            stuck.append(one.ticket)
        else:
            table.move(one, to, MoveReason.AWAY)
    # The farthest deadline first: there is most time left to read into it.
    free = [
        one
        for one in reversed(mine)
        if table.people[one.agent].is_available and one.weight and not one.is_begun and not one.is_theirs
    ]
    while len(table.moves) < MOST and (step := table.next_step(free)) is not None:
        one, to = step
        over = table.load[one.agent] > table.people[one.agent].capacity
        table.move(one, to, MoveReason.OVER_CAPACITY if over else MoveReason.UNEVEN)
        free.remove(one)
    return BalancePlan(moves=tuple(table.moves), stuck=tuple(stuck), loads=table.loads())


class _Table:
    """A team as the plan so far leaves it."""

    def __init__(self, people: dict[str, Candidate]) -> None:
        self.people = people
        self.load = {name: one.load for name, one in people.items()}
        self.moves: list[Move] = []

    def share(self, agent: str, *, more: int = 0) -> Fraction:
        return Fraction(self.load[agent] + more, max(1, self.people[agent].capacity))

    def taker(self, one: Movable) -> str | None:
        """Who of the others would have the smallest share in use with this ticket, if anybody can take it."""
        able = [name for name in self.people if name != one.agent and self._can_take(name, one)]
        return min(able, key=lambda name: (self.share(name, more=one.weight), name), default=None)

    def next_step(self, free: Sequence[Movable]) -> tuple[Movable, str] | None:
        """The next ticket of whoever has most, and who takes it; None when nothing more would even things out."""
        in_vain: set[tuple[str, str | None, frozenset[str], int]] = (
            set()
        )  # tickets that are alike find the same taker
        for name in sorted(self.people, key=lambda name: (-self.share(name), name)):
            for one in free:
                kind = (name, one.language, one.skills, one.weight)
                if one.agent != name or kind in in_vain:
                    continue
                to = self.taker(one)
                if to is not None and self._evens_out(one, to):
                    return one, to
                in_vain.add(kind)
        return None

    def move(self, one: Movable, to: str, reason: MoveReason) -> None:
        self.moves.append(Move(ticket=one.ticket, before=one.agent, after=to, reason=reason))
        self.load[one.agent] -= one.weight
        self.load[to] += one.weight

    def loads(self) -> tuple[tuple[str, int, int], ...]:
        return tuple((name, self.people[name].load, self.load[name]) for name in sorted(self.people))

    def _evens_out(self, one: Movable, to: str) -> bool:
        """Whether the two stand closer afterwards, and stood far enough apart to be worth it."""
        apart = self.share(one.agent) - self.share(to)
        after = self.share(to, more=one.weight) - self.share(one.agent, more=-one.weight)
        is_over = self.load[one.agent] > self.people[one.agent].capacity
        return (apart > EVEN or is_over) and after < apart

    def _can_take(self, name: str, one: Movable) -> bool:
        person, team = self.people[name], self.people.values()
        if not (person.is_on_shift and person.is_available and self.load[name] < person.capacity):
            return False
        # As when it was first given: what nobody of the team has is not asked for.
        if one.language not in person.languages and any(one.language in other.languages for other in team):
            return False
        return bool(one.skills & person.skills) or not any(one.skills & other.skills for other in team)
