"""The notices of one person."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from flowdesk.core.tenant import reading, writing
from flowdesk.core.time import now
from flowdesk.notifications.models import Notice
from flowdesk.web.access import AgentRequest, back_to, for_agents
from flowdesk.web.chrome import notices_of, shell_of
from flowdesk.web.shell import NoticesPage

PAGE = 50


@require_GET
@for_agents
def notices(request: AgentRequest) -> HttpResponse:
    """All notices, the newest first."""
    at = now()
    before = request.GET.get("before", "")
    with reading(request.actor.tenant):
        told = notices_of(
            request,
            now=at,
            limit=PAGE,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
        )
        page = NoticesPage(
            notices=told.notices,
            unread=told.unread,
            read_all_href=reverse("read-notices") if told.unread else "",
            more_href=f"?before={told.more}" if told.more else "",
        )
        shell = shell_of(request, now=at)
    return render(request, "notices/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def read_notices(request: AgentRequest) -> HttpResponse:
    """Mark all of them read."""
    with writing(request.actor.tenant):
        Notice.objects.filter(agent_id=request.actor.agent or 0, read_at__isnull=True).update(read_at=now())
    return back_to(request, reverse("notices"))
