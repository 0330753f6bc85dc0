"""Escalations and the hub over HTTP."""

from datetime import timedelta

import pytest

from tests.api.desk import a_desk, fields, refused

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def test_a_p1_can_be_watched_and_taken() -> None:
    desk = a_desk()
    ticket = desk.open()

    found = desk.get("/escalations", state="open", ticket=ticket["id"])["items"]
    taken = desk.post(f"/escalations/{found[0]['id']}/acknowledge")
    again = refused(desk.call("POST", f"/escalations/{found[0]['id']}/acknowledge", {}), 409)

    assert [one["rule"] for one in found] == ["p1_created"]
    assert found[0]["agent"]["name"] == "Ada Lind"
    assert found[0]["due_at"] == "2026-06-15T07:15:00Z"
    assert taken["state"] == "acknowledged"
    assert again["code"] == "already_acknowledged"
    assert desk.get("/escalations", state="open")["items"] == []


def test_an_escalation_by_hand_keeps_what_was_said() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open(priority='P3')['id']}"

    desk.post(f"{path}/escalate", {"target": "team_lead", "note": "They threaten to leave."})

    assert desk.get("/escalations", kind="manual")["items"][0]["target"] == "team_lead"
    assert "They threaten to leave." in [one["text"] for one in desk.get(f"{path}/notes")["items"]]


def test_escalations_are_narrowed_and_paged() -> None:
    desk = a_desk()
    for _ in range(3):
        desk.open()

    first = desk.get("/escalations", limit=2, kind="event")
    second = desk.get("/escalations", limit=2, kind="event", cursor=first["next"])
    unknown = refused(desk.call("GET", "/escalations", kind="odd", state="lost"), 422)

    assert [one["ticket"]["number"] for one in [*first["items"], *second["items"]]] == [3, 2, 1]
    assert fields(unknown) == {"kind", "state"}
    refused(desk.call("GET", "/escalations", ticket="esc_1"), 422)


def test_the_hub_says_what_to_do_next() -> None:
    desk = a_desk()
    desk.open()

    with desk.later(timedelta(minutes=20)):
        hub = desk.get("/hubs/sla")

    lanes = {lane["lane"]: lane for lane in hub["lanes"]}
    assert hub["verdict"]["active"] == hub["verdict"]["over"] == 1
    assert lanes["sla_breached"]["backlog"] == 1
    assert len(lanes) == 7
    assert hub["work_next"]["action"] == "sla_breached"
    assert hub["tickets"][0]["number"] == 1
    assert len(hub["signals"]) == 12


def test_a_desk_without_tickets_is_within_its_promises() -> None:
    hub = a_desk().get("/hubs/sla", window="7d")

    assert hub["hit_rate"]["percent"] == 100
    assert hub["work_next"]["action"] == "healthy"
    assert {lane["severity"] for lane in hub["lanes"]} == {"ok"}
