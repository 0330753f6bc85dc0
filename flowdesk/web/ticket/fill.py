"""Fills the ticket page from the database: its talk, its clocks, and what the reader may do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from flowdesk.core.actor import Act
from flowdesk.core.errors import NotFound
from flowdesk.core.ids import parsed, shown
from flowdesk.engine.clock import CUSTOMER_METRICS, Clock
from flowdesk.engine.facts import Priority
from flowdesk.engine.sla_policy import Amount
from flowdesk.escalation.models import Escalation, EscalationState
from flowdesk.people.models import Agent, Post
from flowdesk.policies.services import Policy, current_policy, policy_of
from flowdesk.routing.queries import crew_at_work
from flowdesk.sla.services import load_clocks
from flowdesk.tickets.merges import merged_into
from flowdesk.tickets.models import Explanation, Task, Ticket
from flowdesk.tickets.queries import TicketStory, ticket_story
from flowdesk.tickets.states import ACTIVE, Channel, Status, TaskKind
from flowdesk.triage.issues import PREFIX as ISSUE
from flowdesk.triage.issues import issue_of
from flowdesk.triage.similar import Similar, similar_to
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.chips import clock_chip, target_words
from flowdesk.web.drawings import Ladder
from flowdesk.web.parts import NOBODY, Action, Choice, Face, Form, Link
from flowdesk.web.ticket import forms
from flowdesk.web.ticket import words as said
from flowdesk.web.ticket.ledger import ledger_of
from flowdesk.web.ticket.own_fields import Own, own_facts, questions
from flowdesk.web.ticket.page import (
    ClockBlock,
    Composer,
    CustomerPanel,
    EscalationBanner,
    Fact,
    MergedTicket,
    NamedChip,
    RelatedTicket,
    SimilarTicket,
    TicketPage,
)
from flowdesk.web.ticket.thread import thread_of
from flowdesk.web.ticket.why import why_of, why_short
from flowdesk.web.vocabulary import (
    CATEGORIES,
    LANGUAGES,
    METRICS,
    STATUSES,
    SUBCATEGORIES,
    TARGETS,
    TIERS,
    say,
)

RELATED = 6
MERGEABLE = (*ACTIVE, Status.RESOLVED)


def load_ticket(public_id: str) -> Ticket:
    """The ticket with its people; raises NotFound, for another tenant's id too."""
    found = (
        Ticket.objects.filter(public_id=parsed("tkt", public_id))
        .select_related("customer", "contact", "assignee", "team", "merged_into")
        .first()
    )
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Failed:
    """A form that came back: which act it was, what was sent, and what was wrong with it."""

    act: str
    values: dict[str, str]
    errors: dict[str, Sequence[str]]


