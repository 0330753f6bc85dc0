"""The policy beside its routing rules and fields: what the standard pack has got since the desk began with it."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from flowdesk.api.auth import client, needs
from flowdesk.api.shapes import Out
from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.policies.queries import rules_lacking

router = Router(tags=["policy"])


class PackRuleOut(Out):
    """A rule of the standard pack: the section of the policy and the list in it that it belongs to, and its YAML."""

    section: str
    list: str
    name: str
    text: str


class LackingOut(Out):
    """Rules that the policy lacks, in the pack's order."""

    rules: list[PackRuleOut]


@router.get(
    "/policy/lacking",
    response=LackingOut,
    auth=needs(Act.CONFIGURE),
    operation_id="list_lacking_rules",
    summary="Rules of the standard pack that are lacking",
)
def list_lacking(request: HttpRequest) -> LackingOut:
    """By their names: neither in force nor in a draft, and never written in any revision, so that what somebody took
    out is not missed. Nothing of it comes into force by itself."""
    with reading(client(request).tenant):
        return LackingOut(
            rules=[
                PackRuleOut(section=rule.section, list=rule.of, name=rule.name, text=rule.text)
                for rule in rules_lacking()
            ]
        )
