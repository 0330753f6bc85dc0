"""Chooses team and agent for a ticket."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.facts import TicketFacts
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.routing import (
    AssignmentDecision,
    Candidate,
    RoutingDecision,
    Strategy,
    choose_agent,
    route,
)
from flowdesk.people import queries as people
from flowdesk.policies.document import PolicyDocument
from flowdesk.routing import sql


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
        decision = self.decision
        return {
            "rule": decision.rule,
            "team": decision.team,
            "strategy": decision.strategy.value,
            "skills": list(decision.want_skills),
            "notify": list(decision.notify),
            "cc": list(decision.cc),
            "sla_target_minutes": decision.sla_target_minutes,
            "reasons": reasons_of(decision.reasons),
            "tried": [
                {
                    "rule": tried.rule,
                    "condition": tried.trace.source,
                    "matched": tried.trace.held,
                    "failed": [str(check) for check in tried.trace.failed],
                }
                for tried in decision.trace()
            ],
            "assignment": None if self.assignment is None else assignment_trace(self.assignment),
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
    facts: TicketFacts, policy: PolicyDocument, *, dedicated: int | None, at: datetime
) -> Routed:
    """The first rule that matches names the team; the best agent of it who is on shift takes the ticket."""
    decision = route(facts, policy.routing)
    team = next((team for team in people.teams() if team.slug == decision.team), None)
    if team is None:
        return Routed(facts, None, None, decision, None)
    assignment = pick_agent(team.id, decision, language=facts.language, dedicated=dedicated, at=at)
    agent = int(assignment.agent) if assignment.agent else None
    return Routed(replace(facts, team=team.slug), team, agent, decision, assignment)


def pick_agent(
    team: int,
    decision: RoutingDecision | None = None,
    *,
    language: str | None,
    dedicated: int | None,
    at: datetime,
) -> AssignmentDecision:
    """One agent of the team, or nobody: then the ticket waits in the team's queue.

    Without a decision (a team named by hand) the least loaded who speaks the language.
    """
    return choose_agent(
        candidates(team, dedicated=dedicated, at=at),
        strategy=decision.strategy if decision else Strategy.LEAST_LOADED,
        want_skills=decision.want_skills if decision else (),
        language=language,
        dedicated=decision.dedicated if decision else False,
        senior=decision.senior if decision else False,
    )


def candidates(team: int, *, dedicated: int | None, at: datetime) -> list[Candidate]:
    """The team's agents as they stand at this instant, with their open tickets counted."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TEAM_AT_WORK, [current_tenant(), team])
        agents = cursor.fetchall()
    on_shift = people.on_shift(at, [agent for agent, *_ in agents])
    return [
        Candidate(
            agent=str(agent), is_on_shift=agent in on_shift, is_available=is_available, skills=frozenset(skills),
            languages=frozenset(languages), is_dedicated=agent == dedicated, is_senior=is_senior, load=load,
            capacity=capacity, last_assigned_at=last_assigned_at,
        )
        for agent, is_available, skills, languages, is_senior, capacity, last_assigned_at, load in agents
    ]  # fmt: skip


@dataclass(slots=True)
class TeamsAtWork:
    """The agents of teams at one instant, each team read once; what one act gives them counts from then on."""

    at: datetime
    _teams: dict[int, list[Candidate]] = field(default_factory=dict)
    _given: Counter[str] = field(default_factory=Counter)

    def next_agent(self, team: int, *, language: str | None) -> int | None:
        """Who takes one more ticket of the team: the least loaded who speaks the language; None when nobody can."""
        if team not in self._teams:
            self._teams[team] = candidates(team, dedicated=None, at=self.at)
        agents = [
            replace(one, load=one.load + self._given[one.agent], last_assigned_at=self.at)
            if one.agent in self._given
            else one
            for one in self._teams[team]
        ]
        picked = choose_agent(agents, strategy=Strategy.LEAST_LOADED, language=language).agent
        if picked is None:
            return None
        self._given[picked] += 1
        return int(picked)


def note_assigned(agents: Collection[int], *, at: datetime) -> None:
    """Remember the turns, so that round robin goes on to the next."""
    if not agents:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.NOTE_TURNS, [at, current_tenant(), sorted(agents)])