def ticket_page(
    request: AgentRequest, ticket: Ticket, *, now: datetime, failed: Failed | None = None, back: str = ""
) -> TicketPage:
    """Everything about one ticket; called inside a reading scope. Its acts lead back to `back`, else to itself."""
    clocks = [one.clock for one in load_clocks(ticket.tenant_id, [ticket.id])[ticket.id]]
    policy, in_force = policy_of(ticket.policy_revision_id), current_policy()
    own = in_force.fields
    public_id = shown("tkt", ticket.public_id)
    href = reverse("ticket", args=[public_id])
    parts = {one.id: one for one in merged_into(ticket.id)}
    story = ticket_story(ticket.id, merged=sorted(parts))
    explained = list(Explanation.objects.filter(ticket_id=ticket.id).order_by("id"))
    zone, names = request.zone, dict(Agent.objects.values_list("id", "name"))
    current = current_clocks(clocks)
    page = TicketPage(
        id=public_id,
        number=ticket.number,
        href=href,
        subject=ticket.subject,
        priority=ticket.priority,
        status=ticket.status,
        status_words=say(STATUSES, ticket.status),
        category=category_words(ticket),
        level=f"L{ticket.level} {ticket.team.name}" if ticket.team else f"L{ticket.level}",
        assignee=Face.of(ticket.assignee.name) if ticket.assignee else NOBODY,
        opened_at=words.iso(ticket.created_at, zone),
        opened_words=said.opened_words(
            ticket.channel, when=words.long_moment(ticket.created_at, zone=zone, now=now)
        ),
        back=Link(words=said.back_to_inbox(), href=reverse("inbox")),
        clocks=tuple(
            NamedChip(words=say(METRICS, clock.metric.value), chip=clock_chip(clock, now=now, zone=zone))
            for clock in current
            if clock.metric in CUSTOMER_METRICS and (clock.is_active or clock.metric.value != "next_response")
        ),
        clocks_href=href,
        actions=_actions(
            request, ticket, public_id, policy, failed, weights=in_force.routing.weights, now=now
        ),
        escalation=_banner(ticket, request, now=now),
        thread=thread_of(ticket, story, parts, zone=zone, now=now, names=names),
        composer=_composer(request, ticket, public_id, current, failed),
        clock_blocks=tuple(_block(clock, policy, now=now, zone=zone) for clock in current if clock.is_active),
        ledger=ledger_of(ticket, clocks, story, policy=policy, zone=zone, now=now),
        why=why_of(ticket, explained, clocks, policy, names=names),
        why_short=why_short(explained),
        customer=_customer(ticket, zone=zone, now=now),
        others=_others(ticket),
        similar=_similar(request, ticket, story, now=now),
        issue=_issue(ticket),
        merged_into=_stands_for(ticket),
        merged=tuple(_merged(request, one, back=href) for one in parts.values()),
        tasks=_tasks(ticket, zone=zone, now=now, names=names),
        fields=own_facts(own, ticket.fields),
        fill_in=_fill_in(request, ticket, public_id, own, failed),
    )
    return _leading_back(page, back) if back else page


def _leading_back(page: TicketPage, back: str) -> TicketPage:
    """The same page whose forms say where they were."""
    here = (("back", back),)
    banner, composer, fill_in = page.escalation, page.composer, page.fill_in
    if banner and banner.acknowledge:
        banner = replace(banner, acknowledge=replace(banner.acknowledge, hidden=here))
    return replace(
        page,
        actions=tuple(
            replace(action, form=replace(action.form, hidden=(*action.form.hidden, *here)))
            for action in page.actions
        ),
        escalation=banner,
        composer=replace(composer, hidden=(*composer.hidden, *here)) if composer else None,
        fill_in=replace(fill_in, hidden=here) if fill_in else None,
    )


def current_clocks(clocks: Sequence[Clock]) -> list[Clock]:
    """The newest cycle of each metric, the earliest deadline of those still open first."""
    newest = {clock.metric: clock for clock in clocks}
    return sorted(newest.values(), key=lambda clock: (not clock.is_active, clock.due_at))


def category_words(ticket: Ticket) -> str:
    """ "Technical, outage": the category, and the subcategory in the tenant's own word."""
    parts = [say(CATEGORIES, ticket.category)] if ticket.category else []
    if ticket.subcategory:
        parts.append(subcategory_words(ticket.subcategory))
    return ", ".join(parts)


def subcategory_words(name: str) -> str:
    return say(SUBCATEGORIES, name).replace("_", " ")


def _block(clock: Clock, policy: Policy, *, now: datetime, zone: ZoneInfo) -> ClockBlock:
    percents = policy.promises.percents.get(clock.metric, ())
    spent = clock.percent(now)
    return ClockBlock(
        words=said.promise(clock.metric.value, target=target_words(clock)),
        chip=clock_chip(clock, now=now, zone=zone),
        ladder=Ladder(
            words=said.ladder_words(int(spent), fired=max(clock.fired, default=0)),
            spent_percent=spent,
            rungs=tuple((percent, percent in clock.fired) for percent in percents) or ((100, False),),
        ),
    )


