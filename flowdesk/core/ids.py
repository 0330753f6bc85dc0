"""Opaque public ids: a UUID of version 7 in 26 letters and digits, with a prefix that names the kind."""

import secrets
from datetime import datetime
from uuid import UUID

from flowdesk.core.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26


def new_id(at: datetime) -> UUID:
    """A fresh id whose order follows `at`, so that index pages fill from one end (RFC 9562, version 7)."""
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    random = secrets.randbits(74)
    return UUID(int=milliseconds << 80 | 7 << 76 | random >> 62 << 64 | 2 << 62 | random & (1 << 62) - 1)


def shown(prefix: str, value: UUID) -> str:
    """The public spelling of an id, such as `tkt_01j9…`."""
    number = value.int
    letters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 32)
        letters.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(letters))}"


def parsed(prefix: str, text: str) -> UUID:
    """The id behind a public spelling; raises NotFound for anything else, so that guesses look like misses."""
    head, _, letters = text.partition("_")
    if head != prefix or len(letters) != _LENGTH:
        raise NotFound
    number = 0
    for letter in letters:
        value = _VALUE.get(letter)
        if value is None:
            raise NotFound
        number = number << 5 | value
    if number >> 128:
        raise NotFound
    return UUID(int=number)
