"""`Idempotency-Key`: sent twice, done once; whatever the threads and processes in between do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from flowdesk.accounts import answers
from flowdesk.accounts.answers import KEPT_FOR, forget_answers
from flowdesk.accounts.limits import spend
from flowdesk.accounts.models import KeptAnswer, Quota
from flowdesk.core.limits import Limit
from flowdesk.core.tenant import reading, writing
from flowdesk.core.time import at as pinned
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.worker import loop
from flowdesk.worker.loop import _forget_round
from tests.api.desk import TICKET, Desk, a_desk, fields, good, refused
from tests.api.test_document import BODIES, EVERY, a_life, body_for, takes_json
from tests.builders import MONDAY_9, a_world
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])
for_real = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
# What only asks keeps no answer; evening out needs a team that stands uneven, and has a test of its own.
ASKS = {"check_rules", "try_rules", "even_out"}
CHANGES = [
    entry
    for entry in EVERY
    if entry[0] != "GET" and takes_json(entry[2]) and entry[2]["operationId"] not in ASKS
]


def open_once(desk: Desk, body: Any = TICKET, headers: dict[str, str] = KEY) -> HttpResponse:
    return desk.call("POST", "/tickets", body, headers=headers)


def counts(desk: Desk) -> tuple[int, int]:
    """The tickets and events of the desk's tenant."""
    with reading(desk.world.tenant.id):
        return Ticket.objects.count(), TicketEvent.objects.count()


