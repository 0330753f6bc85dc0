"""The routing rules: looked at, changed in a draft, tried, and put in force."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.routing import Mode
from flowdesk.flows import reconfigure as flow
from flowdesk.policies.reader import PolicyFault, PolicyFaults
from flowdesk.policies.rule_text import added, changed, moved, removed, rules_in
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, field_errors, reason_words
from flowdesk.web.policy_words import placed_reason, policy_reason
from flowdesk.web.rules import fill

QUESTIONS = ("name", "condition", "where", "strategy", "skills", "notify", "cc", "sla_target", "mode")


@require_GET
@for_agents
def rules(request: AgentRequest) -> HttpResponse:
    """Every rule in its order."""
    request.actor.must(Act.CONFIGURE)
    at = now()
    with reading(request.actor.tenant):
        page = fill.rules_page(request, now=at)
        shell = shell_of(request, now=at, current="rules")
    return render(request, "rules/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def rules_deed(request: AgentRequest) -> HttpResponse:
    """One act on the rules; all but the last two change the draft alone."""
    request.actor.must(Act.CONFIGURE)
    deed, seen = request.POST.get("deed", ""), _number(request.POST.get("seen", ""))
    try:
        if deed == "publish":
            revision = flow.publish_draft(fill.SECTION, seen=seen, by=request.actor, now=now())
            messages.success(request, _("Revision {number} is in force").format(number=revision.number))
        elif deed == "drop":
            flow.drop_draft(fill.SECTION, by=request.actor, now=now())
            messages.success(request, _("The draft is gone"))
        else:
            with reading(request.actor.tenant):
                source = fill.standing().source
            text = _edited(source, deed, request.POST)
            flow.keep_draft(fill.SECTION, text, seen=seen, by=request.actor, now=now())
    except (NotFound, Forbidden):
        raise
    except PolicyFaults as found:
        messages.error(request, policy_reason(found.faults[0].reason))
    except Invalid as fault:
        messages.error(request, " ".join(placed_reason(one) for one in fault.faults))
    except DomainError as fault:
        messages.error(request, fault_words(fault))
    return redirect("rules")


def _at_questions(faults: Sequence[PolicyFault]) -> dict[str, list[str]]:
    """Each fault at the question that it is of; the form has no lines."""
    errors: dict[str, list[str]] = {}
    for fault in faults:
        part = re.sub(r"\[\d+\]$", "", fault.path).rpartition(".")[2]
        name = {"team": "where", "action": "where"}.get(part, part)
        errors.setdefault(name if name in QUESTIONS else "", []).append(policy_reason(fault.reason))
    return errors


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _edited(source: str, deed: str, given: Mapping[str, str]) -> str:
    """The rules after one act on one of them; raises NotFound for a rule or act that is not there."""
    known = rules_in(source)
    place, edit = _number(given.get("rule", "")), DEEDS.get(deed)
    if edit is None or place >= len(known):
        raise NotFound
    return edit(source, place, given)


def _clone(source: str, place: int, _given: Mapping[str, str]) -> str:
    """Above the one it was made from, which would else take all of its tickets; in shadow, under its own name."""
    known = rules_in(source)
    names = {rule.name for rule in known}
    name = next(
        one for count in range(2, len(known) + 3) if (one := f"{known[place].name}-{count}") not in names
    )
    return added(source, replace(known[place], name=name, mode=Mode.SHADOW), at=place)


def _in_mode(mode: str) -> Callable[[str, int, Mapping[str, str]], str]:
    def edit(source: str, place: int, _given: Mapping[str, str]) -> str:
        return changed(source, place, replace(rules_in(source)[place], mode=mode))

    return edit


DEEDS: Mapping[str, Callable[[str, int, Mapping[str, str]], str]] = {
    "up": lambda source, place, _: moved(source, place, to=place - 1),
    "down": lambda source, place, _: moved(source, place, to=place + 1),
    "move": lambda source, place, given: moved(source, place, to=_number(given.get("to", ""))),
    "remove": lambda source, place, _: removed(source, place),
    "clone": _clone,
    "active": _in_mode(""),
    "shadow": _in_mode(Mode.SHADOW),
    "off": _in_mode(Mode.OFF),
}


@require_http_methods(["GET", "POST"])
@for_agents
def rule(request: AgentRequest, place: str) -> HttpResponse:
    """One rule's form; sent, it is kept in the draft if it can be read."""
    request.actor.must(Act.CONFIGURE)
    if request.method == "GET":
        return _rule_page(request, place)
    given = _given(request)
    with reading(request.actor.tenant):
        at = fill.standing()
        number = _place(place, at)
        try:
            text = fill.with_values(at.source, number, fill.rule_values(given))
            flow.check_rules(text)
        except PolicyFaults as found:
            return _rule_page(request, place, given, _at_questions(found.faults))
    try:
        flow.keep_draft(
            fill.SECTION, text, seen=_number(request.POST.get("seen", "")), by=request.actor, now=now()
        )
    except Invalid as fault:
        return _rule_page(request, place, given, field_errors(fault))
    except DomainError as fault:
        return _rule_page(request, place, given, {"": [fault_words(fault)]})
    messages.success(request, _("Kept in the draft"))
    return redirect("rules")


