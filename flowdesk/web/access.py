"""Who is asking: the logged-in person as an actor in their current tenant."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from flowdesk.accounts.models import MEMBER_ROLES, Membership, Tenant, User
from flowdesk.accounts.sessions import is_over, touch
from flowdesk.core.actor import Act, Actor, ActorKind, Role
from flowdesk.core.errors import Forbidden, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.core.trace import trace
from flowdesk.people.models import Agent

P = ParamSpec("P")
TENANT = "tenant"  # the session's key for the current tenant


class AgentRequest(HttpRequest):
    """A request of somebody who is logged in and belongs to a tenant."""

    user: User
    actor: Actor
    tenant: Tenant
    memberships: list[Membership]
    zone: ZoneInfo


View = Callable[Concatenate[Any, P], HttpResponse]


def for_agents(view: View[P]) -> View[P]:
    """Let in who is logged in and may read in a tenant; a stranger is sent to log in, anybody else gets 403.

    Sets the reader's language and zone. Faults of the trade become pages of `fault_pages`: 403, 404.
    """

    @wraps(view)
    def entered(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        at = now()
        if request.user.is_authenticated and is_over(request.session, now=at):
            logout(request)
        if not request.user.is_authenticated:
            return _turned_away(request)
        touch(request.session, now=at)
        if not enter(request):
            raise PermissionDenied
        try:
            request.actor.must(Act.READ)  # every page shows something of the tenant's, if only a count
            response = view(request, *args, **kwargs)
        except NotFound as fault:
            raise Http404 from fault
        except Forbidden as fault:
            raise PermissionDenied from fault
        return kept_nowhere(response)

    return cast("View[P]", entered)


def _turned_away(request: HttpRequest) -> HttpResponse:
    """To the log-in and back to a page that can be read; a script is told in a word, and keeps what was written."""
    if "HX-Request" in request.headers and "HX-Boosted" not in request.headers:
        return HttpResponse(status=401)
    if request.method in ("GET", "HEAD"):
        back = request.get_full_path()
    else:
        # The address of an act cannot be read: back to the page that its form was on, if that was ours.
        page = urlsplit(request.headers.get("Referer", ""))
        back = urlunsplit(("", "", page.path, page.query, "")) if page.netloc == request.get_host() else "/"
    return redirect(f"{reverse('account_login')}?next={quote(back)}")


def kept_nowhere(response: HttpResponse) -> HttpResponse:
    """The page of somebody who is logged in: not on disk, nor shown by the back button once they have left."""
    patch_cache_control(response, no_store=True, private=True)
    return response


def enter(request: Any) -> bool:
    """Find the current tenant, act as the person in it, and speak their language; False for who has none."""
    memberships = list(
        Membership.objects.filter(user=request.user, role__in=MEMBER_ROLES, disabled_at__isnull=True)
        .select_related("tenant")
        .order_by("tenant__slug")
    )
    wanted = request.session.get(TENANT)
    mine = next(
        (one for one in memberships if one.tenant_id == wanted), memberships[0] if memberships else None
    )
    if mine is None:
        return False
    user, tenant = request.user, mine.tenant
    with reading(tenant.id):
        agent = (
            Agent.objects.filter(user_id=user.id, left_at__isnull=True).values_list("id", flat=True).first()
        )
    request.actor = Actor(
        tenant=tenant.id, role=Role(mine.role), kind=ActorKind.USER, id=user.id, agent=agent, name=user.name
    )
    trace(tenant=tenant.id, actor=ActorKind.USER.value, actor_id=user.id)
    request.tenant, request.memberships = tenant, memberships
    request.zone = ZoneInfo(user.zone or tenant.zone)
    language = user.language or tenant.language
    translation.activate(language)
    request.LANGUAGE_CODE = language
    timezone.activate(request.zone)
    return True


def back_to(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """Back to the page the form was on, if it says so and is ours; 303, so that the browser asks with GET."""
    wanted = request.POST.get("back", "")
    ours = wanted.startswith("/flow/") and "\\" not in wanted and "//" not in wanted
    response = HttpResponseRedirect(wanted if ours else default)
    response.status_code = 303
    return response
