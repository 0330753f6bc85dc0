"""Rates, scores, pressure and risks."""

from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.scoring import (
    COMMAND_WEIGHTS,
    CommandSignal,
    Decided,
    Factor,
    PressureLevel,
    PressureReason,
    Risk,
    RiskFacts,
    command_score,
    csat_risk,
    enforcement_score,
    hit_rate,
    pressure,
    reopen_risk,
    rolling_hit_rates,
)

COUNTS = st.integers(0, 10_000)
FACTS = st.builds(
    RiskFacts,
    reopen_count=st.integers(0, 9),
    reply_count=st.integers(0, 40),
    missed_clocks=st.integers(0, 9),
    spent_percent=st.integers(0, 400),
    negative_signals=st.integers(0, 4),
)


# -- zero data


def test_a_desk_without_tickets_has_kept_everything() -> None:
    assert hit_rate(0, missed=0) == 100.0
    assert enforcement_score(0, fell_due=0) == 100.0
    assert command_score({}, active=0) == 100.0
    assert rolling_hit_rates([Decided()] * 28, length=14) == (100.0,) * 15


def test_no_load_is_low_pressure_even_with_nobody_on_shift() -> None:
    found = pressure(0, capacity=0, due_before_next_shift=0)

    assert found.level is PressureLevel.LOW
    assert found.because is PressureReason.NO_LOAD


# -- rates


@pytest.mark.parametrize(
    ("met", "missed", "percent"), [(97, 8, 92.38), (1, 0, 100.0), (0, 1, 0.0), (19, 1, 95.0)]
)
def test_the_hit_rate_is_met_of_decided(met: int, missed: int, percent: float) -> None:
    assert round(hit_rate(met, missed=missed), 2) == percent


def test_the_enforcement_score_is_in_time_of_fallen_due() -> None:
    assert round(enforcement_score(12, fell_due=14), 1) == 85.7


def test_a_rolling_rate_forgets_what_left_its_window() -> None:
    bad, good = Decided(met=0, missed=4), Decided(met=4, missed=0)

    rates = rolling_hit_rates([bad, good, good], length=2)

    assert rates == (50.0, 100.0)


def test_fewer_stretches_than_a_window_give_no_rate() -> None:
    assert rolling_hit_rates([Decided()], length=2) == ()


@given(
    decided=st.lists(st.builds(Decided, COUNTS, COUNTS), min_size=1, max_size=40), length=st.integers(1, 40)
)
def test_each_rolling_rate_is_the_rate_of_its_own_window(decided: list[Decided], length: int) -> None:
    rates = rolling_hit_rates(decided, length=length)

    assert len(rates) == max(0, len(decided) - length + 1)
    for start, rate in enumerate(rates):
        window = decided[start : start + length]
        assert rate == hit_rate(sum(one.met for one in window), missed=sum(one.missed for one in window))


# -- command score


def test_the_weights_follow_the_lanes_and_sum_to_a_hundred() -> None:
    assert list(COMMAND_WEIGHTS.values()) == [30, 15, 15, 10, 15, 5, 10]
    assert list(COMMAND_WEIGHTS) == list(CommandSignal)


def test_a_tenth_of_the_active_tickets_costs_a_lanes_whole_weight() -> None:
    assert command_score({CommandSignal.SLA_BREACHED: 10}, active=100) == 70.0
    assert command_score({CommandSignal.SLA_BREACHED: 5}, active=100) == 85.0
    assert command_score({CommandSignal.SLA_BREACHED: 90}, active=100) == 70.0


def test_in_a_small_queue_one_ticket_is_a_full_lane() -> None:
    assert command_score({CommandSignal.URGENT: 1}, active=3) == 90.0


@given(counts=st.dictionaries(st.sampled_from(CommandSignal), COUNTS), active=COUNTS)
def test_the_command_score_stays_in_bounds_and_never_rises_with_work(
    counts: dict[CommandSignal, int], active: int
) -> None:
    score = command_score(counts, active=active)
    worse = {signal: count + 1 for signal, count in counts.items()}

    assert 0.0 <= score <= 100.0
    assert command_score(worse, active=active) <= score


# -- pressure


@pytest.mark.parametrize(
    ("workable", "capacity", "level"),
    [
        (69, 100, PressureLevel.LOW),
        (70, 100, PressureLevel.MEDIUM),
        (99, 100, PressureLevel.MEDIUM),
        (100, 100, PressureLevel.HIGH),
        (129, 100, PressureLevel.HIGH),
        (130, 100, PressureLevel.CRITICAL),
    ],
)
def test_pressure_is_load_by_capacity(workable: int, capacity: int, level: PressureLevel) -> None:
    assert pressure(workable, capacity=capacity, due_before_next_shift=0).level is level


def test_a_night_with_nothing_due_is_calm() -> None:
    found = pressure(40, capacity=0, due_before_next_shift=0)

    assert (found.level, found.because) == (PressureLevel.LOW, PressureReason.NOBODY_NEEDED)


def test_a_night_with_something_due_is_critical_and_says_that_nobody_is_there() -> None:
    found = pressure(1, capacity=0, due_before_next_shift=1)

    assert (found.level, found.ratio, found.because) == (
        PressureLevel.CRITICAL,
        inf,
        PressureReason.NOBODY_ON_SHIFT,
    )


# -- risks


def test_an_ordinary_ticket_has_the_base_risk_alone() -> None:
    quiet = RiskFacts(reply_count=2, spent_percent=40)

    assert isclose(reopen_risk(quiet).probability, 0.008)
    assert [cause.factor for cause in csat_risk(quiet).causes] == [Factor.BASE]


def test_every_cause_is_named_with_its_value() -> None:
    bad = RiskFacts(reopen_count=1, reply_count=5, missed_clocks=2, spent_percent=130, negative_signals=1)

    causes = reopen_risk(bad).causes

    assert [(cause.factor, cause.value) for cause in causes] == [
        (Factor.BASE, 1),
        (Factor.REOPENED_BEFORE, 1),
        (Factor.MANY_REPLIES, 5),
        (Factor.MISSED_CLOCKS, 2),
        (Factor.SLOW, 130),
        (Factor.NEGATIVE_SIGNALS, 1),
    ]


@pytest.mark.parametrize("estimate", [reopen_risk, csat_risk])
@given(facts=FACTS)
def test_a_risk_is_a_probability_that_its_causes_explain(estimate: object, facts: RiskFacts) -> None:
    risk = _of(estimate, facts)
    well = 1.0
    for cause in risk.causes:
        well *= 1 - cause.probability

    assert 0 < risk.probability < 1
    assert isclose(risk.probability, 1 - well)


@pytest.mark.parametrize("estimate", [reopen_risk, csat_risk])
@given(facts=FACTS, more=FACTS)
def test_no_fact_makes_a_risk_smaller(estimate: object, facts: RiskFacts, more: RiskFacts) -> None:
    worse = RiskFacts(
        reopen_count=facts.reopen_count + more.reopen_count,
        reply_count=facts.reply_count + more.reply_count,
        missed_clocks=facts.missed_clocks + more.missed_clocks,
        spent_percent=facts.spent_percent + more.spent_percent,
        negative_signals=facts.negative_signals + more.negative_signals,
    )

    assert _of(estimate, worse).probability >= _of(estimate, facts).probability


def _of(estimate: object, facts: RiskFacts) -> Risk:
    assert callable(estimate)
    risk = estimate(facts)
    assert isinstance(risk, Risk)
    return risk
