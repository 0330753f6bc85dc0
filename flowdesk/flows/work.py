"""What agents do with a ticket."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from flowdesk.accounts.models import ApiKey, User
from flowdesk.core.actor import Act, Actor, ActorKind
from flowdesk.core.errors import DomainError, Fault, Invalid
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import act
from flowdesk.core.versions import Expected
from flowdesk.engine.business_time import BusinessCalendar, Unit, due_at
from flowdesk.engine.escalation import EventTrigger
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import Occurrence, WaitReason
from flowdesk.engine.reasons import as_data as reasons_of
from flowdesk.engine.reasons import because
from flowdesk.engine.sla_policy import Amount
from flowdesk.escalation import services as escalation
from flowdesk.flows.deeds import end_wait, end_work, reopen, status_of
from flowdesk.flows.desk import HANDED_UP, Work, close_work, give, must_say_something, open_work, write_note
from flowdesk.people.models import Agent, Team
from flowdesk.people.services import AGENT
from flowdesk.routing import services as routing
from flowdesk.sla.services import Desk
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import AuthorKind, Ticket, TicketEvent, Wait
from flowdesk.tickets.queries import latest_event
from flowdesk.tickets.states import EventKind, Status, TaskOutcome


@act
def send_reply(
    ticket_id: str,
    *,
    text: str,
    by: Actor,
    now: datetime,
    then_wait: bool = False,
    html: str = "",
    channel: str = "",
    expected: Expected = None,
) -> str:
    """Answer the customer; `then_wait` gives them the next move in the same save. Returns the message's id."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    ticket = work.ticket
    tickets.must_be_active(ticket)
    must_say_something(text)
    message = tickets.add_message(
        ticket, author=AuthorKind.AGENT, text=text, html=html, at=now, channel=channel or ticket.channel,
        agent=by.agent,
    )  # fmt: skip
    ticket.first_response_at = ticket.first_response_at or now
    ticket.reply_count += 1
    ticket.waiting_internal_since = None
    if ticket.status == Status.NEW:
        ticket.status = Status.OPEN
    work.changed |= {"first_response_at", "reply_count", "waiting_internal_since"}
    work.task_outcome = TaskOutcome.DONE
    work.log(EventKind.AGENT_REPLIED, by=by, at=now, message=message.hex, agent=by.agent)
    occurrences = [Occurrence.AGENT_REPLIED]
    waits = []
    if then_wait and not _waits_for(work, WaitReason.CUSTOMER):
        waits = [WaitReason.CUSTOMER]
        occurrences.append(Occurrence.WAIT_STARTED)
    work.happen(*occurrences, at=now, waits=waits)
    if waits:
        _begin_wait(work, WaitReason.CUSTOMER, note="", by=by, at=now, until=None)
    close_work(work, by=by, at=now)
    return shown("msg", message)


