"""Writes of escalation: steps become rows, each once; tasks are acknowledged or climb."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import new_id, parsed, shown
from flowdesk.core.models import json_list
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.escalation import (
    EscalationPolicy,
    EventRule,
    Found,
    LadderStep,
    Office,
    StateRule,
    StepAct,
    find_people,
)
from flowdesk.engine.promises import FiredStep
from flowdesk.escalation import sql
from flowdesk.escalation.models import Escalation, EscalationKind, EscalationState
from flowdesk.people import queries as people
from flowdesk.tickets.models import Ticket

PREFIX = "esc"
NEXT_LEVEL = "next_level"
OUTSTAYED = "outstayed_level"
ABOVE = {
    "assignee": "team_lead",
    "team_lead": "support_lead",
    "on_call": "support_manager",
    NEXT_LEVEL: "support_lead",
}


class AlreadyAcknowledged(DomainError):
    """Somebody has taken this escalation, or it has ended."""

    code = "already_acknowledged"


@dataclass(frozen=True, slots=True)
class Crew:
    """Who can be reached at one instant: posts, team leads, and those on call."""

    offices: Mapping[str, Office]
    leads: Mapping[int, int]
    teams: Mapping[str, people.TeamRow]
    on_call: Sequence[tuple[int, str | None]]  # agent and the team the duty is for
    off_duty: frozenset[int]  # have shifts, and none now
    presence: people.Presence
    has_mandatory_contact: bool
    _found: dict[Any, tuple[Found, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def find(self, targets: Sequence[str], ticket: Ticket, *, team: str = "") -> tuple[Found, ...]:
        """One person for each target; the next level is its team's lead.

        An assignee or lead off duty is passed over, and the step falls upward. Who is on call for the rule's
        `team` comes before others on call. Many tickets of a sweep ask the same: each question is answered once.
        """
        asked = (tuple(targets), ticket.assignee_id, ticket.team_id, ticket.level, team)
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = self._look_for(*asked)
        return found

    def _look_for(
        self, targets: Sequence[str], assignee: int | None, of: int | None, level: int, team: str
    ) -> tuple[Found, ...]:
        above = next((t for t in self.teams.values() if t.level == level + 1), None)
        offices = dict(self.offices)
        offices[NEXT_LEVEL] = Office(
            slug=NEXT_LEVEL, holder=self.leads.get(above.id) if above else None, falls_to="support_lead"
        )
        own = [agent for agent, duty in self.on_call if duty == team] if team else []
        return find_people(
            targets,
            assignee=self._on_duty(assignee),
            team_lead=self._on_duty(self.leads.get(of or 0)),
            on_call=[*own, *(agent for agent, _ in self.on_call)],
            offices=offices,
            is_reachable=self.presence.here.__contains__,
            stand_ins=self.presence.stand_ins,
        )

    def _on_duty(self, agent: int | None) -> int | None:
        return None if agent in self.off_duty else agent


def load_crew(teams: Sequence[people.TeamRow], *, at: datetime) -> Crew:
    """The crew of the open tenant, which has these teams, at this instant."""
    posts = people.posts()
    duties = people.roster()
    return Crew(
        offices={
            post.slug: Office(slug=post.slug, holder=post.holder_id, falls_to=post.above) for post in posts
        },
        leads={team.id: team.lead_id for team in teams if team.lead_id},
        teams={team.slug: team for team in teams},
        on_call=people.on_call(duties, at=at),
        off_duty=people.off_duty(duties, at=at),
        presence=people.presence(at=at),
        has_mandatory_contact=people.has_mandatory_contact(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One escalation about to be written."""

    ticket: int
    kind: EscalationKind
    rule: str
    target: str
    reason: str
    found: Found
    fires_at: datetime
    metric: str = ""
    cycle: int = 1
    step: int = 0
    within: timedelta | None = None
    team: int | None = None
    acts: frozenset[StepAct] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One escalation written: whom it reached, and what else the step does."""

    id: int
    public_id: UUID
    plan: Planned
    has_task: bool
    late_by: timedelta

    @property
    def data(self) -> dict[str, Any]:
        """What the ticket's log says of it."""
        plan = self.plan
        return {
            "escalation": self.id,
            "kind": plan.kind.value,
            "rule": plan.rule,
            "metric": plan.metric,
            "cycle": plan.cycle,
            "step": plan.step,
            "target": plan.target,
            "agent": plan.found.agent,
            "way": list(plan.found.way),
            "reason": plan.reason,
            "acts": sorted(act.value for act in plan.acts),
            "task": self.has_task,
            "fires_at": plan.fires_at.isoformat(),
            "late_by_seconds": round(self.late_by.total_seconds(), 3),
        }


