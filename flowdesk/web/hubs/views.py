"""The ticket SLA hub, its launch report, its calendar, and the automation's button."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowdesk.automations.services import AlreadyRunning, Trigger
from flowdesk.core.actor import Act
from flowdesk.core.errors import Invalid
from flowdesk.core.processes import watch
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.lanes import Window
from flowdesk.flows.automate import run_automation
from flowdesk.hubs.calendar import review_calendar
from flowdesk.hubs.kept import hub_as_of
from flowdesk.hubs.services import LanesCritical, publish_report, published_report
from flowdesk.policies.services import current_policy
from flowdesk.web.access import AgentRequest, back_to, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, reason_words
from flowdesk.web.hubs import words as said
from flowdesk.web.hubs.fill import WINDOWS, sla_page
from flowdesk.web.hubs.report import report_page


@require_GET
@for_agents
def sla(request: AgentRequest) -> HttpResponse:
    """The hub as it stands."""
    at = now()
    request.actor.must(Act.READ)
    window = WINDOWS.get(request.GET.get("window", ""), Window.DAY)
    with reading(request.actor.tenant):
        hub = hub_as_of(request.actor.tenant, window=window, now=at)
        page = sla_page(request, hub, now=at)
        shell = shell_of(request, now=at, current="sla")
    # The promises are only as good as the engine; who can have it mended is told.
    late = watch.note if request.actor.may(Act.CONFIGURE) else ""
    return render(request, "hubs/sla.html", {"page": page, "shell": shell, "engine_note": late})


@require_POST
@for_agents
def publish(request: AgentRequest) -> HttpResponse:
    """Publish the launch report; while a lane is critical it stays shut, and the hub says which."""
    try:
        report = publish_report(by=request.actor, now=now(), status_note=request.POST.get("status_note", ""))
    except LanesCritical as fault:
        lanes = ", ".join(str(said.LANES[lane.value]) for lane in fault.lanes)
        messages.error(request, _("Not yet: {lanes} is critical.").format(lanes=lanes))
        return back_to(request, reverse("sla-hub"))
    except Invalid as fault:
        messages.error(request, " ".join(reason_words(one.reason) for one in fault.faults))
        return back_to(request, reverse("sla-hub"))
    messages.success(request, _("The launch report is published"))
    return back_to(request, reverse("launch-report", args=[report]))


@require_GET
@for_agents
def launch_report(request: AgentRequest, report_id: str) -> HttpResponse:
    """A published report: what was true that day, unchanged."""
    at = now()
    request.actor.must(Act.READ)
    with reading(request.actor.tenant):
        page = report_page(request, published_report(report_id), now=at)
        shell = shell_of(request, now=at, current="sla")
    return render(request, "hubs/report.html", {"page": page, "shell": shell})


@require_GET
@for_agents
def calendar(request: AgentRequest) -> HttpResponse:
    """The weekly review as a calendar file."""
    request.actor.must(Act.READ)
    with reading(request.actor.tenant):
        review = current_policy().hubs.review
    file = review_calendar(
        review.cadence,
        uid=f"weekly-review-{request.tenant.slug}@flowdesk",
        summary=f"{said.MEETING}, {request.tenant.name}",
        now=now(),
    )
    response = HttpResponse(file, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="weekly-review.ics"'
    return response


@require_POST
@for_agents
def run_now(request: AgentRequest) -> HttpResponse:
    """Run the ticket automation by hand."""
    try:
        ran = run_automation(trigger=Trigger.HAND, by=request.actor, now=now())
        messages.success(
            request, said.run_words(int(ran.counts["assigned"]), escalated=int(ran.counts["escalated"]))
        )
    except AlreadyRunning as fault:
        messages.warning(request, fault_words(fault))
    return back_to(request, reverse("sla-hub"))
