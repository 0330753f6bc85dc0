"""Tickets that change hands by the dozen, and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from flowdesk.core.actor import system
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.balance import MoveReason
from flowdesk.engine.facts import Priority
from flowdesk.flows import assignments, receive, work
from flowdesk.flows.assignments import HandedOut, WantedMove
from flowdesk.flows.automate import drain_queue
from flowdesk.people.models import Absence, Agent, Shift, Team, TeamMember
from flowdesk.policies.services import current_policy
from flowdesk.routing import bulks
from flowdesk.routing.models import Bulk, Move
from flowdesk.tickets.models import Ticket, TicketEvent
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import HOUR, a_colleague, a_staffed_world, log
from tests.flows.test_routed import BROKEN, a_tier_1_ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def seated(world: World, name: str, *, capacity: int = 10) -> Agent:
    """A colleague who works tier 1 round the clock."""
    agent = a_colleague(world, name)
    with writing(world.tenant.id):
        Agent.objects.filter(id=agent.id).update(languages=["en", "sv"], capacity=capacity)
        TeamMember.objects.create(tenant=world.tenant, team=world.tier_1, agent=agent)
        shift = Shift.objects.filter(agent=world.bo_agent).first()
        assert shift is not None
        shift.pk, shift.agent_id = None, agent.id
        shift.save(force_insert=True)
    return agent


def away(world: World, agent: Agent) -> None:
    with writing(world.tenant.id):
        Absence.objects.create(tenant=world.tenant, public_id=uuid4(), agent=agent, starts_at=MONDAY_9)


def planned(world: World) -> list[WantedMove]:
    with reading(world.tenant.id):
        plan = bulks.plan_balance(
            world.tier_1.id, weights=current_policy().routing.weights, at=MONDAY_9 + HOUR
        )
    return [
        WantedMove(ticket=move.ticket, before=int(move.before), after=int(move.after), reason=move.reason)
        for move in plan.moves
    ]


def holders(world: World) -> list[int | None]:
    with reading(world.tenant.id):
        return list(Ticket.objects.order_by("number").values_list("assignee_id", flat=True))


def a_team_that_lost_bo(world: World, *, count: int = 3) -> Agent:
    for _ in range(count):
        a_tier_1_ticket(world)
    siv = seated(world, "Siv Ny")
    away(world, world.bo_agent)
    return siv


def test_a_plan_moves_what_an_absent_agent_has_and_says_so() -> None:
    world = a_staffed_world()
    siv = a_team_that_lost_bo(world)

    handed = assignments.even_out("tier-1", planned(world), by=world.ada, now=MONDAY_9 + HOUR)

    assert (handed.moved, handed.kept) == (3, 0)
    assert holders(world) == [siv.id] * 3
    events = [event for event in log(world, "ticket_assigned") if event.data["because"] == "rebalanced"]
    assert {event.data["bulk"] for event in events} == {handed.bulk}
    with reading(world.tenant.id):
        assert set(Move.objects.values_list("reason", "agent_before_id", "agent_id")) == {
            ("away", world.bo_agent.id, siv.id)
        }


def test_what_has_changed_since_the_plan_stays_where_it_is() -> None:
    world = a_staffed_world()
    siv = a_team_that_lost_bo(world)
    plan = planned(world)
    with reading(world.tenant.id):
        first = shown("tkt", Ticket.objects.get(number=1).public_id)
    work.take(first, by=world.ada, now=MONDAY_9 + HOUR)

    handed = assignments.even_out("tier-1", plan, by=world.ada, now=MONDAY_9 + HOUR)

    assert (handed.moved, handed.kept) == (2, 1)
    assert holders(world) == [world.ada_agent.id, siv.id, siv.id]


def test_what_somebody_began_to_answer_after_the_plan_stays_with_them() -> None:
    world = a_staffed_world()
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=6)
    for _ in range(4):
        a_tier_1_ticket(world)
    siv = seated(world, "Siv Ny")
    plan = planned(world)
    assert {move.reason for move in plan} == {MoveReason.UNEVEN}
    assert len(plan) == 2
    with reading(world.tenant.id):
        begun = Ticket.objects.get(id=plan[0].ticket)
    work.send_reply(shown("tkt", begun.public_id), text="I am on it.", by=world.bo, now=MONDAY_9)

    handed = assignments.even_out("tier-1", plan, by=world.ada, now=MONDAY_9 + HOUR)

    assert (handed.moved, handed.kept) == (1, 1)
    with reading(world.tenant.id):
        assert Ticket.objects.get(id=plan[0].ticket).assignee_id == world.bo_agent.id
        assert Ticket.objects.get(id=plan[1].ticket).assignee_id == siv.id


def test_what_somebody_answered_before_they_went_is_moved_all_the_same() -> None:
    world = a_staffed_world()
    siv = a_team_that_lost_bo(world, count=1)
    with reading(world.tenant.id):
        name = shown("tkt", Ticket.objects.get().public_id)
    plan = planned(world)
    work.send_reply(name, text="I am on it.", by=world.bo, now=MONDAY_9)

    handed = assignments.even_out("tier-1", plan, by=world.ada, now=MONDAY_9 + HOUR)

    assert (handed.moved, holders(world)) == (1, [siv.id])


def test_undoing_gives_back_what_still_stands_as_it_was_left() -> None:
    world = a_staffed_world()
    siv = a_team_that_lost_bo(world)
    handed = assignments.even_out("tier-1", planned(world), by=world.ada, now=MONDAY_9 + HOUR)
    with reading(world.tenant.id):
        settled, given_on = (shown("tkt", Ticket.objects.get(number=number).public_id) for number in (1, 2))
    work.resolve(settled, by=world.ada, now=MONDAY_9 + HOUR)
    work.take(given_on, by=world.ada, now=MONDAY_9 + HOUR)

    undone = assignments.undo_bulk(handed.bulk, by=world.ada, now=MONDAY_9 + HOUR)

    assert (undone.moved, undone.kept) == (1, 2)
    assert holders(world) == [siv.id, world.ada_agent.id, world.bo_agent.id]


def test_what_somebody_had_who_has_left_goes_back_to_the_queue() -> None:
    world = a_staffed_world()
    a_team_that_lost_bo(world, count=1)
    handed = assignments.even_out("tier-1", planned(world), by=world.ada, now=MONDAY_9 + HOUR)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(left_at=MONDAY_9 + HOUR)

    undone = assignments.undo_bulk(handed.bulk, by=world.ada, now=MONDAY_9 + HOUR)

    assert (undone.moved, holders(world)) == (1, [None])


def test_nothing_is_undone_twice() -> None:
    world = a_staffed_world()
    a_team_that_lost_bo(world)
    handed = assignments.even_out("tier-1", planned(world), by=world.ada, now=MONDAY_9 + HOUR)
    undone = assignments.undo_bulk(handed.bulk, by=world.ada, now=MONDAY_9 + HOUR)

    with pytest.raises(bulks.AlreadyUndone):
        assignments.undo_bulk(handed.bulk, by=world.ada, now=MONDAY_9 + HOUR)
    with pytest.raises(NotFound):
        assignments.undo_bulk(undone.bulk, by=world.ada, now=MONDAY_9 + HOUR)


def a_drain_taken_back(world: World) -> Agent:
    """Siv came free and was given what waited; a lead took it back."""
    away(world, world.bo_agent)
    a_tier_1_ticket(world)
    siv = seated(world, "Siv Ny")
    assert drain_queue(by=system(world.tenant.id), now=MONDAY_9) == (1, 0)
    assert holders(world) == [siv.id]
    with reading(world.tenant.id):
        bulk = Bulk.objects.get(kind="drained")
    assignments.undo_bulk(bulks.name_of(bulk.public_id), by=world.ada, now=MONDAY_9)
    return siv


def test_what_was_drained_goes_back_to_the_queue() -> None:
    world = a_staffed_world()
    a_drain_taken_back(world)

    assert holders(world) == [None]
    assert log(world, "ticket_unassigned")[-1].data["because"] == "undone"


def test_what_was_taken_back_is_left_to_people_for_an_hour() -> None:
    world, later = a_staffed_world(), timedelta(seconds=15)
    siv = a_drain_taken_back(world)

    assert drain_queue(by=system(world.tenant.id), now=MONDAY_9 + later) == (0, 1)
    assert holders(world) == [None]

    assert drain_queue(by=system(world.tenant.id), now=MONDAY_9 + HOUR + later) == (1, 0)
    assert holders(world) == [siv.id]


def test_what_was_taken_back_and_put_back_by_hand_waits_as_any_other() -> None:
    world = a_staffed_world()
    siv = a_drain_taken_back(world)
    with reading(world.tenant.id):
        name = shown("tkt", Ticket.objects.get().public_id)
    work.take(name, by=world.ada, now=MONDAY_9)
    work.assign(name, by=world.ada, now=MONDAY_9)

    assert drain_queue(by=system(world.tenant.id), now=MONDAY_9) == (1, 0)
    assert holders(world) == [siv.id]


def test_nobody_outside_the_team_is_given_anything() -> None:
    world = a_staffed_world()
    a_tier_1_ticket(world)
    stranger = a_colleague(world, "Eva Ute")
    with reading(world.tenant.id):
        ticket = Ticket.objects.get()
    move = WantedMove(ticket=ticket.id, before=world.bo_agent.id, after=stranger.id, reason=MoveReason.UNEVEN)

    with pytest.raises(Invalid):
        assignments.even_out("tier-1", [move], by=world.ada, now=MONDAY_9)


def test_an_agent_may_not_move_a_whole_team() -> None:
    world = a_staffed_world()
    a_team_that_lost_bo(world)
    plan = planned(world)

    with pytest.raises(Forbidden):
        assignments.even_out("tier-1", plan, by=world.bo, now=MONDAY_9)
    handed = assignments.even_out("tier-1", plan, by=world.ada, now=MONDAY_9)
    with pytest.raises(Forbidden):
        assignments.undo_bulk(handed.bulk, by=world.bo, now=MONDAY_9)


def test_another_tenants_tickets_and_bulks_are_not_there() -> None:
    world, other = a_staffed_world(), a_staffed_world("other")
    a_team_that_lost_bo(world)
    plan = planned(world)
    handed = assignments.even_out("tier-1", plan, by=world.ada, now=MONDAY_9)

    with pytest.raises(Invalid):
        assignments.even_out("tier-1", plan, by=other.ada, now=MONDAY_9)
    with pytest.raises(NotFound):
        assignments.undo_bulk(handed.bulk, by=other.ada, now=MONDAY_9)


def test_weighty_tickets_fill_an_agent_sooner() -> None:
    world = a_staffed_world()
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=6)
    for _ in range(3):
        a_tier_1_ticket(world, priority=Priority.P2, tier="starter")

    a_tier_1_ticket(world)

    assert holders(world) == [world.bo_agent.id] * 3 + [None]


def test_sixteen_writers_give_no_ticket_to_two_agents() -> None:
    """Eight open tickets while eight hand out the queue: each ticket is given once, and who is full gets no more."""
    world = a_staffed_world()
    away(world, world.bo_agent)
    for _ in range(24):
        a_tier_1_ticket(world)
    agents = [seated(world, f"Agent{number} Ny", capacity=7) for number in range(4)]
    start = Barrier(16)
    by = system(world.tenant.id)

    def write(number: int) -> None:
        try:
            start.wait()
            if number % 2:
                drain_queue(by=by, now=MONDAY_9 + HOUR)
            else:
                for _ in range(3):
                    receive.open_ticket(a_message(**BROKEN), by=by, now=MONDAY_9 + HOUR, priority=Priority.P3)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(write, number) for number in range(16)]:
            done.result()

    drain_queue(by=by, now=MONDAY_9 + HOUR)
    assert Counter(holders(world)) == {None: 20, **{agent.id: 7 for agent in agents}}
    with reading(world.tenant.id):
        given = list(
            TicketEvent.objects.filter(kind="ticket_assigned").values_list("ticket_id", "data__assignee")
        )
        assert len(given) == 28, "each was given once"
        held = Ticket.objects.filter(assignee__isnull=False)
        assert dict(given) == dict(held.values_list("id", "assignee_id"))


def at_once(*deeds: Callable[[], object]) -> None:
    """Do them all at the same moment, each on a line of its own."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> None:
        try:
            start.wait()
            deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(do, deed) for deed in deeds]:
            done.result()


