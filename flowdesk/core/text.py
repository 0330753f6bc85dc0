"""Words of others: on one line, without what would change how the words around them are read; and addresses."""

import re
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST_ADDRESS = 254  # characters: what a mail server takes (RFC 5321), and the columns hold

# Controls that are no white space, and what turns the direction of what follows: embeddings, overrides, isolates.
UNWANTED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """The words, with single spaces between them. Letters of any script stay, and so do marks and emoji."""
    return " ".join(UNWANTED.sub("", text).split())


def is_address(text: str) -> bool:
    """Whether mail can be sent there, and a column holds it: two addresses or a header are none."""
    return len(text) <= LONGEST_ADDRESS and _is_valid(text)


@lru_cache(maxsize=10_000)  # people write again
def _is_valid(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True
