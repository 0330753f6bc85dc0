"""Customers over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from flowdesk.core.tenant import writing
from flowdesk.people.models import Customer
from tests.api.desk import Desk, a_desk

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


def test_a_customer_is_made_found_and_changed() -> None:
    desk = a_desk()
    made = desk.post("/customers", {"name": "Nordvik Retail", "tier": "starter", "zone": "Europe/Oslo"})
    desk.post(f"/customers/{made['id']}/contacts", {"name": "Maja Lund", "email": "Maja@Nordvik.example"})
    desk.post("/customers", {"name": "Åkeri Ek"})

    changed = desk.patch(f"/customers/{made['id']}", {"is_vip": True, "external_ref": "N-1"})
    contacts = desk.get(f"/customers/{made['id']}/contacts")["items"]

    assert changed == {**made, "is_vip": True, "external_ref": "N-1", "version": changed["version"]}
    assert changed["version"] != made["version"]
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


def at_once(*changes: Callable[[], Any], tenant: int) -> list[Any]:
    """Run the changes so that all of them have begun before the first can write the tenant's customer."""

    def one(change: Callable[[], Any]) -> Any:
        try:
            return change()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(changes)) as pool:
        with writing(tenant):
            list(Customer.objects.select_for_update())
            running = [pool.submit(one, change) for change in changes]
            until = monotonic() + 10
            while _waiting() < len(changes):
                assert monotonic() < until, "not every change came to wait"
                sleep(0.02)
        return [each.result() for each in running]


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(distinct pid) from pg_locks where not granted")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def terms_of(desk: Desk, ticket: Any) -> set[str]:
    """The priority and the tier that the first response was promised for."""
    clocks = desk.get(f"/tickets/{ticket['id']}/clocks")
    return {clock["because"].partition(":")[0] for clock in clocks if clock["metric"] == "first_response"}


@pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
def test_a_name_and_a_tier_changed_at_once_are_both_kept() -> None:
    desk = a_desk()
    ticket = desk.open(tier="starter", priority="P2")
    path = f"/customers/{ticket['customer']['id']}"
    other = replace(desk, web=Client())

    at_once(
        lambda: desk.patch(path, {"name": "Nordvik Group"}),
        lambda: other.patch(path, {"tier": "enterprise"}),
        tenant=desk.world.tenant.id,
    )

    found = desk.get(path)
    assert (found["name"], found["tier"]) == ("Nordvik Group", "enterprise")
    assert terms_of(desk, ticket) == {"P2, enterprise"}


@pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
def test_of_two_tiers_at_once_the_last_is_what_the_clocks_promise() -> None:
    desk = a_desk()
    ticket = desk.open(tier="starter", priority="P2")
    path = f"/customers/{ticket['customer']['id']}"
    other = replace(desk, web=Client())

    at_once(
        lambda: desk.patch(path, {"tier": "enterprise"}),
        lambda: other.patch(path, {"tier": "starter"}),
        tenant=desk.world.tenant.id,
    )

    assert terms_of(desk, ticket) == {f"P2, {desk.get(path)['tier']}"}


def test_a_contact_can_be_corrected() -> None:
    desk = a_desk()
    ticket = desk.open()

    changed = desk.patch(f"/contacts/{ticket['contact']['id']}", {"name": "Maja Lind", "language": "sv"})

    assert changed["name"] == "Maja Lind"
    assert changed["email"] == "maja@nordvik.example"
