"""Writes of promises: what a ticket's happenings do to its clocks, stored in two statements at the most."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from flowdesk.core.models import rows_in_binary
from flowdesk.engine.clock import Metric
from flowdesk.engine.promises import Change, Occurrence, Promises, Terms, WaitReason, advance, after
from flowdesk.policies.services import Policy
from flowdesk.sla import sql
from flowdesk.sla.mapping import (
    ClockRow,
    KeptClock,
    clock_of,
    columns_of,
    promises_of,
    summary_of,
    verdict_of,
)
from flowdesk.tickets.mapping import rule_target_of
from flowdesk.tickets.models import Ticket, Wait


@dataclass(slots=True)
class Desk:
    """A locked ticket with its clocks and open waits, and the policy it stands under: what one act works on."""

    ticket: Ticket
    kept: Sequence[KeptClock]
    waits: list[Wait]
    promises: Promises
    tier: str
    policy: Policy

    @property
    def terms(self) -> Terms:
        """What is promised to the ticket as it stands."""
        ticket = self.ticket
        return self.policy.promises.terms(
            priority=ticket.priority, tier=self.tier, level=ticket.level, rule_target=rule_target_of(ticket)
        )


def load_clocks(tenant: int, tickets: Sequence[int]) -> Mapping[int, list[KeptClock]]:
    """The clocks of these tickets, oldest first."""
    kept: dict[int, list[KeptClock]] = {ticket: [] for ticket in tickets}
    for row in map(ClockRow._make, rows_in_binary(sql.LOAD_CLOCKS, [tenant, list(tickets)])):
        kept[row.ticket_id].append(KeptClock(row, clock_of(row)))
    return kept


def new_desk(ticket: Ticket, *, tier: str, policy: Policy) -> Desk:
    """The desk of a ticket that is being opened."""
    promises = Promises(is_proactive=ticket.is_proactive)
    return Desk(ticket=ticket, kept=(), waits=[], promises=promises, tier=tier, policy=policy)


def desk_of(
    ticket: Ticket, *, kept: Sequence[KeptClock], waits: Iterable[Wait], tier: str, policy: Policy
) -> Desk:
    """The desk of a ticket whose rows have been read."""
    waits = [wait for wait in waits if wait.ended_at is None]
    return Desk(
        ticket=ticket,
        kept=kept,
        waits=waits,
        promises=promises_of(ticket, kept, waits),
        tier=tier,
        policy=policy,
    )


def happen(
    desk: Desk,
    *occurrences: Occurrence,
    at: datetime,
    waits: Iterable[WaitReason] = (),
    ended_waits: Iterable[WaitReason] = (),
) -> Change:
    """Apply what happened to the desk's promises; nothing is stored until `keep`."""
    change = after(desk.promises, occurrences, at=at, terms=desk.terms, waits=waits, ended_waits=ended_waits)
    desk.promises = change.promises
    return change


def pass_time(desk: Desk, *, to: datetime) -> Change:
    """Apply time alone."""
    change = advance(desk.promises, desk.terms, to=to)
    desk.promises = change.promises
    return change


def keep(desks: Sequence[Desk], *, wakes: Callable[[Desk], Iterable[datetime | None]]) -> None:
    """Store the clocks of these desks and copy their summary to the tickets (which the caller saves).

    `wakes` names further instants at which a ticket must be looked at: limits of waits, state rules.
    """
    inserts: list[tuple[Any, ...]] = []
    updates: list[tuple[Any, ...]] = []
    for desk in desks:
        _collect(desk, inserts, updates)
        _summarise(desk, wakes(desk))
    if not desks:
        return
    tenant = desks[0].ticket.tenant_id
    starts = [move for desk in desks for move in _moved(desk)]
    with connection.cursor() as cursor:
        if starts:
            cursor.execute(sql.MOVE_CLOCKS, [*_columns(starts), tenant])
        if updates:
            cursor.execute(sql.UPDATE_CLOCKS, [*_columns(updates), tenant])
        if inserts:
            cursor.execute(sql.INSERT_CLOCKS, [tenant, *_columns(inserts)])


def new_clock_rows(
    desks: Sequence[Desk], *, wakes: Callable[[Desk], Iterable[datetime | None]]
) -> Iterator[tuple[Any, ...]]:
    """The clocks of tickets that are being written, for the stage; their summary goes to the tickets, as in `keep`."""
    rows: list[tuple[Any, ...]] = []
    for desk in desks:
        _collect(desk, rows, [])
        _summarise(desk, wakes(desk))
    return ((desks[0].ticket.tenant_id, *row) for row in rows)


def _collect(desk: Desk, inserts: list[tuple[Any, ...]], updates: list[tuple[Any, ...]]) -> None:
    as_they_were = {id(one.clock) for one in desk.kept}
    changed = [clock for clock in desk.promises.clocks if id(clock) not in as_they_were]
    if not changed:
        return
    known = {(one.row.metric, one.row.cycle): one for one in desk.kept}
    percents: Mapping[Metric, tuple[int, ...]] = desk.policy.promises.percents
    limit = min((wait.ends_by for wait in desk.waits if wait.ended_at is None), default=None)
    for clock in changed:
        before = known.get((clock.metric.value, clock.cycle))
        kept_terms = before is not None and before.clock.promise is clock.promise
        revision = before.row.policy_revision_id if before and kept_terms else desk.policy.id
        priority = before.row.priority if before and kept_terms else desk.ticket.priority
        columns = columns_of(clock, percents.get(clock.metric, ()), revision, priority, limit)
        if before is not None:
            updates.append((before.row.id, *columns))
            continue
        state, outcome, revision, calendar, amount, unit, priority, target, *rest = columns
        inserts.append(
            (
                desk.ticket.id, clock.metric.value, clock.cycle, state, outcome, revision, calendar, amount, unit,
                priority, target, clock.started_at, *rest,
            )
        )  # fmt: skip


def _moved(desk: Desk) -> Iterator[tuple[int, datetime]]:
    """The kept clocks that count from another start now."""
    starts = {(clock.metric, clock.cycle): clock.started_at for clock in desk.promises.clocks}
    for one in desk.kept:
        start = starts.get((one.clock.metric, one.clock.cycle))
        if start is not None and start != one.clock.started_at:
            yield one.row.id, start


def _summarise(desk: Desk, wakes: Iterable[datetime | None]) -> None:
    ticket = desk.ticket
    clock_wake = desk.promises.next_wake(desk.policy.promises.percents)
    summary = summary_of(desk.promises, (clock_wake, *wakes))
    ticket.due_at = summary.due_at
    ticket.at_risk_at = summary.at_risk_at
    ticket.is_breached = summary.is_breached
    ticket.wake_at = summary.wake_at
    ticket.unanswered_since = desk.promises.unanswered_since
    ticket.is_proactive = desk.promises.is_proactive
    if ticket.resolved_at is not None:
        verdict = verdict_of(desk.promises, ticket.signals)
        ticket.missed_count, ticket.spent_percent = verdict.missed, verdict.spent_percent
        ticket.was_unhappy = verdict.was_unhappy


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
