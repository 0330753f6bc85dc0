"""The tenant's own fields as pages: declared, filled in, and asked for when a ticket is opened."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flowdesk.accounts.models import AuditEntry, Membership
from flowdesk.core.actor import Role
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import reading
from flowdesk.core.time import at as pinned
from flowdesk.policies.services import current_policy
from flowdesk.tickets.models import Ticket, TicketEvent
from tests.builders import MONDAY_9, World
from tests.flows.story import a_staffed_world, ticket
from tests.flows.test_routed import a_tier_1_ticket
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

PAGE = "/flow/settings/fields"
CONTRACT = {
    "deed": "add", "seen": "1",
    "key": "contract", "label": "Contract", "type": "slug", "choices": "Gold\n\nno support\n",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.MANAGER)
    return world


@pytest.fixture
def ada(world: World) -> Client:
    with pinned(MONDAY_9):
        return logged_in("ada@global.example")


def page(client: Client, address: str = PAGE) -> str:
    with pinned(MONDAY_9):
        answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def send(client: Client, address: str = PAGE, status: int = 200, **form: Any) -> str:
    with pinned(MONDAY_9):
        answer = client.post(address, form, follow=True)
    assert answer.status_code == status, answer.status_code
    return html.unescape(answer.content.decode())


def declared(world: World) -> dict[str, tuple[str, ...]]:
    with reading(world.tenant.id):
        return {key: known.choices for key, known in current_policy().fields.items()}


def test_a_field_is_added_changed_and_removed(world: World, ada: Client) -> None:
    added = send(ada, **CONTRACT)
    form = page(ada, f"{PAGE}?field=contract")
    changed = send(
        ada, deed="change", field="contract", label="Agreement", type="slug", choices="gold", seen="2"
    )

    assert "Contract" in added
    assert "Gold, No support" in added
    assert "gold\nno_support" in form
    assert "Agreement" in changed
    assert declared(world) == {"amount": (), "contract": ("gold",)}
    gone = send(ada, deed="remove", field="contract", seen="3")
    assert "The field is gone" in gone
    assert declared(world) == {"amount": ()}
    with reading(world.tenant.id):
        assert AuditEntry.objects.filter(act="policy_revised").count() >= 3


def test_a_field_that_a_rule_asks_for_says_so_and_stays(world: World, ada: Client) -> None:
    assert "large-bill" in page(ada)

    send(ada, deed="remove", field="amount", seen="1", status=422)

    assert "amount" in declared(world)


def test_what_cannot_be_used_stands_beside_its_question(world: World, ada: Client) -> None:
    bad_key = send(ada, status=422, **{**CONTRACT, "key": "Con tract"})
    bad_choice = send(ada, status=422, **{**CONTRACT, "choices": "gold!"})
    taken = send(ada, status=422, **{**CONTRACT, "key": "amount"})
    no_type = send(ada, status=422, **{**CONTRACT, "type": "money"})

    word = "This must be a word of at most 40 lower-case letters, digits and underscores"
    assert word in bad_key.split('id="field-form-key-error"')[1][:300]
    assert 'value="Con tract"' in bad_key
    assert word in bad_choice.split('id="field-form-choices-error"')[1][:300]
    assert "There is a field of this name already." in taken
    assert "Choose one of the list." in no_type
    assert declared(world) == {"amount": ()}


def test_who_looks_at_an_older_revision_is_told_and_changes_nothing(world: World, ada: Client) -> None:
    send(ada, **CONTRACT)

    told = send(ada, **{**CONTRACT, "key": "plan"})

    assert "It has changed" in told
    assert "plan" not in declared(world)


def test_an_agent_neither_sees_nor_changes_them(world: World) -> None:
    with pinned(MONDAY_9):
        bo = logged_in("bo@global.example")
        assert bo.get(PAGE).status_code == 403
        assert bo.post(PAGE, CONTRACT).status_code == 403
    assert "contract" not in declared(world)


def test_a_ticket_is_filled_in_on_its_page(world: World, ada: Client) -> None:
    send(ada, **CONTRACT)
    made = a_tier_1_ticket(world)
    address = f"/flow/tickets/{made}"
    send(ada, f"{address}/fields", **{"fields.contract": "gold", "fields.amount": "12.50"})

    shown_page = page(ada, address)
    row = ticket(world)
    assert row.fields == {"contract": "gold", "amount": 12.5}
    assert "<dt>Contract</dt><dd>gold</dd>" in shown_page.replace("\n", "")
    with reading(world.tenant.id):
        event = TicketEvent.objects.filter(ticket_id=row.id, kind="ticket_triaged").latest("id")
    assert event.data["fields"] == ["amount", "contract"]
    assert "gold" not in str(event.data)

    wrong = send(ada, f"{address}/fields", status=422, **{"fields.amount": "much", "fields.contract": ""})
    assert "This must be a number." in wrong
    assert 'value="much"' in wrong
    assert ticket(world).fields == {"contract": "gold", "amount": 12.5}

    send(ada, f"{address}/fields", **{"fields.contract": "", "fields.amount": "12.5"})
    assert ticket(world).fields == {"amount": 12.5}


def test_a_new_ticket_asks_for_them(world: World, ada: Client) -> None:
    send(ada, **CONTRACT)
    assert 'name="fields.contract"' in page(ada, "/flow/tickets/new")
    form = {
        "subject": "Printer", "text": "It is jammed.", "channel": "phone", "contact_name": "Kim",
        "contact_email": "kim@elm.example", "customer_name": "Elm", "fields.contract": "gold",
    }  # fmt: skip

    wrong = send(ada, "/flow/tickets/new", status=422, **form, **{"fields.amount": "many"})
    send(ada, "/flow/tickets/new", **form, **{"fields.amount": ""})

    assert "This must be a number." in wrong
    with reading(world.tenant.id):
        assert Ticket.objects.get(subject="Printer").fields == {"contract": "gold"}


def test_who_may_only_read_tickets_cannot_fill_them_in(world: World) -> None:
    made = a_tier_1_ticket(world)
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.AUDITOR)
    with pinned(MONDAY_9):
        ada = logged_in("ada@global.example")
        address = f"/flow/tickets/{made}"
        assert 'name="fields.amount"' not in ada.get(address).content.decode()
        assert ada.post(f"{address}/fields", {"fields.amount": "1"}).status_code == 403


def test_a_value_that_the_list_holds_no_more_stays_until_somebody_changes_it(
    world: World, ada: Client
) -> None:
    send(ada, **CONTRACT)
    address = f"/flow/tickets/{a_tier_1_ticket(world)}"
    send(ada, f"{address}/fields", **{"fields.contract": "gold"})
    send(
        ada, deed="change", field="contract", label="Contract", type="slug", choices="silver", seen="2",
        is_sure="1", told="gold",
    )  # fmt: skip

    form = page(ada, address)
    send(ada, f"{address}/fields", **{"fields.contract": "gold", "fields.amount": "12 500,50"})

    assert '<option value="gold" selected>' in form
    assert ticket(world).fields == {"contract": "gold", "amount": 12500.5}
    wrong = send(ada, f"{address}/fields", status=422, **{"fields.contract": "tin", "fields.amount": "1,500"})
    assert "Choose one of the list." in wrong
    assert "This must be a number." in wrong


SILVER = {
    "deed": "change", "field": "contract", "label": "Contract", "type": "slug", "choices": "silver", "seen": "2",
}  # fmt: skip


def test_a_word_that_tickets_hold_goes_only_once_somebody_has_read_how_many(
    world: World, ada: Client
) -> None:
    send(ada, **CONTRACT)
    for _ in range(2):
        send(ada, f"/flow/tickets/{a_tier_1_ticket(world)}/fields", **{"fields.contract": "gold"})

    asked = send(ada, status=422, **SILVER)

    assert "2 tickets hold “Gold”. They keep it, and rules can no longer ask for it." in asked
    assert 'name="is_sure"' in asked
    assert 'name="told" value="gold"' in asked
    assert ">silver</textarea>" in asked
    assert "“No support”" not in asked
    assert declared(world)["contract"] == ("gold", "no_support")
    other = send(ada, status=422, **SILVER, is_sure="1", told="no_support")
    assert "2 tickets hold “Gold”" in other, "what was confirmed was another word"
    assert re.search(r'name="is_sure"[^>]*checked', other) is None

    send(ada, **SILVER, is_sure="1", told="gold")
    assert declared(world)["contract"] == ("silver",)
    assert ticket(world, number=1).fields == {"contract": "gold"}


def test_a_word_that_no_ticket_holds_goes_at_once(world: World, ada: Client) -> None:
    send(ada, **CONTRACT)
    a_tier_1_ticket(world)

    send(ada, **SILVER)

    assert declared(world)["contract"] == ("silver",)


def test_of_many_tickets_the_latest_are_looked_at_and_that_is_said(
    world: World, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdesk.tickets.queries.LOOKED_AT", 2)
    send(ada, **CONTRACT)
    for _ in range(3):
        send(ada, f"/flow/tickets/{a_tier_1_ticket(world)}/fields", **{"fields.contract": "gold"})

    assert "Of the latest 2 tickets 2 hold “Gold”." in send(ada, status=422, **SILVER)


def test_a_field_that_a_draft_asks_for_says_so(world: World, ada: Client) -> None:
    send(ada, **CONTRACT)
    source = "rules:\n  - {name: gold, condition: \"contract == 'gold'\", team: billing}\notherwise: {team: tier-1}\n"
    send(ada, "/flow/settings/routing/text", source=source, seen="0")

    assert "gold (draft)" in page(ada)


def test_whoever_was_chosen_is_still_chosen_when_a_form_comes_back(world: World, ada: Client) -> None:
    made = a_tier_1_ticket(world)
    with reading(world.tenant.id):
        contact = Ticket.objects.get(public_id=parsed("tkt", made)).contact
    assert contact is not None
    name = shown("con", contact.public_id)

    wrong = send(
        ada, "/flow/tickets/new", status=422, subject="Printer", text="Jammed.", channel="phone", contact=name,
        **{"fields.amount": "many"},
    )  # fmt: skip

    assert re.search(rf'value="{name}" checked', wrong)


def test_more_fields_cost_the_page_no_more_statements(world: World, ada: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as sent:
            page(ada)
        return len(sent)

    send(ada, "/flow/settings/routing/text", source="rules: []\notherwise: {team: tier-1}\n", seen="0")
    page(ada)
    before = cost()
    for number, name in enumerate(("one", "two", "three"), start=1):
        send(ada, deed="add", key=name, label=name, type="text", seen=str(number))
    page(ada)

    assert cost() == before
