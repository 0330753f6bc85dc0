"""The routing rules: read, checked, tried and put in force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import Body
from flowdesk.api.shapes import AgentRef, Out, agent_ref
from flowdesk.api.versions import IF_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.errors import NotFound, invalid
from flowdesk.core.tenant import reading
from flowdesk.engine.routing import Mode, RoutingAction, RoutingRules, Strategy, Verdict, route
from flowdesk.flows import reconfigure
from flowdesk.people import queries as people
from flowdesk.policies.models import PolicyRevision
from flowdesk.policies.reader import PolicyFault, PolicyFaults
from flowdesk.policies.rule_text import section_of
from flowdesk.policies.services import current_policy
from flowdesk.routing import queries, services
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.triage import services as triage
from flowdesk.triage.learned import Target, ear_for

router = Router(tags=["routing"])

Source = Annotated[
    str, Field(max_length=200_000, description="The section `routing` of the policy, as YAML.")
]


class ActionOut(Out):
    """Where a rule sends a ticket, and what its agent should be."""

    team: str
    strategy: Strategy
    skills: list[str]
    dedicated: bool
    senior: bool


class RuleOut(Out):
    """One rule; `sla_target_minutes` is a first response in open time."""

    name: str
    condition: str
    action: ActionOut
    notify: list[str]
    cc: list[str]
    sla_target_minutes: int | None
    loosen: bool
    mode: Mode


class RulesOut(Versioned):
    """The rules in force, in their order, and the text they were read from."""

    revision: int
    since: datetime
    rules: list[RuleOut]
    otherwise: ActionOut
    source: str


class NewRules(Body):
    """All rules, as one text."""

    source: Source


class FaultOut(Out):
    """One thing to know, and where: line and column count from 1."""

    path: str
    line: int
    column: int
    reason: str


class Checked(Out):
    """What was found wrong; an empty list can be put in force. Hints keep nothing from it: a skill that nobody has."""

    faults: list[FaultOut]
    hints: list[FaultOut]


class TryRules(Body):
    """A ticket by id, and the rules to try on it; without any, those in force."""

    ticket: Annotated[str, Field(max_length=64)]
    source: Source | None = None


class TriedOut(Out):
    """What one rule said: the comparisons to blame where it did not hold."""

    rule: str
    mode: Mode
    condition: str
    matched: bool
    failed: list[str]


class AgentVerdict(Out):
    agent: AgentRef
    verdict: Verdict


class TrialOut(Out):
    """Where the ticket would go if it came in now. Nothing is moved."""

    rule: str | None
    team: str
    shadows: list[str]
    tried: list[TriedOut]
    agent: AgentRef | None
    agents: list[AgentVerdict]


@router.get(
    "/routing/rules",
    response=RulesOut,
    auth=needs(Act.CONFIGURE),
    operation_id="read_rules",
    summary="Read the rules",
)
def read_rules(request: HttpRequest) -> RulesOut:
    """As they are in force; drafts of the page are not."""
    with reading(client(request).tenant):
        return _rules_out()


def _rules_out() -> RulesOut:
    revision = PolicyRevision.objects.get(is_current=True)
    rules = current_policy().routing
    return RulesOut(
        version=str(revision.number),
        revision=revision.number,
        since=revision.created_at,
        rules=[
            RuleOut(
                name=rule.name,
                condition=rule.condition.source,
                action=_action_out(rule.action),
                notify=list(rule.notify),
                cc=list(rule.cc),
                sla_target_minutes=int(rule.sla_target.total_seconds() // 60) if rule.sla_target else None,
                loosen=rule.loosen,
                mode=rule.mode,
            )
            for rule in rules.rules
        ],
        otherwise=_action_out(rules.otherwise),
        source=section_of(revision.source, "routing"),
    )


def _action_out(action: RoutingAction) -> ActionOut:
    return ActionOut(
        team=action.team,
        strategy=action.strategy,
        skills=list(action.skills),
        dedicated=action.dedicated,
        senior=action.senior,
    )


@router.put(
    "/routing/rules",
    response=RulesOut,
    auth=needs(Act.CONFIGURE),
    operation_id="write_rules",
    summary="Put rules in force",
    openapi_extra=IF_MATCH,
)
def write_rules(request: HttpRequest, body: NewRules) -> RulesOut:
    """A new revision: tickets that come in from now on go by it. `If-Match` names the revision you have seen."""
    asking = client(request)
    reconfigure.write_section(
        "routing", body.source, by=asking.actor, now=asking.now, expected=asking.expected
    )
    with reading(asking.tenant):
        return _rules_out()


@router.post(
    "/routing/check",
    response=Checked,
    auth=needs(Act.CONFIGURE),
    operation_id="check_rules",
    summary="Check rules",
)
def check_rules(request: HttpRequest, body: NewRules) -> Checked:
    """Unknown fields, teams and posts, bad types, rules that can never match: each with line and column.

    Skills that nobody has are hints: such rules can be put in force.
    """
    with reading(client(request).tenant):
        try:
            reconfigure.check_rules(body.source)
        except PolicyFaults as found:
            return Checked(faults=_faults_out(found.faults), hints=[])
        return Checked(faults=[], hints=_faults_out(reconfigure.rule_hints(body.source)))


def _faults_out(faults: Iterable[PolicyFault]) -> list[FaultOut]:
    return [
        FaultOut(path=fault.path, line=fault.line, column=fault.column, reason=fault.reason)
        for fault in faults
    ]


@router.post(
    "/routing/try",
    response=TrialOut,
    auth=needs(Act.CONFIGURE),
    operation_id="try_rules",
    summary="Try rules on a ticket",
)
def try_rules(request: HttpRequest, body: TryRules) -> TrialOut:
    """Every rule that was tried, the agents of the team with a verdict each, and who would get it now.

    Needs the scope `read` as well, for it tells of a ticket.
    """
    asking = client(request)
    asking.actor.must(Act.READ)
    with reading(asking.tenant):
        try:
            ticket = tickets.ticket_by(body.ticket)
        except NotFound:
            raise invalid("ticket", "there is no ticket by that id") from None
        return _tried(ticket, _rules_of(body.source), at=asking.now)


def _rules_of(source: str | None) -> RoutingRules:
    if source is None:
        return current_policy().routing
    try:
        return reconfigure.check_rules(source)
    except PolicyFaults as found:
        first = found.faults[0]
        raise invalid("source", f"line {first.line}, column {first.column}: {first.reason}") from None


def _tried(ticket: Ticket, rules: RoutingRules, *, at: datetime) -> TrialOut:
    policy = current_policy()
    trace = tickets.latest_traces([ticket.id], subject="routing").get(ticket.id, {})
    sample = queries.sample_of(ticket, tickets.first_words(ticket.id), trace, policy)
    teams = {one.slug: one for one in people.teams()}
    learned = partial(triage.team_by_words, ear_for(Target.TEAM), teams, sample.facts)
    decision = route(sample.facts, rules, learned=learned)
    team = teams.get(decision.team)
    picked = None
    if team is not None:
        wish = services.wish_of(ticket, ticket.customer)
        picked = services.pick_agent(team.id, decision, wish=wish, rules=rules, at=at)
    verdicts = picked.verdicts if picked else ()
    agents = people.agents_by_id(int(agent) for agent, _ in verdicts)
    return TrialOut(
        rule=decision.rule,
        team=decision.team,
        shadows=list(decision.shadows),
        tried=[
            TriedOut(
                rule=one.rule, mode=one.mode, condition=one.trace.source, matched=one.trace.held,
                failed=[str(check) for check in one.trace.failed],
            )
            for one in decision.trace()
        ],
        agent=agent_ref(agents.get(int(picked.agent))) if picked and picked.agent else None,
        agents=[
            AgentVerdict(agent=ref, verdict=verdict)
            for agent, verdict in verdicts
            if (ref := agent_ref(agents.get(int(agent))))
        ],
    )  # fmt: skip
