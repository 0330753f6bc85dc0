"""A tenant's own fields: each act is a new revision of the policy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound, invalid
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.facts import CustomField, FieldType
from flowdesk.flows import reconfigure
from flowdesk.policies.sections.fields import words_given_up
from flowdesk.policies.services import current_policy
from flowdesk.tickets.queries import HeldWord, held_words
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, reason_words
from flowdesk.web.fields.fill import TYPES, fields_page
from flowdesk.web.policy_words import placed_reason, policy_reason

_ASKED = ("key", "label", "type", "choices")
_RULE = re.compile(r"policy\.routing\.rules\[(\d+)\]")
_PLACE = re.compile(r"policy\.fields(?:\.\w+\.(\w+))?")


@require_http_methods(["GET", "POST"])
@for_agents
def own_fields(request: AgentRequest) -> HttpResponse:
    """All fields; one act on them."""
    request.actor.must(Act.CONFIGURE)
    if request.method == "GET":
        return _page(request, chosen=request.GET.get("field", ""))
    given = {name: str(value) for name, value in request.POST.items()}
    chosen = given.get("field", "")
    try:
        held = _do(request, given)
    except (Forbidden, NotFound):
        raise
    except Invalid as fault:
        with reading(request.actor.tenant):
            errors = _errors(fault)
        return _page(request, chosen=chosen, given=given, errors=errors)
    except DomainError as fault:
        messages.error(request, fault_words(fault))
        held = []
    if held:
        return _page(request, chosen=chosen, given={**given, "is_sure": ""}, held=held)
    return redirect("own-fields")


def _do(request: AgentRequest, given: Mapping[str, str]) -> list[HeldWord]:
    """One act; or nothing, and what somebody must know before it is done."""
    deed, chosen = given.get("deed", ""), given.get("field", "")
    with reading(request.actor.tenant):
        before = current_policy().fields
    fields = dict(before)
    if deed not in ("add", "change", "remove") or (deed != "add" and chosen not in fields):
        raise NotFound
    if deed == "remove":
        del fields[chosen]
        said = _("The field is gone")
    else:
        key = given.get("key", "").strip() if deed == "add" else chosen
        if deed == "add" and key in fields:
            raise invalid("key", "there is a field of this name already")
        fields[key] = _field(given)
        with reading(request.actor.tenant):
            held = held_words(words_given_up(before, fields))
        if held and not _is_confirmed(given, held):
            return held
        said = _("Saved")
    reconfigure.write_fields(fields, by=request.actor, now=now(), expected=_seen(given))
    messages.success(request, said)
    return []


def _is_confirmed(given: Mapping[str, str], held: Sequence[HeldWord]) -> bool:
    """Whether somebody has said yes to these words, and not to others that were shown before."""
    told = given.get("told", "").split()
    return bool(given.get("is_sure")) and all(one.word in told for one in held)


def _field(given: Mapping[str, str]) -> CustomField:
    kind = given.get("type", "")
    if kind not in TYPES:
        raise invalid("type", f"is not one of {', '.join(TYPES)}")
    choices = dict.fromkeys(
        "_".join(line.split()).casefold() for line in given.get("choices", "").splitlines() if line.strip()
    )
    return CustomField(
        type=FieldType(kind),
        label=" ".join(given.get("label", "").split()),
        choices=tuple(choices) if kind == FieldType.SLUG else (),
    )


def _seen(given: Mapping[str, str]) -> frozenset[str]:
    return frozenset({given.get("seen", "")})


def _errors(fault: Invalid) -> dict[str, list[str]]:
    """Each reason beside its question; faults of a document name the place within it."""
    errors: dict[str, list[str]] = {}
    for one in fault.faults:
        if one.field in _ASKED:
            errors.setdefault(one.field, []).append(reason_words(one.reason))
        elif found := _PLACE.match(one.field):
            name = found[1] if found[1] in _ASKED else "key"
            errors.setdefault(name, []).append(policy_reason(one.reason))
        elif rule := _RULE.match(one.field):
            name = current_policy().routing.rules[int(rule[1])].name
            said = _("Rule {rule}: {reason}").format(rule=name, reason=policy_reason(one.reason))
            errors.setdefault("", []).append(said)
        else:
            errors.setdefault("", []).append(placed_reason(one))
    return errors


def _page(request: AgentRequest, **shown: Any) -> HttpResponse:
    at = now()
    with reading(request.actor.tenant):
        page = fields_page(**shown)
        shell = shell_of(request, now=at, current="own-fields")
    status = 422 if shown.get("errors") or shown.get("held") else 200
    return render(request, "fields/page.html", {"page": page, "shell": shell}, status=status)
