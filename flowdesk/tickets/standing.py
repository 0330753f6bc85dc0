"""Where the active tickets stand, counted: for the hubs' signals and the lanes of the work list.

What acts change is counted as they happen (`Standing`); what time changes between two acts is looked up, and is as
much as there is at risk. So a count costs what has happened and what is late, not the tickets that are active.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection, connections, transaction

from flowdesk.core.tenant import current_tenant
from flowdesk.tickets import sql
from flowdesk.tickets.states import WORKABLE

FOLD_FROM = 500  # rows of a tenant; folded, it has a few dozen


class Stand(NamedTuple):
    """Active tickets that stand alike, in the order of `sql.STANDING`."""

    status: str
    level: int
    is_urgent: bool
    is_unassigned: bool
    is_waiting_for_us: bool
    is_unanswered: bool
    is_breached: bool
    tickets: int

    @property
    def is_workable(self) -> bool:
        return self.status in WORKABLE


class Late(NamedTuple):
    """Active tickets at risk, or over and not yet recorded as breached."""

    status: str
    is_urgent: bool
    is_unanswered: bool
    is_over: bool
    tickets: int
    due_at: datetime | None  # the first of them

    @property
    def is_workable(self) -> bool:
        return self.status in WORKABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDue:
    """The first deadlines to come, of tickets that are not over; `unanswered` may have passed already."""

    any: datetime | None
    workable: datetime | None
    unanswered: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveCounts:
    """The active tickets of the open scope's tenant at one instant."""

    stands: Sequence[Stand]
    late: Sequence[Late]

    @property
    def over(self) -> int:
        """Those with a broken promise, recorded already or not yet."""
        return counted(one for one in self.stands if one.is_breached) + counted(
            one for one in self.late if one.is_over
        )


def counted(groups: Iterable[Stand | Late]) -> int:
    """How many tickets the groups hold together."""
    return sum(one.tickets for one in groups)


def active_counts(*, now: datetime) -> ActiveCounts:
    """Every active ticket, counted where it stands."""
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_ACTIVE, {"tenant": current_tenant(), "now": now})
        rows = cursor.fetchall()
    stands, late = [], []
    for is_late, status, level, urgent, unassigned, waiting, unanswered, is_past, tickets, due_at in rows:
        if is_late:
            late.append(Late(status, urgent, unanswered, is_past, tickets, due_at))
        else:
            stands.append(Stand(status, level, urgent, unassigned, waiting, unanswered, is_past, tickets))
    return ActiveCounts(stands=stands, late=late)


def next_due(*, now: datetime) -> NextDue:
    """The next deadlines of the active tickets."""
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_NEXT_DUE, {"tenant": current_tenant(), "now": now})
        row = cursor.fetchone()
    assert row is not None
    return NextDue(any=row[0], workable=row[1], unanswered=row[2])


def fold_standing(*, most: int = FOLD_FROM) -> None:
    """Fold the rows of every tenant that has more than `most`, unless somebody is at it; asked as the worker role."""
    with transaction.atomic("worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.TRY_STANDING)
        if cursor.fetchone() == (True,):
            cursor.execute(sql.FOLD_STANDING, [most])


def recount_standing() -> None:
    """Count every tenant's active tickets anew; needed where tickets were written past the triggers.

    Asked as the owner, who is given the time that a large desk needs.
    """
    with transaction.atomic("owner", durable=True), connections["owner"].cursor() as cursor:
        cursor.execute(sql.LOCK_STANDING)
        cursor.execute(sql.RECOUNT_STANDING)
