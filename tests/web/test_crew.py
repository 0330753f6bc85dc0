"""Teams, absences, assignments and what to look at again, as pages."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from flowdesk.accounts.models import AuditEntry, Membership
from flowdesk.core.actor import Role, system
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.core.time import at as pinned
from flowdesk.flows import receive, work
from flowdesk.people.models import Absence, Agent, Shift, TeamMember
from flowdesk.tickets.models import Ticket
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import a_colleague, a_staffed_world, ticket
from tests.flows.test_routed import a_tier_1_ticket
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

UNSURE = {"subject": "Refund or crash?", "text": "Refund? It crashed, and my password and the webhook fail."}


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.MANAGER)
    return world


@pytest.fixture
def ada(world: World) -> Client:
    with pinned(MONDAY_9):
        return logged_in("ada@global.example")


@pytest.fixture
def bo(world: World) -> Client:
    with pinned(MONDAY_9):
        return logged_in("bo@global.example")


def page(client: Client, address: str, status: int = 200) -> str:
    with pinned(MONDAY_9):
        answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return html.unescape(answer.content.decode())


def send(client: Client, address: str, **form: Any) -> str:
    with pinned(MONDAY_9):
        answer = client.post(address, form, follow=True)
    assert answer.status_code in (200, 422), answer.status_code
    return html.unescape(answer.content.decode())


def address_of(agent: Agent) -> str:
    return f"/flow/teams/agents/{shown('agt', agent.public_id)}"


def seated(world: World, name: str) -> Agent:
    agent = a_colleague(world, name)
    with writing(world.tenant.id):
        Agent.objects.filter(id=agent.id).update(languages=["en", "sv"])
        TeamMember.objects.create(tenant=world.tenant, team=world.tier_1, agent=agent)
        shift = Shift.objects.filter(agent=world.bo_agent).first()
        assert shift is not None
        shift.pk, shift.agent_id = None, agent.id
        shift.save(force_insert=True)
    return agent


def test_a_team_shows_who_has_how_much(world: World, ada: Client) -> None:
    a_tier_1_ticket(world)

    shown_page = page(ada, "/flow/teams")

    row = shown_page[shown_page.index("Bo Ek</a>") :][:1200]
    assert "api_expert" in row
    assert "1 ticket, 1 of 50" in row
    assert "Level 1 · Lead: Ada Lind" in shown_page


def test_a_card_is_changed_by_the_manager_and_kept_in_the_audit_log(world: World, ada: Client) -> None:
    shown_page = send(
        ada, address_of(world.bo_agent), deed="card", skills="SQL, api_expert", languages="sv", channels="chat",
        capacity="5",
    )  # fmt: skip

    assert "Saved" in shown_page
    with reading(world.tenant.id):
        row = Agent.objects.get(id=world.bo_agent.id)
        entry = AuditEntry.objects.get(act="agent_changed")
    assert (row.skills, row.languages, row.channels, row.capacity) == (
        ["api_expert", "sql"],
        ["sv"],
        ["chat"],
        5,
    )
    assert entry.before["capacity"] == 50


def test_a_card_that_cannot_be_used_comes_back_as_it_was_sent(world: World, ada: Client) -> None:
    shown_page = send(
        ada,
        address_of(world.bo_agent),
        deed="card",
        skills="sql",
        languages="svenska",
        channels="pigeon",
        capacity="5",
    )

    assert 'value="svenska"' in shown_page
    assert "These are codes of two letters" in shown_page
    assert "Choose one of the list." in shown_page


def test_people_say_for_themselves_whether_they_are_here(world: World, bo: Client) -> None:
    assert "No new ticket comes to you" in send(
        bo, address_of(world.bo_agent), deed="available", is_available=""
    )
    a_tier_1_ticket(world)
    assert ticket(world).assignee_id is None
    assert "You get new tickets again" in send(
        bo, address_of(world.bo_agent), deed="available", is_available="1"
    )


def test_who_saves_a_card_does_not_say_that_somebody_is_here(world: World, ada: Client, bo: Client) -> None:
    card = page(ada, address_of(world.bo_agent))
    assert 'name="is_available"' not in card
    send(bo, address_of(world.bo_agent), deed="available", is_available="")

    send(
        ada, address_of(world.bo_agent), deed="card", skills="sql", languages="sv", channels="", capacity="5",
        is_available="1",
    )  # fmt: skip

    with reading(world.tenant.id):
        row = Agent.objects.get(id=world.bo_agent.id)
    assert (row.skills, row.is_available) == (["sql"], False)


def test_an_agent_changes_nobody_else_and_not_their_own_card(world: World, bo: Client) -> None:
    with pinned(MONDAY_9):
        assert bo.get(address_of(world.ada_agent)).status_code == 403
        assert bo.post(address_of(world.ada_agent), {"deed": "available"}).status_code == 403
        own = bo.post(address_of(world.bo_agent), {"deed": "card", "capacity": "999"})
    assert own.status_code == 403


def test_an_absence_is_noted_by_day_with_who_stands_in_and_ended(world: World, bo: Client) -> None:
    ada_id = shown("agt", world.ada_agent.public_id)
    shown_page = send(
        bo,
        address_of(world.bo_agent),
        deed="absence",
        first="2026-06-15",
        last="2026-06-16",
        substitute=ada_id,
    )

    assert "Ada Lind stands in" in shown_page
    with reading(world.tenant.id):
        row = Absence.objects.get()
    assert (row.starts_at.isoformat(), row.ends_at.isoformat()) == (  # type: ignore[union-attr]
        "2026-06-14T22:00:00+00:00",
        "2026-06-16T22:00:00+00:00",
    )
    assert "away until" in page(bo, "/flow/teams")
    assert "The absence has ended" in send(
        bo, address_of(world.bo_agent), deed="end", absence=shown("abs", row.public_id)
    )
    assert "away until" not in page(bo, "/flow/teams")


def test_nobody_ends_an_absence_of_somebody_else_on_their_own_page(world: World, bo: Client) -> None:
    with writing(world.tenant.id):
        absence = Absence.objects.create(
            tenant=world.tenant, public_id=uuid4(), agent=world.ada_agent, starts_at=MONDAY_9
        )

    with pinned(MONDAY_9):
        answer = bo.post(
            address_of(world.bo_agent), {"deed": "end", "absence": shown("abs", absence.public_id)}
        )

    assert answer.status_code == 403
    with reading(world.tenant.id):
        assert Absence.objects.get().ends_at is None


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("", "", "Say from which day."),
        ("2026-06-15", "2026-06-31", "This is no day."),
        ("2026-06-20", "2026-06-19", "The last day is before the first, or over."),
        ("2026-06-15", "2028-06-15", "This is more than a year after its start."),
    ],
)
def test_days_that_cannot_be_are_refused(world: World, bo: Client, first: str, last: str, said: str) -> None:
    assert said in send(bo, address_of(world.bo_agent), deed="absence", first=first, last=last)
    with reading(world.tenant.id):
        assert not Absence.objects.exists()


def test_an_absence_that_overlaps_another_is_refused_with_the_days_of_the_other(
    world: World, bo: Client
) -> None:
    address = address_of(world.bo_agent)
    send(bo, address, deed="absence", first="2026-06-17", last="2026-06-19")

    within = send(bo, address, deed="absence", first="2026-06-19", last="2026-06-22")
    around = send(bo, address, deed="absence", first="2026-06-16", last="2026-06-22")

    said = "This overlaps the absence from Wed 17 Jun 00:00 to Sat 20 Jun 00:00."
    assert _error_at(within, "first") == _error_at(around, "last") == said
    assert 'value="2026-06-22"' in within
    with reading(world.tenant.id):
        assert Absence.objects.count() == 1


def _error_at(shown_page: str, field: str) -> str:
    found = re.search(rf'id="absence-{field}-error"[^>]*>(.*?)</p>', shown_page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def test_a_team_is_evened_out_and_it_is_taken_back(world: World, ada: Client) -> None:
    for _ in range(2):
        a_tier_1_ticket(world)
    siv = seated(world, "Siv Ny")
    with writing(world.tenant.id):
        Absence.objects.create(
            tenant=world.tenant, public_id=uuid4(), agent=world.bo_agent, starts_at=MONDAY_9, substitute=siv
        )
    plan = page(ada, "/flow/teams/tier-1/even")
    moves = re.findall(r'name="move" value="([^"]+)" checked', plan)
    assert "2 tickets would change hands." in plan
    assert "is away" in plan

    after = send(ada, "/flow/teams/tier-1/even", move=moves[:1])
    assert "1 ticket has changed hands" in after
    assert "Team evened out: 1 ticket" in after
    bulk = re.search(r'name="bulk" value="(blk_[^"]+)"', after)
    assert bulk
    back = send(ada, "/flow/assignments/undo", bulk=bulk[1])

    assert "1 ticket is back where it was" in back
    with reading(world.tenant.id):
        assert set(Ticket.objects.values_list("assignee_id", flat=True)) == {world.bo_agent.id}
    assert "from Siv Ny to Bo Ek" in back


def test_a_plan_that_was_tampered_with_moves_nothing(world: World, ada: Client) -> None:
    a_tier_1_ticket(world)

    assert "This is no move of the plan." in send(ada, "/flow/teams/tier-1/even", move="1:2:x:away")
    assert "Tick at least one move" in send(ada, "/flow/teams/tier-1/even")
    page(ada, "/flow/teams/nowhere/even", 404)


def test_an_agent_evens_nobody_out(world: World, bo: Client) -> None:
    page(bo, "/flow/teams/tier-1/even", 403)
    assert "Even out" not in page(bo, "/flow/teams")


def test_assignments_say_who_what_and_why_and_are_narrowed(world: World, ada: Client) -> None:
    a_tier_1_ticket(world)
    with reading(world.tenant.id):
        name = shown("tkt", Ticket.objects.get().public_id)
    send(ada, f"/flow/tickets/{name}/take")

    everything = page(ada, "/flow/assignments")
    taken = page(ada, "/flow/assignments?because=taken")
    bo_id = shown("agt", world.bo_agent.public_id)
    to_bo = page(ada, f"/flow/assignments?agent={bo_id}")

    assert "from Bo Ek to Ada Lind" in everything
    assert "the rules" in everything
    assert "to Bo Ek</td>" not in taken
    assert "from Bo Ek to Ada Lind" not in to_bo
    assert "Nothing here" in page(ada, "/flow/assignments?bulk=blk_none")


def an_unsure_ticket(world: World) -> Ticket:
    a_customer(world, name="Nordvik Retail", tier="starter")
    receive.open_ticket(a_message(**UNSURE), by=system(world.tenant.id), now=MONDAY_9)
    return ticket(world)


def test_what_is_unsure_is_accepted_with_one_act(world: World, bo: Client) -> None:
    row = an_unsure_ticket(world)
    shown_page = page(bo, "/flow/triage")
    assert "1 ticket waits to be looked at." in shown_page
    assert "It crashed, and my password" in shown_page
    assert re.search(r'<button class="button primary" type="submit" data-key="y">.*Yes, ', shown_page)

    after = send(bo, f"/flow/triage/{shown('tkt', row.public_id)}/confirm")

    assert "Everything was read with certainty" in after
    assert not ticket(world).needs_review


def test_what_somebody_else_has_corrected_meanwhile_stays(world: World, ada: Client, bo: Client) -> None:
    address = f"/flow/triage/{shown('tkt', an_unsure_ticket(world).public_id)}/correct"
    send(ada, address, category="account")

    told = send(bo, address, category="billing")

    assert "Somebody has looked at how this ticket was read already." in told
    assert ticket(world).category == "account"


def test_another_guess_is_chosen_and_routes_anew(world: World, bo: Client) -> None:
    row = an_unsure_ticket(world)
    choices = re.findall(r'name="category" value="(\w+)"', page(bo, "/flow/triage"))
    other = next(one for one in choices if one != row.category)

    after = send(bo, f"/flow/triage/{shown('tkt', row.public_id)}/correct", category=other, reroute="1")

    assert "Corrected" in after
    assert ticket(world).category == other


def test_a_ticket_is_skipped_for_the_next(world: World, bo: Client) -> None:
    an_unsure_ticket(world)
    skip = re.search(r'href="(/flow/triage\?after=[^"]+)"', page(bo, "/flow/triage"))
    assert skip

    after = page(bo, skip[1])

    assert "That was the last one" in after
    assert "Begin again" in after


def test_two_who_look_at_the_same_ticket_do_not_stumble(world: World, ada: Client, bo: Client) -> None:
    address = f"/flow/triage/{shown('tkt', an_unsure_ticket(world).public_id)}/confirm"
    send(bo, address)

    assert "Somebody has looked at how this ticket was read already." in send(ada, address)


def test_a_ticket_that_another_took_meanwhile_is_not_taken_from_them_unseen(
    world: World, ada: Client, bo: Client
) -> None:
    name = a_tier_1_ticket(world)
    with pinned(MONDAY_9):
        work.assign(name, by=world.ada, now=MONDAY_9)
    address = f"/flow/tickets/{name}"
    free = _seen(page(ada, address))
    assert free == ""

    send(bo, f"{address}/take", seen=free)
    refused = send(ada, f"{address}/take", seen=free)

    assert "Bo Ek has the ticket by now. Take it again if you mean to." in refused
    assert ticket(world).assignee_id == world.bo_agent.id

    assert "The ticket is yours" in send(ada, f"{address}/take", seen=_seen(refused))
    assert ticket(world).assignee_id == world.ada_agent.id


def _seen(shown_page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', shown_page)
    assert found is not None
    return found[1]