def test_the_same_request_is_done_once_and_answered_alike() -> None:
    desk = a_desk()

    first = open_once(desk)
    with desk.later(timedelta(hours=1)):
        again = open_once(desk)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert first["ETag"] == again["ETag"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert counts(desk)[0] == 1


def test_another_request_under_the_key_is_refused() -> None:
    desk = a_desk()
    opened = good(open_once(desk))

    body = refused(open_once(desk, {**TICKET, "subject": "Another"}), 422)
    place = refused(desk.call("POST", f"/tickets/{opened['id']}/notes", {"text": "A note"}, headers=KEY), 422)

    assert body["code"] == place["code"] == "key_reused"
    assert fields(body) == fields(place) == {"Idempotency-Key"}
    assert counts(desk)[0] == 1


def test_keys_of_other_programs_and_tenants_are_other_keys() -> None:
    world = a_world()
    desks = [a_desk(world), a_desk(world), a_desk(a_world("elsewhere"))]

    numbers = [good(open_once(desk))["number"] for desk in desks]

    assert numbers == [1, 2, 1]


def test_a_request_that_failed_has_not_used_its_key() -> None:
    desk = a_desk()
    ticket = desk.open()
    path = f"/tickets/{ticket['id']}"

    refused(desk.call("POST", f"{path}/reopen", {}, headers=KEY), 409)
    refused(open_once(desk, {**TICKET, "tier": "platinum"}), 422)
    refused(open_once(desk, {"subject": "No text"}), 422)
    mended = open_once(desk)

    assert "Idempotent-Replayed" not in mended
    assert good(mended)["number"] == 2


@pytest.mark.parametrize("key", ["", " ", '"', "x" * 256, "two words", "\u00e5", "tab\there", '""'])
def test_a_key_that_cannot_be_kept_is_named(key: str) -> None:
    desk = a_desk()

    found = refused(open_once(desk, headers={"Idempotency-Key": key}), 422)

    assert fields(found) == {"Idempotency-Key"}
    assert counts(desk)[0] == 0


def test_a_key_in_quotes_is_the_same_key() -> None:
    desk = a_desk()

    good(open_once(desk, headers={"Idempotency-Key": "one"}))
    again = open_once(desk, headers={"Idempotency-Key": '"one"'})

    assert again["Idempotent-Replayed"] == "true"


def test_a_reading_request_does_not_care() -> None:
    desk = a_desk()

    assert "Idempotent-Replayed" not in desk.call("GET", "/tickets", headers=KEY)
    assert "Idempotent-Replayed" not in desk.call("GET", "/tickets", headers=KEY)


def test_without_a_key_no_statement_is_spent_on_it() -> None:
    desk = a_desk()

    with CaptureQueriesContext(connection) as asked:
        desk.open()

    assert not [query for query in asked.captured_queries if "keptanswer" in query["sql"]]


@pytest.mark.parametrize("entry", CHANGES, ids=[str(entry[2]["operationId"]) for entry in CHANGES])
def test_every_change_is_repeated_and_rebuilt(entry: tuple[str, str, dict[str, Any]]) -> None:
    method, path, operation = entry
    desk = a_desk()
    path = path.format(**ready(desk, str(operation["operationId"])))
    body = body_for(desk, str(operation["operationId"]))

    first = desk.call(method, path, body, headers=KEY)
    done = counts(desk)
    again = desk.call(method, path, body, headers=KEY)
    forget_only_the_answer(desk)
    rebuilt = desk.call(method, path, body, headers=KEY)

    assert good(first) == good(again) == good(rebuilt)
    assert again["Idempotent-Replayed"] == rebuilt["Idempotent-Replayed"] == "true"
    assert first.status_code == again.status_code == rebuilt.status_code
    assert first.get("Location") == rebuilt.get("Location")
    assert counts(desk) == done


def ready(desk: Desk, operation: str) -> dict[str, str]:
    """The ids that paths ask for, of things on which the operation can be done."""
    ids = a_life(desk)
    if operation == "reopen":
        desk.post(f"/tickets/{ids['ticket_id']}/resolve")
    if operation == "resume":
        desk.post(f"/tickets/{ids['ticket_id']}/wait", {"reason": "customer"})
    if operation == "unmerge":
        desk.post(f"/tickets/{ids['ticket_id']}/merge", body_for(desk, "merge"))
    return ids


def forget_only_the_answer(desk: Desk) -> None:
    """As if the process had ended after its act was committed and before it answered."""
    with writing(desk.world.tenant.id):
        assert KeptAnswer.objects.update(status=None, headers={}, body="") == 1


def test_a_day_later_the_key_is_free_again() -> None:
    desk = a_desk()
    good(open_once(desk))

    with desk.later(KEPT_FOR + timedelta(seconds=1)):
        late = open_once(desk)

    assert "Idempotent-Replayed" not in late
    assert good(late)["number"] == 2


@for_real
def test_the_worker_forgets_what_is_a_day_old() -> None:
    desk = a_desk()
    open_once(desk)
    with desk.later(timedelta(hours=2)):
        open_once(desk, headers={"Idempotency-Key": "later"})

    forgotten = [
        forget_answers(now=MONDAY_9 + KEPT_FOR + length)
        for length in (timedelta(0), timedelta(seconds=1), timedelta(hours=2), timedelta(hours=2, seconds=1))
    ]

    assert forgotten == [0, 1, 0, 1]


@for_real
def test_a_round_of_the_worker_forgets_what_is_over() -> None:
    desk = a_desk()
    open_once(desk)
    spend("x", Limit(10, 60), by="key", at=MONDAY_9)

    with pinned(MONDAY_9 + 2 * KEPT_FOR):
        _forget_round()

    with reading(desk.world.tenant.id):
        assert not KeptAnswer.objects.exists()
    assert not Quota.objects.exists()


@for_real
def test_the_worker_goes_on_while_there_is_more_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk()
    for key in ("one", "two", "three"):
        open_once(desk, headers={"Idempotency-Key": key})
    monkeypatch.setattr(answers, "SWEPT_AT_ONCE", 2)
    monkeypatch.setattr(loop, "SWEPT_AT_ONCE", 2)

    with pinned(MONDAY_9 + 2 * KEPT_FOR):
        done = [_forget_round(), _forget_round()]

    assert done == [1, 0]
    with reading(desk.world.tenant.id):
        assert not KeptAnswer.objects.exists()


@for_real
def test_while_the_first_is_served_the_second_is_told_so(migrated_database: ThrowawayDatabase) -> None:
    desk = a_desk()

    with ThreadPoolExecutor(1) as pool, held_counter(migrated_database) as let_go:
        first = pool.submit(in_a_thread, desk)
        until_somebody_waits(migrated_database)
        second = open_once(desk)
        let_go()
        answered = first.result(timeout=30)
    third = open_once(desk)

    assert refused(second, 409)["code"] == "in_flight"
    assert int(second["Retry-After"]) >= 1
    assert good(answered)["number"] == 1
    assert third.content == answered.content
    assert counts(desk)[0] == 1


@for_real
def test_of_many_at_once_one_is_done() -> None:
    desk, crowd = a_desk(), 8
    start = Barrier(crowd)

    def together() -> HttpResponse:
        start.wait(timeout=30)
        return in_a_thread(desk)

    with ThreadPoolExecutor(crowd) as pool:
        answers = [one.result(timeout=60) for one in [pool.submit(together) for _ in range(crowd)]]
    last = open_once(desk)

    made = [one for one in answers if one.status_code == 201]
    assert made
    assert {one.content for one in made} == {last.content}
    assert {one.status_code for one in answers} <= {201, 409}
    assert all(refused(one, 409)["code"] == "in_flight" for one in answers if one not in made)
    assert counts(desk)[0] == 1


# Serves one request, and dies by kill -9 when its act is committed and its answer is about to be kept.
DYING = """
import json, os, signal, sys
import django
django.setup()
from django.test import Client
from flowdesk.accounts import answers
answers.keep_answer = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
path, headers, body = json.loads(sys.stdin.read())
Client().post(path, body, content_type="application/json", headers=headers)
"""


@for_real
@pytest.mark.parametrize("operation", ["open_ticket", "reply", "create_customer"])
def test_a_process_killed_between_act_and_answer(
    migrated_database: ThrowawayDatabase, operation: str
) -> None:
    desk = a_desk()
    ids, body = a_life(desk), BODIES[operation]
    path = next(path for _, path, one in EVERY if one["operationId"] == operation).format(**ids)
    headers = {**KEY, "Authorization": f"Bearer {desk.key}", "Host": "localhost"}

    died = subprocess.run(
        [sys.executable, "-c", DYING],
        input=json.dumps([f"/api/v1{path}", headers, body]),
        text=True,
        env=os.environ | environment(migrated_database),
        timeout=60,
        check=False,
    )
    done = counts(desk)
    desk.now = died_at(desk)
    answered = desk.call("POST", path, body, headers=KEY)

    assert died.returncode == -signal.SIGKILL
    assert answered.status_code == 201
    assert answered["Idempotent-Replayed"] == "true"
    assert good(answered)["id"]
    assert counts(desk) == done
    assert good(desk.call("POST", path, body, headers=KEY)) == good(answered)


def died_at(desk: Desk) -> Any:
    with reading(desk.world.tenant.id):
        return KeptAnswer.objects.get().at


def environment(database: ThrowawayDatabase) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "flowdesk.config.settings",
        "FLOWDESK_SECRET_KEY": "a key for the tests alone",
        **{f"FLOWDESK_{role.upper()}_DSN": dsn for role, dsn in database.roles.items()},
    }


def in_a_thread(desk: Desk) -> HttpResponse:
    """The request from a thread with a connection of its own, closed at the end."""
    try:
        return open_once(Desk(desk.world, desk.key))
    finally:
        connection.close()


@contextmanager
def held_counter(database: ThrowawayDatabase) -> Iterator[Any]:
    """The counter of ticket numbers, which every create needs at its end, in somebody else's hands."""
    with psycopg.connect(database.admin) as other:
        other.execute("select * from tickets_ticketcounter for update")
        yield other.commit


def until_somebody_waits(database: ThrowawayDatabase) -> None:
    with psycopg.connect(database.admin, autocommit=True) as admin:
        for _ in range(3000):
            waits = admin.execute("select 1 from pg_locks where not granted").fetchone()
            if waits:
                return
            admin.execute("select pg_sleep(0.01)")
    raise AssertionError("nobody came to wait")
