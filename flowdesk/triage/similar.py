"""Tickets like another, or like some words: for the page of a ticket, recurring issues and duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db import connection

from flowdesk.core.models import rows_in_binary
from flowdesk.core.tenant import current_tenant
from flowdesk.engine.likeness import (
    CANDIDATES,
    HOLDERS,
    MAX_CHARACTERS,
    MOST_ASKED,
    SHOWN,
    Digest,
    Vocabulary,
    digest_of,
    key_of,
    likeness,
    names_of,
    weights_of,
)
from flowdesk.engine.sentiment import own_words
from flowdesk.tickets.states import Status
from flowdesk.triage import sql
from flowdesk.triage.subjects import subjects_alike

WINDOW = timedelta(days=90)  # how far back one looks for tickets alike
LIMIT = 5
MOST_GROUPED = 24  # tickets that are held against one another for a recurring issue
MOST_SHARED = 6  # terms that are shown as the reason
VOCABULARY_KEPT = timedelta(minutes=1)  # how rare a word is changes slowly


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A ticket like the one asked about. `shared` are the telling words they share, the most telling first."""

    ticket: int
    public_id: UUID
    number: int
    subject: str
    status: Status
    created_at: datetime
    score: float  # 0 to 1
    shared: tuple[str, ...]


def similar_tickets(
    ticket: int, *, now: datetime, window: timedelta = WINDOW, limit: int = LIMIT, least: float = SHOWN
) -> list[Similar]:
    """Tickets of the open scope's tenant like one of them, most alike first; none where it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.OPENINGS, {"tenant": current_tenant(), "tickets": [ticket], "longest": 2 * MAX_CHARACTERS}
        )
        row = cursor.fetchone()
    if row is None:
        return []
    _, subject, text = row
    return similar_to(subject, text=text or "", now=now, window=window, limit=limit, least=least, but=ticket)


def similar_to(
    subject: str,
    *,
    text: str,
    now: datetime,
    window: timedelta = WINDOW,
    limit: int = LIMIT,
    least: float = SHOWN,
    but: int = 0,
) -> list[Similar]:
    """Tickets of the open scope's tenant like some words, most alike first; `but` is left out."""
    asked = _Asked(subject, own_words(text), kept_vocabulary(current_tenant(), now=now))
    ranked = [asked.like(row) for row in _candidates(asked, since=now - window, but=but)]
    alike = sorted((one for one in ranked if one.score >= least), key=lambda one: (-one.score, -one.ticket))
    return alike[:limit]


class _Asked:
    """What is asked about: its terms, and what each is called."""

    def __init__(self, subject: str, text: str, vocabulary: Vocabulary) -> None:
        weights = weights_of(subject, text)
        self.subject, self.vocabulary = subject, vocabulary
        self.digest = digest_of(weights, vocabulary)
        self.terms = self.digest.keys[:MOST_ASKED]
        self.weights = [
            weight * vocabulary.rarity(key)
            for key, weight in zip(self.terms, self.digest.weights, strict=False)
        ]
        # Each read by itself, as their weights are: a long text must not end earlier with a subject before it.
        names = {**names_of(text), **names_of(subject)}
        self._names = {key_of(term): word for term, word in names.items()}

    def like(self, row: Sequence[Any]) -> Similar:
        ticket, public_id, number, subject, status, created_at, terms, weights = row
        other = _digest(terms, weights)
        shared = set(other.keys)
        return Similar(
            ticket=ticket,
            public_id=public_id,
            number=number,
            subject=subject,
            status=Status(status),
            created_at=created_at,
            score=likeness(
                self.digest, other, vocabulary=self.vocabulary, subjects=subjects_alike(self.subject, subject)
            ),
            shared=tuple(self._names[key] for key in self.digest.keys if key in shared)[:MOST_SHARED],
        )


def _candidates(asked: _Asked, *, since: datetime, but: int) -> list[tuple[Any, ...]]:
    if not asked.terms:
        return []
    return rows_in_binary(
        sql.SIMILAR,
        {
            "tenant": current_tenant(),
            "terms": list(asked.terms),
            "weights": asked.weights,
            "holders": HOLDERS,
            "candidates": CANDIDATES,
            "ticket": but,
            "since": since,
        },
    )


def digests_of(tickets: Sequence[int]) -> Mapping[int, tuple[Digest, str]]:
    """What is kept of some tickets' words, with their subjects; those not indexed yet are left out."""
    rows = rows_in_binary(sql.DIGESTS, {"tenant": current_tenant(), "tickets": list(tickets)})
    return {ticket: (_digest(terms, weights), subject) for ticket, subject, terms, weights in rows}


def likeness_of_pairs(tickets: Sequence[int], *, now: datetime) -> Mapping[frozenset[int], float]:
    """How alike each two of some tickets are, whenever they came in; those not indexed are left out."""
    words, vocabulary = digests_of(tickets), kept_vocabulary(current_tenant(), now=now)
    return {
        frozenset({one, other}): likeness(
            words[one][0],
            words[other][0],
            vocabulary=vocabulary,
            subjects=subjects_alike(words[one][1], words[other][1]),
        )
        for one, other in combinations(sorted(words), 2)
    }


def _digest(terms: Sequence[int], weights: Sequence[int]) -> Digest:
    return Digest(keys=tuple(terms), weights=tuple(weight / 100 for weight in weights))


# -- the vocabulary, kept by the process for a while: it is as large as sixty tickets' digests

_kept: dict[int, tuple[datetime, Vocabulary]] = {}
MOST_KEPT = 64  # tenants


def kept_vocabulary(tenant: int, *, now: datetime) -> Vocabulary:
    """How rare words are among a tenant's tickets, as it was at most a minute ago."""
    known = _kept.get(tenant)
    if known is not None and abs(now - known[0]) < VOCABULARY_KEPT:
        return known[1]
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_VOCABULARY, [tenant])
        row = cursor.fetchone()
    vocabulary = Vocabulary(row[0], bytes(row[1])) if row else Vocabulary()
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[tenant] = (now, vocabulary)
    return vocabulary
