"""Pages filled from the database."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flowdesk.core.tenant import writing
from flowdesk.core.time import now
from flowdesk.engine.facts import Priority
from flowdesk.flows import receive, work
from flowdesk.tickets.models import Ticket
from flowdesk.web.inbox import fill
from tests.builders import World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    return world


def as_bo(world: World) -> Client:
    client = Client()
    answer = client.post("/login", {"login": "bo@global.example", "password": "s3cret-words"})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def test_whoever_is_not_logged_in_is_sent_to_log_in(world: World) -> None:
    answer = Client().get("/flow/inbox")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


def test_the_inbox_lists_an_open_ticket(world: World) -> None:
    receive.open_ticket(a_message(), by=world.bo, now=now())

    answer = as_bo(world).get("/flow/inbox")

    assert answer.status_code == 200
    assert "Where do I change the reply language?" in answer.content.decode()


def test_a_filtered_list_counts_no_further_than_it_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        receive.open_ticket(a_message(), by=world.bo, now=now())
    client = as_bo(world)

    def heading() -> str:
        html = client.get("/flow/inbox?q=language").content.decode()
        return html.partition("<h1>")[2].partition("</h1>")[0]

    monkeypatch.setattr(fill, "MOST_COUNTED", 3)
    assert ">3<" in heading()
    monkeypatch.setattr(fill, "MOST_COUNTED", 2)
    with CaptureQueriesContext(connection) as asked:
        assert ">2+<" in heading()
    counts = [one["sql"] for one in asked if "COUNT(*)" in one["sql"] and "subject" in one["sql"]]
    assert len(counts) == 1
    assert "LIMIT 3" in counts[0]


@pytest.mark.parametrize(
    ("asked", "title", "count"),
    [
        ("", "All active", 1),
        ("q=language", "All tickets", 2),
        ("status=resolved", "All tickets", 1),
        ("q=language&status=open", "All tickets", 1),
        ("q=language&lane=unassigned", "Unassigned", 0),
    ],
)
def test_a_list_that_holds_ended_tickets_is_not_called_active(
    world: World, asked: str, title: str, count: int
) -> None:
    receive.open_ticket(a_message(), by=world.bo, now=now())
    done = receive.open_ticket(a_message(), by=world.bo, now=now())
    work.resolve(done.id, by=world.bo, now=now())
    with writing(world.tenant.id):
        Ticket.objects.filter(status="new").update(status="open", assignee=world.bo_agent)

    html = as_bo(world).get(f"/flow/inbox?{asked}").content.decode()

    assert f'<h1>{title} <span class="faint">{count}</span>' in html
    assert ('<span class="tag">“language”</span>' in html) is ("q=" in asked)


def test_the_hub_of_an_empty_desk_says_what_to_do(world: World) -> None:
    answer = as_bo(world).get("/flow/tickets/sla")

    assert answer.status_code == 200
    assert "100%" in answer.content.decode()


def test_the_status_note_is_asked_for_and_shown_in_the_report(world: World) -> None:
    client = Client()
    client.post("/login", {"login": "ada@global.example", "password": "s3cret-words"})

    hub = client.get("/flow/tickets/sla").content.decode()
    answer = client.post(reverse("publish-report"), {"status_note": "All lanes are calm."}, follow=True)

    assert 'name="status_note"' in hub
    ids = re.findall(r' id="([^"]+)"', hub)
    assert sorted(ids) == sorted(set(ids))
    assert "All lanes are calm." in answer.content.decode()


def test_a_reply_from_the_page_meets_the_first_response(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=now(), priority=Priority.P2)
    client = as_bo(world)

    answer = client.post(
        reverse("ticket-act", args=[opened.id, "write"]),
        {"kind": "reply", "text": "Under settings."},
        follow=True,
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Under settings." in page
    assert "Reply sent" in page


def test_an_empty_reply_comes_back_with_its_reason(world: World) -> None:
    opened = receive.open_ticket(a_message(), by=world.bo, now=now())

    answer = as_bo(world).post(
        reverse("ticket-act", args=[opened.id, "write"]), {"kind": "reply", "text": " "}
    )

    assert answer.status_code == 422
    assert "must not be empty" in answer.content.decode()


def test_another_tenants_ticket_is_not_there(world: World) -> None:
    other = a_world("other")
    a_customer(other)
    foreign = receive.open_ticket(a_message(), by=other.bo, now=now())
    client = as_bo(world)

    assert client.get(reverse("ticket", args=[foreign.id])).status_code == 404
    assert client.post(reverse("ticket-act", args=[foreign.id, "take"])).status_code == 404


def test_a_signal_that_counts_no_tickets_opens_an_empty_list(world: World) -> None:
    receive.open_ticket(a_message(), by=world.bo, now=now())

    page = as_bo(world).get("/flow/inbox?signal=callback_queued").content.decode()

    assert "Where do I change the reply language?" not in page
