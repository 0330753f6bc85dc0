"""What the flows on a ticket share: a desk is opened, something happens, and it is closed with all that follows.

Closing stores the clocks, fires the rungs that were passed, opens the escalations that events call for,
sets the next instant to wake at, saves the ticket and writes its log.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.tenant import current_tenant
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.clock import CUSTOMER_METRICS, Metric
from flowdesk.engine.escalation import EventRule, EventTrigger, StateRule
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.promises import Change, FiredStep, Occurrence, WaitReason, What
from flowdesk.escalation import services as escalation
from flowdesk.escalation.models import EscalationKind
from flowdesk.escalation.services import Fired, OpenRow, Plans
from flowdesk.people import queries as people
from flowdesk.people.models import Customer, Team
from flowdesk.policies.services import current_policy
from flowdesk.routing import services as routing
from flowdesk.sla import services as sla
from flowdesk.sla.services import Desk
from flowdesk.tickets import merges
from flowdesk.tickets import services as tickets
from flowdesk.tickets.mapping import facts_of
from flowdesk.tickets.merges import Asked
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.services import NewEvent, NewTask, SystemNote
from flowdesk.tickets.states import EventKind, Status, TaskKind, TaskOutcome

SUMMARY = (
    "status", "updated_at", "unanswered_since", "is_proactive", "due_at", "at_risk_at", "is_breached", "wake_at",
)  # fmt: skip
VERDICT = ("missed_count", "spent_percent", "was_unhappy")  # of a ticket that is resolved
CLIMB_WITHIN = timedelta(hours=1)
SHORTEST = timedelta(microseconds=1)  # what the database tells apart
LONGEST_NOTE = 20_000
LONGEST_TEXT = 200_000
HANDED_UP = escalation.OUTSTAYED


@dataclass(slots=True)
class Work:
    """One ticket being worked on: its desk, its customer, and what this act adds to the log."""

    desk: Desk
    customer: Customer
    open_tasks: list[OpenRow] = field(default_factory=list)
    steps: list[FiredStep] = field(default_factory=list)
    triggers: set[EventTrigger] = field(default_factory=set)
    events: list[NewEvent] = field(default_factory=list)
    notes: list[SystemNote] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    climbing: list[OpenRow] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # escalations by hand: target, reason
    taker: int | None = None  # the agent whom this act gave the ticket
    task_outcome: TaskOutcome | None = None  # how this act ends what somebody was asked to do
    asks: bool = False  # whether whoever has it now is to look into it first
    text: str = ""  # words at hand for conditions
    breaches: list[tuple[str, int]] = field(default_factory=list)  # metric and cycle of promises now missed

    @property
    def ticket(self) -> Ticket:
        return self.desk.ticket

    def happen(
        self,
        *occurrences: Occurrence,
        at: datetime,
        waits: Iterable[WaitReason] = (),
        ended_waits: Iterable[WaitReason] = (),
    ) -> Change:
        """Let it happen to the promises, and keep the rungs that time had passed before."""
        return self._took(sla.happen(self.desk, *occurrences, at=at, waits=waits, ended_waits=ended_waits))

    def pass_time(self, *, to: datetime) -> Change:
        """Let time alone pass."""
        return self._took(sla.pass_time(self.desk, to=to))

    def change(self, change: Change) -> Change:
        """Take over what was done to the promises elsewhere in the engine."""
        self.desk.promises = change.promises
        return self._took(change)

    def _took(self, change: Change) -> Change:
        self.steps.extend(change.steps)
        self.breaches.extend(
            (entry.metric.value, entry.cycle)
            for entry in change.entries
            if entry.what is What.MISSED and entry.metric in CUSTOMER_METRICS
        )
        return change

    def log(self, kind: EventKind, /, *, by: Actor, at: datetime, **data: object) -> None:
        """Add a line to the ticket's log.

        A line of the same act as the one before says so: what one save did together is folded together. The first
        one names the policy revision it was done under, where that is not the one the ticket was opened under.
        """
        if self.events:
            data["also"] = True
        elif self.desk.policy.id != self.ticket.policy_revision_id:
            data["revision"] = self.desk.policy.id
        self.events.append(NewEvent(ticket=self.ticket.id, kind=kind, at=at, by=by, data=data))


def open_work(ticket_id: str, act: Act, *, by: Actor, expected: Expected = None) -> Work:
    """Lock the ticket, check the right and the version, and read what stands on its desk."""
    ticket = tickets.lock_ticket(ticket_id)
    by.must(act, ticket)
    must_stand_at(ticket.version, expected)
    return work_on([ticket])[0]


def open_standing_work(
    ticket_id: str, act: Act, *, by: Actor, expected: Expected = None
) -> tuple[Work, Asked | None]:
    """As `open_work`, on the ticket that stands for it where it is merged; then also which one was asked for."""
    landed = merges.lock_standing(ticket_id)
    by.must(act, landed.ticket)
    must_stand_at(landed.asked.version if landed.asked else landed.ticket.version, expected)
    return work_on([landed.ticket])[0], landed.asked


def work_on(locked: Sequence[Ticket]) -> list[Work]:
    """The works of locked tickets, read in a handful of statements however many they are."""
    tenant, ids = current_tenant(), [ticket.id for ticket in locked]
    kept = sla.load_clocks(tenant, ids)
    waits = tickets.open_waits(tenant, ids)
    tasks = escalation.open_escalations(tenant, ids)
    customers = Customer.objects.in_bulk({ticket.customer_id for ticket in locked})
    policy = current_policy()
    return [
        Work(
            desk=sla.desk_of(
                ticket, kept=kept[ticket.id], waits=waits[ticket.id], tier=customers[ticket.customer_id].tier,
                policy=policy,
            ),
            customer=customers[ticket.customer_id],
            open_tasks=tasks[ticket.id],
        )
        for ticket in locked
    ]  # fmt: skip


def must_say_something(text: str) -> None:
    """Raise Invalid for words that cannot be kept."""
    if not text.strip():
        raise Invalid(Fault("text", "must not be empty"))
    if len(text) > LONGEST_TEXT:
        raise Invalid(Fault("text", f"is longer than {LONGEST_TEXT} characters"))
    if "\x00" in text:
        raise Invalid(Fault("text", "holds a null character"))


def write_note(work: Work, text: str, *, by: Actor, at: datetime) -> None:
    """Keep what somebody said about an act as a note among ourselves; nothing said is nothing kept."""
    if not text.strip():
        return
    if len(text) > LONGEST_NOTE or "\x00" in text:
        raise Invalid(Fault("note", f"holds a null character or more than {LONGEST_NOTE} characters"))
    note = tickets.add_note(work.ticket, text=text.strip(), at=at, agent=by.agent)
    work.log(EventKind.NOTE_ADDED, by=by, at=at, note=note.id, agent=by.agent)


def close_work(*works: Work, by: Actor, at: datetime, is_new: bool = False) -> None:
    """Store everything the works have gathered, and what follows from it."""
    fired = _by_ticket(_escalate(works, by=by, at=at))
    routing.note_assigned({work.taker for work in works if work.taker is not None}, at=at)
    by_ticket = {work.ticket.id: work for work in works}
    _keep_tasks(works, by=by, at=at)
    for work in works:
        _log_steps(work, fired[work.ticket.id], by=by, at=at)
    sla.keep(
        [work.desk for work in works],
        wakes=lambda desk: _wakes(by_ticket[desk.ticket.id], fired[desk.ticket.id], at),
    )
    tickets.add_system_notes([note for work in works for note in work.notes], at=at)
    tickets.record(*(event for work in works for event in work.events))
    for work in works:
        # Each act has an instant of its own, even where clocks of two machines disagree: it is the ticket's version.
        work.ticket.updated_at = at if is_new else max(at, work.ticket.updated_at + SHORTEST)
        if work.ticket.wake_failures:
            # What could be worked on can be woken: the sweep takes it up again.
            work.ticket.wake_failures = 0
            work.changed.add("wake_failures")
    if is_new:
        for work in works:
            tickets.insert_ticket(work.ticket)
    else:
        _save(works)


def _keep_tasks(works: Sequence[Work], *, by: Actor, at: datetime) -> None:
    """End what somebody was asked to do, and ask whoever is to look into a ticket first (F-RTE-13)."""
    outcomes = {work.ticket.id: work.task_outcome for work in works if work.task_outcome is not None}
    ended = tickets.end_tasks(outcomes, at=at)
    tasks = {work.ticket.id: task for work in works if work.asks and (task := _first_look(work, at=at))}
    opened = tickets.open_tasks(list(tasks.values()), kind=TaskKind.FIRST_INVESTIGATION, at=at)
    for work in works:
        ticket = work.ticket.id
        if ticket in ended:
            kind = TaskKind.FIRST_INVESTIGATION.value
            work.log(EventKind.TASK_ENDED, by=by, at=at, kind=kind, outcome=outcomes[ticket].value)
        if ticket in opened:
            task, kind = tasks[ticket], TaskKind.FIRST_INVESTIGATION.value
            due = task.due_at.isoformat()
            work.log(EventKind.TASK_OPENED, by=by, at=at, kind=kind, agent=task.agent, due_at=due)


def _first_look(work: Work, *, at: datetime) -> NewTask | None:
    """What the agent of a ticket that nobody has answered is asked: to look into it while their level may take."""
    ticket = work.ticket
    if ticket.assignee_id is None or ticket.team_id is None or ticket.first_response_at is not None:
        return None
    due = {
        clock.metric: clock.due_at
        for clock in work.desk.promises.clocks
        if clock.metric in (Metric.OWNERSHIP_RESPONSE, Metric.FIRST_RESPONSE) and clock.stopped_at is None
    }
    if not due:
        return None
    return NewTask(
        ticket=ticket.id,
        agent=ticket.assignee_id,
        team=ticket.team_id,
        due_at=due.get(Metric.OWNERSHIP_RESPONSE) or due[Metric.FIRST_RESPONSE],
    )


def _save(works: Iterable[Work]) -> None:
    """Write the tickets; those that were changed in the same fields go together."""
    alike: defaultdict[tuple[str, ...], list[Ticket]] = defaultdict(list)
    for work in works:
        if work.ticket.resolved_at is not None:
            work.changed.update(VERDICT)
        alike[tuple(sorted(work.changed))].append(work.ticket)
    for changed, together in alike.items():
        tickets.save_tickets(together, *SUMMARY, *changed)


def _by_ticket(fired: Iterable[Fired]) -> defaultdict[int, list[Fired]]:
    found: defaultdict[int, list[Fired]] = defaultdict(list)
    for one in fired:
        found[one.plan.ticket].append(one)
    return found


def _escalate(works: Sequence[Work], *, by: Actor, at: datetime) -> list[Fired]:
    """Plan what is called for; the crew is looked up only when somebody must be told."""
    for work in works:
        # Every act looks: one that comes between a deadline and the sweep must not carry it away.
        work.climbing = [row for row in work.open_tasks if row.due_at <= at] if work.ticket.is_active else []
    teams = _Teams()
    called = {work.ticket.id: _called_by(work, teams, at) for work in works}
    outstayed = {work.ticket.id: _outstayed(work, teams, at) for work in works}
    if not any(
        work.steps or work.climbing or work.asked or called[work.ticket.id] or outstayed[work.ticket.id]
        for work in works
    ):
        return []
    plans = Plans(escalation.load_crew(teams.rows, at=at))
    for work in works:
        policy = work.desk.policy.escalation
        if work.ticket.status != Status.VOID:
            plans.climb_ladder(work.ticket, work.steps, policy)
        for rule, metric, cycle in called[work.ticket.id]:
            plans.call(work.ticket, rule, metric=metric, cycle=cycle, at=at)
        for state, fires_at in outstayed[work.ticket.id]:
            plans.outstayed(work.ticket, state, fires_at=fires_at)
        work.climbing = [row for row in work.climbing if plans.climb(work.ticket, row, within=CLIMB_WITHIN)]
        for target, reason in work.asked:
            plans.ask(
                work.ticket, target, reason=reason, number=escalation.asked_before(work.ticket.id) + 1,
                within=CLIMB_WITHIN, at=at,
            )  # fmt: skip
    fired = plans.write(at=at)
    if climbed := [row.id for work in works for row in work.climbing]:
        escalation.climbed(climbed, at=at)
    by_ticket, at_work = _by_ticket(fired), routing.TeamsAtWork(at, works[0].desk.policy.routing.weights)
    for work in works:
        mine = by_ticket[work.ticket.id]
        if not work.ticket.is_active:
            continue
        if any(one.has_task for one in mine):
            work.happen(Occurrence.ESCALATED, at=at)
        # A climb of the same rule tells somebody higher; the ticket has been handed up already.
        team = next((one.plan.team for one in mine if one.plan.reason == HANDED_UP and one.plan.team), None)
        if team is not None:
            _hand_up(work, teams.by_id[team], at_work, by=by, at=at)
    return fired


def _hand_up(
    work: Work, to: people.TeamRow, at_work: routing.TeamsAtWork, *, by: Actor, at: datetime
) -> None:
    """A ticket that outstayed its level goes to the next one's team, and to its best agent on shift."""
    agent = at_work.next_agent(
        to.id,
        priority=Priority(work.ticket.priority),
        wish=routing.wish_of(work.ticket, work.customer),
    )
    give(work, team=to, agent=agent, by=by, at=at, because=HANDED_UP)


