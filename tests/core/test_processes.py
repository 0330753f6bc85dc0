"""Heartbeats: who lives, who is late, and counts that never fall when a process ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from flowdesk.core import metrics
from flowdesk.core.models import Process
from flowdesk.core.processes import DEAD_AFTER, ENDED, Engine, Heart, Watch, engine_of, fold_ended, living
from flowdesk.core.time import at as pinned
from tests.builders import MONDAY_9

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
SECOND = timedelta(seconds=1)
WOKEN = metrics.TICKETS_WOKEN


@pytest.fixture(autouse=True)
def from_nothing() -> Iterator[None]:
    metrics.reset()
    yield
    metrics.reset()


def a_heart(kind: str = "worker") -> Heart:
    with pinned(MONDAY_9):
        return Heart(kind)


def woken_in_all() -> float:
    parts = metrics.merged(Process.objects.values_list("counts", flat=True))
    return parts.get(WOKEN.name, {}).get("", [0.0])[0]


def test_a_heart_keeps_one_row_with_its_counts_and_measures() -> None:
    heart = a_heart()
    for beat in range(3):
        WOKEN.add(by=5)
        heart.beat(at=MONDAY_9 + beat * SECOND, gauges={"sweep_lag_seconds": 2.0})

    row = Process.objects.get()
    assert row.beat_at == MONDAY_9 + 2 * SECOND
    assert row.counts == {WOKEN.name: {"": [15.0]}}
    assert row.gauges["sweep_lag_seconds"] == 2.0
    assert row.gauges["resident_bytes"] > 1_000_000


def test_the_counts_of_a_process_that_ended_are_kept() -> None:
    WOKEN.add(by=5)
    a_heart().beat(at=MONDAY_9)
    metrics.reset()

    later = MONDAY_9 + DEAD_AFTER + SECOND
    assert fold_ended(at=later) == 1
    assert fold_ended(at=later) == 0
    assert living(at=later) == []
    assert [row.kind for row in Process.objects.all()] == [ENDED]
    assert woken_in_all() == 5


def test_ended_processes_fold_into_one_row() -> None:
    for _ in range(3):
        metrics.reset()
        WOKEN.add(by=5)
        Heart("worker").beat(at=MONDAY_9)

    fold_ended(at=MONDAY_9 + DEAD_AFTER + SECOND)

    assert Process.objects.count() == 1
    assert woken_in_all() == 15


def test_who_was_taken_for_dead_and_lives_counts_nothing_twice() -> None:
    heart = a_heart()
    WOKEN.add(by=5)
    heart.beat(at=MONDAY_9)
    later = MONDAY_9 + DEAD_AFTER + SECOND
    fold_ended(at=later)
    WOKEN.add(by=2)

    heart.beat(at=later)
    heart.beat(at=later + SECOND)

    assert woken_in_all() == 7
    assert heart.live_counts() == {WOKEN.name: {"": [2.0]}}


def test_the_engine_is_on_time_late_or_silent() -> None:
    assert engine_of([], at=MONDAY_9) == Engine(heartbeat_age=None, sweep_lag=None)
    heart = a_heart()
    heart.beat(at=MONDAY_9, gauges={"sweep_lag_seconds": 1.0, "sweep_round_age_seconds": 0.2})

    def note(seconds: int) -> str:
        at = MONDAY_9 + seconds * SECOND
        return engine_of(living(at=at), at=at).note

    assert note(5) == ""
    assert note(31) == "worker_silent"
    heart.beat(at=MONDAY_9, gauges={"sweep_lag_seconds": 45.0})
    assert note(5) == "sweep_late"
    heart.beat(at=MONDAY_9, gauges={"sweep_lag_seconds": 0.0, "sweep_round_age_seconds": 45.0})
    assert note(5) == "sweep_late"  # due or not: nobody is looking


def test_a_worker_that_sweeps_makes_up_for_one_that_hangs() -> None:
    a_heart().beat(at=MONDAY_9, gauges={"sweep_round_age_seconds": 500.0})
    other = a_heart()
    other.pid += 1
    other.beat(at=MONDAY_9, gauges={"sweep_round_age_seconds": 0.2})

    assert engine_of(living(at=MONDAY_9), at=MONDAY_9).note == ""


def test_an_episode_of_lateness_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watch, worker = Watch(), a_heart()
    watch.heart = a_heart("web")

    with caplog.at_level(logging.INFO, "flowdesk"):
        for seconds in (0, 40, 50, 60):
            watch.look(at=MONDAY_9 + seconds * SECOND)
        worker.beat(at=MONDAY_9 + 65 * SECOND)
        for seconds in (70, 80):
            watch.look(at=MONDAY_9 + seconds * SECOND)

    assert [record.message for record in caplog.records] == ["engine_late", "engine_on_time"]
    assert watch.note == ""
