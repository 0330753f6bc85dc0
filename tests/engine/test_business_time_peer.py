"""Ten thousand random promises, against an independent package where both mean the same."""

from __future__ import annotations

import pytest

from benchmarks.business_time import Pair, cases, mismatches, pairs

COUNTS = {"business default": 4_000, "with lunch": 3_000, "New York": 3_000}


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair.name)
def test_random_promises_fall_due_at_the_same_instant(pair: Pair) -> None:
    count = COUNTS[pair.name]

    assert mismatches(pair, cases(count, seed=count)) == []
