"""The tenant's own fields: what they are, not what stands in them."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from flowdesk.api.auth import client, needs
from flowdesk.api.reading import Body
from flowdesk.api.shapes import Out
from flowdesk.api.versions import IF_MATCH, Versioned
from flowdesk.core.actor import Act
from flowdesk.core.errors import invalid
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import CustomField, FieldType
from flowdesk.flows import reconfigure
from flowdesk.policies.sections.fields import MOST_CHOICES, MOST_FIELDS, words_given_up
from flowdesk.policies.services import current_policy
from flowdesk.tickets.queries import held_words

router = Router(tags=["fields"])

Word = Annotated[str, Field(max_length=64)]


class FieldOut(Out):
    """One field; `choices` is empty where any word may stand."""

    key: str
    label: str
    type: FieldType
    choices: list[str]


class FieldsOut(Versioned):
    """All fields, and the revision of the policy that they are of."""

    revision: int
    fields: list[FieldOut]


class HeldWordOut(Out):
    """A word that went from a list: how many of the tickets that were looked at, the latest ones, hold it still."""

    key: str
    word: str
    tickets: int
    looked_at: int


class WrittenFields(FieldsOut):
    """All fields as they are now, and what tickets hold of words that their lists hold no more."""

    still_held: list[HeldWordOut]


class NewField(Body):
    """`type` is number, text, slug or truth; a slug may have `choices`."""

    key: Word
    label: Annotated[str, Field(max_length=200)] = ""
    type: FieldType
    choices: Annotated[list[Word], Field(max_length=MOST_CHOICES)] = []


class NewFields(Body):
    """All fields, in their order."""

    fields: Annotated[list[NewField], Field(max_length=MOST_FIELDS)]


@router.get(
    "/fields",
    response=FieldsOut,
    auth=needs(Act.READ),
    operation_id="read_fields",
    summary="Read the tenant's own fields",
)
def read_fields(request: HttpRequest) -> FieldsOut:
    """What may stand in `fields` of a ticket, and in conditions."""
    with reading(client(request).tenant):
        return _fields_out()


def _fields_out() -> FieldsOut:
    policy = current_policy()
    return FieldsOut(
        version=str(policy.number),
        revision=policy.number,
        fields=[
            FieldOut(key=key, label=known.label, type=known.type, choices=list(known.choices))
            for key, known in policy.fields.items()
        ],
    )


@router.put(
    "/fields",
    response=WrittenFields,
    auth=needs(Act.CONFIGURE),
    operation_id="write_fields",
    summary="Say which fields the tenant has",
    openapi_extra=IF_MATCH,
)
def write_fields(request: HttpRequest, body: NewFields) -> WrittenFields:
    """All of them at once, as a new revision of the policy. A field that a rule asks for cannot go: 422 names the
    place in the rule. What stands on tickets stays: `still_held` tells of words that went from a list. `If-Match`
    names the revision you have seen.
    """
    asking = client(request)
    fields: dict[str, CustomField] = {}
    for place, one in enumerate(body.fields):
        if one.key in fields:
            raise invalid(f"fields.{place}.key", "there is a field of this name already")
        fields[one.key] = CustomField(type=one.type, label=one.label, choices=tuple(one.choices))
    with reading(asking.tenant):
        before = current_policy().fields
    reconfigure.write_fields(fields, by=asking.actor, now=asking.now, expected=asking.expected)
    with reading(asking.tenant):
        held = held_words(words_given_up(before, fields))
        return WrittenFields(
            **dict(_fields_out()),
            still_held=[
                HeldWordOut(key=one.key, word=one.word, tickets=one.tickets, looked_at=one.looked_at)
                for one in held
            ],
        )
