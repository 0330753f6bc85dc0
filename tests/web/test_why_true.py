"""What the why-panel says is what happened: who said it, which rule gave it, under which revision."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from flowdesk.core.actor import system
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.core.time import at as pinned
from flowdesk.engine.facts import Priority
from flowdesk.engine.priority import Grade
from flowdesk.flows import receive, understand, work
from flowdesk.flows.understand import Reading
from flowdesk.policies.services import pack_source, policy_of, save_revision
from flowdesk.tickets import queries
from flowdesk.tickets.models import Ticket
from flowdesk.triage.otherwise import would_have_changed
from tests.builders import MONDAY_9, World, a_customer, a_message
from tests.flows.story import HOUR, a_staffed_world, ticket
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

WISH = {
    "subject": "A feature request",
    "text": "It would be nice to have a dark mode. A feature request from us.",
}
CRASH = {"subject": "Export crashes", "text": "An error: it crashed, a bug, all broken. Refund the invoice."}


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    a_customer(world, tier="starter")
    return world


def opened(world: World, words: dict[str, str], **said: Any) -> str:
    by = world.bo if said else system(world.tenant.id)
    receive.open_ticket(a_message(**words), by=by, now=MONDAY_9, **said)
    return shown("tkt", ticket(world).public_id)


def panel(world: World, name: str) -> str:
    with pinned(MONDAY_9):
        answer = logged_in("ada@global.example").get(f"/flow/tickets/{name}")
    assert answer.status_code == 200
    part = answer.content.decode().split('id="why"')[1].split("</details>\n      </div>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", part)))


def with_rule(rule: str) -> str:
    first = "  rules:\n    - name: critical-technical"
    assert first in pack_source()
    return pack_source().replace(first, f"  rules:\n    - {rule}\n    - name: critical-technical")


def revised(world: World, source: str, *, after: timedelta = timedelta(0)) -> None:
    with writing(world.tenant.id):
        save_revision(source, by=system(world.tenant.id), at=MONDAY_9 + after)


def test_a_category_said_outright_is_not_explained_by_words_that_did_not_count(world: World) -> None:
    name = opened(world, CRASH, category="account")

    why = panel(world, name)

    assert "Category Account Said outright: category." in why
    assert "point to Technical" not in why
    assert "needed" not in why


def test_a_priority_said_outright_stands_though_it_was_the_computed_one(world: World) -> None:
    name = opened(world, WISH, priority=Priority.P4)
    assert "Said outright: P4." in panel(world, name)

    understand.correct(name, Reading(impact=Grade.HIGH, urgency=Grade.HIGH), by=world.bo, now=MONDAY_9 + HOUR)

    assert ticket(world).priority == 4


def test_a_priority_set_by_hand_says_so_and_stands_though_nothing_moved(world: World) -> None:
    name = opened(world, WISH)
    before = ticket(world).priority
    work.prioritise(name, priority=Priority(before), by=world.ada, now=MONDAY_9)

    why = panel(world, name)
    understand.correct(name, Reading(impact=Grade.HIGH, urgency=Grade.HIGH), by=world.bo, now=MONDAY_9 + HOUR)

    assert f"Priority P{before} Said outright: P{before}." in why
    assert "The priority was said outright; nothing else counts." in why
    assert ticket(world).priority == before


def test_a_priority_set_by_hand_is_the_one_that_is_explained(world: World) -> None:
    name = opened(world, WISH)
    work.prioritise(name, priority=Priority.P1, by=world.ada, now=MONDAY_9)

    assert "Priority P1 Said outright: P1. Computed: P4." in panel(world, name)


def test_a_promise_that_a_rule_gave_names_the_rule_and_what_else_it_would_be(world: World) -> None:
    condition = "category == 'feature' AND channel == 'email'"
    revised(
        world, with_rule(f'{{name: fast, condition: "{condition}", team: product, sla_target: 30_minutes}}')
    )
    name = opened(world, WISH, priority=Priority.P3)

    why = panel(world, name)

    assert re.search(r"First response: 30 m on calendar \w+, from rule fast", why)
    assert "First response: As P1 it would be" not in why  # 30 m, there too


def test_a_rule_in_shadow_is_not_said_to_have_matched(world: World) -> None:
    revised(world, with_rule("{name: tried, condition: \"channel == 'email'\", team: product, mode: shadow}"))
    name = opened(world, CRASH)

    why = panel(world, name)

    assert "Rule tried would have taken it, but is in shadow:" in why
    assert "Rule tried matched" not in why


def test_what_would_have_changed_goes_by_the_revision_that_decided(world: World) -> None:
    name = opened(world, WISH)
    assert "feature: P3-P4" in pack_source()
    revised(world, pack_source().replace("feature: P3-P4", "feature: P1-P4"), after=HOUR)

    understand.correct(
        name, Reading(impact=Grade.HIGH, urgency=Grade.HIGH), by=world.bo, now=MONDAY_9 + 2 * HOUR
    )

    with reading(world.tenant.id):
        row = Ticket.objects.select_related("customer").get()
        traces = {one.subject: one.trace for one in queries.explanations_of(row.id)}
        found = would_have_changed(row, traces, policy_of(row.policy_revision_id))
    assert row.priority == 2
    assert ("if_vip", "P1") in [(one.change.code, one.result) for one in found if one.subject == "priority"]
