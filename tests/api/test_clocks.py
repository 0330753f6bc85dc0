"""Clocks, ledgers and explanations over HTTP."""

from datetime import timedelta

import pytest

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.flows import escalate
from flowdesk.tickets.models import Ticket
from tests.api.desk import Desk, a_desk

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MINUTES = timedelta(minutes=1)


def sweep(desk: Desk) -> None:
    with reading(desk.world.tenant.id):
        due = list(Ticket.objects.filter(wake_at__lte=desk.now).values_list("id", flat=True))
    escalate.wake(due, by=system(desk.world.tenant.id), now=desk.now)


def test_a_ledger_tells_the_clocks_whole_story() -> None:
    desk = a_desk()
    path = f"/tickets/{desk.open()['id']}"
    with desk.later(30 * MINUTES):
        sweep(desk)
        desk.post(f"{path}/replies", {"text": "Sorry.", "wait": True})
    with desk.later(90 * MINUTES):
        desk.post(f"{path}/messages", {"text": "Here is the log."})
        clocks = {(clock["metric"], clock["cycle"]): clock for clock in desk.get(f"{path}/clocks")}

    first, resolution = clocks["first_response", 1], clocks["resolution", 1]
    story = [(entry["what"], entry["percent"]) for entry in first["ledger"]]
    assert story == [
        ("started", None),
        ("step", 50),
        ("step", 75),
        ("step", 90),
        ("missed", None),
        ("step", 100),
        ("step", 125),
        ("stopped", None),
    ]
    assert first["outcome"] == "missed"
    assert first["because"] == "P1, enterprise: 15 m"
    assert [(entry["what"], entry["reasons"]) for entry in resolution["ledger"]] == [
        ("started", []),
        ("paused", ["customer"]),
        ("resumed", []),
    ]
    assert resolution["due_at"] == "2026-06-15T12:00:00Z"
    assert resolution["ledger"][-1]["due_at"] == resolution["due_at"]
    assert resolution["percent"] == 12.5
    assert resolution["left_minutes"] == 210


def test_explain_names_rule_inputs_failed_conditions_and_revision() -> None:
    desk = a_desk()
    ticket = desk.open()

    found = desk.get(f"/tickets/{ticket['id']}/explain")

    subjects = {one["subject"]: one["trace"] for one in found["decisions"]}
    assert found["policy_revision"] == 1
    assert {"triage", "priority", "routing"} <= set(subjects)
    assert any(reason["code"] == "set_by_agent" for reason in subjects["priority"]["reasons"])
    assert subjects["routing"]["assignment"]["agent"]["id"] == ticket["assignee"]["id"]
    assert subjects["routing"]["assignment"]["verdicts"][0]["agent"]["name"]
    changed = {one["subject"] for one in found["would_have_changed"]}
    assert changed >= {"priority", "first_response", "resolution"}
    assert {one["metric"] for one in found["promises"]} >= {"first_response", "resolution"}


def test_explain_tells_what_would_have_changed_each_decision() -> None:
    desk = a_desk()
    words = {"subject": "Refund", "text": "Please refund the invoice; the login is broken."}
    ticket = desk.post("/tickets", {**words, "email": "maja@nordvik.example", "tier": "starter"})

    found = desk.get(f"/tickets/{ticket['id']}/explain")["would_have_changed"]

    told = {(one["subject"], one["code"], one["result"]) for one in found}
    assert ("category", "if_more_words") in {one[:2] for one in told}
    assert ("priority", "if_vip") in {one[:2] for one in told}
    assert ("first_response", "if_tier") in {one[:2] for one in told}
    assert ("team", "if_held", "billing") in told
    rule = next(one for one in found if one["subject"] == "team")
    assert rule["params"]["failed"].count(";") == 0, "the rule that lacked least comes first"
