"""Versions of what is stored: whoever acts on something may say which version of it they have seen.

The check stands inside the act, after the lock: between two who saw the same version exactly one wins.
"""

from __future__ import annotations

from flowdesk.core.errors import DomainError

Expected = frozenset[str] | None  # the versions a caller would act on; None for whichever stands


class Outdated(DomainError):
    """It has changed since you read it: read it again, and then decide."""

    status = 412
    code = "outdated"


def must_stand_at(version: str, expected: Expected) -> None:
    """Raise Outdated unless the version of a locked row is one of those expected."""
    if expected is not None and version not in expected:
        raise Outdated
