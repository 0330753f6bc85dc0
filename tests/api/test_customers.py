"""Customers over HTTP."""

from datetime import timedelta

import pytest

from tests.api.desk import a_desk

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def test_a_customer_is_made_found_and_changed() -> None:
    desk = a_desk()
    made = desk.post("/customers", {"name": "Nordvik Retail", "tier": "starter", "zone": "Europe/Oslo"})
    desk.post(f"/customers/{made['id']}/contacts", {"name": "Maja Lund", "email": "Maja@Nordvik.example"})
    desk.post("/customers", {"name": "Åkeri Ek"})

    changed = desk.patch(f"/customers/{made['id']}", {"is_vip": True, "external_ref": "N-1"})
    contacts = desk.get(f"/customers/{made['id']}/contacts")["items"]

    assert changed == {**made, "is_vip": True, "external_ref": "N-1"}
    assert [one["email"] for one in contacts] == ["maja@nordvik.example"]
    for q in ("nordvik", "N-1", "maja@nordvik.example"):
        assert [one["name"] for one in desk.get("/customers", q=q)["items"]] == ["Nordvik Retail"], q
    assert [one["name"] for one in desk.get("/customers", tier="free")["items"]] == ["Åkeri Ek"]


def test_customers_are_paged_by_name() -> None:
    desk = a_desk()
    for name in ("cedar", "Alder", "birch", "Alder"):
        desk.post("/customers", {"name": name})

    seen, cursor = [], ""
    while cursor is not None:
        page = desk.get("/customers", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [one["name"] for one in page["items"]]
        cursor = page["next"]

    assert seen == ["Alder", "Alder", "birch", "cedar"]


def test_a_new_tier_changes_the_promises_that_run() -> None:
    desk = a_desk()
    ticket = desk.open(tier="starter", priority="P2")
    before = {clock["metric"]: clock for clock in ticket["clocks"]}

    with desk.later(timedelta(minutes=10)):
        desk.patch(f"/customers/{ticket['customer']['id']}", {"tier": "enterprise"})
        after = {clock["metric"]: clock for clock in desk.get(f"/tickets/{ticket['id']}/clocks")}

    assert before["first_response"]["promise"] == {
        "amount": 240,
        "unit": "business_minutes",
        "calendar": "business",
    }
    assert after["first_response"]["promise"] == {
        "amount": 60,
        "unit": "business_minutes",
        "calendar": "24/7",
    }
    assert after["first_response"]["due_at"] == "2026-06-15T08:00:00Z"
    assert [entry["what"] for entry in after["first_response"]["ledger"]] == ["started", "retargeted"]
    assert after["first_response"]["because"] == "P2, enterprise: 1 h"


def test_a_tier_that_stays_changes_no_promise() -> None:
    desk = a_desk()
    ticket = desk.open(tier="starter")

    desk.patch(f"/customers/{ticket['customer']['id']}", {"tier": "starter", "name": "Nordvik"})

    kinds = [one["kind"] for one in desk.get(f"/tickets/{ticket['id']}/events")["items"]]
    assert "terms_changed" not in kinds


def test_a_contact_can_be_corrected() -> None:
    desk = a_desk()
    ticket = desk.open()

    changed = desk.patch(f"/contacts/{ticket['contact']['id']}", {"name": "Maja Lind", "language": "sv"})

    assert changed["name"] == "Maja Lind"
    assert changed["email"] == "maja@nordvik.example"
