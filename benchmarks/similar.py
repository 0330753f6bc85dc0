"""Tickets like one, and like the commonest words, on a large desk and a small one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import cycle, repeat
from typing import Any

import psycopg

from benchmarks.desk import Desk
from benchmarks.run import Row, Run, Side, alternate
from flowdesk.core.tenant import reading
from flowdesk.engine.likeness import (
    CANDIDATES,
    HOLDERS,
    MOST_ASKED,
    MOST_TELLING,
    Digest,
    Vocabulary,
    digest_of,
    key_of,
    weights_of,
)
from flowdesk.triage import sql
from flowdesk.triage.indexing import stored_weights
from flowdesk.triage.similar import similar_tickets, similar_to

SAMPLE = 60  # tickets asked about in turn
YEAR = timedelta(days=366)
COMMON = 24  # words that most tickets of the desk have

READ = """
select ticket.id, ticket.subject, coalesce((
    select left(text, 1000) from tickets_message message
    where message.tenant_id = ticket.tenant_id and message.ticket_id = ticket.id order by sent_at, id limit 1
), '')
from tickets_ticket ticket where tenant_id = %s order by id
"""


def bars(run: Run) -> Sequence[Row]:
    small, large = run.desk("small"), run.desk("large")
    commonest = {}
    for desk in (small, large):
        run.say(f"  indexing {desk.tickets:,} tickets")
        commonest[desk.dsns.app] = index(desk)
    like_one = {desk.dsns.app: asked(desk) for desk in (small, large)}
    common = {
        desk.dsns.app: repeat(partial(look_for, desk, commonest[desk.dsns.app])) for desk in (small, large)
    }
    return [
        compared(run, "similar", "Tickets like one", like_one, small, large),
        compared(run, "similar_common", "Tickets like the commonest words", common, small, large),
    ]


def compared(
    run: Run,
    name: str,
    what: str,
    calls: Mapping[str, Iterator[Callable[[], None]]],
    small: Desk,
    large: Desk,
) -> Row:
    def side(desk: Desk) -> Side:
        return Side(call=lambda: next(calls[desk.dsns.app])(), desk=desk, times=SAMPLE)

    timed = alternate(
        {f"{large.tickets:,} tickets": side(large), f"{small.tickets:,} tickets": side(small)},
        rounds=run.rounds,
    )
    much, little = timed.values()
    return Row(
        name=name,
        what=f"{what}, {large.tickets:,} tickets against {small.tickets:,}",
        measured=much.wall / little.wall,
        bar=1.5,
        goal=1.1,
        sides=timed,
        notes=plan_of(large),
    )


def asked(desk: Desk) -> Iterator[Callable[[], None]]:
    """Calls that look for tickets like one after another of the desk's, spread over all its age."""
    with psycopg.connect(desk.admin) as admin:
        ids = [row[0] for row in admin.execute(
            "select id from tickets_ticket where tenant_id = %s order by id", [desk.tenant]
        )]  # fmt: skip
    sample = ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
    return cycle([partial(look_like, desk, ticket) for ticket in sample])


def look_like(desk: Desk, ticket: int) -> None:
    with reading(desk.tenant):
        similar_tickets(ticket, now=desk.now, window=YEAR)


def look_for(desk: Desk, words: str) -> None:
    with reading(desk.tenant):
        similar_to("", text=words, now=desk.now, window=YEAR)


# -- the index, as the worker would have made it


def index(desk: Desk) -> str:
    """Index every ticket of the desk by COPY; returns its commonest words.

    The same texts come again and again on such a desk, so each is read once.
    """
    vocabulary = Vocabulary()
    digests: dict[tuple[str, str], tuple[Digest, set[int]]] = {}
    counts: dict[str, int] = {}
    kept: list[tuple[int, Digest]] = []
    with psycopg.connect(desk.admin) as admin, admin.cursor(name="tickets") as rows:
        rows.itersize = 10_000
        for ticket, subject, text in rows.execute(READ, [desk.tenant]):
            read = digests.get((subject, text))
            if read is None:
                weights = weights_of(subject, text)
                read = digest_of(weights, vocabulary), {key_of(term) for term in weights}
                digests[subject, text] = read
                for term in weights:
                    counts[term] = counts.get(term, 0) + 1
            vocabulary.add(read[1])
            kept.append((ticket, read[0]))
    with psycopg.connect(desk.admin, autocommit=True) as admin:
        _copy(admin, desk.tenant, kept)
        admin.execute(
            "insert into triage_tenantvocabulary (tenant_id, tickets, counts) values (%s, %s, %s)",
            [desk.tenant, vocabulary.tickets, vocabulary.packed()],
        )
        admin.execute("update triage_indexingprogress set reached = %s", [kept[-1][0]])
        admin.execute("vacuum (analyze) triage_termholder, triage_ticketdigest")
    return " ".join(sorted(counts, key=lambda term: -counts[term])[:COMMON])


def _copy(admin: psycopg.Connection[Any], tenant: int, kept: Sequence[tuple[int, Digest]]) -> None:
    with (
        admin.transaction(),
        admin.cursor() as cursor,
        cursor.copy("copy triage_ticketdigest (tenant_id, ticket_id, terms, weights) from stdin") as copy,
    ):
        for ticket, digest in kept:
            terms, weights = (
                "{" + ",".join(map(str, values)) + "}" for values in (digest.keys, stored_weights(digest))
            )
            copy.write(f"{tenant}\t{ticket}\t{terms}\t{weights}\n")
    # In the order of the primary key, which then grows at its end; a row in one number, for there are ten million.
    held = sorted(term << 40 | ticket for ticket, digest in kept for term in digest.keys[:MOST_TELLING])
    with (
        admin.transaction(),
        admin.cursor() as cursor,
        cursor.copy("copy triage_termholder (tenant_id, term, ticket_id) from stdin") as copy,
    ):
        for row in held:
            copy.write(f"{tenant}\t{row >> 40}\t{row & (1 << 40) - 1}\n")


# -- the plan


def plan_of(desk: Desk) -> list[str]:
    """How the statement goes for the most held terms of the desk: what it reads, and how it finds it."""
    with psycopg.connect(desk.admin) as admin:
        terms = [row[0] for row in admin.execute(
            "select term from triage_termholder where tenant_id = %s group by term order by count(*) desc limit %s",
            [desk.tenant, MOST_ASKED],
        )]  # fmt: skip
        values = {
            "tenant": desk.tenant, "terms": terms, "weights": [1.0] * len(terms), "holders": HOLDERS,
            "candidates": CANDIDATES, "ticket": 0, "since": desk.now - YEAR,
        }  # fmt: skip
        row = admin.execute(f"explain (analyze, buffers, format json) {sql.SIMILAR}", values).fetchone()
    assert row is not None
    plan = row[0][0]
    scans = [
        f"{node['Node Type']} of {node['Relation Name']}: {node['Actual Rows'] * node['Actual Loops']:.0f} rows"
        for node in _nodes(plan["Plan"])
        if "Relation Name" in node
    ]
    buffers = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return [
        f"{len(terms)} most held terms: {plan['Execution Time']:.1f} ms, {buffers:,} blocks; {'; '.join(scans)}"
    ]


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
