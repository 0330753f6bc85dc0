"""The demo: a week that was played, and a desk that moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from flowdesk.accounts.models import Tenant, User
from flowdesk.core.actor import Act, Actor, ActorKind, Role, system
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows import found, receive
from flowdesk.flows.reconfigure import rule_hints
from flowdesk.intake.services import InboundMessage
from flowdesk.learning.training import NoTrainer
from flowdesk.notifications.models import Delivery
from flowdesk.notifications.services import dispatch
from flowdesk.people import queries as people
from flowdesk.people.models import Absence, Agent, Contact, Post
from flowdesk.policies.packs import read_pack_text
from flowdesk.tickets.models import IS_ACTIVE, Ticket, TicketEvent
from flowdesk.tickets.states import Channel
from flowdesk.triage.models import LearnedModel
from flowdesk.worker.demo import load as loading
from flowdesk.worker.demo.cast import AWAY, CLIENTS, COLLEAGUES, PASSWORD, VACANT, Colleague
from flowdesk.worker.demo.load import Loaded, count, has_tickets, load_week, train_models
from flowdesk.worker.demo.move import Mover
from flowdesk.worker.demo.sample import FOLDER, library
from flowdesk.worker.demo.script import CHANNELS, Fate, Numbers, new_case, week_until, working_days
from flowdesk.worker.demo.stage import Guest, NotADemo, seat_cast, stage_of

FRIDAY_NIGHT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
SMALL = Numbers.scaled(24)
GUESTS = [
    Guest(
        contact=number, email=client.address(client.people[0]), name=client.people[0], language=client.language,
        customer=client.name, tier=client.tier, weight=client.weight,
    )
    for number, client in enumerate(CLIENTS)
]  # fmt: skip

plays = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


def a_demo(slug: str = "global", *, now: datetime = FRIDAY_NIGHT) -> Tenant:
    return found.found_demo(slug, name=slug.title(), now=now)


def loaded_demo(*, now: datetime = FRIDAY_NIGHT) -> tuple[Tenant, Loaded]:
    tenant = a_demo(now=now)
    return tenant, load_week(tenant, now=now, progress=lambda done, of: None, numbers=SMALL)


# -- the fixtures


def test_the_fixtures_are_small_and_say_where_they_come_from() -> None:
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    attribution = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")

    assert size < 300_000
    assert all(file.name in attribution for file in FOLDER.iterdir() if file.suffix != ".md")
    assert "10.24432/C57S4H" in attribution


def test_every_address_in_the_demo_is_invented() -> None:
    addresses = [one.email for one in COLLEAGUES] + [guest.email for guest in GUESTS]

    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".invalid") and address.isascii() for address in addresses)


def test_there_are_phrases_for_everybodys_language() -> None:
    kinds = set(library().phrases["en"])

    assert {guest.language for guest in GUESTS} <= set(library().phrases)
    assert all(set(phrases) == kinds for phrases in library().phrases.values())


def on_duty_at(hour: int, weekday: int, colleague: Colleague) -> bool:
    hours = colleague.hours
    starts, ends = hours.starts, hours.ends if hours.ends > hours.starts else hours.ends + 24
    return any(starts <= hour + 24 * back < ends and (weekday - back) % 7 in hours.days for back in (0, 1))


@pytest.mark.parametrize("weekday", range(7))
def test_somebody_of_every_team_works_at_any_hour(weekday: int) -> None:
    teams = {one.team for one in COLLEAGUES if one.team}
    for hour in range(24):
        here = [one for one in COLLEAGUES if one.name != AWAY[0]]
        staffed = {one.team for one in here if one.team and on_duty_at(hour, weekday, one)}

        assert staffed == teams


# -- the script


def test_the_same_seed_writes_the_same_week() -> None:
    first = week_until(FRIDAY_NIGHT, library=library(), guests=GUESTS, numbers=Numbers(), seed=1)
    again = week_until(FRIDAY_NIGHT, library=library(), guests=GUESTS, numbers=Numbers(), seed=1)
    other = week_until(FRIDAY_NIGHT, library=library(), guests=GUESTS, numbers=Numbers(), seed=2)

    assert first == again
    assert first != other


def test_everything_arrives_within_the_week_in_order() -> None:
    arrivals = [
        case.arrives_at
        for case in week_until(FRIDAY_NIGHT, library=library(), guests=GUESTS, numbers=Numbers(), seed=1)
    ]

    assert arrivals == sorted(arrivals)
    assert FRIDAY_NIGHT - timedelta(days=7) <= arrivals[0] < arrivals[-1] < FRIDAY_NIGHT


def test_channels_follow_the_documents_mix() -> None:
    chance = Random(7)
    drawn = [
        new_case(FRIDAY_NIGHT, library=library(), guests=GUESTS, chance=chance).channel for _ in range(4000)
    ]

    for channel, percent in CHANNELS:
        assert abs(100 * drawn.count(channel) / len(drawn) - percent) < 3


def test_few_say_outright_that_it_is_critical() -> None:
    cases = week_until(FRIDAY_NIGHT, library=library(), guests=GUESTS, numbers=Numbers(), seed=1)
    critical = [case for case in cases if case.priority is Priority.P1]

    assert 0 < len(critical) <= 4
    assert {case.fate for case in critical} <= {Fate.OVER, Fate.AT_RISK}


def test_a_weekend_makes_nobody_older() -> None:
    saturday = FRIDAY_NIGHT + timedelta(days=1)

    assert working_days(saturday, saturday + timedelta(days=1)) == 0
    assert working_days(FRIDAY_NIGHT, FRIDAY_NIGHT + timedelta(days=3)) == 1


# -- the load


@plays
def test_the_demos_rules_ask_for_nothing_in_vain() -> None:
    tenant = a_demo()
    seat_cast(tenant, at=FRIDAY_NIGHT)

    with reading(tenant.id):
        assert people.skills_by_team()["devrel"] == {"api_expert", "integration_specialist"}
        assert rule_hints(read_pack_text("routing")) == ()


@plays
def test_a_loaded_week_fills_every_lane_and_tells_nobody() -> None:
    tenant, loaded = loaded_demo()
    dispatched = dispatch(at=FRIDAY_NIGHT)

    with reading(tenant.id):
        ahead = TicketEvent.objects.filter(at__gt=FRIDAY_NIGHT).count()
        told = Delivery.objects.count()
        asleep = Ticket.objects.filter(IS_ACTIVE, wake_at__lte=FRIDAY_NIGHT).count()
        escalations = Escalation.objects.count()
    assert loaded.over >= 1
    assert loaded.at_risk >= 1
    assert loaded.waiting >= 1
    assert loaded.unassigned >= 1
    assert loaded.active > loaded.over + loaded.at_risk + loaded.waiting
    assert escalations > 0
    assert (ahead, told, dispatched, asleep) == (0, 0, 0, 0)


@plays
def test_an_interrupted_load_leaves_nothing_and_can_be_repeated() -> None:
    tenant = a_demo()

    def stop(done: int, of: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_week(tenant, now=FRIDAY_NIGHT, progress=stop, numbers=SMALL)
    left = has_tickets(tenant)
    in_autocommit = connection.get_autocommit()
    load_week(tenant, now=FRIDAY_NIGHT, progress=lambda done, of: None, numbers=SMALL)

    assert not left
    assert in_autocommit
    assert has_tickets(tenant)


@plays
def test_the_demo_leaves_a_real_tenant_alone() -> None:
    real = found.found_tenant("global", name="Global", now=FRIDAY_NIGHT)

    with pytest.raises(NotADemo, match="--tenant demo"):
        load_week(real, now=FRIDAY_NIGHT, progress=lambda done, of: None, numbers=SMALL)

    assert User.objects.count() == 0
    with reading(real.id):
        assert Agent.objects.count() == 0


@plays
def test_the_cast_can_log_in_and_one_post_is_vacant() -> None:
    tenant = a_demo()
    loading.seat_cast(tenant, at=FRIDAY_NIGHT)
    found.seat_founder(
        email="admin@demo.flowdesk.invalid", name="Admin", by=system(tenant.id), now=FRIDAY_NIGHT
    )

    with reading(tenant.id):
        vacant = list(Post.objects.filter(holder__isnull=True).values_list("slug", flat=True))
        addresses = set(Contact.objects.values_list("email", flat=True))
    assert vacant == list(VACANT)
    assert User.objects.get(email=COLLEAGUES[0].email).check_password(PASSWORD)
    assert addresses == {client.address(person) for client in CLIENTS for person in client.people}


@plays
def test_somebody_is_away_who_neither_gets_nor_does_anything_and_one_stands_in() -> None:
    tenant, _ = loaded_demo()
    stage = stage_of(tenant)

    with reading(tenant.id):
        (absence,) = Absence.objects.select_related("agent", "substitute")
        later = TicketEvent.objects.filter(at__gte=absence.starts_at)
        given = later.filter(data__assignee=absence.agent_id).count()
        done = later.filter(actor_kind="user", actor_id=absence.agent.user_id).count()
    assert absence.starts_at < FRIDAY_NIGHT - timedelta(hours=1)
    assert absence.ends_at is None, "true whenever somebody looks"
    assert (absence.agent.name, absence.substitute.name) == AWAY  # type: ignore[union-attr]
    assert (given, done) == (0, 0)
    by_day = FRIDAY_NIGHT.replace(hour=10)
    stands_there = stage.somebody(team=None, assignee=absence.agent_id, at=by_day)
    assert stands_there.agent != absence.agent_id


@plays
def test_the_demo_learns_by_the_products_own_training_and_says_how_that_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowdesk.flows.learn.FEWEST", 20)
    tenant = a_demo()
    load_week(tenant, now=FRIDAY_NIGHT, progress=lambda done, of: None, numbers=Numbers.scaled(70))

    models = train_models(tenant, clock=lambda: FRIDAY_NIGHT)

    assert [model.target for model in models] == ["category", "priority"]
    for model in models:
        assert model.state in ("kept", "in_use"), model.fault
        assert model.comparison["against"] == "the rules"
        assert (model.state == "in_use") is (model.comparison["verdict"] == "better")
        assert model.figures["rows"] > 0


@plays
def test_without_a_trainer_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = a_demo()

    def missing() -> None:
        raise NoTrainer

    monkeypatch.setattr("flowdesk.learning.training.must_have_trainer", missing)
    assert train_models(tenant, clock=lambda: FRIDAY_NIGHT) == []

    with reading(tenant.id):
        assert not LearnedModel.objects.exists()


# -- the life after it


@pytest.fixture
def mover() -> Mover:
    tenant, _ = loaded_demo()
    return Mover(stage=stage_of(tenant), library=library(), chance=Random(3))


@plays
def test_the_desk_moves_and_every_move_is_somebodys(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdesk.worker.demo.move.THIN", 0)
    at, deeds = FRIDAY_NIGHT, set()
    for _ in range(40):
        at += timedelta(seconds=30)
        deeds.add(mover.move(now=at))

    with reading(mover.stage.tenant):
        by = set(TicketEvent.objects.filter(at__gt=FRIDAY_NIGHT).values_list("actor_kind", flat=True))
    assert len(deeds - {"nothing"}) >= 2
    assert by <= {"user", "contact", "api_key"}


@plays
def test_the_demos_people_leave_a_visitors_ticket_alone(mover: Mover) -> None:
    visitor = Actor(
        tenant=mover.stage.tenant,
        role=Role.API_CLIENT,
        kind=ActorKind.API_KEY,
        id=7,
        scopes=frozenset({Act.OPEN}),
    )
    theirs = InboundMessage(
        channel=Channel.API,
        subject="Production is down",
        text="Down for everyone.",
        email="me@visitor.invalid",
    )
    opened = receive.open_ticket(theirs, by=visitor, now=FRIDAY_NIGHT, priority=Priority.P1)
    deeds = (mover._keep_a_promise, mover._work_off, mover._take_escalation, mover._nudge, mover._note)
    for minute in range(12):
        deeds[minute % len(deeds)](FRIDAY_NIGHT + timedelta(minutes=minute))
    for _ in range(300):  # until nothing of its own is left to take
        if not mover._take_escalation(FRIDAY_NIGHT + timedelta(minutes=13)):
            break

    with reading(mover.stage.tenant):
        ticket = Ticket.objects.get(number=opened.number)
        untouched = TicketEvent.objects.filter(ticket_id=ticket.id, actor_kind="user").count() == 0
        still_open = Escalation.objects.filter(ticket_id=ticket.id, state="open").exists()
    assert untouched
    assert still_open


@plays
def test_a_thin_desk_grows(mover: Mover) -> None:
    tenant = Tenant.objects.get(id=mover.stage.tenant)
    before = count(tenant, now=FRIDAY_NIGHT)
    for minute in range(10):
        mover.move(now=FRIDAY_NIGHT + timedelta(minutes=minute))

    assert count(tenant, now=FRIDAY_NIGHT).tickets > before.tickets


@plays
def test_a_full_desk_shrinks(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdesk.worker.demo.move.THIN", 0)
    monkeypatch.setattr("flowdesk.worker.demo.move.FULL", 1)
    tenant = Tenant.objects.get(id=mover.stage.tenant)
    before = count(tenant, now=FRIDAY_NIGHT)
    for minute in range(8):
        mover.move(now=FRIDAY_NIGHT + timedelta(minutes=minute))

    after = count(tenant, now=FRIDAY_NIGHT)
    assert after.active < before.active
    assert after.tickets == before.tickets


def test_the_repository_keeps_the_script_that_builds_the_fixtures() -> None:
    assert (Path(__file__).parents[2] / "scripts" / "build_demo.py").exists()