def _actions(
    request: AgentRequest,
    ticket: Ticket,
    public_id: str,
    policy: Policy,
    failed: Failed | None,
    *,
    weights: Mapping[Priority, int],
    now: datetime,
) -> tuple[Action, ...]:
    """The acts this person may do on a ticket in this status; a failed one comes back open."""
    actor = request.actor
    found: list[tuple[str, Action]] = []

    def href(act: str) -> str:
        return reverse("ticket-act", args=[public_id, act])

    if ticket.is_active:
        holder = shown("agt", ticket.assignee.public_id) if ticket.assignee else ""
        if actor.may(Act.WORK) and actor.agent is not None and ticket.assignee_id != actor.agent:
            found.append(("take", forms.take(href("take"), holder=holder)))
        if actor.may(Act.ASSIGN):
            people = _people(request, ticket, weights, now=now)
            found.append(("assign", forms.assign(href("assign"), people=people, holder=holder)))
        if actor.may(Act.WORK):
            if ticket.status in (Status.PENDING, Status.ON_HOLD):
                found.append(("resume", forms.resume(href("resume"))))
            else:
                found.append(("wait", forms.wait(href("wait"))))
        if actor.may(Act.PRIORITISE):
            found.append(("priority", forms.set_priority(href("priority"), current=ticket.priority)))
        if actor.may(Act.ESCALATE):
            found.append(("escalate", forms.escalate(href("escalate"), targets=_targets())))
        if actor.may(Act.WORK):
            found.append(("classify", _classify(ticket, href("classify"), policy)))
            found.append(("resolve", forms.resolve(href("resolve"))))
            found.append(("merge", forms.merge(href("merge"))))
    elif ticket.status == Status.RESOLVED and actor.may(Act.WORK):
        found.append(("reopen", forms.reopen(href("reopen"))))
        found.append(("merge", forms.merge(href("merge"))))
    elif ticket.status == Status.MERGED and actor.may(Act.WORK):
        form = forms.unmerge(href("unmerge"), number=ticket.number, back="")
        found.append(("unmerge", Action(words=form.submit, icon="undo", form=form)))
    return tuple(
        _with_answers(action, failed) if failed and failed.act == name else action for name, action in found
    )


def _classify(ticket: Ticket, href: str, policy: Policy) -> Action:
    """What the tenant's policy knows, this ticket's reading chosen; one without a category has an empty choice."""
    chosen = f"{ticket.category}/{ticket.subcategory}" if ticket.subcategory else ticket.category
    nothing = () if ticket.category else (Choice(value="", words="", is_chosen=True),)
    return forms.classify(
        href,
        categories=(*nothing, *category_choices(policy, chosen=chosen)),
        impact=ticket.impact,
        urgency=ticket.urgency,
        complexity=ticket.complexity,
    )


def category_choices(policy: Policy, *, chosen: str = "") -> tuple[Choice, ...]:
    """Every category with its subcategories, as `billing` and `billing/refund`."""
    found = []
    for rule in policy.triage.categories:
        named = say(CATEGORIES, rule.category)
        found.append(Choice(value=rule.category, words=named, is_chosen=rule.category == chosen))
        for name in rule.subcategories:
            value = f"{rule.category}/{name}"
            found.append(
                Choice(value=value, words=f"{named}, {subcategory_words(name)}", is_chosen=value == chosen)
            )
    return tuple(found)


def _fill_in(
    request: AgentRequest, ticket: Ticket, public_id: str, own: Own, failed: Failed | None
) -> Form | None:
    """The questions of the tenant's own fields, for whoever works the ticket."""
    if not own or not ticket.is_active or not request.actor.may(Act.WORK):
        return None
    form = forms.fill_in(
        reverse("ticket-act", args=[public_id, "fields"]), questions=questions(own, ticket.fields)
    )
    return form.answered(failed.values, failed.errors) if failed and failed.act == "fields" else form


def _with_answers(action: Action, failed: Failed) -> Action:
    form: Form = action.form.answered(failed.values, dict(failed.errors))
    return replace(action, form=form)


def _people(
    request: AgentRequest, ticket: Ticket, weights: Mapping[Priority, int], *, now: datetime
) -> list[Choice]:
    """Whom the ticket can be given to: those who are here first, then the rest with what keeps them."""
    crew = crew_at_work(weights, at=now)
    choices = [
        Choice(
            value=shown("agt", one.public_id),
            words=said.candidate(one, zone=request.zone, now=now),
            is_chosen=one.id == ticket.assignee_id,
        )
        for one in sorted(crew, key=lambda one: not one.is_here)
    ]
    return [said.nobody(), *choices]