@dataclass(slots=True)
class Plans:
    """Collects the escalations of one act, over one or many tickets."""

    crew: Crew
    planned: list[Planned] = field(default_factory=list)

    def climb_ladder(self, ticket: Ticket, steps: Iterable[FiredStep], policy: EscalationPolicy) -> None:
        """Rungs that clocks have passed."""
        for fired in steps:
            step = policy.step(fired.metric, fired.percent)
            if step is not None:
                self._add_rung(ticket, fired, step)

    def _add_rung(self, ticket: Ticket, fired: FiredStep, step: LadderStep) -> None:
        for found in self.crew.find(step.to, ticket):
            self.planned.append(
                Planned(
                    ticket=ticket.id,
                    kind=EscalationKind.PERCENT,
                    rule=f"ladder.{fired.metric.value}",
                    metric=fired.metric.value,
                    cycle=fired.cycle,
                    step=fired.percent,
                    target=found.target,
                    reason="promise_spent",
                    found=found,
                    fires_at=fired.at,
                    within=step.within if ticket.is_active else None,
                    acts=step.acts,
                )
            )

    def call(
        self, ticket: Ticket, rule: EventRule, *, at: datetime, metric: str = "", cycle: int = 1
    ) -> None:
        """An event rule of document 2's matrix; `metric` and `cycle` are of the broken promise that called it."""
        team = self.crew.teams.get(rule.team)
        for found in self.crew.find(rule.to, ticket, team=rule.team):
            self.planned.append(
                Planned(
                    ticket=ticket.id, kind=EscalationKind.EVENT, rule=rule.name, target=found.target,
                    metric=metric, cycle=cycle,
                    reason=rule.act, found=found, fires_at=at, within=rule.within, team=team.id if team else None,
                )
            )  # fmt: skip

    def outstayed(self, ticket: Ticket, rule: StateRule, *, fires_at: datetime) -> None:
        """A ticket has been in a state for too long."""
        team = self.crew.teams.get(rule.team)
        for found in self.crew.find(rule.to, ticket):
            self.planned.append(
                Planned(
                    ticket=ticket.id, kind=EscalationKind.STATE, rule=rule.name, target=found.target, step=rule.level,
                    cycle=ticket.reopen_count + 1, reason=OUTSTAYED, found=found, fires_at=fires_at,
                    within=rule.within, team=team.id if team else None,
                )
            )  # fmt: skip

    def ask(
        self, ticket: Ticket, target: str, *, reason: str, number: int, within: timedelta, at: datetime
    ) -> None:
        """Somebody escalates by hand."""
        (found,) = self.crew.find((target,), ticket)
        self.planned.append(
            Planned(
                ticket=ticket.id, kind=EscalationKind.MANUAL, rule="by_hand", target=target, cycle=number,
                reason=reason, found=found, fires_at=at, within=within,
            )
        )  # fmt: skip

    def climb(self, ticket: Ticket, open_one: "OpenRow", *, within: timedelta) -> bool:
        """Nobody took an escalation in time: the same step for the next above. False at the top."""
        above = ABOVE.get(open_one.target)
        if above is None:
            office = self.crew.offices.get(open_one.target)
            above = office.falls_to if office else None
        if above is None:
            return False
        (found,) = self.crew.find((above,), ticket)
        self.planned.append(
            Planned(
                ticket=ticket.id, kind=EscalationKind(open_one.kind), rule=open_one.rule, metric=open_one.metric,
                cycle=open_one.cycle, step=open_one.step, target=above, reason="not_acknowledged", found=found,
                fires_at=open_one.due_at, within=within, team=open_one.team_id,
            )
        )  # fmt: skip
        return True

    def write(self, *, at: datetime) -> list[Fired]:
        """Write what is planned; those that were there already are left as they are and not returned."""
        if not self.planned:
            return []
        ids = [new_id(at) for _ in self.planned]
        states = [self._state(plan) for plan in self.planned]
        with connection.cursor() as cursor:
            cursor.execute(
                sql.INSERT_ESCALATIONS,
                [
                    current_tenant(),
                    at,
                    ids,
                    [plan.ticket for plan in self.planned],
                    [plan.kind.value for plan in self.planned],
                    [plan.rule for plan in self.planned],
                    [plan.metric for plan in self.planned],
                    [plan.cycle for plan in self.planned],
                    [plan.step for plan in self.planned],
                    [plan.target for plan in self.planned],
                    [plan.reason for plan in self.planned],
                    [state.value for state in states],
                    [plan.found.agent for plan in self.planned],
                    [plan.team for plan in self.planned],
                    [plan.fires_at for plan in self.planned],
                    [at + plan.within if plan.within and state is EscalationState.OPEN else None
                     for plan, state in zip(self.planned, states, strict=True)],
                    json_list({"way": list(plan.found.way)} for plan in self.planned),
                ],
            )  # fmt: skip
            written = {public_id: row_id for row_id, public_id in cursor.fetchall()}
        return [
            Fired(
                id=written[public_id],
                public_id=public_id,
                plan=plan,
                has_task=state is EscalationState.OPEN,
                late_by=at - plan.fires_at,
            )
            for public_id, plan, state in zip(ids, self.planned, states, strict=True)
            if public_id in written
        ]

    def _state(self, plan: Planned) -> EscalationState:
        if plan.found.agent is None and not self.crew.has_mandatory_contact:
            return EscalationState.SKIPPED
        return EscalationState.OPEN if plan.within else EscalationState.TOLD


