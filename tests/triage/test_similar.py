"""Tickets alike are found among a tenant's own, inside a window, at a bounded price."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from flowdesk.core.tenant import reading, writing
from flowdesk.engine.likeness import ALIKE, CANDIDATES, HOLDERS, MOST_ASKED, key_of
from flowdesk.tickets.models import Ticket
from flowdesk.triage import similar, sql
from flowdesk.triage.similar import similar_to
from tests.architecture.house import PACKAGE
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.database import ThrowawayDatabase
from tests.triage.desk import everyday, index_all, like, opened

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

FAULT = ("Export fails with E4021", "The export of reports stops with E4021 after a minute")


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    everyday(world)
    return world


def test_tickets_alike_are_found_with_score_and_shared_words(world: World) -> None:
    first = opened(world, *FAULT)
    second = opened(world, "E4021", "Since noon the report export ends with error E4021")
    index_all()

    (found,) = like(world, second)

    assert (found.ticket, found.subject, found.status) == (first, FAULT[0], "open")
    assert ALIKE < found.score < 1
    assert found.shared[0] == "e4021"
    assert set(found.shared) <= {"e4021", "export", "report"}


def test_the_same_words_are_wholly_alike_and_most_alike_comes_first(world: World) -> None:
    near = opened(world, "Export", "The export stops with E4021")
    same, asked = opened(world, *FAULT), opened(world, *FAULT)
    index_all()

    found = like(world, asked)

    assert [one.ticket for one in found] == [same, near]
    assert found[0].score == 1.0


def test_swedish_words_are_found_in_other_forms(world: World) -> None:
    one = opened(world, "Certifikatet har gått ut", "Webbhooken vägrar sedan certifikatet gick ut")
    other = opened(world, "Utgånget certifikat", "Våra webbhookar vägrar, certifikat utgånget")
    index_all()

    assert [found.ticket for found in like(world, other)] == [one]


def test_everyday_tickets_are_not_alike(world: World) -> None:
    ticket = opened(world, "Where is the invoice of May?", "I cannot find it")
    index_all()

    assert all(found.score < ALIKE for found in like(world, ticket))


def test_words_that_are_no_ticket_yet_are_asked_about_too(world: World) -> None:
    ticket = opened(world, *FAULT)
    index_all()

    with reading(world.tenant.id):
        found = similar_to("report export broken", text="it says E4021", now=MONDAY_9)

    assert [one.ticket for one in found] == [ticket]


def test_a_ticket_not_indexed_yet_may_ask(world: World) -> None:
    first = opened(world, *FAULT)
    index_all()
    second = opened(world, *FAULT)

    assert [found.ticket for found in like(world, second)] == [first]


def test_what_is_older_than_the_window_is_left_out(world: World) -> None:
    opened(world, *FAULT)
    later = MONDAY_9 + timedelta(days=30)
    asked = opened(world, *FAULT, at=later)
    index_all(at=later)

    assert like(world, asked, at=later, window=timedelta(days=29)) == []
    assert len(like(world, asked, at=later, window=timedelta(days=31))) == 1


def test_a_ticket_set_aside_is_left_out(world: World) -> None:
    first, asked = opened(world, *FAULT), opened(world, *FAULT)
    index_all()
    with writing(world.tenant.id):
        Ticket.objects.filter(id=first).update(status="void")

    assert like(world, asked) == []


def test_the_limit_holds(world: World) -> None:
    tickets = [opened(world, *FAULT) for _ in range(8)]
    index_all()

    assert len(like(world, tickets[0], limit=3)) == 3
    assert [found.ticket for found in like(world, tickets[0], limit=3)] == tickets[
        :-4:-1
    ]  # of equals the latest


def test_another_tenants_tickets_are_never_alike(world: World) -> None:
    birch = a_world("birch")
    a_customer(birch)
    opened(world, *FAULT)
    theirs = opened(birch, *FAULT)
    index_all()

    assert like(birch, theirs) == []
    assert like(world, theirs) == []  # nor may one ask about theirs


def test_a_first_ticket_is_like_nothing_and_a_second_may_be_like_it() -> None:
    world = a_world()
    a_customer(world)
    first = opened(world, *FAULT)
    index_all()
    assert like(world, first) == []

    second = opened(world, *FAULT)
    index_all()
    assert [found.ticket for found in like(world, second)] == [first]


# -- the price


@pytest.fixture
def admin(migrated_database: ThrowawayDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(migrated_database.admin, autocommit=True) as connection:
        yield connection


def test_of_a_common_term_only_the_latest_holders_are_read(
    world: World, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(
        "insert into triage_termholder select %s, %s, -number from generate_series(1, 40000) as number",
        [world.tenant.id, key_of("export")],
    )
    admin.execute("analyze triage_termholder")
    values = {
        "tenant": world.tenant.id, "terms": [key_of("export"), key_of("e4021")], "weights": [1.0, 2.0],
        "holders": HOLDERS, "candidates": CANDIDATES, "ticket": 0, "since": MONDAY_9,
    }  # fmt: skip

    row = admin.execute(f"explain (analyze, format json) {sql.SIMILAR}", values).fetchone()
    assert row is not None
    nodes = list(walked(row[0][0]["Plan"]))

    (scan,) = [node for node in nodes if node.get("Relation Name") == "triage_termholder"]
    assert scan["Node Type"] == "Index Only Scan"
    assert scan["Scan Direction"] == "Backward"
    assert scan["Actual Rows"] <= HOLDERS
    assert not any(node["Node Type"] == "Seq Scan" for node in nodes), json.dumps(row[0], indent=1)


def walked(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from walked(part)


def test_a_long_text_asks_with_few_terms(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    index_all()
    asked: list[int] = []
    monkeypatch.setattr(similar, "rows_in_binary", lambda _, values: asked.append(len(values["terms"])) or [])

    with reading(world.tenant.id):
        similar_to("a", text=" ".join(f"word{number}" for number in range(5_000)), now=MONDAY_9)

    assert asked == [MOST_ASKED]


# -- the table without walls


def test_what_has_no_walls_is_named_by_one_module_and_never_without_a_tenant() -> None:
    naming = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "triage_termholder" in path.read_text(encoding="utf-8")
    }
    statements = [value for value in vars(sql).values() if isinstance(value, str) and "termholder" in value]

    assert naming == {"triage/sql.py"}
    assert len(statements) == 4
    assert all("%(tenant)s" in statement for statement in statements)


def test_a_word_at_the_end_of_a_long_mail_is_named_too(world: World) -> None:
    words = "we have been having this on and off again since then and " * 49 + "code E4711x"
    for _ in range(2):
        last = opened(world, "Checkout fails since the upgrade with the same message", words)
    index_all()

    (found,) = like(world, last)

    assert found.score > 0.9
    assert "e4711x" in found.shared


@pytest.mark.parametrize("count", [20, 80, 300])
def test_long_mails_of_the_same_words_are_alike_however_many_rare_words_they_hold(
    world: World, count: int
) -> None:
    text = " ".join(f"part{number}x" for number in range(count))
    first, second = opened(world, "The parts", text), opened(world, "The parts", text)
    index_all()

    assert [one.ticket for one in like(world, second)] == [first]
    assert like(world, second)[0].score > 0.95
