"""The loop: it goes on whatever a round does, and ends when it is told to."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from pytest_django.fixtures import Settings

from flowdesk.accounts import audit_chain
from flowdesk.accounts.models import AuditEntry, Session, Throttle
from flowdesk.accounts.throttle import LOGIN_HERE, Bucket, count_attempt
from flowdesk.core import metrics
from flowdesk.core.actor import Actor
from flowdesk.core.models import Process
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.escalation.models import Escalation
from flowdesk.notifications.models import Delivery
from flowdesk.worker import loop
from flowdesk.worker.jobs import schedules
from tests.builders import MONDAY_9
from tests.config.story import captured, lines
from tests.flows.story import HOUR, a_staffed_world, an_open_ticket
from tests.notifications.post import a_post

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def rounds(*said: int | Exception) -> tuple[Callable[[], int], threading.Event]:
    """Work that does so much each round, or fails; after the last the loop is told to stop."""
    stop, left = threading.Event(), list(said)

    def work() -> int:
        one = left.pop(0)
        if not left:
            stop.set()
        if isinstance(one, Exception):
            raise one
        return one

    return work, stop


@pytest.mark.parametrize("fault", [ValueError("a bug"), OperationalError("the database restarts")])
def test_a_round_that_fails_is_reported_and_the_next_one_runs(
    caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    work, stop = rounds(fault, 3, 0)

    with caplog.at_level(logging.WARNING):
        loop._repeat(work, stop)

    assert [record.message for record in caplog.records] in (["round_failed"], ["database_unavailable"])


def test_a_fault_of_the_loop_itself_is_not_swallowed() -> None:
    work, stop = rounds(0)

    def interrupted() -> int:
        work()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop._repeat(interrupted, stop)


def test_a_round_of_long_schedules_holds_up_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, begun, swept = threading.Event(), threading.Event(), threading.Event()

    def long_run(*, now: datetime) -> int:
        begun.set()
        stop.wait(20)
        return 0

    def sweep(*, now: datetime) -> int:
        if begun.is_set():
            swept.set()
        return 0

    monkeypatch.setattr(loop, "run_schedules", long_run)
    monkeypatch.setattr(loop, "wake_clocks", sweep)
    faults = list[BaseException]()
    thread = in_the_background(stop, faults)

    swept_meanwhile = swept.wait(10)
    stop.set()
    thread.join(timeout=15)

    assert swept_meanwhile
    assert (thread.is_alive(), faults) == (False, [])


def test_the_schedules_of_one_tenant_do_not_stop_those_of_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = a_staffed_world(), a_staffed_world("second")
    drained = []

    def drain(*, by: Actor, now: datetime) -> tuple[int, int]:
        drained.append(by.tenant)
        if by.tenant == first.tenant.id:
            raise OperationalError("the line broke")
        return 0, 0

    monkeypatch.setattr(schedules, "drain_queue", drain)

    schedules.run_schedules(now=MONDAY_9)

    assert drained == [first.tenant.id, second.tenant.id]
    assert [record.message for record in caplog.records] == ["schedule_failed"]


def in_the_background(stop: threading.Event, faults: list[BaseException]) -> threading.Thread:
    def run() -> None:
        try:
            loop.run_loop(stop)
        except BaseException as fault:  # noqa: BLE001 - told by the thread that waits
            faults.append(fault)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_what_is_due_is_swept_dispatched_and_sent_by_the_running_loop(settings: Settings) -> None:
    world = a_staffed_world()
    an_open_ticket(world, at=now() - 30 * 24 * HOUR)
    stop, faults = threading.Event(), list[BaseException]()
    with a_post() as post:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", post.port
        thread = in_the_background(stop, faults)
        for _ in range(200):
            with reading(world.tenant.id):
                done = Delivery.objects.filter(template="customer_delayed", state="sent").exists()
            if done:
                break
            stop.wait(0.1)
        stop.set()
        thread.join(timeout=15)

    assert not thread.is_alive()
    assert faults == []
    assert len([mail for mail in post.mails if "We are late" in mail["Subject"]]) == 1
    with reading(world.tenant.id):
        assert Escalation.objects.filter(metric="first_response", step=125).count() >= 1


def test_a_line_of_a_round_that_failed_says_of_which_job() -> None:
    work, stop = rounds(ValueError("a bug"), 0)

    with captured() as log:
        loop._repeat(work, stop, job="deliver")

    assert [(line["event"], line["job"]) for line in lines(log)] == [("round_failed", "deliver")]


def test_the_running_loop_beats_counts_and_seals(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    # Draining the queue also does what is due on the tickets it deals out, and would race with the sweep for ours.
    monkeypatch.setattr(loop, "run_schedules", lambda *, now: 0)
    world = a_staffed_world()
    an_open_ticket(world, at=now() - 30 * 24 * HOUR)
    stop, faults = threading.Event(), list[BaseException]()
    thread = in_the_background(stop, faults)
    for _ in range(200):
        row = Process.objects.filter(kind="worker").first()
        woken = row.counts.get(metrics.TICKETS_WOKEN.name, {}).get("", [0])[0] if row else 0
        if woken and audit_chain.kept_heads():
            break
        stop.wait(0.1)
    stop.set()
    thread.join(timeout=15)

    assert faults == []
    row = Process.objects.get(kind="worker")
    assert row.counts[metrics.TICKETS_WOKEN.name][""][0] >= 1
    assert row.gauges["sweep_round_age_seconds"] < 10
    assert [chain.fault for chain in audit_chain.verify_audit()] == [None]
    with reading(world.tenant.id):
        assert not AuditEntry.objects.filter(sealed_at__isnull=True).exists()


def test_what_is_over_is_forgotten_in_a_round_of_its_own() -> None:
    bucket = Bucket(LOGIN_HERE, "early")
    count_attempt([bucket], now=MONDAY_9)
    Session.objects.create(session_key="ended", session_data="", expire_date=MONDAY_9)
    Session.objects.create(session_key="goes-on", session_data="", expire_date=now() + HOUR)

    loop._forget_round()

    assert [one.pk for one in Session.objects.all()] == ["goes-on"]
    assert not Throttle.objects.exists()
