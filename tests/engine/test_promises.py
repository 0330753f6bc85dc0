"""All promises of a ticket: what each happening means for its clocks, row by row of the design."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.clock import ChangeMode, ClockState, Metric, Outcome
from flowdesk.engine.promises import (
    Change,
    MetricRule,
    Occurrence,
    Promises,
    ReopenMode,
    Terms,
    WaitReason,
    What,
)
from tests.engine.promised import (
    DAY,
    HOUR,
    LADDER,
    MINUTE,
    MONDAY_9,
    OFFICE,
    ROUND_THE_CLOCK,
    STANDARD,
    Life,
    a_ticket,
    days_of,
    local,
    minutes_of,
)

CREATED, PHONE_LOGGED, PROACTIVE = Occurrence.CREATED, Occurrence.PHONE_LOGGED, Occurrence.PROACTIVE
WROTE, THANKED, REPLIED = Occurrence.CUSTOMER_WROTE, Occurrence.CUSTOMER_THANKED, Occurrence.AGENT_REPLIED
RESOLVED, REOPENED, CLOSED = Occurrence.RESOLVED, Occurrence.REOPENED, Occurrence.CLOSED
MERGED, VOIDED = Occurrence.MERGED, Occurrence.VOIDED
UNASSIGNED, ASSIGNED, LEVEL_ENTERED = Occurrence.UNASSIGNED, Occurrence.ASSIGNED, Occurrence.LEVEL_ENTERED
WAIT_STARTED, WAIT_ENDED = Occurrence.WAIT_STARTED, Occurrence.WAIT_ENDED
FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION = Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE, Metric.RESOLUTION
UPDATE, COMMUNICATION, CALLBACK = Metric.UPDATE, Metric.COMMUNICATION, Metric.CALLBACK
ASSIGNMENT, OWNERSHIP_RESPONSE, OWNERSHIP = Metric.ASSIGNMENT, Metric.OWNERSHIP_RESPONSE, Metric.OWNERSHIP


def resolution_terms(amount: int = 240, **more: object) -> Terms:
    """One promise alone: resolved in so many minutes round the clock, paused by every wait."""
    rule = MetricRule(
        metric=RESOLUTION,
        starts=frozenset({CREATED}),
        stops=frozenset({RESOLVED}),
        pauses=frozenset(WaitReason),
        reopens=ReopenMode.CONTINUE,
    )
    percents = {RESOLUTION: LADDER}
    return replace(
        Terms(targets={RESOLUTION: minutes_of(amount)}, rules=(rule,), percents=percents),
        **more,  # type: ignore[arg-type]
    )


# Created


def test_a_ticket_that_comes_at_the_weekend_keeps_its_start_and_spends_nothing_before_opening() -> None:
    saturday = local("2026-06-13 12:00")
    life = a_ticket(priority=3, tier="starter", at=saturday)

    clock = life.clock(FIRST_RESPONSE)

    assert clock.started_at == saturday
    assert clock.due_at == local("2026-06-15 13:00")


def test_a_ticket_logged_on_the_phone_is_answered_at_its_start() -> None:
    life = a_ticket(by=PHONE_LOGGED)

    answered = life.clock(FIRST_RESPONSE)

    assert (answered.outcome, answered.stopped_at) == (Outcome.MET, MONDAY_9)
    assert life.is_running(RESOLUTION)
    assert life.promises.unanswered_since is None


def test_a_proactive_ticket_promises_nothing_until_the_customer_writes() -> None:
    life = a_ticket(by=PROACTIVE)
    life.happen(REPLIED, at=MONDAY_9 + MINUTE)
    assert life.promises.clocks == ()

    life.happen(WROTE, at=MONDAY_9 + HOUR)

    assert life.clock(FIRST_RESPONSE).started_at == MONDAY_9 + HOUR
    assert life.clock(RESOLUTION).started_at == MONDAY_9 + HOUR
    assert not life.has(NEXT_RESPONSE)


def test_a_mere_thank_you_does_not_begin_a_proactive_ticket() -> None:
    life = a_ticket(by=PROACTIVE)

    life.happen(THANKED, at=MONDAY_9 + HOUR)

    assert life.promises.clocks == ()


def test_a_ticket_opened_and_resolved_in_one_save_leaves_no_clock_running() -> None:
    life = Life()

    life.happen(CREATED, RESOLVED, at=MONDAY_9)

    assert [clock.state for clock in life.promises.clocks] == [ClockState.STOPPED] * len(life.promises.clocks)
    assert life.clock(RESOLUTION).outcome is Outcome.MET
    assert not life.has(UPDATE)


def test_a_call_resolved_on_the_line_leaves_no_clock_running() -> None:
    life = Life()

    life.happen(PHONE_LOGGED, LEVEL_ENTERED, RESOLVED, at=MONDAY_9)

    assert not [clock for clock in life.promises.clocks if clock.is_active]
    assert life.clock(RESOLUTION).outcome is Outcome.MET


def test_a_ticket_opened_with_an_answer_in_it_has_its_first_response() -> None:
    life = Life()

    life.happen(CREATED, REPLIED, at=MONDAY_9)

    assert life.clock(FIRST_RESPONSE).outcome is Outcome.MET
    assert life.is_running(RESOLUTION)


# Answers


def test_the_first_public_reply_meets_the_first_response_and_leaves_the_resolution_running() -> None:
    life = a_ticket()

    life.happen(REPLIED, at=MONDAY_9 + HOUR)

    assert life.clock(FIRST_RESPONSE).outcome is Outcome.MET
    assert life.is_running(RESOLUTION)


def test_a_public_reply_ends_the_next_response() -> None:
    life = a_ticket()
    life.happen(REPLIED, at=MONDAY_9 + HOUR)
    life.happen(WROTE, at=MONDAY_9 + 2 * HOUR)

    life.happen(REPLIED, at=MONDAY_9 + 3 * HOUR)

    assert life.clock(NEXT_RESPONSE).outcome is Outcome.MET


def test_resolving_without_a_reply_stops_what_waited_for_one() -> None:
    life = a_ticket()

    life.happen(RESOLVED, at=MONDAY_9 + HOUR)

    assert life.clock(FIRST_RESPONSE).outcome is Outcome.MET
    assert not [clock for clock in life.promises.clocks if clock.is_active]


def test_a_reply_and_a_wait_in_one_save_meet_the_first_response_before_anything_pauses() -> None:
    life = a_ticket(priority=1)

    life.happen(REPLIED, WAIT_STARTED, at=MONDAY_9 + MINUTE, waits=[WaitReason.MAINTENANCE])

    assert life.clock(FIRST_RESPONSE).outcome is Outcome.MET
    assert life.clock(RESOLUTION).state is ClockState.PAUSED


def test_the_result_is_there_in_the_change_that_brought_it_about() -> None:
    life = a_ticket()

    change = life.happen(REPLIED, at=MONDAY_9 + HOUR)

    lines = [(entry.metric, entry.what, entry.spent) for entry in change.entries]
    assert (FIRST_RESPONSE, What.STOPPED, HOUR) in lines


# The customer's words


def test_a_message_during_the_first_response_starts_no_second_clock() -> None:
    life = a_ticket()

    life.happen(WROTE, at=MONDAY_9 + MINUTE)

    assert not life.has(NEXT_RESPONSE)


def test_the_next_response_runs_from_the_earliest_message_without_an_answer() -> None:
    life = a_ticket()
    life.happen(REPLIED, at=MONDAY_9 + HOUR)
    life.happen(WROTE, at=MONDAY_9 + 2 * HOUR)
    life.happen(WROTE, at=MONDAY_9 + 3 * HOUR)

    life.happen(REPLIED, at=MONDAY_9 + 4 * HOUR)
    life.happen(REPLIED, at=MONDAY_9 + 5 * HOUR)

    assert [clock.spent for clock in life.cycles(NEXT_RESPONSE)] == [2 * HOUR]


def test_a_message_after_an_answer_starts_the_next_response_anew() -> None:
    life = a_ticket()
    for hour in (1, 3):
        life.happen(REPLIED, at=MONDAY_9 + hour * HOUR)
        life.happen(WROTE, at=MONDAY_9 + (hour + 1) * HOUR)

    assert [clock.cycle for clock in life.cycles(NEXT_RESPONSE)] == [1, 2]


@pytest.mark.parametrize("word", [WROTE, THANKED])
def test_a_word_of_the_customer_ends_the_wait_for_it(word: Occurrence) -> None:
    life = a_ticket()
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9 + HOUR)

    life.happen(word, at=MONDAY_9 + 2 * HOUR)

    assert life.is_running(RESOLUTION)


def test_a_word_of_the_customer_does_not_end_a_wait_for_somebody_else() -> None:
    life = a_ticket()
    life.wait(WaitReason.CUSTOMER, WaitReason.THIRD_PARTY, at=MONDAY_9 + HOUR)

    life.happen(WROTE, at=MONDAY_9 + 2 * HOUR)

    assert [wait.reason for wait in life.promises.waits] == [WaitReason.THIRD_PARTY]
    assert not life.is_running(RESOLUTION)


def test_a_mere_thank_you_starts_and_reopens_nothing() -> None:
    life = a_ticket()
    life.happen(REPLIED, RESOLVED, at=MONDAY_9 + HOUR)
    before = life.promises

    life.happen(THANKED, at=MONDAY_9 + 2 * HOUR)

    assert life.promises == before


def test_a_message_that_reopens_waits_for_an_answer() -> None:
    life = a_ticket()
    life.happen(REPLIED, RESOLVED, at=MONDAY_9 + HOUR)

    life.happen(WROTE, REOPENED, at=MONDAY_9 + DAY)

    assert life.is_running(NEXT_RESPONSE)
    assert life.is_running(RESOLUTION)


# Updates


def test_a_reply_closes_an_update_and_opens_the_next() -> None:
    life = a_ticket(priority=1)
    for hour in (0, 1, 2):
        life.happen(REPLIED, at=MONDAY_9 + hour * HOUR)

    assert [clock.outcome for clock in life.cycles(UPDATE)] == [Outcome.MET, Outcome.MET, None]


def test_a_silence_is_one_missed_update_however_long() -> None:
    life = a_ticket(priority=1)
    life.happen(REPLIED, at=MONDAY_9)

    life.pass_time(to=MONDAY_9 + 9 * DAY)
    life.happen(REPLIED, at=MONDAY_9 + 9 * DAY)

    assert [clock.outcome for clock in life.cycles(UPDATE)] == [Outcome.MISSED, None]


def test_an_update_shorter_than_the_first_response_leaves_it_alone() -> None:
    life = a_ticket(priority=3, tier="enterprise")  # first response 4 h, next update 1 business day
    tight = replace(life.terms, targets={**life.terms.targets, UPDATE: minutes_of(5)})
    life.change_terms(tight, at=MONDAY_9)

    assert life.clock(FIRST_RESPONSE).due_at == MONDAY_9 + 4 * HOUR
    assert not life.has(UPDATE)


def test_a_reply_that_resolves_opens_no_further_update() -> None:
    life = a_ticket(priority=1)
    life.happen(REPLIED, at=MONDAY_9)

    life.happen(REPLIED, RESOLVED, at=MONDAY_9 + HOUR)

    assert [clock.outcome for clock in life.cycles(UPDATE)] == [Outcome.MET]


# Waits


@pytest.mark.parametrize(
    ("reason", "paused"),
    [
        (WaitReason.CUSTOMER, {RESOLUTION, OWNERSHIP, UPDATE}),
        (WaitReason.THIRD_PARTY, {RESOLUTION, OWNERSHIP}),
        (WaitReason.MAINTENANCE, {RESOLUTION, OWNERSHIP, FIRST_RESPONSE}),
        (WaitReason.CUSTOMER_ASKED, {RESOLUTION, OWNERSHIP, UPDATE}),
    ],
)
def test_a_wait_pauses_just_the_promises_it_may(reason: WaitReason, paused: set[Metric]) -> None:
    life = a_ticket(priority=1)
    life.happen(LEVEL_ENTERED, at=MONDAY_9)
    first = life.clock(FIRST_RESPONSE)
    life.happen(REPLIED, at=MONDAY_9)  # opens an update
    clocks = tuple(first if clock.metric is FIRST_RESPONSE else clock for clock in life.promises.clocks)
    life.promises = replace(life.promises, clocks=clocks)

    life.wait(reason, at=MONDAY_9 + MINUTE)

    assert {clock.metric for clock in life.promises.clocks if clock.state is ClockState.PAUSED} == paused


def test_overlapping_waits_leave_out_their_union() -> None:
    life = a_ticket(priority=1)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9 + 10 * MINUTE)
    life.wait(WaitReason.THIRD_PARTY, at=MONDAY_9 + 20 * MINUTE)
    life.resume(WaitReason.CUSTOMER, at=MONDAY_9 + 30 * MINUTE)
    life.resume(WaitReason.THIRD_PARTY, at=MONDAY_9 + 40 * MINUTE)

    assert life.clock(RESOLUTION).due_at == MONDAY_9 + 4 * HOUR + 30 * MINUTE


def test_a_resolution_during_a_wait_ends_the_wait_first() -> None:
    life = a_ticket(priority=1)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9 + HOUR)

    life.happen(WAIT_ENDED, RESOLVED, at=MONDAY_9 + 42 * DAY, ended=[WaitReason.CUSTOMER])

    assert life.clock(RESOLUTION).outcome is Outcome.MET
    assert life.clock(RESOLUTION).spent == HOUR
    assert life.promises.waits == ()


def test_a_promise_that_starts_during_a_wait_starts_paused() -> None:
    life = a_ticket(priority=1)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9)

    life.happen(LEVEL_ENTERED, at=MONDAY_9 + HOUR)

    assert life.clock(OWNERSHIP).state is ClockState.PAUSED
    assert life.is_running(OWNERSHIP_RESPONSE)


def test_nothing_is_owed_at_our_levels_while_the_customer_has_the_move() -> None:
    life = a_ticket()
    life.happen(LEVEL_ENTERED, REPLIED, at=MONDAY_9)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9 + MINUTE)

    life.pass_time(to=MONDAY_9 + 30 * DAY)

    assert life.clock(OWNERSHIP).outcome is None
    assert not [step for step in life.steps if step.metric is OWNERSHIP]


# New terms


@pytest.mark.parametrize("mode", ChangeMode)
def test_a_recorded_miss_is_never_erased_by_new_terms(mode: ChangeMode) -> None:
    life = Life(terms=resolution_terms(60, change=mode))
    life.happen(CREATED, at=MONDAY_9)
    life.pass_time(to=MONDAY_9 + 2 * HOUR)

    life.change_terms(resolution_terms(6000, change=mode), at=MONDAY_9 + 2 * HOUR)
    life.happen(RESOLVED, at=MONDAY_9 + 3 * HOUR)

    assert life.cycles(RESOLUTION)[0].outcome is Outcome.MISSED


def test_a_restart_ends_the_old_cycle_outside_every_rate_and_begins_a_new_one() -> None:
    life = Life(terms=resolution_terms(240, change=ChangeMode.RESTART))
    life.happen(CREATED, at=MONDAY_9)

    life.change_terms(resolution_terms(60, change=ChangeMode.RESTART), at=MONDAY_9 + HOUR)

    assert [clock.outcome for clock in life.cycles(RESOLUTION)] == [Outcome.VOID, None]
    assert life.clock(RESOLUTION).due_at == MONDAY_9 + 2 * HOUR


def test_a_restart_during_a_wait_waits_on() -> None:
    life = Life(terms=resolution_terms(240, change=ChangeMode.RESTART))
    life.happen(CREATED, at=MONDAY_9)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9)

    life.change_terms(resolution_terms(60, change=ChangeMode.RESTART), at=MONDAY_9 + HOUR)
    life.resume(WaitReason.CUSTOMER, at=MONDAY_9 + 3 * HOUR)

    assert life.clock(RESOLUTION).due_at == MONDAY_9 + 4 * HOUR


def test_pauses_survive_new_terms() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)
    life.wait(WaitReason.CUSTOMER, at=MONDAY_9 + HOUR)
    life.resume(WaitReason.CUSTOMER, at=MONDAY_9 + 3 * HOUR)

    life.change_terms(resolution_terms(120), at=MONDAY_9 + 3 * HOUR)

    assert life.clock(RESOLUTION).due_at == MONDAY_9 + 4 * HOUR


def test_terms_that_are_the_same_change_nothing() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)
    before = life.promises

    change = life.change_terms(resolution_terms(240), at=MONDAY_9 + HOUR)

    assert (life.promises, change.entries) == (before, ())


def test_new_terms_leave_a_finished_cycle_as_it_ended() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)
    life.happen(RESOLVED, at=MONDAY_9 + 2 * HOUR)
    before = life.promises

    life.change_terms(resolution_terms(60), at=MONDAY_9 + 3 * HOUR)

    assert life.promises == before


def test_a_promise_resolved_in_the_save_that_tightens_it_is_judged_by_the_old_terms() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)

    life.terms = resolution_terms(60)
    life.happen(Occurrence.TERMS_CHANGED, RESOLVED, at=MONDAY_9 + 2 * HOUR)

    assert life.clock(RESOLUTION).outcome is Outcome.MET


# Transfers and levels


def test_a_level_change_closes_and_reopens_ownership_while_the_customer_clocks_run_on() -> None:
    life = a_ticket(priority=3, tier="starter")
    life.happen(LEVEL_ENTERED, at=MONDAY_9)
    customers = {metric: life.clock(metric) for metric in (FIRST_RESPONSE, RESOLUTION)}

    life.terms = STANDARD.terms(priority=3, tier="starter", level=2)
    life.happen(LEVEL_ENTERED, at=MONDAY_9 + HOUR)

    assert [clock.outcome for clock in life.cycles(OWNERSHIP)] == [Outcome.MET, None]
    assert life.clock(OWNERSHIP_RESPONSE).due_at == MONDAY_9 + 3 * HOUR
    assert {metric: life.clock(metric) for metric in customers} == customers


def test_a_change_of_person_does_not_restart_ownership() -> None:
    life = a_ticket()
    life.happen(LEVEL_ENTERED, UNASSIGNED, at=MONDAY_9)
    before = life.clock(OWNERSHIP)

    life.happen(ASSIGNED, at=MONDAY_9 + HOUR)

    assert life.cycles(OWNERSHIP) == [before]
    assert life.clock(ASSIGNMENT).outcome is Outcome.MET


# Resolved, reopened, closed


def test_a_reopened_resolution_continues_with_the_closed_time_left_out() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)
    life.happen(RESOLVED, at=MONDAY_9 + HOUR)

    life.happen(REOPENED, at=MONDAY_9 + DAY)

    assert [clock.due_at for clock in life.cycles(RESOLUTION)] == [MONDAY_9 + DAY + 3 * HOUR]


def test_a_reopened_resolution_may_begin_a_new_cycle() -> None:
    terms = resolution_terms(240)
    terms = replace(terms, rules=(replace(terms.rules[0], reopens=ReopenMode.NEW_CYCLE),))
    life = Life(terms=terms)
    life.happen(CREATED, at=MONDAY_9)
    life.happen(RESOLVED, at=MONDAY_9 + HOUR)

    life.happen(REOPENED, at=MONDAY_9 + DAY)

    assert [(clock.cycle, clock.outcome) for clock in life.cycles(RESOLUTION)] == [
        (1, Outcome.MET),
        (2, None),
    ]
    assert life.clock(RESOLUTION).due_at == MONDAY_9 + DAY + 4 * HOUR


def test_the_first_response_never_runs_again() -> None:
    life = a_ticket()
    life.happen(RESOLVED, at=MONDAY_9 + HOUR)

    life.happen(REOPENED, WROTE, at=MONDAY_9 + DAY)

    assert len(life.cycles(FIRST_RESPONSE)) == 1
    assert not life.is_running(FIRST_RESPONSE)


def test_reopening_into_a_wait_runs_on_paused() -> None:
    life = Life(terms=resolution_terms(240))
    life.happen(CREATED, at=MONDAY_9)
    life.happen(RESOLVED, at=MONDAY_9 + HOUR)

    life.happen(REOPENED, WAIT_STARTED, at=MONDAY_9 + DAY, waits=[WaitReason.CUSTOMER])
    life.resume(WaitReason.CUSTOMER, at=MONDAY_9 + 2 * DAY)

    assert life.clock(RESOLUTION).due_at == MONDAY_9 + 2 * DAY + 3 * HOUR


def test_closing_after_the_resolution_changes_no_clock() -> None:
    life = a_ticket()
    life.happen(RESOLVED, at=MONDAY_9 + HOUR)
    before = life.promises.clocks

    life.happen(CLOSED, at=MONDAY_9 + 5 * DAY)

    assert life.promises.clocks == before


# Merged and void


def test_merging_ends_what_runs_and_no_merged_ticket_escalates() -> None:
    life = a_ticket()

    life.happen(MERGED, at=MONDAY_9 + HOUR)
    life.pass_time(to=MONDAY_9 + 30 * DAY)

    assert {clock.outcome for clock in life.promises.clocks} == {Outcome.MERGED}
    assert not [step for step in life.steps if step.at > MONDAY_9 + HOUR]


def test_a_recorded_miss_is_no_less_missed_for_a_merge() -> None:
    life = a_ticket()
    due = life.clock(FIRST_RESPONSE).due_at
    life.pass_time(to=due + HOUR)

    life.happen(MERGED, at=due + HOUR)

    first = life.clock(FIRST_RESPONSE)
    assert (first.outcome, first.missed_at, first.stopped_at) == (Outcome.MISSED, due, due + HOUR)
    assert life.clock(RESOLUTION).outcome is Outcome.MERGED


def test_merging_leaves_what_had_ended_before() -> None:
    life = a_ticket()
    life.happen(REPLIED, at=MONDAY_9 + HOUR)

    life.happen(MERGED, at=MONDAY_9 + 2 * HOUR)

    assert life.clock(FIRST_RESPONSE).outcome is Outcome.MET


def test_spam_takes_every_clock_out_of_every_rate_also_those_that_ended() -> None:
    life = a_ticket()
    life.happen(REPLIED, at=MONDAY_9 + HOUR)

    life.happen(VOIDED, at=MONDAY_9 + 2 * HOUR)

    assert {clock.outcome for clock in life.promises.clocks} == {Outcome.VOID}


@pytest.mark.parametrize("end", [MERGED, VOIDED])
def test_what_was_merged_or_void_stays_so_when_the_ticket_is_reopened(end: Occurrence) -> None:
    life = Life(terms=resolution_terms())
    life.happen(CREATED, at=MONDAY_9)
    life.happen(end, at=MONDAY_9 + HOUR)
    before = life.clock(RESOLUTION)

    life.happen(REOPENED, at=MONDAY_9 + 2 * HOUR)

    assert life.cycles(RESOLUTION) == [before]


# Time


def test_a_late_engine_fires_every_rung_once_in_the_order_of_their_instants() -> None:
    life = a_ticket(priority=1, tier="enterprise")

    life.pass_time(to=MONDAY_9 + 9 * DAY)
    life.pass_time(to=MONDAY_9 + 10 * DAY)

    assert life.rungs(FIRST_RESPONSE) == list(LADDER)
    assert life.rungs(RESOLUTION) == list(LADDER)
    assert [step.at for step in life.steps] == sorted(step.at for step in life.steps)


def test_what_happens_late_finds_the_rungs_before_it_fired() -> None:
    life = Life(terms=resolution_terms(100))
    life.happen(CREATED, at=MONDAY_9)

    change = life.happen(RESOLVED, at=MONDAY_9 + 95 * MINUTE)

    assert [step.percent for step in change.steps] == [50, 75, 90]


def test_a_rung_names_the_promise_it_belongs_to() -> None:
    life = a_ticket(priority=1, tier="enterprise")

    life.pass_time(to=MONDAY_9 + 8 * MINUTE)

    assert [(step.metric, step.percent) for step in life.steps] == [(FIRST_RESPONSE, 50)]


def test_a_reply_on_the_due_instant_is_in_time_and_its_rung_does_not_fire() -> None:
    life = Life(terms=resolution_terms(60))
    life.happen(CREATED, at=MONDAY_9)

    life.happen(RESOLVED, at=MONDAY_9 + HOUR)
    life.pass_time(to=MONDAY_9 + DAY)

    assert life.clock(RESOLUTION).outcome is Outcome.MET
    assert life.rungs(RESOLUTION) == [50, 75, 90]


def test_a_miss_is_written_down_once_at_the_due_instant() -> None:
    life = Life(terms=resolution_terms(60))
    life.happen(CREATED, at=MONDAY_9)
    for day in range(1, 4):
        life.pass_time(to=MONDAY_9 + day * DAY)

    assert [entry.at for entry in life.entries if entry.what is What.MISSED] == [MONDAY_9 + HOUR]


def test_a_paused_ladder_goes_on_when_the_pause_ends() -> None:
    life = Life(terms=resolution_terms(100))
    life.happen(CREATED, at=MONDAY_9)
    life.wait(WaitReason.MAINTENANCE, at=MONDAY_9 + 60 * MINUTE)
    life.pass_time(to=MONDAY_9 + DAY)

    life.resume(WaitReason.MAINTENANCE, at=MONDAY_9 + DAY)
    life.pass_time(to=MONDAY_9 + DAY + 15 * MINUTE)

    assert life.rungs(RESOLUTION) == [50, 75]


def test_ten_thousand_clocks_due_at_one_instant_all_fire_once() -> None:
    lives = [Life(terms=resolution_terms(60)) for _ in range(10_000)]
    for life in lives:
        life.happen(CREATED, at=MONDAY_9)

    due = MONDAY_9 + HOUR
    for _ in range(2):
        woken = [life for life in lives if (at := life.promises.next_wake(life.terms.percents)) and at <= due]
        for life in woken:
            life.pass_time(to=due)

    assert sum(life.rungs(RESOLUTION) == [50, 75, 90, 100] for life in lives) == 10_000


# Properties: a ticket's random life

PRIORITIES = st.integers(min_value=1, max_value=4)
TIERS = st.sampled_from(["enterprise", "professional", "starter", "free"])
GAPS = st.integers(min_value=1, max_value=4000).map(lambda number: number * MINUTE)
REASONS = st.sampled_from(WaitReason)
DEEDS = st.one_of(
    st.tuples(st.just("happen"), st.frozensets(st.sampled_from(
        [WROTE, THANKED, REPLIED, RESOLVED, REOPENED, CLOSED, LEVEL_ENTERED, UNASSIGNED, ASSIGNED,
         Occurrence.ESCALATED, Occurrence.CALLBACK_PROMISED, Occurrence.CALLBACK_DONE]), min_size=1, max_size=2)),
    st.tuples(st.just("wait"), REASONS),
    st.tuples(st.just("resume"), REASONS),
    st.tuples(st.just("terms"), st.tuples(PRIORITIES, TIERS, st.sampled_from(ChangeMode))),
)  # fmt: skip
STORIES = st.lists(st.tuples(GAPS, DEEDS), max_size=12)
FIRSTS = st.sampled_from([CREATED, PHONE_LOGGED, PROACTIVE])


def live(story: list[tuple[timedelta, tuple[str, object]]], *, first: Occurrence, looks: int = 0) -> Life:
    """Live a story; `looks` times between two of its deeds somebody looks what time has done."""
    life = a_ticket(by=first)
    now = MONDAY_9
    for gap, (deed, what) in story:
        for look in range(looks):
            life.pass_time(to=now + gap * (look + 1) / (looks + 1))
        now += gap
        match deed, what:
            case "happen", frozenset():
                life.happen(*what, at=now)
            case "wait", WaitReason():
                life.wait(what, at=now)
            case "resume", WaitReason():
                life.resume(what, at=now)
            case "terms", (int(priority), str(tier), ChangeMode() as mode):
                life.change_terms(replace(STANDARD.terms(priority=priority, tier=tier), change=mode), at=now)
    life.pass_time(to=now + timedelta(days=10))
    return life


@given(story=STORIES, first=FIRSTS)
def test_the_same_story_gives_the_same_promises(
    story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence
) -> None:
    assert live(story, first=first) == live(story, first=first)


@given(story=STORIES, first=FIRSTS, looks=st.integers(min_value=1, max_value=4))
def test_how_often_somebody_looks_changes_nothing(
    story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence, looks: int
) -> None:
    often, seldom = live(story, first=first, looks=looks), live(story, first=first)

    assert often.promises == seldom.promises
    assert often.steps == seldom.steps
    assert often.entries == seldom.entries


@given(story=STORIES, first=FIRSTS)
def test_each_rung_fires_once(story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence) -> None:
    fired = [(step.metric, step.cycle, step.percent) for step in live(story, first=first).steps]

    assert len(fired) == len(set(fired))


@given(story=STORIES, first=FIRSTS)
def test_a_recorded_miss_is_never_erased(
    story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence
) -> None:
    life = live(story, first=first)

    missed = {(entry.metric, entry.cycle): entry.at for entry in life.entries if entry.what is What.MISSED}
    for clock in life.promises.clocks:
        assert clock.missed_at == missed.get((clock.metric, clock.cycle))
        assert (clock.outcome is Outcome.MISSED) == (clock.missed_at is not None)


@given(story=STORIES, first=FIRSTS)
def test_a_metric_has_one_open_clock_at_the_most_and_its_cycles_count_up(
    story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence
) -> None:
    life = live(story, first=first)

    for metric in Metric:
        cycles = life.cycles(metric)
        assert [clock.cycle for clock in cycles] == list(range(1, len(cycles) + 1))
        assert not any(clock.is_active for clock in cycles[:-1])


@given(story=STORIES, first=FIRSTS)
def test_a_ticket_that_has_ended_owes_nothing(
    story: list[tuple[timedelta, tuple[str, object]]], first: Occurrence
) -> None:
    life = live([*story, (MINUTE, ("happen", frozenset({RESOLVED})))], first=first)

    assert not [clock for clock in life.promises.clocks if clock.is_active]


@given(
    instants=st.lists(st.integers(min_value=0, max_value=5000), min_size=4, max_size=4),
    reasons=st.permutations(list(WaitReason)),
    calendar=st.sampled_from([ROUND_THE_CLOCK, OFFICE]),
)
def test_the_order_of_overlapping_waits_does_not_matter(
    instants: list[int], reasons: list[WaitReason], calendar: object
) -> None:
    first, second, third, last = (MONDAY_9 + number * MINUTE for number in sorted(instants))
    one, other = reasons[:2]
    terms = replace(
        resolution_terms(), targets={RESOLUTION: days_of(2) if calendar is OFFICE else minutes_of(6000)}
    )

    def waited(*spans: tuple[WaitReason, datetime, datetime]) -> Promises:
        life = Life(terms=terms)
        life.happen(CREATED, at=MONDAY_9)
        ends = sorted({at for _, begun, over in spans for at in (begun, over)})
        for at in ends:
            over = [reason for reason, _, end in spans if end == at]
            begun = [reason for reason, start, end in spans if start == at < end]
            life.happen(WAIT_ENDED, WAIT_STARTED, at=at, waits=begun, ended=over)
        return life.promises

    crossed = waited((one, first, third), (other, second, last))

    assert crossed == waited((other, first, third), (one, second, last))
    assert crossed == waited((one, first, last), (other, second, third))
    assert crossed == waited((one, first, last))


def test_two_reasons_begun_in_one_save_are_kept_whatever_their_order() -> None:
    first, second = Life(terms=resolution_terms()), Life(terms=resolution_terms())
    for life in (first, second):
        life.happen(CREATED, at=MONDAY_9)

    changes: list[Change] = [
        first.wait(WaitReason.CUSTOMER, WaitReason.THIRD_PARTY, at=MONDAY_9),
        second.wait(WaitReason.THIRD_PARTY, WaitReason.CUSTOMER, at=MONDAY_9),
    ]

    assert changes[0] == changes[1]
