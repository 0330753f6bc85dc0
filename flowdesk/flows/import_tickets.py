"""Tickets in bulk: the rows of a file become tickets with a past, batch by batch, each batch whole or not at all.

What happened elsewhere is told to the same promises at the time it happened; met and missed are decided, and nobody
is told. A ticket whose work has ended keeps what its row says. An active one is taken into the present: what its row
leaves open (category, priority, team) is decided by the policy of today, its clocks run on, and it waits in its team's
queue unless it has an assignee.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import RawIOBase
from itertools import islice
from math import inf
from sys import getswitchinterval, setswitchinterval
from typing import IO, Any

from django.conf import settings

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import new_id
from flowdesk.core.jobs import enqueue
from flowdesk.core.tenant import act
from flowdesk.engine.facts import Priority, TicketFacts
from flowdesk.engine.lives import Turn
from flowdesk.engine.promises import Occurrence, WaitReason
from flowdesk.engine.routing import route
from flowdesk.flows.past import Past, Told, keep_told, told
from flowdesk.intake.bulk import runs
from flowdesk.intake.bulk.files import Record, RecordFile, UnusableFile, open_records
from flowdesk.intake.bulk.rows import (
    Colleague,
    Known,
    Said,
    TicketRow,
    read_row,
    teams_by_name,
    unknown_columns,
)
from flowdesk.intake.bulk.runs import MOST_REFUSED, Counts, Order, RefusedRecord
from flowdesk.intake.bulk.states import FileFormat
from flowdesk.intake.bulk.writers import Recognised, recognise_all
from flowdesk.intake.fields import stored
from flowdesk.intake.models import ImportRun
from flowdesk.people import queries as people
from flowdesk.people.models import Agent, Customer
from flowdesk.people.queries import TeamRow
from flowdesk.policies.services import Policy, current_policy
from flowdesk.routing.services import Routed
from flowdesk.sla import services as sla
from flowdesk.tickets.bulk import known_refs, message_row, new_ticket, new_ticket_ids
from flowdesk.tickets.mapping import facts_of
from flowdesk.tickets.models import AuthorKind, Ticket
from flowdesk.tickets.states import Channel, EventKind, Status
from flowdesk.triage import services as triage

JOB = "import_tickets"  # by this name the worker knows it
BATCH, BATCH_BYTES = 500, 8 * 1024 * 1024  # rows, or what they are made of: two batches are held in memory
PART = 125  # tickets of a batch that are written while the next ones are lived
TURNS = 0.000_2  # seconds that reckoning keeps an answer of the database waiting
UNPACKED = 20  # times the size that a file sent to us may have, when it is unpacked
PLAIN_PRIORITY = Priority.P3  # of a ticket that has ended and whose row names none
# What one save of the past says happened; each is one value, so that lives are soon seen to be alike.
OPENED = {
    (is_phone, is_owned): frozenset({
        Occurrence.LEVEL_ENTERED,
        Occurrence.ASSIGNED if is_owned else Occurrence.UNASSIGNED,
        Occurrence.PHONE_LOGGED if is_phone else Occurrence.CREATED,
    })
    for is_phone in (False, True)
    for is_owned in (False, True)
}  # fmt: skip
WROTE, THANKED = frozenset({Occurrence.CUSTOMER_WROTE}), frozenset({Occurrence.CUSTOMER_THANKED})
REPLIED, WAITED = frozenset({Occurrence.AGENT_REPLIED}), frozenset({Occurrence.WAIT_STARTED})
ENDS = {
    EventKind.TICKET_RESOLVED: frozenset({Occurrence.RESOLVED}),
    EventKind.TICKET_CLOSED: frozenset({Occurrence.CLOSED}),
}
WAITS = {Status.PENDING: WaitReason.CUSTOMER, Status.ON_HOLD: WaitReason.THIRD_PARTY}


@act
def send_import(
    order: Order, file: IO[bytes], *, digest: bytes, size: int, by: Actor, now: datetime
) -> ImportRun:
    """Store a file for the worker, which imports it soon; the same file again answers with its first run."""
    by.must(Act.IMPORT)
    run = runs.begin_run(order, digest=digest, size=size, by=by, now=now)
    if run.is_open and not run.is_stored:
        runs.store_file(run, file)
        enqueue(JOB, tenant=by.tenant, run=str(run.public_id))
    return run


def import_tickets(
    run: ImportRun,
    source: RawIOBase,
    *,
    by: Actor,
    clock: Callable[[], datetime],
    reopens: bool = True,
    tell: Callable[[ImportRun], None] = lambda run: None,
    is_called_off: Callable[[], bool] = lambda: False,
) -> ImportRun:
    """Carry a run on to its end from the row it had come to; returns the run as it then stands.

    `source` is its file from the beginning. `tell` hears after each batch how far it is. When `is_called_off`, it
    stops between two batches and the run can be carried on later. A run that failed or was called off is carried on
    only with `reopens`. Raises RunEnded, and Overtaken when another process carries the run on.
    """
    run = runs.take_up(run.public_id, reopens=reopens, by=by, now=clock())
    try:
        most = UNPACKED * settings.IMPORT_LIMIT if run.is_stored else inf
        file = open_records(source, form=FileFormat(run.format), most_unpacked=most)
        if not run.ignores_unknown and (faults := unknown_columns(file.columns)):
            raise UnusableFile("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        with _reckoner() as reckoner:
            batches = _batches(file, after=run.rows, reckoner=reckoner)
            while not is_called_off():
                batch = next(batches)
                if not batch.records:
                    return runs.end_run(run.public_id, by=by, now=clock())
                run = import_batch(batch, run=run, by=by, now=clock())
                if not run.is_open:
                    return run
                if run.refused > MOST_REFUSED:
                    raise UnusableFile(
                        f"More than {MOST_REFUSED} rows were refused; the first ones tell why."
                    )
                tell(run)
    except UnusableFile as fault:
        return runs.end_run(run.public_id, by=by, now=clock(), fault=fault.message)
    return run


@contextmanager
def _reckoner() -> Iterator[Executor]:
    """A thread that reckons while this one waits for the database, and lets it go on as soon as that has answered."""
    before = getswitchinterval()
    setswitchinterval(TURNS)
    reckoner = ThreadPoolExecutor(1, thread_name_prefix="import")
    try:
        yield reckoner
    finally:
        reckoner.shutdown(cancel_futures=True)
        setswitchinterval(before)


Read = tuple[list[TicketRow], list[RefusedRecord]]


class Batch:
    """Records that are written together. The batch after them is checked while they are being written."""

    def __init__(self, records: Sequence[Record], *, file: RecordFile, reckoner: Executor) -> None:
        self.records, self.reckoner = records, reckoner
        self.header, self.bytes_read = file.header, file.tell()
        self.following: Batch | None = None
        self._checked: tuple[Known, Future[Read]] | None = None

    def check(self, known: Known, *, now: datetime) -> None:
        """Begin to check the rows by what they may name."""
        self._checked = known, self.reckoner.submit(_read, self.records, known, now=now)

    def rows(self, known: Known, *, now: datetime) -> Read:
        """What the records say, checked anew when what they may name has changed since it was begun."""
        if self._checked is None or self._checked[0] != known:
            self.check(known, now=now)
        assert self._checked is not None
        return self._checked[1].result()


def _batches(file: RecordFile, *, after: int, reckoner: Executor) -> Iterator[Batch]:
    """The batches of a file behind so many records, and an empty one at its end; each is read one ahead.

    A fault of the file is raised once all that was read before it has been taken.
    """
    records = islice(file.records, after, None)
    batch = Batch(next_batch(records), file=file, reckoner=reckoner)
    while batch.records:
        try:
            batch.following = Batch(next_batch(records), file=file, reckoner=reckoner)
        except UnusableFile as fault:
            yield batch
            raise fault
        yield batch
        batch = batch.following
    yield batch


def next_batch(records: Iterator[Record]) -> list[Record]:
    """The next records, as many as are held in memory at once; none at the end of the file."""
    batch, size = list[Record](), 0
    for record in records:
        batch.append(record)
        size += len(record.raw)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            break
    return batch


@act
def import_batch(batch: Batch, *, run: ImportRun, by: Actor, now: datetime) -> ImportRun:
    """Write the tickets of some records and note that the run has come past them; a dry run notes that alone.

    A run that was called off is left as it is.
    """
    by.must(Act.IMPORT)
    held = runs.hold(run)
    if not held.is_open:
        return held
    policy = current_policy()
    known = _known(policy, held)
    rows, refusals = batch.rows(known, now=now)
    new = _without_known(rows, known_refs([row.external_ref for row in rows if row.external_ref]))
    parts = [] if held.is_dry else _lived(new, policy, reckoner=batch.reckoner, by=by, now=now)
    if batch.following is not None:
        batch.following.check(known, now=now)
    if parts:
        keep_told((part.result() for part in parts), count=len(new))
    counts = Counts(
        rows=len(batch.records), imported=len(new), skipped=len(rows) - len(new), refused=len(refusals)
    )
    return runs.note_progress(held, counts, refusals, header=batch.header, bytes_read=batch.bytes_read)


def _known(policy: Policy, run: ImportRun) -> Known:
    """What the rows of this tenant may name."""
    agents = Agent.objects.values_list("email", "id", "left_at")
    return Known(
        policy=policy,
        agents={email.lower(): Colleague(agent, left_at is not None) for email, agent, left_at in agents},
        teams=teams_by_name(people.teams()),
        ignores_unknown=run.ignores_unknown,
    )


def _read(
    batch: Sequence[Record], known: Known, *, now: datetime
) -> tuple[list[TicketRow], list[RefusedRecord]]:
    """The records that are tickets, and the others with all that is wrong with each."""
    rows, refusals = [], []
    for record in batch:
        try:
            if record.fault:
                raise Invalid(Fault("row", record.fault))
            rows.append(read_row(record.values, known, now=now))
        except Invalid as invalid:
            refusals.append(RefusedRecord(record.line, invalid.faults, record.raw))
    return rows, refusals


def _without_known(rows: Sequence[TicketRow], known: set[str]) -> list[TicketRow]:
    """The rows that are not here yet; of those by one name within the batch the first."""
    seen, found = set(known), []
    for row in rows:
        if row.external_ref in seen:
            continue
        if row.external_ref:
            seen.add(row.external_ref)
        found.append(row)
    return found


def _lived(
    rows: Sequence[TicketRow], policy: Policy, *, reckoner: Executor, by: Actor, now: datetime
) -> list[Future[Told]]:
    """The tickets of the rows with their pasts, some at a time, in the order in which they will be there."""
    if not rows:
        return []
    writers = recognise_all(rows, lowest_tier=policy.promises.lowest_tier, at=now)
    active = {writer.customer for row, writer in zip(rows, writers, strict=True) if row.is_active}
    teams = {team.slug: team for team in people.teams()}
    desk = _Desk(policy, teams, Customer.objects.in_bulk(active), by, now)
    births = list(zip(rows, writers, new_ticket_ids(len(rows)), strict=True))
    return [
        reckoner.submit(_part, births[first : first + PART], first=first, desk=desk)
        for first in range(0, len(births), PART)
    ]


def _part(births: Sequence[tuple[TicketRow, Recognised, int]], *, first: int, desk: _Desk) -> Told:
    """Live some rows. Asks the database nothing: it is busy writing those before."""
    lives = [_Life(row, writer, ticket, desk=desk) for row, writer, ticket in births]
    return told(
        [life.past for life in lives],
        messages=(message for life in lives for message in life.messages()),
        explanations=(explanation for life in lives for explanation in life.explanations()),
        first=first,
        now=desk.now,
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the tickets of a batch come to."""

    policy: Policy
    teams: Mapping[str, TeamRow]
    customers: Mapping[int, Customer]  # of the active ones: rules look at them
    by: Actor
    now: datetime


