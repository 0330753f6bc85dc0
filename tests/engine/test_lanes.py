"""Lanes: severity, what to work next, the way back."""

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.lanes import (
    BACKLOGS,
    HEALTHY,
    MEASURES,
    QUEUE_SIGNALS,
    Lane,
    LaneDefinition,
    LaneRow,
    PathKey,
    Severity,
    Signal,
    StepState,
    Thresholds,
    Window,
    blocking_lanes,
    count_severity,
    lane,
    lane_rows,
    recovery_path,
    work_next,
)

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
LIMITS = {
    Lane.SLA_BREACHED: Thresholds(critical=1),
    Lane.ESCALATION_DUE: Thresholds(warning=1, critical=10),
    Lane.FIRST_RESPONSE: Thresholds(warning=1, critical=10),
    Lane.CALLBACK: Thresholds(critical=1),
    Lane.PRESSURE: Thresholds(warning=1, critical=1.3),
    Lane.REOPEN_RISK: Thresholds(warning=5, critical=20),
    Lane.CSAT_FOLLOWUP: Thresholds(warning=1, critical=20),
}
SEVEN = tuple(lane(key, owner="support_lead", thresholds=LIMITS[key]) for key in Lane)
# The hot hub as it is drawn.
HOT: dict[Signal, float] = {
    Signal.SLA_BREACHED: 4,
    Signal.ESCALATION_DUE: 3,
    Signal.FIRST_RESPONSE_OPEN: 5,
    Signal.FIRST_RESPONSE_AT_RISK: 2,
    Signal.CALLBACK_QUEUED: 6,
    Signal.CALLBACK_OVERDUE: 2,
    Signal.WORKABLE: 72,
    Signal.PRESSURE: 1.1,
    Signal.REOPEN_RISK: 3.4,
    Signal.REOPEN_LIKELY: 3,
    Signal.FOLLOWUP_OPEN: 2,
}
SIGNALS = st.dictionaries(
    st.sampled_from(Signal), st.one_of(st.just(0.0), st.floats(0, 1000, allow_nan=False))
)


def rows(**severities: Severity) -> tuple[LaneRow, ...]:
    """Seven lanes of which the named ones hold one piece of this severity."""
    return tuple(
        LaneRow(
            key=key, owner="support_lead", backlog=int(key.value in severities), measured=1.0,
            severity=severities.get(key.value, Severity.OK), next_action=key.value,
        )
        for key in Lane
    )  # fmt: skip


# -- zero data


def test_without_tickets_every_lane_is_ok_and_within_sla() -> None:
    found = lane_rows({}, lanes=SEVEN, windows=dict.fromkeys(Lane, NOON))

    assert [row.key for row in found] == list(Lane)
    assert all((row.backlog, row.severity, row.window_at) == (0, Severity.OK, None) for row in found)


def test_without_tickets_the_queue_is_healthy_and_the_report_may_go_live() -> None:
    found = lane_rows({}, lanes=SEVEN)

    assert work_next(found).primary_action == HEALTHY
    assert work_next(found).backlog == 0
    assert [step.state for step in recovery_path(found)] == [
        StepState.DONE,
        StepState.DONE,
        StepState.CURRENT,
    ]
    assert blocking_lanes(found) == ()


# -- severities


def test_the_hot_hub_has_two_critical_and_three_warning_lanes() -> None:
    found = lane_rows(HOT, lanes=SEVEN)

    assert count_severity(found, Severity.CRITICAL) == 2
    assert count_severity(found, Severity.WARNING) == 3
    assert blocking_lanes(found) == (Lane.SLA_BREACHED, Lane.CALLBACK)
    assert [row.backlog for row in found] == [4, 3, 5, 6, 72, 3, 2]


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        (0, Severity.OK),
        (0.9, Severity.OK),
        (1, Severity.WARNING),
        (1.29, Severity.WARNING),
        (1.3, Severity.CRITICAL),
        (inf, Severity.CRITICAL),
    ],
)
def test_a_value_that_reaches_a_threshold_has_crossed_it(value: float, severity: Severity) -> None:
    assert Thresholds(warning=1, critical=1.3).severity(value) is severity


def test_a_lane_without_thresholds_is_always_ok() -> None:
    assert Thresholds().severity(inf) is Severity.OK


def test_nothing_to_do_is_ok_even_where_the_threshold_is_nothing() -> None:
    assert Thresholds(critical=0).severity(0) is Severity.OK


def test_a_lane_warns_before_it_is_critical() -> None:
    with pytest.raises(ValueError, match="warns"):
        Thresholds(warning=2, critical=1)


def test_a_lane_with_work_shows_its_deadline() -> None:
    found = lane_rows({Signal.SLA_BREACHED: 1}, lanes=SEVEN, windows={Lane.SLA_BREACHED: NOON})

    assert found[0].window_at == NOON


