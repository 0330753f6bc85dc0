"""Amounts of promises as people write them."""

from __future__ import annotations

import pytest

from flowdesk.policies.reader import PolicyFaults, read_document
from flowdesk.policies.sections.promises import read_amount


def minutes(text: str) -> int:
    return read_amount(read_document(f'"{text}"', "amount")).amount


@pytest.mark.parametrize("tenths", range(1, 2000, 7))
def test_a_tenth_of_an_hour_is_six_minutes_exactly(tenths: int) -> None:
    assert minutes(f"{tenths / 10} h") == tenths * 6


def test_a_part_of_a_minute_is_refused() -> None:
    with pytest.raises(PolicyFaults, match="a whole number of minutes or business days"):
        minutes("1.01 h")
