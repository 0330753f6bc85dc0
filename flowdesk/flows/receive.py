"""Words come in: a new ticket is understood, routed and promised; a message on a known one moves its clocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flowdesk.core.actor import Act, Actor, ActorKind
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import new_id, shown
from flowdesk.core.tenant import act
from flowdesk.core.text import one_line
from flowdesk.core.trace import trace
from flowdesk.core.versions import Expected
from flowdesk.engine.courtesy import is_mere_thanks
from flowdesk.engine.escalation import EventTrigger
from flowdesk.engine.facts import Priority, Sentiment, TicketFacts
from flowdesk.engine.promises import Occurrence, WaitReason
from flowdesk.escalation import services as escalation
from flowdesk.flows.deeds import ANGER, end_wait, is_set_by_hand, reopen, weighed_again
from flowdesk.flows.desk import Work, close_work, must_say_something, open_standing_work
from flowdesk.intake import services as intake
from flowdesk.intake.fields import stored, usable_fields
from flowdesk.intake.services import InboundMessage, Writer
from flowdesk.people import queries as people
from flowdesk.people.models import Contact
from flowdesk.policies.services import Policy, current_policy
from flowdesk.routing import services as routing
from flowdesk.routing.services import Routed
from flowdesk.sla import services as sla
from flowdesk.tickets import services as tickets
from flowdesk.tickets.mapping import office_is_open
from flowdesk.tickets.models import AuthorKind, Ticket
from flowdesk.tickets.queries import latest_traces
from flowdesk.tickets.states import Channel, EventKind, Status
from flowdesk.triage import services as triage
from flowdesk.triage.learned import Target, listen
from flowdesk.triage.services import Classified


@dataclass(frozen=True, slots=True)
class Opened:
    """A ticket that has been opened, or that holds a message now."""

    id: str
    number: int
    status: Status


@act
def open_ticket(
    message: InboundMessage,
    *,
    by: Actor,
    now: datetime,
    priority: Priority | None = None,
    category: str = "",
    follows: int | None = None,
) -> Opened:
    """Open a ticket from somebody's words (F-INT-02).

    `priority` and `category` are what a person or a program says outright; without them the words decide.
    Raises Invalid naming each field that cannot be used.
    """
    by.must(Act.OPEN)
    intake.must_be_usable(message)
    policy = current_policy()
    fields = usable_fields(message.fields, policy)
    _must_know(message, category, policy)
    writer = intake.recognise(message, lowest_tier=policy.promises.lowest_tier, at=now)
    return _open(
        message, writer, policy, fields, by=by, at=now, priority=priority, category=category, follows=follows
    )


def _open(
    message: InboundMessage,
    writer: Writer,
    policy: Policy,
    fields: Mapping[str, Any],
    *,
    by: Actor,
    at: datetime,
    priority: Priority | None = None,
    category: str = "",
    follows: int | None = None,
) -> Opened:
    """Understand, route, promise and write down a new ticket."""
    learned = listen(message.subject, text=message.text)
    facts = _facts(message, writer, policy, fields, at=at)
    classified = triage.classify_ticket(
        facts, policy, category=category or None, priority=priority, learned=learned
    )
    routed = routing.route_ticket(
        classified.facts, policy, dedicated=writer.customer.dedicated_agent_id, at=at,
        learned=partial(triage.learned_team, learned),
    )  # fmt: skip
    work = _new_work(message, writer, classified, routed, policy, by=by, at=at, follows=follows)
    _promise(work, routed, by=by, at=at)
    _write_down(work, message, writer, classified, routed, by=by, at=at)
    close_work(work, by=by, at=at, is_new=True)
    ticket = work.ticket
    opened = Opened(
        id=shown(tickets.PREFIX, ticket.public_id), number=ticket.number, status=Status(ticket.status)
    )
    trace(ticket=opened.id)
    return opened


@act
def take_message(
    ticket_id: str,
    *,
    text: str,
    channel: Channel,
    by: Actor,
    now: datetime,
    contact: int | None = None,
    html: str = "",
    expected: Expected = None,
) -> Opened:
    """The customer writes again: an answer falls due, a wait for them ends, a resolved ticket reopens.

    A closed one stays closed: the message opens a linked follow-up. What is written to a merged one lands in the
    ticket that stands for it. Returns the ticket that now holds the words.
    """
    work, asked = open_standing_work(ticket_id, Act.OPEN, by=by, expected=expected)
    ticket = work.ticket
    contact = contact or (asked.contact if asked else None) or ticket.contact_id
    must_say_something(text)
    if ticket.status == Status.VOID:
        raise tickets.WrongState("The ticket was set aside; a new message needs a new ticket.")
    if ticket.status == Status.CLOSED:
        return _follow_up(work, contact, text=text, html=html, channel=channel, by=by, at=now)
    tickets.add_message(
        ticket, author=AuthorKind.CONTACT, text=text, html=html, at=now, channel=channel, contact=contact
    )
    work.text = text
    thanks = is_mere_thanks(text)
    occurrences = [Occurrence.CUSTOMER_THANKED if thanks else Occurrence.CUSTOMER_WROTE]
    work.log(EventKind.CUSTOMER_WROTE, by=by, at=now, thanks=thanks, channel=channel.value)
    if ticket.status == Status.RESOLVED and not thanks:
        occurrences.append(Occurrence.REOPENED)
        reopen(work, by=by, at=now, because="customer_wrote")
    elif ticket.is_active:
        end_wait(work, WaitReason.CUSTOMER, by=by, at=now, because="customer_wrote")
        if not thanks:
            ticket.waiting_internal_since = ticket.waiting_internal_since or now
            work.changed.add("waiting_internal_since")
    _hear(work, text, by=by, at=now)
    if _grows_angry(work, text, by=by, at=now):
        occurrences.append(Occurrence.TERMS_CHANGED)
    work.happen(*occurrences, at=now)
    if Occurrence.TERMS_CHANGED in occurrences:
        work.pass_time(to=now)  # what the new terms make due at once
    close_work(work, by=by, at=now)
    name = shown(tickets.PREFIX, ticket.public_id)
    return Opened(id=name, number=ticket.number, status=Status(ticket.status))


def _follow_up(
    work: Work, writer: int | None, *, text: str, html: str, channel: Channel, by: Actor, at: datetime
) -> Opened:
    """A new ticket of the same writer, linked to the closed one."""
    ticket, contact = work.ticket, None
    if writer is not None:
        contact = Contact.objects.select_related("customer").filter(id=writer).first()
    message = InboundMessage(channel=channel, subject=ticket.subject, text=text, html=html)
    return _open(
        message, Writer(contact.customer if contact else work.customer, contact), current_policy(), {}, by=by,
        at=at, follows=ticket.id,
    )  # fmt: skip


def _hear(work: Work, text: str, *, by: Actor, at: datetime) -> None:
    """Later words may tell of what the first did not: a signal that is new calls for the same people."""
    ticket = work.ticket
    heard = triage.signals_in(
        ticket.subject, text=text, language=ticket.language or None, policy=work.desk.policy
    )
    new = heard - set(ticket.signals)
    if new and ticket.is_active:
        ticket.signals = sorted({*ticket.signals, *new})
        work.changed.add("signals")
        work.log(EventKind.TICKET_TRIAGED, by=by, at=at, signals=sorted(new))
        work.triggers.add(EventTrigger.PRIORITISED)


def _grows_angry(work: Work, text: str, *, by: Actor, at: datetime) -> bool:
    """The mood of later words takes the place of the one before; new anger weighs the priority anew, unless somebody
    set it by hand, and may only raise it (F-TRI-08). Whether it did: the caller lets TERMS_CHANGED happen.
    """
    ticket, policy = work.ticket, work.desk.policy
    felt = triage.mood_in(text, language=ticket.language or None, policy=policy)
    if not ticket.is_active or felt.sentiment in (Sentiment.NEUTRAL, ticket.sentiment):
        return False
    before, ticket.sentiment = ticket.sentiment, felt.sentiment.value
    work.changed.add("sentiment")
    work.log(
        EventKind.TICKET_TRIAGED, by=by, at=at, because="heard", before={"sentiment": before},
        after={"sentiment": ticket.sentiment},
    )  # fmt: skip
    work.triggers.add(EventTrigger.PRIORITISED)
    read = latest_traces([ticket.id], subject="triage").get(ticket.id, {})
    traces: dict[str, Any] = {"triage": {**read, "sentiment": triage.mood_trace(felt)}} if read else {}
    rises = False
    if felt.sentiment is Sentiment.ANGRY and not is_set_by_hand(ticket):
        weighed = weighed_again(work, at=at)
        decided = triage.decide(weighed, policy)
        if rises := int(decided.priority) < ticket.priority:
            work.pass_time(to=at)  # what was due on the old terms is due
            traces["priority"] = {**triage.priority_trace(decided, weighed), "policy": policy.id}
            work.log(
                EventKind.PRIORITY_CHANGED, by=by, at=at, before=ticket.priority, after=int(decided.priority),
                agent=by.agent, because=ANGER,
            )  # fmt: skip
            ticket.priority = int(decided.priority)
            work.changed.add("priority")
    tickets.explain(ticket, traces, at=at)
    return rises


def _must_know(message: InboundMessage, category: str, policy: Policy) -> None:
    if message.tier and message.tier not in policy.promises.tiers:
        raise Invalid(Fault("tier", f"is not one of {', '.join(policy.promises.tiers)}"))
    known = [rule.category for rule in policy.triage.categories]
    if category and category not in known:
        raise Invalid(Fault("category", f"is not one of {', '.join(known)}"))


def _facts(
    message: InboundMessage, writer: Writer, policy: Policy, fields: Mapping[str, Any], *, at: datetime
) -> TicketFacts:
    customer, contact = writer.customer, writer.contact
    language = message.language or (contact.language if contact else "") or customer.language
    return TicketFacts(
        subject=message.subject,
        text=message.text,
        channel=message.channel.value,
        language=language or None,
        customer_tier=customer.tier,
        is_vip=customer.is_vip,
        customer_id=str(customer.id),
        contact_id=str(contact.id) if contact else None,
        preferred_channel=customer.preferred_channel or None,
        fields=fields,
        business_hours=office_is_open(policy, at),
        recent_escalations=escalation.recent_escalations(customer.id, at=at),
        created_at=at,
    )


def _new_work(
    message: InboundMessage,
    writer: Writer,
    classified: Classified,
    routed: Routed,
    policy: Policy,
    *,
    by: Actor,
    at: datetime,
    follows: int | None,
) -> Work:
    facts = classified.facts
    ticket = Ticket(
        tenant_id=by.tenant,
        id=tickets.new_ticket_id(),
        public_id=new_id(at),
        subject=one_line(message.subject),
        status=Status.OPEN if routed.agent else Status.NEW,
        priority=int(facts.priority),
        impact=classified.priority.impact.value[0].upper(),
        urgency=classified.priority.urgency.value[0].upper(),
        category=facts.category or "",
        subcategory=facts.subcategory or "",
        complexity=facts.complexity or 1,
        sentiment=facts.sentiment or "",
        confidence=classified.confidence,
        needs_review=classified.needs_review,
        language=facts.language or "",
        channel=message.channel,
        signals=sorted(facts.signals),
        fields={name: stored(value) for name, value in facts.fields.items()},
        customer_id=writer.customer.id,
        contact_id=writer.contact.id if writer.contact else None,
        team_id=routed.team.id if routed.team else None,
        assignee_id=routed.agent,
        level=max(routed.team.level, 1) if routed.team else 1,
        follows_id=follows,
        policy_revision_id=policy.id,
        rule_target_minutes=routed.decision.sla_target_minutes,
        rule_target_loosens=routed.decision.loosen,
        created_at=at,
        updated_at=at,
        waiting_internal_since=at,
        level_entered_at=at,
    )
    work = Work(
        desk=sla.new_desk(ticket, tier=writer.customer.tier, policy=policy),
        customer=writer.customer,
        text=message.text,
    )
    work.triggers.add(EventTrigger.CREATED)
    work.asks = routed.team is not None and routed.team.level == 1 and routed.agent is not None
    return work


def _promise(work: Work, routed: Routed, *, by: Actor, at: datetime) -> None:
    """Start the clocks. A call logged by an agent was answered when it came in."""
    occurrences = [Occurrence.LEVEL_ENTERED, Occurrence.ASSIGNED if routed.agent else Occurrence.UNASSIGNED]
    if work.ticket.channel == Channel.PHONE and by.kind is ActorKind.USER:
        occurrences.append(Occurrence.PHONE_LOGGED)
        work.ticket.first_response_at = at
    else:
        occurrences.append(Occurrence.CREATED)
    work.happen(*occurrences, at=at)


def _told_of(work: Work, routed: Routed, *, at: datetime) -> dict[str, list[int]]:
    """Whom the rule tells of the ticket and whom it copies in: the holders of these posts, or who stands above."""
    decision = routed.decision
    if not decision.notify and not decision.cc:
        return {}
    crew = escalation.load_crew(people.teams(), at=at)
    told = {
        name: [found.agent for found in crew.find(posts, work.ticket) if found.agent is not None]
        for name, posts in (("notify", decision.notify), ("cc", decision.cc))
        if posts
    }
    return {name: agents for name, agents in told.items() if agents}


def _write_down(
    work: Work,
    message: InboundMessage,
    writer: Writer,
    classified: Classified,
    routed: Routed,
    *,
    by: Actor,
    at: datetime,
) -> UUID:
    ticket = work.ticket
    public_id = tickets.add_message(
        ticket, author=AuthorKind.CONTACT, text=message.text, html=message.html, at=at, channel=message.channel,
        contact=writer.contact.id if writer.contact else None,
    )  # fmt: skip
    work.log(
        EventKind.TICKET_OPENED, by=by, at=at, channel=ticket.channel, priority=ticket.priority,
        tier=writer.customer.tier, level=ticket.level, team=ticket.team_id, assignee=ticket.assignee_id,
        phone=ticket.first_response_at is not None, rule=routed.decision.rule,
        rule_target_minutes=ticket.rule_target_minutes, rule_target_loosens=ticket.rule_target_loosens,
        revision=ticket.policy_revision_id, **_told_of(work, routed, at=at),
    )  # fmt: skip
    if routed.agent:
        routing.note_assigned([routed.agent], at=at)
        work.log(
            EventKind.TICKET_ASSIGNED,
            by=by,
            at=at,
            assignee=routed.agent,
            team=ticket.team_id,
            because="routed",
        )
    heard = classified.learned.get(Target.TEAM)
    model = {"model": heard.trace} if heard else {}
    traces = {**classified.traces, "routing": {**routed.trace, **model, "revision": work.desk.policy.number}}
    tickets.explain(ticket, traces, at=at)
    return public_id
