"""The policy beside its routing rules: what is new in the standard pack is drafted, and put in force by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import reconfigure
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words
from flowdesk.web.policy.fill import PAGES, policy_page
from flowdesk.web.policy_words import placed_reason


@require_http_methods(["GET", "POST"])
@for_agents
def policy(request: AgentRequest) -> HttpResponse:
    """What each section lacks, and its draft; one act on a draft."""
    request.actor.must(Act.CONFIGURE)
    if request.method == "POST":
        section = request.POST.get("section", "")
        try:
            _do(request, request.POST.get("deed", ""), section)
        except (NotFound, Forbidden):
            raise
        except Invalid as fault:
            messages.error(request, " ".join(placed_reason(one) for one in fault.faults))
        except DomainError as fault:
            messages.error(request, fault_words(fault))
        return redirect(PAGES.get(section, "policy"))
    at = now()
    with reading(request.actor.tenant):
        page = policy_page(request, now=at)
        shell = shell_of(request, now=at, current="rules")
    return render(request, "policy/page.html", {"page": page, "shell": shell})


def _do(request: AgentRequest, deed: str, section: str) -> None:
    given = request.POST.get("seen", "")
    seen = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    if deed == "add":
        reconfigure.add_pack_rules(section, seen=seen, by=request.actor, now=now())
        messages.success(request, _("Kept in the draft"))
    elif deed == "publish":
        revision = reconfigure.publish_draft(section, seen=seen, by=request.actor, now=now())
        messages.success(request, _("Revision {number} is in force").format(number=revision.number))
    elif deed == "drop":
        reconfigure.drop_draft(section, by=request.actor, now=now())
        messages.success(request, _("The draft is gone"))
    else:
        raise NotFound
