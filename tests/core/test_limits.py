"""How limits are written."""

import pytest

from flowdesk.core.limits import BadLimit, Limit, limits_in


def test_without_a_word_the_limits_are_generous() -> None:
    assert limits_in({}) == {
        "address": Limit(12000, 60),
        "key": Limit(6000, 60),
        "tenant": Limit(30000, 60),
    }


def test_a_limit_is_set_or_left_out() -> None:
    found = limits_in({"FLOWDESK_LIMIT_KEY": "10/1", "FLOWDESK_LIMIT_TENANT": "off"})

    assert found == {"address": Limit(12000, 60), "key": Limit(10, 1)}


@pytest.mark.parametrize("text", ["many", "0/60", "10", "10/0", "-1/60", "10/60/1", "10 / 60", "1e3/60"])
def test_what_is_no_limit_stops_the_start(text: str) -> None:
    with pytest.raises(BadLimit, match="FLOWDESK_LIMIT_KEY"):
        limits_in({"FLOWDESK_LIMIT_KEY": text})
