"""Reads of routing: what rules would do to the tickets that came in last, and who got what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, Subquery

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.routing import Mode, RoutingRules, route
from flowdesk.people import queries as people
from flowdesk.policies.document import PolicyDocument
from flowdesk.routing import sql
from flowdesk.routing.bulks import moves_in
from flowdesk.routing.models import Bulk, BulkKind, Move
from flowdesk.tickets.mapping import facts_of
from flowdesk.tickets.models import Explanation, Ticket, TicketEvent
from flowdesk.tickets.queries import first_words_of
from flowdesk.tickets.states import SET_ASIDE, EventKind, Status

SAMPLED = 200  # tickets that rules are tried on, the newest
EXAMPLES = 5
LOOKED_INTO = 20_000  # characters of what each came in with


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A ticket that came in, with the facts that its routing went by, as far as they are still known."""

    ticket: Ticket
    facts: TicketFacts
    rule: str | None  # the one that took it
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one rule would do to the samples: how many it matches, how many of them come to it, how many it would send
    elsewhere than they went; and, of what no rule takes, how many a learned model would send to which team."""

    rule: str | None  # None: what no rule takes
    matches: int
    takes: int
    moves: int
    examples: tuple[Sample, ...]
    learned: Mapping[str, int]


def samples(policy: PolicyDocument, *, limit: int = SAMPLED) -> list[Sample]:
    """The newest tickets that were not set aside, in three statements."""
    rows = list(
        Ticket.objects.exclude(status__in=SET_ASIDE)
        .select_related("customer")
        .order_by("-created_at", "-id")[:limit]
    )
    ids = [row.id for row in rows]
    texts = first_words_of(ids, longest=LOOKED_INTO)
    kept = Explanation.objects.filter(ticket_id__in=ids, subject="routing").order_by("id")
    traces: dict[int, Mapping[str, Any]] = dict(kept.values_list("ticket_id", "trace"))
    return [sample_of(row, texts.get(row.id, ""), traces.get(row.id, {}), policy) for row in rows]


def sample_of(ticket: Ticket, text: str, trace: Mapping[str, Any], policy: PolicyDocument) -> Sample:
    """A ticket as it stood before the rules when it came in: nobody had it then, and nobody had answered."""
    known = facts_of(
        ticket, customer=ticket.customer, policy=policy, at=ticket.created_at, team=None, text=text,
        recent_escalations=int(trace.get("inputs", {}).get("recent_escalations", 0)),
    )  # fmt: skip
    facts = replace(known, status=Status.NEW, assignee=None, is_answered=False, reopen_count=0)
    return Sample(ticket=ticket, facts=facts, rule=trace.get("rule"), team=trace.get("team", ""))


def preview(
    rules: RoutingRules,
    tried_on: Sequence[Sample],
    *,
    learned: Callable[[TicketFacts], str | None] = lambda facts: None,
) -> list[Match]:
    """What each rule would do to the samples, in the order of the rules, and at last what no rule takes: `learned` is
    asked of each of these.

    A rule in shadow takes what it would take if it were active.
    """
    taken: dict[str | None, list[Sample]] = {rule.name: [] for rule in rules.rules}
    taken[None] = []
    matches = dict.fromkeys(taken, 0)
    moves = dict.fromkeys(taken, 0)
    sent_on: Counter[str] = Counter()
    for sample in tried_on:
        decision = route(sample.facts, rules, learned=partial(learned, sample.facts))
        if decision.is_learned:
            sent_on[decision.team] += 1
        for rule in rules.rules:
            if rule.mode is not Mode.OFF and rule.condition.matches(sample.facts):
                matches[rule.name] += 1
        for name in (*decision.shadows, decision.rule):
            taken[name].append(sample)
            team = decision.team if name == decision.rule else _team_of(rules, name)
            moves[name] += team != sample.team
    matches[None] = len(taken[None])
    return [
        Match(
            rule=name,
            matches=matches[name],
            takes=len(found),
            moves=moves[name],
            examples=tuple(found[:EXAMPLES]),
            learned=sent_on if name is None else {},
        )
        for name, found in taken.items()
    ]


def _team_of(rules: RoutingRules, name: str | None) -> str:
    return next(rule.action.team for rule in rules.rules if rule.name == name)


ASSIGNMENTS = (EventKind.TICKET_ASSIGNED, EventKind.TICKET_UNASSIGNED, EventKind.TICKET_ROUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFilter:
    """Which changes of hands are asked for; empty values ask for all. Ids are row ids."""

    agent: int | None = None
    ticket: int | None = None
    because: str = ""
    bulk: str = ""


def assignment_events(wanted: AssignmentFilter, *, before: int | None, limit: int) -> list[TicketEvent]:
    """Who got what, the newest first, with the ticket at hand."""
    rows = TicketEvent.objects.filter(kind__in=[kind.value for kind in ASSIGNMENTS]).select_related("ticket")
    if wanted.agent is not None:
        rows = rows.filter(assignee_id=wanted.agent)
    if wanted.ticket is not None:
        rows = rows.filter(ticket_id=wanted.ticket)
    if wanted.because:
        rows = rows.filter(data__because=wanted.because)
    if wanted.bulk:
        # By way of its moves: the log is not kept by bulk.
        rows = rows.filter(data__bulk=wanted.bulk, ticket__in=moves_in(wanted.bulk).values("ticket"))
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.order_by("-id")[:limit])


@dataclass(frozen=True, slots=True)
class Load:
    """What an agent has at hand: active tickets, and how much of their capacity these take."""

    tickets: int
    weight: int


def loads(weights: Mapping[Priority, int]) -> dict[int, Load]:
    """Of every agent who has not left, by row id."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOADS, [[weights[priority] for priority in Priority], current_tenant()])
        return {agent: Load(tickets, int(weight)) for agent, tickets, weight in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Away:
    """Out of office, until further notice without an end; and who stands in, if anybody does."""

    until: datetime | None
    stand_in: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """An agent as they stand at an instant."""

    id: int
    public_id: UUID
    name: str
    capacity: int
    load: Load
    is_available: bool
    is_on_shift: bool
    absence: Away | None

    @property
    def is_away(self) -> bool:
        return self.absence is not None or not self.is_available

    @property
    def is_here(self) -> bool:
        """Whether the rules would give them a ticket that they have room for."""
        return self.is_on_shift and not self.is_away


def crew_at_work(weights: Mapping[Priority, int], *, at: datetime) -> list[AtWork]:
    """Everybody who has not left, by name; in two statements."""
    weighed = [weights[priority] for priority in Priority]
    with connection.cursor() as cursor:
        cursor.execute(sql.CREW_AT_WORK, [weighed, at, at, current_tenant()])
        rows = cursor.fetchall()
    on_shift = people.on_shift(at, [agent for agent, *_ in rows])
    return [
        AtWork(
            id=agent, public_id=public_id, name=name, capacity=capacity, load=Load(tickets, int(weight)),
            is_available=is_available, is_on_shift=agent in on_shift,
            absence=Away(until, stand_in or "") if is_absent else None,
        )
        for agent, tickets, weight, public_id, name, capacity, is_available, is_absent, until, stand_in in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BulkLine:
    """What was handed out together: how many tickets, and whether it was taken back."""

    row: Bulk
    tickets: int
    is_undone: bool

    @property
    def may_be_undone(self) -> bool:
        return self.row.kind != BulkKind.UNDONE and not self.is_undone and self.tickets > 0


def bulk_page(*, limit: int, before: tuple[datetime, int] | None = None) -> list[BulkLine]:
    """What was handed out together last, the newest first; `before` is the instant and row id of the last one seen."""
    moves = (
        Move.objects.filter(bulk=OuterRef("id")).order_by().values("bulk").annotate(n=Count("id")).values("n")
    )
    undone = Bulk.objects.filter(undoes=OuterRef("id"))
    rows = Bulk.objects.annotate(moved=Subquery(moves), is_undone=Exists(undone))
    if before is not None:
        at, last = before
        rows = rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=last))
    return [BulkLine(row, row.moved or 0, row.is_undone) for row in rows.order_by("-at", "-id")[:limit]]
