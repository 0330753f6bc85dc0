"""Which team takes a ticket, and which agent of it (F-RTE-03..12, C15, C16).

`route` walks the tenant's rules in order, the first whose condition holds deciding. `choose_agent` narrows
the candidates and picks one by strategy; every candidate leaves with a verdict. Both are pure: who is on
shift and how loaded everybody is comes in as values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from flowdesk.engine.conditions import Condition, Trace
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.reasons import Reason, because

# -- rules to team


class Strategy(StrEnum):
    ROUND_ROBIN = "round_robin"  # whoever has waited longest since the last assignment
    LEAST_LOADED = "least_loaded"  # whoever would have the smallest share of their capacity in use


class Mode(StrEnum):
    ACTIVE = "active"
    SHADOW = "shadow"  # looked at and written down, but it moves nothing
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingAction:
    """Where to, and what the agent should be: `skills` asks for one of them, the other two are wishes."""

    team: str
    strategy: Strategy = Strategy.ROUND_ROBIN
    skills: tuple[str, ...] = ()
    dedicated: bool = False  # the customer's own person
    senior: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """One rule; `sla_target` is a first response in business time and may only tighten unless `loosen`."""

    name: str
    condition: Condition
    action: RoutingAction
    notify: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    sla_target: timedelta | None = None
    loosen: bool = False
    mode: Mode = Mode.ACTIVE


EVEN_WEIGHTS: Mapping[Priority, int] = dict.fromkeys(Priority, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRules:
    """Ordered rules, and what to do when none matches; a customer with more recent escalations than
    `senior_after` is given a senior whatever the rule says (F-RTE-11). `weights` says how much of an agent's
    capacity a ticket of each priority takes."""

    rules: tuple[RoutingRule, ...]
    otherwise: RoutingAction = RoutingAction(team="tier-1", strategy=Strategy.LEAST_LOADED)
    senior_after: int = 2
    weights: Mapping[Priority, int] = field(default_factory=lambda: EVEN_WEIGHTS, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrace:
    """One rule that was tried: whether it held, each comparison, and those that kept it from holding."""

    rule: str
    team: str  # to which it would send the ticket
    mode: Mode
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDecision:
    """Where a ticket goes. `rule` is None when none matched; `shadows` are the rules in shadow that would have
    decided, had they been active."""

    rule: str | None
    team: str
    strategy: Strategy
    want_skills: tuple[str, ...] = ()
    dedicated: bool = False
    senior: bool = False
    notify: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    sla_target: timedelta | None = None
    loosen: bool = False
    shadows: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    facts: TicketFacts = field(repr=False, compare=False)
    tried: tuple[RoutingRule, ...] = field(repr=False, compare=False)

    @property
    def is_learned(self) -> bool:
        """Whether a learned model named the team, and not a rule or what the rest goes by."""
        return any(one.code == "learned_team" for one in self.reasons)

    @property
    def sla_target_minutes(self) -> int | None:
        return None if self.sla_target is None else self.sla_target // timedelta(minutes=1)

    def sent_on(self, team: str) -> RoutingDecision:
        """The same decision, to another team: its own is not there."""
        return replace(self, team=team, reasons=(*self.reasons, because("team_missing", team=self.team)))

    def trace(self) -> tuple[RuleTrace, ...]:
        """The rules tried, in order, the last being the one that matched if any did.

        Built when asked for: a trace looks at every comparison, a decision stops at the first answer.
        """
        return tuple(
            RuleTrace(
                rule=rule.name,
                team=rule.action.team,
                mode=rule.mode,
                trace=rule.condition.explain(self.facts),
            )
            for rule in self.tried
            if rule.mode is not Mode.OFF
        )


def nothing_learned() -> str | None:
    """No team: nobody has learned any."""
    return None


def route(
    facts: TicketFacts, rules: RoutingRules, *, learned: Callable[[], str | None] = nothing_learned
) -> RoutingDecision:
    """The decision of the first active rule that matches; without one, `otherwise`, to the team that was `learned`
    from tickets of before, if one was: nobody asks before that."""
    shadows: list[str] = []
    for position, rule in enumerate(rules.rules):
        if rule.mode is Mode.OFF or not rule.condition.matches(facts):
            continue
        if rule.mode is Mode.ACTIVE:
            tried = rules.rules[: position + 1]
            return _decision(facts, rules, rule.action, rule=rule, tried=tried, shadows=shadows)
        shadows.append(rule.name)
    rest = replace(rules.otherwise, team=learned() or rules.otherwise.team)
    return _decision(facts, rules, rest, rule=None, tried=rules.rules, shadows=shadows)


def _decision(
    facts: TicketFacts,
    rules: RoutingRules,
    action: RoutingAction,
    *,
    rule: RoutingRule | None,
    tried: tuple[RoutingRule, ...],
    shadows: Sequence[str],
) -> RoutingDecision:
    reasons = [because("no_rule_matched") if rule is None else because("rule_matched", rule=rule.name)]
    if rule is None and action.team != rules.otherwise.team:
        reasons.append(because("learned_team", team=action.team))
    needs_senior = facts.recent_escalations > rules.senior_after
    if needs_senior and not action.senior:
        reasons.append(because("senior_for_history", recent_escalations=facts.recent_escalations))
    return RoutingDecision(
        rule=rule.name if rule else None,
        team=action.team,
        strategy=action.strategy,
        want_skills=action.skills,
        dedicated=action.dedicated,
        senior=action.senior or needs_senior,
        notify=rule.notify if rule else (),
        cc=rule.cc if rule else (),
        sla_target=rule.sla_target if rule else None,
        loosen=rule.loosen if rule else False,
        shadows=tuple(shadows),
        reasons=tuple(reasons),
        facts=facts,
        tried=tried,
    )


# -- team to agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One agent of the team at this instant; `load` and `capacity` count weighted open tickets."""

    agent: str
    is_on_shift: bool = True
    is_available: bool = True  # neither away nor out of office
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()  # on which they work; none named: on all
    is_dedicated: bool = False  # to this ticket's customer
    stands_in_for: str | None = (
        None  # the absent agent whose substitute this is, if the ticket is meant for them
    )
    is_senior: bool = False
    load: int = 0
    capacity: int = 1
    last_assigned_at: datetime | None = None