class OpenRow(NamedTuple):
    """An escalation that waits for somebody to take it."""

    id: int
    ticket_id: int
    rule: str
    metric: str
    cycle: int
    step: int
    target: str
    reason: str
    kind: str
    team_id: int | None
    due_at: datetime


def open_escalations(tenant: int, tickets: Sequence[int]) -> dict[int, list[OpenRow]]:
    """The open tasks of these tickets, the earliest deadline first."""
    rows: dict[int, list[OpenRow]] = {ticket: [] for ticket in tickets}
    with connection.cursor() as cursor:
        cursor.execute(sql.OPEN_ESCALATIONS, [tenant, list(tickets)])
        for columns in cursor.fetchall():
            row = OpenRow(*columns)
            rows[row.ticket_id].append(row)
    return rows


def recent_escalations(customer: int, *, at: datetime) -> int:
    """How many of the customer's tickets were escalated in the last 30 days; a hundred stands for more."""
    with connection.cursor() as cursor:
        cursor.execute(sql.RECENT_ESCALATIONS, [current_tenant(), customer, at - timedelta(days=30)])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def climbed(ids: Sequence[int], *, at: datetime) -> None:
    """Mark escalations whose deadline passed as handed upward."""
    with connection.cursor() as cursor:
        cursor.execute(sql.CLIMBED, [at, current_tenant(), list(ids)])


def lock_escalation(public_id: str) -> Escalation:
    """The escalation, locked; the ticket is locked before it. Raises NotFound."""
    found = (
        Escalation.objects.select_for_update(of=("self",)).filter(public_id=parsed(PREFIX, public_id)).first()
    )
    if found is None:
        raise NotFound
    return found


def acknowledge(escalation: Escalation, *, agent: int | None, at: datetime) -> list[int]:
    """Somebody takes it, and with it whatever else of the ticket climbs: a person has it now. Returns the ids."""
    if escalation.state != EscalationState.OPEN:
        raise AlreadyAcknowledged
    open_ones = Escalation.objects.filter(ticket_id=escalation.ticket_id, state=EscalationState.OPEN)
    ids = list(open_ones.order_by("id").select_for_update().values_list("id", flat=True))
    Escalation.objects.filter(id__in=ids).update(
        state=EscalationState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by_id=agent, ended_at=at
    )
    return ids


def close_all(ticket: int, *, at: datetime) -> None:
    """The ticket has ended: nothing of it climbs any further."""
    Escalation.objects.filter(ticket_id=ticket, state=EscalationState.OPEN).update(
        state=EscalationState.CLOSED, ended_at=at
    )


def ticket_of(public_id: str) -> str:
    """The public id of the ticket an escalation belongs to; raises NotFound."""
    row = (
        Escalation.objects.filter(public_id=parsed(PREFIX, public_id))
        .values_list("ticket__public_id", flat=True)
        .first()
    )
    if row is None:
        raise NotFound
    return shown("tkt", row)


def asked_before(ticket: int) -> int:
    """How often this ticket was escalated by hand; each asking climbs by itself, to whomever it went."""
    return Escalation.objects.filter(ticket_id=ticket, rule="by_hand", reason="by_hand").count()
