"""Clocks of a ticket: how they stand, their ledgers, and why anything about the ticket is as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router

from flowdesk.api.auth import client, needs
from flowdesk.api.shapes import AgentRef, Out, agent_ref, minutes
from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.engine.business_time import Unit
from flowdesk.engine.clock import ClockState, Metric, Outcome
from flowdesk.engine.promises import Entry, WaitReason, What
from flowdesk.people import queries as people
from flowdesk.policies.services import Policy, policy_of
from flowdesk.sla.queries import ClockLine, ClockStory, clock_stories
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import Explanation, Ticket
from flowdesk.triage.otherwise import would_have_changed

router = Router(tags=["clocks"])


class PauseOut(Out):
    """Left out of the clock: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime


class PromiseOut(Out):
    """As written in the policy: so much of a unit on a calendar."""

    amount: int
    unit: Unit
    calendar: str


class ClockOut(Out):
    """One metric in one cycle. Lengths are open time on the promise's calendar; `percent` is not capped.

    `due_at` of a paused clock is the deadline it had when the pause began.
    """

    metric: Metric
    cycle: int
    state: ClockState
    outcome: Outcome | None
    promise: PromiseOut
    priority: str
    policy_revision: int
    target_minutes: float
    spent_minutes: float
    left_minutes: float
    percent: float
    started_at: datetime
    due_at: datetime
    at_risk_at: datetime | None
    missed_at: datetime | None
    stopped_at: datetime | None
    pauses: list[PauseOut]
    fired: list[int]


class LedgerEntry(Out):
    """One line of a clock's ledger, and what was spent and due just after it."""

    at: datetime
    what: What
    spent_minutes: float
    due_at: datetime
    percent: int | None
    reasons: list[WaitReason]
    because: str


class ClockWithLedger(ClockOut):
    """A clock with the cell of the policy its promise came from, and its ledger, folded from the ticket's log."""

    because: str
    ledger: list[LedgerEntry]


class Decision(Out):
    """How one thing was decided: the trace names rule, inputs and revision."""

    subject: str
    at: datetime
    trace: dict[str, Any]


class OtherwiseOut(Out):
    """One change by itself, and what had come of it: `subject` is category, priority, team, assignee, or a metric.

    Of a team `failed` names the comparisons that kept its rule from holding; of an assignee `agent` is who was left
    out, and the code says why.
    """

    subject: str
    code: str
    params: dict[str, str]
    result: str
    agent: AgentRef | None


class Explained(Out):
    """Why the ticket is classified, prioritised, routed and promised as it is."""

    policy_revision: int
    decisions: list[Decision]
    would_have_changed: list[OtherwiseOut]
    promises: list[ClockWithLedger]


@router.get(
    "/tickets/{ticket_id}/clocks",
    response=list[ClockWithLedger],
    auth=needs(Act.READ),
    operation_id="list_clocks",
    summary="Clocks with their ledgers",
)
def list_clocks(request: HttpRequest, ticket_id: str) -> list[ClockWithLedger]:
    """Every clock of the ticket, oldest first."""
    asking = client(request)
    with reading(asking.tenant):
        stories = clock_stories(tickets.ticket_id_of(ticket_id), now=asking.now)
        return [story_out(story) for story in stories]


@router.get(
    "/tickets/{ticket_id}/explain",
    response=Explained,
    auth=needs(Act.READ),
    operation_id="explain_ticket",
    summary="Explain a ticket",
)
def explain_ticket(request: HttpRequest, ticket_id: str) -> Explained:
    """Rule, inputs, failed conditions and revision behind every decision."""
    asking = client(request)
    with reading(asking.tenant):
        ticket = tickets.ticket_by(ticket_id)
        traces = tickets.explanations_of(ticket.id)
        policy = policy_of(ticket.policy_revision_id)
        return Explained(
            policy_revision=policy.number,
            decisions=_decisions(traces),
            would_have_changed=_otherwise(ticket, traces, policy),
            promises=[story_out(story) for story in clock_stories(ticket.id, now=asking.now)],
        )


def clock_out(line: ClockLine) -> ClockOut:
    return ClockOut(**_clock_values(line))


def story_out(story: ClockStory) -> ClockWithLedger:
    return ClockWithLedger(
        **_clock_values(story.line), because=story.because, ledger=[_entry(entry) for entry in story.ledger]
    )


def _clock_values(line: ClockLine) -> dict[str, Any]:
    clock = line.clock
    promise = clock.promise
    return {
        "metric": clock.metric,
        "cycle": clock.cycle,
        "state": clock.state,
        "outcome": clock.outcome,
        "promise": PromiseOut(amount=promise.amount, unit=promise.unit, calendar=promise.calendar_name),
        "priority": f"P{line.priority}",
        "policy_revision": line.revision,
        "target_minutes": minutes(clock.target),
        "spent_minutes": minutes(line.spent),
        "left_minutes": minutes(clock.target - line.spent),
        "percent": round(line.percent, 2),
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "at_risk_at": line.at_risk_at,
        "missed_at": clock.missed_at,
        "stopped_at": clock.stopped_at,
        "pauses": [PauseOut(start=pause.start, end=pause.end) for pause in clock.pauses],
        "fired": list(clock.fired),
    }


def _entry(entry: Entry) -> LedgerEntry:
    return LedgerEntry(
        at=entry.at,
        what=entry.what,
        spent_minutes=minutes(entry.spent),
        due_at=entry.due_at,
        percent=entry.percent,
        reasons=list(entry.reasons),
        because=entry.because,
    )


def _decisions(traces: list[Explanation]) -> list[Decision]:
    """The traces, with people by their public ids."""
    ids = {agent for one in traces for agent in _agents_in(one.trace)}
    refs = {
        row_id: ref.model_dump()
        for row_id, agent in people.agents_by_id(ids).items()
        if (ref := agent_ref(agent))
    }
    return [Decision(subject=one.subject, at=one.at, trace=_with_people(one.trace, refs)) for one in traces]


def _agents_in(value: Any) -> Iterator[int]:
    match value:
        case dict():
            for name, inner in value.items():
                if name == "agent" and isinstance(inner, int):
                    yield inner
                else:
                    yield from _agents_in(inner)
        case list():
            for inner in value:
                yield from _agents_in(inner)


def _with_people(value: Any, refs: Mapping[int, Any]) -> Any:
    match value:
        case dict():
            return {
                name: refs.get(inner)
                if name == "agent" and isinstance(inner, int)
                else _with_people(inner, refs)
                for name, inner in value.items()
            }
        case list():
            return [_with_people(inner, refs) for inner in value]
    return value


def _otherwise(ticket: Ticket, traces: list[Explanation], policy: Policy) -> list[OtherwiseOut]:
    found = would_have_changed(ticket, tickets.newest_traces(traces), policy)
    agents = people.agents_by_id(one.agent for one in found if one.agent is not None)
    return [
        OtherwiseOut(
            subject=one.subject, code=one.change.code, params=dict(one.change.params), result=one.result,
            agent=agent_ref(agents.get(one.agent or 0)),
        )
        for one in found
    ]  # fmt: skip
