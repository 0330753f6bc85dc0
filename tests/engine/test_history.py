"""Rows of an event log: what happened between two of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowdesk.engine.history import LogEntry, LogState, happenings, opening
from flowdesk.engine.promises import Occurrence, WaitReason
from tests.engine.promised import DAY, HOUR, MINUTE, MONDAY_9

OPEN, RESOLVED, CLOSED = LogState.OPEN, LogState.RESOLVED, LogState.CLOSED


def a_row(state: LogState = OPEN, **more: Any) -> LogEntry:
    return LogEntry(**{"ticket": "T1", "at": MONDAY_9, "state": state, **more})


def between(before: LogEntry, entry: LogEntry) -> list[set[str]]:
    """The occurrences of each save between two rows."""
    return [set(told.occurrences) for told in happenings(before, entry, at=entry.at)]


def test_a_ticket_is_opened_at_its_own_beginning() -> None:
    (first,) = opening(a_row(opened_at=MONDAY_9 - 7 * MINUTE))

    assert (first.at, set(first.occurrences)) == (MONDAY_9 - 7 * MINUTE, {Occurrence.CREATED})


def test_a_ticket_without_a_beginning_begins_with_its_first_row() -> None:
    assert [told.at for told in opening(a_row())] == [MONDAY_9]


def test_a_row_from_before_the_beginning_happens_at_the_beginning() -> None:
    told = opening(a_row(RESOLVED, opened_at=MONDAY_9 + HOUR))

    assert [one.at for one in told] == [MONDAY_9 + HOUR] * 2


def test_a_ticket_logged_after_the_fact_is_opened_and_then_resolved() -> None:
    told = opening(a_row(RESOLVED, opened_at=MONDAY_9 - HOUR))

    assert [(one.at, set(one.occurrences)) for one in told] == [
        (MONDAY_9 - HOUR, {Occurrence.CREATED}),
        (MONDAY_9, {Occurrence.RESOLVED}),
    ]


def test_a_ticket_that_begins_closed_was_resolved_as_well() -> None:
    assert set(opening(a_row(CLOSED))[-1].occurrences) == {Occurrence.RESOLVED, Occurrence.CLOSED}


def test_a_call_is_logged_and_nobody_assigned_is_unassigned() -> None:
    (first,) = opening(a_row(is_phone=True, assignee=""))

    assert first.occurrences == {Occurrence.PHONE_LOGGED, Occurrence.UNASSIGNED}


def test_a_first_row_that_counts_reopenings_is_reopened_by_nobody() -> None:
    assert len(opening(a_row(RESOLVED, reopened=2))) == 2


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (OPEN, OPEN, []),
        (OPEN, RESOLVED, [{"resolved"}]),
        (OPEN, CLOSED, [{"resolved", "closed"}]),
        (RESOLVED, CLOSED, [{"closed"}]),
        (RESOLVED, OPEN, [{"reopened"}]),
        (CLOSED, OPEN, [{"reopened"}]),
        (CLOSED, CLOSED, []),
        (CLOSED, RESOLVED, [{"reopened"}, {"resolved"}]),
        (RESOLVED, LogState.CUSTOMER, [{"reopened", "wait_started"}]),
        (OPEN, LogState.CUSTOMER, [{"wait_started"}]),
        (LogState.CUSTOMER, OPEN, [{"wait_ended"}]),
        (LogState.CUSTOMER, LogState.THIRD_PARTY, [{"wait_ended", "wait_started"}]),
        (LogState.CUSTOMER, LogState.CUSTOMER, []),
        (LogState.CUSTOMER, RESOLVED, [{"wait_ended", "resolved"}]),
        (OPEN, LogState.VOID, [{"voided"}]),
        (LogState.CUSTOMER, LogState.SAME, []),
        (CLOSED, LogState.SAME, []),
    ],
)
def test_two_states_tell_what_happened_between_them(
    before: LogState, now: LogState, told: list[set[str]]
) -> None:
    assert between(a_row(before), a_row(now)) == told


def test_a_changed_wait_names_what_ended_and_what_began() -> None:
    (told,) = happenings(a_row(LogState.CUSTOMER), a_row(LogState.THIRD_PARTY), at=MONDAY_9)

    assert set(told.ended_waits) == {WaitReason.CUSTOMER}
    assert set(told.waits) == {WaitReason.THIRD_PARTY}


def test_a_count_that_rose_tells_of_a_reopening_no_row_shows() -> None:
    assert between(a_row(RESOLVED), a_row(RESOLVED, reopened=1)) == [{"reopened"}, {"resolved"}]


def test_a_count_that_rises_on_an_open_ticket_tells_nothing_new() -> None:
    assert between(a_row(OPEN), a_row(OPEN, reopened=1)) == []


@pytest.mark.parametrize("change", [{"priority": 1}, {"tier": "enterprise"}])
def test_another_priority_or_tier_is_a_change_of_terms(change: dict[str, Any]) -> None:
    assert between(a_row(), a_row(**change)) == [{"terms_changed"}]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [("", "Bo", [{"assigned"}]), ("Bo", "", [{"unassigned"}]), ("Bo", "Ada", []), (None, None, [])],
)
def test_an_assignee_comes_and_goes(before: str | None, now: str | None, told: list[set[str]]) -> None:
    assert between(a_row(assignee=before), a_row(assignee=now)) == told


def test_a_row_may_tell_several_things_in_one_save() -> None:
    before = a_row(assignee="")
    after = replace(before, at=MONDAY_9 + DAY, state=LogState.CUSTOMER, priority=1, assignee="Bo")

    assert between(before, after) == [{"assigned", "terms_changed", "wait_started"}]
