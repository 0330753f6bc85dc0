"""What the standard pack has by now, told to a desk that began with an earlier one."""

from __future__ import annotations

import re

import pytest

from flowdesk.core.actor import Role, system
from flowdesk.core.errors import Forbidden, NotFound
from flowdesk.core.tenant import reading, writing
from flowdesk.flows import reconfigure
from flowdesk.policies.models import Draft
from flowdesk.policies.packs import pack_rules
from flowdesk.policies.queries import rules_lacking
from flowdesk.policies.rule_text import inserted, section_of, texts_in
from flowdesk.policies.services import current_policy, pack_source, save_revision
from tests.builders import MONDAY_9, World, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
RECURRING = re.compile(r"    - \{name: recurring_issue.*\n")


def older_pack() -> str:
    """The pack before it had the rule on integrations and the one on recurring issues."""
    source = RECURRING.sub("", pack_source())
    at, end = source.index("    - name: integration\n"), source.index("    - name: technical\n")
    return source[:at] + source[end:]


@pytest.fixture
def world() -> World:
    return a_world(policy=older_pack())


def manager(world: World) -> object:
    return world.ada.__class__(
        tenant=world.tenant.id, role=Role.MANAGER, kind=world.ada.kind, id=world.ada.id
    )


def names(world: World) -> list[tuple[str, str]]:
    with reading(world.tenant.id):
        return [(rule.section, rule.name) for rule in rules_lacking()]


def test_no_two_rules_of_the_pack_have_one_name() -> None:
    known = [rule.name for rule in pack_rules()]

    assert len(set(known)) == len(known) > 20


def test_a_desk_of_before_lacks_what_the_pack_has_got_since(world: World) -> None:
    assert names(world) == [("escalation", "recurring_issue"), ("routing", "integration")]


def test_a_desk_of_today_lacks_nothing() -> None:
    assert names(a_world()) == []


def test_a_rule_that_somebody_took_out_or_renamed_is_not_missed(world: World) -> None:
    with writing(world.tenant.id):
        source = older_pack()
        without = re.sub(r"    - \{name: churn_risk.*\n", "", source).replace(
            "name: account\n", "name: ours\n"
        )
        save_revision(without, by=system(world.tenant.id), at=MONDAY_9)

    assert names(world) == [("escalation", "recurring_issue"), ("routing", "integration")]


def test_what_is_lacking_comes_into_the_draft_at_its_place_and_into_force_by_hand(world: World) -> None:
    by = manager(world)
    reconfigure.add_pack_rules("routing", seen=0, by=by, now=MONDAY_9)  # type: ignore[arg-type]
    reconfigure.add_pack_rules("escalation", seen=0, by=by, now=MONDAY_9)  # type: ignore[arg-type]

    assert names(world) == []
    with reading(world.tenant.id):
        assert [rule.name for rule in current_policy().routing.rules].count("integration") == 0
        drafts = {one.section: one.source for one in Draft.objects.all()}
    order = [rule.name for rule in texts_in(drafts["routing"], of="rules")]
    assert order[order.index("integration") - 1 :][:3] == ["feature", "integration", "technical"]
    assert drafts["routing"] == section_of(pack_source(), "routing")
    assert drafts["escalation"] == section_of(pack_source(), "escalation")

    reconfigure.publish_draft("escalation", seen=1, by=by, now=MONDAY_9)  # type: ignore[arg-type]
    with reading(world.tenant.id):
        assert "recurring_issue" in [rule.name for rule in current_policy().escalation.events]
        assert "integration" not in [rule.name for rule in current_policy().routing.rules]


def test_whoever_may_not_configure_adds_nothing_and_nothing_lacking_is_not_found(world: World) -> None:
    with pytest.raises(Forbidden):
        reconfigure.add_pack_rules("routing", seen=0, by=world.bo, now=MONDAY_9)
    reconfigure.add_pack_rules("routing", seen=0, by=manager(world), now=MONDAY_9)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        reconfigure.add_pack_rules("routing", seen=1, by=manager(world), now=MONDAY_9)  # type: ignore[arg-type]


RULE = "# Why.\n- {name: new}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("events: []\nstates: []\n", "events:\n  # Why.\n  - {name: new}\nstates: []\n"),
        ("events:\n- {name: a}\n\n- {name: b}\n", "events:\n- {name: a}\n\n- {name: b}\n\n# Why.\n- {name: new}\n"),
        ("events:\n   - name: a\n# On.\nx: 1\n", "events:\n   - name: a\n   # Why.\n   - {name: new}\n# On.\nx: 1\n"),
        ("x: 1\n", "x: 1\nevents:\n  # Why.\n  - {name: new}\n"),
    ],
)  # fmt: skip
def test_a_rule_is_written_as_those_beside_it(before: str, after: str) -> None:
    assert inserted(before, RULE, of="events", at=99) == after
