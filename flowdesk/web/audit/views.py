"""The audit log as a page, and as a file to take away: taking it away is an act of its own."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from flowdesk.accounts.audit import CSV_HEAD, csv_lines, export_audit
from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.audit.fill import ASKED, asked_filter, audit_page_of
from flowdesk.web.chrome import shell_of


@require_GET
@for_agents
def audit(request: AgentRequest) -> HttpResponse:
    """The acts of this tenant, the newest first."""
    at = now()
    request.actor.must(Act.AUDIT)
    with reading(request.actor.tenant):
        page = audit_page_of(request, now=at)
        shell = shell_of(request, now=at, current="audit")
    return render(request, "audit/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def export(request: AgentRequest) -> HttpResponse:
    """The acts that the page's filter asks for, oldest first, as CSV."""
    wanted = asked_filter({name: request.POST.get(name, "") for name in ASKED}, request)
    last = export_audit(wanted, by=request.actor, now=now())
    body = StreamingHttpResponse(
        (line for part in ([CSV_HEAD], csv_lines(request.actor.tenant, wanted, last=last)) for line in part),
        content_type="text/csv; charset=utf-8",
    )
    body["Content-Disposition"] = f'attachment; filename="audit-{request.tenant.slug}.csv"'
    return body  # type: ignore[return-value]  # both are answers; the pages' type knows one of them
