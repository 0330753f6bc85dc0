"""When duplicates are merged by themselves and tickets alike are a recurring issue, as the policy says it."""

from datetime import timedelta

import pytest

from flowdesk.engine.likeness import (
    NO_DUPLICATES,
    PLAIN_RECURRING,
    DuplicateMode,
    DuplicateRule,
    RecurringRule,
)
from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.triage import read_triage

CATEGORIES = "categories: {billing: {keywords: [invoice]}}\n"


def rule(text: str) -> DuplicateRule:
    return read_triage(read_document(CATEGORIES + text, "triage.yaml")).duplicates


def test_the_rule_is_read_whole() -> None:
    read = rule("duplicates: {mode: active, merge_from: 0.8, within: 48 h, same_contact: false}")

    assert read == DuplicateRule(
        mode=DuplicateMode.ACTIVE, merge_from=0.8, within=timedelta(hours=48), same_contact=False
    )


def test_what_is_left_out_is_as_in_the_standard() -> None:
    assert rule("") == NO_DUPLICATES
    assert rule("duplicates: {mode: shadow}") == DuplicateRule(mode=DuplicateMode.SHADOW)
    assert NO_DUPLICATES.mode is DuplicateMode.OFF


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("duplicates: {mode: on}", 20, "expects one of off, shadow, active"),
        ("duplicates: {mode: active, merge_from: 0.5}", 40, "must be at least 0.6"),
        ("duplicates: {mode: active, merge_from: 1.1}", 40, "1"),
        ("duplicates: {mode: active, within: 1 day}", 36, "expects a length"),
        ("duplicates: {mode: active, within: 721 h}", 36, "30 days"),
        ("duplicates: {mode: active, same_contact: maybe}", 42, "true or false"),
        ("duplicates: {mode: active, colour: red}", 28, "colour"),
        ("duplicates: {merge_from: 0.9}", 13, "mode"),
    ],
)
def test_a_fault_names_its_line_and_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        rule(text)

    (fault,) = refused.value.faults
    assert (fault.line, fault.column) == (2, column), fault
    assert reason in fault.reason


def test_all_faults_are_told_together() -> None:
    with pytest.raises(PolicyFaults) as refused:
        rule("duplicates: {mode: on, merge_from: 0.1, within: x, same_contact: y}")

    assert len(refused.value.faults) == 4


def recurring(text: str) -> RecurringRule:
    return read_triage(read_document(CATEGORIES + text, "triage.yaml")).recurring


def test_how_many_tickets_alike_recur_is_read_whole() -> None:
    assert recurring("recurring: {count: 5, within: 48 h}") == RecurringRule(
        count=5, within=timedelta(hours=48)
    )


def test_a_policy_that_does_not_speak_of_it_means_three_within_a_week() -> None:
    assert recurring("") == PLAIN_RECURRING == RecurringRule(count=3, within=timedelta(days=7))
    assert recurring("recurring: {count: 4}") == RecurringRule(count=4)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("recurring: {count: 1}", 20, "2"),
        ("recurring: {count: 21}", 20, "20"),
        ("recurring: {count: many}", 20, "number"),
        ("recurring: {within: 7 d}", 21, "expects a length"),
        ("recurring: {within: 2161 h}", 21, "90 days"),
        ("recurring: {every: 1 h}", 13, "every"),
        ("recurring: 3", 12, "mapping"),
    ],
)
def test_a_fault_of_it_names_its_line_and_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(PolicyFaults) as refused:
        recurring(text)

    (fault,) = refused.value.faults
    assert (fault.line, fault.column) == (2, column), fault
    assert reason in fault.reason