def give(
    work: Work,
    *,
    team: Team | people.TeamRow | None,
    agent: int | None,
    by: Actor,
    at: datetime,
    because: str,
    bulk: str = "",
) -> None:
    """Hand the ticket over; a team of another level closes and reopens the ownership clocks.

    `bulk` names what it is handed over together with.
    """
    ticket = work.ticket
    together = {"bulk": bulk} if bulk else {}
    occurrences = []
    if team is not None and team.id != ticket.team_id:
        level = max(team.level, 1)
        if level != ticket.level:
            work.log(EventKind.LEVEL_CHANGED, by=by, at=at, before=ticket.level, after=level, because=because)
            ticket.level = level
            ticket.level_entered_at = at
            occurrences.append(Occurrence.LEVEL_ENTERED)
        work.log(
            EventKind.TICKET_ROUTED,
            by=by,
            at=at,
            before=ticket.team_id,
            team=team.id,
            because=because,
            **together,
        )
        ticket.team_id = team.id
        ticket.waiting_internal_since = at  # a transfer waits for the first act of those who got it
        work.changed |= {"team", "level", "level_entered_at", "waiting_internal_since"}
    if agent is not None:
        occurrences.append(Occurrence.ASSIGNED)
        work.taker = agent
        if ticket.status == Status.NEW:
            ticket.status = Status.OPEN
        work.log(
            EventKind.TICKET_ASSIGNED, by=by, at=at, before=ticket.assignee_id, assignee=agent, team=ticket.team_id,
            because=because, **together,
        )  # fmt: skip
    elif ticket.assignee_id is not None:
        occurrences.append(Occurrence.UNASSIGNED)
        work.log(
            EventKind.TICKET_UNASSIGNED,
            by=by,
            at=at,
            before=ticket.assignee_id,
            team=ticket.team_id,
            because=because,
            **together,
        )
    if agent != ticket.assignee_id:
        work.asks = agent is not None
        if ticket.assignee_id is not None:
            work.task_outcome = work.task_outcome or TaskOutcome.HANDED_ON
    ticket.assignee_id = agent
    work.changed.add("assignee")
    if occurrences:
        work.happen(*occurrences, at=at)


