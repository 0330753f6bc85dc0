"""Fills the page of the policy; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from flowdesk.flows.reconfigure import SECTIONS
from flowdesk.policies.models import Draft, PolicyRevision
from flowdesk.policies.queries import rules_lacking
from flowdesk.web import words
from flowdesk.web.access import AgentRequest
from flowdesk.web.parts import Form, Link
from flowdesk.web.policy.page import PackCard, PackLine, PolicyPage, SectionCard
from flowdesk.web.vocabulary import Words, say

TITLES: Words = {
    "escalation": gettext_lazy("Escalation rules"),
    "routing": gettext_lazy("Routing rules"),
}
PAGES = {"routing": "rules"}  # sections that are looked at and drafted on a page of their own


def policy_page(request: AgentRequest, *, now: datetime) -> PolicyPage:
    """Each section that can be drafted, with what the standard pack has beyond it."""
    revision = PolicyRevision.objects.get(is_current=True)
    drafts = {draft.section: draft for draft in Draft.objects.all()}
    packs = pack_cards({section: draft.changes for section, draft in drafts.items()})
    return PolicyPage(
        standing=in_force(revision, request, now=now),
        sections=tuple(
            _section(section, packs.get(section), drafts.get(section), request, now=now)
            for section in SECTIONS
        ),
    )


def in_force(revision: PolicyRevision, request: AgentRequest, *, now: datetime) -> str:
    """Which revision decides, and since when."""
    return _("Revision {number} is in force since {when}.").format(
        number=revision.number, when=words.moment(revision.created_at, zone=request.zone, now=now)
    )


def draft_words(draft: Draft | None, request: AgentRequest, *, now: datetime) -> str:
    """That something is a draft, and how old."""
    if draft is None:
        return ""
    return _("This is a draft, last changed {when}. Nothing of it is in force.").format(
        when=words.moment(draft.changed_at, zone=request.zone, now=now)
    )


def _section(
    section: str, pack: PackCard | None, draft: Draft | None, request: AgentRequest, *, now: datetime
) -> SectionCard:
    title = say(TITLES, section)
    if section in PAGES:
        return SectionCard(title=title, pack=pack, page=Link(words=title, href=reverse(PAGES[section])))
    return SectionCard(
        title=title,
        pack=pack,
        draft_words=draft_words(draft, request, now=now),
        draft=draft.source if draft else "",
        publish=_deed("publish", _("Put in force"), section, draft.changes) if draft else None,
        drop=_deed("drop", _("Throw the draft away"), section, draft.changes) if draft else None,
    )


def pack_cards(seen: Mapping[str, int]) -> dict[str, PackCard]:
    """What the standard pack has that sections lack, by section; `seen` is how often each draft was changed."""
    rules: dict[str, list[PackLine]] = {}
    for rule in rules_lacking():
        rules.setdefault(rule.section, []).append(PackLine(name=rule.name, text=rule.text))
    return {section: _pack_card(section, mine, seen.get(section, 0)) for section, mine in rules.items()}


def _pack_card(section: str, rules: Sequence[PackLine], seen: int) -> PackCard:
    said = ngettext(
        "The standard pack has {n} rule that yours lacks.",
        "The standard pack has {n} rules that yours lacks.",
        len(rules),
    )
    return PackCard(
        section=section,
        title=say(TITLES, section),
        words=said.format(n=len(rules)),
        rules=tuple(rules),
        add=_deed("add", _("Add to the draft"), section, seen),
    )


def _deed(deed: str, submit: str, section: str, seen: int) -> Form:
    return Form(
        id=f"{deed}-{section}",
        href=reverse("policy"),
        submit=submit,
        hidden=(("deed", deed), ("section", section), ("seen", str(seen))),
    )