class _Life:
    """One row, lived again: its ticket, its past, and the words of its conversation."""

    past: Past

    def __init__(self, row: TicketRow, writer: Recognised, ticket: int, *, desk: _Desk) -> None:
        self.row, self.writer, self.desk = row, writer, desk
        self.traces: dict[str, dict[str, Any]] = {}
        self.turns: list[Turn] = []
        self.past = self._opened(ticket)
        self._converse()
        self.past.live(self.turns, to=desk.now)

    @property
    def ticket(self) -> Ticket:
        return self.past.desk.ticket

    def messages(self) -> Iterator[tuple[Any, ...]]:
        """The words, oldest first."""
        contact = self.writer.contact
        first = Said(is_customer=True, text=self.row.text, at=self.row.created_at)
        for said in (first, *self.row.messages):
            yield message_row(
                self.ticket,
                author=AuthorKind.CONTACT if said.is_customer else AuthorKind.AGENT,
                text=said.text,
                at=said.at,
                contact=contact if said.is_customer else None,
                agent=said.agent,
            )

    def explanations(self) -> Iterator[tuple[Any, ...]]:
        """Why it stands as it does, where the policy decided."""
        for subject, trace in self.traces.items():
            yield (self.ticket.tenant_id, self.ticket.id, subject, self.desk.now, trace)

    def _opened(self, ticket_id: int) -> Past:
        """The ticket as it was opened, under the terms it stands under now."""
        row, desk, writer = self.row, self.desk, self.writer
        ticket = new_ticket(
            tenant_id=desk.by.tenant,
            id=ticket_id,
            public_id=new_id(row.created_at),
            external_ref=row.external_ref,
            subject=row.subject,
            status=row.status,
            priority=int(row.priority or PLAIN_PRIORITY),
            category=row.category,
            language=row.language,
            channel=row.channel,
            fields={name: stored(value) for name, value in row.fields.items()},
            customer_id=writer.customer,
            contact_id=writer.contact,
            team_id=row.team.id if row.team else None,
            assignee_id=row.assignee,
            level=row.team.level if row.team else 1,
            policy_revision_id=desk.policy.id,
            created_at=row.created_at,
            updated_at=row.created_at,
            waiting_internal_since=row.created_at,
            level_entered_at=row.created_at,
        )
        rule = self._decide(ticket) if row.is_active else None
        past = Past(sla.new_desk(ticket, tier=writer.tier, policy=desk.policy), by=desk.by)
        is_phone = row.channel is Channel.PHONE
        if is_phone:
            ticket.first_response_at = row.created_at
        # Whoever had an ended ticket in another desk is nobody here; it was not left lying.
        held_outside = row.assignee is None and not row.is_active
        self.turns.append(Turn(OPENED[is_phone, bool(row.assignee or held_outside)], row.created_at))
        past.log(
            EventKind.TICKET_OPENED, row.created_at, channel=ticket.channel, priority=ticket.priority,
            tier=writer.tier, level=ticket.level, team=ticket.team_id, assignee=ticket.assignee_id,
            held_outside=held_outside, phone=is_phone, rule=rule, rule_target_minutes=ticket.rule_target_minutes,
            rule_target_loosens=ticket.rule_target_loosens, revision=desk.policy.id, imported=True,
            imported_at=desk.now.isoformat(),
        )  # fmt: skip
        return past

    def _decide(self, ticket: Ticket) -> str | None:
        """Let the policy decide what the row of an active ticket leaves open; returns the routing rule, if one did."""
        row, policy = self.row, self.desk.policy
        facts = self._facts(ticket)
        if row.priority is None or not row.category:
            found = triage.classify_ticket(
                facts, policy, category=row.category or None, priority=row.priority
            )
            facts = found.facts
            ticket.priority = int(facts.priority)
            ticket.impact = found.priority.impact.value[0].upper()
            ticket.urgency = found.priority.urgency.value[0].upper()
            ticket.category, ticket.subcategory = facts.category or "", facts.subcategory or ""
            ticket.complexity, ticket.language = facts.complexity or 1, facts.language or ""
            ticket.signals = sorted(facts.signals)
            ticket.fields = {name: stored(value) for name, value in facts.fields.items()}
            self.traces = found.traces
        if row.team is not None:
            return None
        decision = route(facts, policy.routing)
        team = self.desk.teams.get(decision.team)
        ticket.team_id, ticket.level = (team.id, max(team.level, 1)) if team else (None, 1)
        ticket.rule_target_minutes = decision.sla_target_minutes
        ticket.rule_target_loosens = decision.loosen
        trace = Routed(facts, team, None, decision, None).trace
        self.traces["routing"] = {**trace, "revision": policy.number}
        return decision.rule

    def _facts(self, ticket: Ticket) -> TicketFacts:
        facts = facts_of(
            ticket, customer=self.desk.customers[self.writer.customer], policy=self.desk.policy, at=self.desk.now,
            team=None, text=self.row.text,
        )  # fmt: skip
        return replace(facts, fields=self.row.fields)

    def _converse(self) -> None:
        """What was said and done after the opening, in the order in which it was."""
        row = self.row
        said = [(one.at, one) for one in row.messages]
        if row.first_response_at is not None and not any(
            one.at <= row.first_response_at for one in row.messages if not one.is_customer
        ):
            answer = Said(is_customer=False, text="", at=row.first_response_at, agent=row.assignee)
            said = sorted([*said, (answer.at, answer)], key=lambda pair: pair[0])
        ended = None if row.is_active else row.resolved_at or row.closed_at
        for _, one in said:
            if ended is None or one.at <= ended:
                self._said(one)
        if ended is not None:
            self._end(ended, [one for at, one in said if at > ended])
        elif row.status in WAITS:
            self._wait(WAITS[row.status])

    def _said(self, said: Said, *, is_over: bool = False) -> None:
        """A message moves the promises, unless the work was over: then it starts nothing any more."""
        ticket, at = self.ticket, said.at
        ticket.updated_at = max(ticket.updated_at, at)
        if said.is_customer:
            self.turns.append(Turn(THANKED if is_over else WROTE, at))
            self.past.log(EventKind.CUSTOMER_WROTE, at, thanks=is_over, channel=ticket.channel)
            if not is_over:
                ticket.waiting_internal_since = ticket.waiting_internal_since or at
            return
        self.turns.append(Turn(REPLIED, at))
        self.past.log(EventKind.AGENT_REPLIED, at, agent=said.agent)
        ticket.reply_count += 1
        ticket.first_response_at = ticket.first_response_at or at
        ticket.waiting_internal_since = None

    def _end(self, ended: datetime, later: Sequence[Said]) -> None:
        """Resolved, and closed where it was or where the policy's time for it has passed."""
        row, ticket = self.row, self.ticket
        closes = ended + self.desk.policy.promises.closes_after
        closed = (row.closed_at or ended) if row.status is Status.CLOSED else closes
        steps = [(ended, EventKind.TICKET_RESOLVED)]
        if closed <= self.desk.now:
            steps.append((closed, EventKind.TICKET_CLOSED))
            ticket.status, ticket.closed_at = Status.CLOSED, closed
        ticket.resolved_at, ticket.waiting_internal_since = ended, None
        ticket.updated_at = max(ticket.updated_at, steps[-1][0])
        timeline: list[tuple[datetime, EventKind | Said]] = [*steps, *((one.at, one) for one in later)]
        for at, what in sorted(timeline, key=lambda pair: pair[0]):
            if isinstance(what, Said):
                self._said(what, is_over=True)
            else:
                self.turns.append(Turn(ENDS[what], at))
                self.past.log(what, at, because="imported")

    def _wait(self, reason: WaitReason) -> None:
        """It waits since it was last heard of; a row does not say for how long it did before."""
        at = self.ticket.updated_at
        self.turns.append(Turn(WAITED, at, frozenset({reason})))
        self.past.begin_wait(reason, at)
        self.past.log(EventKind.WAIT_STARTED, at, reason=reason.value)
        self.ticket.waiting_internal_since = None
