"""Tickets over HTTP."""

from datetime import timedelta

import pytest

from tests.api.desk import a_desk, fields, refused

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MINUTES = timedelta(minutes=1)


def test_an_opened_ticket_is_prioritised_routed_and_promised() -> None:
    desk = a_desk()

    ticket = desk.open()

    assert ticket["number"] == 1
    assert ticket["priority"] == "P1"
    assert ticket["customer"]["tier"] == "enterprise"
    assert ticket["team"]["slug"]
    first = next(clock for clock in ticket["clocks"] if clock["metric"] == "first_response")
    assert first["promise"] == {"amount": 15, "unit": "business_minutes", "calendar": "24/7"}
    assert first["due_at"] == "2026-06-15T07:15:00Z"
    assert ticket["due_at"] == first["due_at"]


def test_the_whole_life_of_a_ticket() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"

    with desk.later(5 * MINUTES):
        replied = desk.post(f"{path}/replies", {"text": "We look into it."})
    with desk.later(6 * MINUTES):
        noted = desk.post(f"{path}/notes", {"text": "The gateway."})
    with desk.later(7 * MINUTES):
        waiting = desk.post(f"{path}/wait", {"reason": "third_party", "note": "The gateway."})
    with desk.later(37 * MINUTES):
        resumed = desk.post(f"{path}/resume")
    with desk.later(40 * MINUTES):
        desk.post(f"{path}/assign", {"team": "tier-2"})
        moved = desk.post(f"{path}/priority", {"priority": "high"})
    with desk.later(50 * MINUTES):
        resolved = desk.post(f"{path}/resolve")
    with desk.later(60 * MINUTES):
        reopened = desk.post(f"{path}/reopen")
    with desk.later(61 * MINUTES):
        wrote = desk.post(f"{path}/messages", {"text": "It broke again."})

    clocks = {clock["metric"]: clock for clock in resumed["clocks"]}
    assert replied["id"].startswith("msg_")
    assert noted["id"].startswith("nte_")
    assert waiting["status"] == "on_hold"
    assert waiting["waits"][0]["reason"] == "third_party"
    assert clocks["first_response"]["outcome"] == "met"
    assert clocks["first_response"]["spent_minutes"] == 5
    assert clocks["resolution"]["due_at"] == "2026-06-15T11:30:00Z"
    assert moved["priority"] == "P2"
    assert moved["team"]["slug"] == "tier-2"
    assert resolved["status"] == "resolved"
    assert reopened["status"] == "open"
    assert wrote["unanswered_since"] == "2026-06-15T08:01:00Z"


def test_what_was_said_can_be_read() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"
    desk.post(f"{path}/replies", {"text": "We look into it."})
    desk.post(f"{path}/notes", {"text": "The gateway."})

    messages = desk.get(f"{path}/messages")
    notes = desk.get(f"{path}/notes")
    events = desk.get(f"{path}/events", limit=2)

    assert [(one["author"], one["text"]) for one in messages["items"]] == [
        ("contact", "Nobody can pay since ten past nine."),
        ("agent", "We look into it."),
    ]
    assert "The gateway." in [one["text"] for one in notes["items"]]
    assert events["items"][0]["kind"] == "ticket_opened"
    assert events["items"][0]["actor"] == {"kind": "api_key", "name": "tests"}
    assert desk.get(f"{path}/events", cursor=events["next"])["items"]


def test_a_list_is_narrowed_and_paged() -> None:
    desk = a_desk()
    opened = [desk.open(priority=priority) for priority in ("P4", "P1", "P3", "P2")]
    desk.post(f"/tickets/{opened[2]['id']}/wait", {"reason": "customer"})

    first = desk.get("/tickets", limit=3)
    second = desk.get("/tickets", limit=3, cursor=first["next"])
    urgent = desk.get("/tickets", signal="urgent", order="created")
    several = desk.get("/tickets", status=["pending"])
    found = desk.get("/tickets", q="checkout is DOWN", customer=opened[0]["customer"]["id"])

    shown = [one["priority"] for one in [*first["items"], *second["items"]]]
    assert shown == ["P1", "P2", "P3", "P4"]  # by deadline
    assert second["next"] is None
    assert [one["priority"] for one in urgent["items"]] == ["P2", "P1"]
    assert [one["priority"] for one in several["items"]] == ["P3"]
    assert len(found["items"]) == 4


def test_a_number_finds_its_ticket_and_no_other() -> None:
    desk = a_desk()
    desk.open(subject="Error 2 at checkout")
    desk.open(subject="Error 7 at checkout")

    def found(q: str) -> list[int]:
        return sorted(one["number"] for one in desk.get("/tickets", q=q)["items"])

    assert found("2") == found("#2") == found(" #2 ") == [2]
    assert found("7") == [2], "no ticket has the number: it is a word"
    assert found("#7") == []
    assert found("error 2") == [1]


@pytest.mark.parametrize("order", ["due", "created", "updated"])
def test_pages_leave_nothing_out_and_repeat_nothing(order: str) -> None:
    desk = a_desk()
    for _ in range(5):
        desk.open()
    for one in desk.get("/tickets")["items"][:2]:
        desk.post(f"/tickets/{one['id']}/resolve")

    seen, cursor = [], ""
    while cursor is not None:
        page = desk.get("/tickets", order=order, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["number"] for one in page["items"]]
        cursor = page["next"]

    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_a_cursor_of_another_list_is_refused() -> None:
    desk = a_desk()
    desk.open()
    desk.open()
    cursor = desk.get("/tickets", limit=1)["next"]

    other = refused(desk.call("GET", "/tickets", order="created", cursor=cursor), 422)
    made_up = refused(desk.call("GET", "/tickets", cursor="abc"), 422)

    assert fields(other) == fields(made_up) == {"cursor"}