@act
def add_note(ticket_id: str, *, text: str, by: Actor, now: datetime, expected: Expected = None) -> str:
    """Write among ourselves: no clock of the customer's moves. Returns the note's id."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    must_say_something(text)
    note = tickets.add_note(work.ticket, text=text, at=now, agent=by.agent)
    work.ticket.waiting_internal_since = None
    work.changed.add("waiting_internal_since")
    if by.agent is not None and by.agent == work.ticket.assignee_id:
        work.task_outcome = TaskOutcome.DONE  # who was to look into it says what they found
    work.log(EventKind.NOTE_ADDED, by=by, at=now, note=note.id, agent=by.agent)
    work.pass_time(to=now)
    close_work(work, by=by, at=now)
    return shown("nte", note.public_id)


@act
def assign(
    ticket_id: str,
    *,
    by: Actor,
    now: datetime,
    agent: str | None = None,
    team: str | None = None,
    seen: str | None = None,
    expected: Expected = None,
) -> None:
    """Give the ticket to an agent, to a team (its best agent takes it), or, with neither, back to its queue.

    `seen` is who had it when that was decided, "" for nobody, None for whoever has it. Raises ChangedMeanwhile where
    somebody else has given it elsewhere since.
    """
    work = open_work(ticket_id, Act.ASSIGN, by=by, expected=expected)
    tickets.must_be_active(work.ticket)
    if seen is not None:
        _must_be_held_as(seen, work, by=by)
    new_team = _team(team) if team else None
    new_agent = _agent(agent) if agent else None
    if new_team is not None and new_agent is None:
        new_agent = _best_of(work, new_team, at=now)
    give(work, team=new_team, agent=new_agent, by=by, at=now, because="by_hand")
    close_work(work, by=by, at=now)


class ChangedMeanwhile(DomainError):
    """Somebody else has changed this meanwhile. Choose again if you mean to."""

    code = "changed_meanwhile"


class HeldByAnother(DomainError):
    """Somebody else has the ticket meanwhile."""

    code = "held_by_another"


@act
def take(ticket_id: str, *, by: Actor, now: datetime, seen: str | None = None) -> None:
    """Take the ticket oneself; `seen` is who had it when that was decided, "" for nobody, None for whoever has it.

    Raises HeldByAnother where that is somebody else by now.
    """
    work = open_work(ticket_id, Act.WORK, by=by)
    tickets.must_be_active(work.ticket)
    if by.agent is None:
        raise Invalid(Fault("agent", "you do not work tickets in this tenant"))
    if seen is not None and work.ticket.assignee_id not in (None, by.agent):
        holder = Agent.objects.get(id=work.ticket.assignee_id)
        if shown(AGENT, holder.public_id) != seen:
            raise HeldByAnother(f"{holder.name} has the ticket by now. Take it again if you mean to.")
    give(work, team=None, agent=by.agent, by=by, at=now, because="taken")
    close_work(work, by=by, at=now)


@act
def wait(
    ticket_id: str,
    *,
    reason: WaitReason,
    by: Actor,
    now: datetime,
    note: str = "",
    until: datetime | None = None,
    expected: Expected = None,
) -> None:
    """Stop the clocks that this wait may stop, with a reason and a bound (F-SLA-11..14)."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    tickets.must_be_active(work.ticket)
    rule = work.desk.policy.promises.waits.get(reason)
    if rule is None:
        raise Invalid(Fault("reason", "is not a wait of this tenant's policy"))
    if rule.needs_note and not note.strip():
        raise Invalid(Fault("note", "says whom you wait for; this reason needs it"))
    if len(note) > 500:
        raise Invalid(Fault("note", "is longer than 500 characters"))
    if "\x00" in note:
        raise Invalid(Fault("note", "holds a null character"))
    if _waits_for(work, reason):
        raise tickets.WrongState("The ticket waits for that reason already.")
    work.happen(Occurrence.WAIT_STARTED, at=now, waits=[reason])
    _begin_wait(work, reason, note=note.strip(), by=by, at=now, until=until)
    work.ticket.waiting_internal_since = None
    work.changed.add("waiting_internal_since")
    close_work(work, by=by, at=now)


@act
def resume(
    ticket_id: str, *, by: Actor, now: datetime, reason: WaitReason | None = None, expected: Expected = None
) -> None:
    """End one wait, or all of them; the deadlines move by the business time of the pause."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    reasons = [reason] if reason else [WaitReason(wait.reason) for wait in work.desk.waits]
    ended = [one for one in reasons if end_wait(work, one, by=by, at=now, because="by_hand")]
    if not ended:
        raise tickets.WrongState("The ticket is not waiting.")
    work.happen(Occurrence.WAIT_ENDED, at=now, ended_waits=ended)
    close_work(work, by=by, at=now)


@act
def resolve(ticket_id: str, *, by: Actor, now: datetime, note: str = "", expected: Expected = None) -> None:
    """The work is done: every customer clock stops, open waits and escalations end; `note` says what settled it."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    tickets.must_be_active(work.ticket)
    write_note(work, note, by=by, at=now)
    end_work(work, by=by, at=now, because="by_hand")
    close_work(work, by=by, at=now)


