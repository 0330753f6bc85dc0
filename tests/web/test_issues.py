"""The pages of recurring issues and of duplicates, without script and in both languages."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from flowdesk.accounts.models import Membership, User
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import at
from flowdesk.tickets.models import Merge, Ticket
from flowdesk.triage.models import Issue
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.flows.story import HOUR
from tests.flows.test_issues import FAULT, comes, name_of, the_issue
from tests.triage.desk import everyday, index_all, opened
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    world = a_world()
    for name in ("Nordvik", "Ekberg", "Fjord", "Alder"):
        a_customer(world, name=name, tier="starter")
    everyday(world)
    return world


@pytest.fixture
def bo(world: World) -> Client:
    return logged_in("bo@global.example")


def get(client: Client, address: str) -> str:
    with at(MONDAY_9 + HOUR):
        response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def post(client: Client, address: str, code: int = 302, /, **form: str | list[str]) -> str:
    with at(MONDAY_9 + HOUR):
        response = client.post(address, form)
    assert response.status_code == code, response.content.decode()[:2000]
    return response.content.decode()


def an_issue(world: World) -> str:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)
    return the_issue(world)


def version(world: World) -> str:
    with reading(world.tenant.id):
        return Issue.objects.get().version


def test_an_empty_list_says_when_something_would_stand_in_it(world: World, bo: Client) -> None:
    assert "When several tickets alike come in within days" in get(bo, "/flow/issues")
    assert "No duplicates" in get(bo, "/flow/duplicates")


def test_the_pages_are_swedish_for_a_swedish_reader(world: World, bo: Client) -> None:
    name = an_issue(world)
    User.objects.filter(email="bo@global.example").update(language="sv")

    assert "Återkommande problem" in get(bo, "/flow/issues")
    assert "Hur det åtgärdas" in get(bo, f"/flow/issues/{name}")
    assert "Dubbletter" in get(bo, "/flow/duplicates")


def test_an_issue_is_listed_with_count_trend_and_status_and_its_tickets_name_it(
    world: World, bo: Client
) -> None:
    name = an_issue(world)

    html = get(bo, "/flow/issues")

    assert f'<a href="/flow/issues/{name}">{FAULT[0]}</a>' in html
    assert "3 tickets in the last 14 days" in html
    assert "Recurring issues" in html.partition("<nav")[2]
    assert FAULT[0] not in get(bo, "/flow/issues?status=closed").partition("<main")[2]
    with reading(world.tenant.id):
        ticket = Ticket.objects.order_by("-id")[0].id
    assert f'href="/flow/issues/{name}">{FAULT[0]}</a>' in get(
        bo, reverse("ticket", args=[name_of(world, ticket)])
    )


def test_issues_of_one_title_are_told_apart_by_how_they_begin_and_when_they_were_seen(
    world: World, bo: Client
) -> None:
    for hours, name in ((0, "nordvik"), (3, "ekberg"), (5, "fjord")):
        comes(world, name=name, at=MONDAY_9 + hours * HOUR)
    with at(MONDAY_9 + 7 * HOUR):
        html = bo.get("/flow/issues").content.decode()
        alone = bo.get(f"/flow/issues/{the_issue(world)}").content.decode()

    times = re.findall(r'<td[^>]*data-label="(First seen|Last seen)"><time datetime="([^"]+)"', html)
    first, last = "2026-06-15T09:00:00+02:00", "2026-06-15T14:00:00+02:00"
    assert times == [("First seen", first), ("Last seen", last)]
    assert f"<small>{escape(' '.join(FAULT[1].split())[:120])}</small>" in html
    assert "3 tickets, from 09:00 to 14:00" in alone, re.findall(r"lede.*", alone)


@pytest.mark.parametrize("after", ["x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~0", "~", "é~9"])
def test_an_address_that_cannot_be_read_asks_for_all(world: World, bo: Client, after: str) -> None:
    an_issue(world)

    with at(MONDAY_9):
        response = bo.get("/flow/issues", {"after": after, "status": "nothing"})

    assert FAULT[0] in response.content.decode()


def test_an_issue_is_changed_added_to_and_taken_from(world: World, bo: Client) -> None:
    name = an_issue(world)
    act = f"/flow/issues/{name}/act"

    post(bo, act, act="change", title="Exports <b>", status="fixed", fix_note="Use 4.2", seen=version(world))
    post(bo, act, act="add", number="#1")
    html = get(bo, f"/flow/issues/{name}")
    assert "Exports &lt;b&gt;" in html
    assert "Use 4.2" in html
    assert "4 tickets in the last" in html

    with reading(world.tenant.id):
        first = shown("tkt", Ticket.objects.get(number=1).public_id)
    post(bo, act, act="take_out", ticket=first)
    assert "3 tickets in the last" in get(bo, f"/flow/issues/{name}")
    with reading(world.tenant.id):
        issue = Issue.objects.get()
    assert (issue.status, issue.fix_note) == ("fixed", "Use 4.2")


def test_who_looks_at_an_older_state_of_an_issue_changes_nothing(world: World, bo: Client) -> None:
    act, seen = f"/flow/issues/{an_issue(world)}/act", version(world)
    post(bo, act, act="change", title="Exports", status="fixed", seen=seen)

    post(bo, act, act="change", title="Exports stop", status="open", seen=seen)

    with reading(world.tenant.id):
        issue = Issue.objects.get()
    assert (issue.title, issue.status) == ("Exports", "fixed")


def test_what_cannot_be_used_comes_back_with_its_form(world: World, bo: Client) -> None:
    act = f"/flow/issues/{an_issue(world)}/act"

    assert "This must not be empty." in post(
        bo, act, 422, act="change", title=" ", status="open", seen=version(world)
    )
    assert "There is no ticket with this number." in post(bo, act, 422, act="add", number="#999")
    post(bo, act, 422, act="change", title="A", status="gone")
    post(bo, act, 404, act="nothing")


def test_duplicates_are_merged_as_ticked_and_each_is_undone_there(world: World, bo: Client) -> None:
    first, second, third = (opened(world, *FAULT) for _ in range(3))
    index_all()
    html = get(bo, "/flow/duplicates")
    into = name_of(world, first)
    pairs = [f"{name_of(world, one)} {into}" for one in (second, third)]
    assert all(f'value="{pair}"' in html for pair in pairs)

    post(bo, "/flow/duplicates", pair=pairs)

    with reading(world.tenant.id):
        assert set(Merge.objects.values_list("source_id", "because")) == {
            (second, "clean_up"),
            (third, "clean_up"),
        }
    html = get(bo, "/flow/duplicates")
    assert "2 tickets were merged" in html
    undo = reverse("ticket-act", args=[name_of(world, second), "unmerge"])
    assert f'action="{undo}"' in html
    post(bo, undo, 303, back="/flow/duplicates")
    with reading(world.tenant.id):
        assert Merge.objects.get(undone_at__isnull=True).source_id == third


def test_a_pair_that_has_changed_meanwhile_holds_up_no_other(world: World, bo: Client) -> None:
    first, second, third = (opened(world, *FAULT) for _ in range(3))
    names = {one: name_of(world, one) for one in (first, second, third)}
    post(bo, "/flow/duplicates", pair=[f"{names[second]} {names[first]}"])

    post(
        bo,
        "/flow/duplicates",
        pair=[f"{names[second]} {names[first]}", "x y", "", f"{names[third]} {names[first]}"],
    )

    html = get(bo, "/flow/duplicates")
    assert "1 ticket was merged" in html
    assert "was merged into another already." in html


def test_nothing_ticked_is_nothing_merged(world: World, bo: Client) -> None:
    post(bo, "/flow/duplicates")

    assert "Tick what is to be merged." in get(bo, "/flow/duplicates")


def test_who_may_only_read_looks_and_changes_nothing(world: World, bo: Client) -> None:
    name = an_issue(world)
    first, second = opened(world, *FAULT), opened(world, *FAULT)
    index_all()
    Membership.objects.filter(user__email="bo@global.example").update(role="auditor")

    assert 'name="pair"' not in get(bo, "/flow/duplicates")
    assert "change-issue" not in get(bo, f"/flow/issues/{name}")
    post(bo, "/flow/duplicates", 403, pair=f"{name_of(world, second)} {name_of(world, first)}")
    post(bo, f"/flow/issues/{name}/act", 403, act="change", title="A", status="open")


def test_another_tenants_issue_is_not_found(world: World, bo: Client) -> None:
    other = a_world("birch")
    for name in ("Nordvik", "Ekberg", "Fjord"):
        a_customer(other, name=name)
    theirs = an_issue(other)

    with at(MONDAY_9):
        assert bo.get(f"/flow/issues/{theirs}").status_code == 404
        assert (
            bo.post(
                f"/flow/issues/{theirs}/act", {"act": "change", "title": "A", "status": "open"}
            ).status_code
            == 404
        )
