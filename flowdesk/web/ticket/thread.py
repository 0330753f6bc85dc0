"""The talk of a ticket: messages, notes and what happened, in the order of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.core.ids import shown
from flowdesk.tickets.html import shown as shown_html
from flowdesk.tickets.models import AuthorKind, Message, Note, Ticket, TicketEvent
from flowdesk.tickets.queries import TicketStory
from flowdesk.tickets.states import EventKind, TaskOutcome
from flowdesk.web import words
from flowdesk.web.parts import NOBODY, Face
from flowdesk.web.ticket import words as said
from flowdesk.web.ticket.page import ThreadEntry, paragraphs
from flowdesk.web.vocabulary import METRICS, TARGETS, WAIT_REASONS, say

SHOWN = 2  # of a longer run of steps, the newest


def thread_of(
    ticket: Ticket, story: TicketStory, *, zone: ZoneInfo, now: datetime, names: Mapping[int, str]
) -> tuple[ThreadEntry, ...]:
    """Everything, oldest first; events that only repeat a message are left out, a long run of steps is folded."""
    entries = [
        (message.sent_at, 0, _message(message, ticket, zone=zone, now=now)) for message in story.messages
    ]
    entries += [
        (note.created_at, 1, _note(note, zone=zone, now=now, names=names))
        for note in story.notes
        if note.kind == "note"
    ]
    for events in _same_step(story.events):
        if line := event_words(events, names):
            entries.append((events[0].at, 2, _event(events[0], line, zone=zone, now=now)))
    entries.sort(key=lambda row: (row[0], row[1]))
    return tuple(_folded([entry for _at, _rank, entry in entries]))


def _same_step(events: Iterable[TicketEvent]) -> Iterable[list[TicketEvent]]:
    """One rung tells several people at once: its lines are one."""
    for _key, same in groupby(events, key=_step_key):
        yield list(same)


def _step_key(event: TicketEvent) -> tuple[object, ...]:
    if event.kind not in STEPS:
        return (event.id,)
    data = event.data
    return (event.at, event.kind, data.get("metric"), data.get("step"), data.get("rule"), data.get("reason"))


def _folded(entries: list[ThreadEntry]) -> Iterable[ThreadEntry]:
    """A long run of steps shows its newest; the earlier ones are behind one line."""
    for is_step, run in groupby(entries, key=lambda entry: entry.is_step):
        lines = list(run)
        if is_step and len(lines) > SHOWN + 1:
            earlier = lines[:-SHOWN]
            yield replace(earlier[0], id="", about=earlier_steps(len(earlier)), earlier=tuple(earlier))
            lines = lines[-SHOWN:]
        yield from lines


def _message(message: Message, ticket: Ticket, *, zone: ZoneInfo, now: datetime) -> ThreadEntry:
    if message.author_kind == AuthorKind.AGENT:
        author = Face.of(message.agent.name) if message.agent else NOBODY
        to = (ticket.contact.name or ticket.contact.email) if ticket.contact else ticket.customer.name
        about = said.written_to(to, channel=message.channel)
    else:
        contact = message.contact
        author = Face.of((contact.name or contact.email) if contact else ticket.customer.name)
        about = said.written_by(ticket.customer.name, channel=message.channel)
    html, pictures = formatted(message.html)
    return ThreadEntry(
        kind="message",
        id=shown("msg", message.public_id),
        at=words.iso(message.sent_at, zone),
        when=words.moment(message.sent_at, zone=zone, now=now),
        author=author,
        about=about,
        paragraphs=paragraphs(message.text),
        html=html,
        pictures_left_out=pictures_left_out(pictures) if pictures else "",
    )


def formatted(html: str) -> tuple[SafeString, int]:
    """A message's formatted words as the page may hold them, and how many pictures were left out of them."""
    if not html:
        return SafeString(""), 0
    kept, pictures = shown_html(html)
    return mark_safe(kept), pictures  # noqa: S308  it has just passed the allow-list


def pictures_left_out(count: int) -> str:
    """What stands under a message whose pictures are not fetched."""
    return ngettext("{n} picture left out", "{n} pictures left out", count).format(n=count)


