"""Learned models: trained by the worker, promoted when better, put aside with one act."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import learn
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words
from flowdesk.web.learning.fill import learning_page


@require_GET
@for_agents
def learning(request: AgentRequest) -> HttpResponse:
    """What is learned, and how well."""
    request.actor.must(Act.CONFIGURE)
    at = now()
    with reading(request.actor.tenant):
        page = learning_page(request, now=at)
        shell = shell_of(request, now=at, current="learning")
    return render(request, "learning/page.html", {"page": page, "shell": shell})


@require_POST
@for_agents
def learning_deed(request: AgentRequest) -> HttpResponse:
    """Train, promote or put aside."""
    deed, model = request.POST.get("deed", ""), request.POST.get("model", "")
    by, at = request.actor, now()
    try:
        if deed == "train":
            learn.begin_training(request.POST.get("target", ""), by=by, now=at)
            messages.success(request, _("The training has begun"))
        elif deed == "promote":
            row = learn.promote(model, by=by, now=at)
            messages.success(request, _("Version {version} is asked from now on").format(version=row.version))
        elif deed == "aside":
            learn.put_aside(model, by=by, now=at)
            messages.success(request, _("The rules decide again"))
        else:
            raise NotFound
    except (NotFound, Forbidden):
        raise
    except DomainError as fault:
        messages.error(request, fault_words(fault))
    return redirect("learning")
