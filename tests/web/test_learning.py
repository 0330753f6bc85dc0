"""The page of learned models."""

from __future__ import annotations

import ast
import html
import re
import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import translation

from flowdesk.accounts.models import Membership
from flowdesk.core.actor import Role, system
from flowdesk.core.tenant import reading, writing
from flowdesk.flows import learn
from flowdesk.triage.learned import name_of
from flowdesk.triage.models import LearnedModel
from flowdesk.web.learning.fill import NOTES
from flowdesk.worker.jobs.queue import work_off
from tests.builders import MONDAY_9, World, a_customer
from tests.flows.story import a_staffed_world
from tests.flows.test_learn import a_past
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

PACKAGE = Path(__file__).parents[2] / "flowdesk"
PAGE, DEED = "/flow/settings/learning", "/flow/settings/learning/act"


@pytest.fixture
def world() -> World:
    world = a_staffed_world()
    a_customer(world, tier="starter")
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.MANAGER)
    return world


def page(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def send(client: Client, **form: str) -> str:
    answer = client.post(DEED, form, follow=True)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def models(world: World) -> list[tuple[str, str]]:
    with reading(world.tenant.id):
        return list(LearnedModel.objects.order_by("id").values_list("target", "state"))


def test_a_training_is_begun_on_the_page_and_done_by_the_worker(world: World) -> None:
    ada = logged_in("ada@global.example")
    a_past(world)
    assert "Nothing has been learned yet." in page(ada)

    begun = send(ada, deed="train", target="category")
    assert "The training has begun" in begun
    assert 'hx-trigger="every 2s"' in begun
    stop = threading.Event()
    worker = threading.Thread(target=work_off, args=(stop,))
    worker.start()
    try:
        for _ in range(300):
            if models(world) != [("category", "training")]:
                break
            stop.wait(0.1)
    finally:
        stop.set()
        worker.join()

    assert models(world) == [("category", "in_use")]
    shown = page(ada)
    assert "Version 1 is asked." in shown
    assert "Better than the rules" in shown
    assert re.search(r"Billing</dt><dd>right \d+", shown)
    assert 'hx-trigger="every 2s"' not in shown


def test_a_model_is_put_aside_and_asked_again(world: World) -> None:
    ada = logged_in("ada@global.example")
    a_past(world)
    row = learn.begin_training("category", by=system(world.tenant.id), now=MONDAY_9 + timedelta(days=1))
    learn.train(
        name_of(row.public_id), by=system(world.tenant.id), clock=lambda: MONDAY_9 + timedelta(days=1)
    )

    aside = send(ada, deed="aside", model=name_of(row.public_id))
    assert "The rules decide again" in aside
    again = send(ada, deed="promote", model=name_of(row.public_id))

    assert "Version 1 is asked from now on" in again


def test_an_agent_teaches_nothing(world: World) -> None:
    bo = logged_in("bo@global.example")

    assert bo.get(PAGE).status_code == 403
    assert bo.post(DEED, {"deed": "train", "target": "category"}).status_code == 403
    assert models(world) == []


def test_a_model_that_cannot_be_read_is_said_to_be_so(world: World) -> None:
    with writing(world.tenant.id):
        LearnedModel.objects.create(
            tenant=world.tenant, public_id=uuid4(), target="team", version=1, state="in_use", data=b"old",
            begun_at=MONDAY_9,
        )  # fmt: skip

    assert "This version cannot read it, so the rules decide: train anew." in page(
        logged_in("ada@global.example")
    )


def said_by_trainings() -> set[str]:
    """What a training tells and why one fails, `7` standing for a value."""
    found = set()
    for name in ("flows/learn.py", "learning/training.py"):
        for node in ast.walk(ast.parse((PACKAGE / name).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("tell", "_tell", "CannotLearn"):
                found |= {said for part in node.args for said in words_of(part)}
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "fault":
                found |= set(words_of(node.value))
            elif isinstance(node, ast.ClassDef) and node.name == "NoTrainer":
                found.add((ast.get_docstring(node) or "").strip())
    return found


def words_of(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in node.values)]
    return []


def test_what_a_training_says_is_said_in_swedish_too() -> None:
    said = {
        one for one in said_by_trainings() if not one.startswith("the label 7")
    }  # no ticket's label is so long
    assert len(said) > 8

    with translation.override("sv"):
        swedish = {one: NOTES.said(one) for one in said}
    with translation.override("en"):
        assert {one for one in said if swedish[one] == NOTES.said(one)} == set()
