"""Triage, rules, assignments and absences over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.people.models import Agent, Post, Shift, TeamMember
from flowdesk.routing.bulks import keep_bulk, name_of
from flowdesk.routing.models import Bulk, BulkKind
from tests.api.desk import Desk, a_desk, fields, good, refused
from tests.builders import a_customer, a_world
from tests.flows.test_learn import comes_in, teams_are_learned
from tests.policies.test_pack_rules import older_pack

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

VAGUE = {"subject": "Hello", "text": "Could somebody ring me about things?", "priority": None}
BROKEN = {
    "subject": "The export crashes",
    "text": "It crashes with an error message, it is broken.",
    "priority": None,
}
RULES = """\
rules:
  - {name: mail, condition: "channel == 'api'", team: billing, strategy: least_loaded}
otherwise: {team: tier-1}
"""


@pytest.fixture
def desk() -> Desk:
    desk = a_desk()
    with writing(desk.world.tenant.id):
        for slug in ("manager_escalation", "security_lead", "account_manager"):
            Post.objects.create(tenant=desk.world.tenant, slug=slug, name=slug)
    return desk


def opened(desk: Desk, words: dict[str, Any]) -> Any:
    return desk.open(**{name: value for name, value in words.items() if value is not None}, priority="P3") \
        if words.get("priority") else desk.post("/tickets", {
            "email": "maja@nordvik.example", "customer_name": "Nordvik Retail",
            **{name: value for name, value in words.items() if value is not None},
        })  # fmt: skip


def test_what_was_read_without_certainty_is_listed_and_corrected(desk: Desk) -> None:
    ticket = opened(desk, VAGUE)
    assert (ticket["category"], ticket["confidence"], ticket["needs_review"]) == ("", 0, True)

    listed = desk.get("/triage/queue")["items"]
    fixed = desk.patch(
        f"/tickets/{ticket['id']}/triage", {"category": "billing", "impact": "high", "reroute": True}
    )

    assert [one["ticket"]["id"] for one in listed] == [ticket["id"]]
    assert (fixed["category"], fixed["confidence"], fixed["needs_review"]) == ("billing", None, False)
    assert fixed["team"]["slug"] == "billing"
    assert desk.get("/triage/queue")["items"] == []


def test_a_reading_is_confirmed_once(desk: Desk) -> None:
    path = f"/tickets/{opened(desk, VAGUE)['id']}/triage"

    assert desk.post(f"{path}/confirm")["needs_review"] is False
    refused(desk.call("POST", f"{path}/confirm", {}), 409)


def test_a_bad_correction_names_its_fields(desk: Desk) -> None:
    path = f"/tickets/{opened(desk, VAGUE)['id']}/triage"

    wrong = refused(desk.call("PATCH", path, {"category": "gardening", "subcategory": "weeds"}), 422)
    odd = refused(desk.call("PATCH", path, {"impact": "huge", "complexity": 9}), 422)

    assert fields(wrong) == {"category", "subcategory"}
    assert fields(odd) == {"impact", "complexity"}


def test_a_correction_of_a_ticket_that_has_changed_is_refused(desk: Desk) -> None:
    ticket = opened(desk, VAGUE)
    path = f"/tickets/{ticket['id']}"
    desk.post(f"{path}/notes", {"text": "Hm."})

    answer = desk.call(
        "PATCH", f"{path}/triage", {"category": "billing"}, headers={"If-Match": f'"{ticket["version"]}"'}
    )
    refused(answer, 412)


def test_rules_are_checked_with_line_and_column(desk: Desk) -> None:
    text = "rules:\n  - {name: a, condition: \"categry == 'x'\", team: biling}\n"

    faults = desk.post("/routing/check", {"source": text})["faults"]

    assert [(one["line"], one["column"]) for one in faults] == [(2, 26), (2, 50)]
    assert "did you mean 'category'" in faults[0]["reason"]
    assert "did you mean 'billing'" in faults[1]["reason"]
    assert desk.post("/routing/check", {"source": RULES})["faults"] == []


def test_a_skill_that_nobody_has_is_a_hint_and_keeps_nothing_from_being_put_in_force(desk: Desk) -> None:
    text = "rules:\n  - {name: a, condition: \"channel == 'api'\", team: tier-1, skills: [cobol]}\n"

    checked = desk.post("/routing/check", {"source": text})

    assert checked["faults"] == []
    assert checked["hints"] == [
        {
            "path": "routing.rules[0].skills", "line": 2, "column": 68,
            "reason": "nobody in the team 'tier-1' has the skill 'cobol': anybody there is given these tickets",
        }
    ]  # fmt: skip
    assert desk.post("/routing/check", {"source": text.replace("cobol", "api_expert")})["hints"] == []
    good(desk.call("PUT", "/routing/rules", {"source": text}))
    assert opened(desk, BROKEN)["assignee"]["name"] == "Bo Ek", "who has none of it"


def test_rules_are_put_in_force_by_who_has_seen_the_last_ones(desk: Desk) -> None:
    seen = desk.get("/routing/rules")
    assert seen["rules"][0]["name"] == "critical-technical"
    assert seen["rules"][0]["sla_target_minutes"] == 15

    made = good(
        desk.call("PUT", "/routing/rules", {"source": RULES}, headers={"If-Match": f'"{seen["version"]}"'})
    )
    late = desk.call("PUT", "/routing/rules", {"source": RULES}, headers={"If-Match": f'"{seen["version"]}"'})

    assert made["revision"] == seen["revision"] + 1
    assert [rule["name"] for rule in made["rules"]] == ["mail"]
    refused(late, 412)
    assert opened(desk, BROKEN)["team"]["slug"] == "billing"


def test_rules_that_cannot_be_read_are_not_put_in_force(desk: Desk) -> None:
    refused(desk.call("PUT", "/routing/rules", {"source": "rules: [{name: a}]\n"}), 422)
    for gone in (RULES.replace("billing", "partners"), RULES.replace("api'\"", "api'\", cc: [partners]")):
        assert gone != RULES
        refused(desk.call("PUT", "/routing/rules", {"source": gone}), 422)

    assert desk.get("/routing/rules")["revision"] == 1


def test_rules_are_tried_on_a_ticket_and_move_nothing(desk: Desk) -> None:
    ticket = opened(desk, BROKEN)

    now = desk.post("/routing/try", {"ticket": ticket["id"]})
    other = desk.post("/routing/try", {"ticket": ticket["id"], "source": RULES})

    assert (now["rule"], now["team"], now["agent"]["name"]) == ("technical", "tier-1", "Bo Ek")
    assert now["tried"][1]["failed"] == ["category == 'security': technical"]
    assert (other["rule"], other["team"]) == ("mail", "billing")
    assert desk.get(f"/tickets/{ticket['id']}")["team"]["slug"] == "tier-1"
    refused(desk.call("POST", "/routing/try", {"ticket": "tkt_1"}), 422)
    refused(desk.call("POST", "/routing/try", {"ticket": ticket["id"], "source": "rules: x"}), 422)


def test_trying_rules_needs_the_right_to_read() -> None:
    blind = a_desk(scopes=["configure", "open"])

    refused(blind.call("POST", "/routing/try", {"ticket": "tkt_1"}), 403)


def siv(desk: Desk) -> str:
    """One more for tier 1, round the clock."""
    world = desk.world
    with writing(world.tenant.id):
        agent = Agent.objects.create(
            tenant=world.tenant, public_id=uuid4(), name="Siv Ny", email="siv@global.example", created_at=desk.now,
            languages=["en", "sv"],
        )  # fmt: skip
        TeamMember.objects.create(tenant=world.tenant, team=world.tier_1, agent=agent)
        shift = Shift.objects.filter(agent=world.bo_agent).first()
        assert shift is not None
        shift.pk, shift.agent_id = None, agent.id
        shift.save(force_insert=True)
    return shown("agt", agent.public_id)


def test_rules_are_tried_as_routing_goes_with_the_learned_model(desk: Desk) -> None:
    a_customer(desk.world, tier="starter")
    teams_are_learned(desk.world)
    ticket = comes_in(desk.world, "another florin levy on the ledger")

    tried = desk.post("/routing/try", {"ticket": shown("tkt", ticket.public_id)})

    assert (tried["rule"], tried["team"]) == (None, "billing")


def test_a_team_is_planned_evened_out_and_put_back(desk: Desk) -> None:
    for _ in range(2):
        opened(desk, BROKEN)
    bo = shown("agt", desk.world.bo_agent.public_id)
    away = desk.post(f"/agents/{bo}/absences", {"starts_at": desk.now.isoformat(), "substitute": siv(desk)})

    plan = desk.get("/teams/tier-1/balance")
    handed = desk.post("/teams/tier-1/balance", {"moves": plan["moves"]})
    listed = desk.get("/assignments", bulk=handed["bulk"])["items"]
    undone = desk.post(f"/assignments/bulks/{handed['bulk']}/undo")

    assert away["substitute"]["name"] == "Siv Ny"
    assert [move["reason"] for move in plan["moves"]] == ["away", "away"]
    assert (handed["moved"], handed["kept"]) == (2, 0)
    assert [(one["agent_before"]["name"], one["agent"]["name"], one["because"]) for one in listed] == [
        ("Bo Ek", "Siv Ny", "rebalanced")
    ] * 2
    assert undone["moved"] == 2
    assert [(one["kind"], one["is_undone"]) for one in desk.get("/assignments/bulks")["items"]] == [
        ("undone", False),
        ("rebalanced", True),
    ]
    again = refused(desk.call("POST", f"/assignments/bulks/{handed['bulk']}/undo", {}), 409)
    assert again["code"] == "already_undone"


def test_assignments_are_paged_newest_first(desk: Desk) -> None:
    for _ in range(3):
        opened(desk, BROKEN)

    first = desk.get("/assignments", limit=2)
    second = desk.get("/assignments", limit=2, cursor=first["next"])

    numbers = [one["ticket"]["number"] for one in [*first["items"], *second["items"]]]
    assert numbers == [3, 2, 1]
    assert second["next"] is None
    refused(desk.call("GET", "/assignments", agent=shown("agt", desk.world.tier_1.public_id)), 422)


def test_many_moves_are_read_in_as_many_statements_as_one(desk: Desk) -> None:
    tickets = [opened(desk, BROKEN)["id"] for _ in range(3)]
    there, gone = shown("agt", desk.world.bo_agent.public_id), shown("agt", uuid4())
    counts = []
    for count in (1, 3):
        moves = [{"ticket": name, "before": there, "after": gone} for name in tickets[:count]]
        with CaptureQueriesContext(connection) as asked:
            wrong = refused(desk.call("POST", "/teams/tier-1/balance", {"moves": moves}), 422)
        counts.append(len(asked))
        assert fields(wrong) == {f"moves.{number}.after" for number in range(count)}

    assert counts[0] == counts[1]


def test_bulks_are_paged_newest_first(desk: Desk) -> None:
    with writing(desk.world.tenant.id):
        for minute in (0, 1, 1):
            at = desk.now + timedelta(minutes=minute)
            keep_bulk(uuid4(), [], kind=BulkKind.DRAINED, by=desk.world.ada, at=at)
        newest = [name_of(row.public_id) for row in Bulk.objects.order_by("-id")]

    first = desk.get("/assignments/bulks", limit=2)
    second = desk.get("/assignments/bulks", limit=2, cursor=first["next"])

    assert [one["id"] for one in [*first["items"], *second["items"]]] == newest
    assert second["next"] is None


@pytest.mark.parametrize("team", ["partners", "%00", "tem_%00", "tem_1"])
def test_the_balance_of_a_team_that_is_not_there_is_not_found(desk: Desk, team: str) -> None:
    refused(desk.call("GET", f"/teams/{team}/balance"), 404)
    bo = shown("agt", desk.world.bo_agent.public_id)
    move = {"ticket": "tkt_1", "before": bo, "after": bo}
    refused(desk.call("POST", f"/teams/{team}/balance", {"moves": [move]}), 404)


def test_an_agent_is_changed_and_routing_goes_by_it(desk: Desk) -> None:
    bo = shown("agt", desk.world.bo_agent.public_id)

    changed = desk.patch(f"/agents/{bo}", {"capacity": 1, "skills": ["SQL", "sql "], "channels": ["chat"]})
    opened(desk, BROKEN)
    waiting = opened(desk, BROKEN)

    assert (changed["capacity"], changed["skills"], changed["channels"]) == (1, ["sql"], ["chat"])
    assert waiting["assignee"] is None
    assert [one["load"] for one in desk.get("/agents")["items"] if one["id"] == bo] == [2], "a P2 weighs two"
    odd = refused(desk.call("PATCH", f"/agents/{bo}", {"capacity": -1, "channels": ["pigeon"]}), 422)
    assert fields(odd) == {"capacity", "channels.0"}


def test_an_absence_is_noted_listed_and_ended(desk: Desk) -> None:
    bo = shown("agt", desk.world.bo_agent.public_id)
    path = f"/agents/{bo}/absences"
    later = desk.now + timedelta(days=2)

    noted = desk.post(path, {"starts_at": desk.now.isoformat(), "ends_at": later.isoformat()})
    assert opened(desk, BROKEN)["assignee"] is None
    desk.post(f"/absences/{noted['id']}/end")

    assert desk.get(path) == []
    assert opened(desk, BROKEN)["assignee"]["name"] == "Bo Ek"
    bad = {"starts_at": later.isoformat(), "ends_at": desk.now.isoformat(), "substitute": bo}
    assert fields(refused(desk.call("POST", path, bad), 422)) == {"ends_at", "substitute"}


def test_tasks_are_listed_by_deadline(desk: Desk) -> None:
    first, second = opened(desk, BROKEN), opened(desk, BROKEN)
    desk.post(f"/tickets/{first['id']}/replies", {"text": "We look."})

    open_ones = desk.get("/tasks", is_open=True)["items"]
    done = desk.get("/tasks", is_open=False)["items"]

    assert [one["ticket"]["id"] for one in open_ones] == [second["id"]]
    assert [(one["kind"], one["outcome"]) for one in done] == [("first_investigation", "done")]
    with reading(desk.world.tenant.id):
        bo = shown("agt", desk.world.bo_agent.public_id)
    assert len(desk.get("/tasks", agent=bo)["items"]) == 2


def test_what_the_standard_pack_has_got_since_is_listed() -> None:
    desk = a_desk(a_world(policy=older_pack()))

    rules = desk.get("/policy/lacking")["rules"]

    assert [(one["section"], one["list"], one["name"]) for one in rules] == [
        ("escalation", "events", "recurring_issue"),
        ("routing", "rules", "integration"),
    ]
    assert "team: devrel" in rules[1]["text"]
    refused(a_desk(desk.world, scopes=["read"]).call("GET", "/policy/lacking"), 403)