def _called_by(work: Work, teams: "_Teams", at: datetime) -> list[tuple[EventRule, str, int]]:
    """The event rules called, each with the metric and cycle of the broken promise, if one called it."""
    if not work.ticket.is_active or not (work.triggers or work.breaches):
        return []
    facts, policy = _facts(work, teams, at), work.desk.policy.escalation
    found = [(rule, "", 1) for rule in policy.called_by(frozenset(work.triggers), facts)]
    broken = policy.called_by(frozenset({EventTrigger.BREACHED}), facts) if work.breaches else ()
    return found + [(rule, metric, cycle) for metric, cycle in work.breaches for rule in broken]


def _outstayed(work: Work, teams: "_Teams", at: datetime) -> list[tuple[StateRule, datetime]]:
    if work.ticket.status not in (Status.NEW, Status.OPEN):
        return []
    facts = None
    found = []
    for rule, due in state_rules(work.desk):
        if due <= at:
            facts = facts or _facts(work, teams, at)
            if rule.condition.matches(facts):
                found.append((rule, due))
    return found


def _facts(work: Work, teams: "_Teams", at: datetime) -> TicketFacts:
    team = teams.slugs.get(work.ticket.team_id or 0)
    policy, customer = work.desk.policy, work.customer
    is_asked = "recent_escalations" in policy.escalation.asks_for  # a statement that most policies do without
    return facts_of(
        work.ticket, customer=customer, policy=policy, at=at, team=team, text=work.text,
        recent_escalations=escalation.recent_escalations(customer.id, at=at) if is_asked else 0,
    )  # fmt: skip


