"""People look at how tickets were read, and say yes or better."""

from __future__ import annotations

from typing import Any

import pytest

from flowdesk.core.actor import Role, system
from flowdesk.core.errors import Forbidden, Invalid, NotFound
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.priority import Grade
from flowdesk.flows import receive, understand, work
from flowdesk.flows.understand import Reading
from flowdesk.people.models import Team
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets import services as tickets
from flowdesk.tickets.models import Explanation, Ticket
from flowdesk.tickets.queries import review_queue
from flowdesk.triage.learned import Heard, Target
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import HOUR, a_staffed_world, an_open_ticket, log, ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

VAGUE = {"subject": "Hello", "text": "Could somebody ring me about things?"}


def an_unread_ticket(world: World, **more: Any) -> str:
    return an_open_ticket(world, **VAGUE, **more) if "priority" in more else _by_its_words(world)


def _by_its_words(world: World) -> str:
    a_customer(world, tier="starter")
    return receive.open_ticket(a_message(**VAGUE), by=system(world.tenant.id), now=MONDAY_9).id


def traces(world: World, subject: str) -> list[dict[str, Any]]:
    with reading(world.tenant.id):
        return list(
            Explanation.objects.filter(subject=subject).order_by("id").values_list("trace", flat=True)
        )


def queue(world: World) -> list[int]:
    with reading(world.tenant.id):
        return [one.number for one in review_queue(after=None, limit=10)]


def team_of(world: World) -> str:
    with reading(world.tenant.id):
        team = Ticket.objects.select_related("team").get().team
    return team.slug if team else ""


def correct(world: World, name: str, *, reroute: bool = False, **said: Any) -> None:
    understand.correct(name, Reading(**said), by=world.bo, now=MONDAY_9 + HOUR, reroute=reroute)


def test_a_yes_takes_a_ticket_off_the_list() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    assert queue(world) == [1]

    understand.confirm(name, by=world.bo, now=MONDAY_9 + HOUR)

    assert queue(world) == []
    (event,) = log(world, "ticket_triaged")
    assert (event.data["because"], event.data["confidence"]) == ("confirmed", 0)
    with pytest.raises(tickets.WrongState):
        understand.confirm(name, by=world.bo, now=MONDAY_9 + HOUR)


def test_a_correction_is_kept_with_what_was_said_before() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)

    correct(world, name, category="technical", subcategory="outage", complexity=2, impact=Grade.HIGH)

    row = ticket(world)
    assert (row.category, row.subcategory, row.complexity, row.impact) == ("technical", "outage", 2, "H")
    assert (row.confidence, row.needs_review) == (None, False)
    (event,) = log(world, "ticket_triaged")
    assert event.data["before"] == {"category": "", "complexity": 1, "impact": "M", "subcategory": ""}
    assert event.data["after"] == {
        "category": "technical", "complexity": 2, "impact": "H", "subcategory": "outage",
    }  # fmt: skip
    assert traces(world, "triage")[-1]["reasons"][0]["code"] == "said_by_agent"


def test_the_priority_follows_what_the_ticket_is() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    assert ticket(world).priority == 3

    correct(world, name, category="technical", subcategory="outage", impact=Grade.HIGH)

    assert ticket(world).priority == 2
    (event,) = log(world, "priority_changed")
    assert (event.data["before"], event.data["after"], event.data["because"]) == (3, 2, "corrected")
    assert traces(world, "priority")[-1]["priority"] == 2


def test_a_second_correction_still_moves_the_priority() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    correct(world, name, category="technical", subcategory="outage", impact=Grade.HIGH)

    correct(world, name, impact=Grade.LOW, category="feature")

    assert ticket(world).priority == 4


def test_a_priority_that_somebody_set_stands() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    work.prioritise(name, priority=Priority.P1, by=world.ada, now=MONDAY_9)

    correct(world, name, category="feature", impact=Grade.LOW)

    assert ticket(world).priority == 1


def test_a_priority_said_when_it_came_in_stands() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world, priority=Priority.P1)

    correct(world, name, category="feature", impact=Grade.LOW)

    assert ticket(world).priority == 1


def test_the_rules_are_asked_again_when_wished() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    assert ticket(world).team_id == world.tier_1.id

    correct(world, name, category="billing")
    assert ticket(world).team_id == world.tier_1.id
    correct(world, name, category="billing", reroute=True)

    with reading(world.tenant.id):
        assert Team.objects.get(id=ticket(world).team_id).slug == "billing"
    assert log(world, "ticket_routed")[-1].data["because"] == "rerouted"
    assert traces(world, "routing")[-1]["rule"] == "billing"


