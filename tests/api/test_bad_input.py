"""Bad input: a problem that names field and reason, and nothing half-written."""

import json
from datetime import timedelta
from typing import Any

import pytest

from flowdesk.core.tenant import reading
from flowdesk.people.models import Contact, Customer
from flowdesk.tickets.models import Message, Ticket, TicketEvent
from tests.api.desk import TICKET, Desk, a_desk, fields, good, refused
from tests.api.test_document import EVERY, a_life

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

LONG = "x" * 200_001

# What is wrong with a new ticket, the status it gets, and the fields that are named.
NEW_TICKETS: list[tuple[dict[str, Any], set[str]]] = [
    ({"subject": ""}, {"subject"}),
    ({"subject": "   "}, {"subject"}),
    ({"subject": "x" * 301}, {"subject"}),
    ({"subject": 7}, {"subject"}),
    ({"subject": None}, {"subject"}),
    ({"subject": "a\x00b"}, {"subject"}),
    ({"text": "\ud800"}, {"text"}),
    ({"text": ""}, {"text"}),
    ({"text": LONG}, {"text"}),
    ({"channel": "pigeon"}, {"channel"}),
    ({"priority": "P5"}, {"priority"}),
    ({"priority": 1}, {"priority"}),
    ({"priority": True}, {"priority"}),
    ({"category": "gardening"}, {"category"}),
    ({"tier": "platinum"}, {"tier"}),
    ({"email": "not an address"}, {"email"}),
    ({"email": "a" * 255}, {"email"}),
    ({"customer": "cus_nobody"}, {"customer"}),
    ({"contact": "con_00000000000000000000000000"}, {"contact"}),
    ({"language": "english"}, {"language"}),
    ({"fields": {"amount": "much"}}, {"fields.amount"}),
    ({"fields": {"colour": "red"}}, {"fields.colour"}),
    ({"fields": {"amount": 10**30}}, {"fields.amount"}),
    ({"fields": {"amount": [1]}}, {"fields.amount"}),
    ({"fields": "amount"}, {"fields"}),
    ({"colour": "red", "size": 3}, {"colour", "size"}),
    ({"email": "", "customer_name": ""}, {"email"}),
]

# Bodies that are no JSON object of ours at all.
RAW: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 422),
    (b"{", "application/json", 400),
    (b"[]", "application/json", 422),
    (b"null", "application/json", 422),
    (b'"text"', "application/json", 422),
    (b"\xff\xfe", "application/json", 400),
    (b'{"subject": NaN}', "application/json", 400),
    (b'{"subject": Infinity}', "application/json", 400),
    (b'{"subject": "a", "subject": "b"}', "application/json", 400),
    (b'{"fields": ' + b"[" * 50 + b"]" * 50 + b"}", "application/json", 422),
    (b"[" * 100_000, "application/json", 400),
    (b'{"a": ' + b"9" * 5000 + b"}", "application/json", 400),
    (b'{"subject": 1e999}', "application/json", 422),
    (b"subject=x", "application/x-www-form-urlencoded", 415),
    (b"<a/>", "application/xml", 415),
    (b'{"text": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    (b'{"text": "' + b"x" * 3_000_000 + b'"}', "application/json", 413),
]

QUERIES: list[tuple[dict[str, Any], set[str]]] = [
    ({"status": "sleeping"}, {"status.0"}),
    ({"priority": "P9"}, {"priority.0"}),
    ({"limit": 0}, {"limit"}),
    ({"limit": 201}, {"limit"}),
    ({"limit": "many"}, {"limit"}),
    ({"limit": 10**40}, {"limit"}),
    ({"order": "colour"}, {"order"}),
    ({"lane": "mine"}, {"lane"}),
    ({"signal": "noise"}, {"signal"}),
    ({"team": "nobody-knows"}, {"team"}),
    ({"assignee": "tem_00000000000000000000000000"}, {"assignee"}),
    ({"customer": "7"}, {"customer"}),
    ({"created_after": "yesterday"}, {"created_after"}),
    ({"created_after": "2026-06-15T09:00:00"}, {"created_after"}),
    ({"created_before": "9999-12-31T23:59:59-12:00"}, {"created_before"}),
    ({"q": "a\x00b"}, {"q"}),
    ({"q": "x" * 201}, {"q"}),
    ({"cursor": "abc.def"}, {"cursor"}),
    ({"cursor": "x" * 3000}, {"cursor"}),
    ({"colour": "red"}, {"colour"}),
    ({"limit": [1, 2]}, {"limit"}),
]

