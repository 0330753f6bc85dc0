"""The queue is given out: to whom there is, in small parts, and nobody waits for a ticket that cannot be given."""

import logging
from collections import Counter
from datetime import time, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.flows import automate, desk, understand, work
from flowdesk.flows.understand import Reading
from flowdesk.people.models import Agent, Customer, Shift, Team, TeamMember
from flowdesk.policies.services import current_policy
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.tickets.queries import explanations_of, newest_traces
from flowdesk.web.ticket.why import why_of
from tests.builders import MONDAY_9, World, a_customer
from tests.flows.story import HOUR, a_colleague, a_staffed_world, an_open_ticket, ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    """Nobody is on shift, so that what comes in waits in the queue."""
    world = a_staffed_world()
    with writing(world.tenant.id):
        Shift.objects.all().delete()
    return world


def begin_shift(world: World, *agents: Agent) -> None:
    with writing(world.tenant.id):
        for agent in agents:
            Shift.objects.create(
                tenant=world.tenant, agent=agent, weekdays=list(range(7)), starts=time(0), ends=time(0), kind="work"
            )  # fmt: skip


def tickets_of(world: World, *, team: str = "tier-1", count: int = 1, language: str = "en") -> list[int]:
    """Tickets in a team's queue, by number."""
    for _ in range(count):
        an_open_ticket(world, priority=Priority.P4)
    with writing(world.tenant.id):
        last = list(Ticket.objects.order_by("-number").values_list("number", flat=True)[:count])
        Ticket.objects.filter(number__in=last).update(team=Team.objects.get(slug=team), language=language)
    return last[::-1]


API = {"subject": "Webhook integration API", "text": "How do we connect our webhook to the API integrate"}
BILL = {"subject": "Refund our invoice", "text": "The invoice is wrong, refund the payment."}


def joins(world: World, team: str, *agents: Agent, **card: object) -> None:
    """They work in the team from now on, round the clock."""
    with writing(world.tenant.id):
        TeamMember.objects.filter(team__slug=team).exclude(agent=world.bo_agent).delete()
        for agent in agents:
            TeamMember.objects.get_or_create(
                tenant=world.tenant, team=Team.objects.get(slug=team), agent=agent
            )
        Agent.objects.filter(id__in=[agent.id for agent in agents]).update(languages=["en", "sv"], **card)
    begin_shift(world, *agents)


def given(world: World) -> list[int]:
    with reading(world.tenant.id):
        return list(
            Ticket.objects.filter(assignee__isnull=False).order_by("number").values_list("number", flat=True)
        )


def drain(world: World) -> tuple[int, int]:
    return automate.drain_queue(by=system(world.tenant.id), now=MONDAY_9 + HOUR)


def test_a_team_without_anybody_does_not_block_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automate, "ROUND", 2)
    tickets_of(world, team="product", count=3)
    (mine,) = tickets_of(world, team="billing")
    with writing(world.tenant.id):
        TeamMember.objects.filter(team__slug="billing").update(agent=world.ada_agent)
    begin_shift(world, world.ada_agent)

    assert drain(world) == (1, 3)
    assert given(world) == [mine]


def test_a_language_nobody_on_shift_speaks_does_not_hide_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automate, "ROUND", 2)
    monkeypatch.setattr(automate, "PART", 1)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(languages=["en"])
        TeamMember.objects.create(tenant=world.tenant, team=world.tier_1, agent=world.ada_agent)
    tickets_of(world, count=3, language="sv")  # Ada speaks it; she is not on shift
    (mine,) = tickets_of(world, language="en")
    begin_shift(world, world.bo_agent)

    assert drain(world) == (1, 3)
    assert given(world) == [mine]


def test_the_oldest_deadline_is_given_first_and_no_more_than_there_is_room_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automate, "PART", 2)
    numbers = tickets_of(world, count=5)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=3)
        Ticket.objects.filter(number=numbers[4]).update(due_at=MONDAY_9)
    begin_shift(world, world.bo_agent)

    assert drain(world) == (3, 2)
    assert given(world) == [numbers[0], numbers[1], numbers[4]]
    assert drain(world) == (0, 2)


def test_of_what_is_given_out_together_the_soonest_deadline_comes_first(world: World) -> None:
    numbers = tickets_of(world, count=3)
    with writing(world.tenant.id):
        Agent.objects.filter(id=world.bo_agent.id).update(capacity=1)
        Ticket.objects.filter(number=numbers[2]).update(due_at=MONDAY_9)
    begin_shift(world, world.bo_agent)

    assert drain(world) == (1, 2)
    assert given(world) == [numbers[2]]


def test_a_ticket_waits_for_the_skill_that_its_rule_asks_for(world: World) -> None:
    an_open_ticket(world, **API)
    (other,) = tickets_of(world, team="devrel")
    joins(world, "devrel", a_colleague(world, "Siv Ny"))

    assert drain(world) == (1, 1)
    assert given(world) == [other]

    begin_shift(world, world.bo_agent)
    assert drain(world) == (1, 0)
    assert ticket(world, number=1).assignee_id == world.bo_agent.id


def test_a_skill_that_nobody_free_has_hides_no_ticket_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automate, "ROUND", 2)
    for _ in range(3):
        an_open_ticket(world, **API)
    (other,) = tickets_of(world, team="devrel")
    joins(world, "devrel", a_colleague(world, "Siv Ny"))

    assert drain(world) == (1, 3)
    assert given(world) == [other]


