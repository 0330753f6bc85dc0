"""Tickets like one, over HTTP."""

from datetime import timedelta

import pytest

from tests.api.desk import TICKET, Desk, a_desk
from tests.builders import a_world
from tests.triage.desk import everyday, index_all

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

FAULT = {**TICKET, "subject": "Export fails with E4021", "text": "The export of reports stops with E4021"}


@pytest.fixture
def desk() -> Desk:
    desk = a_desk()
    everyday(desk.world)
    return desk


def test_tickets_alike_are_listed_with_score_and_shared_words(desk: Desk) -> None:
    first, asked = desk.open(**FAULT), desk.open(**FAULT)
    index_all()

    (found,) = desk.get(f"/tickets/{asked['id']}/similar")

    assert found == {
        "id": first["id"],
        "number": first["number"],
        "subject": FAULT["subject"],
        "status": first["status"],
        "created_at": first["created_at"],
        "score": 1.0,
        "shared": found["shared"],
    }
    assert {"e4021", "export", "reports"} <= set(found["shared"])


def test_nothing_alike_is_an_empty_list(desk: Desk) -> None:
    asked = desk.open(**FAULT)
    index_all()

    assert desk.get(f"/tickets/{asked['id']}/similar") == []


def test_limit_window_and_least_score_narrow_the_list(desk: Desk) -> None:
    for _ in range(3):
        desk.open(**FAULT)
    asked = desk.open(**{**FAULT, "text": "Nothing comes out of it, E4021"})
    index_all()
    path = f"/tickets/{asked['id']}/similar"

    assert len(desk.get(path, limit=2)) == 2
    assert desk.get(path, least_score=1) == []
    with desk.later(timedelta(days=8)):
        assert desk.get(path, within_days=7) == []
        assert len(desk.get(path, within_days=9)) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 51}, "limit"),
        ({"within_days": 0}, "within_days"),
        ({"within_days": 367}, "within_days"),
        ({"least_score": 1.5}, "least_score"),
        ({"least_score": "nan"}, "least_score"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_a_query_that_cannot_be_used_names_its_field(
    desk: Desk, query: dict[str, object], field: str
) -> None:
    asked = desk.open(**FAULT)

    answer = desk.call("GET", f"/tickets/{asked['id']}/similar", **query)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_another_tenants_ticket_is_not_found(desk: Desk) -> None:
    other = a_desk(a_world("birch"))
    theirs = other.open(**FAULT)
    desk.open(**FAULT)
    index_all()

    assert desk.call("GET", f"/tickets/{theirs['id']}/similar").status_code == 404
    assert other.get(f"/tickets/{theirs['id']}/similar") == []


def test_a_key_that_may_not_read_may_not_look_for_tickets_alike(desk: Desk) -> None:
    asked = desk.open(**FAULT)
    writer = a_desk(desk.world, scopes=["open"])

    assert writer.call("GET", f"/tickets/{asked['id']}/similar").status_code == 403
