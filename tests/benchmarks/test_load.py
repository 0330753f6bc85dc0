"""The loader's tickets are such as the flows would have left them, or nothing measured on them is worth a word."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connections

from benchmarks.load import load
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.engine.lanes import Signal, Window
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate
from flowdesk.hubs.queries import sla_hub
from flowdesk.policies.services import current_policy
from flowdesk.sla.fold import fold
from flowdesk.sla.mapping import promises_of, verdict_of
from flowdesk.sla.models import Clock
from flowdesk.sla.services import load_clocks
from flowdesk.tickets import sql
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.tickets.queries import Order, TicketFilter, lane_counts, ticket_page
from flowdesk.tickets.services import open_waits
from flowdesk.tickets.signals import filter_of
from flowdesk.tickets.states import ACTIVE
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
TICKETS, ACTIVE_ONES = 2_000, 400
ORPHANS = """
select conrelid::regclass::text, confrelid::regclass::text,
    (select array_agg(attname::text order by place) from unnest(conkey) with ordinality as k(number, place)
        join pg_attribute a on a.attrelid = conrelid and a.attnum = k.number),
    (select array_agg(attname::text order by place) from unnest(confkey) with ordinality as k(number, place)
        join pg_attribute a on a.attrelid = confrelid and a.attnum = k.number)
from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
"""


@pytest.fixture
def tenant(migrated_database: ThrowawayDatabase, db: None) -> int:
    return load(
        migrated_database.admin,
        tickets=TICKETS,
        active=ACTIVE_ONES,
        now=NOW,
        slug="bench",
        say=lambda _: None,
    )


def test_what_is_loaded_is_what_a_desk_would_hold(tenant: int, migrated_database: ThrowawayDatabase) -> None:
    """One test for all of it: loading takes seconds, and every look below reads only."""
    keys_point_somewhere(migrated_database.admin)
    with reading(tenant):
        assert Ticket.objects.count() == TICKETS
        assert Ticket.objects.filter(status__in=ACTIVE).count() == ACTIVE_ONES
        logs_fold_into_clocks(tenant)
        rows_say_what_clocks_say()
        hub_counts_what_lists_show(tenant)
        inbox_walks_all_active_once()


def keys_point_somewhere(admin: str) -> None:
    with psycopg.connect(admin) as connection:
        for table, parent, columns, theirs in connection.execute(ORPHANS).fetchall():
            joined = " and ".join(
                f"c.{mine} = p.{other}" for mine, other in zip(columns, theirs, strict=True)
            )
            given = " and ".join(f"c.{mine} is not null" for mine in columns)
            row = connection.execute(
                f"select count(*) from {table} c where {given} and not exists (select from {parent} p where {joined})"
            ).fetchone()
            assert row == (0,), (table, columns, parent)


def logs_fold_into_clocks(tenant: int) -> None:
    policy = current_policy()
    tickets = list(Ticket.objects.order_by("id")[::7])
    ids = [ticket.id for ticket in tickets]
    kept, waits = load_clocks(tenant, ids), open_waits(tenant, ids)
    for ticket in tickets:
        log = list(TicketEvent.objects.filter(ticket_id=ticket.id).order_by("id"))
        stored = promises_of(ticket, kept[ticket.id], waits[ticket.id])
        folded = fold(log, policy=policy, to=NOW).promises
        story = [(line.kind, line.at.isoformat(), line.data) for line in log]
        ours = {(clock.metric, clock.cycle): clock for clock in folded.clocks}
        assert ours == {(clock.metric, clock.cycle): clock for clock in stored.clocks}, story
        assert (folded.waits, folded.unanswered_since) == (stored.waits, stored.unanswered_since), story
        if ticket.resolved_at is not None:
            verdict = verdict_of(folded)
            assert (ticket.missed_count, ticket.spent_percent) == (verdict.missed, verdict.spent_percent), (
                story
            )


def rows_say_what_clocks_say() -> None:
    for ticket in Ticket.objects.filter(status__in=ACTIVE):
        running = Clock.objects.filter(ticket=ticket, state="running").exclude(
            metric__in=["assignment", "ownership", "ownership_response"]
        )
        assert ticket.due_at == min((clock.due_at for clock in running), default=None)
    assert not Ticket.objects.filter(wake_at__lte=NOW).exists()  # the desk is swept
    assert not Escalation.objects.filter(state="open").exclude(ticket__status__in=ACTIVE).exists()


def hub_counts_what_lists_show(tenant: int) -> None:
    hub = sla_hub(tenant, window=Window.DAY, now=NOW, policy=current_policy())
    escalated = Escalation.objects.filter(state="open").values("ticket_id")
    for row in hub.signals:
        asked = filter_of(row.key.value, now=NOW, since=hub.since, escalated=escalated)
        if asked is not None and row.of is None:
            assert row.value == Ticket.objects.filter(asked).count(), row.key
    values = {row.key: row.value for row in hub.signals}
    assert values[Signal.ACTIVE] == ACTIVE_ONES
    assert values[Signal.CREATED] > 0
    assert 0 < values[Signal.SLA_BREACHED] < ACTIVE_ONES
    assert (
        hub.hit_rate.decided
        == Clock.objects.filter(
            metric__in=[
                "first_response",
                "next_response",
                "resolution",
                "update",
                "communication",
                "callback",
            ]
        )
        .filter(outcome__in=["met", "missed"])
        .extra(
            where=[
                "(outcome = 'met' and stopped_at > %s and stopped_at <= %s) or missed_at > %s and missed_at <= %s"
            ],
            params=[hub.since, NOW, hub.since, NOW],
        )
        .count()
    )


def inbox_walks_all_active_once() -> None:
    wanted, seen, after = TicketFilter(is_active=True), [], None
    while page := ticket_page(wanted, order=Order.DUE, after=after, limit=150, now=NOW):
        seen += [ticket.id for ticket in page]
        after = (page[-1].due_at, page[-1].id)
    assert len(seen) == len(set(seen)) == ACTIVE_ONES == lane_counts(now=NOW, me=None)["all"]


def test_the_sweep_takes_up_what_was_loaded(tenant: int) -> None:
    with reading(tenant):
        later = (
            Ticket.objects.filter(wake_at__isnull=False)
            .order_by("wake_at")
            .values_list("wake_at", flat=True)[40]
        )
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql.DUE_TICKETS, [later, 500])
        due = [row[1] for row in cursor.fetchall()]

    woken = escalate.wake_each(due, by=system(tenant), now=later)

    assert woken == len(due) >= 40
    with reading(tenant):
        for ticket in Ticket.objects.filter(id__in=due):
            assert ticket.wake_failures == 0
            assert ticket.wake_at is None or ticket.wake_at > later