@act
def reopen_ticket(
    ticket_id: str, *, by: Actor, now: datetime, note: str = "", expected: Expected = None
) -> None:
    """Take a resolved ticket up again; a closed one is followed up instead."""
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    if work.ticket.status != Status.RESOLVED:
        raise tickets.WrongState("Only a resolved ticket can be reopened.")
    write_note(work, note, by=by, at=now)
    reopen(work, by=by, at=now, because="by_hand")
    work.happen(Occurrence.REOPENED, at=now)
    close_work(work, by=by, at=now)


@act
def prioritise(
    ticket_id: str,
    *,
    priority: Priority,
    by: Actor,
    now: datetime,
    note: str = "",
    seen: Priority | None = None,
    expected: Expected = None,
) -> None:
    """Set the priority by hand; the running promises change as the policy says.

    `seen` is what it was when that was decided, None for whatever it is. Raises ChangedMeanwhile where somebody else
    has set another since.
    """
    work = open_work(ticket_id, Act.PRIORITISE, by=by, expected=expected)
    ticket = work.ticket
    tickets.must_be_active(ticket)
    if seen is not None:
        _must_weigh_as(seen, ticket, by=by)
    before = ticket.priority
    write_note(work, note, by=by, at=now)
    work.pass_time(to=now)  # what was due on the old terms is due
    said = because("set_by_agent", was=f"P{before}", priority=priority.name)
    trace = {"priority": int(priority), "agent": by.agent, "reasons": reasons_of([said])}
    tickets.explain(ticket, {"priority": trace}, at=now)
    if before == int(priority):
        close_work(work, by=by, at=now)
        return
    ticket.priority = int(priority)
    work.changed.add("priority")
    work.log(EventKind.PRIORITY_CHANGED, by=by, at=now, before=before, after=int(priority), agent=by.agent)
    work.happen(Occurrence.TERMS_CHANGED, at=now)
    work.pass_time(to=now)  # and what the new terms make due at once, too
    work.triggers.add(EventTrigger.PRIORITISED)
    close_work(work, by=by, at=now)


@act
def void(
    ticket_id: str, *, by: Actor, now: datetime, because: str = "spam", expected: Expected = None
) -> None:
    """Spam, a test, or deleted: its clocks stay outside every rate.

    What has ended counts in the rates already; only who may change the tenant's settings takes it out of them.
    """
    work = open_work(ticket_id, Act.WORK, by=by, expected=expected)
    ticket = work.ticket
    if ticket.status == Status.MERGED:
        tickets.must_be_active(ticket)
    if not ticket.is_active and not by.may(Act.CONFIGURE):
        raise tickets.WrongState("The ticket has ended; a manager may void it.")
    ticket.status = Status.VOID
    ticket.closed_at = now
    work.changed.add("closed_at")
    for wait_row in work.desk.waits:
        wait_row.ended_at = now
        wait_row.save(update_fields=["ended_at"])
    work.task_outcome = TaskOutcome.DROPPED
    work.log(EventKind.TICKET_VOIDED, by=by, at=now, because=because)
    work.happen(Occurrence.VOIDED, at=now)
    escalation.close_all(ticket.id, at=now)
    close_work(work, by=by, at=now)


def _must_weigh_as(seen: Priority, ticket: Ticket, *, by: Actor) -> None:
    """What one has set oneself since, in another window, is no news."""
    if ticket.priority == seen:
        return
    event = latest_event(ticket.id, EventKind.PRIORITY_CHANGED)
    if event is None:
        raise ChangedMeanwhile
    if not _is_by(event, by):
        raise ChangedMeanwhile(
            f"Meanwhile {_doer(event)} set P{ticket.priority} ({event.at.isoformat()}). Choose again if you mean to."
        )


def _must_be_held_as(seen: str, work: Work, *, by: Actor) -> None:
    """As with the priority."""
    holder = work.ticket.assignee
    if seen == (shown(AGENT, holder.public_id) if holder else ""):
        return
    event = latest_event(work.ticket.id, EventKind.TICKET_ASSIGNED, EventKind.TICKET_UNASSIGNED)
    if event is None:
        raise ChangedMeanwhile
    if _is_by(event, by):
        return
    doer, at = _doer(event), event.at.isoformat()
    if holder is None:
        raise ChangedMeanwhile(
            f"Meanwhile {doer} put the ticket back in its queue ({at}). Choose again if you mean to."
        )
    if event.data.get("because") == "taken":
        raise ChangedMeanwhile(f"Meanwhile {doer} took the ticket ({at}). Choose again if you mean to.")
    raise ChangedMeanwhile(
        f"Meanwhile {doer} gave the ticket to {holder.name} ({at}). Choose again if you mean to."
    )


