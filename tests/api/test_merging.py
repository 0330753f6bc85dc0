"""Merging tickets over HTTP."""

from typing import Any

import pytest

from tests.api.desk import Desk, a_desk, fields, refused
from tests.builders import a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def desk() -> Desk:
    return a_desk()


def two(desk: Desk, **other: Any) -> tuple[str, str]:
    """A ticket, and one to merge it into."""
    target = desk.open(subject="Checkout is down", text="Nobody can pay.", priority="P3")
    source = desk.open(subject="Still down", text="And nobody can log in.", priority="P3", **other)
    return source["id"], target["id"]


def test_a_merged_ticket_names_the_one_that_stands_for_it(desk: Desk) -> None:
    source, target = two(desk)

    merged = desk.post(f"/tickets/{source}/merge", {"into": target})

    assert (merged["status"], merged["merged_into"]) == ("merged", target)
    assert {one["outcome"] for one in merged["clocks"]} == {"merged"}
    assert desk.get("/tickets", status="merged")["items"][0]["merged_into"] == target
    assert [one["id"] for one in desk.get("/tickets", is_active=True)["items"]] == [target]


def test_the_talk_of_both_is_read_in_the_target_and_names_where_it_was_said(desk: Desk) -> None:
    source, target = two(desk)
    desk.post(f"/tickets/{source}/notes", {"text": "It is the gateway."})
    desk.post(f"/tickets/{source}/merge", {"into": target})

    messages = desk.get(f"/tickets/{target}/messages")["items"]
    notes = desk.get(f"/tickets/{target}/notes")["items"]

    assert [(one["ticket"], one["text"]) for one in messages] == [
        ({"id": target, "number": 1}, "Nobody can pay."),
        ({"id": source, "number": 2}, "And nobody can log in."),
    ]
    assert {"id": source, "number": 2} in [one["ticket"] for one in notes]
    assert [one["text"] for one in desk.get(f"/tickets/{source}/messages")["items"]] == [
        "And nobody can log in."
    ]


def test_the_logs_name_each_other_by_number_alone(desk: Desk) -> None:
    source, target = two(desk)
    desk.post(f"/tickets/{source}/merge", {"into": target})

    for name, kind, number in ((source, "ticket_merged", 1), (target, "merge_taken", 2)):
        (line,) = [one for one in desk.get(f"/tickets/{name}/events")["items"] if one["kind"] == kind]
        assert line["data"]["number"] == number
        assert set(line["data"]) <= {"number", "unanswered"}


def test_a_message_to_a_merged_ticket_answers_with_the_one_it_landed_in(desk: Desk) -> None:
    source, target = two(desk)
    desk.post(f"/tickets/{source}/merge", {"into": target})

    assert desk.post(f"/tickets/{source}/messages", {"text": "Hello?"})["id"] == target


def test_unmerge_brings_the_ticket_back(desk: Desk) -> None:
    source, target = two(desk)
    before = desk.get(f"/tickets/{source}")
    desk.post(f"/tickets/{source}/merge", {"into": target})

    back = desk.post(f"/tickets/{source}/unmerge")

    for name in ("status", "due_at", "assignee", "team", "merged_into", "unanswered_since"):
        assert back[name] == before[name], name
    assert [one["state"] for one in back["clocks"]] == [one["state"] for one in before["clocks"]]
    assert refused(desk.call("POST", f"/tickets/{source}/unmerge"), 409)["code"] == "wrong_state"


def test_two_customers_need_a_word_for_it(desk: Desk) -> None:
    source, target = two(desk, email="leo@alder.example", customer_name="Alder Logistics")

    problem = refused(desk.call("POST", f"/tickets/{source}/merge", {"into": target}), 422)
    merged = desk.post(f"/tickets/{source}/merge", {"into": target, "across_customers": True})

    assert fields(problem) == {"across_customers"}
    assert merged["status"] == "merged"


@pytest.mark.parametrize("body", [{}, {"into": ""}, {"into": "tkt_1"}, {"into": 7}, {"into": "x" * 65}])
def test_what_cannot_be_merged_into_names_its_field(desk: Desk, body: Any) -> None:
    source, _ = two(desk)

    assert fields(refused(desk.call("POST", f"/tickets/{source}/merge", body), 422)) == {"into"}


def test_a_merge_holds_to_the_version_that_was_seen(desk: Desk) -> None:
    source, target = two(desk)
    seen = desk.get(f"/tickets/{source}")["version"]
    desk.post(f"/tickets/{source}/notes", {"text": "Meanwhile."})

    old = desk.call("POST", f"/tickets/{source}/merge", {"into": target}, headers={"If-Match": f'W/"{seen}"'})

    refused(old, 412)
    merged = desk.post(f"/tickets/{source}/merge", {"into": target})
    stale = desk.call(
        "POST", f"/tickets/{source}/messages", {"text": "Hi"}, headers={"If-Match": f'"{seen}"'}
    )
    refused(stale, 412)
    good = {"If-Match": f'"{merged["version"]}"'}
    assert desk.call("POST", f"/tickets/{source}/messages", {"text": "Hi"}, headers=good).status_code == 201


def test_a_merge_sent_again_under_its_key_is_done_once(desk: Desk) -> None:
    source, target = two(desk)
    key = {"Idempotency-Key": "merge-1"}

    first = desk.call("POST", f"/tickets/{source}/merge", {"into": target}, headers=key)
    again = desk.call("POST", f"/tickets/{source}/merge", {"into": target}, headers=key)
    said = desk.call(
        "POST", f"/tickets/{source}/messages", {"text": "Hi"}, headers={"Idempotency-Key": "m-1"}
    )
    repeated = desk.call(
        "POST", f"/tickets/{source}/messages", {"text": "Hi"}, headers={"Idempotency-Key": "m-1"}
    )

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (said.status_code, said.content) == (repeated.status_code, repeated.content)
    assert len(desk.get(f"/tickets/{target}/messages")["items"]) == 3


def test_another_tenants_ticket_is_no_target() -> None:
    ours, theirs = a_desk(), a_desk(a_world("birch"))
    mine, foreign = ours.open()["id"], theirs.open()["id"]

    assert fields(refused(ours.call("POST", f"/tickets/{mine}/merge", {"into": foreign}), 422)) == {"into"}
