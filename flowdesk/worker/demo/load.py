"""Loads the demo: the cast is seated, a week is drawn and played, and told of in a few numbers."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from flowdesk.accounts.models import Tenant
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.flows import learn
from flowdesk.tickets.models import IS_ACTIVE, Ticket
from flowdesk.tickets.states import Status
from flowdesk.triage.learned import Target, name_of
from flowdesk.triage.models import LearnedModel
from flowdesk.worker.demo.play import Player, all_at_once
from flowdesk.worker.demo.sample import library
from flowdesk.worker.demo.script import Case, Numbers, new_case, week_until
from flowdesk.worker.demo.stage import must_be_demo, seat_cast, send_away, stage_of

SEED = 4711
LEARNED = (Target.CATEGORY, Target.PRIORITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load has made, or what was there before."""

    tickets: int
    active: int
    over: int
    at_risk: int  # three quarters of a promise spent and not over
    waiting: int
    unassigned: int
    acts: int = 0
    seconds: float = 0.0


def has_tickets(tenant: Tenant) -> bool:
    """Whether anything was ever opened in the tenant."""
    with reading(tenant.id):
        return bool(Ticket.objects.exists())


def load_week(
    tenant: Tenant,
    *,
    now: datetime,
    progress: Callable[[int, int], None],
    numbers: Numbers | None = None,
    seed: int = SEED,
) -> Loaded:
    """Fill an empty demo tenant with the week before `now`. Raises NotADemo for any other tenant.

    Interrupted at any point it leaves no ticket, and can be asked for again.
    """
    must_be_demo(tenant)
    began = time.monotonic()
    seat_cast(tenant, at=now)
    send_away(tenant, at=now)
    stage = stage_of(tenant)
    wanted = numbers or Numbers()
    cases = week_until(now, library=library(), guests=stage.guests, numbers=wanted, seed=seed)
    chance = Random(seed + 1)  # noqa: S311 - a script, no secret
    player = Player(stage=stage, library=library(), chance=chance, ends_at=now, progress=progress)
    patient = [guest for guest in stage.guests if guest.tier in ("professional", "starter", "free")]

    def fresh(at: datetime) -> Case:
        return new_case(at, library=library(), guests=patient, chance=chance)

    with all_at_once(tenant.id):
        threads = player.play(cases)
        player.tidy(threads, running=wanted.running, waiting=wanted.waiting, fresh=fresh)
    return count(tenant, now=now, acts=player.flows, seconds=time.monotonic() - began)


def train_models(tenant: Tenant, *, clock: Callable[[], datetime]) -> list[LearnedModel]:
    """Learn from the week as any desk does, and see how that went; nothing where there is nothing to train with."""
    must_be_demo(tenant)
    if not learn.can_train():
        return []
    by, rows = system(tenant.id, name="demo"), list[LearnedModel]()
    for target in LEARNED:
        row = learn.begin_training(target, by=by, now=clock())
        # At once, in this process, which ends soon: the job that was put into the queue finds nothing left to do, and
        # the worker never loads what trains.
        learn.train(name_of(row.public_id), by=by, clock=clock)
        with reading(tenant.id):
            rows.append(LearnedModel.objects.defer("data").get(id=row.id))
    return rows


def count(tenant: Tenant, *, now: datetime, acts: int = 0, seconds: float = 0.0) -> Loaded:
    """How the tenant stands."""
    with reading(tenant.id):
        rows = list(
            Ticket.objects.filter(IS_ACTIVE).values_list(
                "status", "due_at", "at_risk_at", "is_breached", "assignee_id"
            )
        )
        tickets = Ticket.objects.count()
    lanes = Counter(_lane(*row[:-1], now=now) for row in rows)
    return Loaded(
        tickets=tickets, active=len(rows), over=lanes["over"], at_risk=lanes["at_risk"], waiting=lanes["waiting"],
        unassigned=sum(assignee is None for *_, assignee in rows), acts=acts, seconds=round(seconds, 1),
    )  # fmt: skip


def _lane(
    status: str,
    due_at: datetime | None,
    at_risk_at: datetime | None,
    is_breached: bool,  # noqa: FBT001 - a column
    *,
    now: datetime,
) -> str:
    if is_breached or (due_at is not None and due_at <= now):
        return "over"
    if at_risk_at is not None and at_risk_at <= now:
        return "at_risk"
    return "waiting" if status in (Status.PENDING, Status.ON_HOLD) else "on_time"
