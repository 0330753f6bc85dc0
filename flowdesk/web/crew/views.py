"""Teams and agents: looked at, changed, and evened out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from flowdesk.core.actor import Act
from flowdesk.core.errors import DomainError, Forbidden, Invalid, NotFound, invalid
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.balance import MoveReason
from flowdesk.flows import assignments, crew
from flowdesk.flows.assignments import WantedMove
from flowdesk.flows.crew import AgentCard
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.crew import fill
from flowdesk.web.faults import fault_words, field_errors, instants_said, reason_words

AS_ASKED = {"starts_at": "first", "ends_at": "last"}  # the flow's fields, as the form asks for them


@require_GET
@for_agents
def teams(request: AgentRequest) -> HttpResponse:
    """Every team with its people and what they have."""
    at = now()
    with reading(request.actor.tenant):
        page = fill.crew_page(request, now=at)
        shell = shell_of(request, now=at, current="crew")
    return render(request, "crew/page.html", {"page": page, "shell": shell})


@require_http_methods(["GET", "POST"])
@for_agents
def agent(request: AgentRequest, agent_id: str) -> HttpResponse:
    """One agent: their card for the manager, their absences for them too."""
    at = now()
    with reading(request.actor.tenant):
        row = fill.load_agent(agent_id)
    if row.id != request.actor.agent:
        request.actor.must(Act.CONFIGURE)
    if request.method == "GET":
        return _agent_page(request, agent_id)
    given = {name: str(value) for name, value in request.POST.items()}
    deed = given.get("deed", "")
    try:
        said = _done(request, agent_id, deed, given, at)
    except (Forbidden, NotFound):
        raise
    except Invalid as fault:
        found = field_errors(fault, instants_said(request.zone, now=at))
        errors = {AS_ASKED.get(name, name): said for name, said in found.items()}
        return _agent_page(request, agent_id, deed=deed, given=given, errors=errors)
    except DomainError as fault:
        return _agent_page(request, agent_id, deed=deed, given=given, errors={"": [fault_words(fault)]})
    messages.success(request, said)
    return redirect("crew") if deed == "available" else redirect("agent", agent_id)


def _done(request: AgentRequest, agent_id: str, deed: str, given: Mapping[str, str], at: datetime) -> str:
    """One act on an agent, and what is said of it; raises NotFound for an act that is not one."""
    by = request.actor
    if deed == "available":
        is_here = bool(given.get("is_available"))
        crew.change_agent(agent_id, AgentCard(is_available=is_here), by=by, now=at)
        return _("You get new tickets again") if is_here else _("No new ticket comes to you")
    if deed == "card":
        crew.change_agent(agent_id, _card(given), by=by, now=at)
        return _("Saved")
    if deed == "absence":
        _begin(request, agent_id, given, at)
        return _("The absence is noted")
    if deed == "end":
        crew.end_absence(given.get("absence", ""), by=by, now=at)
        return _("The absence has ended")
    raise NotFound


def _card(given: Mapping[str, str]) -> AgentCard:
    capacity = given.get("capacity", "")
    if not (capacity.isascii() and capacity.isdecimal() and len(capacity) < 9):
        raise invalid("capacity", f"must be from 0 to {crew.MOST_CAPACITY}")
    return AgentCard(
        skills=tuple(given.get("skills", "").split(",")),
        languages=tuple(given.get("languages", "").split(",")),
        channels=tuple(given.get("channels", "").split(",")),
        capacity=int(capacity),
        is_senior=bool(given.get("is_senior")),
    )


def _begin(request: AgentRequest, agent_id: str, given: Mapping[str, str], at: datetime) -> None:
    """Days are the reader's own; a last day is away to its end."""
    first = fill.day_begins(given.get("first", ""), request)
    last = fill.day_begins(given.get("last", ""), request, after=1) if given.get("last") else None
    if first is None:
        raise invalid("first", _("Say from which day."))
    if given.get("last") and last is None:
        raise invalid("last", _("This is no day."))
    if last is not None and last <= max(first, at):
        raise invalid("last", _("The last day is before the first, or over."))
    crew.begin_absence(
        agent_id, starts_at=first, ends_at=last, substitute=given.get("substitute", ""), by=request.actor, now=at
    )  # fmt: skip


def _agent_page(
    request: AgentRequest,
    agent_id: str,
    *,
    deed: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, list[str]] | None = None,
) -> HttpResponse:
    at = now()
    with reading(request.actor.tenant):
        row = fill.load_agent(agent_id)
        page = fill.agent_page(request, row, now=at, deed=deed, given=given, errors=errors)
        shell = shell_of(request, now=at, current="crew")
    return render(request, "crew/agent.html", {"page": page, "shell": shell}, status=422 if errors else 200)


@require_http_methods(["GET", "POST"])
@for_agents
def even_out(request: AgentRequest, team: str) -> HttpResponse:
    """The plan for a team; sent, the moves that are still ticked are made."""
    request.actor.must(Act.AUTOMATE)
    at = now()
    if request.method == "POST":
        try:
            moves = [_wanted(value) for value in request.POST.getlist("move")]
            handed = assignments.even_out(team, moves, by=request.actor, now=at)
        except Invalid as fault:
            messages.error(request, "; ".join(reason_words(one.reason) for one in fault.faults))
            return redirect("even-out", team)
        said = ngettext("{n} ticket has changed hands", "{n} tickets have changed hands", handed.moved)
        messages.success(request, said.format(n=handed.moved))
        if handed.kept:
            kept = ngettext(
                "{n} had changed meanwhile and stays", "{n} had changed meanwhile and stay", handed.kept
            )
            messages.warning(request, kept.format(n=handed.kept))
        return redirect("assignments")
    with reading(request.actor.tenant):
        page = fill.even_page(team, now=at)
        shell = shell_of(request, now=at, current="crew")
    return render(request, "crew/even.html", {"page": page, "shell": shell})


def _wanted(text: str) -> WantedMove:
    parts = text.split(":")
    numbers = [int(part) for part in parts[:3] if part.isascii() and part.isdecimal() and len(part) < 19]
    if len(parts) != 4 or len(numbers) != 3 or parts[3] not in set(MoveReason):
        raise invalid("move", _("This is no move of the plan."))
    return WantedMove(ticket=numbers[0], before=numbers[1], after=numbers[2], reason=MoveReason(parts[3]))