WORK: list[tuple[str, dict[str, Any], set[str]]] = [
    ("replies", {}, {"text"}),
    ("replies", {"text": " "}, {"text"}),
    ("replies", {"text": "x", "wait": "perhaps"}, {"wait"}),
    ("notes", {"text": ""}, {"text"}),
    ("messages", {"text": "\n"}, {"text"}),
    ("messages", {"text": "x", "channel": "telex"}, {"channel"}),
    ("wait", {}, {"reason"}),
    ("wait", {"reason": "boredom"}, {"reason"}),
    ("wait", {"reason": "third_party"}, {"note"}),
    ("wait", {"reason": "third_party", "note": "x" * 501}, {"note"}),
    ("wait", {"reason": "customer", "until": "2020-01-01T00:00:00Z"}, {"until"}),
    ("wait", {"reason": "customer", "until": "2027-01-01T00:00:00Z"}, {"until"}),
    ("wait", {"reason": "customer", "until": "tomorrow"}, {"until"}),
    ("resume", {"reason": "boredom"}, {"reason"}),
    ("assign", {"team": "nobody-knows"}, {"team"}),
    ("assign", {"agent": "agt_00000000000000000000000000"}, {"agent"}),
    ("assign", {"agent": "7"}, {"agent"}),
    ("assign", {"team": "tem_7"}, {"team"}),
    ("priority", {}, {"priority"}),
    ("priority", {"priority": 0}, {"priority"}),
    ("void", {"because": "rudeness"}, {"because"}),
    ("escalate", {"target": "the_king"}, {"target"}),
    ("escalate", {"target": ""}, {"target"}),
    ("resolve", {"colour": "red"}, {"colour"}),
]

CUSTOMERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": ""}, {"name"}),
    ({"name": "x" * 201}, {"name"}),
    ({"tier": "platinum"}, {"tier"}),
    ({"language": "tlh"}, {"language"}),
    ({"zone": "Mars/Olympus"}, {"zone"}),
    ({"preferred_channel": "pigeon"}, {"preferred_channel"}),
    ({"dedicated_agent": "agt_7"}, {"dedicated_agent"}),
    ({"external_ref": "a\x00"}, {"external_ref"}),
    ({"is_vip": "very"}, {"is_vip"}),
    ({"colour": "red"}, {"colour"}),
    ({"name": "Fine", "tier": "platinum", "zone": "Mars/Olympus"}, {"tier", "zone"}),
]


def rows(desk: Desk) -> tuple[int, ...]:
    """How many rows the tenant has of everything a ticket writes."""
    with reading(desk.world.tenant.id):
        return tuple(model.objects.count() for model in (Ticket, Message, TicketEvent, Customer, Contact))


def test_a_new_ticket_that_cannot_be_used_names_its_fields_and_writes_nothing() -> None:
    desk = a_desk()
    before = rows(desk)

    for values, named in NEW_TICKETS:
        found = refused(desk.call("POST", "/tickets", {**TICKET, **values}), 422)

        assert fields(found) == named, (values, found)
        assert all(one["reason"] for one in found["errors"])
        assert rows(desk) == before, values


def test_every_missing_field_is_named_at_once() -> None:
    found = refused(a_desk().call("POST", "/tickets", {}), 422)

    assert found["errors"] == [
        {"field": "subject", "reason": "is required"},
        {"field": "text", "reason": "is required"},
    ]


def test_a_body_that_is_not_ours_is_refused() -> None:
    desk = a_desk()
    before = rows(desk)

    for raw, kind, status in RAW:
        found = refused(desk.raw("POST", "/tickets", raw, kind=kind), status)

        assert found["detail"], raw[:80]
        assert rows(desk) == before, raw[:80]


def test_a_query_that_cannot_be_used_names_its_fields() -> None:
    desk = a_desk()
    desk.open()

    for query, named in QUERIES:
        assert fields(refused(desk.call("GET", "/tickets", **query), 422)) == named, query


def test_an_act_that_cannot_be_done_names_its_fields_and_changes_nothing() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"
    before = desk.get(path), rows(desk)

    for act, body, named in WORK:
        found = refused(desk.call("POST", f"{path}/{act}", body), 422)

        assert fields(found) == named, (act, body, found)
        assert (desk.get(path), rows(desk)) == before, (act, body)


def test_a_customer_that_cannot_be_used_names_its_fields_and_changes_nothing() -> None:
    desk = a_desk()
    mine = desk.post("/customers", {"name": "Nordvik Retail"})

    for values, named in CUSTOMERS:
        body = {"name": "Somebody", **values}
        assert fields(refused(desk.call("POST", "/customers", body), 422)) == named, values
        assert fields(refused(desk.call("PATCH", f"/customers/{mine['id']}", values), 422)) == named, values
        assert desk.get("/customers")["items"] == [mine], values


def test_what_a_status_forbids_is_a_conflict() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"

    refused(desk.call("POST", f"{path}/reopen", {}), 409)
    refused(desk.call("POST", f"{path}/resume", {}), 409)
    desk.post(f"{path}/resolve")
    found = refused(desk.call("POST", f"{path}/replies", {"text": "Late."}), 409)

    assert found["code"] == "wrong_state"


