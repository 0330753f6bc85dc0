"""The inbox."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flowdesk.core.errors import NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.inbox.fill import inbox_page, with_preview
from flowdesk.web.ticket.fill import load_ticket, ticket_page


@require_GET
@for_agents
def inbox(request: AgentRequest) -> HttpResponse:
    """The work list; `ticket` puts one beside it, `after` goes on."""
    at = now()
    is_more = bool(request.GET.get("after")) and _wants_fragment(request)
    with reading(request.actor.tenant):
        page = inbox_page(request, now=at, goes_on=is_more)
        if is_more:
            return render(request, "inbox/page.html#more-rows", {"page": page})
        if chosen := request.GET.get("ticket", ""):
            try:
                page = with_preview(page, ticket_page(request, load_ticket(chosen), now=at))
            except NotFound:
                page = with_preview(page, None)
        shell = shell_of(request, now=at, current="inbox", lane=request.GET.get("lane", ""))
    return render(request, "inbox/page.html", {"page": page, "shell": shell})


def _wants_fragment(request: AgentRequest) -> bool:
    """Whether the script asks for a part of the page it shows."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers
