"""The tenant's own fields over the API."""

from __future__ import annotations

import pytest

from tests.api.desk import Desk, a_desk, fields, good, refused

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MAIL = {
    "subject": "Printer",
    "text": "The printer is jammed.",
    "email": "kim@elm.example",
    "customer_name": "Elm",
}
CONTRACT = {"key": "contract", "label": "Contract", "type": "slug", "choices": ["gold", "silver"]}
AMOUNT = {"key": "amount", "type": "number"}


@pytest.fixture
def desk() -> Desk:
    return a_desk(scopes=["read", "open", "work", "configure"])


def test_fields_are_read_and_put_in_force_by_who_has_seen_the_last_ones(desk: Desk) -> None:
    seen = desk.get("/fields")
    assert [one["key"] for one in seen["fields"]] == ["amount"]
    tag = {"If-Match": f'"{seen["version"]}"'}

    made = good(desk.call("PUT", "/fields", {"fields": [AMOUNT, CONTRACT]}, headers=tag))
    late = desk.call("PUT", "/fields", {"fields": [AMOUNT]}, headers=tag)

    assert made["revision"] == seen["revision"] + 1
    assert made["fields"][1] == CONTRACT
    refused(late, 412)


def test_a_field_that_a_rule_asks_for_does_not_go(desk: Desk) -> None:
    problem = refused(desk.call("PUT", "/fields", {"fields": [CONTRACT]}), 422)

    assert "unknown field 'amount'" in str(problem)
    assert [one["key"] for one in desk.get("/fields")["fields"]] == ["amount"]


def test_fields_that_cannot_be_used_are_named(desk: Desk) -> None:
    twice = refused(desk.call("PUT", "/fields", {"fields": [AMOUNT, AMOUNT]}), 422)
    odd = refused(desk.call("PUT", "/fields", {"fields": [AMOUNT, {"key": "A b", "type": "text"}]}), 422)
    kind = refused(desk.call("PUT", "/fields", {"fields": [{"key": "a", "type": "words"}, AMOUNT]}), 422)

    assert fields(twice) == {"fields.1.key"}
    assert "must be a word" in str(odd)
    assert "expects one of number, text, slug, truth" in str(kind)


def test_a_ticket_is_filled_in_and_emptied_and_its_reading_stands(desk: Desk) -> None:
    desk.call("PUT", "/fields", {"fields": [AMOUNT, CONTRACT]})
    ticket = desk.post("/tickets", {**MAIL, "fields": {"contract": "Gold"}})
    path = f"/tickets/{ticket['id']}"
    before = desk.get(path)
    assert before["fields"] == {"contract": "gold"}

    filled = good(desk.call("PATCH", f"{path}/triage", {"fields": {"amount": 12.5, "contract": None}}))
    wrong = refused(desk.call("PATCH", f"{path}/triage", {"fields": {"contract": "tin", "size": 1}}), 422)

    assert filled["fields"] == {"amount": 12.5}
    assert (filled["needs_review"], filled["confidence"]) == (before["needs_review"], before["confidence"])
    assert fields(wrong) == {"fields.contract", "fields.size"}


def test_how_many_tickets_hold_a_word_that_goes_is_told(desk: Desk) -> None:
    good(desk.call("PUT", "/fields", {"fields": [AMOUNT, CONTRACT]}))
    for word in ("gold", "gold", "silver"):
        desk.post("/tickets", {**MAIL, "fields": {"contract": word}})

    fewer = good(
        desk.call("PUT", "/fields", {"fields": [AMOUNT, {**CONTRACT, "choices": ["silver", "tin"]}]})
    )
    again = good(desk.call("PUT", "/fields", {"fields": [AMOUNT, {**CONTRACT, "choices": ["silver"]}]}))

    assert fewer["still_held"] == [{"key": "contract", "word": "gold", "tickets": 2, "looked_at": 3}]
    assert again["still_held"] == []


def test_fields_are_for_those_who_may(desk: Desk) -> None:
    reader = a_desk(desk.world, scopes=["read"])

    assert reader.get("/fields")["fields"]
    refused(reader.call("PUT", "/fields", {"fields": [AMOUNT]}), 403)
