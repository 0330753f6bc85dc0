"""The ticket automation: everything that is due is done, and the queue is given out (F-HUB-12).

A run is several acts one after the other, each whole by itself, so that a long run holds no locks and one that
dies midway has still done what it did.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseError

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.automations import services as automations
from flowdesk.automations.services import Run, Trigger
from flowdesk.core import metrics
from flowdesk.core.actor import Act, Actor, system
from flowdesk.core.ids import new_id
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.core.tenant import act, reading
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows.desk import close_work, give, work_on
from flowdesk.flows.escalate import wake_each
from flowdesk.policies.services import current_policy
from flowdesk.routing import bulks
from flowdesk.routing import services as routing
from flowdesk.routing.bulks import Moved
from flowdesk.routing.models import BulkKind
from flowdesk.routing.services import Asked
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import WORKABLE

log = logging.getLogger("flowdesk.worker")
ROUND = 200  # tickets taken at a time: woken in one act, or looked at in the queue of a team and language
PAGES = 5  # how often the queue of a team and language is looked at further down, where those in front were in vain
PART = 20  # queued tickets given out in one act: the locks are held briefly, and a bad row spoils few
SAID_AGAIN = timedelta(
    hours=1
)  # a ticket that cannot be given out fails every round; once in a while is told
_said: dict[int, datetime] = {}  # when its failure was last told
Seat = tuple[int, str, tuple[str, ...]]  # a team, a language and skills: who could take a ticket of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A finished run and what it did: `woken`, `assigned`, `escalated` and `queued` (left without an agent)."""

    id: UUID
    started_at: datetime
    counts: Mapping[str, Any]
    is_repeat: bool


def run_automation(*, trigger: Trigger, by: Actor, now: datetime, slot: str = "") -> Ran:
    """Run the automation of the actor's tenant now. Raises AlreadyRunning while another run goes on.

    A slot that was run before is not run again: its answer is given once more. A run that breaks off raises
    what broke it and gives its slot back.
    """
    by.must(Act.AUTOMATE)
    run = _begin(trigger, slot, by=by, now=now)
    if run.is_repeat:
        return Ran(id=run.public_id, started_at=run.started_at, counts=run.counts, is_repeat=True)
    engine = system(by.tenant, name="automation")
    counts: dict[str, Any] = {"woken": 0, "assigned": 0, "escalated": 0, "queued": 0}
    try:
        with reading(by.tenant):
            due = list(
                Ticket.objects.filter(wake_at__lte=now)
                .order_by("wake_at")
                .values_list("id", flat=True)[:5000]
            )
        for start in range(0, len(due), ROUND):
            counts["woken"] += wake_each(due[start : start + ROUND], by=engine, now=now)
        counts["assigned"], counts["queued"] = drain_queue(by=engine, now=now)
        with reading(by.tenant):
            counts["escalated"] = Escalation.objects.filter(opened_at=now, due_at__isnull=False).count()
    except BaseException:
        # Not the answer to its slot: the next try must run. The fault that brought us here is the one to tell.
        metrics.AUTOMATION_RUNS.add(trigger.value, "failed")
        with suppress(DatabaseError):
            _fail(run, counts, by=by, now=now)
        raise
    _end(run, counts, by=by, now=now)
    metrics.AUTOMATION_RUNS.add(trigger.value, "done")
    return Ran(id=run.public_id, started_at=run.started_at, counts=counts, is_repeat=False)


@act
def _begin(trigger: Trigger, slot: str, *, by: Actor, now: datetime) -> Run:
    run = automations.start_run(trigger=trigger, at=now, slot=slot, user=by.id)
    if trigger is not Trigger.SCHEDULE and not run.is_repeat:
        record_act(
            AuditAct.AUTOMATION_RUN,
            thing="automation_run",
            thing_id=run.id,
            by=by,
            at=now,
            after={"trigger": trigger.value},
        )
    return run