def test_who_works_in_the_right_team_keeps_the_ticket() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    work.take(name, by=world.ada, now=MONDAY_9)

    correct(world, name, category="technical", reroute=True)

    assert ticket(world).assignee_id == world.ada_agent.id
    assert traces(world, "routing")[-1]["moved"] is False


def test_own_fields_are_kept_by_type_and_never_in_the_log() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)

    correct(world, name, fields={"amount": 12_000.5})

    assert ticket(world).fields == {"amount": 12_000.5}
    assert log(world, "ticket_triaged")[-1].data["fields"] == ["amount"]
    assert "12000" not in str(log(world, "ticket_triaged")[-1].data)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"category": "gardening"}, "category"),
        ({"category": "billing", "subcategory": "outage"}, "subcategory"),
        ({"complexity": 4}, "complexity"),
        ({"language": "svenska"}, "language"),
        ({"fields": {"amount": "much"}}, "fields.amount"),
        ({"fields": {"colour": "red"}}, "fields.colour"),
    ],
)
def test_what_cannot_be_used_is_named_and_changes_nothing(said: dict[str, Any], field: str) -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)

    with pytest.raises(Invalid) as refused:
        correct(world, name, **said)

    assert [one.field for one in refused.value.faults] == [field]
    assert ticket(world).needs_review


def test_a_settled_ticket_is_read_no_more() -> None:
    world = a_staffed_world()
    name = an_unread_ticket(world)
    work.resolve(name, by=world.bo, now=MONDAY_9)

    assert queue(world) == []
    with pytest.raises(tickets.WrongState):
        correct(world, name, category="billing")


def test_the_least_sure_come_first_and_the_list_goes_on_after_them() -> None:
    world = a_staffed_world()
    an_open_ticket(
        world, subject="Refund or crash?", text="Refund? It crashed, and my password and the webhook fail."
    )
    an_open_ticket(world, **VAGUE)
    assert queue(world) == [2, 1]

    with reading(world.tenant.id):
        first = review_queue(after=None, limit=1)[0]
        rest = review_queue(after=(first.confidence or 0, first.id), limit=10)

    assert [one.number for one in rest] == [1]


def test_a_stranger_and_an_auditor_change_nothing() -> None:
    world, other = a_staffed_world(), a_staffed_world("other")
    name = an_unread_ticket(world)
    auditor = world.bo.__class__(
        tenant=world.tenant.id, role=Role.AUDITOR, kind=world.bo.kind, id=world.bo.id, name="Eve"
    )

    with pytest.raises(NotFound):
        understand.confirm(name, by=other.bo, now=MONDAY_9)
    with pytest.raises(Forbidden):
        understand.correct(name, Reading(category="billing"), by=auditor, now=MONDAY_9)


def test_a_rule_about_the_mood_holds_when_it_is_asked_again() -> None:
    world = a_staffed_world()
    first = "  rules:\n    - name: critical-technical"
    rule = "{name: angry, condition: \"sentiment IN ('angry', 'negative')\", team: account-managers}"
    with writing(world.tenant.id):
        source = pack_source().replace(first, f"  rules:\n    - {rule}\n    - name: critical-technical")
        save_revision(source, by=system(world.tenant.id), at=MONDAY_9)
    name = an_open_ticket(
        world, subject="Terrible", text="This is a terrible, awful service. I hate it. Worst ever!"
    )
    assert team_of(world) == "account-managers"

    understand.correct(name, Reading(category="feature"), by=world.bo, now=MONDAY_9, reroute=True)

    assert team_of(world) == "account-managers"


def test_a_team_that_was_learned_is_learned_again_when_the_rules_are_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_staffed_world()
    heard = Heard(
        target=Target.TEAM,
        version=1,
        label="devrel",
        confidence=0.99,
        abstains=False,
        runners_up=(),
        words=(),
    )
    for flow in (receive, understand):
        monkeypatch.setattr(flow, "listen", lambda subject, *, text: {Target.TEAM: heard})
    name = an_open_ticket(world, **VAGUE)
    assert team_of(world) == "devrel"

    understand.correct(name, Reading(complexity=2), by=world.bo, now=MONDAY_9, reroute=True)

    assert team_of(world) == "devrel"
