"""What a person chooses for themselves: language, theme, keys, and which tenant they look at."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from flowdesk.web.access import TENANT, AgentRequest, back_to, for_agents


@require_POST
@for_agents
def preferences(request: AgentRequest) -> HttpResponse:
    """Keep whichever of `theme`, `language` and `keys` was sent; anything unknown is left as it is."""
    user = request.user
    if request.POST.get("theme") in ("", "light", "dark", "system"):
        user.theme = request.POST["theme"].replace("system", "")
    if request.POST.get("language") in dict(settings.LANGUAGES):
        user.language = request.POST["language"]
    if request.POST.get("keys") in ("on", "off"):
        user.keys_off = request.POST["keys"] == "off"
    user.save(update_fields=["theme", "language", "keys_off"])
    return back_to(request, reverse("inbox"))


@require_POST
@for_agents
def switch_tenant(request: AgentRequest) -> HttpResponse:
    """Look at another tenant that this person belongs to."""
    wanted = request.POST.get("tenant", "")
    for one in request.memberships:
        if one.tenant.slug == wanted:
            request.session[TENANT] = one.tenant_id
    return back_to(request, reverse("inbox"))