class _Teams:
    """The tenant's teams, read when first asked for and once for all works of a sweep."""

    @cached_property
    def rows(self) -> list[people.TeamRow]:
        return people.teams()

    @cached_property
    def by_id(self) -> dict[int, people.TeamRow]:
        return {team.id: team for team in self.rows}

    @cached_property
    def slugs(self) -> dict[int, str]:
        return {team.id: team.slug for team in self.rows}


def state_rules(desk: Desk) -> Iterator[tuple[StateRule, datetime]]:
    """The rules on time in this level with the instant each falls due."""
    ticket = desk.ticket
    if ticket.level_entered_at is None:
        return
    promises = desk.policy.promises
    calendar = promises.calendars[promises.default_calendar]
    for rule in desk.policy.escalation.states:
        if rule.level == ticket.level:
            yield rule, calendar.add(ticket.level_entered_at, rule.after)


def _wakes(work: Work, fired: Sequence[Fired], at: datetime) -> Iterable[datetime | None]:
    """Further instants to look at a ticket: ends and reminders of waits, tasks that climb, time in a level."""
    desk = work.desk
    ticket = desk.ticket
    if not ticket.is_active:
        if ticket.status == Status.RESOLVED and ticket.resolved_at is not None:
            yield ticket.resolved_at + desk.policy.promises.closes_after
        return
    for wait in desk.waits:
        if wait.ended_at is None:
            yield wait.ends_by
            yield wait.remind_at
    climbing = {row.id for row in work.climbing}
    # A task that nobody took and that cannot climb further stays open, and wakes nobody again.
    yield from (row.due_at for row in work.open_tasks if row.id not in climbing and row.due_at > at)
    yield from (at + one.plan.within for one in fired if one.has_task and one.plan.within)
    yield from (due for _, due in state_rules(desk) if due > at)


def _log_steps(work: Work, fired: Sequence[Fired], *, by: Actor, at: datetime) -> None:
    """One line for each step fired; a task leaves a note on the ticket as well."""
    for one in fired:
        kind = EventKind.STEP_FIRED if one.plan.kind is EscalationKind.PERCENT else EventKind.TICKET_ESCALATED
        data = one.data
        work.log(kind, by=by, at=at, **data)
        if one.has_task:
            work.ticket.escalated_at = at
            work.changed.add("escalated_at")
            work.notes.append(SystemNote(ticket=work.ticket.id, kind="escalation", data=data))
