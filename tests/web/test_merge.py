"""Merging on the ticket's page, without script and in both languages."""

import pytest
from django.test import Client
from django.urls import reverse

from flowdesk.accounts.models import Membership, User
from flowdesk.core.time import at
from flowdesk.flows import merge, receive, work
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.flows.story import HOUR
from tests.triage.desk import everyday, index_all
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    return world


@pytest.fixture
def bo(world: World) -> Client:
    return logged_in("bo@global.example")


def opened(world: World, text: str = "It stops.", *, email: str = "maja@nordvik.example") -> str:
    message = a_message(subject="Export <b>fails</b>", text=text, email=email)
    return receive.open_ticket(message, by=world.bo, now=MONDAY_9).id


def page(client: Client, ticket: str) -> str:
    with at(MONDAY_9 + HOUR):
        response = client.get(reverse("ticket", args=[ticket]))
    assert response.status_code == 200
    return response.content.decode()


def do(client: Client, ticket: str, act: str, status: int = 303, **form: str) -> str:
    with at(MONDAY_9 + HOUR):
        response = client.post(reverse("ticket-act", args=[ticket, act]), form)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


@pytest.mark.parametrize("number", ["1", "#1", " #1 "])
def test_a_ticket_is_merged_by_number_and_both_pages_link_to_each_other(
    world: World, bo: Client, number: str
) -> None:
    target, source = opened(world, "First words."), opened(world, "Second words.")
    work.add_note(source, text="A remark.", by=world.bo, now=MONDAY_9)

    do(bo, source, "merge", into=number)

    gone, stands = page(bo, source), page(bo, target)
    assert f'href="{reverse("ticket", args=[target])}">#1 Export &lt;b&gt;fails&lt;/b&gt;</a>' in gone
    assert "Merged into #1" in gone
    assert "Undo the merge" in gone
    thread = stands.partition('id="thread"')[2].partition("</ol>")[0]
    assert thread.index("First words.") < thread.index("Second words.")
    assert "A remark." in thread
    assert thread.count(f'<a class="tag" href="{reverse("ticket", args=[source])}">from #2</a>') == 2
    assert "#2 was merged into this" in thread


def test_the_undo_stands_on_both_pages(world: World, bo: Client) -> None:
    target, source = opened(world), opened(world)
    undo = reverse("ticket-act", args=[source, "unmerge"])
    for start in (source, target):
        do(bo, source, "merge", into="#1")
        assert f'action="{undo}"' in page(bo, start)
        do(bo, source, "unmerge", back=reverse("ticket", args=[target]))

    assert "Merged into this" not in page(bo, target)
    assert "from #2" not in page(bo, target)
    assert "Taken out of #1 again" in page(bo, source)


def test_a_ticket_alike_offers_to_stand_for_this_one(world: World, bo: Client) -> None:
    everyday(world)
    target, source = opened(world, "Export stops with E4021"), opened(world, "Export stops with E4021")
    index_all()

    part = page(bo, source).partition("Similar tickets")[2].partition("</details>")[0]

    assert f'action="{reverse("ticket-act", args=[source, "merge"])}"' in part
    assert '<input type="hidden" name="into" value="8">' in part
    do(bo, source, "merge", into="8")
    assert "from #9" in page(bo, target)


def test_two_customers_are_merged_with_a_tick_only(world: World, bo: Client) -> None:
    a_customer(world, name="Ekberg", tier="free")
    target, source = opened(world), opened(world, email="maja@ekberg.example")

    refused = do(bo, source, "merge", status=422, into="#1")
    assert "Tick that this is meant." in refused
    assert 'value="#1"' in refused
    do(bo, source, "merge", into="#1", across_customers="1")

    assert "from #2" in page(bo, target)


@pytest.mark.parametrize("number", ["", "nine", "#99", "1" * 30, "²"])
def test_a_number_that_nothing_bears_is_refused_beside_its_field(
    world: World, bo: Client, number: str
) -> None:
    source = opened(world)

    assert "There is no ticket with this number." in do(bo, source, "merge", status=422, into=number)


def test_the_number_of_another_tenants_ticket_is_nobodys_here(world: World, bo: Client) -> None:
    other = a_world("birch")
    a_customer(other)
    for _ in range(3):
        opened(other)
    source = opened(world)

    do(bo, source, "merge", status=422, into="#3")


def test_the_page_says_it_in_swedish(world: World, bo: Client) -> None:
    target, source = opened(world), opened(world)
    User.objects.filter(email="bo@global.example").update(language="sv")
    do(bo, source, "merge", into="#1")

    assert "Sammanslaget med" in page(bo, source)
    assert "från #2" in page(bo, target)
    assert "Ångra sammanslagningen" in page(bo, target)


def test_who_may_only_read_sees_no_way_to_merge(world: World, bo: Client) -> None:
    target, source = opened(world), opened(world)
    merge.merge(source, into=target, by=world.bo, now=MONDAY_9)
    Membership.objects.filter(user__email="bo@global.example").update(role="auditor")

    html = page(bo, target) + page(bo, source)

    assert "unmerge" not in html
    assert "Merge into this" not in html
