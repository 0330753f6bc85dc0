"""Routing on a whole desk: who is told, who is asked to look first, who stands in, and what waits for a second look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.flows import escalate, receive, work
from flowdesk.notifications.models import Delivery
from flowdesk.notifications.services import dispatch
from flowdesk.people.models import Absence, Agent, Customer, Shift, Team, TeamMember
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets.models import Explanation, Task, Ticket
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import HOUR, a_colleague, a_staffed_world, an_open_ticket, hold, log, ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def told(world: World) -> set[tuple[str, str, str]]:
    """Who of us was told what, on which channel."""
    while dispatch(at=MONDAY_9):
        pass
    with reading(world.tenant.id):
        rows = Delivery.objects.filter(agent__isnull=False).select_related("agent")
        return {(one.agent.name, one.template, one.channel) for one in rows}  # type: ignore[union-attr]


def tasks(world: World) -> list[tuple[str, str, str]]:
    with reading(world.tenant.id):
        rows = Task.objects.select_related("agent").order_by("id")
        return [(one.agent.name, one.outcome, one.due_at.isoformat()) for one in rows]


def away(world: World, agent: Agent, *, substitute: Agent | None = None, hours: int = 8) -> None:
    with writing(world.tenant.id):
        Absence.objects.create(
            tenant=world.tenant,
            public_id=uuid4(),
            agent=agent,
            starts_at=MONDAY_9,
            ends_at=MONDAY_9 + timedelta(hours=hours),
            substitute=substitute,
        )


BROKEN = {"subject": "The export crashes", "text": "The export crashes with an error message, it is broken."}


def a_tier_1_ticket(world: World, **more: Any) -> str:
    return an_open_ticket(world, **BROKEN, **more)


def test_a_rule_tells_and_copies_in_the_holders_of_its_posts() -> None:
    world = a_staffed_world()
    lead = a_colleague(world, "Sara Lead")
    with writing(world.tenant.id):
        rules = (
            "rules:\n"
            "  - {name: large-bill, condition: \"category == 'billing'\", team: billing,"
            " notify: support_lead, cc: [director, support_lead]}\n"
        )
        source = pack_source().replace("routing:\n", "routing_was:\n")
        before, _, after = source.partition("routing_was:\n")
        rest = after[after.index("\ntiers:") :] if "\ntiers:" in after else ""
        indented = "".join(f"  {line}\n" for line in rules.splitlines())
        save_revision(f"{before}routing:\n{indented}{rest}", by=system(world.tenant.id), at=MONDAY_9)
    hold(world, "support_lead", lead)
    an_open_ticket(world, subject="Refund our invoice", text="The invoice is wrong, refund the payment.")

    found = {one for one in told(world) if one[1] in ("agent_notified", "agent_copied")}

    assert found == {
        ("Sara Lead", "agent_notified", "notice"),
        ("Sara Lead", "agent_notified", "email"),
        ("Dan Falk", "agent_copied", "notice"),
        ("Dan Falk", "agent_copied", "email"),
    }


def test_a_tier_1_agent_is_asked_to_look_into_it_first() -> None:
    world = a_staffed_world()
    a_tier_1_ticket(world)

    (task,) = tasks(world)

    assert task[:2] == ("Bo Ek", "")
    assert task[2] == (MONDAY_9 + 4 * HOUR).isoformat()
    assert [event.data["kind"] for event in log(world, "task_opened")] == ["first_investigation"]


def test_who_works_in_another_team_is_asked_nothing() -> None:
    world = a_staffed_world()
    an_open_ticket(world, subject="Refund our invoice", text="The invoice is wrong, refund the payment.")

    assert ticket(world).assignee_id == world.bo_agent.id
    assert tasks(world) == []


@pytest.mark.parametrize(
    ("deed", "outcome"),
    [
        (lambda world, name: work.send_reply(name, text="Under settings.", by=world.bo, now=MONDAY_9 + HOUR), "done"),
        (lambda world, name: work.add_note(name, text="A known fault.", by=world.bo, now=MONDAY_9 + HOUR), "done"),
        (lambda world, name: work.resolve(name, by=world.bo, now=MONDAY_9 + HOUR), "done"),
        (lambda world, name: work.void(name, by=world.bo, now=MONDAY_9 + HOUR), "dropped"),
        (lambda world, name: work.assign(name, by=world.ada, now=MONDAY_9 + HOUR), "handed_on"),
        (lambda world, name: work.add_note(name, text="Look at it?", by=world.ada, now=MONDAY_9 + HOUR), ""),
    ],
)  # fmt: skip
def test_a_first_look_ends_with_what_was_done(deed: Any, outcome: str) -> None:
    world = a_staffed_world()
    name = a_tier_1_ticket(world)

    deed(world, name)

    assert [task[1] for task in tasks(world)] == [outcome]
    assert [event.data["outcome"] for event in log(world, "task_ended")] == ([outcome] if outcome else [])


def test_a_first_look_goes_with_the_ticket_to_somebody_else() -> None:
    world = a_staffed_world()
    name = a_tier_1_ticket(world)

    work.take(name, by=world.ada, now=MONDAY_9 + HOUR)

    assert [task[:2] for task in tasks(world)] == [("Bo Ek", "handed_on"), ("Ada Lind", "")]


def test_nobody_is_given_a_ticket_while_out_of_office() -> None:
    world = a_staffed_world()
    away(world, world.bo_agent)

    a_tier_1_ticket(world)
    waits = ticket(world)
    a_tier_1_ticket(world, at=MONDAY_9 + 9 * HOUR)

    assert waits.assignee_id is None
    assert ticket(world, number=2).assignee_id == world.bo_agent.id


def test_who_stands_in_gets_what_was_meant_for_the_dedicated_person() -> None:
    world = a_staffed_world()
    stand_in = a_colleague(world, "Siv Stand")
    with writing(world.tenant.id):
        team = Team.objects.get(slug="account-managers")
        for agent in (world.ada_agent, stand_in):
            TeamMember.objects.create(tenant=world.tenant, team=team, agent=agent)
    customer = a_customer(world)
    with writing(world.tenant.id):
        Customer.objects.filter(id=customer.id).update(dedicated_agent=world.ada_agent)
    bill = a_message(subject="Refund our invoice", text="The invoice is wrong, refund the payment.")
    receive.open_ticket(bill, by=system(world.tenant.id), now=MONDAY_9, priority=Priority.P3)
    away(world, world.ada_agent, substitute=stand_in)
    _always_on(world, stand_in)
    receive.open_ticket(bill, by=system(world.tenant.id), now=MONDAY_9, priority=Priority.P3)

    assert ticket(world, number=1).assignee_id == world.ada_agent.id
    assert ticket(world, number=2).assignee_id == stand_in.id


def test_of_two_absences_the_one_that_began_last_says_who_stands_in() -> None:
    """As in routing, so in escalation."""
    world = a_staffed_world()
    first, last = a_colleague(world, "Siv Stand"), a_colleague(world, "Eva Stand")
    with reading(world.tenant.id):
        mia = Agent.objects.get(name="Mia Berg")
    customer = a_customer(world)
    with writing(world.tenant.id):
        team = Team.objects.get(slug="account-managers")
        for agent in (mia, first, last):
            TeamMember.objects.create(tenant=world.tenant, team=team, agent=agent)
        Customer.objects.filter(id=customer.id).update(dedicated_agent=mia)
    for agent, hours in ((last, 1), (first, 2)):
        _always_on(world, agent)
        with writing(world.tenant.id):
            Absence.objects.create(
                tenant=world.tenant, public_id=uuid4(), agent=mia, starts_at=MONDAY_9 - hours * HOUR,
                substitute=agent,
            )  # fmt: skip

    name = an_open_ticket(
        world, subject="Refund our invoice", text="The invoice is wrong, refund the payment."
    )
    escalate.escalate(name, target="support_manager", by=world.ada, now=MONDAY_9)

    (event,) = log(world, "ticket_escalated")
    assert ticket(world).assignee_id == last.id
    assert event.data["agent"] == last.id


def _always_on(world: World, agent: Agent) -> None:
    with writing(world.tenant.id):
        shift = Shift.objects.filter(agent=world.bo_agent).first()
        assert shift is not None
        shift.pk, shift.agent_id = None, agent.id
        shift.save(force_insert=True)
        Agent.objects.filter(id=agent.id).update(languages=["en"])


def test_a_step_for_an_absent_manager_reaches_who_stands_in() -> None:
    world = a_staffed_world()
    with reading(world.tenant.id):
        mia = Agent.objects.get(name="Mia Berg")
    away(world, mia, substitute=world.bo_agent)
    name = a_tier_1_ticket(world)

    escalate.escalate(name, target="support_manager", by=world.ada, now=MONDAY_9 + HOUR)

    (event,) = log(world, "ticket_escalated")
    assert event.data["agent"] == world.bo_agent.id
    assert event.data["way"] == ["support_manager", "substitute"]


def test_a_rule_whose_team_is_gone_sends_the_ticket_where_the_rest_goes() -> None:
    world = a_staffed_world()
    with writing(world.tenant.id):
        Team.objects.filter(slug="devrel").update(slug="partners")

    an_open_ticket(world, subject="Webhook", text="How do we connect our webhook to the API integration")

    assert ticket(world).team_id == world.tier_1.id
    assert ticket(world).assignee_id == world.bo_agent.id
    with reading(world.tenant.id):
        trace = Explanation.objects.get(subject="routing").trace
    assert (trace["rule"], trace["team"]) == ("integration", "tier-1")
    assert {"code": "team_missing", "params": {"team": "devrel"}} in trace["reasons"]


def test_what_triage_is_not_sure_of_waits_for_a_second_look() -> None:
    world = a_staffed_world()
    an_open_ticket(world, subject="Hello", text="Could somebody ring me about things?")
    unsure = ticket(world)
    an_open_ticket(
        world, subject="Refund the invoice", text="The invoice is wrong, refund the payment please."
    )
    sure = ticket(world, number=2)

    assert (unsure.category, unsure.confidence, unsure.needs_review) == ("", 0, True)
    assert sure.category == "billing"
    assert sure.confidence is not None
    assert sure.confidence >= 45
    assert not sure.needs_review


def test_a_category_said_outright_needs_no_second_look() -> None:
    world = a_staffed_world()
    a_customer(world)
    receive.open_ticket(a_message(subject="Hello"), by=world.bo, now=MONDAY_9, category="billing")

    assert ticket(world).confidence is None
    assert not ticket(world).needs_review


def test_a_shadow_is_kept_in_the_explanation() -> None:
    world = a_staffed_world()
    with writing(world.tenant.id):
        source = pack_source().replace(
            "  rules:\n    - name: critical-technical",
            "  rules:\n    - {name: tried, condition: \"channel == 'email'\", team: product, mode: shadow}\n"
            "    - name: critical-technical",
        )
        save_revision(source, by=system(world.tenant.id), at=MONDAY_9)
    a_tier_1_ticket(world)

    with reading(world.tenant.id):
        trace = Explanation.objects.get(subject="routing").trace
        assert Ticket.objects.get().team_id == world.tier_1.id
    assert trace["shadows"] == ["tried"]
