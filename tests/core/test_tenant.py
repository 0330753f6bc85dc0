"""The two doors to a tenant."""

import threading
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from flowdesk.core.actor import Act, Actor, system
from flowdesk.core.errors import Forbidden, OutsideTenant, Overtaken
from flowdesk.core.tenant import TRIES, act, acting_once, current_tenant, reading, writing
from flowdesk.people.models import Customer, Team
from tests.builders import World, a_customer, a_world
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_world("alder")


@pytest.fixture
def other() -> World:
    return a_world("birch")


class Changed(Exception):
    """Somebody changes their mind."""


@act
def rename(name: str, *, by: Actor, and_then: type[Exception] | None = None) -> str:
    by.must(Act.CONFIGURE)
    Team.objects.filter(slug="tier-1").update(name=name)
    if and_then is not None:
        raise and_then
    return name


def name_of_tier_1(world: World) -> str:
    with reading(world.tenant.id):
        return Team.objects.get(slug="tier-1").name


def setting() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("select nullif(current_setting('app.tenant', true), '')")
        row = cursor.fetchone()
    return row[0] if row else None


@act
def rename_overtaken(name: str, faults: list[type[Exception]], *, by: Actor) -> str:
    """As `rename`, but others are faster as often as faults are left."""
    by.must(Act.CONFIGURE)
    Team.objects.filter(slug="tier-1").update(name=name)
    if faults:
        raise faults.pop()
    return name


def test_an_act_that_is_overtaken_begins_anew_with_nothing_done(world: World) -> None:
    claims: list[str] = []

    def once(flow: Any, perform: Any, *, by: Actor) -> Any:
        claims.append(setting() or "")
        return perform()

    with acting_once(once):
        assert rename_overtaken("First line", [Overtaken] * 2, by=system(world.tenant.id)) == "First line"

    assert claims == [str(world.tenant.id)] * 3
    assert name_of_tier_1(world) == "First line"


def test_an_act_that_is_always_overtaken_says_so(world: World) -> None:
    faults: list[type[Exception]] = [Overtaken] * 100

    with pytest.raises(Overtaken):
        rename_overtaken("First line", faults, by=system(world.tenant.id))

    assert len(faults) == 100 - TRIES
    assert name_of_tier_1(world) == "Tier-1"


def test_an_act_is_kept_when_it_returns(world: World, other: World) -> None:
    assert rename("First line", by=system(world.tenant.id)) == "First line"

    assert name_of_tier_1(world) == "First line"
    assert name_of_tier_1(other) == "Tier-1"


@pytest.mark.parametrize("fault", [Changed, Forbidden, DatabaseError])
def test_an_act_that_raises_leaves_nothing(world: World, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        rename("First line", by=system(world.tenant.id), and_then=fault)

    assert name_of_tier_1(world) == "Tier-1"


def test_an_act_asks_first(world: World) -> None:
    with pytest.raises(Forbidden):
        rename("Mine", by=world.bo)

    assert name_of_tier_1(world) == "Tier-1"


def test_an_act_is_durable_and_so_never_part_of_another(world: World) -> None:
    @act
    def two_in_one(*, by: Actor) -> None:
        rename("First line", by=by)

    with pytest.raises(RuntimeError):
        two_in_one(by=system(world.tenant.id))
    with pytest.raises(RuntimeError), transaction.atomic():
        rename("First line", by=system(world.tenant.id))

    assert name_of_tier_1(world) == "Tier-1"


def test_an_act_without_somebody_who_acts_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        rename("First line")  # type: ignore[call-arg]


def test_a_reading_cannot_write(world: World) -> None:
    with pytest.raises(DatabaseError) as refused, reading(world.tenant.id):
        Team.objects.filter(slug="tier-1").update(name="First line")

    assert isinstance(refused.value.__cause__, psycopg.errors.ReadOnlySqlTransaction)


def test_the_scope_ends_with_the_door(world: World) -> None:
    for door in (reading, writing):
        with door(world.tenant.id):
            assert current_tenant() == world.tenant.id
            assert setting() == str(world.tenant.id)
        with pytest.raises(OutsideTenant):
            current_tenant()
        assert setting() is None


def test_the_scope_ends_after_a_fault_too(world: World) -> None:
    with pytest.raises(Changed), reading(world.tenant.id):
        raise Changed

    with pytest.raises(OutsideTenant):
        current_tenant()
    assert setting() is None


def test_a_reading_inside_a_reading_gives_the_outer_tenant_back(world: World, other: World) -> None:
    with reading(world.tenant.id):
        with reading(other.tenant.id):
            assert current_tenant() == other.tenant.id
            inner = set(Team.objects.values_list("tenant_id", flat=True))
        outer = set(Team.objects.values_list("tenant_id", flat=True))

        assert inner == {other.tenant.id}
        assert outer == {world.tenant.id}
        assert setting() == str(world.tenant.id)


def test_a_fault_inside_an_inner_reading_is_the_fault_that_is_seen(world: World, other: World) -> None:
    with reading(world.tenant.id):
        with (
            pytest.raises(DatabaseError, match="nonsense"),
            reading(other.tenant.id),
            connection.cursor() as cursor,
        ):
            cursor.execute("select nonsense")

        assert setting() == str(world.tenant.id)
        assert Team.objects.count() > 0


def test_a_reading_inside_an_act_does_not_end_the_writing(world: World) -> None:
    with writing(world.tenant.id):
        with reading(world.tenant.id):
            Team.objects.count()
        Team.objects.filter(slug="tier-1").update(name="First line")

    assert name_of_tier_1(world) == "First line"


def test_a_fault_at_commit_leaves_nothing(world: World, other: World) -> None:
    customer = a_customer(world)
    with reading(other.tenant.id):
        theirs = Team.objects.values_list("lead_id", flat=True)[0]

    with pytest.raises(IntegrityError), writing(world.tenant.id):
        Customer.objects.filter(id=customer.id).update(dedicated_agent_id=theirs, name="Half done")

    with reading(world.tenant.id):
        assert Customer.objects.get().name == "Nordvik Retail"


def test_a_row_written_in_an_act_is_seen_by_others_at_once(
    world: World, migrated_database: ThrowawayDatabase
) -> None:
    rename("First line", by=system(world.tenant.id))

    with psycopg.connect(migrated_database.roles["worker"]) as worker:
        names = worker.execute("select name from people_team where slug = 'tier-1'").fetchall()

    assert names == [("First line",)]


def test_a_scope_is_its_own_threads(world: World) -> None:
    seen: list[object] = []

    def look() -> None:
        try:
            seen.append(current_tenant())
        except OutsideTenant as outside:
            seen.append(type(outside))

    with reading(world.tenant.id):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert seen == [OutsideTenant]
