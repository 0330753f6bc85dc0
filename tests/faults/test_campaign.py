"""Whatever is killed, nothing acknowledged is lost, no step is doubled or missed, and everybody is told.

Fifty kills in all: thirty of one installation, and ten each beside two and beside four workers. Each goes on for so
long that rungs fall due between the kills, however soon what was killed is back: the first rung of a promise of a
minute falls due after half of it. `make soak` runs the same for as long as it is told to.
"""

from __future__ import annotations

import pytest

from tests.faults.campaign import Report, campaign

pytestmark = pytest.mark.faults

SEED = 20260615


def assert_all_holds(report: Report) -> None:
    print(report.table())
    assert report.verdict.faults == {}
    assert report.ledger.worst == []


def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled() -> None:
    report = campaign(seed=SEED, kills=30, seconds=110)

    assert_all_holds(report)
    assert len(report.kills) >= 30
    assert len(report.ledger.acknowledged) > 50
    assert report.verdict.steps > 50
    assert report.verdict.mails > 100


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_on_one_database_lose_and_double_nothing(workers: int) -> None:
    report = campaign(seed=SEED + workers, kills=10, seconds=75, workers=workers)

    assert_all_holds(report)
    assert report.verdict.steps > 10
