"""What a desk decides is changed by one at a time: nobody's change is lost, and nobody gets a fault of the database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from flowdesk.core.actor import system
from flowdesk.core.errors import DomainError, NotFound
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import CustomField, FieldType
from flowdesk.flows import learn, reconfigure
from flowdesk.flows.learn import AlreadyTraining
from flowdesk.flows.reconfigure import DraftMoved
from flowdesk.policies.models import PolicyRevision
from flowdesk.policies.services import current_policy
from flowdesk.triage.models import LearnedModel
from tests.builders import MONDAY_9, World
from tests.flows.story import a_staffed_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

RULES = (
    "rules:\n  - {name: a, condition: \"category == 'billing'\", team: billing}\notherwise: {team: tier-1}\n"
)
CONTRACT = {"amount": CustomField(type=FieldType.NUMBER), "contract": CustomField(type=FieldType.TEXT)}


@pytest.fixture
def world() -> World:
    return a_staffed_world()


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returned or raised, all begun at once; only faults of the trade are caught."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return act()
        except DomainError as fault:
            return fault
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_two_sections_written_at_once_both_stand(world: World) -> None:
    by = system(world.tenant.id)

    for _ in range(5):
        together(
            lambda: reconfigure.write_section("routing", RULES, by=by, now=MONDAY_9),
            lambda: reconfigure.write_fields(CONTRACT, by=by, now=MONDAY_9),
        )

    with reading(world.tenant.id):
        policy = current_policy()
    assert [rule.name for rule in policy.routing.rules] == ["a"]
    assert "contract" in policy.fields
    with reading(world.tenant.id):
        assert PolicyRevision.objects.count() == 11


def test_a_draft_published_beside_another_change_loses_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    by, others, own = system(world.tenant.id), ThreadPoolExecutor(1), reconfigure.check_rules
    reconfigure.keep_draft("routing", RULES, seen=0, by=by, now=MONDAY_9)
    meanwhile: list[Any] = []

    def another(source: str) -> Any:
        """While the draft is read, somebody else writes the fields; they must wait."""
        if not meanwhile:
            meanwhile.append(
                others.submit(together, lambda: reconfigure.write_fields(CONTRACT, by=by, now=MONDAY_9))
            )
        return own(source)

    monkeypatch.setattr(reconfigure, "check_rules", another)
    reconfigure.publish_draft("routing", seen=1, by=by, now=MONDAY_9)
    (written,) = meanwhile[0].result(timeout=30)
    others.shutdown()

    assert written.number == 3
    with reading(world.tenant.id):
        policy = current_policy()
    assert ([rule.name for rule in policy.routing.rules], "contract" in policy.fields) == (["a"], True)


def test_who_drafts_at_the_same_time_is_told(world: World) -> None:
    by = system(world.tenant.id)

    kept = together(*[lambda: reconfigure.keep_draft("routing", RULES, seen=0, by=by, now=MONDAY_9)] * 3)
    published = together(*[lambda: reconfigure.publish_draft("routing", seen=1, by=by, now=MONDAY_9)] * 2)

    assert sorted(type(one).__name__ for one in kept) == ["Draft", "DraftMoved", "DraftMoved"]
    assert DraftMoved in {type(one) for one in kept}
    assert sorted(type(one).__name__ for one in published) == ["NotFound", "PolicyRevision"]
    assert NotFound in {type(one) for one in published}


def test_trainings_and_promotions_at_once_end_in_one(world: World) -> None:
    by = system(world.tenant.id)
    with writing(world.tenant.id):
        rows = [
            LearnedModel.objects.create(
                tenant=world.tenant, public_id=uuid4(), target="team", version=version, state="kept", data=b"x",
                begun_at=MONDAY_9,
            )
            for version in (7, 8)
        ]  # fmt: skip

    begun = together(*[lambda: learn.begin_training("category", by=by, now=MONDAY_9)] * 3)
    promoted = together(
        *[lambda row=row: learn.promote(shown("mdl", row.public_id), by=by, now=MONDAY_9) for row in rows]
    )

    assert [type(one) for one in begun].count(AlreadyTraining) == 2
    assert {type(one) for one in promoted} == {LearnedModel}
    with reading(world.tenant.id):
        assert LearnedModel.objects.filter(target="team", state="in_use").count() == 1
