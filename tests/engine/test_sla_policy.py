"""Which promises hold for a ticket: cells, fall-backs, levels, and rules that may only tighten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.business_time import Unit
from flowdesk.engine.clock import ChangeMode, Metric, Target, start
from flowdesk.engine.promises import Occurrence
from flowdesk.engine.sla_policy import ANY, Amount, RuleTarget
from tests.engine.promised import DAY, HOUR, MINUTE, MONDAY_9, OFFICE, STANDARD, Life, a_ticket, local

FIRST_RESPONSE, RESOLUTION = Metric.FIRST_RESPONSE, Metric.RESOLUTION


def promised(metric: Metric, *, priority: int, tier: str, level: int = 1) -> Target:
    return STANDARD.terms(priority=priority, tier=tier, level=level).targets[metric]


@pytest.mark.parametrize(
    ("priority", "tier", "first_response", "resolution"),
    [
        (1, "enterprise", "15 m", "4 h"),
        (1, "professional", "30 m", "4 h"),
        (1, "starter", "1 h", "1 bd"),
        (1, "free", "4 h", "2 bd"),
        (2, "enterprise", "1 h", "8 h"),
        (2, "professional", "2 h", "8 h"),
        (2, "starter", "4 h", "2 bd"),
        (2, "free", "1 bd", "3 bd"),
        (3, "enterprise", "4 h", "2 bd"),
        (3, "professional", "4 h", "2 bd"),
        (3, "starter", "4 h", "2 bd"),
        (3, "free", "1 bd", "5 bd"),
        (4, "enterprise", "1 bd", "5 bd"),
        (4, "free", "1 bd", "5 bd"),
    ],
)
def test_the_standard_table(priority: int, tier: str, first_response: str, resolution: str) -> None:
    for metric, amount in ((FIRST_RESPONSE, first_response), (RESOLUTION, resolution)):
        target = promised(metric, priority=priority, tier=tier)
        assert str(Amount(amount=target.amount, unit=target.unit)) == amount
        assert target.calendar_name == {"enterprise": "24/7", "professional": "24/5"}.get(tier, "business")


@pytest.mark.parametrize("tier", ["enterprise", "unheard of", ""])
@pytest.mark.parametrize("priority", [1, 2, 3, 4])
def test_a_ticket_is_never_without_a_first_response_and_a_resolution(priority: int, tier: str) -> None:
    targets = STANDARD.terms(priority=priority, tier=tier).targets

    assert {FIRST_RESPONSE, RESOLUTION} <= targets.keys()


def test_a_cell_comes_before_any_tier_and_that_before_the_default() -> None:
    cells = {
        (RESOLUTION, 1, "free"): Amount(amount=1, unit=Unit.MINUTES),
        (RESOLUTION, 1, ANY): Amount(amount=2, unit=Unit.MINUTES),
    }
    policy = replace(STANDARD, targets=cells)

    found = [
        policy.terms(priority=p, tier=t).targets[RESOLUTION]
        for p, t in ((1, "free"), (1, "starter"), (2, "free"))
    ]

    assert [target.because for target in found] == ["P1, free: 1 m", "P1, any tier: 2 m", "default: 5 bd"]


def test_ownership_goes_by_the_level() -> None:
    due = [promised(Metric.OWNERSHIP, priority=1, tier="enterprise", level=level) for level in (1, 2, 3)]

    assert [target.because for target in due] == ["level 1: 2 bd", "level 2: 1 bd", "level 3: 4 h"]


# Rules


def first_response_due(minutes: int, *, priority: int, tier: str, loosens: bool = False) -> Target:
    rule = RuleTarget(minutes=minutes, rule="r", loosens=loosens)
    terms = STANDARD.terms(priority=priority, tier=tier, rule_target=rule)
    return start(FIRST_RESPONSE, terms.targets[FIRST_RESPONSE], at=MONDAY_9).promise


def test_a_rule_tightens_a_first_response() -> None:
    assert first_response_due(60, priority=3, tier="enterprise").because == "rule r: 1 h"


def test_a_rule_of_an_hour_leaves_a_p1_its_quarter_of_an_hour() -> None:
    assert first_response_due(60, priority=1, tier="enterprise").amount == 15


def test_a_rule_that_says_so_loosens() -> None:
    assert first_response_due(60, priority=1, tier="enterprise", loosens=True).amount == 60


@pytest.mark.parametrize(
    ("minutes", "unit"),
    [(470, Unit.BUSINESS_MINUTES), (480, Unit.BUSINESS_MINUTES), (600, Unit.BUSINESS_DAYS)],
)
def test_office_hours_tighten_a_business_day_only_while_they_are_fewer(minutes: int, unit: Unit) -> None:
    # A day of this calendar has eight hours. Eight hours from nine are over at five, the day at nine next.
    assert first_response_due(minutes, priority=4, tier="free").unit is unit


def test_a_rule_tightens_minutes_of_all_time_only_where_the_office_is_open_long_enough() -> None:
    terms = STANDARD.terms(priority=4, tier="free", rule_target=RuleTarget(minutes=60, rule="r"))
    promise = replace(terms.targets[FIRST_RESPONSE], amount=240, unit=Unit.MINUTES)

    assert start(FIRST_RESPONSE, promise, at=MONDAY_9).due_at == MONDAY_9 + HOUR
    friday = local("2026-06-12 16:30")
    assert start(FIRST_RESPONSE, promise, at=friday).due_at == friday + 4 * HOUR


@given(
    minutes=st.integers(min_value=1, max_value=3000),
    priority=st.integers(min_value=1, max_value=4),
    tier=st.sampled_from(["enterprise", "professional", "starter", "free"]),
    begun=st.integers(min_value=0, max_value=20_000),
)
def test_a_rule_never_loosens(minutes: int, priority: int, tier: str, begun: int) -> None:
    at = MONDAY_9 + begun * MINUTE
    plain = STANDARD.terms(priority=priority, tier=tier)
    ruled = STANDARD.terms(priority=priority, tier=tier, rule_target=RuleTarget(minutes=minutes, rule="r"))

    tightened = start(FIRST_RESPONSE, ruled.targets[FIRST_RESPONSE], at=at)

    assert tightened.due_at <= start(FIRST_RESPONSE, plain.targets[FIRST_RESPONSE], at=at).due_at
    assert tightened.promise.or_sooner is None


@pytest.mark.parametrize("mode", ChangeMode)
def test_a_change_that_leaves_the_chosen_promise_moves_nothing(mode: ChangeMode) -> None:
    terms = STANDARD.terms(priority=4, tier="free", rule_target=RuleTarget(minutes=600, rule="r"))
    life = Life(terms=replace(terms, change=mode))
    life.happen(Occurrence.CREATED, at=MONDAY_9)
    before = life.promises

    life.happen(Occurrence.TERMS_CHANGED, at=MONDAY_9 + HOUR)

    assert life.promises == before


def test_a_tier_bought_later_counts_from_the_start_on_its_own_calendar() -> None:
    life = a_ticket(priority=3, tier="free", at=local("2026-06-12 16:00"))

    life.change_terms(STANDARD.terms(priority=3, tier="enterprise"), at=local("2026-06-12 17:00"))

    assert life.clock(FIRST_RESPONSE).due_at == local("2026-06-12 20:00")
    assert life.clock(RESOLUTION).due_at == local("2026-06-12 16:00") + 2 * DAY


def test_office_and_calendar_of_the_tests_agree() -> None:
    assert STANDARD.calendars["business"].elapsed(MONDAY_9, MONDAY_9 + 9 * DAY) == OFFICE.elapsed(
        MONDAY_9, MONDAY_9 + 9 * DAY
    )
