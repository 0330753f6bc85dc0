"""An event log of another desk becomes tickets of this one: their clocks are a fold over what the log says.

The tenant's own promises count, in the virtual time of the log. Nothing is sent, and nobody is woken for what is
past: events are born dispatched and rungs are passed without an escalation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import act, current_tenant
from flowdesk.engine.history import Happening, LogEntry, happenings, opening, standing
from flowdesk.engine.promises import Occurrence
from flowdesk.flows.deeds import status_of
from flowdesk.flows.past import Past, keep_told, told
from flowdesk.people.models import Customer, Team
from flowdesk.policies.services import Policy, current_policy
from flowdesk.sla import services as sla
from flowdesk.sla.services import Desk
from flowdesk.tickets import services as tickets
from flowdesk.tickets.bulk import known_refs
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import Channel, EventKind, Status

BATCH = 200
KINDS: Mapping[Occurrence, EventKind] = {
    Occurrence.CREATED: EventKind.TICKET_OPENED,
    Occurrence.PHONE_LOGGED: EventKind.TICKET_OPENED,
    Occurrence.TERMS_CHANGED: EventKind.PRIORITY_CHANGED,
    Occurrence.ASSIGNED: EventKind.TICKET_ASSIGNED,
    Occurrence.UNASSIGNED: EventKind.TICKET_UNASSIGNED,
    Occurrence.REOPENED: EventKind.TICKET_REOPENED,
    Occurrence.RESOLVED: EventKind.TICKET_RESOLVED,
    Occurrence.CLOSED: EventKind.TICKET_CLOSED,
    Occurrence.VOIDED: EventKind.TICKET_VOIDED,
}


@dataclass(slots=True)
class Imported:
    """How many tickets were written, how many were there already, and the events written."""

    tickets: int = 0
    known: int = 0
    events: int = 0


def import_log(entries: Iterable[LogEntry], *, name: str, by: Actor, now: datetime) -> Iterator[Imported]:
    """Write the tickets of a log in batches, each whole by itself; yields how far it is.

    A ticket that was imported before is left as it is, so that a broken import may simply be begun again.
    """
    histories: dict[str, list[LogEntry]] = {}
    for entry in entries:
        histories.setdefault(entry.ticket, []).append(entry)
    done = Imported()
    rest = iter(histories.items())
    while batch := list(islice(rest, BATCH)):
        part = import_tickets(batch, name=name, by=by, now=now)
        done = Imported(done.tickets + part.tickets, done.known + part.known, done.events + part.events)
        yield done


@act
def import_tickets(
    histories: Sequence[tuple[str, Sequence[LogEntry]]], *, name: str, by: Actor, now: datetime
) -> Imported:
    """Write some tickets with everything that happened to them. Raises Invalid for a tier the tenant lacks."""
    by.must(Act.IMPORT)
    policy = current_policy()
    known = known_refs([ref for ref, _ in histories])
    customers = _customers({entries[-1].tier for _, entries in histories}, name=name, policy=policy, at=now)
    team = Team.objects.filter(level=1).order_by("id").first()
    lives = [
        _Life(entries, policy=policy, customer=customers[entries[-1].tier], team=team, by=by).lived(to=now)
        for ref, entries in histories
        if ref not in known
    ]
    if not lives:
        return Imported(known=len(known))
    keep_told([told([life.past for life in lives], now=now)], count=len(lives))
    events = sum(len(life.past.events) for life in lives)
    after = {"tickets": len(lives), "events": events}
    record_act(AuditAct.TICKETS_IMPORTED, thing="ticket", thing_id=None, by=by, at=now, after=after)
    return Imported(tickets=len(lives), known=len(known), events=events)


def _customers(tiers: set[str], *, name: str, policy: Policy, at: datetime) -> dict[str, Customer]:
    """One customer for each tier of the log, which does not say who wrote; "" is the lowest tier."""
    found = {}
    for tier in sorted(tiers):
        wanted = tier or policy.promises.lowest_tier
        if wanted not in policy.promises.tiers:
            raise Invalid(Fault("tier", f"{wanted} is not a tier of this tenant"))
        ref = f"log:{name}:{wanted}"[:200]
        customer = Customer.objects.filter(external_ref=ref).first()
        found[tier] = customer or Customer.objects.create(
            tenant_id=current_tenant(), public_id=new_id(at), name=f"{name}, {wanted}"[:200], tier=wanted,
            external_ref=ref, created_at=at,
        )  # fmt: skip
    return found


@dataclass(slots=True)
class _Life:
    """One ticket of the log, lived again."""

    entries: Sequence[LogEntry]
    policy: Policy
    customer: Customer
    team: Team | None
    by: Actor
    past: Past = field(init=False)

    @property
    def desk(self) -> Desk:
        return self.past.desk

    def lived(self, *, to: datetime) -> "_Life":
        first = self.entries[0]
        born, *rest = opening(first)
        self._open(first, born)
        for happening in rest:
            self._happen(happening, before=first, entry=first)
        at, before = max(born.at, first.at), replace(first, state=standing(None, first))
        for entry in self.entries[1:]:
            at = max(at, entry.at)
            for happening in happenings(before, entry, at=at):
                self._happen(happening, before=before, entry=entry)
            before = replace(entry, state=standing(before, entry))
        self.past.come_to(to)
        return self

    def _open(self, entry: LogEntry, born: Happening) -> None:
        at, level = born.at, 1
        ticket = Ticket(
            tenant_id=self.by.tenant,
            id=tickets.new_ticket_id(),
            public_id=new_id(at),
            external_ref=entry.ticket,
            subject=entry.ticket,
            status=Status.OPEN if entry.assignee else Status.NEW,
            priority=entry.priority,
            channel=Channel.PHONE if entry.is_phone else Channel.API,
            customer_id=self.customer.id,
            team_id=self.team.id if self.team else None,
            level=level,
            policy_revision_id=self.policy.id,
            created_at=at,
            updated_at=self.entries[-1].at,
            level_entered_at=at,
            waiting_internal_since=at,
            first_response_at=at if entry.is_phone else None,
        )
        desk = sla.new_desk(ticket, tier=self.customer.tier, policy=self.policy)
        self.past = Past(desk, self.by)
        owned = Occurrence.ASSIGNED if entry.assignee else Occurrence.UNASSIGNED
        kinds = {
            kind for kind in born.occurrences if kind not in (Occurrence.ASSIGNED, Occurrence.UNASSIGNED)
        }
        sla.happen(self.desk, *kinds, owned, Occurrence.LEVEL_ENTERED, at=at)
        self.past.log(
            EventKind.TICKET_OPENED, at, channel=ticket.channel, priority=entry.priority, tier=self.customer.tier,
            level=level, team=ticket.team_id, assignee=None, held_outside=bool(entry.assignee), phone=entry.is_phone,
            rule=None, rule_target_minutes=None, rule_target_loosens=False, revision=self.policy.id, imported=True,
        )  # fmt: skip

    def _happen(self, happening: Happening, *, before: LogEntry, entry: LogEntry) -> None:
        at, kinds, ticket = happening.at, happening.occurrences, self.desk.ticket
        also = False
        for reason in sorted(happening.ended_waits):
            self.past.end_wait(reason, at)
            also = self.past.log(EventKind.WAIT_ENDED, at, also=also, reason=reason.value, because="by_hand")
        for kind in sorted(kinds - {Occurrence.WAIT_STARTED, Occurrence.WAIT_ENDED}):
            data = (
                {"before": before.priority, "after": entry.priority}
                if kind is Occurrence.TERMS_CHANGED
                else {}
            )
            if kind is not Occurrence.TERMS_CHANGED or before.priority != entry.priority:
                also = self.past.log(KINDS[kind], at, also=also, because="imported", **data)
        for reason in sorted(happening.waits):
            self.past.begin_wait(reason, at)
            also = self.past.log(EventKind.WAIT_STARTED, at, also=also, reason=reason.value)
        if Occurrence.TERMS_CHANGED in kinds:
            sla.pass_time(self.desk, to=at)  # what was due on the old terms is due
            ticket.priority = entry.priority
        sla.happen(self.desk, *kinds, at=at, waits=happening.waits, ended_waits=happening.ended_waits)
        if Occurrence.TERMS_CHANGED in kinds:
            sla.pass_time(self.desk, to=at)
        self._stand(kinds, entry, at)

    def _stand(self, kinds: frozenset[Occurrence], entry: LogEntry, at: datetime) -> None:
        """The ticket's own columns after a happening."""
        ticket = self.desk.ticket
        if Occurrence.REOPENED in kinds:
            ticket.reopen_count += 1
            ticket.resolved_at = ticket.closed_at = None
            ticket.status = Status.OPEN
        if Occurrence.RESOLVED in kinds:
            ticket.status, ticket.resolved_at, ticket.waiting_internal_since = Status.RESOLVED, at, None
        if Occurrence.CLOSED in kinds:
            ticket.status, ticket.closed_at = Status.CLOSED, at
        if Occurrence.VOIDED in kinds:
            ticket.status, ticket.closed_at = Status.VOID, at
        if kinds & {Occurrence.RESOLVED, Occurrence.CLOSED, Occurrence.VOIDED}:
            for wait in self.desk.waits:
                wait.ended_at = wait.ended_at or at
        if ticket.is_active:
            open_ones = [wait for wait in self.desk.waits if wait.ended_at is None]
            ticket.status = status_of(open_ones) if open_ones or entry.assignee else Status.NEW
