"""The ticket automation: everything that is due is done, and the queue is given out (F-HUB-12).

A run is several acts one after the other, each whole by itself, so that a long run holds no locks and one that
dies midway has still done what it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flowdesk.automations import services as automations
from flowdesk.automations.services import Run, Trigger
from flowdesk.core.actor import Act, Actor, system
from flowdesk.core.tenant import act, reading
from flowdesk.escalation.models import Escalation
from flowdesk.flows.desk import close_work, give, work_on
from flowdesk.flows.escalate import wake_each
from flowdesk.routing import services as routing
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import WORKABLE

ROUND = 200  # tickets an act takes at the most


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A finished run and what it did: `woken`, `assigned`, `escalated` and `queued` (left without an agent)."""

    id: UUID
    started_at: datetime
    counts: Mapping[str, Any]
    is_repeat: bool


def run_automation(*, trigger: Trigger, by: Actor, now: datetime, slot: str = "") -> Ran:
    """Run the automation of the actor's tenant now. Raises AlreadyRunning while another run goes on.

    A slot that was run before is not run again: its answer is given once more.
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
    finally:
        _end(run, counts, by=by, now=now)
    return Ran(id=run.public_id, started_at=run.started_at, counts=counts, is_repeat=False)


@act
def _begin(trigger: Trigger, slot: str, *, by: Actor, now: datetime) -> Run:
    return automations.start_run(trigger=trigger, at=now, slot=slot, user=by.id)


@act
def _end(run: Run, counts: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    automations.end_run(run.id, counts=counts, at=now)


@act
def drain_queue(*, by: Actor, now: datetime) -> tuple[int, int]:
    """Give queued tickets to whoever can take them, the oldest deadline first.

    Returns how many found an agent and how many still wait.
    """
    by.must(Act.ASSIGN)
    assigned = waiting = 0
    for work in work_on(tickets.claim_queue(WORKABLE, limit=ROUND)):
        ticket = work.ticket
        assert ticket.team_id is not None
        picked = routing.pick_agent(
            ticket.team_id,
            language=ticket.language or None,
            dedicated=work.customer.dedicated_agent_id,
            at=now,
        )
        if picked.agent is None:
            waiting += 1
            continue
        give(work, team=None, agent=int(picked.agent), by=by, at=now, because="drained")
        # Saved at once, so that the next pick sees this agent's load.
        close_work(work, by=by, at=now)
        assigned += 1
    return assigned, waiting
