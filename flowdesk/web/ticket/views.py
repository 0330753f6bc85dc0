"""The ticket page and every act on it; each act is a plain form that works without script."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Fault, Forbidden, Invalid, NotFound, invalid
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.facts import Priority
from flowdesk.engine.priority import Grade
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.services import ticket_of
from flowdesk.flows import escalate, merge, understand, work
from flowdesk.flows.understand import Reading
from flowdesk.people.services import AGENT
from flowdesk.policies.services import current_policy
from flowdesk.routing.queries import crew_at_work
from flowdesk.tickets.merges import name_by_number
from flowdesk.web.access import AgentRequest, back_to, for_agents
from flowdesk.web.chrome import shell_of, toasts_of
from flowdesk.web.faults import Say, fault_words, instants_said, reason_words
from flowdesk.web.ticket.fill import Failed, load_ticket, ticket_page
from flowdesk.web.ticket.own_fields import answers
from flowdesk.web.ticket.words import assigned

Form = dict[str, str]


@require_GET
@for_agents
def ticket(request: AgentRequest, ticket_id: str) -> HttpResponse:
    """One ticket."""
    return _shown(request, ticket_id)


def _shown(
    request: AgentRequest, ticket_id: str, *, failed: Failed | None = None, status: int = 200
) -> HttpResponse:
    at, back = now(), _preview(request)
    with reading(request.actor.tenant):
        page = ticket_page(request, load_ticket(ticket_id), now=at, failed=failed, back=back)
        if failed and not page.shows_errors:
            # The act is no longer offered (somebody was faster): the reason must not be lost with its form.
            for reasons in failed.errors.values():
                for reason in dict.fromkeys(reasons):
                    messages.error(request, reason)
        if back:
            context = {"page": page, "shell": {"toasts": toasts_of(request)}}
            return render(request, "inbox/refused.html", context, status=status)
        shell = shell_of(request, now=at, current="inbox")
    return render(request, "ticket/page.html", {"page": page, "shell": shell}, status=status)


def _preview(request: AgentRequest) -> str:
    """The list beside which the script shows this ticket, if it does."""
    back = request.POST.get("back", "")
    return back if "HX-Request" in request.headers and back.startswith(f"{reverse('inbox')}?") else ""


@require_POST
@for_agents
def ticket_act(request: AgentRequest, ticket_id: str, act: str) -> HttpResponse:
    """Do one act; what cannot be used comes back with 422 and the form as it was filled in."""
    doing = ACTS.get(act)
    if doing is None:
        raise NotFound
    form = {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
    at = now()
    try:
        done = doing(request, ticket_id, form, at)
    except (Forbidden, NotFound):
        raise
    except DomainError as fault:
        failed = Failed(act, form, _errors(fault, form, instants_said(request.zone, now=at)))
        return _shown(request, ticket_id, failed=failed, status=422)
    messages.success(request, done)
    return back_to(request, reverse("ticket", args=[ticket_id]))


def _errors(fault: DomainError, form: Form, say: Say) -> dict[str, Any]:
    """Each reason beside its question; one without a question stands above the form."""
    if not isinstance(fault, Invalid):
        return {"text" if "text" in form else "": [fault_words(fault, say)]}
    errors: dict[str, list[str]] = {}
    for one in fault.faults:
        errors.setdefault(FIELD_NAMES.get(one.field, one.field), []).append(reason_words(one.reason, say))
    known = {name for name in errors if name in form}
    loose = [reason for name, reasons in errors.items() if name not in known for reason in reasons]
    return {**errors, "": loose}


FIELD_NAMES = {"agent": "assignee", "until": "until_minutes"}


def _write(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    if form.get("kind") == "note":
        work.add_note(ticket_id, text=form.get("text", ""), by=request.actor, now=at)
        return _("Note added")
    work.send_reply(
        ticket_id, text=form.get("text", ""), then_wait=bool(form.get("wait")), by=request.actor, now=at
    )
    return _("Reply sent")


def _take(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    work.take(ticket_id, seen=form.get("seen"), by=request.actor, now=at)
    return _("The ticket is yours")


def _assign(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    work.assign(
        ticket_id, agent=form.get("assignee") or None, seen=form.get("seen"), by=request.actor, now=at
    )
    if not form.get("assignee"):
        return _("Back in the queue")
    with reading(request.actor.tenant):
        crew = crew_at_work(current_policy().routing.weights, at=at)
    given = next((one for one in crew if shown(AGENT, one.public_id) == form["assignee"]), None)
    return assigned(given, zone=request.zone, now=at)


def _wait(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    if form.get("reason") not in set(WaitReason):
        raise invalid("reason", _("Choose who has the next move."))
    minutes = form.get("until_minutes", "")
    if minutes and not (minutes.isdecimal() and 0 < int(minutes) <= 60 * 24 * 60):
        raise invalid("until_minutes", _("Choose how long at the most."))
    until = None
    if minutes:
        with reading(request.actor.tenant):
            promises = current_policy().promises
        calendar = promises.calendars[promises.default_calendar]
        until = calendar.add(at, timedelta(minutes=int(minutes)))
    work.wait(
        ticket_id,
        reason=WaitReason(form["reason"]),
        note=form.get("note", ""),
        until=until,
        by=request.actor,
        now=at,
    )
    return _("Waiting")


def _resume(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    work.resume(ticket_id, by=request.actor, now=at)
    return _("The clocks run on")


def _resolve(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    if not form.get("summary", "").strip():
        raise invalid("summary", _("Say in a line what settled it."))
    work.resolve(ticket_id, note=form["summary"], by=request.actor, now=at)
    return _("Resolved")


def _reopen(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    work.reopen_ticket(ticket_id, note=_with_words(form), by=request.actor, now=at)
    return _("Reopened")


def _priority(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    if form.get("priority") not in ("1", "2", "3", "4"):
        raise invalid("priority", _("Choose P1, P2, P3 or P4."))
    priority, seen = Priority(int(form["priority"])), form.get("seen")
    work.prioritise(
        ticket_id,
        priority=priority,
        note=_with_words(form),
        seen=Priority(int(seen)) if seen in ("1", "2", "3", "4") else None,
        by=request.actor,
        now=at,
    )
    return _("Priority P{priority}").format(priority=int(priority))


def _classify(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    request.actor.must(Act.WORK)  # before a word on the form, as every act does
    category, _slash, subcategory = form.get("category", "").partition("/")
    if not category:
        raise invalid("category", _("Choose a category of the list."))
    grades = {name: form.get(name, "") for name in ("impact", "urgency")}
    complexity = form.get("complexity", "")
    understand.correct(
        ticket_id,
        Reading(
            category=category,
            subcategory=subcategory,
            complexity=int(complexity) if complexity in ("1", "2", "3") else None,
            impact=Grade(grades["impact"]) if grades["impact"] in set(Grade) else None,
            urgency=Grade(grades["urgency"]) if grades["urgency"] in set(Grade) else None,
        ),
        reroute=bool(form.get("reroute")),
        by=request.actor,
        now=at,
    )
    return _("Classified")


def _fields(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    request.actor.must(Act.WORK)
    with reading(request.actor.tenant):
        own = current_policy().fields
    understand.correct(ticket_id, Reading(fields=answers(own, form)), by=request.actor, now=at)
    return _("Saved")


def _escalate(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    escalate.escalate(
        ticket_id, target=form.get("target", ""), note=_with_words(form), by=request.actor, now=at
    )
    return _("Escalated")


def _merge(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    number = form.get("into", "").strip().removeprefix("#")
    name = None
    if number.isascii() and number.isdecimal() and len(number) < 18:
        with reading(request.actor.tenant):
            name = name_by_number(int(number))
    if name is None:
        raise invalid("into", _("There is no ticket with this number."))
    done = merge.merge(
        ticket_id,
        into=name,
        across_customers=bool(form.get("across_customers")),
        earliest=bool(form.get("earliest")),
        by=request.actor,
        now=at,
    )
    return _("#{source} was merged into #{target}").format(source=done.source, target=done.target)


def _unmerge(request: AgentRequest, ticket_id: str, form: Form, at: datetime) -> str:
    done = merge.unmerge(ticket_id, by=request.actor, now=at)
    return _("#{source} stands for itself again").format(source=done.source)


def _with_words(form: Form) -> str:
    """A note these acts cannot do without."""
    note = form.get("note", "").strip()
    if not note:
        raise Invalid(Fault("note", _("Say why.")))
    return note


ACTS: dict[str, Callable[[AgentRequest, str, Form, datetime], str]] = {
    "write": _write,
    "take": _take,
    "assign": _assign,
    "wait": _wait,
    "resume": _resume,
    "resolve": _resolve,
    "reopen": _reopen,
    "priority": _priority,
    "escalate": _escalate,
    "merge": _merge,
    "unmerge": _unmerge,
    "classify": _classify,
    "fields": _fields,
}


@require_POST
@for_agents
def acknowledge(request: AgentRequest, escalation_id: str) -> HttpResponse:
    """Take an escalation; somebody who was slower is told so."""
    with reading(request.actor.tenant):
        ticket_id = ticket_of(escalation_id)
    try:
        escalate.acknowledge(escalation_id, by=request.actor, now=now())
        messages.success(request, _("The escalation is yours"))
    except Forbidden:
        raise
    except DomainError as fault:
        messages.warning(request, fault_words(fault))
    return back_to(request, reverse("ticket", args=[ticket_id]))