def test_an_address_or_method_nobody_knows_is_a_problem_too() -> None:
    desk = a_desk()

    refused(desk.call("GET", "/nowhere"), 404)
    refused(desk.call("POST", "/nowhere", {}), 404)
    refused(desk.call("GET", "/tickets/"), 404)
    wrong = desk.call("DELETE", "/tickets")
    elsewhere = desk.web.get("/api/v1/tickets", headers={"Host": "evil.example"})
    outside = desk.web.get("/api/v2/tickets")

    refused(wrong, 405)
    assert wrong["Allow"] == "GET, HEAD, POST"
    refused(elsewhere, 400)  # type: ignore[arg-type]
    refused(outside, 404)  # type: ignore[arg-type]


def test_a_second_writer_of_the_same_address_is_told() -> None:
    desk = a_desk()
    mine = desk.post("/customers", {"name": "Nordvik Retail", "external_ref": "N-1"})
    desk.post(f"/customers/{mine['id']}/contacts", {"email": "maja@nordvik.example"})

    contact = refused(
        desk.call("POST", f"/customers/{mine['id']}/contacts", {"email": "MAJA@nordvik.example"}), 422
    )
    ref = refused(desk.call("POST", "/customers", {"name": "Other", "external_ref": "N-1"}), 422)
    nobody = refused(desk.call("POST", f"/customers/{mine['id']}/contacts", {}), 422)

    assert fields(contact) == {"email"}
    assert fields(ref) == {"external_ref"}
    assert fields(nobody) == {"email"}


def test_a_problem_shows_none_of_our_insides(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    desk.web.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("flowdesk.api.tickets._detail", broken)
    found = refused(desk.call("GET", "/tickets/tkt_00000000000000000000000000"), 500)

    assert "secret" not in json.dumps(found)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "BREW"])
def test_every_address_says_which_methods_it_knows(method: str) -> None:
    desk = a_desk()
    ids = a_life(desk)

    for path in {path for _, path, _ in EVERY}:
        known = {one for one, other, _ in EVERY if other == path}
        known |= {"HEAD"} if "GET" in known else set()
        answer = desk.call(method, path.format(**ids))
        if method == "PUT" and method in known:
            assert answer.status_code == 422, path  # known, and told what it misses
        elif method == "DELETE" and method in known:
            assert good(answer), path
        elif method in known:
            assert answer.status_code == desk.call("GET", path.format(**ids)).status_code == 200, path
            assert answer.content == b""
            assert int(answer.get("Content-Length", "1")) > 0
        else:
            assert answer.status_code == 405, path
            assert set(answer["Allow"].split(", ")) == known, path


@pytest.mark.parametrize("query", ["q=%ff%fe", "q=%c3%28", "%ff=1"])
def test_a_query_that_is_not_utf8_is_refused(query: str) -> None:
    desk = a_desk()

    answer = desk.web.get(f"/api/v1/tickets?{query}", headers={"Authorization": f"Bearer {desk.key}"})

    assert "query" in fields(refused(answer, 422))  # type: ignore[arg-type]


def test_a_body_in_another_encoding_is_refused() -> None:
    desk = a_desk()
    body = json.dumps(TICKET).encode("utf-16")

    refused(desk.raw("POST", "/tickets", body, kind="application/json; charset=utf-16"), 415)
    good(desk.raw("POST", "/tickets", json.dumps(TICKET).encode(), kind="application/json; charset=UTF-8"))


def test_reasons_are_in_our_words() -> None:
    desk = a_desk()
    asked: list[tuple[dict[str, Any], str]] = [
        ({"subject": 7}, "must be text"),
        ({"subject": "x" * 301}, "is longer than 300 characters"),
        ({"channel": "pigeon"}, "is not one of email, web, chat, phone, api, portal"),
        ({"language": "english"}, "does not have the form ^([a-z]{2})?$"),
        ({"fields": "amount"}, "must be an object"),
        ({"colour": "red"}, "is not a field here"),
    ]

    for values, reason in asked:
        found = refused(desk.call("POST", "/tickets", {**TICKET, **values}), 422)
        assert [one["reason"] for one in found["errors"]] == [reason], values
    found = refused(
        desk.call("GET", "/tickets", created_after="yesterday", limit="many", is_active="maybe"), 422
    )
    assert {one["field"]: one["reason"] for one in found["errors"]} == {
        "created_after": "must be an instant with its offset, such as 2026-06-15T09:00:00+02:00",
        "limit": "must be a whole number",
        "is_active": "must be true or false",
    }


def test_a_ticket_nobody_bears_is_a_fault_of_the_filter() -> None:
    assert fields(refused(a_desk().call("GET", "/escalations", ticket="tkt_1"), 422)) == {"ticket"}


def test_later_is_not_never() -> None:
    desk = a_desk()
    ticket = desk.open()

    with desk.later(timedelta(days=1)):
        answer = desk.call("GET", f"/tickets/{ticket['id']}")

    assert good(answer)["id"] == ticket["id"]
