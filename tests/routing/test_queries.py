"""What rules would do to the tickets that came in last."""

from __future__ import annotations

import pytest

from flowdesk.core.tenant import reading
from flowdesk.engine.facts import vocabulary
from flowdesk.flows import receive
from flowdesk.policies.reader import read_document
from flowdesk.policies.sections.routing import read_routing
from flowdesk.policies.services import Policy, current_policy
from flowdesk.routing import queries
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_world
from tests.flows.story import HOUR, an_open_ticket

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

BILL = {"subject": "Refund our invoice", "text": "The invoice is wrong, refund the payment."}


@pytest.fixture
def world() -> World:
    return a_world()


def test_a_sample_has_the_words_that_the_ticket_came_in_with(world: World) -> None:
    name = an_open_ticket(world, **BILL)
    receive.take_message(
        name, text="And another thing.", channel=Channel.EMAIL, by=world.bo, now=MONDAY_9 + HOUR
    )

    with reading(world.tenant.id):
        (sample,) = queries.samples(current_policy())

    assert sample.facts.text == BILL["text"]


def test_of_long_words_the_beginning_is_looked_into(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LOOKED_INTO", 11)
    an_open_ticket(world, **BILL)

    with reading(world.tenant.id):
        (sample,) = queries.samples(current_policy())

    assert sample.facts.text == "The invoice"


def test_a_rule_moves_what_it_takes_and_what_went_elsewhere(world: World) -> None:
    """Two bills went to billing: a rule that keeps them there moves none, one that sends them elsewhere both."""
    for _ in range(2):
        an_open_ticket(world, **BILL)

    with reading(world.tenant.id):
        policy = current_policy()
        found = {
            team: next(match for match in _preview(policy, team) if match.rule == "bills")
            for team in ("billing", "product")
        }

    assert {team: (match.takes, match.moves) for team, match in found.items()} == {
        "billing": (2, 0),
        "product": (2, 2),
    }


def _preview(policy: Policy, team: str) -> list[queries.Match]:
    rules = read_routing(
        read_document(
            f"rules: [{{name: bills, condition: \"category == 'billing'\", team: {team}}}]", "routing"
        ),
        fields=vocabulary(policy.fields),
    )
    return queries.preview(rules, queries.samples(policy))
