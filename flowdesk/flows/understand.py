"""Somebody looks at how a ticket was read: they say yes, or better. What they say stands above what was computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.tenant import act
from flowdesk.core.versions import Expected
from flowdesk.engine.escalation import EventTrigger
from flowdesk.engine.facts import Priority
from flowdesk.engine.priority import Grade
from flowdesk.engine.promises import Occurrence
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.reasons import because
from flowdesk.escalation import services as escalation
from flowdesk.flows.deeds import CORRECTED, GRADES, is_set_by_hand, weighed_again
from flowdesk.flows.desk import Work, close_work, give, open_work
from flowdesk.intake.fields import stored, usable_fields
from flowdesk.policies.services import Policy
from flowdesk.routing import services as routing
from flowdesk.tickets import services as tickets
from flowdesk.tickets.mapping import facts_of
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.queries import first_words, latest_traces
from flowdesk.tickets.states import EventKind, Status
from flowdesk.triage import services as triage
from flowdesk.triage.learned import listen

FILLED_IN = "filled_in"
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What somebody says a ticket is; None leaves a thing as it was read. `fields` are the tenant's own, by name;
    None empties one.
    """

    category: str | None = None
    subcategory: str | None = None
    complexity: int | None = None
    impact: Grade | None = None
    urgency: Grade | None = None
    language: str | None = None
    fields: Mapping[str, Any] | None = None


@act
def confirm(ticket_id: str, *, by: Actor, now: datetime, expected: Expected = None) -> None:
    """The ticket was read right: nobody needs to look at it again."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    tickets.must_be_active(work.ticket)
    _must_be_unread(work)
    _settle(work)
    work.log(
        EventKind.TICKET_TRIAGED, by=by, at=now, because="confirmed", category=work.ticket.category,
        confidence=work.ticket.confidence,
    )  # fmt: skip
    work.pass_time(to=now)
    close_work(work, by=by, at=now)


@act
def correct(
    ticket_id: str,
    reading: Reading,
    *,
    by: Actor,
    now: datetime,
    reroute: bool = False,
    expected: Expected = None,
) -> None:
    """The ticket is something else than it was read as: its priority follows unless somebody has set it by hand.
    Or the tenant's own fields are filled in, which says nothing of how it was read. With `reroute` the rules are
    asked again who works on it. The promise a rule once gave stands.

    Raises Invalid naming each field that cannot be used.
    """
    _correct(
        open_work(ticket_id, Act.WORK, by=by, expected=expected), reading, by=by, now=now, reroute=reroute
    )


@act
def correct_unread(
    ticket_id: str, reading: Reading, *, by: Actor, now: datetime, reroute: bool = False
) -> None:
    """`correct` for a ticket of the list to look at: nobody else may have said yes or better meanwhile."""
    work = open_work(ticket_id, Act.WORK, by=by)
    tickets.must_be_active(work.ticket)
    _must_be_unread(work)
    _correct(work, reading, by=by, now=now, reroute=reroute)


def _correct(work: Work, reading: Reading, *, by: Actor, now: datetime, reroute: bool) -> None:
    ticket, policy = work.ticket, work.desk.policy
    tickets.must_be_active(ticket)
    fields = _usable(reading, ticket, policy)
    work.pass_time(to=now)  # what was due on the old reading is due
    before = _as_read(ticket)
    filled = _fill(ticket, fields)
    _read_as(ticket, reading)
    after = _as_read(ticket)
    changed = {name for name in before if before[name] != after[name]}
    named = {"fields": filled} if filled else {}  # their values may be anybody's words
    work.changed |= {*changed, *(["fields"] if filled else [])}
    is_judged = any(getattr(reading, name) is not None for name in AS_READ)
    was_unsure = ticket.confidence
    if is_judged:
        _settle(work, is_said=True)
    if is_judged or filled:
        work.log(
            EventKind.TICKET_TRIAGED, by=by, at=now, because=CORRECTED if is_judged else FILLED_IN, **named,
            confidence=was_unsure, before={name: before[name] for name in sorted(changed)},
            after={name: after[name] for name in sorted(changed)},
        )  # fmt: skip
    traces: dict[str, Any] = {"triage": _trace(ticket, changed, by=by)} if is_judged else {}
    if is_judged and not is_set_by_hand(ticket):
        weighed = weighed_again(work, at=now)
        decided = triage.decide(weighed, policy)
        traces["priority"] = {**triage.priority_trace(decided, weighed), "policy": policy.id}
        _reprioritise(work, decided.priority, by=by, at=now)
    if reroute:
        traces["routing"] = _route_again(work, by=by, at=now)
    if traces:
        tickets.explain(ticket, traces, at=now)
    close_work(work, by=by, at=now)


def _must_be_unread(work: Work) -> None:
    if not work.ticket.needs_review:
        raise tickets.WrongState("Somebody has looked at how this ticket was read already.")


def _usable(reading: Reading, ticket: Ticket, policy: Policy) -> dict[str, Any]:
    faults = []
    rules = {rule.category: rule for rule in policy.triage.categories}
    if reading.category is not None and reading.category not in rules:
        faults.append(Fault("category", f"is not one of {', '.join(rules)}"))
    category = reading.category if reading.category is not None else ticket.category
    narrower = list(rules[category].subcategories) if category in rules else []
    if reading.subcategory and reading.subcategory not in narrower:
        faults.append(Fault("subcategory", f"is not one of {', '.join(narrower)}"))
    if reading.complexity is not None and reading.complexity not in (1, 2, 3):
        faults.append(Fault("complexity", "must be from 1 to 3"))
    if reading.language is not None and not (reading.language.isalpha() and len(reading.language) == 2):
        faults.append(Fault("language", "is not a language of two letters"))
    if faults:
        raise Invalid(*faults)
    # What stands there already may stay, though the list of its field may not hold it any more.
    given = {
        name: value
        for name, value in (reading.fields or {}).items()
        if ticket.fields.get(name, _ABSENT) != value
    }
    emptied = {name: None for name, value in given.items() if value is None and name in policy.fields}
    filled = {name: value for name, value in given.items() if name not in emptied}
    return {**emptied, **{name: stored(value) for name, value in usable_fields(filled, policy).items()}}


def _fill(ticket: Ticket, fields: Mapping[str, Any]) -> list[str]:
    """Write the tenant's own fields; the names of those that are another than before."""
    after = {name: value for name, value in {**ticket.fields, **fields}.items() if value is not None}
    changed = sorted(name for name in fields if after.get(name) != ticket.fields.get(name))
    ticket.fields = after
    return changed


