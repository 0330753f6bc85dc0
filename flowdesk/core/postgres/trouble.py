"""Whose fault a failing statement is: the database's, which is away and comes back, or the statement's own."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from flowdesk.core.postgres.base import NoAnswer

# Classes of SQLSTATE that speak of the connection or the server: broken line, too few resources, somebody's hand
# on the server, its system. A cancelled statement is of the third class too, and is the statement's own.
OF_THE_SERVER = ("08", "53", "57", "58")
CANCELLED = "57014"


def is_unanswered(fault: BaseException) -> bool:
    """Whether the database did not answer in time: it may be away, or what was asked too much for it."""
    return isinstance(fault.__cause__, NoAnswer)


def is_database_away(fault: BaseException) -> bool:
    """Whether whoever met this should try the same again, instead of blaming what they were doing.

    A deadlock, a lock or an answer that took too long is not that: it may be the fault of the one act it hit.
    """
    if isinstance(fault, InterfaceError):
        return True
    if not isinstance(fault, OperationalError) or is_unanswered(fault):
        return False
    state = getattr(fault.__cause__, "sqlstate", None)
    return state is None or (state[:2] in OF_THE_SERVER and state != CANCELLED)