def test_every_lane_has_a_backlog_and_a_measure() -> None:
    assert set(BACKLOGS) == set(MEASURES) == set(Lane)


def test_the_queue_signals_are_document_0s_twelve_in_order() -> None:
    assert [signal.value for signal in QUEUE_SIGNALS] == [
        "created", "active", "urgent", "unassigned", "sla_breached", "escalation_due", "waiting_internal",
        "waiting_customer", "callback_queued", "callback_overdue", "reopen_risk", "csat_risk",
    ]  # fmt: skip


@given(signals=SIGNALS, more=st.floats(0, 100))
def test_more_of_everything_makes_no_lane_calmer(signals: dict[Signal, float], more: float) -> None:
    order = list(Severity)
    worse = {signal: value + more for signal, value in signals.items()}

    pairs = zip(lane_rows(signals, lanes=SEVEN), lane_rows(worse, lanes=SEVEN), strict=True)

    assert all(order.index(after.severity) >= order.index(before.severity) for before, after in pairs)


# -- what next


def test_breached_comes_before_escalations_and_escalations_before_callbacks() -> None:
    found = work_next(
        rows(
            callback=Severity.CRITICAL,
            escalation_due=Severity.WARNING,
            sla_breached=Severity.WARNING,
            pressure=Severity.CRITICAL,
        )
    )

    assert found.lane is not None
    assert found.fast_follow is not None
    assert (found.lane.key, found.fast_follow.key) == (Lane.SLA_BREACHED, Lane.ESCALATION_DUE)


def test_beyond_the_path_the_critical_lane_comes_first() -> None:
    found = work_next(
        rows(first_response=Severity.WARNING, pressure=Severity.CRITICAL, reopen_risk=Severity.CRITICAL)
    )

    assert found.lane is not None
    assert found.fast_follow is not None
    assert (found.lane.key, found.fast_follow.key) == (Lane.PRESSURE, Lane.REOPEN_RISK)


def test_the_hot_hub_clears_breaches_and_then_names_owners() -> None:
    found = work_next(lane_rows(HOT, lanes=SEVEN))

    assert (found.primary_action, found.owner, found.backlog) == ("sla_breached", "support_lead", 4)
    assert found.fast_follow is not None
    assert (found.fast_follow.key, found.fast_follow.backlog) == (Lane.ESCALATION_DUE, 3)


def test_calls_that_are_not_late_follow_when_nothing_else_asks() -> None:
    found = work_next(lane_rows({Signal.SLA_BREACHED: 1, Signal.CALLBACK_QUEUED: 2}, lanes=SEVEN))

    assert found.fast_follow is not None
    assert (found.fast_follow.key, found.fast_follow.severity) == (Lane.CALLBACK, Severity.OK)


@given(signals=SIGNALS)
def test_work_is_enforced_exactly_when_a_lane_is_not_ok(signals: dict[Signal, float]) -> None:
    found = lane_rows(signals, lanes=SEVEN)

    assert (work_next(found).lane is None) == all(row.severity is Severity.OK for row in found)


# -- the way back


@pytest.mark.parametrize(
    ("breached", "due", "states"),
    [
        (4, 3, ["current", "ahead", "ahead"]),
        (4, 0, ["current", "done", "ahead"]),
        (0, 3, ["done", "current", "ahead"]),
        (0, 0, ["done", "done", "current"]),
    ],
)
def test_the_first_step_with_something_left_is_the_current_one(
    breached: int, due: int, states: list[str]
) -> None:
    found = lane_rows({Signal.SLA_BREACHED: breached, Signal.ESCALATION_DUE: due}, lanes=SEVEN)

    path = recovery_path(found)

    assert [step.state.value for step in path] == states
    assert [step.count for step in path][:2] == [breached, due]


def test_the_last_step_counts_the_lanes_to_go() -> None:
    live = recovery_path(lane_rows(HOT, lanes=SEVEN))[-1]

    assert (live.key, live.count, live.state) == (PathKey.LIVE, 2, StepState.AHEAD)


@given(signals=SIGNALS)
def test_exactly_one_step_is_current(signals: dict[Signal, float]) -> None:
    path = recovery_path(lane_rows(signals, lanes=SEVEN))

    assert [step.state for step in path].count(StepState.CURRENT) == 1


def test_a_day_is_24_hours_whatever_the_clocks_do() -> None:
    assert [window.length.total_seconds() / 3600 for window in Window] == [24, 168, 720]


def test_a_lane_is_defined_by_its_key_and_the_tenants_terms() -> None:
    found = lane(Lane.CALLBACK, owner="callback_ops", thresholds=Thresholds(critical=1))

    assert found == LaneDefinition(
        key=Lane.CALLBACK,
        owner="callback_ops",
        backlog=Signal.CALLBACK_QUEUED,
        measure=Signal.CALLBACK_OVERDUE,
        thresholds=Thresholds(critical=1),
    )
