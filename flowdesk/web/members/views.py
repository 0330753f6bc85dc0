"""The members of a desk: who they are, and letting them in and out."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from flowdesk.accounts.queries import Member, members_of
from flowdesk.core.actor import Act, Role
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import members as flow
from flowdesk.web import words
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import fault_words, field_errors
from flowdesk.web.members.page import MemberLine, MembersPage, deed_form, invite_form
from flowdesk.web.parts import Face, Form
from flowdesk.web.vocabulary import ROLES, say


@require_http_methods(["GET", "POST"])
@for_agents
def members(request: AgentRequest) -> HttpResponse:
    """Everybody who may come in; sent a form, invites one more."""
    request.actor.must(Act.CONFIGURE)
    if request.method == "GET":
        return _page(request)
    form = _invite_form(request)
    given = {name: str(request.POST.get(name, "")) for name in ("name", "email", "role")}
    try:
        invited = flow.invite_member(
            given["email"].strip(), name=given["name"], role=given["role"], by=request.actor, now=now()
        )
    except Invalid as fault:
        return _page(request, invite=form.answered(given, field_errors(fault)), status=422)
    except flow.AlreadyMember as fault:
        return _page(request, invite=form.answered(given, {"": [fault_words(fault)]}), status=422)
    messages.success(request, _("{email} is invited").format(email=given["email"]))
    return _page(request, link=invited.link)


@require_POST
@for_agents
def member_deed(request: AgentRequest) -> HttpResponse:
    """One act on one member."""
    request.actor.must(Act.CONFIGURE)
    user, deed = request.POST.get("user", ""), DEEDS.get(request.POST.get("deed", ""))
    if deed is None or not user.isascii() or not user.isdecimal() or len(user) > 18:
        raise NotFound
    try:
        said, link = deed(request, int(user))
    except (NotFound, Forbidden):
        raise
    except DomainError as fault:
        messages.error(request, fault_words(fault))
        return redirect("members")
    messages.success(request, said)
    return _page(request, link=link) if link else redirect(f"{reverse('members')}#member-{user}")


def _disable(request: AgentRequest, user: int) -> tuple[str, str]:
    flow.disable_member(user, by=request.actor, now=now())
    return _("They are shut out"), ""


def _enable(request: AgentRequest, user: int) -> tuple[str, str]:
    flow.enable_member(user, by=request.actor, now=now())
    return _("They are let in again"), ""


def _end(request: AgentRequest, user: int) -> tuple[str, str]:
    count = flow.end_member_sessions(user, by=request.actor, now=now())
    return ngettext("{n} log-in ended", "{n} log-ins ended", count).format(n=count), ""


def _send(request: AgentRequest, user: int) -> tuple[str, str]:
    link = flow.send_link(user, by=request.actor, now=now())
    return _("A mail is on its way"), link


DEEDS: Mapping[str, Callable[[AgentRequest, int], tuple[str, str]]] = {
    "disable": _disable,
    "enable": _enable,
    "end": _end,
    "send": _send,
}


def _page(
    request: AgentRequest, *, invite: Form | None = None, link: str = "", status: int = 200
) -> HttpResponse:
    at = now()
    page = MembersPage(
        members=tuple(_line(one, request, at) for one in members_of(request.tenant, now=at)),
        invite=invite or _invite_form(request),
        link=link,
        link_words=_("Shown only now. The same link is on its way by mail:") if link else "",
    )
    with reading(request.actor.tenant):
        shell = shell_of(request, now=at, current="members")
    return render(request, "members/page.html", {"page": page, "shell": shell}, status=status)


def _invite_form(request: AgentRequest) -> Form:
    return invite_form(reverse("members"), may_make_admins=request.actor.role == Role.ADMIN)


def _line(member: Member, request: AgentRequest, at: datetime) -> MemberLine:
    seen, invited = member.seen_at, "" if member.has_password else _("invited")
    return MemberLine(
        id=member.user,
        face=Face.of(member.name),
        email=member.email,
        role=say(ROLES, member.role),
        standing=_("shut out") if member.disabled_at else invited,
        seen_at=words.iso(seen, request.zone) if seen else "",
        seen_when=words.moment(seen, zone=request.zone, now=at) if seen else _("not yet"),
        deeds=_deeds(member, request),
    )


def _deeds(member: Member, request: AgentRequest) -> tuple[Form, ...]:
    """What this reader may do with this member: nothing with themselves or with one above them."""
    is_above = member.role == Role.ADMIN and request.actor.role != Role.ADMIN
    if is_above or member.user == request.actor.id:
        return ()
    href = reverse("member-deed")
    if member.disabled_at:
        return (deed_form("enable", _("Let in"), user_id=member.user, href=href),)
    forms = [deed_form("disable", _("Shut out"), user_id=member.user, href=href)]
    if member.has_sessions:
        forms.append(deed_form("end", _("End log-ins"), user_id=member.user, href=href))
    if not member.has_password:
        forms.append(deed_form("send", _("Send a link"), user_id=member.user, href=href))
    return tuple(forms)
