"""Which steps are due: percent of a promise, time in a state, and events; whom they reach (design section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flowdesk.engine.clock import Metric
from flowdesk.engine.condition_syntax import names_in
from flowdesk.engine.conditions import Condition
from flowdesk.engine.facts import TicketFacts


class StepAct(StrEnum):
    """What a step does beside telling its targets."""

    BREACH = "breach"
    TELL_CUSTOMER = "tell_customer"
    CREDIT = "credit"
    OUTREACH = "outreach"  # a task to call the customer in person


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One rung of a promise: at so many percent tell these targets; `within` makes it a task with a deadline."""

    percent: int
    to: tuple[str, ...]
    acts: frozenset[StepAct] = frozenset()
    within: timedelta | None = None


class EventTrigger(StrEnum):
    CREATED = "created"
    PRIORITISED = "prioritised"  # the priority or a signal changed
    BREACHED = "breached"
    RECURRING = "recurring"  # several tickets alike have become an issue


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """Document 2's matrix: when this happens and the condition holds, tell these targets; a task with a deadline."""

    name: str
    on: frozenset[EventTrigger]
    condition: Condition
    to: tuple[str, ...]
    within: timedelta
    act: str  # a key of the words shown with it, e.g. investigate
    team: str = ""  # the team that gets the task when no person is named or on duty


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """Time in a state: after so long at a level, and while the condition holds, the ticket climbs (F-ESC)."""

    name: str
    level: int
    after: timedelta  # open time on the tenant's calendar since the level was entered
    condition: Condition
    to: tuple[str, ...]
    team: str = ""  # the next level's team
    within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPolicy:
    """The ladder of every metric and the rules beside it."""

    ladder: Mapping[Metric, tuple[LadderStep, ...]]
    events: tuple[EventRule, ...] = ()
    states: tuple[StateRule, ...] = ()
    notice_every: timedelta = timedelta(hours=24)  # one customer notice per ticket in this time
    asks_for: frozenset[str] = field(
        init=False, repr=False, compare=False
    )  # the fields that its conditions name

    def __post_init__(self) -> None:
        conditions = [
            *(one.condition.ast for one in self.events),
            *(one.condition.ast for one in self.states),
        ]
        object.__setattr__(self, "asks_for", frozenset[str]().union(*map(names_in, conditions)))

    @property
    def percents(self) -> dict[Metric, tuple[int, ...]]:
        """The rungs each clock has to wake at."""
        return {metric: tuple(step.percent for step in steps) for metric, steps in self.ladder.items()}

    def step(self, metric: Metric, percent: int) -> LadderStep | None:
        """The rung of a metric's ladder at this percent."""
        return next((step for step in self.ladder.get(metric, ()) if step.percent == percent), None)

    def called_by(self, triggers: frozenset[EventTrigger], facts: TicketFacts) -> tuple[EventRule, ...]:
        """The event rules that one of the triggers fires for this ticket, in the policy's order."""
        return tuple(rule for rule in self.events if rule.on & triggers and rule.condition.matches(facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A post as it stands: who holds it and to which post it falls when vacant."""

    slug: str
    holder: int | None
    falls_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How a target became a person: the agent, or None when everybody above is vacant too, and the way there."""

    target: str
    agent: int | None
    way: tuple[str, ...] = field(default_factory=tuple)


ASSIGNEE, TEAM_LEAD, ON_CALL = "assignee", "team_lead", "on_call"
SUBSTITUTE = "substitute"  # in a way: who stands in for the one before


NOBODY_AWAY: Mapping[int, int] = {}


def find_people(
    targets: Sequence[str],
    *,
    assignee: int | None,
    team_lead: int | None,
    on_call: Sequence[int],
    offices: Mapping[str, Office],
    is_reachable: Callable[[int], bool] = lambda agent: True,
    stand_ins: Mapping[int, int] = NOBODY_AWAY,
) -> tuple[Found, ...]:
    """One person for each target.

    An unassigned ticket's assignee step falls to the team lead, a missing lead to the post `support_lead`,
    nobody on call to `support_manager`; a vacant post to the next above. The way is kept: a step that fell
    upward says so. `is_reachable` refuses people who have left or are away; who stands in for one of them comes
    before the next above.
    """
    firsts: dict[str, Iterable[int | None]] = {
        ASSIGNEE: (assignee,),
        TEAM_LEAD: (team_lead,),
        ON_CALL: on_call,
    }
    falls = {ASSIGNEE: TEAM_LEAD, TEAM_LEAD: "support_lead", ON_CALL: "support_manager"}
    found = []
    for target in targets:
        way: list[str] = []
        at: str | None = target
        agent: int | None = None
        while at is not None and at not in way:
            way.append(at)
            office = offices.get(at)
            people = [one for one in firsts.get(at, (office.holder if office else None,)) if one is not None]
            agent = next((one for one in people if is_reachable(one)), None)
            if agent is not None:
                break
            # One step only: a substitute who is away as well has nobody's chain of substitutes behind them.
            substitutes = (stand_ins[one] for one in people if one in stand_ins)
            agent = next((one for one in substitutes if is_reachable(one)), None)
            if agent is not None:
                way.append(SUBSTITUTE)
                break
            at = falls.get(at) or (office.falls_to if office else None)
        found.append(Found(target=target, agent=agent, way=tuple(way)))
    return tuple(found)
