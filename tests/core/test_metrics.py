"""Counting: what is counted, how it is written down, and how processes are counted together."""

from __future__ import annotations

import tomllib
from pathlib import Path

import flowdesk
from flowdesk.core.metrics import Counter, Histogram, _registry, counts, labelled, less, merged, registered


def forget(*names: str) -> None:
    for name in names:
        _registry.pop(f"flowdesk_{name}")


def test_a_counter_counts_by_its_labels() -> None:
    counter = Counter("t_things_total", "Things.", "kind")
    counter.add("a")
    counter.add("a", by=2)
    counter.add('b"\\')

    assert list(counter.lines(counter.samples())) == [
        'flowdesk_t_things_total{kind="a"} 3',
        'flowdesk_t_things_total{kind="b\\"\\\\"} 1',
    ]
    forget("t_things_total")


def test_a_histogram_counts_below_each_bound_and_sums() -> None:
    histogram = Histogram("t_seconds", "Times.", bounds=(0.1, 1))
    for seconds in (0.05, 0.1, 0.5, 7):
        histogram.observe(seconds)

    assert list(histogram.lines(histogram.samples())) == [
        'flowdesk_t_seconds_bucket{le="0.1"} 2',
        'flowdesk_t_seconds_bucket{le="1"} 3',
        'flowdesk_t_seconds_bucket{le="+Inf"} 4',
        "flowdesk_t_seconds_sum 7.65",
        "flowdesk_t_seconds_count 4",
    ]
    forget("t_seconds")


def test_processes_are_counted_together_and_apart() -> None:
    one, two = {"a": {"x": [1.0, 2.0]}}, {"a": {"x": [10.0, 20.0], "y": [5.0, 5.0]}}

    both = merged([one, two])

    assert both == {"a": {"x": [11.0, 22.0], "y": [5.0, 5.0]}}
    assert less(both, two) == {"a": {"x": [1.0, 2.0], "y": [0.0, 0.0]}}
    assert one == {"a": {"x": [1.0, 2.0]}}


def test_a_series_of_another_releases_bounds_spoils_no_other() -> None:
    assert merged([{"a": {"x": [1.0, 2.0]}}, {"a": {"x": [1.0]}}]) == {"a": {"x": [1.0, 2.0]}}


def test_no_label_braces_without_labels() -> None:
    assert labelled({}) == ""


def test_every_metric_says_what_it_means_and_counts_in_a_unit() -> None:
    for metric in registered():
        assert metric.about.endswith("."), metric.name
        assert metric.name.endswith(("_total", "_seconds")), metric.name
    assert set(counts()) <= {metric.name for metric in registered()}


def test_the_version_told_is_the_one_released() -> None:
    project = tomllib.loads((Path(flowdesk.__file__).parents[1] / "pyproject.toml").read_text())

    assert flowdesk.__version__ == project["project"]["version"]
