"""Lives of tickets as a real desk has them, lived in memory by the engine itself.

Each life follows a real history (the demo's): a customer writes, an agent answers, somebody waits, it is resolved.
Time passes between the acts as the sweep would let it: rungs fire on their instant, tasks are taken or climb, waits
end. So a life's log folds into its clocks, and its row says what its clocks say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flowdesk.core.actor import ActorKind
from flowdesk.engine.business_time import due_at
from flowdesk.engine.clock import CUSTOMER_METRICS
from flowdesk.engine.escalation import EventTrigger
from flowdesk.engine.promises import Change, Occurrence, WaitReason, What
from flowdesk.escalation.models import EscalationState
from flowdesk.escalation.services import Crew, OpenRow, Planned, Plans
from flowdesk.flows.deeds import status_of
from flowdesk.people.models import Customer
from flowdesk.policies.services import Policy
from flowdesk.sla import services as sla
from flowdesk.sla.mapping import Summary, columns_of, summary_of
from flowdesk.sla.services import Desk
from flowdesk.tickets.mapping import facts_of
from flowdesk.tickets.models import AuthorKind, Ticket, Wait
from flowdesk.tickets.states import Channel, EventKind, Status
from flowdesk.worker.demo.sample import History, Opening

MINUTE, SECOND, JUST_BEFORE = timedelta(minutes=1), timedelta(seconds=1), timedelta(seconds=30)
ANSWERED_AT_FIRST_LEVEL = timedelta(hours=2)  # later ones are a specialist's from the start: level 2
CHANNELS = (Channel.EMAIL, Channel.EMAIL, Channel.EMAIL, Channel.WEB, Channel.CHAT, Channel.API)
CLIMBS = 0.15  # share of the tasks that nobody takes in time
WAITS = 0.4  # share of the tickets that stay open because somebody is waited for
SILENT = 0.05  # share of the customers who never come back
CLIMB_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who works here and what was promised."""

    tenant: int
    policy: Policy
    crew: Crew
    members: Mapping[int, Sequence[int]]  # agents by team
    users: Mapping[int, int]  # by agent


@dataclass(slots=True, kw_only=True)
class Raised:
    """One escalation of a life."""

    plan: Planned
    at: datetime
    state: EscalationState
    due_at: datetime | None
    acknowledged_at: datetime | None = None
    acknowledged_by: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a life; `agent` is None for the customer's words."""

    agent: int | None
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a life's log; escalations in `data` are `Place`s among the life's own."""

    kind: EventKind
    at: datetime
    by: ActorKind
    user: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Stands for the row id of a life's escalation until ids are given out."""

    at: int


