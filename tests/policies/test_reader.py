"""The reader keeps every value's place and never guesses what a word means."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.policies.reader import FaultList, Node, PolicyFault, PolicyFaults, read_document


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def value_of(text: str) -> Node:
    return read_document(f"it: {text}", "doc").mapping(required=["it"])["it"]


def only_fault(act: Callable[[], object]) -> PolicyFault:
    with pytest.raises(PolicyFaults) as caught:
        act()
    assert len(caught.value.faults) == 1
    return caught.value.faults[0]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "true", "09:00", "1_000", "0x1f", "1e3", "010"])
def test_a_plain_word_stays_text(word: str) -> None:
    assert value_of(word).text() == word


@pytest.mark.parametrize("word", ["on", "yes", "true", "True"])
def test_a_truth_is_read_where_one_is_asked_for(word: str) -> None:
    assert value_of(word).truth() is True


def test_a_key_called_on_is_just_a_key() -> None:
    node = read_document("on: created", "doc")

    assert node.mapping(required=["on"])["on"].text() == "created"


def test_a_time_of_day_is_not_a_base_sixty_number() -> None:
    assert value_of("09:30").wall_time() == time(9, 30)
    assert only_fault(value_of("09:30").integer).reason == "expects a whole number, not '09:30'"


def test_only_a_closing_time_may_be_the_end_of_the_day() -> None:
    assert value_of("24:00").closing_time() == time(0, 0)
    assert "time of day" in only_fault(value_of("24:00").wall_time).reason


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15_minutes", timedelta(minutes=15)),
        ("1_hour", timedelta(hours=1)),
        ("4_hours", timedelta(hours=4)),
        ("90 min", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
    ],
)
def test_a_length_is_read_as_the_documents_write_it(text: str, length: timedelta) -> None:
    assert value_of(text).length() == length


@pytest.mark.parametrize("text", ["0_minutes", "2_days", "-1_hour", "soon", "1.5h"])
def test_a_length_without_one_meaning_is_refused(text: str) -> None:
    assert "expects a length" in only_fault(value_of(text).length).reason


def test_numbers_are_exact() -> None:
    assert value_of("0.1").number() == Decimal("0.1")
    assert value_of("-12").integer() == -12


def test_a_number_outside_its_bounds_is_refused() -> None:
    assert only_fault(lambda: value_of("5").integer(least=1, most=4)).reason == "is 5; 4 is the most"


def test_a_date_must_exist() -> None:
    assert value_of("2028-02-29").date() == date(2028, 2, 29)
    assert "expects a date" in only_fault(value_of("2027-02-29").date).reason


def test_a_choice_suggests_the_near_word() -> None:
    assert value_of("green").choice(Colour) is Colour.GREEN
    assert only_fault(lambda: value_of("gren").choice(Colour)).reason == (
        "expects one of red, green, not 'gren'; did you mean 'green'?"
    )


def test_a_fault_names_path_line_and_column() -> None:
    document = read_document("rules:\n  - name: a\n  - name: [b]\n", "routing")

    fault = only_fault(lambda: document.mapping(required=["rules"])["rules"].list()[1].items()[0][1].text())

    assert fault == PolicyFault("routing.rules[1].name", 3, 11, "expects a single value, not a list")


def test_an_unknown_key_is_named_with_a_suggestion() -> None:
    fault = only_fault(lambda: read_document("\nstratgy: x", "doc").mapping(optional=["strategy"]))

    assert (fault.line, fault.column) == (2, 1)
    assert fault.reason == "unknown key 'stratgy'; did you mean 'strategy'?"


def test_all_faults_of_a_mapping_are_told_together() -> None:
    with pytest.raises(PolicyFaults) as caught:
        read_document("x: 1\ny:\n", "doc").mapping(required=["z"], optional=["y"])

    assert [fault.reason for fault in caught.value.faults] == [
        "unknown key 'x'",
        "needs the key 'z'",
        "has no value; write one or leave the key out",
    ]


def test_the_faults_of_a_list_are_told_together() -> None:
    with pytest.raises(PolicyFaults) as caught:
        value_of("[1, two, 3, four]").each(Node.integer)

    assert [fault.column for fault in caught.value.faults] == [9, 17]


def test_a_fault_list_reads_on_and_raises_once() -> None:
    faults = FaultList()

    assert faults.read(value_of("two").integer) is None
    assert faults.read(value_of("2").integer) == 2
    assert only_fault(faults.raise_any).reason == "expects a whole number, not 'two'"


def test_an_offset_into_a_quoted_text_is_told_in_the_file() -> None:
    assert value_of("'abc'").fault("here", at=2).column == 8
    assert value_of("abc").fault("here", at=2).column == 7


def test_an_offset_that_does_not_line_up_falls_back_to_the_start() -> None:
    assert value_of('"a\\tbc"').fault("here", at=2).column == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "the key 'a' is written twice"),
        ("a: &x 1\nb: *x", "anchors and aliases are not used here; write the value out"),
        ("a: !!python/object:x {}", "tags are not used here (tag:yaml.org,2002:python/object:x)"),
        ("a: 1\n---\nb: 2", "a second document begins here; there must be one"),
        ("? [a]\n: 1", "a key must be a single word"),
        ("", "the document is empty"),
        ("# words only", "the document is empty"),
        ("a: \x00", "holds a character that YAML does not allow"),
        ("a: \ud800", "holds a character that is not Unicode text"),
        ("[" * 100_000, "is nested deeper than 32 levels"),
        ("[" + "1," * 60_000 + "]", "holds more than 50000 values"),
        ("a: " + "x" * 600_000, "is 600003 bytes; 524288 is the most"),
    ],
)
def test_a_document_that_is_not_plain_yaml_is_refused(text: str, reason: str) -> None:
    assert only_fault(lambda: read_document(text, "doc")).reason == reason


@given(st.text(alphabet=st.sampled_from(list("ab:-[]{},'\"#&*!|>%@ \n\t\\?0")), max_size=60))
def test_whatever_is_written_the_reader_gives_a_node_or_faults(text: str) -> None:
    with contextlib.suppress(PolicyFaults):
        assert read_document(text, "doc").path == "doc"


@pytest.mark.parametrize("written", [r'"a\0b"', r'"\x07"', r'"\ud800"', r'"\x7f"'])
def test_what_no_database_keeps_is_refused_though_it_is_written_as_an_escape(written: str) -> None:
    for text in (f"name: {written}", f"{written}: name"):
        with pytest.raises(PolicyFaults, match="Unicode"):
            read_document(text, "policy")


def test_a_length_is_a_year_at_the_most() -> None:
    node = read_document("a: [8784_hours, 8785 h, 999999_hours, 999999 m]", "policy").mapping(optional=["a"])[
        "a"
    ]

    assert node.list()[0].length() == timedelta(days=366)
    for longer in node.list()[1:]:
        with pytest.raises(PolicyFaults, match="longer than a year"):
            longer.length()
