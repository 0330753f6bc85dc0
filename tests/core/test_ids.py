"""Public ids: opaque, in the order they were made, and deaf to guesses."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdesk.core.errors import NotFound
from flowdesk.core.ids import new_id, parsed, shown

NOW = datetime(2026, 6, 15, 7, tzinfo=UTC)
AN_ID = "tkt_01j9zzzzzzzzzzzzzzzzzzzzzz"


@given(st.uuids())
def test_what_is_shown_is_read_back(value: UUID) -> None:
    assert parsed("tkt", shown("tkt", value)) == value


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_spellings_sort_as_the_ids_do(one: int, other: int) -> None:
    spelled = shown("tkt", UUID(int=one)) < shown("tkt", UUID(int=other))

    assert spelled == (one < other)


def test_an_id_is_a_version_7_uuid_of_its_instant() -> None:
    value = new_id(NOW)

    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert value.int >> 80 == int(NOW.timestamp() * 1000)


def test_later_ids_are_greater_and_no_two_are_the_same() -> None:
    made = [new_id(NOW + timedelta(milliseconds=number)) for number in range(500)]
    at_once = {new_id(NOW) for _ in range(2000)}

    assert made == sorted(made)
    assert len(at_once) == 2000


@given(st.text())
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    for candidate in (text, f"tkt_{text}"):
        with suppress(NotFound):
            assert shown("tkt", parsed("tkt", candidate)) == candidate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tkt",
        "tkt_",
        "tkt_1",
        AN_ID + "z",
        AN_ID[:-1],
        AN_ID.replace("tkt", "cus"),
        AN_ID.replace("tkt", "TKT"),
        AN_ID.upper(),
        "tkt__1j9zzzzzzzzzzzzzzzzzzzzzz",
        "tkt_01j9zzzzzzzzzzzzzzzzzzzzzi",  # i, l, o and u are no letters here
        "tkt_01j9zzzzzzzzzzzzzzzzzzzzzu",
        "tkt_8000000000000000000000000z",  # 131 bits
        "tkt_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "tkt_٠1j9zzzzzzzzzzzzzzzzzzzzzz",  # an Arabic zero
        "tkt_01j9zzzzzzzzzzzzzzzzzzzz\x00z",
        "tkt_01j9zzzzzzzzzzzzzzzzzzzz' z",
        " " + AN_ID,
        AN_ID + "\n",
        "6a1f4c9e-0000-7000-8000-000000000000",
        "1 or 1=1",
    ],
)
def test_a_guess_looks_like_a_miss(text: str) -> None:
    with pytest.raises(NotFound):
        parsed("tkt", text)


def test_the_sample_itself_is_an_id() -> None:
    assert shown("tkt", parsed("tkt", AN_ID)) == AN_ID
