"""Chooses team and agent for a ticket."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.routing import (
    AssignmentDecision,
    Candidate,
    RoutingDecision,
    RoutingRules,
    RuleTrace,
    Strategy,
    choose_agent,
    route,
)
from flowdesk.people import queries as people
from flowdesk.people.models import Customer
from flowdesk.policies.document import PolicyDocument
from flowdesk.routing import sql
from flowdesk.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Routed:
    """The team and, where somebody can take it, the agent."""

    facts: TicketFacts
    team: people.TeamRow | None
    agent: int | None
    decision: RoutingDecision
    assignment: AssignmentDecision | None

    @property
    def trace(self) -> dict[str, Any]:
        """What `explain` shows."""
        decision, tried = self.decision, self.decision.trace()
        return {
            "rule": decision.rule,
            "team": decision.team,
            "strategy": decision.strategy.value,
            "skills": list(decision.want_skills),
            "dedicated": decision.dedicated,
            "senior": decision.senior,
            "notify": list(decision.notify),
            "cc": list(decision.cc),
            "sla_target_minutes": decision.sla_target_minutes,
            "shadows": list(decision.shadows),
            "reasons": reasons_of(decision.reasons),
            "inputs": _inputs(decision.facts, tried),
            "tried": [
                {
                    "rule": one.rule,
                    "team": one.team,
                    "mode": one.mode.value,
                    "condition": one.trace.source,
                    "matched": one.trace.held,
                    "failed": [str(check) for check in one.trace.failed],
                }
                for one in tried
            ],
            "assignment": None if self.assignment is None else assignment_trace(self.assignment),
        }


def _inputs(facts: TicketFacts, tried: Iterable[RuleTrace]) -> dict[str, Any]:
    """What the rules looked at, by name, and as it stood; of words only whether they were found is ever kept."""
    seen = {
        check.comparison.field: check.seen
        for one in tried
        for check in one.trace.checks
        if not check.is_missing and check.seen is not None
    }
    return {"recent_escalations": facts.recent_escalations} | {
        name: list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Decimal) else value
        for name, value in seen.items()
    }


def assignment_trace(assignment: AssignmentDecision) -> dict[str, Any]:
    """One verdict for each agent of the team."""
    return {
        "agent": assignment.agent and int(assignment.agent),
        "strategy": assignment.strategy.value,
        "verdicts": [
            {"agent": int(agent), "verdict": verdict.value} for agent, verdict in assignment.verdicts
        ],
        "waived": reasons_of(assignment.waived),
    }


def route_ticket(
    facts: TicketFacts,
    policy: PolicyDocument,
    *,
    dedicated: int | None,
    at: datetime,
    learned: Callable[[Collection[str]], str | None] = lambda teams: None,
) -> Routed:
    """The first rule that matches names the team; the best agent of it who is on shift takes the ticket, and nobody
    else gives them one until the act ends.

    A ticket that no rule takes goes to the team that was `learned`, asked with those there are; one whose rule names a
    team that is gone goes where the rest goes.
    """
    teams = {team.slug: team for team in people.teams()}
    decision = route(facts, policy.routing, learned=lambda: learned(teams))
    if decision.team not in teams:
        decision = decision.sent_on(policy.routing.otherwise.team)
    team = teams.get(decision.team)
    if team is None:
        return Routed(facts, None, None, decision, None)
    wish = Wish(language=facts.language, channel=facts.preferred_channel, dedicated=dedicated)
    assignment = hold_agent(team.id, decision, wish=wish, rules=policy.routing, at=at)
    agent = int(assignment.agent) if assignment.agent else None
    return Routed(replace(facts, team=team.slug), team, agent, decision, assignment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a ticket asks of its agent: a language, the channel its customer prefers, and the customer's own person."""

    language: str | None = None
    channel: str | None = None
    dedicated: int | None = None


