"""The audit of assignments, and taking back what was handed out together."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from flowdesk.core.errors import DomainError, Forbidden, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import assignments as flow
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.assignments.fill import assignments_page
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words


@require_GET
@for_agents
def assignments(request: AgentRequest) -> HttpResponse:
    """Who got what, the newest first."""
    at = now()
    with reading(request.actor.tenant):
        page = assignments_page(request, now=at)
        shell = shell_of(request, now=at, current="crew")
    return render(request, "assignments/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def undo_bulk(request: AgentRequest) -> HttpResponse:
    """Take back what still stands as it was left."""
    try:
        handed = flow.undo_bulk(request.POST.get("bulk", ""), by=request.actor, now=now())
    except (NotFound, Forbidden):
        raise
    except DomainError as fault:
        messages.error(request, fault_words(fault))
        return redirect("assignments")
    said = ngettext("{n} ticket is back where it was", "{n} tickets are back where they were", handed.moved)
    messages.success(request, said.format(n=handed.moved))
    if handed.kept:
        kept = ngettext(
            "{n} had changed meanwhile and stays", "{n} had changed meanwhile and stay", handed.kept
        )
        messages.warning(request, kept.format(n=handed.kept))
    return redirect("assignments")
