"""Keeps what tickets are found by, behind the acts that open them: the worker's, in batches, done twice without harm.

Tickets are taken in the order of their row ids. An act that took long may show a ticket behind the mark, so what lies
within the last two looks is looked through again; a look every few minutes outlasts any act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection, connections, transaction

from flowdesk.core.models import json_list
from flowdesk.core.tenant import current_tenant, writing
from flowdesk.engine.likeness import (
    MAX_CHARACTERS,
    MOST_TELLING,
    Digest,
    Vocabulary,
    digest_of,
    key_of,
    weights_of,
)
from flowdesk.engine.sentiment import own_words
from flowdesk.triage import sql
from flowdesk.triage.models import IndexingProgress

BATCH = 200  # tickets of a round
LOOK_EVERY = timedelta(minutes=5)
NEW_FOR = timedelta(days=1)  # what is older when it is indexed was brought in from elsewhere


def index_round(*, now: datetime, most: int = BATCH) -> int:
    """Index the next tickets of all tenants; returns how many, 0 where another worker is at it.

    What is found is committed tenant by tenant, and the mark moves after: a kill between the two does a batch again.
    """
    with transaction.atomic("worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.TAKE_PROGRESS)
        row = cursor.fetchone()
        if row is None:
            return 0
        progress = IndexingProgress(*row)
        if progress.looked_at is None or now - progress.looked_at >= LOOK_EVERY:
            between = {"settled": progress.settled, "reached": progress.reached, "most": most}
            cursor.execute(sql.PASSED_BY, between)
            found: list[tuple[int, int]] = cursor.fetchall()
            if len(found) < most:  # all of it was looked through
                _settle(progress, at=now)
        else:
            cursor.execute(sql.NEXT, [progress.reached, most])
            found = cursor.fetchall()
            if not found:
                return 0
            progress.reached = found[-1][0]
        for tenant, tickets in _by_tenant(found):
            with writing(tenant):
                index_tickets(tickets, look_since=now - NEW_FOR)
        cursor.execute(
            sql.KEEP_PROGRESS,
            {
                "id": progress.id,
                "reached": progress.reached,
                "seen": progress.seen,
                "settled": progress.settled,
                "looked_at": progress.looked_at,
            },
        )
        return len(found)


def _settle(progress: IndexingProgress, *, at: datetime) -> None:
    """After a look. What was reached before the look before this one has been looked through since."""
    progress.settled, progress.seen = progress.seen, progress.reached
    progress.looked_at = at


def _by_tenant(found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, list[int]]]:
    for tenant, rows in groupby(sorted(found, key=lambda row: row[1]), key=lambda row: row[1]):
        yield tenant, [ticket for ticket, _ in rows]


def index_tickets(tickets: Collection[int], *, look_since: datetime | None = None) -> int:
    """Index some tickets of the open scope's tenant; those that are indexed already stay as they are.

    What came in after `look_since` is to be looked at, now that others can be found beside it.
    """
    tenant = current_tenant()
    with connection.cursor() as cursor:
        vocabulary = _locked_vocabulary(tenant)
        cursor.execute(
            sql.OPENINGS, {"tenant": tenant, "tickets": list(tickets), "longest": 2 * MAX_CHARACTERS}
        )
        weights = {
            ticket: weights_of(subject, own_words(text or "")) for ticket, subject, text in cursor.fetchall()
        }
        digests = {ticket: digest_of(found, vocabulary) for ticket, found in weights.items()}
        rows = json_list(
            {"ticket": ticket, "terms": digest.keys, "weights": stored_weights(digest)}
            for ticket, digest in digests.items()
        )
        cursor.execute(sql.INSERT_DIGESTS, {"tenant": tenant, "digests": rows, "look_since": look_since})
        new = [ticket for (ticket,) in cursor.fetchall()]
        if new:
            held = [(term, ticket) for ticket in new for term in digests[ticket].keys[:MOST_TELLING]]
            cursor.execute(sql.INSERT_HOLDERS, {"tenant": tenant, **_columns(held)})
            for ticket in new:
                # All its words, not only those that are kept: else the others would look rarer the next time, and two
                # long mails of the same words would keep different ones.
                vocabulary.add({key_of(term) for term in weights[ticket]})
            _keep_vocabulary(tenant, vocabulary)
    return len(new)


def hide_tickets(tickets: Collection[int]) -> None:
    """Let others find some tickets of the open scope's tenant no more, for they were merged.

    How rare words are does not change: the vocabulary is one large row, which every act would write and wait for.
    """
    _turn(sql.HIDE_TICKETS, tickets)


def show_tickets(tickets: Collection[int]) -> None:
    """Let others find again what was hidden; what was not indexed then is the worker's."""
    _turn(sql.SHOW_TICKETS, tickets)


def _turn(statement: str, tickets: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"tenant": current_tenant(), "tickets": list(tickets), "telling": MOST_TELLING}
        )


def _columns(held: Sequence[tuple[int, int]]) -> dict[str, list[int]]:
    return {"terms": [term for term, _ in held], "tickets": [ticket for _, ticket in held]}


def _locked_vocabulary(tenant: int) -> Vocabulary:
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_VOCABULARY, {"tenant": tenant})
        row = cursor.fetchone()
    assert row is not None
    return Vocabulary(row[0], bytes(row[1]))


def _keep_vocabulary(tenant: int, vocabulary: Vocabulary) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.KEEP_VOCABULARY,
            {"tenant": tenant, "tickets": vocabulary.tickets, "counts": vocabulary.packed()},
        )


def stored_weights(digest: Digest) -> list[int]:
    """Weights as they are kept, in hundredths."""
    return [round(100 * weight) for weight in digest.weights]
