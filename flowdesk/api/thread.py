"""What is said and done on a ticket: messages, replies, notes, and the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from flowdesk.accounts.models import ApiKey, User
from flowdesk.api.auth import client, needs
from flowdesk.api.pagination import OnlyPages, Page, cursor_at, place_after
from flowdesk.api.reading import Body
from flowdesk.api.shapes import AgentRef, ContactRef, Out, agent_ref, contact_ref
from flowdesk.api.tickets import Html, TicketDetail, TicketReceipt, read_back
from flowdesk.api.versions import IF_MATCH
from flowdesk.core.actor import Act, ActorKind
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.flows import receive, work
from flowdesk.people import queries as people
from flowdesk.people.models import Agent
from flowdesk.tickets import queries as tickets
from flowdesk.tickets.models import TicketEvent
from flowdesk.tickets.states import Channel, EventKind

router = Router(tags=["thread"])

Text = Annotated[str, Field(min_length=1, max_length=200_000)]


class Done(Out):
    """An act that wrote something of its own: its id, and the ticket afterwards."""

    id: str
    ticket: TicketDetail | TicketReceipt


class CustomerWrote(Body):
    """A message from the customer."""

    text: Text
    html: Html = ""
    channel: Channel = Channel.API


class Reply(Body):
    """An answer to the customer; `wait` gives them the next move in the same save."""

    text: Text
    wait: bool = False


class NoteText(Body):
    text: Text


class MessageOut(Out):
    """Words to or from the customer."""

    id: str
    author: str  # contact, agent or system
    contact: ContactRef | None
    agent: AgentRef | None
    channel: str
    is_automatic: bool
    text: str
    html: str  # the same words formatted, cleaned by an allow-list; pictures keep the address they come from
    sent_at: datetime


class NoteOut(Out):
    """Words among agents; a system's note has a kind and values instead of text."""

    id: str
    kind: str
    agent: AgentRef | None
    text: str
    data: dict[str, Any]
    created_at: datetime


class ActorOut(Out):
    kind: ActorKind
    name: str


class EventOut(Out):
    """One line of the log; `data` holds enumerations and public ids, never text."""

    kind: EventKind
    at: datetime
    actor: ActorOut
    data: dict[str, Any]


@router.post(
    "/tickets/{ticket_id}/messages",
    response={201: TicketDetail | TicketReceipt},
    auth=needs(Act.OPEN),
    operation_id="add_message",
    summary="The customer writes",
    openapi_extra=IF_MATCH,
)
def add_message(request: HttpRequest, ticket_id: str, body: CustomerWrote) -> TicketDetail | TicketReceipt:
    """An answer falls due, a wait for the customer ends, a resolved ticket reopens. Thanks alone do neither.

    On a closed ticket it opens a linked follow-up, and that is what answers.
    """
    asking = client(request)
    held = receive.take_message(
        ticket_id,
        text=body.text,
        html=body.html,
        channel=body.channel,
        by=asking.actor,
        now=asking.now,
        expected=asking.expected,
    )
    return read_back(asking, held.id)


@router.post(
    "/tickets/{ticket_id}/replies",
    response={201: Done},
    auth=needs(Act.WORK),
    operation_id="reply",
    summary="Reply to the customer",
    openapi_extra=IF_MATCH,
)
def reply(request: HttpRequest, ticket_id: str, body: Reply) -> Done:
    """Public and human: it meets the first or next response."""
    asking = client(request)
    message = work.send_reply(
        ticket_id,
        text=body.text,
        by=asking.actor,
        now=asking.now,
        then_wait=body.wait,
        expected=asking.expected,
    )
    return Done(id=message, ticket=read_back(asking, ticket_id))


@router.post(
    "/tickets/{ticket_id}/notes",
    response={201: Done},
    auth=needs(Act.WORK),
    operation_id="add_note",
    summary="Write a note among agents",
    openapi_extra=IF_MATCH,
)
def add_note(request: HttpRequest, ticket_id: str, body: NoteText) -> Done:
    """No clock of the customer's moves."""
    asking = client(request)
    note = work.add_note(ticket_id, text=body.text, by=asking.actor, now=asking.now, expected=asking.expected)
    return Done(id=note, ticket=read_back(asking, ticket_id))


@router.get(
    "/tickets/{ticket_id}/messages",
    response=Page[MessageOut],
    auth=needs(Act.READ),
    operation_id="list_messages",
    summary="Messages",
)
def list_messages(request: HttpRequest, ticket_id: str, filters: Query[OnlyPages]) -> Page[MessageOut]:
    """Words to and from the customer, oldest first."""
    asking, name = client(request), f"{client(request).tenant}.messages.{ticket_id}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = tickets.messages_of(
            tickets.ticket_id_of(ticket_id), after=after[0] if after else 0, limit=filters.limit + 1
        )
        page = rows[: filters.limit]
        items = [
            MessageOut(
                id=shown("msg", row.public_id),
                author=row.author_kind,
                contact=contact_ref(row.contact),
                agent=agent_ref(row.agent),
                channel=row.channel,
                is_automatic=row.is_automatic,
                text=row.text,
                html=row.html,
                sent_at=row.sent_at,
            )
            for row in page
        ]
        return Page[MessageOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )


