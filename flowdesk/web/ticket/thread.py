"""The talk of a ticket: messages, notes and what happened, in the order of time."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from flowdesk.core.ids import shown
from flowdesk.tickets.models import AuthorKind, Message, Note, Ticket, TicketEvent
from flowdesk.tickets.queries import TicketStory
from flowdesk.tickets.states import EventKind
from flowdesk.web import words
from flowdesk.web.parts import NOBODY, Face
from flowdesk.web.ticket import words as said
from flowdesk.web.ticket.page import ThreadEntry, paragraphs
from flowdesk.web.vocabulary import METRICS, TARGETS, WAIT_REASONS, say


def thread_of(
    ticket: Ticket, story: TicketStory, *, zone: ZoneInfo, now: datetime, names: Mapping[int, str]
) -> tuple[ThreadEntry, ...]:
    """Everything, oldest first; events that only repeat a message are left out."""
    entries = [
        (message.sent_at, 1, _message(message, ticket, zone=zone, now=now)) for message in story.messages
    ]
    entries += [
        (note.created_at, 2, _note(note, zone=zone, now=now, names=names))
        for note in story.notes
        if note.kind == "note"
    ]
    for event in story.events:
        if line := event_words(event, names):
            state, icon, sentence = line
            entries.append((event.at, 0, _event(event, sentence, state, icon, zone=zone, now=now)))
    entries.sort(key=lambda row: (row[0], row[1]))
    return tuple(entry for _at, _rank, entry in entries)


def _message(message: Message, ticket: Ticket, *, zone: ZoneInfo, now: datetime) -> ThreadEntry:
    if message.author_kind == AuthorKind.AGENT:
        author = Face.of(message.agent.name) if message.agent else NOBODY
        to = (ticket.contact.name or ticket.contact.email) if ticket.contact else ticket.customer.name
        about = said.written_to(to, channel=message.channel)
    else:
        contact = message.contact
        author = Face.of((contact.name or contact.email) if contact else ticket.customer.name)
        about = said.written_by(ticket.customer.name, channel=message.channel)
    return ThreadEntry(
        kind="message",
        id=shown("msg", message.public_id),
        at=words.iso(message.sent_at, zone),
        when=words.moment(message.sent_at, zone=zone, now=now),
        author=author,
        about=about,
        paragraphs=paragraphs(message.text),
    )


def _note(note: Note, *, zone: ZoneInfo, now: datetime, names: Mapping[int, str]) -> ThreadEntry:
    return ThreadEntry(
        kind="note",
        id=shown("nte", note.public_id),
        at=words.iso(note.created_at, zone),
        when=words.moment(note.created_at, zone=zone, now=now),
        author=Face.of(note.agent.name) if note.agent else NOBODY,
        paragraphs=paragraphs(note.text, names=names.values()),
    )


def _event(
    event: TicketEvent, sentence: str, state: str, icon: str, *, zone: ZoneInfo, now: datetime
) -> ThreadEntry:
    return ThreadEntry(
        kind="event",
        id=f"event-{event.id}",
        at=words.iso(event.at, zone),
        when=words.moment(event.at, zone=zone, now=now),
        about=sentence,
        state=state,
        icon=icon,
    )


def event_words(event: TicketEvent, names: Mapping[int, str]) -> tuple[str, str, str] | None:
    """An event as glyph state, icon and sentence; None for what the thread shows in another way."""
    data = event.data
    who = names.get(data.get("agent") or 0, "")
    match event.kind:
        case EventKind.TICKET_ASSIGNED:
            name = names.get(data.get("assignee") or 0, "")
            return "", "assign", _("Assigned to {name}").format(name=name)
        case EventKind.TICKET_UNASSIGNED:
            return "", "assign", _("Back in the queue")
        case EventKind.LEVEL_CHANGED:
            return (
                "",
                "escalate",
                _("From level {before} to level {after}").format(
                    before=data.get("before"), after=data.get("after")
                ),
            )
        case EventKind.PRIORITY_CHANGED:
            return (
                "",
                "bolt",
                _("Priority from P{before} to P{after}").format(
                    before=data.get("before"), after=data.get("after")
                ),
            )
        case EventKind.TERMS_CHANGED:
            return "", "bolt", _("The customer's terms changed")
        case EventKind.WAIT_STARTED:
            return (
                "paused",
                "",
                _("Waiting: {reason}").format(reason=say(WAIT_REASONS, data.get("reason", ""))),
            )
        case EventKind.WAIT_ENDED:
            return "", "play", _("Waiting ended, the clocks run on")
        case EventKind.WAIT_REMINDED:
            return "", "mail", _("The customer was reminded")
        case EventKind.TICKET_RESOLVED:
            return "", "check", (_("Resolved by {name}").format(name=who) if who else _("Resolved"))
        case EventKind.TICKET_REOPENED:
            return "", "undo", _("Reopened")
        case EventKind.TICKET_CLOSED:
            return "", "lock", _("Closed")
        case EventKind.TICKET_VOIDED:
            return "", "lock", _("Set aside as spam, test or mistake")
        case EventKind.STEP_FIRED:
            return _step_words(event, names)
        case EventKind.TICKET_ESCALATED:
            return (
                "critical",
                "",
                _("Escalated to {target}: {name}").format(
                    target=say(TARGETS, data.get("target", "")),
                    name=names.get(data.get("agent") or 0, _("nobody on duty")),
                ),
            )
        case EventKind.ESCALATION_ACKNOWLEDGED:
            return "", "check", _("{name} took the escalation").format(name=who or _("Somebody"))
        case _:
            return None


def _step_words(event: TicketEvent, names: Mapping[int, str]) -> tuple[str, str, str]:
    data = event.data
    step = int(data.get("step", 0))
    sentence = _("{metric}: {step}% spent, {target} told: {name}").format(
        metric=say(METRICS, data.get("metric", "")),
        step=step,
        target=say(TARGETS, data.get("target", "")),
        name=names.get(data.get("agent") or 0, _("nobody on duty")),
    )
    late = float(data.get("late_by_seconds", 0))
    if late >= 60:
        sentence += " " + _("({minutes} min late)").format(minutes=int(late // 60))
    state = "critical" if step >= 100 else "warning" if step >= 75 else ""
    return state, "" if state else "sla", sentence
