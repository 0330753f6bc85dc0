"""How alike two subjects read; apart, so that it can be measured without a database."""

from rapidfuzz import fuzz, utils


def subjects_alike(one: str, other: str) -> float:
    """How alike two subjects read, 0 to 1, whatever the order of their words."""
    return fuzz.token_set_ratio(one, other, processor=utils.default_process) / 100
