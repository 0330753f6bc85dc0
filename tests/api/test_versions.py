"""`ETag`, `If-None-Match`, `If-Match`: nobody's change is overwritten unseen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from tests.api.desk import Desk, a_desk, fields, good, refused
from tests.api.test_document import EVERY, a_life, body_for, everything
from tests.api.test_once import ready

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])
for_real = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

SINGLE = [
    "/tickets/{ticket_id}",
    "/customers/{customer_id}",
    "/contacts/{contact_id}",
    "/escalations/{escalation_id}",
    "/issues/{issue_id}",
]
MATCHING = [
    entry for entry in EVERY if any(one["name"] == "If-Match" for one in entry[2].get("parameters", ()))
]


def thing_of(path: str) -> str:
    """The address of what an act below it changes."""
    return "/".join(path.split("/")[:3])


@pytest.mark.parametrize("path", SINGLE)
def test_what_has_not_changed_is_not_sent_again(path: str) -> None:
    desk = a_desk()
    path = path.format(**a_life(desk))

    first = desk.call("GET", path)
    same = desk.call("GET", path, headers={"If-None-Match": first["ETag"]})
    among = desk.call("GET", path, headers={"If-None-Match": f'"0000", {first["ETag"]}'})
    other = desk.call("GET", path, headers={"If-None-Match": '"0000"'})

    assert first["ETag"] == f'W/"{good(first)["version"]}"'
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert among.status_code == 304
    assert other.status_code == 200


@pytest.mark.parametrize("entry", MATCHING, ids=[str(entry[2]["operationId"]) for entry in MATCHING])
def test_every_act_on_a_version_of_the_past_is_refused(entry: tuple[str, str, dict[str, Any]]) -> None:
    method, path, operation = entry
    desk = a_desk()
    ids = ready(desk, str(operation["operationId"]))
    body = body_for(desk, str(operation["operationId"]))
    thing, path = thing_of(path).format(**ids), path.format(**ids)
    seen, before = desk.call("GET", thing), everything(desk.world.tenant.id)

    stale = desk.call(method, path, body, headers={"If-Match": '"0000"'})
    untouched = desk.call("GET", thing)
    fresh = desk.call(method, path, body, headers={"If-Match": f'"0000", {seen["ETag"]}'})
    late = desk.call(method, path, body, headers={"If-Match": seen["ETag"]})

    assert refused(stale, 412)["code"] == "outdated"
    assert untouched["ETag"] == seen["ETag"]
    assert good(fresh)
    assert desk.call("GET", thing)["ETag"] != seen["ETag"]
    refused(late, 412)
    assert everything(desk.world.tenant.id) != before or method in ("PATCH", "PUT") or "/issues/" in path


def test_every_change_of_a_single_thing_takes_the_version() -> None:
    below_a_thing = {path for method, path, _ in EVERY if method != "GET" and thing_of(path) in SINGLE}

    rules = {"/routing/rules", "/fields"}  # each one thing of its tenant, at one address

    assert {path for _, path, _ in MATCHING} - rules == below_a_thing - {"/customers/{customer_id}/contacts"}


def test_two_acts_in_one_instant_are_two_versions() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"

    versions = [desk.post(f"{path}/notes", {"text": "Again."})["ticket"]["version"] for _ in range(3)]

    assert len(set(versions)) == 3


def test_a_star_is_any_version_and_nonsense_is_named() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}/notes"

    assert good(desk.call("POST", path, {"text": "Hello."}, headers={"If-Match": "*"}))
    bad = refused(desk.call("POST", path, {"text": "Hello."}, headers={"If-Match": "17"}), 422)
    assert fields(bad) == {"If-Match"}


def test_a_repeated_act_is_answered_though_its_version_is_gone() -> None:
    desk = a_desk()
    ticket = desk.open()
    headers = {"Idempotency-Key": "one", "If-Match": f'"{ticket["version"]}"'}

    first = desk.call("POST", f"/tickets/{ticket['id']}/notes", {"text": "Hello."}, headers=headers)
    again = desk.call("POST", f"/tickets/{ticket['id']}/notes", {"text": "Hello."}, headers=headers)

    assert good(first) == good(again)


@for_real
@pytest.mark.parametrize(
    ("thing", "change"),
    [
        ("/customers/{customer_id}", lambda n: ("PATCH", "", {"name": f"Name {n}"})),
        ("/customers/{customer_id}", lambda n: ("PATCH", "", {"tier": ["free", "starter"][n % 2]})),
        ("/contacts/{contact_id}", lambda n: ("PATCH", "", {"name": f"Name {n}"})),
        ("/tickets/{ticket_id}", lambda n: ("POST", "/notes", {"text": f"Note {n}"})),
    ],
)
def test_of_racing_changes_exactly_one_wins(
    thing: str, change: Callable[[int], tuple[str, str, Any]]
) -> None:
    desk, crowd = a_desk(), 6
    thing = thing.format(**a_life(desk))
    seen, start = desk.call("GET", thing)["ETag"], Barrier(crowd)

    def race(number: int) -> HttpResponse:
        method, below, body = change(number)
        start.wait(timeout=30)
        try:
            return Desk(desk.world, desk.key).call(method, thing + below, body, headers={"If-Match": seen})
        finally:
            connection.close()

    with ThreadPoolExecutor(crowd) as pool:
        answers = list(pool.map(race, range(crowd)))

    statuses = sorted(one.status_code for one in answers)
    assert statuses[0] in (200, 201)
    assert statuses[1:] == [412] * (crowd - 1)
