"""Giving a ticket by hand: who is there, who is not, and what is said of it."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from django.test import Client

from flowdesk.core.ids import shown
from flowdesk.core.tenant import writing
from flowdesk.core.time import at as pinned
from flowdesk.people.models import Absence, Agent
from tests.builders import MONDAY_9, World
from tests.flows.story import DAY, a_colleague, a_staffed_world, ticket
from tests.flows.test_routed import a_tier_1_ticket, away
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def world() -> World:
    return a_staffed_world()


@pytest.fixture
def bo(world: World) -> Client:
    with pinned(MONDAY_9):
        return logged_in("bo@global.example")


def people(client: Client, name: str) -> list[str]:
    """Whom the form offers, in its order."""
    with pinned(MONDAY_9):
        page = html.unescape(client.get(f"/flow/tickets/{name}").content.decode())
    found = re.search(r'<select[^>]*name="assignee".*?</select>', page, re.DOTALL)
    assert found
    return re.findall(r"<option[^>]*>(.*?)</option>", found[0])


def give(client: Client, name: str, to: Agent | None) -> str:
    """What the page says when the ticket has been given."""
    with pinned(MONDAY_9):
        answer = client.post(
            f"/flow/tickets/{name}/assign",
            {"assignee": shown("agt", to.public_id) if to else ""},
            follow=True,
        )
    assert answer.status_code == 200
    found = re.search(r'<div class="toast">.*?<p>(.*?)</p>', answer.content.decode(), re.DOTALL)
    assert found
    return html.unescape(found[1])


def is_away(agent: Agent) -> None:
    with writing(agent.tenant_id):
        Agent.objects.filter(id=agent.id).update(is_available=False)


def test_those_who_are_here_come_first_and_the_rest_with_what_keeps_them(world: World, bo: Client) -> None:
    name, ake = a_tier_1_ticket(world), a_colleague(world, "Åke Dahl")
    away(world, world.ada_agent, substitute=world.bo_agent, hours=49)
    is_away(ake)

    assert people(bo, name) == [
        "Nobody, back in the queue",
        "Bo Ek, 1 of 50",
        "Ada Lind, 0 of 50 (away until Wed 17 Jun 10:00, Bo Ek stands in)",
        "Dan Falk, 0 of 10 (off shift)",
        "Mia Berg, 0 of 10 (off shift)",
        "Åke Dahl, 0 of 10 (away)",
    ]


def test_an_absence_of_another_time_keeps_nobody(world: World, bo: Client) -> None:
    name = a_tier_1_ticket(world)
    with writing(world.tenant.id):
        for start in (-2 * DAY, 1 * DAY):
            Absence.objects.create(
                tenant=world.tenant, public_id=uuid4(), agent=world.bo_agent, starts_at=MONDAY_9 + start,
                ends_at=MONDAY_9 + start + DAY,
            )  # fmt: skip

    assert people(bo, name)[1:3] == ["Ada Lind, 0 of 50", "Bo Ek, 1 of 50"]


def test_who_is_away_is_given_it_all_the_same_and_the_answer_says_so(world: World, bo: Client) -> None:
    name, stand_in = a_tier_1_ticket(world), a_colleague(world, "Siv Stand")
    away(world, world.ada_agent, substitute=stand_in, hours=49)

    said = give(bo, name, world.ada_agent)

    assert said == "Assigned. Ada Lind is away until Wed 17 Jun 10:00, Siv Stand stands in."
    assert ticket(world).assignee_id == world.ada_agent.id


def test_without_an_end_or_without_an_absence_it_says_what_is_known(world: World, bo: Client) -> None:
    name, ake = a_tier_1_ticket(world), a_colleague(world, "Åke Dahl")
    is_away(ake)
    with writing(world.tenant.id):
        Absence.objects.create(
            tenant=world.tenant, public_id=uuid4(), agent=world.ada_agent, starts_at=MONDAY_9
        )

    assert give(bo, name, world.ada_agent) == "Assigned. Ada Lind is away until further notice."
    assert give(bo, name, ake) == "Assigned. Åke Dahl is away."


def test_of_who_is_here_nothing_more_is_said(world: World, bo: Client) -> None:
    name = a_tier_1_ticket(world)

    assert give(bo, name, world.ada_agent) == "Assigned"
    assert give(bo, name, None) == "Back in the queue"
