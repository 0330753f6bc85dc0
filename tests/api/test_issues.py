"""Recurring issues and duplicates over HTTP."""

import pytest

from tests.api.desk import Desk, a_desk, fields, good, refused
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.flows.story import HOUR
from tests.flows.test_issues import FAULT, comes, name_of, the_issue
from tests.triage.desk import everyday, index_all, opened

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def desk() -> Desk:
    return a_desk(a_busy_world())


def a_busy_world(slug: str = "global") -> World:
    world = a_world(slug)
    for name in ("Nordvik", "Ekberg", "Fjord", "Alder"):
        a_customer(world, name=name, tier="starter")
    everyday(world)
    return world


def an_issue(world: World) -> str:
    for name in ("nordvik", "ekberg", "fjord"):
        comes(world, name=name)
    return the_issue(world)


def test_an_issue_is_listed_and_read_with_its_tickets(desk: Desk) -> None:
    name = an_issue(desk.world)

    (listed,) = desk.get("/issues")["items"]
    read = desk.get(f"/issues/{name}")

    assert (listed["id"], listed["title"], listed["status"], listed["tickets"]) == (name, FAULT[0], "open", 3)
    assert [one["number"] for one in read["members"]] == [10, 9, 8]
    assert desk.get("/issues", status="closed")["items"] == []
    assert desk.get("/issues", status=["open", "known"], limit=1)["next"] is None


def test_a_change_holds_to_the_version_that_was_seen(desk: Desk) -> None:
    name = an_issue(desk.world)
    seen = desk.call("GET", f"/issues/{name}")

    changed = desk.patch(f"/issues/{name}", {"status": "known", "fix_note": "Use 4.2"})

    assert (changed["status"], changed["fix_note"], changed["title"]) == ("known", "Use 4.2", FAULT[0])
    refused(desk.call("PATCH", f"/issues/{name}", {"title": "A"}, headers={"If-Match": seen["ETag"]}), 412)
    assert fields(refused(desk.call("PATCH", f"/issues/{name}", {"title": " "}), 422)) == {"title"}
    assert fields(refused(desk.call("PATCH", f"/issues/{name}", {"status": "x"}), 422)) == {"status"}
    assert fields(refused(desk.call("PATCH", f"/issues/{name}", {"colour": "red"}), 422)) == {"colour"}


def test_a_ticket_is_put_in_and_taken_out(desk: Desk) -> None:
    name = an_issue(desk.world)
    ticket = desk.open()["id"]

    assert desk.post(f"/issues/{name}/tickets/{ticket}")["tickets"] == 4
    gone = desk.call("DELETE", f"/issues/{name}/tickets/{ticket}")
    assert gone.status_code == 200
    assert gone.json()["tickets"] == 3
    refused(desk.call("DELETE", f"/issues/{name}/tickets/{ticket}"), 404)


def test_an_issue_tells_when_its_first_and_its_last_ticket_came_in(desk: Desk) -> None:
    for hours, name in ((0, "nordvik"), (3, "ekberg"), (5, "fjord")):
        comes(desk.world, name=name, at=MONDAY_9 + hours * HOUR)

    (issue,) = desk.get("/issues")["items"]

    assert (issue["first_seen_at"], issue["last_seen_at"]) == ("2026-06-15T07:00:00Z", "2026-06-15T12:00:00Z")


def test_another_tenants_ticket_is_put_into_no_issue(desk: Desk) -> None:
    other = a_desk(a_world("birch"))
    name, foreign = an_issue(desk.world), other.open()["id"]

    refused(desk.call("POST", f"/issues/{name}/tickets/{foreign}"), 404)
    refused(other.call("POST", f"/issues/{name}/tickets/{foreign}"), 404)


def test_pages_of_issues_go_on_where_the_last_one_ended(desk: Desk) -> None:
    an_issue(desk.world)
    for name in ("nordvik", "ekberg", "fjord"):
        comes(desk.world, name=name, what=("Printer jams in tray two", "The printer jams, code J77"))

    first = desk.get("/issues", limit=1)
    second = desk.get("/issues", limit=1, cursor=first["next"])

    assert [one["title"] for one in (*first["items"], *second["items"])] == [
        "Printer jams in tray two",
        FAULT[0],
    ]
    assert second["next"] is None


def test_duplicates_are_listed_and_nothing_is_merged_by_that(desk: Desk) -> None:
    first, second = opened(desk.world, *FAULT), opened(desk.world, *FAULT)
    index_all()

    (found,) = desk.get("/duplicates")

    assert found["ticket"]["id"] == name_of(desk.world, second)
    assert found["into"]["id"] == name_of(desk.world, first)
    assert found["score"] == 1.0
    assert desk.get("/tickets", status="merged")["items"] == []
    merged = desk.post(f"/tickets/{found['ticket']['id']}/merge", {"into": found["into"]["id"]})
    assert merged["status"] == "merged"
    assert desk.get("/duplicates") == []


def test_duplicates_are_merged_together_and_each_is_answered_for(desk: Desk) -> None:
    first, second, third = (opened(desk.world, *FAULT) for _ in range(3))
    stranger = opened(desk.world, *FAULT, email="maja@ekberg.example")
    one, two, three, other = (name_of(desk.world, it) for it in (first, second, third, stranger))
    pairs = [(two, one), (two, three), (other, one), ("tkt_1", one), (three, three), (three, one)]

    found = desk.post("/duplicates/merge", {"pairs": [{"ticket": a, "into": b} for a, b in pairs]})

    assert found["merged"] == 2
    assert [(answer["ticket"], answer["into"]) for answer in found["pairs"]] == pairs
    assert [answer["code"] for answer in found["pairs"]] == [
        "",
        "wrong_state",
        "invalid",
        "not_found",
        "invalid",
        "",
    ]
    assert [answer["is_merged"] for answer in found["pairs"]] == [True, *[False] * 4, True]
    assert "merged into another already" in found["pairs"][1]["detail"]
    assert {one["id"] for one in desk.get("/tickets", status="merged")["items"]} == {two, three}


def test_a_bulk_under_a_key_is_merged_once(desk: Desk) -> None:
    one, two = (name_of(desk.world, opened(desk.world, *FAULT)) for _ in range(2))
    body, key = {"pairs": [{"ticket": two, "into": one}]}, {"Idempotency-Key": "bulk-1"}

    first = desk.call("POST", "/duplicates/merge", body, headers=key)
    again = desk.call("POST", "/duplicates/merge", body, headers=key)

    assert good(first) == good(again)
    assert (good(first)["merged"], again["Idempotent-Replayed"]) == (1, "true")


def test_too_many_pairs_or_none_are_refused(desk: Desk) -> None:
    pair = {"ticket": "tkt_1", "into": "tkt_2"}

    for pairs in ([], [pair] * 51):
        assert fields(refused(desk.call("POST", "/duplicates/merge", {"pairs": pairs}), 422)) == {"pairs"}


@pytest.mark.parametrize("query", [{"least_score": 2}, {"within_days": 0}, {"colour": "red"}])
def test_a_query_that_cannot_be_used_is_refused(desk: Desk, query: dict[str, object]) -> None:
    assert fields(refused(desk.call("GET", "/duplicates", **query), 422)) == set(query)
