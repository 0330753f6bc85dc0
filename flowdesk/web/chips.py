"""Clock rows and tickets as chips: the server decides state and words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import pgettext_lazy as _p

from flowdesk.engine.clock import AT_RISK, Clock, ClockState, Outcome
from flowdesk.engine.sla_policy import Amount
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import SET_ASIDE, Status
from flowdesk.web import words
from flowdesk.web.parts import Chip, ChipState, met_chip, missed_chip, paused_chip, running_chip
from flowdesk.web.ticket.words import calendar_fact, due_fact, spent_fact
from flowdesk.web.vocabulary import METRICS, say

FAR = 125.0


def clock_chip(clock: Clock, *, now: datetime, zone: ZoneInfo) -> Chip:
    """One clock; a pointer resting on it reads due time, business time spent and calendar."""
    metric = say(METRICS, clock.metric.value)
    facts = (
        due_fact(words.long_moment(clock.due_at, zone=zone, now=now)),
        spent_fact(words.spent(clock.elapsed(now)), target=target_words(clock)),
        calendar_fact(clock.promise.calendar_name),
    )
    if clock.state is ClockState.STOPPED:
        at = clock.stopped_at or now
        if clock.outcome in _SET_ASIDE:
            return Chip(
                state=ChipState.PAUSED, words=say(_SET_ASIDE, clock.outcome.value), metric=metric, facts=facts
            )
        if clock.missed_at is not None:
            return missed_chip(max(at - clock.missed_at, timedelta(0)), at=at, metric=metric, facts=facts)
        return met_chip(at - clock.started_at, at=at, metric=metric, facts=facts)
    if clock.state is ClockState.PAUSED:
        return paused_chip(max(clock.due_at - clock.since, timedelta(0)), metric=metric, facts=facts)
    state, changes_at = _state(clock, now)
    return running_chip(clock.due_at, now=now, state=state, changes_at=changes_at, metric=metric, facts=facts)


def _state(clock: Clock, now: datetime) -> tuple[ChipState, datetime | None]:
    """How a running clock looks, and when that changes."""
    percent = clock.percent(now)
    if now >= clock.due_at:
        far = clock.step_at(int(FAR))
        return (ChipState.FAR, None) if percent >= FAR else (ChipState.CRITICAL, far)
    if percent >= AT_RISK:
        return ChipState.WARNING, clock.due_at
    return ChipState.RUNNING, clock.step_at(AT_RISK)


def target_words(clock: Clock) -> str:
    """The promise as it was written."""
    return words.amount(Amount(amount=clock.promise.amount, unit=clock.promise.unit))


def ticket_chip(ticket: Ticket, *, now: datetime) -> Chip | None:
    """The chip of a row in a list, from the ticket's own columns: no clock is read for it."""
    if ticket.status in (Status.RESOLVED, Status.CLOSED, *SET_ASIDE):
        return None
    if ticket.due_at is None:
        if ticket.status in (Status.PENDING, Status.ON_HOLD):
            return Chip(state=ChipState.PAUSED, words=say(_WAITING, ticket.status))
        return None
    if ticket.due_at <= now:
        far = ticket.at_risk_at is not None and now - ticket.due_at >= (ticket.due_at - ticket.at_risk_at)
        return running_chip(ticket.due_at, now=now, state=ChipState.FAR if far else ChipState.CRITICAL)
    if ticket.at_risk_at is not None and ticket.at_risk_at <= now:
        return running_chip(ticket.due_at, now=now, state=ChipState.WARNING, changes_at=ticket.due_at)
    return running_chip(ticket.due_at, now=now, changes_at=ticket.at_risk_at)


_SET_ASIDE = {Outcome.MERGED.value: _p("chip", "merged"), Outcome.VOID.value: _p("chip", "set aside")}
_WAITING = {"pending": _p("chip", "waiting"), "on_hold": _p("chip", "on hold")}