@act
def _end(run: Run, counts: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    automations.end_run(run.id, counts=counts, at=now)


@act
def _fail(run: Run, counts: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    automations.fail_run(run.id, counts=counts, at=now)


def drain_queue(*, by: Actor, now: datetime) -> tuple[int, int]:
    """Give queued tickets to whoever can take them, the oldest deadline first; but none that was just taken back.

    Several acts, each whole by itself; a ticket that cannot be given out holds up no other. Returns how many
    found an agent and how many still wait.
    """
    by.must(Act.ASSIGN)
    with reading(by.tenant):
        lengths = tickets.queue_lengths(WORKABLE)
        weights = current_policy().routing.weights
        teams = [team for team in lengths if _has_room(team, weights, at=now)]
        looked_at = bulks.taken_back(at=now) if teams else []
    assigned = 0
    bulk = new_id(now)  # whatever this round hands out can be looked at, and taken back, together
    in_vain: set[Seat] = set()
    for _ in range(PAGES if teams else 0):
        # Many that ask for a skill nobody free has must not hide those that somebody could take.
        with reading(by.tenant):
            queue = tickets.queue_heads(WORKABLE, teams=teams, but=looked_at, limit=ROUND)
            asked = routing.asked_of([one.id for one in queue])
        looked_at += [one.id for one in queue]
        is_last = len(queue) < ROUND
        while queue:
            # Nobody comes free while we hand out: who was looked for in vain once is not looked for again.
            queue = [one for one in queue if _seat(one.team, one.language, asked.get(one.id)) not in in_vain]
            part, queue = queue[:PART], queue[PART:]
            if part:
                given, missing = _give_each([one.id for one in part], asked, bulk, by=by, now=now)
                assigned += given
                in_vain |= missing
        if is_last:
            break
    return assigned, sum(lengths.values()) - assigned


def _seat(team: int, language: str, asked: Asked | None) -> Seat:
    return team, language, asked.want_skills if asked else ()


def _has_room(team: int, weights: Mapping[Priority, int], *, at: datetime) -> bool:
    """Whether anybody of the team could take a ticket, whatever its language."""
    return any(
        one.is_on_shift and one.is_available and one.load < one.capacity
        for one in routing.candidates(team, weights=weights, dedicated=None, at=at)
    )


def _give_each(
    ids: Sequence[int], asked: Mapping[int, Asked], bulk: UUID, *, by: Actor, now: datetime
) -> tuple[int, set[Seat]]:
    """Give tickets out together; if that fails, each by itself, and pass the bad one over (law 7)."""
    try:
        return _give_out(ids, asked, bulk, by=by, now=now)
    except Exception as fault:
        if is_database_away(fault):
            raise
        if len(ids) == 1:
            _say_failed(ids[0], fault, by=by, now=now)
            return 0, set()
        given, in_vain = 0, set[Seat]()
        for one in ids:
            more, missing = _give_each([one], asked, bulk, by=by, now=now)
            given += more
            in_vain |= missing
        return given, in_vain


def _say_failed(ticket: int, fault: Exception, *, by: Actor, now: datetime) -> None:
    if ticket in _said and now - _said[ticket] < SAID_AGAIN:
        return
    _said[ticket] = now
    log.error("drain_failed", exc_info=fault, extra={"tenant": by.tenant, "ticket": ticket})


@act
def _give_out(
    ids: Sequence[int], asked: Mapping[int, Asked], bulk: UUID, *, by: Actor, now: datetime
) -> tuple[int, set[Seat]]:
    """Returns how many found an agent, and the seats for which there was none; what another act gives out at this
    moment is left to it."""
    moved: list[Moved] = []
    in_vain: set[Seat] = set()
    if not routing.try_drain():
        return 0, in_vain
    for work in work_on(tickets.claim_queue(ids, statuses=WORKABLE)):
        ticket = work.ticket
        assert ticket.team_id is not None
        seat = _seat(ticket.team_id, ticket.language, asked.get(ticket.id))
        if seat in in_vain:
            continue
        picked = routing.hold_free_agent(
            ticket.team_id,
            asked.get(ticket.id),
            wish=routing.wish_of(ticket, work.customer),
            rules=work.desk.policy.routing,
            at=now,
        )
        if picked is None:
            continue  # who could take it is being given something: a busy ticket is simply due next round
        if picked.agent is None:
            in_vain.add(seat)
            continue
        agent = int(picked.agent)
        give(work, team=None, agent=agent, by=by, at=now, because="drained", bulk=bulks.name_of(bulk))
        tickets.explain(ticket, {"assignment": routing.assignment_trace(picked)}, at=now)
        # Saved at once, so that the next pick sees this agent's load.
        close_work(work, by=by, at=now)
        moved.append(
            Moved(
                ticket=ticket.id,
                team_before=ticket.team_id,
                agent_before=None,
                team=ticket.team_id,
                agent=agent,
            )
        )
    if moved:
        bulks.keep_bulk(bulk, moved, kind=BulkKind.DRAINED, by=by, at=now)
    return len(moved), in_vain
