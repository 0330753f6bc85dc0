"""The worker indexes what tickets are found by: behind the acts, in batches, and twice without harm."""

import psycopg
import pytest

from flowdesk.core.errors import OutsideTenant
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.likeness import MOST_TELLING, Vocabulary
from flowdesk.triage import indexing
from flowdesk.triage.indexing import LOOK_EVERY, index_round, index_tickets
from flowdesk.triage.models import IndexingProgress, TenantVocabulary, TermHolder, TicketDigest
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.database import ThrowawayDatabase
from tests.triage.desk import everyday, index_all, like, opened

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
LATER = MONDAY_9 + LOOK_EVERY


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    return world


def holders(world: World) -> set[tuple[int, int]]:
    return set(TermHolder.objects.filter(tenant_id=world.tenant.id).values_list("term", "ticket_id"))


def vocabulary(world: World) -> Vocabulary:
    with reading(world.tenant.id):
        row = TenantVocabulary.objects.get()
        return Vocabulary(row.tickets, bytes(row.counts))


def digested(world: World) -> dict[int, list[int]]:
    with reading(world.tenant.id):
        return dict(TicketDigest.objects.values_list("ticket_id", "terms"))


def test_opening_a_ticket_writes_no_index(world: World) -> None:
    everyday(world)

    assert (digested(world), holders(world)) == ({}, set())


def test_a_round_indexes_new_tickets_with_few_telling_terms_each(world: World) -> None:
    tickets = everyday(world)

    assert index_all() == len(tickets)
    assert set(digested(world)) == set(tickets)
    assert {ticket for _, ticket in holders(world)} == set(tickets)
    assert len(holders(world)) <= MOST_TELLING * len(tickets)
    assert vocabulary(world).tickets == len(tickets)


def test_batches_go_on_where_the_last_one_ended(world: World) -> None:
    tickets = everyday(world)
    index_round(now=MONDAY_9)

    assert [index_round(now=MONDAY_9, most=3) for _ in range(4)] == [3, 3, 1, 0]
    assert set(digested(world)) == set(tickets)


def test_a_batch_done_twice_counts_once(world: World) -> None:
    everyday(world)
    index_all()
    once = digested(world), holders(world), vocabulary(world).packed()

    IndexingProgress.objects.update(reached=0)  # as a kill between the batch and its mark leaves it
    index_all()

    assert (digested(world), holders(world), vocabulary(world).packed()) == once


def test_a_kill_inside_a_batch_leaves_the_mark_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyday(world)
    index_round(now=MONDAY_9)
    monkeypatch.setattr(indexing, "_keep_vocabulary", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        index_round(now=MONDAY_9)

    assert IndexingProgress.objects.get().reached == 0
    assert digested(world) == {}


def test_a_ticket_that_came_to_light_late_is_found_at_a_look(world: World) -> None:
    late, early = opened(world, "Late", "came to light late"), opened(world, "Early", "was there before")
    index_all()
    with writing(world.tenant.id):  # as if the first one's act had taken until now
        TicketDigest.objects.filter(ticket_id=late).delete()

    assert index_round(now=MONDAY_9) == 0
    assert index_round(now=LATER) == 1
    assert set(digested(world)) == {late, early}


def test_a_look_leaves_alone_what_was_looked_through_twice(world: World) -> None:
    ticket = opened(world, "Early", "was there before")
    index_all()
    for looks in (1, 2):
        index_round(now=MONDAY_9 + looks * LOOK_EVERY)
    progress = IndexingProgress.objects.get()

    assert progress.settled == progress.reached == ticket


def test_looks_come_though_new_tickets_never_cease(world: World) -> None:
    everyday(world)
    index_round(now=MONDAY_9)
    index_round(now=MONDAY_9, most=1)

    index_round(now=LATER, most=1)

    assert IndexingProgress.objects.get().looked_at == LATER


def test_only_one_worker_indexes_at_a_time(world: World, migrated_database: ThrowawayDatabase) -> None:
    everyday(world)
    with psycopg.connect(migrated_database.roles["worker"]) as other:
        other.execute("select from triage_indexingprogress for update")

        assert index_round(now=MONDAY_9) == 0

    assert index_all() > 0


def test_what_a_mail_quotes_is_not_indexed(world: World) -> None:
    one = opened(world, "Printer", "Toner is empty\n\nOn Mon, 1 Jun 2026 Bo Ek wrote:\n> zanzibar platypus")
    other = opened(world, "Zanzibar", "platypus zanzibar")
    everyday(world)
    index_all()

    assert [found.ticket for found in like(world, other)] == []
    assert one in digested(world)


def test_each_tenant_counts_its_own_words(world: World) -> None:
    birch = a_world("birch")
    a_customer(birch)
    everyday(world)
    opened(birch, "Printer", "Toner is empty")
    index_all()

    assert (vocabulary(world).tickets, vocabulary(birch).tickets) == (7, 1)


def test_a_ticket_without_words_is_indexed_too(world: World) -> None:
    empty = opened(world, "?", "!")
    index_all()

    assert digested(world)[empty] == []


def test_indexing_needs_an_open_scope() -> None:
    with pytest.raises(OutsideTenant):
        index_tickets([1])