def _is_by(event: TicketEvent, by: Actor) -> bool:
    return not _came_of_time(event) and (event.actor_kind, event.actor_id) == (by.kind.value, by.id)


def _came_of_time(event: TicketEvent) -> bool:
    """A ticket that outstayed its level is handed up in whichever act comes next."""
    return bool(event.data.get("because") == HANDED_UP)


def _doer(event: TicketEvent) -> str:
    """The name of who did it; the desk's own where no person and no key did."""
    rows: QuerySet[Any]
    if event.actor_id is None or _came_of_time(event):
        return "Flowdesk"
    match event.actor_kind:
        case ActorKind.USER:
            rows = User.objects.filter(id=event.actor_id)
        case ActorKind.API_KEY:
            rows = ApiKey.objects.filter(id=event.actor_id)
        case _:
            return "Flowdesk"
    return rows.values_list("name", flat=True).first() or "Flowdesk"


def _best_of(work: Work, team: Team, *, at: datetime) -> int | None:
    picked = routing.hold_agent(
        team.id,
        wish=routing.wish_of(work.ticket, work.customer),
        rules=work.desk.policy.routing,
        at=at,
    )
    return int(picked.agent) if picked.agent else None


def _begin_wait(
    work: Work, reason: WaitReason, *, note: str, by: Actor, at: datetime, until: datetime | None
) -> None:
    """Write the wait with its bound: the policy's longest, or sooner if asked."""
    desk, ticket = work.desk, work.ticket
    rule = desk.policy.promises.waits.get(reason)
    limit = _after(desk, at, rule.longest) if rule else due_at(_calendar(desk), at, 5, Unit.BUSINESS_DAYS)
    if until is not None:
        if until <= at:
            raise Invalid(Fault("until", "lies in the past"))
        if until > limit:
            raise Invalid(Fault("until", f"is later than this wait may last ({limit.isoformat()})"))
        limit = until
    wait_row = Wait.objects.create(
        tenant_id=ticket.tenant_id,
        ticket_id=ticket.id,
        reason=reason.value,
        note=note,
        started_at=at,
        ends_by=limit,
        remind_at=_after(desk, at, rule.remind_after) if rule and rule.remind_after else None,
        agent_id=by.agent,
    )
    desk.waits.append(wait_row)
    ticket.status = status_of([one for one in desk.waits if one.ended_at is None])
    work.log(
        EventKind.WAIT_STARTED, by=by, at=at, reason=reason.value, wait=wait_row.id, ends_by=limit.isoformat(),
        told=bool(rule and rule.is_told),
    )  # fmt: skip


def _after(desk: Desk, at: datetime, amount: Amount) -> datetime:
    return due_at(_calendar(desk), at, amount.amount, amount.unit)


def _calendar(desk: Desk) -> BusinessCalendar:
    promises = desk.policy.promises
    return promises.calendars[promises.default_calendar]


def _waits_for(work: Work, reason: WaitReason) -> bool:
    return any(one.reason == reason and one.ended_at is None for one in work.desk.waits)


def _agent(public_id: str) -> int:
    found = Agent.objects.filter(public_id=parsed(AGENT, public_id), left_at__isnull=True).values_list(
        "id", flat=True
    )
    if not found:
        raise Invalid(Fault("agent", "there is no agent by that id"))
    return int(found[0])


def _team(name: str) -> Team:
    """A team by public id or slug."""
    known = (
        Team.objects.filter(public_id=parsed("tem", name))
        if name.startswith("tem_")
        else Team.objects.filter(slug=name)
    )
    found = known.first()
    if found is None:
        raise Invalid(Fault("team", "there is no team by that name"))
    return found