def wish_of(ticket: Ticket, customer: Customer) -> Wish:
    """What a ticket that is there asks of its agent."""
    return Wish(
        language=ticket.language or None,
        channel=customer.preferred_channel or None,
        dedicated=customer.dedicated_agent_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules asked of the agent when they last sent the ticket to its team."""

    strategy: Strategy
    want_skills: tuple[str, ...]
    dedicated: bool
    senior: bool


def asked_of(tickets: Sequence[int]) -> dict[int, Asked]:
    """What the rules asked for these tickets; one that has come to its team otherwise is not there."""
    with connection.cursor() as cursor:
        cursor.execute(sql.ASKED, [current_tenant(), list(tickets)])
        return {
            ticket: Asked(
                strategy=Strategy(strategy), want_skills=tuple(skills), dedicated=dedicated, senior=senior
            )
            for ticket, strategy, skills, dedicated, senior in cursor.fetchall()
        }


def pick_agent(
    team: int,
    decision: RoutingDecision | Asked | None = None,
    *,
    wish: Wish,
    rules: RoutingRules,
    at: datetime,
) -> AssignmentDecision:
    """One agent of the team, or nobody: then the ticket waits in the team's queue.

    Without a decision (a team named by hand) the least loaded who speaks the language.
    """
    return choose_agent(
        candidates(team, weights=rules.weights, dedicated=wish.dedicated, at=at),
        strategy=decision.strategy if decision else Strategy.LEAST_LOADED,
        want_skills=decision.want_skills if decision else (),
        language=wish.language,
        channel=wish.channel,
        dedicated=decision.dedicated if decision else False,
        senior=decision.senior if decision else False,
    )


def hold_agent(
    team: int,
    decision: RoutingDecision | Asked | None = None,
    *,
    wish: Wish,
    rules: RoutingRules,
    at: datetime,
) -> AssignmentDecision:
    """As `pick_agent`, and until the act ends nobody else gives that agent a ticket: so capacity and turns hold,
    however many open tickets at once.

    Who is being given one now is passed by for the next who could take it; where that is everybody, we wait for the
    best and look again.
    """
    while True:
        picked = pick_agent(team, decision, wish=wish, rules=rules, at=at)
        if picked.agent is None:
            return picked
        held = _hold_free(picked.able)
        if held is not None:
            return picked.passed_on(held)
        with connection.cursor() as cursor:
            cursor.execute(sql.HOLD_AGENT, [current_tenant(), int(picked.agent)])


def hold_free_agent(
    team: int,
    decision: RoutingDecision | Asked | None = None,
    *,
    wish: Wish,
    rules: RoutingRules,
    at: datetime,
) -> AssignmentDecision | None:
    """As `hold_agent`, without a wait: None where all who could take it are being given something now.

    Who gives out several tickets in one act holds several agents, and must not wait for another.
    """
    picked = pick_agent(team, decision, wish=wish, rules=rules, at=at)
    if picked.agent is None:
        return picked
    held = _hold_free(picked.able)
    return None if held is None else picked.passed_on(held)


def _hold_free(able: Sequence[Candidate]) -> str | None:
    """The first of them whom nobody is giving anything, and nobody has since they were read."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.HOLD_FREE,
            [[int(one.agent) for one in able], [one.last_assigned_at for one in able], current_tenant()],
        )
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def try_drain() -> bool:
    """Whether this act hands the tenant's queue out; False while another one does."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TRY_DRAIN, [current_tenant()])
        row = cursor.fetchone()
    assert row is not None
    return bool(row[0])


def candidates(
    team: int, *, weights: Mapping[Priority, int], dedicated: int | None, at: datetime
) -> list[Candidate]:
    """The team's agents as they stand at this instant, with what their open tickets weigh."""
    weighed = [weights[priority] for priority in Priority]
    with connection.cursor() as cursor:
        cursor.execute(sql.TEAM_AT_WORK, [at, at, weighed, dedicated, at, at, current_tenant(), team])
        agents = cursor.fetchall()
    on_shift = people.on_shift(at, [agent for agent, *_ in agents])
    return [_candidate(*row, on_shift=on_shift, dedicated=dedicated) for row in agents]


def _candidate(
    agent: int,
    is_here: bool,  # noqa: FBT001 - a column of the row
    skills: Iterable[str],
    languages: Iterable[str],
    channels: Iterable[str],
    is_senior: bool,  # noqa: FBT001
    capacity: int,
    last_assigned_at: datetime | None,
    load: int,
    stands_in: bool,  # noqa: FBT001
    *,
    on_shift: frozenset[int],
    dedicated: int | None,
) -> Candidate:
    return Candidate(
        agent=str(agent), is_on_shift=agent in on_shift, is_available=is_here, skills=frozenset(skills),
        languages=frozenset(languages), channels=frozenset(channels), is_dedicated=agent == dedicated,
        stands_in_for=str(dedicated) if stands_in else None, is_senior=is_senior, load=load, capacity=capacity,
        last_assigned_at=last_assigned_at,
    )  # fmt: skip


@dataclass(slots=True)
class TeamsAtWork:
    """The agents of teams at one instant, each team read once; what one act gives them counts from then on, and
    nobody else gives them anything until it ends."""

    at: datetime
    weights: Mapping[Priority, int]
    _teams: dict[int, list[Candidate]] = field(default_factory=dict)
    _given: Counter[str] = field(default_factory=Counter)

    def next_agent(self, team: int, *, priority: Priority, wish: Wish) -> int | None:
        """Who takes one more ticket of the team: the least loaded who speaks the language; None when nobody can now."""
        if team not in self._teams:
            self._teams[team] = candidates(team, weights=self.weights, dedicated=None, at=self.at)
        agents = [
            replace(one, load=one.load + self._given[one.agent], last_assigned_at=self.at)
            if one.agent in self._given
            else one
            for one in self._teams[team]
        ]
        picked = choose_agent(agents, strategy=Strategy.LEAST_LOADED, language=wish.language)
        agent = picked.agent
        if agent is not None and agent not in self._given:
            agent = _hold_free([one for one in picked.able if one.agent not in self._given])
        if agent is None:
            return None
        self._given[agent] += self.weights[priority]
        return int(agent)


def note_assigned(agents: Collection[int], *, at: datetime) -> None:
    """Remember the turns, so that round robin goes on to the next."""
    if not agents:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.NOTE_TURNS, [current_tenant(), sorted(agents), at, current_tenant()])
