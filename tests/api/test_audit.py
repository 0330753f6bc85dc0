"""The audit log for programs: its scope, its filters, its pages and its seals."""

from __future__ import annotations

import pytest

from flowdesk.accounts.audit_chain import seal_audit
from tests.api.desk import Desk, a_desk, fields, refused
from tests.builders import MONDAY_9, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture(autouse=True)
def data_folder(settings: pytest.FixtureRequest, tmp_path: object) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def desk() -> Desk:
    return a_desk()


def test_the_log_needs_its_own_scope(desk: Desk) -> None:
    reader = a_desk(desk.world, scopes=["read"])

    assert refused(reader.call("GET", "/audit"), 403)["code"] == "missing_scope"


def test_the_newest_act_comes_first_with_its_seal(desk: Desk) -> None:
    seal_audit(now=MONDAY_9)
    a_desk(desk.world, scopes=["read"])

    newest, older, *_ = desk.get("/audit")["items"]

    assert (newest["act"], newest["seal"], newest["number"]) == ("key_created", "waiting", None)
    assert (older["act"], older["seal"]) == ("key_created", "holds")
    assert older["number"] >= 1
    assert newest["after"]["scopes"] == ["read"]
    assert desk.key not in str(desk.get("/audit"))


def test_acts_are_found_by_kind_actor_and_time(desk: Desk) -> None:
    desk.post("/customers", {"name": "Fjord Foods"})

    def acts(**query: object) -> set[str]:
        return {one["act"] for one in desk.get("/audit", **query)["items"]}

    assert acts() == {"policy_revised", "key_created", "customer_created"}
    assert acts(act="key_created") == {"key_created"}
    assert acts(actor_kind="api_key") == {"customer_created"}
    assert acts(actor_kind="api_key", actor_id=999) == set()
    assert acts(since="2100-01-01T00:00:00Z") == set()


def test_pages_follow_one_another(desk: Desk) -> None:
    for _ in range(4):
        a_desk(desk.world, scopes=["read"])

    seen, cursor = list[str](), ""
    while True:
        page = desk.get("/audit", limit=2, cursor=cursor) if cursor else desk.get("/audit", limit=2)
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]

    assert seen == sorted(seen, key=int, reverse=True)
    assert len(seen) == len(set(seen)) == 6


def test_another_tenants_acts_are_not_there(desk: Desk) -> None:
    other = a_desk(a_world("other"))
    other.post("/customers", {"name": "Fjord Foods"})

    assert "customer_created" not in {one["act"] for one in desk.get("/audit")["items"]}


@pytest.mark.parametrize(
    "query", [{"actor_kind": "robot"}, {"since": "yesterday"}, {"actor_id": 0}, {"cursor": "x"}]
)
def test_a_filter_that_cannot_be_read_is_named(desk: Desk, query: dict[str, object]) -> None:
    assert fields(refused(desk.call("GET", "/audit", **query), 422)) == set(query)
