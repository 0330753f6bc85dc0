"""Two who look at the same ticket: what one has set is not set over by the other's older page."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import at as pinned
from flowdesk.engine.facts import Priority
from flowdesk.flows import work
from flowdesk.tickets.models import Note
from tests.builders import MONDAY_9, World
from tests.flows.story import MINUTE, a_staffed_world, an_open_ticket, ticket
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def world() -> World:
    return a_staffed_world()


@pytest.fixture
def bo(world: World) -> Client:
    with pinned(MONDAY_9):
        return logged_in("bo@global.example")


@pytest.fixture
def opened(world: World) -> str:
    return an_open_ticket(world)


def read(client: Client, name: str) -> str:
    with pinned(MONDAY_9):
        return html.unescape(client.get(f"/flow/tickets/{name}").content.decode())


def send(
    client: Client,
    name: str,
    act: str,
    *,
    headers: dict[str, str] | None = None,
    **form: str,
) -> tuple[int, str]:
    with pinned(MONDAY_9 + 2 * MINUTE):
        answer = client.post(f"/flow/tickets/{name}/{act}", form, headers=headers or {}, follow=True)
    return answer.status_code, html.unescape(answer.content.decode())


def form_of(act: str, page: str) -> str:
    found = re.search(rf'<form[^>]*action="[^"]*/{act}"[^>]*>.*?</form>', page, re.DOTALL)
    assert found, act
    return found[0]


def seen(act: str, page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', form_of(act, page))
    assert found, act
    return found[1]


def chosen(act: str, page: str) -> str:
    found = re.search(r'<option value="([^"]*)" selected', form_of(act, page))
    assert found, act
    return found[1]


def test_a_priority_is_not_set_over_another_that_the_page_did_not_show(
    world: World, bo: Client, opened: str
) -> None:
    before = seen("priority", read(bo, opened))
    work.prioritise(opened, priority=Priority.P2, by=world.ada, now=MONDAY_9 + MINUTE)

    status, refused = send(bo, opened, "priority", priority="4", note="It can wait.", seen=before)

    assert (status, ticket(world).priority) == (422, 2)
    assert "Meanwhile Ada Lind set P2 (09:01). Choose again if you mean to." in form_of("priority", refused)
    assert "It can wait." in form_of("priority", refused)
    assert chosen("priority", refused) == "4"
    assert (before, seen("priority", refused)) == ("3", "2")
    with reading(world.tenant.id):
        assert not Note.objects.filter(text="It can wait.").exists()

    status, _ = send(
        bo, opened, "priority", priority="4", note="It can wait.", seen=seen("priority", refused)
    )
    assert (status, ticket(world).priority) == (200, 4)


def test_a_ticket_is_not_given_away_from_somebody_whom_the_page_did_not_show(
    world: World, bo: Client, opened: str
) -> None:
    ada, me = (shown("agt", agent.public_id) for agent in (world.ada_agent, world.bo_agent))
    work.assign(opened, by=world.ada, now=MONDAY_9)
    before = seen("assign", read(bo, opened))
    work.take(opened, by=world.ada, now=MONDAY_9 + MINUTE)

    status, refused = send(bo, opened, "assign", assignee=me, seen=before)

    assert (status, before, ticket(world).assignee_id) == (422, "", world.ada_agent.id)
    assert "Meanwhile Ada Lind took the ticket (09:01). Choose again if you mean to." in form_of(
        "assign", refused
    )
    assert (chosen("assign", refused), seen("assign", refused)) == (me, ada)

    status, _ = send(bo, opened, "assign", assignee=me, seen=ada)
    assert (status, ticket(world).assignee_id) == (200, world.bo_agent.id)


def test_what_else_has_changed_refuses_nothing(world: World, bo: Client, opened: str) -> None:
    page, ada = read(bo, opened), shown("agt", world.ada_agent.public_id)
    work.add_note(opened, text="Look at the logs.", by=world.ada, now=MONDAY_9 + MINUTE)

    raised, _ = send(bo, opened, "priority", priority="1", note="All of them.", seen=seen("priority", page))
    given, _ = send(bo, opened, "assign", assignee=ada, seen=seen("assign", page))

    assert (raised, given) == (200, 200)
    assert (ticket(world).priority, ticket(world).assignee_id) == (1, world.ada_agent.id)


def test_beside_the_list_the_refused_form_comes_back_too(world: World, bo: Client, opened: str) -> None:
    work.prioritise(opened, priority=Priority.P2, by=world.ada, now=MONDAY_9 + MINUTE)

    status, refused = send(
        bo, opened, "priority", priority="4", note="It can wait.", seen="3",
        back="/flow/inbox?ticket=x", headers={"HX-Request": "true"},
    )  # fmt: skip

    assert status == 422
    assert "Meanwhile Ada Lind set P2 (09:01)" in refused
    assert "It can wait." in refused
