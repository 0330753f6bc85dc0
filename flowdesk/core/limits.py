"""How much may be asked: so many requests in each window of so many seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OFF = "off"
_WRITTEN = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})")
# By whom it is counted, and what holds when the environment says nothing: generous, a wall against runaway programs.
DEFAULTS: Mapping[str, str] = {"address": "12000/60", "key": "6000/60", "tenant": "30000/60"}


class BadLimit(ValueError):
    """A limit is neither written as `requests/seconds` nor `off`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` requests in each window of `seconds`; windows begin at whole multiples of their length since 1970."""

    amount: int
    seconds: int


def limits_in(environment: Mapping[str, str]) -> dict[str, Limit]:
    """The limits by whom they count; FLOWDESK_LIMIT_KEY=6000/60 sets one, `off` leaves it out. Raises BadLimit."""
    found = {}
    for by, default in DEFAULTS.items():
        variable = f"FLOWDESK_LIMIT_{by.upper()}"
        text = environment.get(variable) or default
        if text == OFF:
            continue
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise BadLimit(f"{variable}={text!r} is neither requests/seconds, such as {default}, nor {OFF}")
        found[by] = Limit(int(written[1]), int(written[2]))
    return found
