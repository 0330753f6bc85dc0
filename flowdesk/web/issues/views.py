"""Recurring issues, one of them, and the list of duplicates; every act is a plain form."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound, invalid
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.core.versions import Outdated
from flowdesk.flows import merge as flow
from flowdesk.tickets.merges import name_by_number
from flowdesk.tickets.states import MergeReason
from flowdesk.triage import issues as triage
from flowdesk.triage.models import IssueStatus
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, field_errors
from flowdesk.web.issues.fill import duplicates_page, issues_page, one_issue


@require_GET
@for_agents
def issues(request: AgentRequest) -> HttpResponse:
    """All issues, those seen last first."""
    at = now()
    with reading(request.actor.tenant):
        page = issues_page(request, now=at)
        shell = shell_of(request, now=at, current="issues")
    return render(request, "issues/page.html", {"page": page, "shell": shell})


@require_GET
@for_agents
def issue(request: AgentRequest, issue_id: str) -> HttpResponse:
    """One issue with its tickets."""
    return _shown(request, issue_id)


def _shown(
    request: AgentRequest, issue_id: str, *, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    at = now()
    with reading(request.actor.tenant):
        page = one_issue(request, issue_id, now=at, errors=errors)
        shell = shell_of(request, now=at, current="issues")
    return render(request, "issues/issue.html", {"page": page, "shell": shell}, status=status)


@require_POST
@for_agents
def issue_act(request: AgentRequest, issue_id: str) -> HttpResponse:
    """Change it, add a ticket, or take one out; what cannot be used comes back with 422."""
    try:
        messages.success(request, _do(request, issue_id))
    except Invalid as fault:
        return _shown(request, issue_id, errors=field_errors(fault), status=422)
    except Outdated as fault:
        messages.error(request, fault_words(fault))
    return redirect("issue", issue_id)


def _do(request: AgentRequest, issue_id: str) -> str:
    form, by, at = request.POST, request.actor, now()
    match form.get("act", ""):
        case "change":
            status = form.get("status", "")
            if status not in IssueStatus.values:
                raise invalid("status", "is not one of the list")
            triage.change_issue(
                issue_id, title=form.get("title", ""), fix_note=form.get("fix_note", ""),
                status=IssueStatus(status), by=by, now=at, expected=frozenset({form.get("seen", "")}),
            )  # fmt: skip
            return _("Saved")
        case "add":
            triage.add_ticket(issue_id, _named(request, form.get("number", "")), by=by, now=at)
            return _("Added")
        case "take_out":
            triage.take_out(issue_id, form.get("ticket", ""), by=by, now=at)
            return _("Taken out")
        case _:
            raise NotFound


def _named(request: AgentRequest, number: str) -> str:
    text = number.strip().removeprefix("#")
    if text.isascii() and text.isdecimal() and len(text) < 18:
        with reading(request.actor.tenant):
            if (name := name_by_number(int(text))) is not None:
                return name
    raise invalid("number", _("There is no ticket with this number."))


@require_http_methods(["GET", "POST"])
@for_agents
def duplicates(request: AgentRequest) -> HttpResponse:
    """What could be merged; sent back, those that were ticked are merged, each by itself."""
    if request.method == "POST":
        request.actor.must(Act.WORK)
        _merge_ticked(request)
        return redirect("duplicates")
    at = now()
    with reading(request.actor.tenant):
        page = duplicates_page(request, now=at)
        shell = shell_of(request, now=at, current="issues")
    return render(request, "issues/duplicates.html", {"page": page, "shell": shell})


def _merge_ticked(request: AgentRequest) -> None:
    done, kept = 0, []
    for pair in request.POST.getlist("pair")[:100]:
        source, _space, target = pair.partition(" ")
        try:
            flow.merge(source, into=target, because=MergeReason.CLEAN_UP, by=request.actor, now=now())
            done += 1
        except Forbidden:
            raise
        except Invalid:
            kept.append(_("One pair is of two customers, or is gone: look at it on its own page."))
        except DomainError as fault:
            kept.append(fault_words(fault))
    if done:
        said = ngettext("{n} ticket was merged", "{n} tickets were merged", done)
        messages.success(request, said.format(n=done))
    elif not kept:
        messages.warning(request, _("Tick what is to be merged."))
    for reason in dict.fromkeys(kept):
        messages.error(request, reason)
