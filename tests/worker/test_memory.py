"""What a worker's process does about its memory before it begins."""

import gc
from collections.abc import Iterator

import pytest

from flowdesk.worker.memory import settle


@pytest.fixture
def as_before() -> Iterator[None]:
    """The collector is left as it was found."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_is_loaded_is_left_alone_and_a_sweeps_values_are_not_looked_through(as_before: None) -> None:
    settle()

    assert gc.get_freeze_count() > 10_000
    before = [generation["collections"] for generation in gc.get_stats()]
    part = [[number] for number in range(20_000)]
    assert [generation["collections"] for generation in gc.get_stats()] == before
    del part


def test_rings_are_still_found(as_before: None) -> None:
    settle()
    before = gc.get_stats()[0]["collections"]

    for _ in range(100_000):
        ring: list[object] = []
        ring.append(ring)

    assert gc.get_stats()[0]["collections"] > before
