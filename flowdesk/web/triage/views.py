"""Looking again at what was read with too little certainty; each act leads on to the next ticket."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import understand
from flowdesk.flows.understand import Reading
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, reason_words
from flowdesk.web.triage.fill import review_page


@require_GET
@for_agents
def review(request: AgentRequest) -> HttpResponse:
    """The ticket to look at now."""
    request.actor.must(Act.WORK)
    at = now()
    with reading(request.actor.tenant):
        page = review_page(request)
        shell = shell_of(request, now=at, current="review")
    return render(request, "triage/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def confirm(request: AgentRequest, ticket_id: str) -> HttpResponse:
    """Yes, it was read right."""
    try:
        understand.confirm(ticket_id, by=request.actor, now=now())
    except (NotFound, Forbidden):
        raise
    except DomainError as fault:
        messages.warning(request, fault_words(fault))
    return redirect("review")


@require_POST
@for_agents
def correct(request: AgentRequest, ticket_id: str) -> HttpResponse:
    """No, it is something else."""
    category, _slash, subcategory = request.POST.get("category", "").partition("/")
    if not category:
        messages.error(request, _("Choose a category of the list."))
        return redirect("review")
    said = Reading(category=category, subcategory=subcategory)
    try:
        understand.correct_unread(
            ticket_id, said, reroute=bool(request.POST.get("reroute")), by=request.actor, now=now()
        )
    except (NotFound, Forbidden):
        raise
    except Invalid as fault:
        messages.error(request, "; ".join(reason_words(one.reason) for one in fault.faults))
    except DomainError as fault:
        messages.warning(request, fault_words(fault))
    else:
        messages.success(request, _("Corrected"))
    return redirect("review")