def test_who_opens_tickets_at_once_fills_nobody_beyond_their_capacity() -> None:
    world = a_staffed_world()
    siv = seated(world, "Siv Ny", capacity=1)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=1)
    a_customer(world, tier="starter")

    at_once(*[partial(receive.open_ticket, a_message(**BROKEN), by=world.ada, now=MONDAY_9)] * 6)

    assert Counter(holders(world)) == {siv.id: 1, world.bo_agent.id: 1, None: 4}


def test_who_opens_tickets_at_once_gives_each_in_turn() -> None:
    world = a_staffed_world()
    agents = [world.bo_agent, *(seated(world, f"Agent{number} Ny", capacity=50) for number in range(3))]
    a_customer(world, tier="starter")

    at_once(*[partial(receive.open_ticket, a_message(**BROKEN), by=world.ada, now=MONDAY_9)] * 4)

    assert Counter(holders(world)) == {agent.id: 1 for agent in agents}


def test_who_hands_out_the_queue_at_once_fills_nobody_beyond_their_capacity() -> None:
    world = a_staffed_world()
    away(world, world.bo_agent)
    for _ in range(24):
        a_tier_1_ticket(world)
    agents = [seated(world, f"Agent{number} Ny", capacity=5) for number in range(2)]

    at_once(*[partial(drain_queue, by=system(world.tenant.id), now=MONDAY_9 + HOUR)] * 4)
    drain_queue(by=system(world.tenant.id), now=MONDAY_9 + HOUR)

    assert Counter(holders(world)) == {None: 14, **{agent.id: 5 for agent in agents}}


