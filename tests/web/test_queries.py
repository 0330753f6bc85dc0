"""What a page costs does not grow with what it shows."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flowdesk.core.time import at
from flowdesk.engine.facts import Priority
from flowdesk.flows import receive, work
from flowdesk.intake.services import InboundMessage
from flowdesk.tickets.states import Channel
from tests.web.desk import NOW, Desk
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def desk(busy_desk: Desk) -> Desk:
    return busy_desk


@pytest.fixture
def client(desk: Desk) -> Client:
    return logged_in("bo@global.example")


def cost(client: Client, path: str) -> int:
    """Statements of one page, without those that open and close transactions."""
    with at(NOW):
        client.get(path)  # what a process learns once (policies, content types) is not the page's
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
    return sum(
        1 for one in asked if not re.match(r"(RELEASE |ROLLBACK TO )?SAVEPOINT|BEGIN|COMMIT", one["sql"])
    )


def open_more(desk: Desk, count: int) -> None:
    for number in range(count):
        receive.open_ticket(
            InboundMessage(
                channel=Channel.EMAIL,
                subject=f"Question {number}",
                text="How?",
                email=f"person{number % 7}@ekberg.example",
            ),
            by=desk.world.bo,
            now=NOW,
            priority=Priority.P4,
        )


@pytest.mark.parametrize(
    ("path", "most"),
    [("/flow/inbox", 16), ("/flow/tickets/sla", 30), ("/flow/notices", 14), ("/flow/tickets/new?q=a", 14)],
)
def test_a_page_costs_the_same_with_fifty_more_tickets(
    desk: Desk, client: Client, path: str, most: int
) -> None:
    before = cost(client, path)
    open_more(desk, 55)

    assert cost(client, path) <= before <= most


def test_a_ticket_costs_the_same_however_long_its_talk_is(desk: Desk, client: Client) -> None:
    path = reverse("ticket", args=[desk.tickets["over"]])
    before = cost(client, path)
    for number in range(20):
        work.send_reply(desk.tickets["over"], text=f"Still on it, {number}.", by=desk.world.bo, now=NOW)
        work.add_note(desk.tickets["over"], text=f"@Ada Lind {number}", by=desk.world.bo, now=NOW)

    assert cost(client, path) == before
    assert before <= 30


def test_a_preview_costs_a_list_and_a_ticket(desk: Desk, client: Client) -> None:
    inbox = cost(client, "/flow/inbox")
    ticket = cost(client, reverse("ticket", args=[desk.tickets["over"]]))

    assert cost(client, f"/flow/inbox?ticket={desk.tickets['over']}") <= inbox + ticket


def test_more_rows_go_on_where_the_list_ended(desk: Desk, client: Client) -> None:
    open_more(desk, 120)
    with at(NOW):
        shown: list[str] = []
        path, headings, script = "/flow/inbox", [], {}
        while path:
            html = client.get(path, headers=script).content.decode()
            shown += re.findall(r'id="row-(tkt_\w+)"', html)
            headings += re.findall(r"<h2>.*?</h2>", html)
            found = re.search(r'id="more" href="([^"]+)"', html)
            path, script = found[1].replace("&amp;", "&") if found else "", {"HX-Request": "true"}
            assert not found or "<html" not in html or len(shown) == 50

    words = [re.sub(r"<[^>]+>|\d", "", heading) for heading in headings]
    assert len(shown) == len(set(shown)) == 127
    assert len([word for word in words if word == "Another day"]) == 1


def test_without_script_the_next_page_is_a_whole_page_with_its_heading(desk: Desk, client: Client) -> None:
    open_more(desk, 60)
    with at(NOW):
        first = client.get("/flow/inbox").content.decode()
        found = re.search(r'id="more" href="([^"]+)"', first)
        assert found is not None
        second = client.get(found[1].replace("&amp;", "&")).content.decode()

    assert second.startswith("<!doctype html>")
    assert "Another day" in second.split('id="rows"')[1]


def test_another_order_than_risk_has_no_headings(desk: Desk, client: Client) -> None:
    with at(NOW):
        html = client.get("/flow/inbox?order=newest").content.decode()

    assert "Another day" not in html.split('id="rows"')[1]
    subjects = re.findall(r'id="row-(tkt_\w+)"', html)
    assert subjects[0] == desk.tickets["swedish"]
