"""An event log in virtual time: rungs between rows, ends, and the same clocks as a live ticket's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.engine.clock import Metric
from flowdesk.engine.history import LogEntry, LogState, happenings, opening
from flowdesk.engine.promises import Change, Promises, advance, after
from flowdesk.engine.replay import Ending, OutOfOrder, Replayed, VirtualDesk, replay
from flowdesk.engine.sla_policy import PromisePolicy
from tests.engine.promised import DAY, HOUR, LADDER, MINUTE, MONDAY_9, STANDARD

OPEN, RESOLVED, CLOSED = LogState.OPEN, LogState.RESOLVED, LogState.CLOSED
RESOLUTION = Metric.RESOLUTION
CLOCKS = {rule.metric: rule for rule in STANDARD.metrics}
# Only the resolution of an enterprise's P1: four hours round the clock.
ONE_PROMISE = replace(STANDARD, metrics=(CLOCKS[RESOLUTION],))


def a_row(at: datetime, state: LogState = OPEN, *, ticket: str = "T1", **more: Any) -> LogEntry:
    return LogEntry(
        **{"ticket": ticket, "at": at, "state": state, "priority": 1, "tier": "enterprise", **more}
    )


def replayed(*rows: LogEntry, policy: PromisePolicy = ONE_PROMISE) -> Replayed:
    return replay(rows, policy=policy)


def test_a_log_without_rows_has_no_last_instant() -> None:
    found = replayed()

    assert (found.events, found.until, list(found.lines()), found.outcomes()) == (0, None, [], {})


def test_a_ticket_resolved_in_time_is_met_and_its_line_says_how() -> None:
    found = replayed(a_row(MONDAY_9, opened_at=MONDAY_9 - MINUTE), a_row(MONDAY_9 + HOUR, RESOLVED))

    (line,) = found.lines()

    assert (line.ticket, line.metric, line.cycle, line.ending) == ("T1", RESOLUTION, 1, Ending.MET)
    assert (line.started_at, line.due_at) == (MONDAY_9 - MINUTE, MONDAY_9 + 239 * MINUTE)
    assert (line.stopped_at, line.elapsed, line.target) == (MONDAY_9 + HOUR, 61 * MINUTE, 4 * HOUR)


def test_rungs_fire_between_rows_at_their_own_instants() -> None:
    desk = VirtualDesk(ONE_PROMISE)
    desk.take(a_row(MONDAY_9))

    desk.take(a_row(MONDAY_9 + 190 * MINUTE, ticket="T2"))

    assert desk.steps == {(RESOLUTION, 50): 1, (RESOLUTION, 75): 1}


def test_a_row_on_the_due_instant_is_in_time() -> None:
    found = replayed(a_row(MONDAY_9), a_row(MONDAY_9 + 4 * HOUR, RESOLVED))

    assert found.outcomes() == {RESOLUTION: {Ending.MET: 1}}
    assert (RESOLUTION, 100) not in found.steps


def test_what_still_runs_at_the_end_of_the_log_is_running() -> None:
    found = replayed(a_row(MONDAY_9), a_row(MONDAY_9 + HOUR, ticket="T2"))

    lines = list(found.lines())

    assert [line.ending for line in lines] == [Ending.RUNNING] * 2
    assert [line.elapsed for line in lines] == [HOUR, timedelta(0)]
    assert found.until == MONDAY_9 + HOUR


def test_what_is_past_due_at_the_end_of_the_log_is_missed_though_it_runs() -> None:
    found = replayed(a_row(MONDAY_9), a_row(MONDAY_9 + 4 * HOUR, ticket="T2"))

    assert [(line.ending, line.stopped_at) for line in found.lines()] == [
        (Ending.MISSED, None),
        (Ending.RUNNING, None),
    ]
    assert found.steps[RESOLUTION, 100] == 1


def test_a_wait_leaves_its_time_out() -> None:
    found = replayed(
        a_row(MONDAY_9),
        a_row(MONDAY_9 + HOUR, LogState.CUSTOMER),
        a_row(MONDAY_9 + 9 * DAY),
        a_row(MONDAY_9 + 9 * DAY + HOUR, RESOLVED),
    )

    assert [(line.ending, line.elapsed) for line in found.lines()] == [(Ending.MET, 2 * HOUR)]


def test_a_changed_priority_retargets_from_the_start() -> None:
    found = replayed(a_row(MONDAY_9, priority=2), a_row(MONDAY_9 + HOUR, priority=1))

    assert [line.due_at for line in found.lines()] == [MONDAY_9 + 4 * HOUR]


def test_a_reopened_ticket_continues_its_cycle() -> None:
    found = replayed(
        a_row(MONDAY_9),
        a_row(MONDAY_9 + HOUR, RESOLVED),
        a_row(MONDAY_9 + DAY),
        a_row(MONDAY_9 + DAY + HOUR, RESOLVED),
    )

    assert [(line.cycle, line.elapsed, line.ending) for line in found.lines()] == [(1, 2 * HOUR, Ending.MET)]


def test_rows_after_the_closing_leave_the_ticket_closed() -> None:
    found = replayed(
        a_row(MONDAY_9), a_row(MONDAY_9 + HOUR, CLOSED), a_row(MONDAY_9 + DAY, CLOSED, priority=2)
    )

    assert [(line.stopped_at, line.ending) for line in found.lines()] == [(MONDAY_9 + HOUR, Ending.MET)]


def test_a_void_ticket_is_in_no_rate() -> None:
    found = replayed(a_row(MONDAY_9), a_row(MONDAY_9 + DAY, LogState.VOID))

    assert found.outcomes() == {RESOLUTION: {Ending.VOID: 1}}


def test_a_word_that_says_nothing_keeps_a_wait_waiting() -> None:
    found = replayed(
        a_row(MONDAY_9),
        a_row(MONDAY_9, LogState.CUSTOMER),
        a_row(MONDAY_9 + HOUR, LogState.SAME),
        a_row(MONDAY_9 + DAY, OPEN),
    )

    assert [line.elapsed for line in found.lines()] == [timedelta(0)]


def test_a_row_from_before_its_ticket_began_comes_at_the_beginning() -> None:
    found = replayed(
        a_row(MONDAY_9, opened_at=MONDAY_9 + HOUR),
        a_row(MONDAY_9 + MINUTE, LogState.CUSTOMER),
        a_row(MONDAY_9 + 2 * HOUR, RESOLVED),
    )

    assert [(line.started_at, line.elapsed) for line in found.lines()] == [(MONDAY_9 + HOUR, timedelta(0))]


def test_a_ticket_that_begins_after_the_last_row_is_running() -> None:
    found = replayed(a_row(MONDAY_9, opened_at=MONDAY_9 + DAY))

    assert [(line.ending, line.elapsed) for line in found.lines()] == [(Ending.RUNNING, timedelta(0))]


def test_virtual_time_does_not_run_backwards() -> None:
    with pytest.raises(OutOfOrder):
        replayed(a_row(MONDAY_9), a_row(MONDAY_9 - MINUTE))


def test_ten_thousand_tickets_due_at_one_instant_all_fire_once() -> None:
    rows = [a_row(MONDAY_9, ticket=f"T{number}") for number in range(10_000)]

    found = replayed(*rows, a_row(MONDAY_9 + 6 * HOUR, ticket="the last"))

    assert found.steps == {(RESOLUTION, percent): 10_000 for percent in LADDER}
    assert found.outcomes() == {RESOLUTION: {Ending.MISSED: 10_000, Ending.RUNNING: 1}}


rows = st.builds(
    a_row,
    st.integers(min_value=0, max_value=20_000).map(lambda minutes: MONDAY_9 + minutes * MINUTE),
    st.sampled_from(LogState),
    ticket=st.sampled_from(["T1", "T2", "T3"]),
    priority=st.integers(min_value=1, max_value=4),
    tier=st.sampled_from(["enterprise", "starter"]),
    reopened=st.integers(min_value=0, max_value=2),
    assignee=st.sampled_from(["", "Bo"]),
    is_phone=st.booleans(),
    opened_at=st.none() | st.integers(min_value=-600, max_value=600).map(lambda n: MONDAY_9 + n * MINUTE),
)
logs = st.lists(rows, max_size=25).map(lambda found: sorted(found, key=lambda row: row.at))


@given(log=logs)
def test_a_ticket_among_others_fares_as_it_would_alone(log: list[LogEntry]) -> None:
    found = replay(log, policy=STANDARD)

    for ticket in {row.ticket for row in log}:
        alone = _followed([row for row in log if row.ticket == ticket], until=log[-1].at)
        assert found.cases[ticket].promises == alone


def _followed(rows: list[LogEntry], *, until: datetime) -> Promises:
    """The plain fold: nobody looks between the rows, and the engine catches up by itself."""
    promises, before, at = Promises(), None, MONDAY_9
    for row in rows:
        told = opening(row) if before is None else happenings(before, row, at=max(at, row.at))
        for one in told:
            terms = STANDARD.terms(priority=row.priority, tier=row.tier)
            at = one.at
            change: Change = after(
                promises, one.occurrences, at=at, terms=terms, waits=one.waits, ended_waits=one.ended_waits
            )
            promises = change.promises
        if row.state is LogState.SAME:
            row = replace(row, state=before.state if before else OPEN)
        at, before = max(at, row.at), row
    assert before is not None
    terms = STANDARD.terms(priority=before.priority, tier=before.tier)
    return advance(promises, terms, to=until).promises
