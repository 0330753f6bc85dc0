"""What is written to the audit log: who did what to which row, in ids and enumerations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flowdesk.accounts.models import AuditEntry
from flowdesk.automations.services import Trigger
from flowdesk.core.actor import Role, system
from flowdesk.core.errors import Invalid
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading
from flowdesk.flows import automate, found, reconfigure
from flowdesk.people import services as people
from flowdesk.people.services import ContactCard, CustomerCard
from tests.builders import MONDAY_9, World, a_customer, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world() -> World:
    return a_world()


def entries(world: World, *acts: str) -> list[AuditEntry]:
    with reading(world.tenant.id):
        return list(AuditEntry.objects.filter(act__in=acts).order_by("id"))


def test_a_new_policy_names_its_number_and_the_one_before(world: World) -> None:
    (first,) = entries(world, "policy_revised")

    assert (first.actor_kind, first.before, first.after) == ("system", {"number": None}, {"number": 1})


def test_a_founder_is_a_new_member_with_a_role(world: World) -> None:
    by = system(world.tenant.id)
    found.furnish(by=by, now=MONDAY_9)
    found.seat_founder(email="eve@global.example", name="Eve Berg", by=by, now=MONDAY_9)

    (entry,) = entries(world, "member_added")
    assert (entry.thing, entry.after) == ("user", {"role": Role.ADMIN})


def test_a_customers_terms_are_told_before_and_after(world: World) -> None:
    customer = a_customer(world, tier="starter")
    name = shown("cus", customer.public_id)
    reconfigure.change_terms(
        name, card=CustomerCard(tier="enterprise", name="Nordvik Secret AB"), by=world.ada, now=MONDAY_9
    )

    (entry,) = entries(world, "customer_changed")
    assert (entry.actor_kind, entry.actor_id, entry.thing_id) == ("user", world.ada.id, customer.id)
    assert entry.before["tier"] == "starter"
    assert entry.after["tier"] == "enterprise"
    assert entry.after["fields"] == ["name", "tier"]
    assert "Secret" not in str((entry.before, entry.after))


def test_a_new_customer_and_who_writes_for_it_leave_no_address(world: World) -> None:
    made = people.create_customer(CustomerCard(name="Fjord Foods"), by=world.ada, now=MONDAY_9)
    contact = people.add_contact(
        shown("cus", made.public_id), ContactCard(email="maja@fjord.example"), by=world.ada, now=MONDAY_9
    )
    people.change_contact(
        shown("con", contact.public_id), ContactCard(phone="+46 70 123"), by=world.ada, now=MONDAY_9
    )

    told = entries(world, "customer_created", "contact_added", "contact_changed")
    assert [(entry.act, entry.thing_id) for entry in told] == [
        ("customer_created", made.id),
        ("contact_added", contact.id),
        ("contact_changed", contact.id),
    ]
    assert [entry.after["fields"] for entry in told] == [["name"], ["email"], ["phone"]]
    assert "fjord.example" not in str([entry.after for entry in told])


def test_what_was_refused_is_not_told_as_done(world: World) -> None:
    customer = a_customer(world)
    with pytest.raises(Invalid):
        reconfigure.change_terms(
            shown("cus", customer.public_id), card=CustomerCard(tier="gold"), by=world.ada, now=MONDAY_9
        )

    assert entries(world, "customer_changed") == []


def test_runs_by_hand_and_through_the_route_are_told_and_the_schedules_are_not(world: World) -> None:
    by = system(world.tenant.id, name="cron")
    for hours, trigger in enumerate(Trigger):
        automate.run_automation(trigger=trigger, slot="a", by=by, now=MONDAY_9 + timedelta(hours=hours))
    automate.run_automation(trigger=Trigger.ROUTE, slot="a", by=by, now=MONDAY_9 + timedelta(hours=9))

    assert [entry.after for entry in entries(world, "automation_run")] == [
        {"trigger": "route"},
        {"trigger": "hand"},
    ]
