"""The account page: what a person says about themselves, their password, and where they are logged in."""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from flowdesk.accounts import users
from flowdesk.accounts.models import Session
from flowdesk.accounts.sessions import handle
from flowdesk.accounts.throttle import TooManyAttempts
from flowdesk.core.errors import Invalid
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows.members import Profile, change_profile
from flowdesk.web import words
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.account.devices import device_words
from flowdesk.web.account.doors import too_many_words
from flowdesk.web.account.page import (
    AccountPage,
    SessionLine,
    end_others_form,
    end_session_form,
    password_form,
    profile_form,
)
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, field_errors
from flowdesk.web.parts import Form

DEMO = users.DemoPassword()


@require_GET
@for_agents
def account(request: AgentRequest) -> HttpResponse:
    """The page."""
    return _page(request)


@require_POST
@for_agents
def save_profile(request: AgentRequest) -> HttpResponse:
    """Keep what the person says about themselves."""
    given = {name: str(request.POST.get(name, "")) for name in ("name", "language", "zone", "theme", "keys")}
    profile = Profile(
        name=given["name"],
        language=given["language"],
        zone=given["zone"].strip(),
        theme=given["theme"],
        has_keys=bool(given["keys"]),
    )
    try:
        change_profile(request.user, profile, by=request.actor, now=now())
    except Invalid as fault:
        return _page(request, profile=_profile_form(request).answered(given, field_errors(fault)))
    messages.success(request, _("Saved"))
    return redirect("account")


@sensitive_post_parameters()
@require_POST
@for_agents
def change_password(request: AgentRequest) -> HttpResponse:
    """Change the password; this log-in stays, under a new key, and all others end."""
    form = _password_form()
    try:
        users.change_password(
            request.user,
            old=str(request.POST.get("old", "")),
            new=str(request.POST.get("new", "")),
            kept=str(request.session.session_key),
            by=request.actor,
            now=now(),
        )
    except users.DemoPassword:
        return _page(request, status=409)
    except TooManyAttempts as fault:
        return _page(request, password=form.answered({}, {"": [too_many_words(fault)]}), status=429)
    except Invalid as fault:
        return _page(request, password=form.answered({}, field_errors(fault)))
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Password changed. Your other log-ins have ended."))
    return redirect("account")


@require_POST
@for_agents
def end_session(request: AgentRequest) -> HttpResponse:
    """End one log-in, or all but this one."""
    called, kept = str(request.POST.get("session", "")), str(request.session.session_key)
    if called == "others":
        count = users.end_other_sessions(request.user, kept=kept, by=request.actor, now=now())
    else:
        users.end_session(request.user, called=called, by=request.actor, now=now())
        count = 1
    messages.success(request, ngettext("{n} log-in ended", "{n} log-ins ended", count).format(n=count))
    return redirect("account")


def _page(
    request: AgentRequest, *, profile: Form | None = None, password: Form | None = None, status: int = 0
) -> HttpResponse:
    """The page; with a refused form in it, 422."""
    at = now()
    rows = list(users.sessions_of(request.user, now=at))
    is_demo = any(one.tenant.is_demo for one in request.memberships)
    page = AccountPage(
        email=request.user.email,
        profile=profile or _profile_form(request),
        password=None if is_demo else password or _password_form(),
        password_words=fault_words(DEMO) if is_demo else "",
        sessions=tuple(_line(row, request, at) for row in rows),
        end_others=end_others_form(reverse("end-session")) if len(rows) > 1 else None,
    )
    with reading(request.actor.tenant):
        shell = shell_of(request, now=at, current="account")
    refused = 422 if profile or password else 200
    return render(request, "account/page.html", {"page": page, "shell": shell}, status=status or refused)


def _profile_form(request: AgentRequest) -> Form:
    user = request.user
    return profile_form(
        reverse("account-profile"),
        values={
            "name": user.name,
            "language": user.language,
            "zone": user.zone,
            "theme": user.theme,
            "keys": "" if user.keys_off else "1",
        },
        languages=settings.LANGUAGES,
        zone_hint=_("Such as Europe/Stockholm. Empty: the desk's, {zone}.").format(zone=request.tenant.zone),
    )


def _password_form() -> Form:
    return password_form(reverse("account-password"), rules=password_validators_help_texts())


def _line(row: Session, request: AgentRequest, at: datetime) -> SessionLine:
    assert row.started_at is not None
    assert row.seen_at is not None
    is_this = row.pk == request.session.session_key
    return SessionLine(
        device=device_words(row.device),
        address=row.address or "",
        started_at=words.iso(row.started_at, request.zone),
        started_when=words.moment(row.started_at, zone=request.zone, now=at),
        seen_at=words.iso(row.seen_at, request.zone),
        seen_when=words.moment(row.seen_at, zone=request.zone, now=at),
        end=None if is_this else end_session_form(reverse("end-session"), called=handle(row.pk)),
    )