def test_teams_are_asked_for_somebody_at_once_without_filling_anybody() -> None:
    """A ticket given to a team by hand goes by the same locks, whichever of their teams asks for an agent."""
    world = a_staffed_world()
    siv = seated(world, "Siv Ny", capacity=2)
    with writing(world.tenant.id):
        TeamMember.objects.create(tenant=world.tenant, team=Team.objects.get(slug="tier-2"), agent=siv)
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=0)
        Agent.objects.filter(id=siv.id).update(is_available=False)
    names = [a_tier_1_ticket(world) for _ in range(6)]
    with writing(world.tenant.id):
        Agent.objects.filter(id=siv.id).update(is_available=True)

    at_once(
        *(
            partial(work.assign, name, team=f"tier-{1 + number % 2}", by=world.ada, now=MONDAY_9)
            for number, name in enumerate(names)
        )
    )

    assert Counter(holders(world)) == {siv.id: 2, None: 4}


def test_a_round_that_hands_out_nothing_leaves_no_bulk() -> None:
    world = a_staffed_world()
    away(world, world.bo_agent)
    a_tier_1_ticket(world)

    assert drain_queue(by=system(world.tenant.id), now=MONDAY_9 + timedelta(minutes=1)) == (0, 1)

    with reading(world.tenant.id):
        assert not Bulk.objects.exists()


def test_a_handed_out_bulk_is_in_the_audit_log() -> None:
    from flowdesk.accounts.models import AuditEntry

    world = a_staffed_world()
    a_team_that_lost_bo(world)
    handed: HandedOut = assignments.even_out("tier-1", planned(world), by=world.ada, now=MONDAY_9)
    assignments.undo_bulk(handed.bulk, by=world.ada, now=MONDAY_9)

    with reading(world.tenant.id):
        said = list(AuditEntry.objects.filter(thing="bulk").order_by("id").values_list("act", "after"))
        assert Team.objects.filter(slug="tier-1").exists()
    assert said == [
        ("team_evened_out", {"moved": 3, "kept": 0}),
        ("assignments_undone", {"moved": 3, "kept": 0}),
    ]
