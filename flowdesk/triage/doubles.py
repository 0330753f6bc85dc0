"""Tickets that could be one: the older one that a new one repeats, and all of them in a list to clean up (F-INT-05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from django.db import connection

from flowdesk.core.tenant import current_tenant
from flowdesk.engine.likeness import DuplicateRule, likeness
from flowdesk.tickets.models import Ticket
from flowdesk.triage import sql
from flowdesk.triage.similar import digests_of, kept_vocabulary, similar_tickets
from flowdesk.triage.subjects import subjects_alike

LISTED_FROM = 0.6  # from here on two tickets of one person are shown to be looked at
WINDOW = timedelta(days=30)
LOOKED_THROUGH = 2_000  # of the latest tickets
MOST_OF_ONE = 20  # tickets of one person that are held against one another
MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """Two tickets of one person, the newer first to go; `score` is how alike they are, from 0 to 1."""

    source: Ticket
    target: Ticket
    score: float


def original_of(ticket: Ticket, rule: DuplicateRule, *, now: datetime) -> Double | None:
    """The older ticket that a new one repeats by the tenant's rule; None for one that somebody has answered."""
    if not ticket.is_active or ticket.first_response_at is not None or ticket.contact_id is None:
        return None
    near = similar_tickets(ticket.id, now=now, window=rule.within, least=rule.merge_from, limit=MOST_OF_ONE)
    scores = {one.ticket: one.score for one in near if one.ticket < ticket.id}
    rows = Ticket.objects.filter(id__in=scores, customer_id=ticket.customer_id)
    if rule.same_contact:
        rows = rows.filter(contact_id=ticket.contact_id)
    older = [row for row in rows if row.is_active]
    best = max(older, key=lambda row: (scores[row.id], -row.id), default=None)
    return Double(source=ticket, target=best, score=scores[best.id]) if best is not None else None


def doubles(*, now: datetime, least: float = LISTED_FROM, window: timedelta = WINDOW) -> list[Double]:
    """Active tickets of one person that are alike, each beside the oldest it is like; the most alike first.

    Only of the latest tickets, and at most so many: what is merged makes room for the next.
    """
    tenant = current_tenant()
    with connection.cursor() as cursor:
        since = now - window
        cursor.execute(sql.SEVERAL_OF_ONE, {"tenant": tenant, "since": since, "most": LOOKED_THROUGH})
        groups: list[list[int]] = [ids[-MOST_OF_ONE:] for _, ids in cursor.fetchall()]
    vocabulary = kept_vocabulary(tenant, now=now)
    words = digests_of([one for group in groups for one in group])
    found: dict[int, tuple[int, float]] = {}
    for group in groups:
        for older, newer in combinations([one for one in group if one in words and words[one][0].keys], 2):
            score = likeness(
                words[older][0], words[newer][0], vocabulary=vocabulary,
                subjects=subjects_alike(words[older][1], words[newer][1]),
            )  # fmt: skip
            if score >= least and newer not in found and older not in found:
                found[newer] = (older, score)
    best = sorted(found.items(), key=lambda one: (-one[1][1], -one[0]))[:MOST_LISTED]
    wanted = {one for source, (target, _) in best for one in (source, target)}
    rows = {row.id: row for row in Ticket.objects.select_related("customer", "contact").filter(id__in=wanted)}
    return [Double(source=rows[source], target=rows[target], score=score) for source, (target, score) in best]