@router.get(
    "/tickets/{ticket_id}/notes",
    response=Page[NoteOut],
    auth=needs(Act.READ),
    operation_id="list_notes",
    summary="Notes",
)
def list_notes(request: HttpRequest, ticket_id: str, filters: Query[OnlyPages]) -> Page[NoteOut]:
    """Words among agents, oldest first."""
    asking, name = client(request), f"{client(request).tenant}.notes.{ticket_id}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = tickets.notes_of(
            tickets.ticket_id_of(ticket_id), after=after[0] if after else 0, limit=filters.limit + 1
        )
        page = rows[: filters.limit]
        known = _agents(row.data for row in page)
        items = [
            NoteOut(
                id=shown("nte", row.public_id),
                kind=row.kind,
                agent=agent_ref(row.agent),
                text=row.text,
                data=_public(row.data, known),
                created_at=row.created_at,
            )
            for row in page
        ]
        return Page[NoteOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )


@router.get(
    "/tickets/{ticket_id}/events",
    response=Page[EventOut],
    auth=needs(Act.READ),
    operation_id="list_events",
    summary="The log",
)
def list_events(request: HttpRequest, ticket_id: str, filters: Query[OnlyPages]) -> Page[EventOut]:
    """What happened, oldest first."""
    asking, name = client(request), f"{client(request).tenant}.events.{ticket_id}"
    after = place_after(filters.cursor, of=name)
    with reading(asking.tenant):
        rows = tickets.events_of(
            tickets.ticket_id_of(ticket_id), after=after[0] if after else 0, limit=filters.limit + 1
        )
        page = rows[: filters.limit]
        known, actors = _agents(row.data for row in page), _actors(page, asking.tenant)
        items = [
            EventOut(
                kind=EventKind(row.kind),
                at=row.at,
                data=_public(row.data, known),
                actor=ActorOut(
                    kind=ActorKind(row.actor_kind), name=actors.get((row.actor_kind, row.actor_id or 0), "")
                ),
            )
            for row in page
        ]
        return Page[EventOut](
            items=items, next=cursor_at([page[-1].id], of=name) if len(rows) > len(page) else None
        )


# What of a line's data may be seen as it is; row ids become public ones or are left out.
_PLAIN = frozenset(
    {
        "acts",
        "because",
        "channel",
        "cycle",
        "due_at",
        "ends_by",
        "fires_at",
        "kind",
        "late_by_seconds",
        "level",
        "metric",
        "outcome",
        "phone",
        "priority",
        "reason",
        "rule",
        "rule_target_minutes",
        "step",
        "target",
        "task",
        "thanks",
        "tier",
        "told",
        "way",
    }
)
_AGENTS = frozenset({"agent", "assignee"})
_CHANGES = ("before", "after")


def _agents(lines: Iterable[Mapping[str, Any]]) -> Mapping[int, Agent]:
    ids = {data[name] for data in lines for name in (*_AGENTS, "before") if isinstance(data.get(name), int)}
    return people.agents_by_id(ids)


def _public(data: Mapping[str, Any], agents: Mapping[int, Agent]) -> dict[str, Any]:
    """A line's data without row ids."""
    found = {name: value for name, value in data.items() if name in _PLAIN}
    for name in _AGENTS & data.keys():
        ref = agent_ref(agents.get(data[name])) if data[name] is not None else None
        found[name] = ref.model_dump() if ref else None
    if "after" in data:  # priority, level or tier: `before` beside an assignee is an agent
        found |= {name: data[name] for name in _CHANGES if name in data}
    elif data.get("before") is not None:
        ref = agent_ref(agents.get(data["before"]))
        found["before"] = ref.model_dump() if ref else None
    return found


def _actors(page: Iterable[TicketEvent], tenant: int) -> dict[tuple[str, int], str]:
    """The names of those who acted."""
    ids: dict[str, set[int]] = {ActorKind.USER.value: set(), ActorKind.API_KEY.value: set()}
    for row in page:
        if row.actor_kind in ids and row.actor_id is not None:
            ids[row.actor_kind].add(row.actor_id)
    users = User.objects.filter(id__in=ids[ActorKind.USER.value], memberships__tenant_id=tenant)
    keys = ApiKey.objects.filter(id__in=ids[ActorKind.API_KEY.value], tenant_id=tenant)
    return {
        **{(ActorKind.USER.value, user.id): user.name for user in users},
        **{(ActorKind.API_KEY.value, key.id): key.name for key in keys},
    }