def _note(note: Note, *, zone: ZoneInfo, now: datetime, names: Mapping[int, str]) -> ThreadEntry:
    return ThreadEntry(
        kind="note",
        id=shown("nte", note.public_id),
        at=words.iso(note.created_at, zone),
        when=words.moment(note.created_at, zone=zone, now=now),
        author=Face.of(note.agent.name) if note.agent else NOBODY,
        paragraphs=paragraphs(note.text, names=names.values()),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """An event in words: the glyph of a state of time, or an icon, and the sentence."""

    words: str
    state: str = ""
    icon: str = ""


def _event(event: TicketEvent, line: Line, *, zone: ZoneInfo, now: datetime) -> ThreadEntry:
    return ThreadEntry(
        kind="event",
        id=f"event-{event.id}",
        at=words.iso(event.at, zone),
        when=words.moment(event.at, zone=zone, now=now),
        about=line.words,
        state=line.state,
        icon=line.icon,
        is_step=event.kind in STEPS,
    )


def event_words(events: Sequence[TicketEvent], names: Mapping[int, str]) -> Line | None:
    """Events of one instant and kind as a line; None for what the thread shows in another way."""
    event = events[0]
    data = event.data
    who = names.get(data.get("agent") or 0, "")
    match event.kind:
        case EventKind.TICKET_ASSIGNED:
            return Line(
                _("Assigned to {name}").format(name=names.get(data.get("assignee") or 0, "")), icon="assign"
            )
        case EventKind.TICKET_UNASSIGNED:
            return Line(_("Back in the queue"), icon="assign")
        case EventKind.TASK_OPENED:
            return Line(_("{name} is to look into it first").format(name=who), icon="assign")
        case EventKind.TASK_ENDED if data.get("outcome") == TaskOutcome.DONE:
            return Line(_("Looked into"), icon="check")
        case EventKind.LEVEL_CHANGED:
            moved = _("From level {before} to level {after}")
            return Line(moved.format(before=data.get("before"), after=data.get("after")), icon="escalate")
        case EventKind.PRIORITY_CHANGED:
            moved = _("Priority from P{before} to P{after}")
            return Line(moved.format(before=data.get("before"), after=data.get("after")), icon="bolt")
        case EventKind.TERMS_CHANGED:
            return Line(_("The customer's terms changed"), icon="bolt")
        case EventKind.WAIT_STARTED:
            reason = say(WAIT_REASONS, data.get("reason", ""))
            return Line(_("Waiting: {reason}").format(reason=reason), state="paused")
        case EventKind.WAIT_ENDED:
            return Line(_("Waiting ended, the clocks run on"), icon="play")
        case EventKind.WAIT_REMINDED:
            return Line(_("The customer was reminded"), icon="mail")
        case EventKind.TICKET_RESOLVED:
            return Line(_("Resolved by {name}").format(name=who) if who else _("Resolved"), icon="check")
        case EventKind.TICKET_REOPENED:
            return Line(_("Reopened"), icon="undo")
        case EventKind.TICKET_CLOSED:
            return Line(_("Closed"), icon="lock")
        case EventKind.TICKET_VOIDED:
            return Line(_("Set aside as spam, test or mistake"), icon="lock")
        case EventKind.STEP_FIRED | EventKind.TICKET_ESCALATED:
            return _step_words(events, names)
        case EventKind.ESCALATION_ACKNOWLEDGED:
            return Line(_("{name} took the escalation").format(name=who or _("Somebody")), icon="check")
        case _:
            return None


STEPS = (EventKind.STEP_FIRED, EventKind.TICKET_ESCALATED)


def _step_words(events: Sequence[TicketEvent], names: Mapping[int, str]) -> Line:
    """A rung, an escalation, or either of them climbing on because nobody took it."""
    data = events[0].data
    step, climbs = int(data.get("step") or 0), data.get("reason") == "not_acknowledged"
    told = ", ".join(dict.fromkeys(_told(event, names) for event in events))
    if events[0].kind == EventKind.STEP_FIRED:
        sentence = (
            _("{metric}, {step}%: nobody took it, now {told}")
            if climbs
            else _("{metric}: {step}% spent, told: {told}")
        )
        state = "critical" if step >= 100 else "warning" if step >= 75 else ""
    else:
        sentence = _("Nobody took it, now {told}") if climbs else _("Escalated to {told}")
        state = "critical"
    said = sentence.format(metric=say(METRICS, data.get("metric") or ""), step=step, told=told)
    late = float(data.get("late_by_seconds") or 0)
    if late >= 60:
        said += " " + _("({minutes} min late)").format(minutes=int(late // 60))
    return Line(said, state=state, icon="" if state else "sla")


def _told(event: TicketEvent, names: Mapping[int, str]) -> str:
    """The post or place with its person: "team lead Ada Lind"."""
    target = say(TARGETS, event.data.get("target") or "")
    name = names.get(event.data.get("agent") or 0, "")
    return _("{target} {name}").format(target=target, name=name or _("(nobody on duty)"))


def earlier_steps(count: int) -> str:
    """The line behind which earlier steps are folded."""
    return ngettext("{n} earlier step", "{n} earlier steps", count).format(n=count)
