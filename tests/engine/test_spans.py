"""Sets of half-open spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.spans import ZERO, Span, Timeline, intersect, subtract, total, union

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(start: int, end: int) -> Span:
    """From `start` to `end` hours after noon."""
    return Span(NOON + start * HOUR, NOON + end * HOUR)


spans_strategy = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda pair: span(pair[0], pair[0] + pair[1])),
    max_size=8,
)


def hours_in(spans: list[Span] | tuple[Span, ...]) -> set[int]:
    return {hour for hour in range(48) if any(NOON + hour * HOUR in span for span in spans)}


def test_a_span_holds_its_start_and_not_its_end() -> None:
    morning = span(0, 2)

    assert NOON in morning
    assert NOON + 2 * HOUR not in morning


def test_a_span_is_kept_in_utc() -> None:
    stockholm = NOON.astimezone(ZoneInfo("Europe/Stockholm"))

    kept = Span(stockholm, stockholm + HOUR)

    assert kept == span(0, 1)
    assert kept.start.tzinfo is UTC


def test_a_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        span(2, 1)


def test_a_span_needs_instants_with_a_zone() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        Span(datetime(2026, 3, 2), NOON)  # noqa: DTZ001  # the mistake under test


def test_spans_that_touch_become_one() -> None:
    assert union([span(2, 4), span(0, 2)]) == (span(0, 4),)


def test_empty_spans_vanish() -> None:
    assert union([span(3, 3)]) == ()


def test_a_hole_splits_a_span() -> None:
    assert subtract([span(0, 8)], [span(3, 4)]) == (span(0, 3), span(4, 8))


def test_touching_spans_have_nothing_in_common() -> None:
    assert intersect([span(0, 2)], [span(2, 4)]) == ()


def test_an_hour_in_two_spans_counts_once() -> None:
    assert total([span(0, 3), span(1, 4)]) == 4 * HOUR


def test_the_total_of_nothing_is_zero() -> None:
    assert total([]) == ZERO


@given(spans_strategy, spans_strategy)
def test_set_operations_agree_with_sets_of_hours(a: list[Span], b: list[Span]) -> None:
    assert hours_in(union([*a, *b])) == hours_in(a) | hours_in(b)
    assert hours_in(intersect(a, b)) == hours_in(a) & hours_in(b)
    assert hours_in(subtract(a, b)) == hours_in(a) - hours_in(b)


@given(spans_strategy, spans_strategy)
def test_results_are_sorted_apart_and_never_empty(a: list[Span], b: list[Span]) -> None:
    for result in (union(a), intersect(a, b), subtract(a, b)):
        assert all(one.length > ZERO for one in result)
        assert all(one.end < other.start for one, other in pairwise(result))


@given(spans_strategy, spans_strategy)
def test_what_is_cut_out_and_what_is_left_add_up(a: list[Span], b: list[Span]) -> None:
    assert total(intersect(a, b)) + total(subtract(a, b)) == total(a)


def test_a_timeline_does_not_answer_from_outside_what_it_covers() -> None:
    timeline = Timeline([span(2, 4)], first=NOON, last=NOON + 4 * HOUR)

    assert timeline.add(NOON - HOUR, HOUR) is None
    assert timeline.add(NOON + HOUR, 3 * HOUR) is None
    assert timeline.subtract(NOON + 3 * HOUR, 2 * HOUR) is None
    assert timeline.subtract(NOON + 5 * HOUR, HOUR) is None


def test_a_span_cut_off_by_the_timeline_has_no_known_end() -> None:
    timeline = Timeline([span(0, 1), span(2, 4)], first=NOON, last=NOON + 4 * HOUR)

    assert timeline.change_after(NOON + 3 * HOUR) is None
    assert timeline.change_before(NOON + HOUR // 2) is None
    assert timeline.change_before(NOON + 3 * HOUR) == NOON + 2 * HOUR