class Verdict(StrEnum):
    CHOSEN = "chosen"
    BEHIND = "behind"  # would do; another came first
    BUSY = "busy"  # would do, and was being given another ticket at that moment
    OFF_SHIFT = "off_shift"
    UNAVAILABLE = "unavailable"
    LACKS_LANGUAGE = "lacks_language"
    LACKS_CHANNEL = "lacks_channel"
    LACKS_SKILL = "lacks_skill"
    FULL = "full"
    NOT_DEDICATED = "not_dedicated"
    NOT_SENIOR = "not_senior"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDecision:
    """The agent, or None: the ticket waits in the team's queue. One verdict per candidate, by agent;
    `waived` tells the wishes that nobody could meet, `able` is everybody who would do, the best first."""

    agent: str | None
    strategy: Strategy
    verdicts: tuple[tuple[str, Verdict], ...]
    waived: tuple[Reason, ...] = ()
    able: tuple[Candidate, ...] = field(default=(), repr=False)

    def passed_on(self, agent: str) -> AssignmentDecision:
        """The same decision where those who come before this agent are busy."""
        busy = {one.agent for one in self.able[: [one.agent for one in self.able].index(agent)]}
        verdicts = {name: Verdict.BUSY if name in busy else verdict for name, verdict in self.verdicts}
        verdicts[agent] = Verdict.CHOSEN
        return replace(self, agent=agent, verdicts=tuple(sorted(verdicts.items())))


