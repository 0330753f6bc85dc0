"""Keeps the demo alive: every half minute or so somebody does one plausible thing, through the flows.

The desk stays as big as it is: above `FULL` active tickets agents finish more than comes in, below `THIN`
more comes in. Nothing is deleted, nothing outside the demo's tenant is touched.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import Q, QuerySet

from flowdesk.accounts.models import Tenant
from flowdesk.core.actor import ActorKind
from flowdesk.core.errors import DomainError
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation, EscalationState
from flowdesk.flows import escalate, receive, work
from flowdesk.tickets.models import IS_ACTIVE, Ticket, TicketEvent
from flowdesk.tickets.signals import is_over
from flowdesk.tickets.states import Channel, EventKind, Status
from flowdesk.worker.demo.play import open_case
from flowdesk.worker.demo.sample import Library, library
from flowdesk.worker.demo.script import new_case
from flowdesk.worker.demo.stage import Stage, guest_actor, stage_of
from flowdesk.worker.demo.words import answer, line

log = logging.getLogger("flowdesk.demo")
PAUSE = (20.0, 60.0)  # seconds between two happenings
HURRY = (2.0, 6.0)  # after a long absence the desk catches up
THIN, FULL = 105, 135  # active tickets
OVER_IS_ENOUGH = 6  # more tickets than this past a promise are worked off first
OVER_IS_FEW = 2
QUEUE_IS_LONG = 6
WAITING = 45
SOON = timedelta(minutes=9)
WORKABLE = Q(status__in=[Status.NEW, Status.OPEN])


def keep_moving(tenant: Tenant, stop: threading.Event, *, chance: Random | None = None) -> None:
    """Until `stop` is set. Raises NotADemo for a tenant that people work in."""
    mover = Mover(stage=stage_of(tenant), library=library(), chance=chance or Random())  # noqa: S311 - plausible, no secret
    while not stop.wait(mover.chance.uniform(*(HURRY if mover.is_behind else PAUSE))):
        try:
            mover.move(now=now())
        except DomainError:
            log.info("somebody_was_faster", exc_info=True)  # a visitor works here too
        except DatabaseError:
            log.warning("database_unavailable", exc_info=True)
            connections.close_all()
    connections.close_all()


@dataclass(slots=True)
class Mover:
    """Everybody in the demo, one act at a time."""

    stage: Stage
    library: Library
    chance: Random
    is_behind: bool = False

    def move(self, *, now: datetime) -> str:
        """Do one thing and say which; "nothing" when there was no occasion for it."""
        deed = self._choose(now)
        return deed.__name__.removeprefix("_") if deed(now) else "nothing"

    def _choose(self, now: datetime) -> Callable[[datetime], bool]:
        """What somebody would do now; the lanes pull back to where they ought to be."""
        with reading(self.stage.tenant):
            active = Ticket.objects.filter(IS_ACTIVE).count()
            waiting = Ticket.objects.filter(IS_ACTIVE).exclude(WORKABLE).count()
            over = Ticket.objects.filter(IS_ACTIVE, is_over(now)).count()
            soon = Ticket.objects.filter(IS_ACTIVE, is_breached=False, due_at__gt=now, due_at__lte=now + SOON)
            are_due = soon.count()
            queued = Ticket.objects.filter(WORKABLE, assignee__isnull=True).count()
        self.is_behind = over > 2 * OVER_IS_ENOUGH
        if over > OVER_IS_ENOUGH and self.chance.random() < 0.7:
            return self._work_off
        if active < THIN:
            return self._write_anew
        if active > FULL:
            return self._finish
        # With few over, some promises are left to break, so that there is something to see.
        if are_due and self.chance.random() < (0.3 if over <= OVER_IS_FEW else 0.85):
            return self._keep_a_promise
        if queued > QUEUE_IS_LONG and self.chance.random() < 0.3:
            return self._take_from_queue
        many_wait = waiting > WAITING
        deeds = [
            (self._write_anew, 24), (self._finish, 22), (self._answer_wait, 18 if many_wait else 6),
            (self._ask, 6 if many_wait else 16), (self._nudge, 9), (self._hold, 3), (self._note, 5),
            (self._take_escalation, 6), (self._take_from_queue, 6), (self._alarm, 1),
            (self._work_off, 0 if over <= OVER_IS_FEW else 6),
        ]  # fmt: skip
        return self.chance.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]

    # -- customers

    def _write_anew(self, now: datetime) -> bool:
        """A new ticket."""
        open_case(new_case(now, library=self.library, guests=self.stage.guests, chance=self.chance), self.stage,
                  self.library, at=now)  # fmt: skip
        return True

    def _alarm(self, now: datetime) -> bool:
        """An enterprise customer's P1."""
        case = new_case(
            now, library=self.library, guests=self.stage.guests, chance=self.chance, priority=Priority.P1
        )
        open_case(case, self.stage, self.library, at=now)
        return True

    def _answer_wait(self, now: datetime) -> bool:
        """A customer who was asked answers."""
        return self._customer(Q(status=Status.PENDING), "answer", now)

    def _nudge(self, now: datetime) -> bool:
        """A customer asks again."""
        return self._customer(WORKABLE, "nudge", now)

    def _customer(self, which: Q, kind: str, now: datetime) -> bool:
        ticket = self._pick(which & Q(contact__isnull=False))
        if ticket is None:
            return False
        text = line(kind, language=ticket.language, library=self.library, chance=self.chance)
        receive.take_message(
            _id(ticket), text=text, channel=Channel(ticket.channel), by=guest_actor(self.stage, ticket.contact_id),
            now=now, contact=ticket.contact_id,
        )  # fmt: skip
        return True

    # -- agents

    def _keep_a_promise(self, now: datetime) -> bool:
        """The ticket that is due next is answered, or finished when it is its end that is due."""
        return self._look_after(self._first(Q(is_breached=False, due_at__gt=now)), now)

    def _work_off(self, now: datetime) -> bool:
        """The ticket that is most overdue."""
        return self._look_after(self._first(is_over(now)), now)

    def _look_after(self, ticket: Ticket | None, now: datetime) -> bool:
        if ticket is None:
            return False
        if ticket.status in (Status.PENDING, Status.ON_HOLD) or (
            ticket.reply_count and self.chance.random() < 0.5
        ):
            return self._end(ticket, now)
        return self._reply(ticket, "update" if ticket.reply_count else "work", now)

    def _finish(self, now: datetime) -> bool:
        """One of the older tickets is done."""
        with reading(self.stage.tenant):
            oldest = list(
                Ticket.objects.filter(WORKABLE, reply_count__gt=0).order_by("created_at", "id")[:30]
            )
        return bool(oldest) and self._end(self.chance.choice(oldest), now)

    def _ask(self, now: datetime) -> bool:
        """The customer is given the next move."""
        ticket = self._pick(WORKABLE)
        return ticket is not None and self._reply(ticket, "ask", now, then_wait=True)

    def _hold(self, now: datetime) -> bool:
        """Somebody else's move: the supplier's."""
        ticket = self._pick(WORKABLE & Q(reply_count__gt=0))
        if ticket is None:
            return False
        by = self.stage.somebody(team=ticket.team_id, assignee=ticket.assignee_id, at=now)
        work.wait(_id(ticket), reason=WaitReason.THIRD_PARTY, note="Payment provider", by=by, now=now)
        return True

    def _note(self, now: datetime) -> bool:
        """A word among colleagues."""
        ticket = self._pick(WORKABLE)
        if ticket is None:
            return False
        by = self.stage.somebody(team=ticket.team_id, assignee=ticket.assignee_id, at=now)
        text = line("note", language=ticket.language, library=self.library, chance=self.chance)
        work.add_note(_id(ticket), text=text, by=by, now=now)
        return True

    def _take_from_queue(self, now: datetime) -> bool:
        """A ticket nobody has is taken."""
        ticket = self._pick(WORKABLE & Q(assignee__isnull=True))
        if ticket is None:
            return False
        work.take(_id(ticket), by=self.stage.somebody(team=ticket.team_id, assignee=None, at=now), now=now)
        return True

    def _take_escalation(self, now: datetime) -> bool:
        """Whoever an escalation went to takes it."""
        with reading(self.stage.tenant):
            one = (
                Escalation.objects.filter(
                    state=EscalationState.OPEN, agent__in=self.stage.actors.keys() - self.stage.away.keys()
                )
                .exclude(ticket_id__in=_visitors())
                .order_by("due_at", "id")
                .first()
            )
        if one is None or one.agent_id is None:
            return False
        escalate.acknowledge(shown("esc", one.public_id), by=self.stage.actors[one.agent_id], now=now)
        return True

    # -- what they have in common

    def _reply(self, ticket: Ticket, kind: str, now: datetime, *, then_wait: bool = False) -> bool:
        by = self.stage.somebody(team=ticket.team_id, assignee=ticket.assignee_id, at=now)
        if ticket.assignee_id is None:
            work.take(_id(ticket), by=by, now=now)
        to = next((guest.name for guest in self.stage.guests if guest.contact == ticket.contact_id), "there")
        text = answer(
            kind, language=ticket.language, to=to, agent=by.name, library=self.library, chance=self.chance
        )
        work.send_reply(_id(ticket), text=text, by=by, now=now, then_wait=then_wait)
        return True

    def _end(self, ticket: Ticket, now: datetime) -> bool:
        self._reply(ticket, "resolve", now)
        by = self.stage.somebody(team=ticket.team_id, assignee=ticket.assignee_id, at=now)
        work.resolve(_id(ticket), by=by, now=now)
        return True

    def _first(self, which: Q) -> Ticket | None:
        with reading(self.stage.tenant):
            return (
                Ticket.objects.filter(IS_ACTIVE, which)
                .exclude(id__in=_visitors())
                .order_by("due_at", "id")
                .first()
            )

    def _pick(self, which: Q) -> Ticket | None:
        with reading(self.stage.tenant):
            found = list(
                Ticket.objects.filter(which)
                .exclude(id__in=_visitors())
                .order_by("id")
                .values_list("id", flat=True)
            )
            return Ticket.objects.get(id=self.chance.choice(found)) if found else None


def _visitors() -> QuerySet[Any, Any]:
    """Tickets that somebody opened with a key, to watch them climb: the demo's people leave those alone.

    The demo's own programs act without a key, so their events name none.
    """
    opened = TicketEvent.objects.filter(
        kind=EventKind.TICKET_OPENED.value, actor_kind=ActorKind.API_KEY.value, actor_id__isnull=False
    )
    return opened.values("ticket_id")


def _id(ticket: Ticket) -> str:
    return shown("tkt", ticket.public_id)
