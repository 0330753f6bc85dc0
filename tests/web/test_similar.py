"""The list of tickets alike beside a ticket, in both languages and without script."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from flowdesk.accounts.models import User
from flowdesk.core.time import at
from flowdesk.flows import receive
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.triage.desk import everyday, index_all
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

SUBJECT, TEXT = "Export <b>fails</b> with E4021", "The export of reports stops with E4021"


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    everyday(world)
    return world


@pytest.fixture
def bo(world: World) -> Client:
    return logged_in("bo@global.example")


def opened(world: World) -> str:
    return receive.open_ticket(a_message(subject=SUBJECT, text=TEXT), by=world.bo, now=MONDAY_9).id


def page(client: Client, ticket: str) -> str:
    with at(MONDAY_9):
        response = client.get(reverse("ticket", args=[ticket]))
    assert response.status_code == 200
    return response.content.decode()


def similar_part(html: str, heading: str) -> str:
    return html.partition(heading)[2].partition("</details>")[0]


def test_a_ticket_alike_is_a_plain_link_with_its_status_and_likeness(world: World, bo: Client) -> None:
    first, asked = opened(world), opened(world)
    index_all()

    part = similar_part(page(bo, asked), "Similar tickets")

    assert f'href="{reverse("ticket", args=[first])}"' in part
    assert "open, 100 %" in part
    assert "Both say: e4021" in part
    assert "Export &lt;b&gt;fails&lt;/b&gt;" in part
    assert "hx-" not in part


def test_every_form_of_the_page_can_be_sent(world: World, bo: Client) -> None:
    """Also those that another template brought along: without its token a form is refused as too old."""
    opened(world)
    asked = opened(world)
    index_all()

    forms = re.findall(r'<form[^>]*method="post".*?</form>', page(bo, asked), re.DOTALL)

    assert any("Merge into this" in form for form in forms)
    assert [form for form in forms if "csrfmiddlewaretoken" not in form] == []


def test_a_ticket_like_no_other_says_so(world: World, bo: Client) -> None:
    asked = opened(world)
    index_all()

    assert "No other ticket of late is like this one." in similar_part(page(bo, asked), "Similar tickets")


def test_the_list_is_swedish_for_a_swedish_reader(world: World, bo: Client) -> None:
    asked = opened(world)
    index_all()

    User.objects.filter(email="bo@global.example").update(language="sv")

    part = similar_part(page(bo, asked), "Liknande ärenden")

    assert "Inget annat ärende den senaste tiden liknar det här." in part