def _targets() -> list[Choice]:
    posts = Post.objects.order_by("name").values_list("slug", "name")
    first = [Choice(value=slug, words=say(TARGETS, slug)) for slug in ("team_lead", "on_call")]
    return [
        *first,
        *(Choice(value=slug, words=say(TARGETS, slug) if slug in TARGETS else name) for slug, name in posts),
    ]


def _banner(ticket: Ticket, request: AgentRequest, *, now: datetime) -> EscalationBanner | None:
    """The newest escalation that nobody has taken, or else the one somebody has."""
    rows: Any = Escalation.objects.filter(ticket_id=ticket.id).select_related("agent", "acknowledged_by")
    zone = request.zone
    open_one = rows.filter(state=EscalationState.OPEN).order_by("-id").first()
    if open_one is not None and ticket.is_active:
        name = open_one.agent.name if open_one.agent else say(TARGETS, open_one.target)
        public_id = shown("esc", open_one.public_id)
        return EscalationBanner(
            strong=said.escalated(open_one.step) if open_one.kind == "percent" else said.escalated_by_hand(),
            words=said.told_until(name, when=words.moment(open_one.opened_at, zone=zone, now=now)),
            next_at=words.iso(open_one.due_at, zone) if open_one.due_at else "",
            next_when=words.moment(open_one.due_at, zone=zone, now=now) if open_one.due_at else "",
            acknowledge=forms.acknowledge(reverse("acknowledge", args=[public_id]))
            if request.actor.may(Act.ACKNOWLEDGE)
            else None,
        )
    taken = rows.filter(state=EscalationState.ACKNOWLEDGED).order_by("-acknowledged_at").first()
    if taken is None or not ticket.is_active:
        return None
    name = taken.acknowledged_by.name if taken.acknowledged_by else ""
    when = words.moment(taken.acknowledged_at, zone=zone, now=now)
    return EscalationBanner(strong=said.acknowledged(name, when=when), words="", is_acknowledged=True)


def _composer(
    request: AgentRequest, ticket: Ticket, public_id: str, clocks: Sequence[Clock], failed: Failed | None
) -> Composer | None:
    if not request.actor.may(Act.WORK):
        return None
    name = (ticket.contact.name or ticket.contact.email) if ticket.contact else ticket.customer.name
    update = policy_of(ticket.policy_revision_id).promises.terms(
        priority=ticket.priority, tier=ticket.customer.tier, level=ticket.level
    )
    target = next((one for metric, one in update.targets.items() if metric.value == "update"), None)
    next_update = words.amount(Amount(amount=target.amount, unit=target.unit)) if target else ""
    wrong = failed if failed and failed.act == "write" else None
    return Composer(
        href=reverse("ticket-act", args=[public_id, "write"]),
        to=said.reply_to(name, channel=Channel.EMAIL, next_update=next_update),  # however they wrote
        prompt=said.prompt(name.split()[0]) if name and ticket.is_active else said.note_prompt(),
        kind=wrong.values.get("kind", "reply") if wrong else "reply",
        text=wrong.values.get("text", "") if wrong else "",
        errors=tuple(wrong.errors.get("text", ())) if wrong else (),
        may_reply=ticket.is_active,
        may_wait=ticket.status in (Status.NEW, Status.OPEN),
        then_wait=bool(wrong and wrong.values.get("wait")),
    )


def _customer(ticket: Ticket, *, zone: ZoneInfo, now: datetime) -> CustomerPanel:
    customer, contact = ticket.customer, ticket.contact
    labels = said.customer_facts()
    facts = []
    if contact is not None:
        facts.append(Fact(label=labels["contact"], words=contact.name or contact.email))
        if contact.phone:
            facts.append(Fact(label=labels["phone"], words=contact.phone))
        if contact.email:
            facts.append(Fact(label=labels["email"], words=contact.email))
    if customer.zone and customer.zone != zone.key:
        theirs = ZoneInfo(customer.zone)
        facts.append(
            Fact(
                label=labels["local_time"], words=words.clock_and_zone(now, theirs), at=words.iso(now, theirs)
            )
        )
    if ticket.language:
        facts.append(Fact(label=labels["language"], words=say(LANGUAGES, ticket.language)))
    tier = say(TIERS, customer.tier)
    return CustomerPanel(
        name=customer.name, tier=f"{tier}, VIP" if customer.is_vip else tier, summary=tier, facts=tuple(facts)
    )