def choose_agent(
    candidates: Sequence[Candidate],
    *,
    strategy: Strategy,
    want_skills: Iterable[str] = (),
    language: str | None = None,
    channel: str | None = None,
    dedicated: bool = False,
    senior: bool = False,
) -> AssignmentDecision:
    """Pick one candidate; the same candidates give the same answer in whatever order they come.

    Shift, presence and capacity are musts. Language and skill are musts where anyone in the team, on shift
    or not, has them; a wish nobody could ever meet is waived rather than queueing the ticket for good. The
    dedicated person comes first, or who stands in for them; then those who work the channel that the customer
    prefers, and a senior among them; where none of these is free, the others take the ticket (F-RTE-04, 11, 15).
    """
    wanted, waived = frozenset(want_skills), []
    musts: list[tuple[Verdict, Callable[[Candidate], bool]]] = [
        (Verdict.OFF_SHIFT, lambda one: one.is_on_shift),
        (Verdict.UNAVAILABLE, lambda one: one.is_available),
    ]
    if language is not None:
        if any(language in one.languages for one in candidates):
            musts.append((Verdict.LACKS_LANGUAGE, lambda one: language in one.languages))
        else:
            waived.append(because("nobody_speaks", language=language))
    if wanted:
        if any(wanted & one.skills for one in candidates):
            musts.append((Verdict.LACKS_SKILL, lambda one: bool(wanted & one.skills)))
        else:
            waived.append(because("nobody_has_skill", skills=", ".join(sorted(wanted))))
    musts.append((Verdict.FULL, lambda one: one.load < one.capacity))

    verdicts: dict[str, Verdict] = {}
    left = list(candidates)
    for verdict, has in musts:
        left = _narrowed(left, has, verdict, verdicts)
    left = _preferred(left, verdicts, waived, dedicated=dedicated, channel=channel, senior=senior)

    left.sort(key=_turn if strategy is Strategy.ROUND_ROBIN else _share)
    for place, one in enumerate(left):
        verdicts[one.agent] = Verdict.BEHIND if place else Verdict.CHOSEN
    return AssignmentDecision(
        agent=left[0].agent if left else None,
        strategy=strategy,
        verdicts=tuple(sorted(verdicts.items())),
        waived=tuple(waived),
        able=tuple(left),
    )


def _works(one: Candidate, channel: str) -> bool:
    return not one.channels or channel in one.channels


def _narrowed(
    left: list[Candidate],
    has: Callable[[Candidate], bool],
    verdict: Verdict,
    verdicts: dict[str, Verdict],
) -> list[Candidate]:
    verdicts.update({one.agent: verdict for one in left if not has(one)})
    return [one for one in left if has(one)]


def _preferred(
    left: list[Candidate],
    verdicts: dict[str, Verdict],
    waived: list[Reason],
    *,
    dedicated: bool,
    channel: str | None,
    senior: bool,
) -> list[Candidate]:
    """The dedicated person if wished and free, else who stands in for them, else the others, narrowed by each wish
    that somebody free can meet."""
    if dedicated:
        if any(one.is_dedicated for one in left):
            return _narrowed(left, lambda one: one.is_dedicated, Verdict.NOT_DEDICATED, verdicts)
        if any(one.stands_in_for for one in left):
            waived.append(because("dedicated_is_away"))
            return _narrowed(left, lambda one: bool(one.stands_in_for), Verdict.NOT_DEDICATED, verdicts)
        waived.append(because("dedicated_not_free"))
    if channel is not None:
        if any(_works(one, channel) for one in left):
            left = _narrowed(left, lambda one: _works(one, channel), Verdict.LACKS_CHANNEL, verdicts)
        else:
            waived.append(because("nobody_free_on_channel", channel=channel))
    if senior:
        if any(one.is_senior for one in left):
            return _narrowed(left, lambda one: one.is_senior, Verdict.NOT_SENIOR, verdicts)
        waived.append(because("no_senior_free"))
    return left


_NEVER = datetime.min.replace(tzinfo=UTC)  # whoever has never been given a ticket has waited longest


def _turn(one: Candidate) -> tuple[datetime, str]:
    return (one.last_assigned_at or _NEVER, one.agent)


def _share(one: Candidate) -> tuple[Fraction, datetime, str]:
    # With the ticket taken, for else who has room for four gets no more than who has room for one until all have one.
    # A fraction, not a quotient: 1/3 and 2/6 must tie exactly.
    return (Fraction(one.load + 1, one.capacity), one.last_assigned_at or _NEVER, one.agent)
