"""Two tickets are one case: one is merged into the other, and taken out again.

The source ends as `merged`: its clocks lie outside every rate, unless they had been missed, what waits, climbs or was
asked about it ends, and whoever writes to it writes to the target. What was said stays in its own ticket; the target
shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import DomainError, Fault, Invalid, NotFound
from flowdesk.core.ids import parsed
from flowdesk.core.tenant import act
from flowdesk.core.versions import Expected, must_stand_at
from flowdesk.engine.clock import Metric
from flowdesk.engine.merging import Starts, before_merge, carried_over, moved, restored, waiting_again
from flowdesk.engine.promises import Occurrence, Promises, Wait, WaitReason
from flowdesk.escalation import services as escalation
from flowdesk.flows.deeds import end_wait, end_waits_at_their_bounds, status_of
from flowdesk.flows.desk import Work, close_work, give, work_on
from flowdesk.people.models import Agent
from flowdesk.sla.mapping import before_data, before_of, starts_data, starts_of
from flowdesk.tickets import merges
from flowdesk.tickets import services as tickets
from flowdesk.tickets.merges import NotMerged
from flowdesk.tickets.models import Merge, Task, Ticket, TicketEvent
from flowdesk.tickets.models import Wait as WaitRow
from flowdesk.tickets.services import WrongState
from flowdesk.tickets.states import EventKind, MergeReason, Status, TaskOutcome
from flowdesk.triage.indexing import hide_tickets, show_tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What was merged into what, by number."""

    source: int
    target: int


@act
def merge(
    ticket_id: str,
    *,
    into: str,
    by: Actor,
    now: datetime,
    across_customers: bool = False,
    earliest: bool = False,
    because: MergeReason = MergeReason.BY_HAND,
    likeness_percent: int | None = None,
    expected: Expected = None,
) -> Merged:
    """Merge a ticket into another of the tenant.

    The target keeps its promises; with `earliest` those that still run count from the earlier of the two starts. An
    unanswered message of the source is one of the target from now on: it ends a wait for the customer, and where
    nothing was to be answered an answer falls due, counted from that message. Raises Invalid unless
    `across_customers` says that two customers may see each other's words; WrongState for what is merged or ended.
    """
    return _merge(
        ticket_id, into, by=by, now=now, across_customers=across_customers, earliest=earliest, because=because,
        likeness_percent=likeness_percent, expected=expected,
    )  # fmt: skip


