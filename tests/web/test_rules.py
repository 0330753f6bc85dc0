"""The routing rules as pages: drafted, tried, put in force, and never over somebody else's head."""

from __future__ import annotations

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flowdesk.accounts.models import AuditEntry, Membership
from flowdesk.core.actor import Role
from flowdesk.core.tenant import reading, writing
from flowdesk.flows import understand
from flowdesk.flows.understand import Reading
from flowdesk.people.models import Post
from flowdesk.policies.models import Draft, PolicyRevision
from flowdesk.policies.rule_text import rules_in, section_of
from flowdesk.policies.services import current_policy
from flowdesk.tickets.models import Ticket
from tests.builders import MONDAY_9, World, a_customer
from tests.flows.story import a_staffed_world, an_open_ticket, ticket
from tests.flows.test_learn import comes_in, teams_are_learned
from tests.flows.test_routed import BROKEN
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

RULES = "/flow/settings/routing"
BILL = {"subject": "Refund our invoice", "text": "The invoice is wrong, refund the payment."}


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.MANAGER)
    with writing(world.tenant.id):
        for slug in ("manager_escalation", "security_lead", "account_manager"):
            Post.objects.create(tenant=world.tenant, slug=slug, name=slug)
    return world


@pytest.fixture
def ada(world: World) -> Client:
    return logged_in("ada@global.example")