AS_READ = ("category", "subcategory", "complexity", "impact", "urgency", "language")


def _as_read(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in AS_READ}


def _read_as(ticket: Ticket, reading: Reading) -> None:
    if reading.category is not None and reading.category != ticket.category:
        ticket.category, ticket.subcategory = reading.category, ""
    if reading.subcategory is not None:
        ticket.subcategory = reading.subcategory
    if reading.complexity is not None:
        ticket.complexity = reading.complexity
    if reading.impact is not None:
        ticket.impact = reading.impact.value[0].upper()
    if reading.urgency is not None:
        ticket.urgency = reading.urgency.value[0].upper()
    if reading.language is not None:
        ticket.language = reading.language.lower()


def _settle(work: Work, *, is_said: bool = False) -> None:
    work.ticket.needs_review = False
    work.changed.add("needs_review")
    if is_said:
        work.ticket.confidence = None
        work.changed.add("confidence")


def _trace(ticket: Ticket, changed: set[str], *, by: Actor) -> dict[str, Any]:
    before = latest_traces([ticket.id], subject="triage").get(ticket.id, {})
    return {
        "category": ticket.category or None,
        "subcategory": ticket.subcategory or None,
        "complexity": ticket.complexity,
        "language": ticket.language,
        "impact": GRADES[ticket.impact].value,
        "urgency": GRADES[ticket.urgency].value,
        "signals": sorted(ticket.signals),
        "sentiment": before.get("sentiment"),  # nobody corrects a mood
        "confidence": None,
        "decided_by": "agent",
        "agent": by.agent,
        "scores": [],
        "reasons": reasons_of([because("said_by_agent", what=", ".join(sorted(changed)) or "category")]),
    }


def _reprioritise(work: Work, priority: Priority, *, by: Actor, at: datetime) -> None:
    ticket = work.ticket
    if ticket.priority == int(priority):
        return
    work.log(
        EventKind.PRIORITY_CHANGED, by=by, at=at, before=ticket.priority, after=int(priority), agent=by.agent,
        because=CORRECTED,
    )  # fmt: skip
    ticket.priority = int(priority)
    work.changed.add("priority")
    work.happen(Occurrence.TERMS_CHANGED, at=at)
    work.pass_time(to=at)  # and what the new terms make due at once
    work.triggers.add(EventTrigger.PRIORITISED)


def _route_again(work: Work, *, by: Actor, at: datetime) -> dict[str, Any]:
    """Ask the rules once more; whoever works in the right team already keeps the ticket."""
    ticket, policy = work.ticket, work.desk.policy
    known = facts_of(
        ticket, customer=work.customer, policy=policy, at=at, team=None, text=first_words(ticket.id),
        recent_escalations=escalation.recent_escalations(work.customer.id, at=at),
    )  # fmt: skip
    facts = replace(known, status=Status.NEW, assignee=None)
    routed = routing.route_ticket(
        facts, policy, dedicated=work.customer.dedicated_agent_id, at=at,
        learned=partial(triage.learned_team, listen(facts.subject, text=facts.text)),
    )  # fmt: skip
    stays = routed.team is None or (routed.team.id == ticket.team_id and ticket.assignee_id is not None)
    if not stays:
        give(work, team=routed.team, agent=routed.agent, by=by, at=at, because="rerouted")
    return {**routed.trace, "revision": policy.number, "moved": not stays}
