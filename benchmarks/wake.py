"""Waking tickets against the same row changes made by pure SQL, and against a desk that goes row by row.

Tickets of one set fall due at one instant; every side of every round has a set of its own. The pure SQL knows
beforehand what the engine finds out: it makes every ticket of the set look like one that was woken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.desk import Desk
from benchmarks.run import Row, Run, Side, Timed, alternate
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import Occurrence
from flowdesk.intake.services import InboundMessage
from flowdesk.tickets.states import Channel, EventKind
from flowdesk.worker.demo.cast import CLIENTS
from flowdesk.worker.memory import settle

APART = timedelta(seconds=30)  # between the instants at which sets fall due

# Each makes the tickets %(ids)s look like %(model)s, which was woken; together the pure side.
PURE = (
    """
    update sla_clock as clock set state = model.state, outcome = model.outcome, spent = model.spent,
        fired = model.fired, at_risk_at = model.at_risk_at, missed_at = model.missed_at, wake_at = model.wake_at
    from sla_clock as model
    where model.tenant_id = %(tenant)s and model.ticket_id = %(model)s
        and clock.tenant_id = %(tenant)s and clock.ticket_id = any(%(ids)s)
        and clock.metric = model.metric and clock.cycle = model.cycle and clock.wake_at <= %(at)s
    """,
    """
    insert into sla_clock (tenant_id, ticket_id, metric, cycle, state, outcome, policy_revision_id, calendar,
        amount_minutes, unit, priority, target, started_at, since, spent, pauses, fired, due_at, at_risk_at, missed_at,
        stopped_at, wake_at)
    select tenant_id, new.id, metric, cycle, state, outcome, policy_revision_id, calendar, amount_minutes, unit,
        priority, target, started_at, since, spent, pauses, fired, due_at, at_risk_at, missed_at, stopped_at, wake_at
    from sla_clock as model cross join unnest(%(ids)s) as new(id)
    where model.tenant_id = %(tenant)s and model.ticket_id = %(model)s and model.started_at = %(at)s
    """,
    """
    insert into escalation_escalation (tenant_id, public_id, ticket_id, kind, rule, metric, cycle, step, target, reason,
        state, agent_id, team_id, trace, fires_at, opened_at, due_at)
    select tenant_id, gen_random_uuid(), new.id, kind, rule, metric, cycle, step, target, reason, state, agent_id,
        team_id, trace, fires_at, opened_at, due_at
    from escalation_escalation as model cross join unnest(%(ids)s) as new(id)
    where model.tenant_id = %(tenant)s and model.ticket_id = %(model)s and model.opened_at = %(at)s
    """,
    """
    insert into tickets_ticketevent (tenant_id, ticket_id, kind, at, actor_kind, actor_id, data, dispatched_at)
    select tenant_id, new.id, kind, at, actor_kind, actor_id, data, dispatched_at
    from tickets_ticketevent as model cross join unnest(%(ids)s) as new(id)
    where model.tenant_id = %(tenant)s and model.ticket_id = %(model)s and model.at = %(at)s
    """,
    """
    insert into tickets_note (tenant_id, public_id, ticket_id, agent_id, kind, text, data, created_at)
    select tenant_id, gen_random_uuid(), new.id, agent_id, kind, text, data, created_at
    from tickets_note as model cross join unnest(%(ids)s) as new(id)
    where model.tenant_id = %(tenant)s and model.ticket_id = %(model)s and model.created_at = %(at)s
    """,
    """
    update tickets_ticket as ticket set status = model.status, updated_at = model.updated_at, due_at = model.due_at,
        unanswered_since = model.unanswered_since, is_proactive = model.is_proactive, at_risk_at = model.at_risk_at,
        is_breached = model.is_breached, wake_at = model.wake_at
    from tickets_ticket as model
    where model.tenant_id = %(tenant)s and model.id = %(model)s
        and ticket.tenant_id = %(tenant)s and ticket.id = any(%(ids)s)
    """,
)


@dataclass(frozen=True, slots=True)
class DueSet:
    """Tickets that fall due at one instant; the model is woken apart, before the others."""

    at: datetime
    model: int
    ids: Sequence[int]


def bars(run: Run) -> list[Row]:
    """The rows on waking."""
    desk = run.desk("small")
    size, rounds = (20, 2) if run.quick else (200, 5)
    run.say("wake: opening tickets")
    sides: Mapping[str, Callable[[int, DueSet], None]] = {
        "woken": wake_together, "pure SQL": wake_by_sql, "row by row": wake_by_row,
    }  # fmt: skip
    sets = desk.run(_due_sets, desk, count=len(sides) * (rounds + 1), size=size)
    settle()  # as a worker's process does, for all sides
    queues = {name: iter(sets[place :: len(sides)]) for place, name in enumerate(sides)}
    calls = {
        name: Side(call=lambda wake=wake, queue=queues[name]: wake(desk.tenant, next(queue)), desk=desk)
        for name, wake in sides.items()
    }
    timed = alternate(calls, rounds=rounds)
    changes = {name: desk.run(_changes, desk.tenant, sets[place]) for place, name in enumerate(sides)}
    assert len(set(changes.values())) == 1, f"the sides did different things: {changes}"
    woken, pure, plodding = timed.values()
    each = {name: _each(one, size) for name, one in timed.items()}
    notes = [f"times are a ticket's; each woken ticket: {changes['woken']}"]
    return [
        Row(
            name="wake", what="Clocks woken against the same row changes by pure SQL", measured=pure.wall / woken.wall,
            bar=0.5, goal=0.8, more_is_better=True, sides=each, notes=notes,
        ),
        Row(
            name="wake_rows", what="Clocks woken against row by row", measured=plodding.wall / woken.wall,
            bar=15, goal=15, more_is_better=True, sides=each, notes=notes,
        ),
    ]  # fmt: skip


def _each(timed: Timed, size: int) -> Timed:
    return Timed(wall=timed.wall / size, cpu=timed.cpu / size, database_cpu=timed.database_cpu / size)


def enterprise_address() -> str:
    """Somebody whose promises run around the clock, so that the first rung comes before anything else."""
    client = next(client for client in CLIENTS if client.tier == "enterprise")
    return client.address(client.people[0])


def _due_sets(desk: Desk, *, count: int, size: int) -> list[DueSet]:
    """Sets opened one after the other and so falling due one after the other, at the first rung of a promise."""
    from flowdesk.flows import receive
    from flowdesk.tickets.models import Ticket

    by, sets = system(desk.tenant), []
    for number in range(count):
        opened_at = desk.now + number * APART
        message = InboundMessage(
            channel=Channel.EMAIL,
            subject="Export stops half way",
            text="It stops half way.",
            email=enterprise_address(),
        )
        numbers = [
            receive.open_ticket(message, by=by, now=opened_at, priority=Priority.P2).number
            for _ in range(size + 1)
        ]
        with reading(desk.tenant):
            rows = list(Ticket.objects.filter(number__in=numbers).order_by("id").values_list("id", "wake_at"))
        assert len({at for _, at in rows}) == 1
        (model, at), *others = rows
        assert at is not None
        sets.append(DueSet(at=at, model=model, ids=[ticket for ticket, _ in others]))
    from flowdesk.flows import escalate

    for one in sets:
        assert escalate.wake_each([one.model], by=by, now=one.at) == 1
    return sets


def wake_together(tenant: int, due: DueSet) -> None:
    """As the worker does, part by part."""
    from flowdesk.flows import escalate
    from flowdesk.worker.jobs.wake_clocks import PART

    for start in range(0, len(due.ids), PART):
        part = due.ids[start : start + PART]
        assert escalate.wake_each(part, by=system(tenant), now=due.at) == len(part)


def wake_by_sql(tenant: int, due: DueSet) -> None:
    """The same changes by statements over the whole set, in one transaction."""
    from django.db import connection

    values = {"tenant": tenant, "model": due.model, "ids": list(due.ids), "at": due.at}
    with writing(tenant), connection.cursor() as cursor:
        for statement in PURE:
            cursor.execute(statement, values)


def wake_by_row(tenant: int, due: DueSet) -> None:
    """As a desk does that knows nothing of sets: one ticket a transaction, one object a statement."""
    for ticket in due.ids:
        _wake_row(tenant, ticket, at=due.at)


def _wake_row(tenant: int, ticket_id: int, *, at: datetime) -> None:
    from flowdesk.core.ids import new_id
    from flowdesk.escalation.models import Escalation, EscalationState
    from flowdesk.escalation.services import Fired, Plans, load_crew
    from flowdesk.people import queries as people
    from flowdesk.policies.services import current_policy
    from flowdesk.sla import services as sla
    from flowdesk.sla.mapping import KeptClock, clock_of
    from flowdesk.sla.models import Clock
    from flowdesk.tickets.models import Note, Ticket, TicketEvent, Wait

    with writing(tenant):
        ticket = Ticket.objects.select_for_update().get(id=ticket_id)
        rows = list(Clock.objects.filter(ticket=ticket).order_by("id"))
        policy = current_policy()
        desk = sla.desk_of(
            ticket, kept=[KeptClock(row, clock_of(row)) for row in rows],  # type: ignore[arg-type]
            waits=Wait.objects.filter(ticket=ticket, ended_at__isnull=True), tier=ticket.customer.tier, policy=policy,
        )  # fmt: skip
        steps = sla.pass_time(desk, to=at).steps
        plans = Plans(load_crew(people.teams(), at=at))
        plans.climb_ladder(ticket, steps, policy.escalation)
        for plan in plans.planned:
            state = EscalationState.OPEN if plan.within else EscalationState.TOLD
            row = Escalation.objects.create(
                tenant_id=tenant, public_id=new_id(at), ticket=ticket, kind=plan.kind, rule=plan.rule,
                metric=plan.metric, cycle=plan.cycle, step=plan.step, target=plan.target,
                reason=plan.reason, state=state,
                agent_id=plan.found.agent, team_id=plan.team, trace={"way": list(plan.found.way)},
                fires_at=plan.fires_at, opened_at=at, due_at=at + plan.within if plan.within else None,
            )  # fmt: skip
            fired = Fired(
                id=row.id,
                public_id=row.public_id,
                plan=plan,
                has_task=bool(plan.within),
                late_by=at - plan.fires_at,
            )
            TicketEvent.objects.create(
                tenant_id=tenant,
                ticket=ticket,
                kind=EventKind.STEP_FIRED,
                at=at,
                actor_kind="system",
                data=fired.data,
            )
            if fired.has_task:
                Note.objects.create(
                    tenant_id=tenant,
                    public_id=new_id(at),
                    ticket=ticket,
                    kind="escalation",
                    data=fired.data,
                    created_at=at,
                )
        percents = policy.promises.percents
        if any(plan.within for plan in plans.planned):
            sla.happen(desk, Occurrence.ESCALATED, at=at)
        known = {(row.metric, row.cycle): row for row in rows}
        for clock in desk.promises.clocks:
            row = known.get((clock.metric.value, clock.cycle)) or Clock(
                tenant_id=tenant, ticket=ticket, metric=clock.metric.value, cycle=clock.cycle,
                policy_revision_id=policy.id, calendar=clock.promise.calendar_name, amount_minutes=clock.promise.amount,
                unit=clock.promise.unit.value, priority=ticket.priority, target=clock.target,
                started_at=clock.started_at,
            )  # fmt: skip
            row.state, row.outcome = clock.state.value, clock.outcome.value if clock.outcome else ""
            row.since, row.spent, row.due_at = clock.since, clock.spent, clock.due_at
            row.fired, row.missed_at = list(clock.fired), clock.missed_at
            row.wake_at = clock.next_wake(percents.get(clock.metric, ()))
            row.save()
        ticket.wake_at = desk.promises.next_wake(percents)
        ticket.updated_at = at
        ticket.save()


def _changes(tenant: int, due: DueSet) -> str:
    """What waking a ticket of the set has written, to hold the sides against one another."""
    from flowdesk.escalation.models import Escalation
    from flowdesk.sla.models import Clock
    from flowdesk.tickets.models import Note, Ticket, TicketEvent

    with reading(tenant):
        assert not Ticket.objects.filter(id__in=due.ids, wake_at__lte=due.at).exists()
        counts = {
            "rungs": Clock.objects.filter(ticket_id__in=due.ids, fired__len__gt=0),
            "escalations": Escalation.objects.filter(ticket_id__in=due.ids, opened_at=due.at),
            "events": TicketEvent.objects.filter(ticket_id__in=due.ids, at=due.at),
            "notes": Note.objects.filter(ticket_id__in=due.ids, created_at=due.at),
        }
        return ", ".join(f"{rows.count() / len(due.ids):g} {name}" for name, rows in counts.items())
