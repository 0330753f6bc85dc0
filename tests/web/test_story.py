"""What a ticket's page makes of a long story."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from flowdesk.core.time import at
from tests.web.desk import NOW, Desk
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def html(busy_desk: Desk) -> str:
    client: Client = logged_in("bo@global.example")
    with at(NOW):
        return client.get(reverse("ticket", args=[busy_desk.tickets["over"]])).content.decode()


def thread(html: str) -> str:
    return html.split('id="thread"')[1].split('id="dock"')[0]


def test_a_long_run_of_steps_is_folded_and_its_newest_are_shown(html: str) -> None:
    words = thread(html)

    said = re.search(r"(\d+) earlier steps", words)
    assert said is not None
    folded, after = words.split(said[0])[1].split("</details>")
    assert folded.count('class="entry event"') == int(said[1]) > 10
    assert after.count('class="entry event"') == 2
    assert "Resolution: 100% spent, told: support manager Ada Lind" in words


def test_one_rung_that_tells_two_is_one_line(html: str) -> None:
    assert "Resolution: 90% spent, told: assignee Bo Ek, team lead Ada Lind" in thread(html)


def test_the_customers_words_stand_before_what_followed_from_them(html: str) -> None:
    words = thread(html)

    assert words.index("every payment ends in an error") < words.index("Assigned to Bo Ek")


def test_an_id_is_given_once_on_a_long_page(html: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', html)

    assert sorted(ids) == sorted(set(ids))


def test_the_ledger_follows_the_resolution_when_every_promise_is_over(html: str) -> None:
    ledger = html.split("Clock ledger")[1]

    assert "Resolution" in ledger[:80]
    assert "Now, 119%, running" in ledger


def test_notices_of_the_same_news_are_one(busy_desk: Desk) -> None:
    with at(NOW):
        page = logged_in("ada@global.example").get("/flow/notices").content.decode()

    assert re.search(r"Escalated to you, #4: Checkout fails for every customer \(\d+ times\)", page)
