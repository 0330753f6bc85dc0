"""Lives told from their end: the same promises as stepping through them, whatever happened and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowdesk.engine import lives
from flowdesk.engine.clock import Metric
from flowdesk.engine.lives import MOST_PLOTS, Turn, live
from flowdesk.engine.promises import Occurrence, Promises, Terms, WaitReason, advance, after
from flowdesk.engine.sla_policy import RuleTarget
from tests.engine.promised import DAY, HOUR, LADDER, MINUTE, MONDAY_9, STANDARD, minutes_of

OPENED = frozenset({Occurrence.CREATED, Occurrence.LEVEL_ENTERED, Occurrence.UNASSIGNED})
REPLIED = frozenset({Occurrence.AGENT_REPLIED})
RESOLVED = frozenset({Occurrence.RESOLVED})
TERMS = st.builds(
    STANDARD.terms,
    priority=st.integers(min_value=1, max_value=4),
    tier=st.sampled_from(["enterprise", "professional", "starter", "free"]),
    level=st.integers(min_value=1, max_value=3),
    rule_target=st.sampled_from([None, RuleTarget(minutes=45, rule="routing", loosens=False)]),
)
# Whole multiples of what rungs are made of, so that happenings often fall on one; and nothing, and odd lengths.
GAPS = st.one_of(
    st.sampled_from([timedelta(0), *(HOUR * number / 4 for number in range(1, 20)), 8 * HOUR, DAY, 7 * DAY]),
    st.timedeltas(min_value=timedelta(0), max_value=30 * DAY),
)
FIRST = st.sampled_from([Occurrence.CREATED, Occurrence.PHONE_LOGGED, Occurrence.PROACTIVE])
OWNED = st.sampled_from([Occurrence.ASSIGNED, Occurrence.UNASSIGNED])
LATER = st.frozensets(
    st.sampled_from(sorted(set(Occurrence) - {Occurrence.CREATED, Occurrence.PHONE_LOGGED})),
    min_size=1,
    max_size=2,
)
PAST = st.frozensets(
    st.sampled_from(
        [Occurrence.CUSTOMER_WROTE, Occurrence.AGENT_REPLIED, Occurrence.RESOLVED, Occurrence.CLOSED]
    ),
    min_size=1,
    max_size=2,
)
WAITS = st.frozensets(st.sampled_from(WaitReason), max_size=1)
STARTS = st.timedeltas(min_value=timedelta(0), max_value=400 * DAY).map(lambda gap: MONDAY_9 + gap)


def stepped(turns: list[Turn], terms: Terms, to: datetime) -> Promises:
    promises = Promises()
    for turn in turns:
        promises = after(promises, turn.kinds, at=turn.at, terms=terms, waits=turn.waits).promises
    return advance(promises, terms, to=to).promises


@st.composite
def told(draw: st.DrawFn, later: st.SearchStrategy[frozenset[Occurrence]]) -> list[Turn]:
    at = draw(st.one_of(st.just(MONDAY_9), STARTS))
    turns = [Turn(frozenset({draw(FIRST), draw(OWNED), Occurrence.LEVEL_ENTERED}), at)]
    for gap, kinds in draw(st.lists(st.tuples(GAPS, later), max_size=6)):
        at += gap
        waits = draw(WAITS) if Occurrence.WAIT_STARTED in kinds else frozenset[WaitReason]()
        turns.append(Turn(kinds, at, waits))
    return turns


@given(turns=st.one_of(told(LATER), told(PAST)), terms=TERMS, rest=GAPS)
@example(turns=[Turn(OPENED, MONDAY_9)], terms=STANDARD.terms(priority=1, tier="free"), rest=timedelta(0))
def test_a_life_told_at_once_is_the_life_that_was_lived_step_by_step(
    turns: list[Turn], terms: Terms, rest: timedelta
) -> None:
    to = turns[-1].at + rest

    assert live(turns, terms=terms, to=to) == stepped(turns, terms, to)


@given(seen=st.lists(told(PAST), min_size=2, max_size=4), terms=TERMS, rest=GAPS)
def test_a_plot_that_is_remembered_decides_other_lives_by_their_own_times(
    seen: list[list[Turn]], terms: Terms, rest: timedelta
) -> None:
    first, *others = seen
    for turns in [first, *([Turn(one.kinds, one.at + 3 * DAY) for one in first] for _ in (1,)), *others]:
        to = turns[-1].at + rest

        assert live(turns, terms=terms, to=to) == stepped(turns, terms, to)


@pytest.mark.parametrize("percent", LADDER)
@pytest.mark.parametrize("off", [-timedelta.resolution, timedelta(0), timedelta.resolution])
def test_an_answer_about_the_instant_of_a_rung_fires_what_lies_before_it(
    percent: int, off: timedelta
) -> None:
    terms = STANDARD.terms(priority=1, tier="enterprise")
    for target in (240 * MINUTE, terms.targets[Metric.FIRST_RESPONSE].frozen_from(MONDAY_9)):
        turns = [
            Turn(OPENED, MONDAY_9),
            Turn(REPLIED, MONDAY_9 + target * percent // 100 + off),
            Turn(RESOLVED, MONDAY_9 + 30 * DAY),
        ]
        at = turns[1].at

        for count in (1, 2, 3):
            lived = turns[:count]
            to = max(at, lived[-1].at)
            assert live(lived, terms=terms, to=to) == stepped(lived, terms, to)


def test_many_plots_of_the_same_terms_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "MOST_PLOTS", 3)
    terms = replace(STANDARD.terms(priority=2, tier="free"))
    turns = [Turn(OPENED, MONDAY_9), *(Turn(REPLIED, MONDAY_9 + hour * HOUR) for hour in range(9))]

    for count in range(1, 11):
        assert live(turns[:count], terms=terms, to=MONDAY_9 + DAY).clocks

    assert len(terms.plots) <= 3 < MOST_PLOTS


def test_a_long_life_is_lived_step_by_step_and_not_remembered() -> None:
    terms = replace(STANDARD.terms(priority=2, tier="free"))
    turns = [Turn(OPENED, MONDAY_9), *(Turn(REPLIED, MONDAY_9 + hour * HOUR) for hour in range(40))]
    to = MONDAY_9 + 50 * HOUR

    assert live(turns, terms=terms, to=to) == stepped(turns, terms, to)
    assert terms.plots == {}


def test_an_empty_promise_is_missed_only_once_its_instant_has_passed() -> None:
    terms = Terms(
        targets={Metric.RESOLUTION: minutes_of(0)},
        rules=STANDARD.terms(priority=1, tier="free").rules,
        percents={Metric.RESOLUTION: LADDER},
    )
    for rest in (timedelta(0), timedelta.resolution):
        turns = [Turn(OPENED, MONDAY_9), Turn(RESOLVED, MONDAY_9 + rest)]
        assert live(turns, terms=terms, to=MONDAY_9 + DAY) == stepped(turns, terms, MONDAY_9 + DAY)