def _merge(
    ticket_id: str,
    into: str,
    *,
    by: Actor,
    now: datetime,
    because: MergeReason,
    across_customers: bool = False,
    earliest: bool = False,
    likeness_percent: int | None = None,
    expected: Expected = None,
) -> Merged:
    by.must(Act.WORK)
    source, target = _lock_both(ticket_id, into)
    by.must(Act.WORK, source)
    by.must(Act.WORK, target)
    must_stand_at(source.version, expected)
    _must_fit(source, target, across_customers=across_customers)
    mine, theirs = work_on([source, target])
    theirs.pass_time(to=now)  # what was due is due, whatever is carried over
    before = _before(mine)
    promises = mine.desk.promises
    tasks = _begin_tasks(mine)
    _end(mine, target, by=by, at=now)
    changed = _carry_over(theirs, source, promises, earliest=earliest, by=by, at=now)
    merges.keep_merge(
        source, target, because=because, likeness_percent=likeness_percent, agent=by.agent,
        before={**before, "tasks": tasks, "target": changed}, at=now,
    )  # fmt: skip
    close_work(mine, theirs, by=by, at=now)
    hide_tickets([source.id])
    return Merged(source=source.number, target=target.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one of many merges; `code` and `reason` say why it was refused, and are empty where it was not."""

    source: str
    target: str
    code: str = ""
    reason: str = ""


@act
def merge_each(pairs: Sequence[tuple[str, str]], *, by: Actor, now: datetime) -> list[Answer]:
    """Clean up: merge the first of each pair into the second, in their order, and answer for each.

    Each is merged by itself: one that is refused changes nothing and holds up no other.
    """
    by.must(Act.WORK)
    _lock_named({name for pair in pairs for name in pair})
    return [_answered(source, target, by=by, at=now) for source, target in pairs]


def _answered(source: str, target: str, *, by: Actor, at: datetime) -> Answer:
    try:
        with transaction.atomic():
            _merge(source, target, because=MergeReason.CLEAN_UP, by=by, now=at)
    except DomainError as fault:
        return Answer(source=source, target=target, code=fault.code, reason=fault.message)
    return Answer(source=source, target=target)


def _lock_named(names: Collection[str]) -> None:
    """Lock those of the tickets that are there, all at once and in the order of their row ids."""
    known = []
    for name in names:
        with suppress(NotFound):
            known.append(parsed(tickets.PREFIX, name))
    ids = Ticket.objects.filter(public_id__in=known).values_list("id", flat=True)
    tickets.lock_tickets(sorted(ids))


def _lock_both(source_id: str, target_id: str) -> tuple[Ticket, Ticket]:
    """Both tickets, locked in the order of their row ids: two who merge crosswise do not wait for each other."""
    names = [parsed(tickets.PREFIX, source_id)]
    try:
        names.append(parsed(tickets.PREFIX, target_id))
    except NotFound:
        raise Invalid(_NO_TARGET) from None
    ids = dict(Ticket.objects.filter(public_id__in=names).values_list("public_id", "id"))
    if names[0] not in ids:
        raise NotFound
    if names[1] not in ids:
        raise Invalid(_NO_TARGET)
    if names[0] == names[1]:
        raise Invalid(Fault("into", "is the ticket itself"))
    locked = {ticket.id: ticket for ticket in tickets.lock_tickets(sorted(ids.values()))}
    return locked[ids[names[0]]], locked[ids[names[1]]]


_NO_TARGET = Fault("into", "there is no ticket by that id")
_ENDED = (Status.CLOSED, Status.VOID)
# After these nobody waits for the customer as before.
ENDS_WAITING = (EventKind.CUSTOMER_WROTE, EventKind.AGENT_REPLIED, EventKind.TICKET_RESOLVED)


def _must_fit(source: Ticket, target: Ticket, *, across_customers: bool) -> None:
    for ticket in (source, target):
        if ticket.status == Status.MERGED:
            raise WrongState(f"Ticket #{ticket.number} was merged into another already.")
        if ticket.status in _ENDED:
            raise WrongState(f"Ticket #{ticket.number} has ended for good; nothing is merged with it.")
    if source.is_active and not target.is_active:
        raise WrongState(f"Ticket #{target.number} is resolved: reopen it first, or merge it into this one.")
    if source.customer_id != target.customer_id and not across_customers:
        raise Invalid(
            Fault(
                "across_customers", "must be true: two customers would see each other's words in one ticket"
            )
        )


def _before(work: Work) -> dict[str, Any]:
    """How the source stands: what its return takes up again."""
    ticket = work.ticket
    return {
        "status": str(ticket.status),
        "tier": work.customer.tier,
        "promises": before_data(before_merge(work.desk.promises)),
        "waits": [wait.id for wait in work.desk.waits if wait.ended_at is None],
        "escalations": [row.id for row in work.open_tasks],
    }


def _begin_tasks(work: Work) -> list[int]:
    rows = Task.objects.filter(ticket_id=work.ticket.id, ended_at__isnull=True)
    return list(rows.order_by("id").values_list("id", flat=True))


def _end(work: Work, target: Ticket, *, by: Actor, at: datetime) -> None:
    """The source ends: another ticket stands for it."""
    ticket = work.ticket
    ticket.status = Status.MERGED
    ticket.merged_into_id = target.id
    work.changed.add("merged_into")
    for wait_row in work.desk.waits:
        wait_row.ended_at = at
        wait_row.save(update_fields=["ended_at"])
    work.task_outcome = TaskOutcome.DROPPED
    work.log(EventKind.TICKET_MERGED, by=by, at=at, into=target.id, number=target.number)
    work.happen(Occurrence.MERGED, at=at)
    escalation.close_all(ticket.id, at=at)


def _carry_over(
    work: Work, source: Ticket, brought: Promises, *, earliest: bool, by: Actor, at: datetime
) -> dict[str, Any]:
    """What the source brings into the target; returns how its promises counted before."""
    ticket, before = work.ticket, work.desk.promises
    is_unanswered = brought.unanswered_since is not None
    internal_since, ended = ticket.waiting_internal_since, None
    if is_unanswered:
        ended = next((wait.id for wait in work.desk.waits if wait.reason == WaitReason.CUSTOMER), None)
        end_wait(work, WaitReason.CUSTOMER, by=by, at=at, because="merged")
        ticket.waiting_internal_since = ticket.waiting_internal_since or at
        work.changed.add("waiting_internal_since")
        work.happen(Occurrence.CUSTOMER_WROTE, at=at)
    answers = work.desk.promises.active(Metric.NEXT_RESPONSE) is not before.active(Metric.NEXT_RESPONSE)
    starts = carried_over(work.desk.promises, brought, earliest=earliest, answers=answers)
    known = {(clock.metric, clock.cycle): clock.started_at for clock in before.clocks}
    answer = work.desk.promises.active(Metric.NEXT_RESPONSE)
    began = frozenset({(answer.metric, answer.cycle)} if answers and answer else ())
    work.log(
        EventKind.MERGE_TAKEN, by=by, at=at, source=source.id, number=source.number, unanswered=is_unanswered,
        starts=starts_data(starts), source_assignee=source.assignee_id,
    )  # fmt: skip
    work.change(moved(work.desk.promises, starts, at=at))
    work.pass_time(to=at)  # and what the earlier starts make due at once
    return {
        "starts": starts_data(
            Starts(
                clocks={key: known[key] for key in starts.clocks if key in known},
                drops=began,
                unanswered_since=before.unanswered_since,
            )
        ),
        "heard": brought.unanswered_since.isoformat() if brought.unanswered_since else None,
        "wait": ended,
        "internal_since": internal_since.isoformat() if internal_since else None,
    }


@act
def unmerge(ticket_id: str, *, by: Actor, now: datetime, expected: Expected = None) -> Merged:
    """Take a merged ticket out again: it goes on as if it had never been merged.

    Restored: status, people, waits, open escalations and what somebody was asked to do; every clock in its cycle, with
    the time since counted as if it had run on (what fell due meanwhile is done now, once and late); its own talk. In
    the target, promises that the merge had moved count from their own start again, and an answer that fell due only
    because of the source's message is dropped outside every rate, unless it was missed or the customer has written
    there since. A wait for the customer that the merge ended there goes on, unless somebody has written there since.

    Not restored: what was written to the source since stays in the target, and so does what was done there; misses
    that were recorded.
    """
    by.must(Act.WORK)
    source, target = _lock_pair(ticket_id, expected)
    by.must(Act.WORK, source)
    by.must(Act.WORK, target)
    row = merges.merge_of(source)
    mine, theirs = work_on([source, target])
    theirs.pass_time(to=now)
    _bring_back(mine, row, target, by=by, at=now)
    _give_back(theirs, row, source, by=by, at=now)
    merges.end_merge(row, at=now)
    close_work(mine, theirs, by=by, at=now)
    show_tickets([source.id])
    return Merged(source=source.number, target=target.number)


def _lock_pair(source_id: str, expected: Expected) -> tuple[Ticket, Ticket]:
    """A merged ticket and the one it was merged into, locked in the order of their row ids. Raises Outdated."""
    name = parsed(tickets.PREFIX, source_id)
    found = Ticket.objects.filter(public_id=name).values_list("id", "merged_into_id").first()
    if found is None:
        raise NotFound
    source, target = found
    ids = sorted({source, target or source})
    locked = {ticket.id: ticket for ticket in tickets.lock_tickets(ids)}
    must_stand_at(locked[source].version, expected)
    if target is None or locked[source].merged_into_id != target:
        raise NotMerged  # or somebody was faster
    return locked[source], locked[target]


def _bring_back(work: Work, row: Merge, target: Ticket, *, by: Actor, at: datetime) -> None:
    ticket, before = work.ticket, row.before
    ticket.status = Status(before["status"])
    ticket.merged_into_id = None
    work.changed.add("merged_into")
    work.desk.waits = merges.reopen_waits(before["waits"])
    escalation.reopen(before["escalations"])
    work.open_tasks = escalation.open_escalations(ticket.tenant_id, [ticket.id])[ticket.id]
    work.log(EventKind.TICKET_UNMERGED, by=by, at=at, source=target.id, number=target.number)
    has_ended = not ticket.is_active
    work.change(
        restored(
            work.desk.promises,
            before_of(before["promises"], waits=work.desk.waits, has_ended=has_ended),
            at=at,
        )
    )
    for agent, due, kind in merges.reopen_tasks(before["tasks"]):
        work.log(EventKind.TASK_OPENED, by=by, at=at, kind=kind, agent=agent, due_at=due.isoformat())
    if not ticket.is_active:
        return
    end_waits_at_their_bounds(work, last_act=row.merged_at, by=by, at=at)
    if not ticket.is_active:
        return  # the customer was silent for too long
    work.pass_time(to=at)
    _on_todays_terms(work, before["tier"], by=by, at=at)
    _free_if_left(work, by=by, at=at)


def _on_todays_terms(work: Work, tier: str, *, by: Actor, at: datetime) -> None:
    """A change of the customer's terms meanwhile passed a merged ticket by."""
    if work.customer.tier == tier:
        return
    work.log(EventKind.TERMS_CHANGED, by=by, at=at, before=tier, after=work.customer.tier)
    work.happen(Occurrence.TERMS_CHANGED, at=at)
    work.pass_time(to=at)


def _free_if_left(work: Work, *, by: Actor, at: datetime) -> None:
    """Who has left works on no ticket that comes back."""
    agent = work.ticket.assignee_id
    if agent is not None and Agent.objects.filter(id=agent, left_at__isnull=False).exists():
        give(work, team=None, agent=None, by=by, at=at, because="unmerged")


def _give_back(work: Work, row: Merge, source: Ticket, *, by: Actor, at: datetime) -> None:
    """What the merge has moved in the target counts from its own start again, and what it ended goes on."""
    since = _since_merge(work.ticket, source)
    starts = _own_starts(work, row, since)
    wait = (
        _own_wait(work, row, since) if starts.unanswered_since == _kept_starts(row).unanswered_since else None
    )
    again = (
        {"reason": wait.reason, "since": wait.since.isoformat(), "over": row.merged_at.isoformat()}
        if wait
        else None
    )
    work.log(
        EventKind.MERGE_RETURNED, by=by, at=at, source=source.id, number=source.number,
        starts=starts_data(starts), wait=again,
    )  # fmt: skip
    work.change(moved(work.desk.promises, starts, at=at))
    work.pass_time(to=at)
    if wait is not None:
        terms = work.desk.terms
        work.change(waiting_again(work.desk.promises, wait, over=row.merged_at, terms=terms, at=at))
        _wait_again(work, row)


def _since_merge(ticket: Ticket, source: Ticket) -> QuerySet[TicketEvent]:
    """What has happened to the target since, in the order in which it was written down."""
    lines = TicketEvent.objects.filter(ticket_id=ticket.id)
    taken = lines.filter(kind=EventKind.MERGE_TAKEN, data__source=source.id).order_by("-id").values("id")
    return lines.filter(id__gt=taken[:1]).order_by("id")


def _kept_starts(row: Merge) -> Starts:
    return starts_of(row.before["target"]["starts"])


def _own_starts(work: Work, row: Merge, since: QuerySet[TicketEvent]) -> Starts:
    """As the promises of the target counted before, and by what its own customer has written since."""
    kept: Mapping[str, Any] = row.before["target"]
    starts = _kept_starts(row)
    standing = work.desk.promises.unanswered_since
    heard = datetime.fromisoformat(kept["heard"]) if kept["heard"] else None
    if heard is None or standing is None or standing > heard:
        # Nothing was brought, or it has been answered: what stands open here is the target's own.
        return Starts(clocks={**starts.clocks}, unanswered_since=standing)
    wrote = since.filter(kind=EventKind.CUSTOMER_WROTE).exclude(data__thanks=True)
    own = starts.unanswered_since or wrote.values_list("at", flat=True).first()
    if own is None:
        return starts
    return Starts(clocks={**starts.clocks, **dict.fromkeys(starts.drops, own)}, unanswered_since=own)


def _own_wait(work: Work, row: Merge, since: QuerySet[TicketEvent]) -> Wait | None:
    """The wait that the merge ended in the target, if nothing else has ended it since."""
    ended = row.before["target"].get("wait")
    if ended is None or not work.ticket.is_active or since.filter(kind__in=ENDS_WAITING).exists():
        return None
    kept = WaitRow.objects.get(id=ended)
    reason = WaitReason(kept.reason)
    is_open = any(wait.reason == reason for wait in work.desk.waits)
    return None if is_open else Wait(reason=reason, since=kept.started_at)


def _wait_again(work: Work, row: Merge) -> None:
    """The ticket waits as it did; a bound that has passed meanwhile is the next sweep's."""
    ticket, kept = work.ticket, row.before["target"]
    work.desk.waits += merges.reopen_waits([kept["wait"]])
    ticket.status = status_of([wait for wait in work.desk.waits if wait.ended_at is None])
    internal_since = kept["internal_since"]
    ticket.waiting_internal_since = datetime.fromisoformat(internal_since) if internal_since else None
    work.changed.add("waiting_internal_since")
