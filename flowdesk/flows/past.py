"""A ticket that lived elsewhere: what happened to it happens to its promises again, at the time it did.

Nothing is sent and nobody is woken for what is past: events are born dispatched, and rungs that time has passed
are passed without an escalation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowdesk.core.actor import Actor
from flowdesk.core.staging import Stage, lines_of
from flowdesk.engine.business_time import due_at
from flowdesk.engine.lives import Turn, live
from flowdesk.engine.promises import WaitReason
from flowdesk.flows.desk import state_rules
from flowdesk.sla import services as sla
from flowdesk.sla import sql
from flowdesk.sla.services import Desk
from flowdesk.tickets import bulk
from flowdesk.tickets.models import Wait
from flowdesk.tickets.services import NewEvent
from flowdesk.tickets.states import EventKind, Status


@dataclass(slots=True)
class Past:
    """One such ticket on its desk, with the events and waits of its life so far."""

    desk: Desk
    by: Actor
    events: list[NewEvent] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    def log(self, kind: EventKind, at: datetime, /, *, also: bool = False, **data: object) -> bool:
        """One line; further lines of the same save say `also`. Always true, for the next of them."""
        more = {"also": True} if also else {}
        self.events.append(
            NewEvent(
                ticket=self.desk.ticket.id,
                kind=kind,
                at=at,
                by=self.by,
                data={**data, **more},
                is_silent=True,
            )
        )
        return True

    def begin_wait(self, reason: WaitReason, at: datetime) -> None:
        ticket = self.desk.ticket
        wait = Wait(
            tenant_id=ticket.tenant_id, ticket_id=ticket.id, reason=reason.value, started_at=at, ends_by=at
        )
        self.desk.waits.append(wait)
        self.waits.append(wait)

    def end_wait(self, reason: WaitReason, at: datetime) -> None:
        for wait in self.desk.waits:
            if wait.reason == reason.value and wait.ended_at is None:
                wait.ended_at = at

    def live(self, turns: Sequence[Turn], *, to: datetime) -> None:
        """Let a whole life happen, up to the present."""
        self.desk.promises = live(turns, terms=self.desk.terms, to=to)
        self._arrive(to)

    def come_to(self, now: datetime) -> None:
        """Let time pass from what happened last up to the present."""
        sla.pass_time(self.desk, to=now)
        self._arrive(now)

    def _arrive(self, now: datetime) -> None:
        """In the present a wait that is still open has its bound.

        It ends as the policy says, counted from today: its past was another desk's.
        """
        if self.desk.ticket.is_active:
            self.desk.ticket.level_entered_at = now  # rules on time in a level count from here on
        if not self.desk.waits:
            return
        promises = self.desk.policy.promises
        calendar = promises.calendars[promises.default_calendar]
        for wait in self.desk.waits:
            rule = promises.waits.get(WaitReason(wait.reason))
            if wait.ended_at is not None:
                wait.ends_by = wait.ended_at
            elif rule is not None:
                wait.ends_by = due_at(calendar, now, rule.longest.amount, rule.longest.unit)


@dataclass(frozen=True, slots=True)
class Told:
    """Some pasts as they will be written."""

    tickets: str
    messages: str
    explanations: str
    events: str
    clocks: str
    waits: Sequence[Wait]


def told(
    pasts: Sequence[Past],
    *,
    messages: Iterable[Sequence[Any]] = (),
    explanations: Iterable[Sequence[Any]] = (),
    first: int = 0,
    now: datetime,
) -> Told:
    """Write pasts down with their words and why they stand so, without asking the database.

    `first` is the place of the first ticket among those of the act.
    """
    clocks = lines_of(sla.new_clock_rows([past.desk for past in pasts], wakes=lambda desk: _wakes(desk, now)))
    tickets = [past.desk.ticket for past in pasts]
    events = (event for past in pasts for event in past.events)
    return Told(
        tickets=lines_of(bulk.ticket_rows(tickets, first=first)),
        messages=lines_of(messages),
        explanations=lines_of(explanations),
        events=lines_of(bulk.event_rows(tickets[0].tenant_id, events)),
        clocks=clocks,
        waits=[wait for past in pasts for wait in past.waits],
    )


def keep_told(parts: Iterable[Told], *, count: int) -> None:
    """Store the parts of one act, each as soon as it is there; tickets come last and get numbers in their order."""
    with Stage({**bulk.STAGED, **sql.STAGED}) as stage:
        for part in parts:
            stage.copy(bulk.MESSAGES, part.messages)
            stage.copy(bulk.EXPLANATIONS, part.explanations)
            stage.copy(bulk.EVENTS, part.events)
            stage.copy(sql.CLOCKS, part.clocks)
            stage.copy(bulk.TICKETS, part.tickets)
            stage.move(bulk.MESSAGES, bulk.EXPLANATIONS, bulk.EVENTS, sql.CLOCKS)
            Wait.objects.bulk_create(part.waits)
        bulk.insert_tickets(count)


def _wakes(desk: Desk, now: datetime) -> Iterator[datetime]:
    """When to look at a ticket, beside its clocks: its closing, the ends of its waits, its time in this level."""
    ticket = desk.ticket
    if ticket.status == Status.RESOLVED and ticket.resolved_at is not None:
        yield ticket.resolved_at + desk.policy.promises.closes_after
    if ticket.is_active:
        yield from (wait.ends_by for wait in desk.waits if wait.ended_at is None)
        yield from (due for _, due in state_rules(desk) if due > now)
