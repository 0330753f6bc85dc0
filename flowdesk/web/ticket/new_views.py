"""The page on which an agent opens a ticket."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from flowdesk.core.actor import Act
from flowdesk.core.errors import Invalid
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import receive
from flowdesk.intake.services import InboundMessage
from flowdesk.people.models import Contact
from flowdesk.policies.services import current_policy
from flowdesk.tickets.states import Channel
from flowdesk.triage.similar import similar_to
from flowdesk.web.access import AgentRequest, for_agents
from flowdesk.web.chrome import shell_of
from flowdesk.web.faults import reason_words
from flowdesk.web.ticket.fill import similar_lines
from flowdesk.web.ticket.new import (
    ContactMatch,
    NewTicketPage,
    contact_search,
    new_ticket_form,
    newcomer_fields,
)
from flowdesk.web.ticket.own_fields import answers, questions
from flowdesk.web.vocabulary import TIERS, say

MATCHES = 8
CHANNELS = ("phone", "email", "chat", "web")
FIELDS = {"email": "contact_email", "name": "contact_name", "customer_name": "customer_name"}


@require_http_methods(["GET", "POST"])
@for_agents
def new_ticket(request: AgentRequest) -> HttpResponse:
    """Find or name the contact, say what it is about."""
    request.actor.must(Act.OPEN)
    if request.method != "POST":
        return _page(request)
    form = {name: str(value) for name, value in request.POST.items()}
    channel = form.get("channel", "")
    with reading(request.actor.tenant):
        own = answers(current_policy().fields, form)
    message = InboundMessage(
        channel=Channel(channel) if channel in CHANNELS else Channel.PHONE,
        subject=form.get("subject", ""),
        text=form.get("text", ""),
        contact=form.get("contact", ""),
        email=form.get("contact_email", "").strip(),
        name=form.get("contact_name", "").strip(),
        customer_name=form.get("customer_name", "").strip(),
        fields={key: value for key, value in own.items() if value is not None},
    )
    try:
        opened = receive.open_ticket(message, by=request.actor, now=now())
    except Invalid as fault:
        errors: dict[str, list[str]] = {}
        for one in fault.faults:
            errors.setdefault(FIELDS.get(one.field, one.field), []).append(reason_words(one.reason))
        return _page(request, form=form, errors=errors)
    messages.success(request, _("Ticket {number} is open").format(number=opened.number))
    response = HttpResponseRedirect(reverse("ticket", args=[opened.id]))
    response.status_code = 303
    return response


def _page(
    request: AgentRequest, *, form: dict[str, str] | None = None, errors: dict[str, list[str]] | None = None
) -> HttpResponse:
    at = now()
    given, wrong = form or {}, errors or {}
    query = _query(request)
    here = reverse("new-ticket")
    with reading(request.actor.tenant):
        question = new_ticket_form(here, channels=CHANNELS, own=questions(current_policy().fields, {}))
        if form is not None:
            question = question.answered(given, {name: tuple(said) for name, said in wrong.items()})
        page = NewTicketPage(
            form=question,
            search=contact_search(query),
            search_href=here,
            matches=_matches(query, chosen=given.get("contact", "")),
            newcomer=tuple(
                replace(one, value=given.get(one.name, ""), errors=tuple(wrong.get(one.name, ())))
                for one in newcomer_fields()
            ),
            is_new=any(given.get(name) for name in FIELDS.values())
            or bool(wrong.keys() & set(FIELDS.values())),
            contact_errors=tuple(wrong.get("contact", ())),
            cancel_href=reverse("inbox"),
            similar_href=reverse("similar-to-new"),
        )
        shell = shell_of(request, now=at)
    context: dict[str, Any] = {"page": page, "shell": shell}
    return render(request, "ticket/new.html", context, status=422 if form is not None else 200)


@require_POST
@for_agents
def similar_to_new(request: AgentRequest) -> HttpResponse:
    """Tickets of late like what is being written; nothing is kept."""
    request.actor.must(Act.OPEN)
    subject, text = (request.POST.get(name, "")[:most] for name, most in (("subject", 200), ("text", 20_000)))
    with reading(request.actor.tenant):
        found = similar_lines(similar_to(subject, text=text, now=now()))
    return render(request, "ticket/new.html#similar", {"similar": found})


def _query(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:100].replace("\x00", "")


def _matches(query: str, *, chosen: str) -> tuple[ContactMatch, ...]:
    """People whose name, address or customer holds the words; whoever was chosen stands first."""
    people = Contact.objects.select_related("customer").order_by("name", "id")
    found = list(people.filter(public_id=parsed("con", chosen))) if chosen.startswith("con_") else []
    if query:
        named = Q(name__icontains=query) | Q(email__icontains=query) | Q(customer__name__icontains=query)
        found += [one for one in people.filter(named)[:MATCHES] if one not in found]
    return tuple(
        ContactMatch(
            id=shown("con", contact.public_id),
            name=contact.name or contact.email,
            email=contact.email,
            customer=contact.customer.name,
            tier=say(TIERS, contact.customer.tier),
            is_chosen=shown("con", contact.public_id) == chosen,
        )
        for contact in found
    )
