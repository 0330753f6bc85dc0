"""What the standard pack has got since a desk began: told on pages, drafted, and put in force by hand alone."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from flowdesk.accounts.models import Membership
from flowdesk.core.actor import Role
from flowdesk.core.tenant import reading, writing
from flowdesk.people.models import Post
from flowdesk.policies.models import Draft, PolicyRevision
from tests.builders import World, a_world
from tests.policies.test_pack_rules import older_pack
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

RULES, POLICY = "/flow/settings/routing", "/flow/settings/policy"
LACKS = "The standard pack has 1 rule that yours lacks."


def staffed(world: World) -> World:
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.MANAGER)
    with writing(world.tenant.id):
        for slug in ("manager_escalation", "security_lead", "account_manager"):
            Post.objects.create(tenant=world.tenant, slug=slug, name=slug)
    return world


@pytest.fixture
def world() -> World:
    return staffed(a_world(policy=older_pack()))


@pytest.fixture
def ada(world: World) -> Client:
    return logged_in("ada@global.example")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def send(client: Client, deed: str, section: str, *, seen: int = 0) -> str:
    answer = client.post(POLICY, {"deed": deed, "section": section, "seen": str(seen)}, follow=True)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def test_the_rules_page_tells_what_the_pack_has_beyond_it_and_adds_it_to_the_draft(
    world: World, ada: Client
) -> None:
    before = page(ada, RULES)

    assert LACKS in before
    assert "<summary>integration</summary>" in before
    assert "skills: [api_expert, integration_specialist]" in before
    assert f'Escalation rules: <a href="{POLICY}">{LACKS}</a>' in before

    after = send(ada, "add", "routing")
    assert "Nothing of it is in force." in after
    assert ">integration</a>" in after
    assert "<summary>integration</summary>" not in after
    with reading(world.tenant.id):
        assert PolicyRevision.objects.get().number == 1


def test_an_escalation_rule_is_drafted_and_put_in_force_on_the_policys_page(
    world: World, ada: Client
) -> None:
    assert "name: recurring_issue" in page(ada, POLICY)

    drafted = send(ada, "add", "escalation")
    assert "Nothing of it is in force." in drafted
    assert "name: recurring_issue" in drafted.partition("<details>")[2]

    done = send(ada, "publish", "escalation", seen=1)
    assert "Revision 2 is in force" in done
    assert "Nothing is lacking." in done
    with reading(world.tenant.id):
        assert "recurring_issue" in PolicyRevision.objects.get(is_current=True).source


def test_what_was_drafted_is_thrown_away_and_lacks_again(world: World, ada: Client) -> None:
    send(ada, "add", "escalation")

    assert "name: recurring_issue" in send(ada, "drop", "escalation", seen=1)
    with reading(world.tenant.id):
        assert not Draft.objects.exists()


def test_a_desk_that_lacks_nothing_is_told_nothing() -> None:
    staffed(a_world())
    ada = logged_in("ada@global.example")

    assert "that yours lack" not in page(ada, RULES)
    assert page(ada, POLICY).count("Nothing is lacking.") == 2


def test_to_a_draft_that_cannot_be_read_nothing_is_added(world: World, ada: Client) -> None:
    ada.post(f"{RULES}/text", {"source": "rules: nothing", "seen": "0"})

    assert LACKS not in page(ada, RULES).partition("Escalation rules")[0]
    send(ada, "add", "routing", seen=1)
    with reading(world.tenant.id):
        assert Draft.objects.get().source == "rules: nothing"


def test_an_agent_sees_nothing_of_it_and_an_act_that_is_none_is_not_found(world: World, ada: Client) -> None:
    bo = logged_in("bo@global.example")

    assert bo.get(POLICY).status_code == 403
    assert bo.post(POLICY, {"deed": "add", "section": "routing"}).status_code == 403
    for wrong in ({"deed": "explode", "section": "routing"}, {"deed": "add", "section": "hubs"}, {}):
        assert ada.post(POLICY, wrong).status_code == 404
