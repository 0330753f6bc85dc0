"""`/metrics`: for whom, what it says of the whole deployment, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from flowdesk.config import metrics as page
from flowdesk.core import metrics
from flowdesk.core.models import Process
from flowdesk.core.processes import Heart
from flowdesk.core.time import at as pinned
from flowdesk.core.time import now
from flowdesk.worker.jobs.beat import Pulse, measured
from tests.architecture.house import ROOT
from tests.builders import MONDAY_9
from tests.flows.story import a_staffed_world, an_open_ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
SERIES = re.compile(r'(flowdesk_[a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? (-?[0-9.e+-]+)')
DOCS = ROOT / "docs"


@pytest.fixture(autouse=True)
def from_nothing() -> Iterator[None]:
    metrics.reset()
    yield
    metrics.reset()


def scraped(**headers: str) -> dict[str, float]:
    """Every series of a scrape, by its name with labels."""
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    found = {}
    for line in answer.content.decode().splitlines():
        if not line.startswith("#"):
            match = SERIES.fullmatch(line)
            assert match, line
            name = match[1] + (match[2] or "")
            assert name not in found, name
            found[name] = float(match[3])
    return found


def test_this_machine_may_look_and_nobody_else() -> None:
    assert Client().get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").get("/metrics").status_code == 403
    assert Client(REMOTE_ADDR="").get("/metrics").status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
def test_who_comes_through_a_proxy_is_not_this_machine(header: str) -> None:
    assert Client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_with_a_token_set_it_is_the_token_that_counts(settings: Settings) -> None:
    settings.METRICS_TOKEN = "scrape-me"
    outside = Client(REMOTE_ADDR="192.0.2.7")

    assert Client().get("/metrics").status_code == 403
    assert outside.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    assert outside.get("/metrics", headers={"Authorization": "Bearer scräpe"}).status_code == 403
    assert outside.get("/metrics", headers={"Authorization": "Bearer scrape-me"}).status_code == 200


def test_it_tells_of_every_process_and_of_what_waits() -> None:
    world = a_staffed_world()
    an_open_ticket(world, at=now() - timedelta(days=30))
    Pulse().beat(at=now())
    metrics.reset()  # the worker's are in its row; what follows is this process's own
    Client().get("/login")

    found = scraped()

    assert found["flowdesk_database_up"] == 1
    assert found["flowdesk_worker_up"] == 0  # the oldest ticket has been due for weeks
    assert found["flowdesk_sweep_lag_seconds"] > 3600
    assert found["flowdesk_tickets_due"] == 1
    assert found["flowdesk_events_undispatched"] > 0
    assert found['flowdesk_processes{kind="worker"}'] == 1
    assert found['flowdesk_request_seconds_count{route="login",method="GET",status="200"}'] == 1
    assert any(name.startswith("flowdesk_process_resident_bytes{kind=") for name in found)


def test_what_a_silent_worker_measured_is_not_passed_off_as_the_present() -> None:
    with pinned(now() - timedelta(seconds=60)):
        heart = Heart("worker")
    heart.beat(at=now() - timedelta(seconds=60), gauges={"sweep_lag_seconds": 0.0})

    found = scraped()

    assert found["flowdesk_worker_up"] == 0
    assert found["flowdesk_worker_heartbeat_age_seconds"] >= 60
    assert "flowdesk_sweep_lag_seconds" not in found


def test_without_a_database_a_scrape_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> Any:
        raise OperationalError("away")

    Client().get("/login")
    monkeypatch.setattr(page, "living", away)

    found = scraped()

    assert found["flowdesk_database_up"] == 0
    assert found['flowdesk_request_seconds_count{route="login",method="GET",status="200"}'] == 1


def test_a_scrape_asks_the_database_twice_however_much_there_is(django_assert_num_queries: Any) -> None:
    world = a_staffed_world()
    for _ in range(3):
        an_open_ticket(world, at=MONDAY_9)
    Pulse().beat(at=now())
    Client().get("/metrics")

    with django_assert_num_queries(2):
        scraped()


def test_what_is_measured_is_what_is_told() -> None:
    gauges = {*measured(at=now()), "sweep_round_age_seconds", "tickets_unassigned"}

    assert gauges == set(page.MEASURED)


def test_every_metric_is_described_and_every_described_one_is_there() -> None:
    Pulse().beat(at=now())
    told = {
        line.split()[2] for line in Client().get("/metrics").content.decode().splitlines() if "# TYPE" in line
    }

    described = set(re.findall(r"`(flowdesk_[a-z_]+)`", (DOCS / "monitoring.md").read_text()))

    assert described == told


def test_the_sample_alerts_ask_for_metrics_that_are_there() -> None:
    Pulse().beat(at=now())
    told = {name.partition("{")[0] for name in scraped()} | {
        f"{metric.name}{suffix}"
        for metric in metrics.registered()
        for suffix in ("", "_bucket", "_count", "_sum")
    }
    rules = yaml.safe_load((DOCS / "samples" / "alerts.yml").read_text())
    asked = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in re.findall(r"flowdesk_[a-z_]+", rule["expr"])
    }

    assert asked
    assert asked <= told


def test_a_row_of_a_release_to_come_spoils_no_scrape() -> None:
    Process.objects.create(
        kind="web", host="x", pid=1, started_at=now(), beat_at=now(),
        counts={"flowdesk_new_total": {"a\tb": [1.0]}, metrics.REQUESTS.name: {"login\tGET\t200": [1.0]}},
        gauges={"new": 1.0},
    )  # fmt: skip
    Client().get("/login")

    assert scraped()['flowdesk_request_seconds_count{route="login",method="GET",status="200"}'] == 1
