"""Fills the page of tickets to look at again; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.core.ids import shown
from flowdesk.policies.services import Policy, current_policy
from flowdesk.tickets import queries
from flowdesk.tickets.models import Explanation, Ticket
from flowdesk.web.access import AgentRequest
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind, Link
from flowdesk.web.ticket.fill import category_choices
from flowdesk.web.ticket.why import reason_words
from flowdesk.web.triage.page import Guess, NextLine, ReviewCard, ReviewPage
from flowdesk.web.vocabulary import BY_CHANNEL, CATEGORIES, TIERS, say

COMING, GUESSES, EXCERPT = 8, 3, 1_500


def review_page(request: AgentRequest) -> ReviewPage:
    """The ticket to look at now, and those that come after it."""
    rows = queries.review_queue(after=_place(request.GET.get("after", "")), limit=COMING + 1)
    count = queries.review_count()
    if not rows:
        again = (Link(words=_("Begin again"), href=reverse("review")),) if count else ()
        return ReviewPage(
            words=_counted(count),
            empty=Empty(
                title=_("Everything was read with certainty") if not count else _("That was the last one"),
                words=_("What triage is not sure of comes here, for somebody to say yes or better."),
                links=again,
            ),
        )
    policy = current_policy()
    return ReviewPage(
        words=_counted(count),
        card=_card(rows[0], policy),
        next=tuple(_line(row) for row in rows[1:]),
    )


def _counted(count: int) -> str:
    if count > queries.REVIEWS_COUNTED:
        return _("More than {n} tickets wait to be looked at.").format(n=queries.REVIEWS_COUNTED)
    return ngettext("{n} ticket waits to be looked at.", "{n} tickets wait to be looked at.", count).format(
        n=count
    )


def _place(text: str) -> tuple[int, int] | None:
    """Where the list goes on: confidence and row id; what cannot be read begins at the first."""
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        return None
    return min(int(parts[0]), 100), int(parts[1])


def _card(ticket: Ticket, policy: Policy) -> ReviewCard:
    public_id = shown("tkt", ticket.public_id)
    rows = Explanation.objects.filter(ticket_id=ticket.id, subject="triage").order_by("-id")
    trace: Mapping[str, Any] = rows.values_list("trace", flat=True).first() or {}
    words = queries.first_words(ticket.id)
    excerpt = words[:EXCERPT] + ("…" if len(words) > EXCERPT else "")
    confirm = reverse("review-confirm", args=[public_id])
    return ReviewCard(
        number=ticket.number,
        subject=ticket.subject,
        href=reverse("ticket", args=[public_id]),
        about=", ".join(
            [ticket.customer.name, say(TIERS, ticket.customer.tier), say(BY_CHANNEL, ticket.channel)]
        ),
        priority=ticket.priority,
        paragraphs=tuple(part for part in excerpt.split("\n") if part.strip()),
        category=_category(ticket),
        confidence=_sure(ticket.confidence),
        share=ticket.confidence or 0,
        look="primary" if ticket.category else "",
        accept=Form(
            id="accept",
            href=confirm,
            submit=_("Yes, {category}").format(category=_category(ticket))
            if ticket.category
            else _("Leave it without a category"),
        ),
        guesses=_guesses(ticket, trace.get("scores", ()), public_id),
        other=_other(ticket, policy, public_id),
        why=tuple(reason_words(one) for one in trace.get("reasons", ())),
        skip_href=f"{reverse('review')}?after={ticket.confidence or 0}.{ticket.id}",
    )


def _category(ticket: Ticket) -> str:
    return say(CATEGORIES, ticket.category) if ticket.category else _("no category")


def _sure(confidence: int | None) -> str:
    return _("{n}% sure").format(n=confidence or 0)


def _guesses(ticket: Ticket, scores: Sequence[Mapping[str, Any]], public_id: str) -> tuple[Guess, ...]:
    """The other categories that something speaks for; a digit chooses one."""
    total = sum(int(one["score"]) for one in scores) or 1
    others = [one for one in scores if one["category"] != ticket.category][:GUESSES]
    return tuple(
        Guess(
            words=say(CATEGORIES, one["category"]),
            because=", ".join(one["keywords"][:4]),
            share=round(100 * int(one["score"]) / total),
            form=_choose(public_id, one["category"], _("It is {category}")),
            key=str(number),
        )
        for number, one in enumerate(others, start=1)
    )


def _choose(public_id: str, category: str, words: str) -> Form:
    return Form(
        id=f"choose-{category}",
        href=reverse("review-correct", args=[public_id]),
        submit=words.format(category=say(CATEGORIES, category)),
        hidden=(("category", category), ("reroute", "1")),
    )


def _other(ticket: Ticket, policy: Policy, public_id: str) -> Form:
    chosen = f"{ticket.category}/{ticket.subcategory}" if ticket.subcategory else ticket.category
    # Nothing stands chosen that nobody chose: one category calls people at once.
    nothing = () if ticket.category else (Choice(value="", words="", is_chosen=True),)
    return Form(
        id="other",
        href=reverse("review-correct", args=[public_id]),
        submit=_("Correct"),
        fields=(
            Field(
                name="category", label=_("Category"), kind=Kind.SELECT, is_required=True,
            choices=(*nothing, *category_choices(policy, chosen=chosen)),
            ),
            Field(name="reroute", label=_("Ask the rules again who works on it"), kind=Kind.CHECK, is_checked=True),
        ),
    )  # fmt: skip


def _line(ticket: Ticket) -> NextLine:
    return NextLine(
        number=ticket.number,
        subject=ticket.subject,
        category=_category(ticket),
        confidence=_sure(ticket.confidence),
        href=reverse("ticket", args=[shown("tkt", ticket.public_id)]),
    )
