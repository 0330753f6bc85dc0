"""A desk learns from its own settled tickets, and asks what it learned only where that is better."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from flowdesk.core.actor import Actor, Role, system
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading, writing
from flowdesk.flows import learn, receive, work
from flowdesk.people.models import Team
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets.models import Explanation, Message, Ticket
from flowdesk.triage import learned
from flowdesk.triage.learned import ModelState, Target, name_of
from flowdesk.triage.models import LearnedModel
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import DAY, HOUR, a_staffed_world, log, ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

# Words of a trade that no keyword knows: only what happened before tells what they mean.
WORDS = {
    "billing": ("the florin levy on our ledger", "a second florin levy was taken", "florin levy for march"),
    "technical": (
        "the flange of the dispenser leaks",
        "dispenser flange leaks again",
        "a leak at the flange",
    ),
}


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    a_customer(world, tier="starter")
    return world


def manager(world: World) -> Actor:
    return Actor(
        tenant=world.tenant.id,
        role=Role.MANAGER,
        kind=world.ada.kind,
        id=world.ada.id,
        agent=world.ada.agent,
        name="Ada",
    )


def a_past(world: World, *, tickets: int = 200) -> None:
    """Settled tickets whose categories people said: one lived through, the others like it."""
    opened = receive.open_ticket(
        a_message(subject="Hello"), by=system(world.tenant.id), now=MONDAY_9, category="billing"
    )
    work.resolve(opened.id, by=world.bo, now=MONDAY_9)
    kinds = list(WORDS)
    with writing(world.tenant.id):
        like = Ticket.objects.get(number=opened.number)
        for count in range(tickets - 1):
            kind = kinds[count % len(kinds)]
            said = WORDS[kind][count // 2 % 3]
            like.pk, like.public_id, like.number, like.category = None, uuid4(), 1_000 + count, kind
            like.subject, like.resolved_at = f"About {said}", MONDAY_9 + timedelta(minutes=count)
            like.save(force_insert=True)
            Message.objects.create(
                tenant=world.tenant, public_id=uuid4(), ticket=like, author_kind="contact", channel="email",
                text=f"Hello, {said}, can you look into it? Number {count}.", sent_at=MONDAY_9,
            )  # fmt: skip


def trained(world: World, target: str = "category", *, at: Any = MONDAY_9 + DAY) -> LearnedModel:
    row = learn.begin_training(target, by=manager(world), now=at)
    learn.train(name_of(row.public_id), by=system(world.tenant.id), clock=lambda: at)
    with reading(world.tenant.id):
        return LearnedModel.objects.get(id=row.id)


def comes_in(world: World, words: str) -> Ticket:
    opened = receive.open_ticket(
        a_message(subject=words, text=f"Hello, {words}."), by=system(world.tenant.id), now=MONDAY_9 + 2 * DAY
    )
    return ticket(world, number=opened.number)


def triage_trace(world: World, row: Ticket) -> dict[str, Any]:
    with reading(world.tenant.id):
        found: dict[str, Any] = Explanation.objects.get(ticket=row, subject="triage").trace
    return found


def test_what_keywords_cannot_know_is_learned_promoted_and_asked(world: World) -> None:
    a_past(world)
    assert comes_in(world, "a florin levy").category == ""

    row = trained(world)
    after = comes_in(world, "another florin levy on the ledger")

    assert row.state == ModelState.IN_USE
    assert row.comparison["against"] == "the rules"
    assert row.figures["accuracy"] > 0.8
    assert after.category == "billing"
    assert after.confidence is not None
    assert after.confidence > 45
    model = triage_trace(world, after)["model"]
    assert (model["version"], model["label"], model["abstains"]) == (1, "billing", False)
    assert "florin" in " ".join(model["words"])


def test_a_model_that_is_not_sure_leaves_it_to_the_rules(world: World) -> None:
    a_past(world)
    trained(world)

    receive.open_ticket(
        a_message(subject="Fakturan", text="Återbetala fakturan."),
        by=system(world.tenant.id),
        now=MONDAY_9 + DAY,
    )
    with reading(world.tenant.id):
        row = Ticket.objects.get(subject="Fakturan")
    trace = triage_trace(world, row)
    assert trace["model"]["abstains"], trace["model"]
    assert row.category == "billing", "the keywords say so"
    assert any(reason["code"] == "category_from_words" for reason in trace["reasons"])


def test_one_that_is_no_better_is_kept_and_not_asked(world: World) -> None:
    a_past(world)
    first = trained(world)
    second = trained(world, at=MONDAY_9 + DAY + HOUR)

    assert (first.version, second.version) == (1, 2)
    assert second.state == ModelState.KEPT
    assert second.comparison["against"] == "version 1"
    assert second.comparison["verdict"] == "not better"


def test_the_way_back_is_one_act(world: World) -> None:
    a_past(world)
    first = trained(world)
    second = trained(world, at=MONDAY_9 + DAY + HOUR)

    learn.promote(name_of(second.public_id), by=manager(world), now=MONDAY_9 + DAY)
    assert states(world) == {1: "kept", 2: "in_use"}
    learn.promote(name_of(first.public_id), by=manager(world), now=MONDAY_9 + DAY)
    assert states(world) == {1: "in_use", 2: "kept"}
    learn.put_aside(name_of(first.public_id), by=manager(world), now=MONDAY_9 + DAY)

    assert states(world) == {1: "kept", 2: "kept"}
    assert "model" not in triage_trace(world, comes_in(world, "a florin levy"))


def states(world: World) -> dict[int, str]:
    with reading(world.tenant.id):
        return dict(LearnedModel.objects.values_list("version", "state"))


def test_too_few_tickets_teach_nothing_and_say_so(world: World) -> None:
    a_past(world, tickets=10)

    row = trained(world)

    assert row.state == ModelState.FAILED
    assert row.fault == "Only 10 settled tickets say what is wanted; 100 are the least."
    with pytest.raises(learn.NotTrained):
        learn.promote(name_of(row.public_id), by=manager(world), now=MONDAY_9)


def test_one_training_at_a_time_unless_the_last_has_died(world: World) -> None:
    learn.begin_training("team", by=manager(world), now=MONDAY_9)

    with pytest.raises(learn.AlreadyTraining):
        learn.begin_training("team", by=manager(world), now=MONDAY_9 + HOUR / 2)
    learn.begin_training("category", by=manager(world), now=MONDAY_9)
    again = learn.begin_training("team", by=manager(world), now=MONDAY_9 + 2 * HOUR)

    assert again.version == 2
    with reading(world.tenant.id):
        assert LearnedModel.objects.get(target="team", version=1).state == ModelState.FAILED


def teams_are_learned(world: World) -> LearnedModel:
    """No rule takes anything, and one model tells the bills by their words."""
    with writing(world.tenant.id):
        source = pack_source()
        start, end = source.index("routing:\n"), source.index("\ntiers:")
        save_revision(
            f"{source[:start]}routing:\n  rules: []\n  otherwise: {{team: tier-1}}\n{source[end:]}",
            by=system(world.tenant.id), at=MONDAY_9,
        )  # fmt: skip
    a_past(world)
    with writing(world.tenant.id):
        billing = Team.objects.get(slug="billing")
        Ticket.objects.filter(category="billing").update(team=billing)
    return trained(world, Target.TEAM)


def test_teams_are_learned_for_tickets_that_no_rule_takes(world: World) -> None:
    row = teams_are_learned(world)

    after = comes_in(world, "another florin levy on the ledger")

    assert row.state == ModelState.IN_USE
    with reading(world.tenant.id):
        assert after.team_id == Team.objects.get(slug="billing").id
        trace = Explanation.objects.get(ticket=after, subject="routing").trace
    assert any(reason["code"] == "learned_team" for reason in trace["reasons"])


def test_learning_is_the_managers_and_the_tenants_own(world: World) -> None:
    a_past(world)
    row = trained(world)
    other = a_staffed_world("other")
    a_customer(other, tier="starter")

    with pytest.raises(Forbidden):
        learn.begin_training("category", by=world.bo, now=MONDAY_9)
    with pytest.raises(Forbidden):
        learn.put_aside(name_of(row.public_id), by=world.ada, now=MONDAY_9)
    with pytest.raises(NotFound):
        learn.put_aside(name_of(row.public_id), by=manager(other), now=MONDAY_9)
    with pytest.raises(Invalid):
        learn.begin_training("mood", by=manager(world), now=MONDAY_9)
    assert "model" not in triage_trace(other, comes_in(other, "a florin levy"))
    assert log(other, "ticket_opened")


def test_a_model_that_cannot_be_read_leaves_it_to_the_rules_until_there_is_another(world: World) -> None:
    """As after an upgrade to a version that writes models otherwise."""
    a_past(world)
    first = trained(world)
    with writing(world.tenant.id):
        LearnedModel.objects.filter(id=first.id).update(state=ModelState.IN_USE, data=b"of another version")
    learned._model.cache_clear()

    row = comes_in(world, "Der Turbolader pfeift")
    second = trained(world, at=MONDAY_9 + 2 * DAY)

    assert "model" not in triage_trace(world, row)
    assert second.comparison["against"] == "the rules"
    assert states(world)[2] == ModelState.IN_USE