@require_POST
@for_agents
def rule_preview(request: AgentRequest, place: str) -> HttpResponse:
    """What the rule of a half-filled form would take; nothing is kept."""
    request.actor.must(Act.CONFIGURE)
    with reading(request.actor.tenant):
        at = fill.standing()
        preview = fill.preview_of(at, _place(place, at), fill.rule_values(_given(request)))
    return render(request, "rules/rule.html#preview", {"preview": preview})


def _given(request: AgentRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.POST.items()}


def _place(text: str, at: fill.Standing) -> int | None:
    try:
        return fill.place_of(text, len(rules_in(at.source)))
    except (LookupError, PolicyFaults) as fault:
        raise NotFound from fault


def _rule_page(
    request: AgentRequest,
    place: str,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, list[str]] | None = None,
) -> HttpResponse:
    at = now()
    with reading(request.actor.tenant):
        standing = fill.standing()
        page = fill.rule_page(standing, _place(place, standing), given, errors or {})
        shell = shell_of(request, now=at, current="rules")
    status = 422 if errors else 200
    context = {"page": page, "preview": page.preview, "shell": shell}
    return render(request, "rules/rule.html", context, status=status)


@require_http_methods(["GET", "POST"])
@for_agents
def rules_source(request: AgentRequest) -> HttpResponse:
    """The rules as text; what is sent is kept in the draft even with faults, which are shown with their places."""
    request.actor.must(Act.CONFIGURE)
    errors: list[str] = []
    given = None
    if request.method == "POST":
        given = request.POST.get("source", "").replace("\r\n", "\n")
        seen = _number(request.POST.get("seen", ""))
        try:
            flow.keep_draft(fill.SECTION, given, seen=seen, by=request.actor, now=now())
        except Invalid as fault:
            errors = [reason_words(one.reason) for one in fault.faults]
        except DomainError as fault:
            errors = [fault_words(fault)]
    with reading(request.actor.tenant):
        at = fill.standing()
        source = at.source if given is None else given
        _rules, faults = fill.read_rules(source)
        page = fill.source_page(at, source, faults, errors)
        shell = shell_of(request, now=now(), current="rules")
    if request.method == "POST" and not errors and not faults:
        messages.success(request, _("Kept in the draft"))
        return redirect("rules")
    status = 422 if errors or (given is not None and faults) else 200
    return render(request, "rules/source.html", {"page": page, "shell": shell}, status=status)


@require_GET
@for_agents
def try_rules(request: AgentRequest) -> HttpResponse:
    """The rules tried on one ticket; nothing is moved."""
    request.actor.must(Act.CONFIGURE)
    at = now()
    with reading(request.actor.tenant):
        page = fill.trial_page(request, request.GET.get("number", ""), now=at)
        shell = shell_of(request, now=at, current="rules")
    return render(request, "rules/try.html", {"page": page, "shell": shell})
