"""Limits by address, key and tenant: who asks too much waits, whichever process they ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flowdesk.accounts import limits
from flowdesk.accounts.limits import BAD_KEY_COST, forget_windows, spend
from flowdesk.accounts.models import Quota
from flowdesk.core.addresses import trusted_networks
from flowdesk.core.limits import Limit
from tests.api.desk import Desk, a_desk, refused
from tests.api.test_once import environment
from tests.builders import MONDAY_9, a_world
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])
for_real = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
MINUTE = timedelta(minutes=1)
CRON = "/flow/scheduler/tickets/automations/run"


@pytest.fixture(autouse=True)
def a_new_process() -> Iterator[None]:
    limits._slices.clear()
    yield
    limits._slices.clear()


def limited(settings: Any, **amounts: int) -> None:
    settings.REQUEST_LIMITS = {by: Limit(amount, 60) for by, amount in amounts.items()}


def until_refused(desk: Desk, *, most: int = 200) -> tuple[int, HttpResponse]:
    """How many requests go through before one is refused, and that refusal."""
    for done in count():
        answer = desk.call("GET", "/me")
        if answer.status_code != 200:
            return done, answer
        assert done < most
    raise AssertionError


@pytest.mark.parametrize("by", ["address", "key", "tenant"])
def test_who_asks_too_much_is_told_to_wait_and_served_again(settings: Any, by: str) -> None:
    limited(settings, **{by: 7})
    desk = a_desk()

    done, last = until_refused(desk)
    with desk.later(MINUTE):
        later, _ = until_refused(desk)

    assert (done, later) == (7, 7)
    assert refused(last, 429)["code"] == "too_many_requests"
    assert 1 <= int(last["Retry-After"]) <= 60
    assert last["RateLimit-Policy"] == f'"{by}";q=7;w=60'
    assert last["RateLimit"] == f'"{by}";r=0;t={last["Retry-After"]}'


def test_every_answer_says_how_the_tightest_limit_stands(settings: Any) -> None:
    limited(settings, address=100, key=10, tenant=50)
    desk = a_desk()

    desk.call("GET", "/me")
    answer = desk.call("GET", "/nowhere")
    known = desk.call("GET", "/me")

    assert answer["RateLimit"].startswith('"address";r=98;')
    assert known["RateLimit-Policy"] == '"address";q=100;w=60, "key";q=10;w=60, "tenant";q=50;w=60'
    assert known["RateLimit"] == '"key";r=8;t=60'


def test_a_key_has_its_limit_and_a_tenant_its_own(settings: Any) -> None:
    limited(settings, key=5, tenant=8)
    world = a_world()
    first, second, other = a_desk(world), a_desk(world), a_desk(a_world("elsewhere"))

    assert [until_refused(one)[0] for one in (first, second, other)] == [5, 3, 5]


def test_a_key_may_have_a_limit_of_its_own(settings: Any) -> None:
    limited(settings, key=5)
    desk = a_desk(limit=9)

    assert until_refused(desk)[0] == 9


def test_wrong_keys_count_for_many(settings: Any) -> None:
    limited(settings, address=4 * BAD_KEY_COST)
    guesser, honest = a_desk(), a_desk(a_world("elsewhere"))
    guesser.key = "fdk_" + "x" * 43

    tries = [guesser.call("GET", "/me").status_code for _ in range(6)]

    assert tries[:3] == [401] * 3
    assert tries[-1] == 429 or until_refused(honest)[0] < BAD_KEY_COST
    assert until_refused(honest)[0] == 0


def test_a_refused_request_reads_no_key_and_asks_nothing(settings: Any) -> None:
    limited(settings, address=3)
    desk = a_desk()
    until_refused(desk)

    with CaptureQueriesContext(connection) as asked:
        refused(desk.call("GET", "/me"), 429)

    assert asked.captured_queries == []


def test_a_request_costs_a_statement_only_once_in_a_slice(settings: Any) -> None:
    limited(settings, address=2000)
    desk = a_desk()

    with CaptureQueriesContext(connection) as asked:
        for _ in range(300):
            desk.call("GET", "/nowhere")

    taken = [one for one in asked.captured_queries if "accounts_quota" in one["sql"]]
    assert 1 <= len(taken) <= 4


def test_an_address_is_believed_from_our_own_proxies_only(settings: Any) -> None:
    limited(settings, address=3)
    desk = a_desk()

    def asked(forwarded: str) -> int:
        return desk.call("GET", "/me", headers={"X-Forwarded-For": forwarded}).status_code

    unbelieved = [asked(f"203.0.113.{n}") for n in range(4)]
    settings.TRUSTED_PROXIES = trusted_networks("127.0.0.1")
    with desk.later(MINUTE):
        believed = [asked(f"203.0.113.{n}") for n in range(4)]

    assert unbelieved == [200, 200, 200, 429]
    assert believed == [200] * 4


def test_an_address_is_kept_in_no_row(settings: Any) -> None:
    limited(settings, address=3)
    a_desk().call("GET", "/me")

    assert "127.0.0.1" not in Quota.objects.get().name


def test_the_crons_door_counts_too(settings: Any) -> None:
    limited(settings, address=2 * BAD_KEY_COST)
    settings.AUTOMATION_CRON_SECRET = "open sesame"
    web = Client()

    answers = [web.post(CRON, headers={"X-Flow-Automation-Secret": "guess"}) for _ in range(3)]

    assert [one.status_code for one in answers] == [401, 401, 429]
    assert int(answers[-1]["Retry-After"]) >= 1


def test_counting_writes_no_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select relpersistence from pg_class where relname = 'accounts_quota'")
        assert cursor.fetchone() == ("u",)


def test_strangers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_HELD", 10)

    for number in range(40):
        spend(f"address {number}", Limit(5, 60), by="address", at=MONDAY_9)

    assert len(limits._slices) <= 10


def test_another_machines_clock_may_begin_the_window(settings: Any) -> None:
    limit = Limit(10, 60)

    ahead = [spend("x", limit, by="key", at=MONDAY_9 + MINUTE).is_within for _ in range(6)]
    limits._slices.clear()  # a second process, whose clock is behind
    behind = [spend("x", limit, by="key", at=MONDAY_9).is_within for _ in range(6)]

    assert sum(ahead) + sum(behind) <= 10
    assert behind[0]


@for_real
def test_windows_that_are_over_are_forgotten() -> None:
    spend("x", Limit(10, 60), by="key", at=MONDAY_9)

    assert forget_windows(now=MONDAY_9 + timedelta(seconds=59)) == 0
    assert forget_windows(now=MONDAY_9 + timedelta(seconds=61)) == 1


@for_real
def test_threads_of_a_process_share_what_it_holds() -> None:
    limit = Limit(200, 60)

    def many(_: int) -> int:
        try:
            return sum(spend("x", limit, by="key", at=MONDAY_9).is_within for _ in range(100))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(many, range(4))) == 200


ASKING = """
import sys, django
django.setup()
from datetime import UTC, datetime
from flowdesk.accounts.limits import spend
from flowdesk.core.limits import Limit
at, limit = datetime(2026, 6, 15, 7, tzinfo=UTC), Limit(1000, 60)
print("ready", flush=True)
sys.stdin.readline()
done = 0
while spend("x", limit, by="key", at=at).is_within:
    done += 1
print(done)
"""


@for_real
def test_processes_together_let_through_exactly_the_amount(migrated_database: ThrowawayDatabase) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ASKING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment(migrated_database),
        )
        for _ in range(3)
    ]

    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    let_through = [int(one.communicate(timeout=60)[0]) for one in running]

    assert sum(let_through) == 1000
