"""Tickets change hands by the dozen: a team is evened out, and what was handed out together is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import act
from flowdesk.engine.balance import MOST, MoveReason
from flowdesk.flows.desk import Work, close_work, give, work_on
from flowdesk.people import queries as people
from flowdesk.people.models import Team
from flowdesk.routing import bulks
from flowdesk.routing.bulks import Moved
from flowdesk.routing.models import Bulk, BulkKind
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMove:
    """A move of a plan that somebody has looked at, by row ids."""

    ticket: int
    before: int
    after: int
    reason: MoveReason


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """What became of a bulk: how many tickets moved, and how many were left because they have changed since."""

    bulk: str
    moved: int
    kept: int


@act
def even_out(team: str, moves: Sequence[WantedMove], *, by: Actor, now: datetime) -> HandedOut:
    """Make the moves of a plan within a team (N12). A ticket that has changed since it was made stays where it is.

    Raises NotFound for a team that is not there, Invalid for an agent who is not in it.
    """
    by.must(Act.AUTOMATE)
    if not moves or len(moves) > MOST:
        raise Invalid(Fault("move", f"names none, or more than {MOST}"))
    row = Team.objects.filter(slug=team).first()
    if row is None:
        raise NotFound
    members = people.member_ids(row.id)
    if any(move.after not in members for move in moves):
        raise Invalid(Fault("move", "names somebody who is not in the team"))
    wanted = {move.ticket: move for move in moves}
    bulk = new_id(now)
    works = [
        work
        for work in work_on(tickets.lock_tickets(sorted(wanted)))
        if _stands(work.ticket, team=row.id, agent=wanted[work.ticket.id].before)
        # What somebody has begun to answer since stays with them, unless they are away.
        and (not work.ticket.reply_count or wanted[work.ticket.id].reason is MoveReason.AWAY)
    ]
    made = [
        _hand(
            work, team=None, agent=wanted[work.ticket.id].after, by=by, at=now, because="rebalanced", bulk=bulk,
            reason=wanted[work.ticket.id].reason.value,
        )
        for work in works
    ]  # fmt: skip
    return _keep(works, made, bulk, BulkKind.REBALANCED, AuditAct.TEAM_EVENED_OUT, len(moves), by=by, at=now)


@act
def undo_bulk(bulk_id: str, *, by: Actor, now: datetime) -> HandedOut:
    """Take back what was handed out together; what somebody has given elsewhere since, or settled, stays as it is.

    Raises NotFound, AlreadyUndone.
    """
    by.must(Act.AUTOMATE)
    undone = bulks.lock_bulk(bulk_id)
    moves = {move.ticket_id: move for move in bulks.moves_of(undone)}
    gone = people.agents_by_id(move.agent_before_id for move in moves.values() if move.agent_before_id)
    left = {agent for agent, row in gone.items() if row.left_at is not None}
    teams = {team.id: team for team in people.teams()}
    bulk = new_id(now)
    works = [
        work
        for work in work_on(tickets.lock_tickets(sorted(moves)))
        if _stands(work.ticket, team=moves[work.ticket.id].team_id, agent=moves[work.ticket.id].agent_id)
    ]
    made = []
    for work in works:
        move = moves[work.ticket.id]
        agent = None if move.agent_before_id in left else move.agent_before_id
        back = teams.get(move.team_before_id or 0) if move.team_before_id != move.team_id else None
        made.append(_hand(work, team=back, agent=agent, by=by, at=now, because="undone", bulk=bulk))
    return _keep(
        works, made, bulk, BulkKind.UNDONE, AuditAct.ASSIGNMENTS_UNDONE, len(moves), by=by, at=now, undoes=undone
    )  # fmt: skip


def _stands(ticket: Ticket, *, team: int | None, agent: int | None) -> bool:
    return ticket.is_active and ticket.team_id == team and ticket.assignee_id == agent


def _hand(
    work: Work,
    *,
    team: people.TeamRow | None,
    agent: int | None,
    by: Actor,
    at: datetime,
    because: str,
    bulk: UUID,
    reason: str = "",
) -> Moved:
    before = work.ticket.team_id, work.ticket.assignee_id
    give(work, team=team, agent=agent, by=by, at=at, because=because, bulk=bulks.name_of(bulk))
    return Moved(
        ticket=work.ticket.id, team_before=before[0], agent_before=before[1], team=work.ticket.team_id, agent=agent,
        reason=reason,
    )  # fmt: skip


def _keep(
    works: Sequence[Work],
    made: Sequence[Moved],
    bulk: UUID,
    kind: BulkKind,
    said: AuditAct,
    asked: int,
    *,
    by: Actor,
    at: datetime,
    undoes: Bulk | None = None,
) -> HandedOut:
    if works:
        close_work(*works, by=by, at=at)
    row = bulks.keep_bulk(bulk, made, kind=kind, by=by, at=at, undoes=undoes)
    record_act(
        said,
        thing="bulk",
        thing_id=row.id,
        by=by,
        at=at,
        after={"moved": len(made), "kept": asked - len(made)},
    )
    return HandedOut(bulk=shown(bulks.PREFIX, bulk), moved=len(made), kept=asked - len(made))
