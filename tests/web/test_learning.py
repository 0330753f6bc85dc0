"""The page of learned models."""

from __future__ import annotations

import html
import re
import threading
from datetime import timedelta

import pytest
from django.test import Client

from flowdesk.accounts.models import Membership
from flowdesk.core.actor import Role, system
from flowdesk.core.tenant import reading
from flowdesk.flows import learn
from flowdesk.triage.learned import name_of
from flowdesk.triage.models import LearnedModel
from flowdesk.worker.jobs.queue import work_off
from tests.builders import MONDAY_9, World, a_customer
from tests.flows.story import a_staffed_world
from tests.flows.test_learn import a_past
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

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