@dataclass(slots=True, kw_only=True)
class Life:
    """One ticket from its first words to `end`, or to its closing before that. Row ids are given out later."""

    house: House
    history: History
    opening: Opening
    tier: str
    born: datetime
    end: datetime
    stays_open: bool
    chance: Random
    desk: Desk = field(init=False)
    messages: list[Said] = field(default_factory=list)
    log: list[Told] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    taken_at: dict[int, datetime] = field(default_factory=dict)  # when somebody will take an open task
    waits: list[Wait] = field(default_factory=list)

    @property
    def ticket(self) -> Ticket:
        return self.desk.ticket

    def lived(self) -> Life:
        self._open()
        for minutes, step in self.history.steps:
            # Two acts never share an instant: room for what comes just before this one.
            at = max(self.born + minutes * MINUTE, self.ticket.updated_at + 2 * JUST_BEFORE)
            if at >= self.end or (self._waits_for_customer() and self.chance.random() < SILENT):
                break
            self._pass_time(at - JUST_BEFORE)
            if self.ticket.is_active:
                self._before(at - JUST_BEFORE)
                self._pass_time(at)
            if self.ticket.is_active:
                self._act(step, at)
        self._pass_time(self.end + timedelta.resolution)  # what is due at the end itself has been done
        return self

    # -- acts

    def _open(self) -> None:
        policy, at = self.house.policy, self.born
        answered = next((minutes for minutes, step in self.history.steps if step != "resolve"), 0)
        slug = "tier-1" if answered * MINUTE < ANSWERED_AT_FIRST_LEVEL else "tier-2"
        team = self.house.crew.teams[slug]
        assignee = self.chance.choice(self.house.members[team.id]) if self.chance.random() < 0.9 else None
        ticket = Ticket(
            tenant_id=self.house.tenant, id=0, subject=self.opening.subject, priority=self.history.priority,
            status=Status.OPEN if assignee else Status.NEW, category=self.opening.category,
            language=self.opening.language, channel=self.chance.choice(CHANNELS), customer_id=0, contact_id=0,
            team_id=team.id, assignee_id=assignee, level=team.level, policy_revision_id=policy.id, created_at=at,
            updated_at=at, level_entered_at=at, waiting_internal_since=at,
        )  # fmt: skip
        self.desk = sla.new_desk(ticket, tier=self.tier, policy=policy)
        self.messages.append(Said(None, self.opening.text, at))
        self._log(
            EventKind.TICKET_OPENED, at, by=ActorKind.CONTACT, channel=ticket.channel, priority=ticket.priority,
            tier=self.tier, level=ticket.level, team=team.id, assignee=assignee, phone=False, rule=None,
            rule_target_minutes=None, rule_target_loosens=False, revision=policy.id,
        )  # fmt: skip
        owned = Occurrence.ASSIGNED if assignee else Occurrence.UNASSIGNED
        change = self._happen(Occurrence.LEVEL_ENTERED, owned, Occurrence.CREATED, at=at)
        self._escalate(change, at, frozenset({EventTrigger.CREATED}))

    def _before(self, at: datetime) -> None:
        """What comes just before the desk goes on: the customer answers, others let go, somebody takes the ticket."""
        reasons = {wait.reason for wait in self.desk.waits}
        if WaitReason.CUSTOMER in reasons:
            self.messages.append(Said(None, self.opening.text, at))
            self._log(
                EventKind.CUSTOMER_WROTE, at, by=ActorKind.CONTACT, thanks=False, channel=self.ticket.channel
            )
            self._end_wait(WaitReason.CUSTOMER, at, because="customer_wrote")
            self.ticket.waiting_internal_since = at
            self._escalate(self._happen(Occurrence.CUSTOMER_WROTE, at=at), at)
        elif WaitReason.THIRD_PARTY in reasons:
            self._end_wait(WaitReason.THIRD_PARTY, at, because="by_hand")
            change = self._happen(Occurrence.WAIT_ENDED, at=at, ended_waits=[WaitReason.THIRD_PARTY])
            self._escalate(change, at)
        elif self.ticket.assignee_id is None:
            agent = self._agent()
            self.ticket.assignee_id, self.ticket.status = agent, Status.OPEN
            self._log(
                EventKind.TICKET_ASSIGNED,
                at,
                before=None,
                assignee=agent,
                team=self.ticket.team_id,
                because="taken",
            )
            self._escalate(self._happen(Occurrence.ASSIGNED, at=at), at)

    def _act(self, step: str, at: datetime) -> None:
        match step:
            case "work":
                self._reply(at)
            case "customer":
                self._reply(at, waits=True)
            case "third_party":
                self._wait_for_third_party(at)
            case "resolve" if not self.stays_open:
                self._resolve(at)
            case "resolve" if self.chance.random() < WAITS:
                self._reply(at, waits=True)  # solved, if the customer would only say so

    def _reply(self, at: datetime, *, waits: bool = False) -> None:
        ticket, agent = self.ticket, self._agent()
        self.messages.append(Said(agent, f"Thank you for writing. {self.opening.text}", at))
        ticket.first_response_at = ticket.first_response_at or at
        ticket.reply_count += 1
        ticket.waiting_internal_since = None
        self._log(EventKind.AGENT_REPLIED, at, agent=agent)
        kinds, begun = [Occurrence.AGENT_REPLIED], []
        if waits:
            kinds, begun = [*kinds, Occurrence.WAIT_STARTED], [WaitReason.CUSTOMER]
        change = self._happen(*kinds, at=at, waits=begun)
        for reason in begun:
            self._begin_wait(reason, at)
        self._escalate(change, at)

    def _wait_for_third_party(self, at: datetime) -> None:
        change = self._happen(Occurrence.WAIT_STARTED, at=at, waits=[WaitReason.THIRD_PARTY])
        self._begin_wait(WaitReason.THIRD_PARTY, at)
        self.ticket.waiting_internal_since = None
        self._escalate(change, at)

    def _begin_wait(self, reason: WaitReason, at: datetime) -> None:
        rule = self.house.policy.promises.waits[reason]
        calendar = self.house.policy.promises.calendars[self.house.policy.promises.default_calendar]
        wait = Wait(
            tenant_id=self.house.tenant, ticket_id=0, reason=reason.value, started_at=at, agent_id=self._agent(),
            note="The carrier looks into it." if rule.needs_note else "",
            ends_by=due_at(calendar, at, rule.longest.amount, rule.longest.unit),
        )  # fmt: skip
        if rule.remind_after is not None:
            wait.remind_at = due_at(calendar, at, rule.remind_after.amount, rule.remind_after.unit)
        self.desk.waits.append(wait)
        self.waits.append(wait)
        self.ticket.status = status_of(self.desk.waits)
        self._log(EventKind.WAIT_STARTED, at, reason=reason.value, until=wait.ends_by.isoformat())

    def _end_wait(self, reason: WaitReason, at: datetime, *, because: str) -> None:
        for wait in [wait for wait in self.desk.waits if wait.reason == reason]:
            wait.ended_at = at
            self.desk.waits.remove(wait)
            self._log(EventKind.WAIT_ENDED, at, reason=reason.value, because=because, ended_at=at.isoformat())
        self.ticket.status = status_of(self.desk.waits)

    def _resolve(self, at: datetime, *, because: str = "solved") -> None:
        for wait in list(self.desk.waits):
            self._end_wait(WaitReason(wait.reason), at, because="resolved")
        ticket = self.ticket
        ticket.status, ticket.resolved_at, ticket.waiting_internal_since = Status.RESOLVED, at, None
        self._log(EventKind.TICKET_RESOLVED, at, because=because, agent=ticket.assignee_id)
        change = self._happen(Occurrence.RESOLVED, at=at)
        for one in self.raised:
            if one.state is EscalationState.OPEN:
                one.state, one.ended_at = EscalationState.CLOSED, at
        self._escalate(change, at)

    # -- time

    def _pass_time(self, to: datetime) -> None:
        """Everything that time brings before `to`, instant by instant, as the sweep finds it."""
        while True:
            wake = min(self._instants(), default=to)
            # What was due before the last act already, such as a rung behind a long pause, is found after it.
            wake = max(wake, self.ticket.updated_at + SECOND)
            if wake >= to:
                return
            self._wake(wake)

    def _instants(self) -> list[datetime]:
        ticket = self.ticket
        if not ticket.is_active:
            closes = self.house.policy.promises.closes_after
            return (
                [ticket.resolved_at + closes]
                if ticket.status == Status.RESOLVED and ticket.resolved_at
                else []
            )
        clock = self.desk.promises.next_wake(self.house.policy.promises.percents)
        instants = [clock] if clock else []
        for wait in self.desk.waits:
            instants.extend(at for at in (wait.remind_at, wait.ends_by) if at)
        instants.extend(self.taken_at.get(at, one.due_at) for at, one in self._open_tasks() if one.due_at)
        return instants

    def _open_tasks(self) -> list[tuple[int, Raised]]:
        return [
            (at, one)
            for at, one in enumerate(self.raised)
            if one.state is EscalationState.OPEN
            and (one.due_at is not None and one.due_at > self.ticket.updated_at)
        ]

    def _wake(self, at: datetime) -> None:
        ticket = self.ticket
        if ticket.status == Status.RESOLVED:
            ticket.status, ticket.closed_at = Status.CLOSED, at
            self._log(EventKind.TICKET_CLOSED, at, by=ActorKind.SYSTEM, because="time")
            self._happen(Occurrence.CLOSED, at=at)
            ticket.updated_at = at
            return
        taken = [place for place, _ in self._open_tasks() if self.taken_at.get(place, self.end) <= at]
        if taken:
            self._take(at)
            return
        for wait in list(self.desk.waits):
            if wait.ends_by <= at:
                self._end_by_limit(wait, at)
                return
            if wait.remind_at is not None and wait.remind_at <= at:
                wait.remind_at = None
                self._log(EventKind.WAIT_REMINDED, at, by=ActorKind.SYSTEM, reason=wait.reason)
        self._escalate(self._advance(at), at)

    def _end_by_limit(self, wait: Wait, at: datetime) -> None:
        change = self._advance(at)
        if wait.reason == WaitReason.CUSTOMER:
            self._resolve(at, because="customer_silent")
        else:
            self._end_wait(WaitReason(wait.reason), at, because="limit")
            self._happen(Occurrence.WAIT_ENDED, at=at, ended_waits=[WaitReason(wait.reason)])
        self._escalate(change, at)

    def _take(self, at: datetime) -> None:
        """Somebody takes an escalation, and with it whatever else of the ticket climbs."""
        agent = self._agent()
        places = [place for place, one in enumerate(self.raised) if one.state is EscalationState.OPEN]
        for place in places:
            one = self.raised[place]
            one.state, one.acknowledged_at, one.ended_at = EscalationState.ACKNOWLEDGED, at, at
            one.acknowledged_by = agent
        taken = [Place(place) for place in places]
        self._log(EventKind.ESCALATION_ACKNOWLEDGED, at, escalations=taken, agent=agent)
        self._escalate(self._advance(at), at)

    def _escalate(
        self, change: Change, at: datetime, triggers: frozenset[EventTrigger] = frozenset()
    ) -> None:
        """Close an act: the rungs passed, the rules called, and the tasks that nobody took."""
        ticket, policy = self.ticket, self.house.policy.escalation
        plans = Plans(self.house.crew)
        plans.climb_ladder(ticket, change.steps, policy)
        breached = [
            (entry.metric.value, entry.cycle)
            for entry in change.entries
            if entry.what is What.MISSED and entry.metric in CUSTOMER_METRICS
        ]
        if ticket.is_active and (triggers or breached):
            facts = facts_of(
                ticket, customer=Customer(tier=self.tier, id=0), policy=self.house.policy, at=at, team=None
            )
            for rule in policy.called_by(triggers, facts):
                plans.call(ticket, rule, at=at)
            for metric, cycle in breached:
                for rule in policy.called_by(frozenset({EventTrigger.BREACHED}), facts):
                    plans.call(ticket, rule, at=at, metric=metric, cycle=cycle)
        for one in self.raised:
            if ticket.is_active and one.state is EscalationState.OPEN and one.due_at and one.due_at <= at:
                self._climb(plans, one, at)
        has_task = [self._raise(plan, at) for plan in plans.planned]
        ticket.updated_at = at
        if any(has_task) and ticket.is_active:
            self._happen(Occurrence.ESCALATED, at=at)

    def _climb(self, plans: Plans, one: Raised, at: datetime) -> None:
        plan = one.plan
        row = OpenRow(
            0, 0, plan.rule, plan.metric, plan.cycle, plan.step, plan.target, plan.reason, plan.kind.value,
            plan.team, one.due_at or at,
        )  # fmt: skip
        if plans.climb(self.ticket, row, within=CLIMB_WITHIN):
            one.state, one.ended_at = EscalationState.CLIMBED, at

    def _raise(self, plan: Planned, at: datetime) -> bool:
        """Write one escalation, unless the same step has told the same target before."""
        key = (plan.rule, plan.metric, plan.cycle, plan.step, plan.target)
        if any(
            key == (old.rule, old.metric, old.cycle, old.step, old.target)
            for old in (one.plan for one in self.raised)
        ):
            return False
        is_task = plan.within is not None and plan.found.agent is not None
        place = len(self.raised)
        due = at + plan.within if plan.within is not None and is_task else None
        state = EscalationState.OPEN if is_task else EscalationState.TOLD
        self.raised.append(Raised(plan=plan, at=at, state=state, due_at=due))
        if due is not None and self.chance.random() >= CLIMBS:
            self.taken_at[place] = at + (due - at) * self.chance.uniform(0.1, 0.9)
        is_percent = plan.kind.value == "percent"
        self._log(
            EventKind.STEP_FIRED if is_percent else EventKind.TICKET_ESCALATED, at, by=ActorKind.SYSTEM,
            escalation=Place(place), kind=plan.kind.value, rule=plan.rule, metric=plan.metric, cycle=plan.cycle,
            step=plan.step, target=plan.target, agent=plan.found.agent, way=list(plan.found.way), reason=plan.reason,
            acts=sorted(act.value for act in plan.acts), task=is_task, fires_at=plan.fires_at.isoformat(),
            late_by_seconds=round((at - plan.fires_at).total_seconds(), 3),
        )  # fmt: skip
        return is_task

    # -- small things

    def _waits_for_customer(self) -> bool:
        return any(wait.reason == WaitReason.CUSTOMER for wait in self.desk.waits)

    def _happen(self, *kinds: Occurrence, at: datetime, **waits: Sequence[WaitReason]) -> Change:
        return sla.happen(self.desk, *kinds, at=at, **waits)

    def _advance(self, to: datetime) -> Change:
        return sla.pass_time(self.desk, to=to)

    def _agent(self) -> int:
        return self.ticket.assignee_id or self.chance.choice(self.house.members[self.ticket.team_id or 0])

    def _log(self, kind: EventKind, at: datetime, /, *, by: ActorKind = ActorKind.USER, **data: Any) -> None:
        if self.log and self.log[-1].at == at:
            data["also"] = True
        user = self.house.users.get(self._agent()) if by is ActorKind.USER else None
        self.log.append(Told(kind, at, by, user, data))

    # -- what the rows keep

    def summary(self) -> Summary:
        """What the ticket's row says of its clocks, as of `end`."""
        percents = self.house.policy.promises.percents
        return summary_of(self.desk.promises, (self.desk.promises.next_wake(percents), *self._instants()))

    def clock_rows(self) -> list[tuple[Any, ...]]:
        """The clocks' columns after the ticket, as `sla.sql.INSERT_CLOCKS` takes them."""
        percents, policy = self.house.policy.promises.percents, self.house.policy
        limit = min((wait.ends_by for wait in self.desk.waits), default=None)
        rows = []
        for clock in self.desk.promises.clocks:
            state, outcome, revision, calendar, amount, unit, priority, target, *rest = columns_of(
                clock, percents.get(clock.metric, ()), policy.id, self.ticket.priority, limit
            )
            head = (clock.metric.value, clock.cycle, state, outcome, revision, calendar, amount, unit)
            rows.append((*head, priority, target, clock.started_at, *rest))
        return rows


def author_of(said: Said) -> AuthorKind:
    return AuthorKind.CONTACT if said.agent is None else AuthorKind.AGENT