def _tasks(ticket: Ticket, *, zone: ZoneInfo, now: datetime, names: Mapping[int, str]) -> tuple[Fact, ...]:
    """What agents have been asked and have not done yet."""
    rows = Task.objects.filter(ticket_id=ticket.id, ended_at__isnull=True).order_by("due_at")
    said_of = {TaskKind.FIRST_INVESTIGATION: _("Look into it first")}
    return tuple(
        Fact(
            label=str(said_of[TaskKind(row.kind)]) + (f" ({_('overdue')})" if row.due_at <= now else ""),
            words=_("{name}, by {when}").format(
                name=names.get(row.agent_id, ""), when=words.moment(row.due_at, zone=zone, now=now)
            ),
        )
        for row in rows
    )


def _others(ticket: Ticket) -> tuple[RelatedTicket, ...]:
    """The customer's newest tickets, this one among them."""
    rows = Ticket.objects.filter(customer_id=ticket.customer_id).order_by("-id")[:RELATED]
    return tuple(
        RelatedTicket(
            number=row.number,
            subject=row.subject,
            tail=say(STATUSES, row.status),
            href="" if row.id == ticket.id else reverse("ticket", args=[shown("tkt", row.public_id)]),
        )
        for row in rows
    )


def _issue(ticket: Ticket) -> Link | None:
    """The recurring issue that the ticket is one of."""
    found = issue_of(ticket.id)
    if found is None:
        return None
    return Link(words=found.title, href=reverse("issue", args=[shown(ISSUE, found.public_id)]))


def _stands_for(ticket: Ticket) -> Link | None:
    """The ticket into which this one was merged."""
    other = ticket.merged_into
    if other is None:
        return None
    return Link(
        words=f"#{other.number} {other.subject}", href=reverse("ticket", args=[shown("tkt", other.public_id)])
    )


def _merged(request: AgentRequest, one: Ticket, *, back: str) -> MergedTicket:
    """A ticket that this one stands for, with the way back."""
    name = shown("tkt", one.public_id)
    undo = forms.unmerge(reverse("ticket-act", args=[name, "unmerge"]), number=one.number, back=back)
    return MergedTicket(
        number=one.number,
        subject=one.subject,
        href=reverse("ticket", args=[name]),
        undo=undo if request.actor.may(Act.WORK) else None,
    )


def _similar(
    request: AgentRequest, ticket: Ticket, story: TicketStory, *, now: datetime
) -> tuple[SimilarTicket, ...]:
    """Tickets like this one, by its subject and its first words."""
    text = next((one.text for one in story.messages if one.ticket_id == ticket.id), "")
    act = reverse("ticket-act", args=[shown("tkt", ticket.public_id), "merge"])
    may_merge = request.actor.may(Act.WORK) and (ticket.is_active or ticket.status == Status.RESOLVED)
    return similar_lines(
        similar_to(ticket.subject, text=text, now=now, but=ticket.id), merge_href=act if may_merge else ""
    )


def similar_lines(found: Iterable[Similar], *, merge_href: str = "") -> tuple[SimilarTicket, ...]:
    """Each with how alike it is and by which words; `merge_href` is the act of the ticket that they are like."""
    return tuple(
        SimilarTicket(
            number=one.number,
            subject=one.subject,
            tail=said.similar_tail(say(STATUSES, one.status.value), score=one.score),
            shared=said.shared_words(one.shared),
            href=reverse("ticket", args=[shown("tkt", one.public_id)]),
            merge=forms.merge_into(merge_href, number=one.number)
            if merge_href and one.status in MERGEABLE
            else None,
        )
        for one in found
    )
