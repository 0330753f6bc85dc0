"""What is handed out together: planned, written down, and read back to be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from flowdesk.core.actor import Actor, ActorKind
from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.balance import BalancePlan, Movable, balance
from flowdesk.engine.facts import Priority
from flowdesk.routing import sql
from flowdesk.routing.models import Bulk, BulkKind, Move
from flowdesk.routing.services import asked_of, candidates
from flowdesk.tickets.states import WORKABLE

PREFIX = "blk"
HANDS_OFF = timedelta(hours=1)  # what was taken back to its queue is left to people for so long
LOOKED_AT = 2_000  # tickets of a team that a plan looks at, the soonest deadline first


class AlreadyUndone(DomainError):
    """These assignments have been taken back before."""

    code = "already_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A ticket that changed hands: by row ids, None where it had no team or agent."""

    ticket: int
    team_before: int | None
    agent_before: int | None
    team: int | None
    agent: int | None
    reason: str = ""


def plan_balance(team: int, *, weights: Mapping[Priority, int], at: datetime) -> BalancePlan:
    """How the team's tickets could be evened out at this instant; nothing is moved."""
    people = candidates(team, weights=weights, dedicated=None, at=at)
    with connection.cursor() as cursor:
        cursor.execute(sql.HELD, [current_tenant(), team, [status.value for status in WORKABLE], LOOKED_AT])
        rows = cursor.fetchall()
    asked = asked_of([ticket for ticket, *_ in rows])
    return balance(
        people,
        [
            Movable(
                ticket=ticket, agent=str(agent), weight=weights[Priority(priority)], language=language or None,
                skills=frozenset(asked[ticket].want_skills if ticket in asked else ()), due_at=due_at,
                is_begun=is_begun, is_theirs=bool(is_theirs),
            )
            for ticket, agent, priority, language, due_at, is_begun, is_theirs in rows
        ],
    )  # fmt: skip


def keep_bulk(
    public_id: UUID,
    moves: Sequence[Moved],
    *,
    kind: BulkKind,
    by: Actor,
    at: datetime,
    undoes: Bulk | None = None,
) -> Bulk:
    """Write down what changed hands; a bulk of several acts is opened by the first of them that moves something."""
    bulk, _ = Bulk.objects.get_or_create(
        tenant_id=current_tenant(),
        public_id=public_id,
        defaults={
            "kind": kind,
            "at": at,
            "user_id": by.id if by.kind is ActorKind.USER else None,
            "undoes": undoes,
        },
    )
    columns: list[list[Any]] = [
        [getattr(one, name) for one in moves]
        for name in ("ticket", "team_before", "agent_before", "team", "agent", "reason")
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.INSERT_MOVES, [current_tenant(), bulk.id, *columns])
    return bulk


def lock_bulk(public_id: str) -> Bulk:
    """A bulk that is about to be undone. Raises NotFound, AlreadyUndone."""
    bulk = Bulk.objects.select_for_update(of=("self",)).filter(public_id=parsed(PREFIX, public_id)).first()
    if bulk is None or bulk.kind == BulkKind.UNDONE:
        raise NotFound
    if Bulk.objects.filter(undoes=bulk).exists():
        raise AlreadyUndone
    return bulk


def moves_of(bulk: Bulk) -> list[Move]:
    """What a bulk moved, by ticket: in the order in which tickets are locked."""
    return list(Move.objects.filter(bulk=bulk).order_by("ticket_id"))


def moves_in(bulk_id: str) -> QuerySet[Move]:
    """What the bulk of a public id moved; nothing where there is none."""
    try:
        return Move.objects.filter(bulk__public_id=parsed(PREFIX, bulk_id))
    except NotFound:
        return Move.objects.none()


def taken_back(*, at: datetime) -> list[int]:
    """Tickets that were taken back to their queue a short while ago, and have not changed hands since."""
    with connection.cursor() as cursor:
        cursor.execute(sql.TAKEN_BACK, [current_tenant(), at - HANDS_OFF])
        return [ticket for (ticket,) in cursor.fetchall()]


def name_of(public_id: UUID) -> str:
    """A bulk's id as it is shown."""
    return shown(PREFIX, public_id)
