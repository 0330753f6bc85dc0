"""One clock: what is spent, when it is due, what a pause, a stop and new terms do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowdesk.engine.business_time import BusinessCalendar, Unit
from flowdesk.engine.clock import (
    TRANSITIONS,
    ChangeMode,
    Clock,
    ClockEvent,
    ClockState,
    IllegalClockEvent,
    Metric,
    Outcome,
    Step,
    Target,
    start,
)
from tests.engine.promised import (
    DAY,
    FRIDAY_16_30,
    HOUR,
    LADDER,
    MINUTE,
    MONDAY_9,
    OFFICE,
    ROUND_THE_CLOCK,
    a_clock,
    days_of,
    local,
    minutes_of,
)

PAUSE, RESUME, STOP = ClockEvent.PAUSE, ClockEvent.RESUME, ClockEvent.STOP
CONTINUE, MERGE, VOID = ClockEvent.CONTINUE, ClockEvent.MERGE, ClockEvent.VOID

calendars = st.sampled_from([ROUND_THE_CLOCK, OFFICE])
minutes = st.integers(min_value=0, max_value=6000).map(lambda number: number * MINUTE)
begins = minutes.map(lambda length: local("2026-06-11 07:00") + length)
targets = st.one_of(
    st.tuples(st.integers(min_value=1, max_value=3000), calendars).map(lambda pair: minutes_of(*pair)),
    st.integers(min_value=1, max_value=6).map(days_of),
    st.integers(min_value=1, max_value=3000).map(
        lambda amount: Target(amount=amount, unit=Unit.MINUTES, calendar=OFFICE, calendar_name="office")
    ),
)


# Spending


def test_a_clock_is_due_when_its_target_is_spent() -> None:
    clock = a_clock(minutes_of(240))

    assert clock.due_at == MONDAY_9 + 4 * HOUR


def test_an_hour_from_friday_half_past_four_is_due_on_monday_at_half_past_nine() -> None:
    clock = a_clock(minutes_of(60, OFFICE), at=FRIDAY_16_30)

    assert clock.due_at == local("2026-06-15 09:30")


def test_a_day_is_a_business_day_and_not_twenty_four_office_hours() -> None:
    clock = a_clock(days_of(1), at=MONDAY_9 + HOUR)

    assert clock.due_at == MONDAY_9 + HOUR + DAY
    assert clock.target == 8 * HOUR


def test_minutes_count_all_time_on_whatever_calendar() -> None:
    promise = Target(amount=240, unit=Unit.MINUTES, calendar=OFFICE, calendar_name="office")

    assert a_clock(promise, at=FRIDAY_16_30).due_at == FRIDAY_16_30 + 4 * HOUR


def test_a_clock_begun_at_the_weekend_keeps_its_start_and_spends_nothing_before_opening() -> None:
    saturday = local("2026-06-13 12:00")
    clock = a_clock(minutes_of(120, OFFICE), at=saturday)

    assert clock.started_at == saturday
    assert clock.elapsed(local("2026-06-15 09:00")) == timedelta(0)
    assert clock.due_at == local("2026-06-15 11:00")


def test_percent_is_never_capped() -> None:
    assert a_clock(minutes_of(100)).percent(MONDAY_9 + 125 * MINUTE) == 125


def test_rungs_are_instants_of_the_calendar_and_not_shares_of_the_wall_clock() -> None:
    clock = a_clock(minutes_of(120, OFFICE), at=FRIDAY_16_30)

    assert [clock.step_at(percent) for percent in LADDER] == [
        local(text)
        for text in (
            "2026-06-15 09:30",
            "2026-06-15 10:00",
            "2026-06-15 10:18",
            "2026-06-15 10:30",
            "2026-06-15 11:00",
        )
    ]


@pytest.mark.parametrize("night", ["2026-03-28 22:00", "2026-10-24 22:00"])
def test_a_clock_change_shifts_no_deadline_of_round_the_clock(night: str) -> None:
    clock = a_clock(minutes_of(360), at=local(night))

    assert clock.due_at - clock.started_at == 6 * HOUR


# Rungs and misses


def test_time_passes_every_rung_once_and_in_order() -> None:
    clock, steps = a_clock(minutes_of(100)).advanced(MONDAY_9 + DAY, LADDER)
    again, none = clock.advanced(MONDAY_9 + 2 * DAY, LADDER)

    assert [(step.percent, step.at) for step in steps] == [
        (percent, MONDAY_9 + percent * MINUTE) for percent in LADDER
    ]
    assert (again, none) == (clock, ())


def test_a_rung_on_the_instant_itself_has_passed() -> None:
    _, steps = a_clock(minutes_of(100)).advanced(MONDAY_9 + 50 * MINUTE, LADDER)

    assert [step.percent for step in steps] == [50]


def test_a_miss_is_recorded_at_the_due_instant_while_the_clock_runs_on() -> None:
    clock, _ = a_clock(minutes_of(100)).advanced(MONDAY_9 + 101 * MINUTE, ())

    assert clock.missed_at == MONDAY_9 + 100 * MINUTE
    assert clock.outcome is Outcome.MISSED
    assert clock.is_active


def test_a_stop_on_the_due_instant_is_in_time() -> None:
    clock = a_clock(minutes_of(60)).after(STOP, at=MONDAY_9 + HOUR)

    assert clock.outcome is Outcome.MET


def test_a_stop_a_moment_after_the_due_instant_is_a_miss_even_if_nobody_looked() -> None:
    clock = a_clock(minutes_of(60)).after(STOP, at=MONDAY_9 + HOUR + timedelta.resolution)

    assert clock.missed_at == MONDAY_9 + HOUR
    assert clock.outcome is Outcome.MISSED


def test_a_clock_with_nothing_ahead_sleeps() -> None:
    clock, _ = a_clock(minutes_of(60)).advanced(MONDAY_9 + DAY, LADDER)

    assert clock.next_wake(LADDER) is None


def test_the_next_wake_is_the_next_rung_and_then_the_due_instant() -> None:
    clock = a_clock(minutes_of(100))
    after_half, _ = clock.advanced(MONDAY_9 + 50 * MINUTE, (50,))

    assert clock.next_wake((50,)) == MONDAY_9 + 50 * MINUTE
    assert after_half.next_wake((50,)) == MONDAY_9 + 100 * MINUTE


def test_a_paused_and_a_stopped_clock_have_no_instant_of_their_own() -> None:
    paused = a_clock().after(PAUSE, at=MONDAY_9)

    assert paused.next_wake(LADDER) is None
    assert paused.after(STOP, at=MONDAY_9).next_wake(LADDER) is None


def test_nothing_turns_red_after_a_clock_was_met() -> None:
    met = a_clock(minutes_of(60)).after(STOP, at=MONDAY_9 + MINUTE)

    later, steps = met.advanced(MONDAY_9 + 9 * DAY, LADDER)

    assert (later, steps) == (met, ())
    assert later.outcome is Outcome.MET


# Pauses


def test_a_pause_moves_the_deadline_by_its_own_length() -> None:
    clock = a_clock(minutes_of(240)).after(PAUSE, at=MONDAY_9 + HOUR).after(RESUME, at=MONDAY_9 + 3 * HOUR)

    assert clock.due_at == MONDAY_9 + 6 * HOUR
    assert clock.elapsed(MONDAY_9 + 3 * HOUR) == HOUR


def test_a_pause_over_a_holiday_moves_the_deadline_by_business_time_alone() -> None:
    clock = a_clock(minutes_of(240, OFFICE), at=local("2026-06-18 15:00"))
    paused = clock.after(PAUSE, at=local("2026-06-18 16:00"))

    # Thursday 16-17 and Monday 9-10 are open; Midsummer Eve and the weekend are not.
    resumed = paused.after(RESUME, at=local("2026-06-22 10:00"))

    assert clock.due_at == local("2026-06-22 11:00")
    assert resumed.due_at == local("2026-06-22 13:00")


def test_a_pause_within_a_holiday_moves_nothing() -> None:
    clock = a_clock(minutes_of(240, OFFICE), at=local("2026-06-18 15:00"))

    moved = clock.after(PAUSE, at=local("2026-06-19 09:00")).after(RESUME, at=local("2026-06-19 17:00"))

    assert moved.due_at == clock.due_at


def test_a_stop_while_paused_counts_the_pause_out_first() -> None:
    clock = a_clock(minutes_of(240)).after(PAUSE, at=MONDAY_9 + HOUR).after(STOP, at=MONDAY_9 + 42 * DAY)

    assert clock.outcome is Outcome.MET
    assert clock.spent == HOUR


def test_a_paused_clock_is_never_missed() -> None:
    paused = a_clock(minutes_of(60)).after(PAUSE, at=MONDAY_9 + 59 * MINUTE)

    later, steps = paused.advanced(MONDAY_9 + 9 * DAY, LADDER)

    assert (later.outcome, steps) == (None, ())


def test_a_resumed_clock_is_missed_when_its_moved_deadline_passes() -> None:
    resumed = a_clock(minutes_of(60)).after(PAUSE, at=MONDAY_9).after(RESUME, at=MONDAY_9 + DAY)

    late, _ = resumed.advanced(MONDAY_9 + 2 * DAY, ())

    assert late.missed_at == MONDAY_9 + DAY + HOUR


def test_a_pause_after_the_miss_leaves_the_miss_where_it_was() -> None:
    late, _ = a_clock(minutes_of(60)).advanced(MONDAY_9 + 2 * HOUR, LADDER)

    resumed = late.after(PAUSE, at=MONDAY_9 + 2 * HOUR).after(RESUME, at=MONDAY_9 + 5 * HOUR)

    assert resumed.missed_at == resumed.due_at == MONDAY_9 + HOUR


# Ends


def test_a_clock_that_paused_as_it_fell_due_is_over_when_it_runs_again_and_not_before() -> None:
    closing, evening = local("2026-06-15 17:00"), local("2026-06-15 19:00")
    clock = a_clock(minutes_of(480)).after(PAUSE, at=closing).after(RESUME, at=evening)

    assert (clock.missed_at, clock.due_at) == (None, evening)
    assert clock.next_wake(()) == evening
    assert clock.advanced(evening, ())[0].missed_at == evening


def test_a_reopened_clock_runs_on_with_the_closed_time_left_out() -> None:
    stopped = a_clock(minutes_of(240)).after(STOP, at=MONDAY_9 + HOUR)

    resumed = stopped.after(CONTINUE, at=MONDAY_9 + DAY)

    assert resumed.cycle == 1
    assert resumed.stopped_at is None
    assert resumed.due_at == MONDAY_9 + DAY + 3 * HOUR


def test_a_miss_outlives_a_reopening() -> None:
    late = a_clock(minutes_of(60)).after(STOP, at=MONDAY_9 + 2 * HOUR).after(CONTINUE, at=MONDAY_9 + DAY)

    assert late.after(STOP, at=MONDAY_9 + DAY).outcome is Outcome.MISSED


@pytest.mark.parametrize("event", [STOP, PAUSE])
def test_a_void_clock_keeps_its_deadline(event: ClockEvent) -> None:
    clock = a_clock(minutes_of(240)).after(event, at=MONDAY_9 + HOUR)

    void = clock.after(VOID, at=MONDAY_9 + 9 * DAY)

    assert void.outcome is Outcome.VOID
    assert void.due_at == clock.due_at


@pytest.mark.parametrize("state", ClockState)
@pytest.mark.parametrize("event", ClockEvent)
def test_only_the_events_of_the_table_can_happen(state: ClockState, event: ClockEvent) -> None:
    clock = {
        ClockState.RUNNING: a_clock(),
        ClockState.PAUSED: a_clock().after(PAUSE, at=MONDAY_9),
        ClockState.STOPPED: a_clock().after(STOP, at=MONDAY_9),
    }[state]

    if (state, event) in TRANSITIONS:
        assert clock.after(event, at=MONDAY_9 + HOUR).state is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalClockEvent, match=f"{event} cannot happen to a {state} clock"):
            clock.after(event, at=MONDAY_9 + HOUR)


# New terms


def test_retroactive_terms_count_from_the_start_and_keep_the_pauses() -> None:
    clock = a_clock(minutes_of(600)).after(PAUSE, at=MONDAY_9 + HOUR).after(RESUME, at=MONDAY_9 + 3 * HOUR)

    tighter = clock.retargeted(minutes_of(240), ChangeMode.RETROACTIVE, at=MONDAY_9 + 4 * HOUR)

    assert tighter.due_at == MONDAY_9 + 6 * HOUR
    assert tighter.elapsed(MONDAY_9 + 4 * HOUR) == 2 * HOUR


def test_retroactive_terms_on_another_calendar_count_the_past_on_it() -> None:
    clock = a_clock(minutes_of(2880), at=FRIDAY_16_30)

    office = clock.retargeted(minutes_of(120, OFFICE), ChangeMode.RETROACTIVE, at=local("2026-06-13 12:00"))

    assert office.due_at == local("2026-06-15 10:30")


def test_carried_terms_keep_what_is_spent_on_the_old_calendar() -> None:
    clock = a_clock(minutes_of(960), at=FRIDAY_16_30)

    office = clock.retargeted(minutes_of(600, OFFICE), ChangeMode.CARRY_ELAPSED, at=FRIDAY_16_30 + 9 * HOUR)

    assert office.due_at == local("2026-06-15 10:00")


@pytest.mark.parametrize("mode", [ChangeMode.RETROACTIVE, ChangeMode.CARRY_ELAPSED])
def test_terms_that_change_during_a_pause_leave_the_whole_pause_out_once(mode: ChangeMode) -> None:
    paused = a_clock(minutes_of(240)).after(PAUSE, at=MONDAY_9 + HOUR)

    changed = paused.retargeted(minutes_of(480), mode, at=MONDAY_9 + 2 * HOUR)
    resumed = changed.after(RESUME, at=MONDAY_9 + 3 * HOUR)

    assert resumed.elapsed(MONDAY_9 + 3 * HOUR) == HOUR
    assert resumed.due_at == MONDAY_9 + 10 * HOUR


@pytest.mark.parametrize("mode", [ChangeMode.RETROACTIVE, ChangeMode.CARRY_ELAPSED])
def test_terms_broken_before_they_were_agreed_are_broken_when_they_are_agreed(mode: ChangeMode) -> None:
    at = MONDAY_9 + 3 * HOUR
    clock = a_clock(minutes_of(240)).retargeted(minutes_of(60), mode, at=at)

    late, steps = clock.advanced(at, LADDER)

    assert late.missed_at == at
    assert [(step.percent, step.at) for step in steps] == [(percent, at) for percent in LADDER]


@pytest.mark.parametrize("mode", [ChangeMode.RETROACTIVE, ChangeMode.CARRY_ELAPSED])
def test_longer_terms_do_not_erase_a_recorded_miss(mode: ChangeMode) -> None:
    late, _ = a_clock(minutes_of(60)).advanced(MONDAY_9 + 2 * HOUR, LADDER)

    changed = late.retargeted(minutes_of(6000), mode, at=MONDAY_9 + 2 * HOUR)

    assert changed.after(STOP, at=MONDAY_9 + 3 * HOUR).missed_at == MONDAY_9 + HOUR


# Properties


@given(target=targets, at=begins, lengths=st.lists(minutes, max_size=8))
def test_many_looks_find_what_one_look_finds(target: Target, at: datetime, lengths: list[timedelta]) -> None:
    clock = start(Metric.RESOLUTION, target, at=at)
    instants = sorted(at + length for length in [*lengths, timedelta(days=9)])

    looked, found = clock, list[Step]()
    for instant in instants:
        looked, steps = looked.advanced(instant, LADDER)
        found.extend(steps)

    assert (looked, tuple(found)) == clock.advanced(instants[-1], LADDER)


@given(target=targets, at=begins, waits=st.tuples(minutes, minutes))
def test_the_deadline_moves_by_the_business_time_of_a_pause(
    target: Target, at: datetime, waits: tuple[timedelta, timedelta]
) -> None:
    clock = start(Metric.RESOLUTION, target, at=at)
    begun, over = at + min(waits), at + max(waits)
    assume(begun <= clock.due_at)

    moved = clock.after(PAUSE, at=begun).after(RESUME, at=over)

    calendar = clock.calendar
    assert calendar.elapsed(clock.due_at, moved.due_at) == calendar.elapsed(begun, over)
    assert moved.elapsed(over) == clock.elapsed(begun)


@given(target=targets, at=begins, lengths=st.lists(minutes, min_size=2, max_size=9))
def test_nothing_ahead_lies_before_the_present(
    target: Target, at: datetime, lengths: list[timedelta]
) -> None:
    clock, instant = a_clock(target, at=at), at
    for number, length in enumerate(lengths):
        instant += length
        clock = clock.advanced(instant - timedelta.resolution, LADDER)[0]
        clock = clock.after(RESUME if number % 2 else PAUSE, at=instant)
        ahead = clock.next_wake(LADDER)

        assert ahead is None or ahead >= instant


@given(target=targets, at=begins, waits=st.lists(minutes, min_size=2, max_size=9))
def test_what_is_spent_is_all_open_time_but_the_pauses(
    target: Target, at: datetime, waits: list[timedelta]
) -> None:
    clock = start(Metric.RESOLUTION, target, at=at)
    instants = [at + length for length in sorted(waits)]

    for number, instant in enumerate(instants):
        clock = clock.after(RESUME if number % 2 else PAUSE, at=instant)

    running = [at, *instants] if len(instants) % 2 else [at, *instants, instants[-1]]
    assert clock.elapsed(instants[-1]) == sum(
        (clock.calendar.elapsed(begun, over) for begun, over in list(pairwise(running))[::2]), timedelta(0)
    )


@given(target=targets, new=targets, at=begins, waits=st.lists(minutes, min_size=3, max_size=3))
def test_retroactive_terms_are_the_terms_it_might_have_had_from_the_start(
    target: Target, new: Target, at: datetime, waits: list[timedelta]
) -> None:
    first, second, third = (at + length for length in sorted(waits))
    changed = start(Metric.RESOLUTION, target, at=at)
    straight = start(Metric.RESOLUTION, new, at=at)
    assume(third < straight.due_at and third < changed.due_at)

    changed = changed.after(PAUSE, at=first).after(RESUME, at=second)
    changed = changed.retargeted(new, ChangeMode.RETROACTIVE, at=third)
    straight = straight.after(PAUSE, at=first).after(RESUME, at=second)

    assert changed.due_at == straight.due_at
    assert changed.elapsed(third) == straight.elapsed(third)


@given(target=targets, new=targets, at=begins, waits=st.lists(minutes, min_size=3, max_size=3))
def test_it_is_the_same_whether_terms_change_just_before_or_within_a_pause(
    target: Target, new: Target, at: datetime, waits: list[timedelta]
) -> None:
    begun, within, over = (at + length for length in sorted(waits))
    clock = start(Metric.RESOLUTION, target, at=at)
    assume(begun < clock.due_at)
    for mode in (ChangeMode.RETROACTIVE, ChangeMode.CARRY_ELAPSED):
        ahead = clock.retargeted(new, mode, at=begun).after(PAUSE, at=begun).after(RESUME, at=over)
        inside = clock.after(PAUSE, at=begun).retargeted(new, mode, at=within).after(RESUME, at=over)

        assert ahead == inside


@given(target=targets, at=begins)
def test_rungs_climb(target: Target, at: datetime) -> None:
    clock = start(Metric.RESOLUTION, target, at=at)

    instants = [clock.step_at(percent) for percent in LADDER]

    assert instants == sorted(instants)
    assert instants[3] == clock.due_at


@given(
    target=targets, new=targets, at=begins, waits=st.tuples(minutes, minutes), mode=st.sampled_from(ChangeMode),
    fired=st.sets(st.sampled_from(LADDER)), percents=st.permutations(LADDER),
)  # fmt: skip
def test_a_clock_sleeps_until_the_earliest_of_its_rungs_and_the_due_instant(
    target: Target, new: Target, at: datetime, waits: tuple[timedelta, timedelta], mode: ChangeMode,
    fired: set[int], percents: list[int],
) -> None:  # fmt: skip
    agreed = at + min(waits)
    clock, _ = start(Metric.RESOLUTION, target, at=at).advanced(agreed, ())
    if mode is not ChangeMode.RESTART:  # which is another clock
        clock = clock.retargeted(
            new, mode, at=agreed
        )  # what is missed keeps its date: rungs may come after it
    clock = replace(clock, fired=tuple(sorted(fired)))

    ahead = [clock.step_at(percent) for percent in percents if percent not in fired]
    if clock.missed_at is None:
        ahead.append(clock.due_at)
    assert clock.next_wake(percents) == min(ahead, default=None)
    look = at + max(waits)
    moved, steps = clock.advanced(look, percents)
    assert sorted(step.at for step in steps) == sorted(
        step for percent in percents if percent not in fired and (step := clock.step_at(percent)) <= look
    )
    assert (moved.missed_at is not None) == (clock.missed_at is not None or clock.due_at <= look)


@given(calendar=calendars, at=begins, length=minutes)
def test_a_clock_on_an_equal_calendar_is_an_equal_clock(
    calendar: BusinessCalendar, at: datetime, length: timedelta
) -> None:
    ours: Clock = a_clock(minutes_of(60, calendar), at=at)
    theirs = a_clock(minutes_of(60, replace(calendar)), at=at)

    assert ours.advanced(at + length, LADDER) == theirs.advanced(at + length, LADDER)