def test_who_was_sent_elsewhere_since_is_not_asked_for_the_skill(world: World) -> None:
    name = an_open_ticket(world, **API)
    work.assign(name, team="product", by=world.ada, now=MONDAY_9)
    siv = a_colleague(world, "Siv Ny")
    joins(world, "product", siv)

    assert drain(world) == (1, 0)
    assert ticket(world).assignee_id == siv.id


def test_what_waits_goes_to_the_customers_own_person_as_the_rule_wishes(world: World) -> None:
    customer = a_customer(world)
    siv = a_colleague(world, "Siv Ny")
    with writing(world.tenant.id):
        Customer.objects.filter(id=customer.id).update(dedicated_agent=world.ada_agent)
    for _ in range(2):
        an_open_ticket(world, **BILL)
    joins(world, "account-managers", siv, world.ada_agent, capacity=10)

    assert drain(world) == (2, 0)

    with reading(world.tenant.id):
        assert set(Ticket.objects.values_list("assignee_id", flat=True)) == {world.ada_agent.id}


def test_what_waits_is_given_by_the_strategy_of_its_rule(world: World) -> None:
    """In turn, though Siv has room for five times as many."""
    siv = a_colleague(world, "Siv Ny")
    for _ in range(4):
        an_open_ticket(world, **BILL)
    with writing(world.tenant.id):
        TeamMember.objects.filter(team__slug="billing").delete()
    joins(world, "billing", siv, world.ada_agent, capacity=10)
    with writing(world.tenant.id):
        Agent.objects.filter(id=siv.id).update(capacity=50)

    assert drain(world) == (4, 0)

    with reading(world.tenant.id):
        assert Counter(Ticket.objects.values_list("assignee_id", flat=True)) == {
            siv.id: 2,
            world.ada_agent.id: 2,
        }


def test_who_was_picked_from_the_queue_and_why_is_explained(world: World) -> None:
    an_open_ticket(world, **API)
    siv = a_colleague(world, "Siv Ny")
    joins(world, "devrel", siv)
    begin_shift(world, world.bo_agent)
    drain(world)

    with reading(world.tenant.id):
        row = Ticket.objects.select_related("customer").get()
        explained = explanations_of(row.id)
        names = {siv.id: "Siv"}
        told = why_of(row, explained, (), current_policy(), names=names)
    assert explained[-1].subject == "assignment"
    assert explained[-1].trace["verdicts"] == [
        {"agent": world.bo_agent.id, "verdict": "chosen"},
        {"agent": siv.id, "verdict": "lacks_skill"},
    ]
    lines = {why.title: [line.words for line in why.lines] for why in told}
    assert "One person could take it." in lines["Routed to devrel"]
    assert "Nobody in the team could take it now; it waits in the queue." not in lines["Routed to devrel"]
    assert "Siv lacks the skill." in lines["What would have changed it"]


def test_rules_that_are_asked_again_explain_themselves_anew(world: World) -> None:
    name = an_open_ticket(world, **API)
    begin_shift(world, world.bo_agent)
    drain(world)
    understand.correct(name, Reading(category="billing"), by=world.bo, now=MONDAY_9 + HOUR, reroute=True)

    with reading(world.tenant.id):
        explained = explanations_of(ticket(world).id)
    newest = newest_traces(explained)["routing"]
    assert newest["team"] != "devrel"
    assert newest["assignment"] == explained[-1].trace["assignment"]


def test_a_drain_asks_no_more_of_the_database_for_a_long_queue_than_for_a_short_one(world: World) -> None:
    """Where nobody can take what waits, its cost does not follow the queue."""
    joins(world, "devrel", a_colleague(world, "Siv Ny"))
    counts = []
    for count in (1, 6):
        for _ in range(count):
            an_open_ticket(world, **API)
        with CaptureQueriesContext(connection) as asked:
            assert drain(world)[0] == 0
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_a_bad_ticket_is_passed_over_and_reported(world: World, caplog: pytest.LogCaptureFixture) -> None:
    bad, *good = tickets_of(world, count=3)
    with writing(world.tenant.id):
        Clock.objects.filter(ticket__number=bad).update(calendar="a calendar nobody wrote")
    begin_shift(world, world.bo_agent)

    with caplog.at_level(logging.ERROR):
        assert drain(world) == (2, 1)

    assert given(world) == good
    assert [record.message for record in caplog.records] == ["drain_failed"]


def test_a_bad_ticket_is_reported_once_an_hour_however_often_it_fails(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (bad,) = tickets_of(world)
    with writing(world.tenant.id):
        Clock.objects.filter(ticket__number=bad).update(calendar="a calendar nobody wrote")
    begin_shift(world, world.bo_agent)

    for minutes in (0, 1, 30, 60):
        automate.drain_queue(by=system(world.tenant.id), now=MONDAY_9 + HOUR + timedelta(minutes=minutes))

    assert [record.message for record in caplog.records] == ["drain_failed"] * 2


def test_what_was_given_stays_given_when_a_later_part_meets_a_database_that_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automate, "PART", 1)
    numbers = tickets_of(world, count=2)
    begin_shift(world, world.bo_agent)
    calls = []

    def give(*words: object, **more: object) -> None:
        calls.append(words)
        if len(calls) == 2:
            raise OperationalError("the database restarts")
        desk.give(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(automate, "give", give)

    with pytest.raises(OperationalError):
        drain(world)

    assert given(world) == numbers[:1]
    assert drain(world) == (1, 0)
    with reading(world.tenant.id):
        drained = TicketEvent.objects.filter(kind="ticket_assigned", data__because="drained")
        assert drained.count() == 2