def page(client: Client, address: str = RULES, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def order(client: Client) -> list[str]:
    return re.findall(r'<h2><a href="/flow/settings/routing/rules/\d+">([^<]+)</a>', page(client))


def deed(client: Client, deed: str, *, follow: bool = True, **more: object) -> str:
    seen = re.search(r'name="seen" value="(\d+)"', page(client))
    assert seen
    answer = client.post(f"{RULES}/act", {"deed": deed, "seen": seen[1], **more}, follow=follow)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def in_force(world: World) -> list[str]:
    with reading(world.tenant.id):
        source = PolicyRevision.objects.get(is_current=True).source
    return [rule.name for rule in rules_in(section_of(source, "routing"))]


def a_rule(client: Client, place: str = "new", **more: str) -> tuple[int, str]:
    form = page(client, f"{RULES}/rules/{place}")
    seen = re.search(r'name="seen" value="(\d+)"', form)
    assert seen
    given = {
        "name": "vip", "condition": "is_vip == true", "where": "team:tier-2", "strategy": "least_loaded",
        "mode": "shadow", "seen": seen[1],
    }  # fmt: skip
    answer = client.post(f"{RULES}/rules/{place}", {**given, **more})
    return answer.status_code, html.unescape(answer.content.decode())


def test_the_rules_are_shown_in_their_order_with_what_they_take(world: World, ada: Client) -> None:
    an_open_ticket(world, **BILL)
    an_open_ticket(world, **BROKEN)

    shown = page(ada)

    assert order(ada)[:3] == ["critical-technical", "security", "large-bill"]
    assert "Tried on the 2 tickets that came in last." in shown
    billing = shown[shown.index(">billing</a>") :]
    assert "takes 1 ticket" in billing[:900]
    assert "category == 'billing'" in billing


def test_a_move_is_kept_in_a_draft_and_moves_nothing_yet(world: World, ada: Client) -> None:
    shown = deed(ada, "down", rule=0)

    assert order(ada)[:2] == ["security", "critical-technical"]
    assert "Nothing of it is in force." in shown
    assert in_force(world)[:2] == ["critical-technical", "security"]


def test_a_draft_that_is_put_in_force_routes_the_next_ticket(world: World, ada: Client) -> None:
    status, _ = a_rule(ada, name="mail", condition="channel == 'email'", where="team:product", mode="active")
    assert status == 302
    deed(ada, "move", rule=11, to=0)
    an_open_ticket(world, **BROKEN)
    assert ticket(world).team_id == world.tier_1.id

    shown = deed(ada, "publish")
    an_open_ticket(world, **BROKEN)

    assert "Revision 2 is in force" in shown
    with reading(world.tenant.id):
        assert not Draft.objects.exists()
        said = AuditEntry.objects.filter(act="policy_revised").latest("id")
    assert said.after == {"number": 2}
    later = ticket(world, number=2)
    assert later.team_id is not None
    assert later.team_id != world.tier_1.id


def test_a_draft_is_thrown_away(world: World, ada: Client) -> None:
    deed(ada, "remove", rule=0)
    deed(ada, "drop")

    assert order(ada)[0] == "critical-technical"
    with reading(world.tenant.id):
        assert not Draft.objects.exists()


@pytest.mark.parametrize(("act", "tag"), [("shadow", "in shadow"), ("off", "off")])
def test_a_rule_is_put_in_another_mode_and_back(ada: Client, act: str, tag: str) -> None:
    shown = deed(ada, act, rule=0)
    assert f'critical-technical</a> <span class="tag">{tag}</span>' in shown

    assert 'class="tag"' not in deed(ada, "active", rule=0)


def test_a_clone_stands_above_in_shadow(ada: Client) -> None:
    shown = deed(ada, "clone", rule=1)

    assert order(ada)[1:3] == ["security-2", "security"]
    assert 'security-2</a> <span class="tag">in shadow</span>' in shown


def test_who_did_not_see_the_latest_changes_does_not_write_over_them(ada: Client) -> None:
    deed(ada, "down", rule=0)
    answer = ada.post(f"{RULES}/act", {"deed": "remove", "seen": "0", "rule": 0}, follow=True)

    assert "Somebody else has changed the draft meanwhile" in answer.content.decode()
    assert order(ada)[:2] == ["security", "critical-technical"]


def test_a_rule_that_cannot_be_read_is_refused_with_its_place_and_nothing_typed_is_lost(ada: Client) -> None:
    status, shown = a_rule(ada, condition="is_vp == true")

    assert status == 422
    assert "is_vp" in shown
    assert "Did you mean 'is_vip'?" in shown
    assert order(ada)[-1] == "technical"


def test_a_rule_that_can_never_match_is_refused(ada: Client) -> None:
    status, shown = a_rule(ada, condition="category == 'billing' AND amount > 20000", mode="active")

    assert status == 422
    assert "Never gets a ticket: 'large-bill' above takes all of them." in shown


def test_a_rule_for_nobody_is_refused(ada: Client) -> None:
    status, shown = a_rule(ada, notify="security_laed")

    assert status == 422
    assert "There is no post 'security_laed'." in shown


def test_a_skill_that_nobody_has_is_told_where_the_rule_is_shown_and_keeps_it_from_nothing(
    world: World, ada: Client
) -> None:
    hint = "Nobody in the team 'tier-1' has the skill 'cobol': anybody there is given these tickets."
    given = {"name": "old", "condition": "text CONTAINS 'cobol'", "where": "team:tier-1", "skills": "cobol"}
    assert "Nobody in the team" not in page(ada), "the standard rules ask for nothing in vain"

    preview = html.unescape(ada.post(f"{RULES}/rules/new/preview", given).content.decode())
    status, _ = a_rule(ada, **given)

    assert hint in preview
    assert status == 302
    assert re.search(rf"<h2><a[^>]*>old</a>.*?{re.escape(hint)}", page(ada), re.DOTALL)
    assert hint in page(ada, f"{RULES}/text")
    deed(ada, "publish")
    assert in_force(world)[-1] == "old"


def test_the_preview_names_the_tickets_a_rule_would_take(world: World, ada: Client) -> None:
    an_open_ticket(world, **BROKEN)
    given = {
        "name": "mail",
        "condition": "text CONTAINS 'crashes'",
        "where": "team:product",
        "mode": "shadow",
    }

    answer = ada.post(f"{RULES}/rules/new/preview", given)

    shown = html.unescape(answer.content.decode())
    assert shown.startswith('<section class="card" id="preview"')
    assert "it matches 1 and takes 0." in shown, "the rule for technical tickets stands above"
    assert "The rest is taken by rules above it." in shown


def test_the_text_is_kept_with_its_faults_and_not_put_in_force(world: World, ada: Client) -> None:
    broken = "rules:\n  # mine\n  - {name: a, condition: 'catgory == 1', team: billing}\n"
    answer = ada.post(f"{RULES}/text", {"source": broken, "seen": "0"})

    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "line 3, column 26" in shown
    assert "# mine" in shown
    with reading(world.tenant.id):
        assert Draft.objects.get().source == broken
    assert "These rules cannot be put in force yet." in page(ada)
    ada.post(f"{RULES}/act", {"deed": "publish", "seen": "1"})
    assert in_force(world)[0] == "critical-technical"


def test_a_draft_that_cannot_be_read_stands_beside_the_rules_in_force(world: World, ada: Client) -> None:
    an_open_ticket(world, **BROKEN)
    broken = "rules:\n  # mine\n  - {name: a, condition: 'catgory == 1', team: billing}\n"
    ada.post(f"{RULES}/text", {"source": broken, "seen": "0"})

    shown = page(ada)
    main = shown[shown.index("<main") :]

    assert "line 3, column 26" in main
    assert "# mine" in main.partition('id="source-text"')[2].partition("</textarea>")[0]
    assert "Meanwhile the rules in force go on" in main
    assert (
        main.index("Meanwhile") < main.index("<h2>critical-technical</h2>") < main.index("<h2>technical</h2>")
    )
    assert "takes 1 ticket" in main
    assert f"{RULES}/rules/" not in main, "what is in force is changed by a draft that can be read"
    assert 'value="remove"' not in main
    assert "Meanwhile" not in deed(ada, "drop")
    assert order(ada)[0] == "critical-technical"


def test_what_no_rule_takes_goes_where_the_learned_model_would_send_it(world: World, ada: Client) -> None:
    """As the tickets themselves went, so that the page says of none that it would go elsewhere now."""
    a_customer(world, tier="starter")
    teams_are_learned(world)
    taught = [comes_in(world, "another florin levy on the ledger").number for _ in range(3)]
    comes_in(world, "Skrivaren på vinden låter konstigt igen")
    with writing(world.tenant.id):
        Ticket.objects.exclude(number__in=[*taught, taught[-1] + 1]).update(status="void")

    rest = page(ada).partition("Everything else")[2][:900]
    tried = page(ada, f"{RULES}/try?number={taught[0]}")

    assert "where the learned model is sure, to its team instead: Billing (3)" in rest
    assert "takes 4 tickets" in rest
    assert "went elsewhere" not in rest
    assert "No rule holds: the learned model sends it to Billing." in tried


def test_asking_the_learned_model_costs_no_statement_for_each_ticket(world: World, ada: Client) -> None:
    a_customer(world, tier="starter")
    teams_are_learned(world)

    def cost() -> int:
        with CaptureQueriesContext(connection) as sent:
            page(ada)
        return len(sent)

    page(ada)  # the model is read once for the process
    before = cost()
    for _ in range(4):
        comes_in(world, "another florin levy on the ledger")

    assert cost() == before


def test_a_rule_is_tried_on_what_a_ticket_is_now(world: World, ada: Client) -> None:
    name = an_open_ticket(world, **BROKEN)
    understand.correct(name, Reading(category="billing"), by=world.bo, now=MONDAY_9)

    shown = page(ada)

    assert "takes 1 ticket" in shown.partition(">billing</a>")[2][:900]
    assert "takes 0 tickets" in shown.partition(">technical</a>")[2][:900]


def test_rules_are_tried_on_a_ticket(world: World, ada: Client) -> None:
    an_open_ticket(world, **BROKEN)
    shown = page(ada, f"{RULES}/try?number=1")

    assert "technical sends it to Tier-1." in shown
    assert "went to Tier-1 by technical" in shown
    assert re.search(r"<strong>Bo Ek</strong> would get it", shown)
    assert "category == 'billing': technical" in shown
    assert "There is no ticket by that number." in page(ada, f"{RULES}/try?number=77")


def test_a_draft_made_before_somebody_published_is_not_put_over_it(world: World, ada: Client) -> None:
    deed(ada, "down", rule=0)
    with reading(world.tenant.id):
        draft = Draft.objects.get()
    from flowdesk.flows import reconfigure

    manager = world.ada.__class__(
        tenant=world.tenant.id, role=Role.MANAGER, kind=world.ada.kind, id=world.ada.id
    )
    reconfigure.write_section("routing", "rules: []\notherwise: {team: tier-1}\n", by=manager, now=MONDAY_9)

    shown = deed(ada, "publish")

    assert "Somebody else has put other rules in force meanwhile." in shown
    assert in_force(world) == []
    with reading(world.tenant.id):
        assert Draft.objects.get().source == draft.source
        assert current_policy().number == 2


@pytest.mark.parametrize("address", ["", "/text", "/try", "/rules/new", "/rules/0"])
def test_an_agent_sees_nothing_of_it(world: World, address: str) -> None:
    bo = logged_in("bo@global.example")

    assert bo.get(RULES + address).status_code == 403
    assert "Routing rules" not in bo.get("/flow/inbox").content.decode()


@pytest.mark.parametrize("address", ["/rules/99", "/rules/x", "/rules/-1"])
def test_a_rule_that_is_not_there_is_not_found(ada: Client, address: str) -> None:
    assert ada.get(RULES + address).status_code == 404


def test_an_act_that_is_not_one_is_not_found(ada: Client) -> None:
    assert ada.post(f"{RULES}/act", {"deed": "explode", "seen": "0", "rule": "0"}).status_code == 404
    assert ada.post(f"{RULES}/act", {"deed": "up", "seen": "0", "rule": "99"}).status_code == 404
