"""The audit log as a page: who may see it, what it says of each act, and that taking it away is told."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import psycopg
import pytest
from django.test import Client

from flowdesk.accounts.audit import AuditAct
from flowdesk.accounts.audit_chain import seal_audit
from flowdesk.accounts.models import AuditEntry, Membership, User
from flowdesk.accounts.services import create_key
from flowdesk.core.actor import Role, system
from flowdesk.core.ids import shown
from flowdesk.core.processes import watch
from flowdesk.core.tenant import reading
from flowdesk.flows import reconfigure
from flowdesk.people.services import CustomerCard
from flowdesk.web.audit.words import ACTS
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.database import ThrowawayDatabase
from tests.web.desk import PASSWORD
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
PAGE = "/flow/settings/audit"


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def world() -> World:
    """A desk where a key was made and a customer got a new tier."""
    world = a_world()
    create_key("exports", scopes=["read"], by=system(world.tenant.id), now=MONDAY_9)
    customer = shown("cus", a_customer(world, tier="starter").public_id)
    reconfigure.change_terms(customer, card=CustomerCard(tier="enterprise"), by=world.ada, now=MONDAY_9)
    return world


def seen_as(role: Role, world: World) -> Client:
    user = User.objects.create_user(f"{role}@global.example", PASSWORD, name="Eve Berg")
    Membership.objects.create(user=user, tenant=world.tenant, role=role)
    return logged_in(f"{role}@global.example")


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.AGENT, 403), (Role.LEAD, 403), (Role.MANAGER, 403), (Role.ADMIN, 200), (Role.AUDITOR, 200)],
)
def test_admins_and_auditors_look_and_nobody_else(world: World, role: Role, status: int) -> None:
    client = seen_as(role, world)

    assert client.get(PAGE).status_code == status
    assert client.post(f"{PAGE}/export").status_code == status
    assert (PAGE in client.get("/flow/inbox").content.decode()) == (status == 200)


def test_another_tenants_acts_are_not_shown(world: World) -> None:
    other = a_world("other")
    create_key("their-secret-project", scopes=["read"], by=system(other.tenant.id), now=MONDAY_9)

    assert "their-secret-project" not in text(seen_as(Role.ADMIN, world))


def test_an_act_says_who_what_and_the_change(world: World) -> None:
    html = text(seen_as(Role.AUDITOR, world))

    assert "Customer changed" in html
    assert "customer Nordvik Retail" in html
    assert "Ada Lind" in html
    assert "<s>starter</s> enterprise" in html
    assert "API key exports" in html


def test_every_act_has_its_words() -> None:
    assert {act.value for act in AuditAct} <= set(ACTS)


def test_the_page_speaks_swedish(world: World) -> None:
    client = seen_as(Role.AUDITOR, world)
    User.objects.filter(email__startswith="auditor").update(language="sv")

    assert "Kund ändrad" in text(client)


@pytest.mark.parametrize(
    ("query", "shows", "hides"),
    [
        ("?act=key_created", "API key exports", "customer Nordvik"),
        ("?who=user:{ada}", "customer Nordvik", "API key exports"),
        ("?who=system", "API key exports", "customer Nordvik"),
        ("?until=2020-01-01", "Nothing to show", "customer Nordvik"),
        ("?since=nonsense&until=9999-12-31&who=user:x&before=x", "customer Nordvik", "Nothing to show"),
    ],
)
def test_the_filters_choose(world: World, query: str, shows: str, hides: str) -> None:
    html = text(seen_as(Role.AUDITOR, world), query.format(ada=world.ada.id))

    rows = html.partition("<tbody")[2] or html
    assert shows in rows
    assert hides not in rows


def test_pages_follow_one_another_without_a_gap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdesk.web.audit.fill.PAGE", 2)
    client = seen_as(Role.AUDITOR, world)
    with reading(world.tenant.id):
        entries = AuditEntry.objects.count()

    seen, query = 0, ""
    for _page in range(entries):
        html = text(client, query)
        seen += html.count('<th role="rowheader"')
        more = re.search(rf'href="{PAGE}(\?before=\d+)"', html)
        if more is None:
            break
        query = more[1]

    assert seen == entries > 2


def test_a_broken_seal_is_shown_at_its_line(world: World, migrated_database: ThrowawayDatabase) -> None:
    seal_audit(now=MONDAY_9)
    client = seen_as(Role.AUDITOR, world)
    assert "does not match its seal" not in text(client)

    with psycopg.connect(migrated_database.admin, autocommit=True) as vandal:
        vandal.execute("update accounts_auditentry set actor_id = 99 where act = 'customer_changed'")

    html = text(client)
    assert "1 line on this page does not match its seal" in html
    assert html.count("broken</span>") == 1


def test_taking_the_log_away_is_an_act_in_it(world: World) -> None:
    client = seen_as(Role.AUDITOR, world)
    answer = client.post(f"{PAGE}/export", {"act": "", "who": f"user:{world.ada.id}"})
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]

    rows = list(csv.DictReader(io.StringIO(body)))
    assert answer["Content-Type"].startswith("text/csv")
    assert [row["act"] for row in rows] == ["customer_changed"]
    assert rows[0]["actor_id"] == str(world.ada.id)
    assert "Nordvik" not in body  # ids and enumerations
    with reading(world.tenant.id):
        noted = AuditEntry.objects.get(act="audit_exported")
    assert noted.after == {"actor_kind": "user", "actor_id": world.ada.id}


def test_an_export_is_longer_than_one_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdesk.accounts.audit.CSV_PART", 2)
    answer = seen_as(Role.AUDITOR, world).post(f"{PAGE}/export")

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    with reading(world.tenant.id):
        assert [int(row["id"]) for row in rows] == list(
            AuditEntry.objects.order_by("id").values_list("id", flat=True)
        )


@pytest.mark.parametrize(("role", "is_told"), [(Role.AGENT, False), (Role.LEAD, False), (Role.MANAGER, True)])
def test_a_late_engine_is_told_to_who_can_have_it_mended(
    world: World, monkeypatch: pytest.MonkeyPatch, role: Role, is_told: bool
) -> None:
    client = seen_as(role, world)
    assert "The engine is late." not in client.get("/flow/tickets/sla").content.decode()

    monkeypatch.setattr(watch, "note", "worker_silent")

    assert ("The engine is late." in client.get("/flow/tickets/sla").content.decode()) == is_told
