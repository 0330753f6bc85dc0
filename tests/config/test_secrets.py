"""No secret and no word of a person ever reaches a log: a whole day's work is lived, and all that was said searched."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from flowdesk.accounts.audit_chain import seal_audit
from flowdesk.accounts.models import Membership, User
from flowdesk.core.actor import Role
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.flows import escalate
from flowdesk.notifications.services import deliver, dispatch
from flowdesk.tickets.models import Ticket
from tests.api.desk import Desk, a_desk
from tests.config.story import SECRETS, JsonLines, TextLines, captured, leaked, lines
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture(autouse=True)
def elsewhere(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.MAIL_OUTBOX = tmp_path, tmp_path / "outbox"
    return tmp_path


@pytest.fixture
def desk() -> Desk:
    desk = a_desk()
    user = User.objects.create_user(SECRETS["address"], SECRETS["password"], name=SECRETS["name"])
    Membership.objects.create(user=user, tenant=desk.world.tenant, role=Role.ADMIN)
    return desk


def live_a_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people and programs do, right and wrong, with secrets in every place that takes words."""
    words = {"subject": SECRETS["subject"], "text": SECRETS["text"], "email": SECRETS["address"]}
    ticket = desk.open(**words, customer_name=SECRETS["name"])["id"]
    desk.post(f"/tickets/{ticket}/notes", {"text": SECRETS["note"]})
    desk.call("GET", "/tickets", search=SECRETS["query"])
    desk.call("POST", "/tickets", {"subject": SECRETS["subject"], SECRETS["text"]: 1})
    desk.raw("POST", "/tickets", b'{"subject": "' + SECRETS["subject"].encode())
    desk.call("GET", f"/tickets/{SECRETS['query']}")
    Desk(desk.world, SECRETS["bad key"]).call("GET", "/tickets")

    web = Client(raise_request_exception=False)
    for password in ("wrong-" + SECRETS["password"], SECRETS["password"]):
        web.post("/login", {"login": SECRETS["address"], "password": password})
    web.get("/flow/inbox", {"q": SECRETS["query"]})
    web.get(f"/flow/tickets/{ticket}")
    web.get(f"/nowhere/{SECRETS['query']}")
    web.get("/flow/inbox", headers={"Host": SECRETS["header"], "X-Request-Id": SECRETS["header"] + "!"})
    web.post("/flow/scheduler/tickets/automations/run", headers={"Authorization": SECRETS["bad key"]})

    break_things(desk, web, monkeypatch)
    while dispatch(at=now()):
        pass
    deliver(clock=now)
    seal_audit(now=now())


def break_things(desk: Desk, web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults whose words hold a row, from the database and from Python, in a page, in the API and in the worker."""

    def of_the_database(*_: Any, **__: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("select %s::int", [SECRETS["text"]])

    def of_python(*_: Any, **__: Any) -> Any:
        password = SECRETS["password"]  # a local, too
        raise RuntimeError(f"{SECRETS['subject']} {password}")

    def of_a_row(*_: Any, **__: Any) -> Any:
        User.objects.create_user(SECRETS["address"], name="again")

    for fault in (of_the_database, of_python, of_a_row):
        with monkeypatch.context() as broken:
            broken.setattr("flowdesk.web.inbox.views.shell_of", fault)
            broken.setattr("flowdesk.flows.receive._open", fault)
            broken.setattr("flowdesk.flows.escalate._wake", fault)
            assert web.get("/flow/inbox").status_code == 500
            desk.web.raise_request_exception = False
            assert (
                desk.call(
                    "POST", "/tickets", {"subject": "x", "text": "y", "email": "a@b.example"}
                ).status_code
                >= 409
            )
            with connection.cursor() as cursor:
                cursor.execute("select set_config('app.tenant', %s, false)", [str(desk.world.tenant.id)])
                cursor.execute("update tickets_ticket set wake_at = now() - interval '1 hour'")
                cursor.execute("select set_config('app.tenant', '', false)")
            with reading(desk.world.tenant.id):
                ids = list(Ticket.objects.values_list("id", flat=True))
            escalate.wake_each(ids, by=desk.world.bo, now=now())


@pytest.mark.parametrize("form", [JsonLines, TextLines])
def test_a_days_work_leaves_no_secret_in_the_log(
    desk: Desk,
    form: type[logging.Formatter],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with captured(form) as log:
        live_a_day(desk, monkeypatch)

    printed = capfd.readouterr()
    assert leaked(log.getvalue()) == []
    assert leaked(printed.out + printed.err) == []
    assert desk.key not in log.getvalue() + printed.err
    assert log.getvalue().count("wake_failed") == 3  # and it did tell what broke
    assert log.getvalue().count("request_served") > 15


def test_the_log_tells_what_broke_and_for_whom(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with captured() as log:
        live_a_day(desk, monkeypatch)

    said = lines(log)
    served = [line for line in said if line["event"] == "request_served"]
    made = next(line for line in served if line["method"] == "POST" and line["status"] == 201)
    assert made["route"] == "api/v1/tickets"
    assert made["actor"] == "api_key"
    assert made["actor_id"] > 0
    assert made["tenant"] == desk.world.tenant.id
    assert made["ticket"].startswith("tkt_")
    assert made["duration_ms"] > 0
    assert made["statements"] > 3
    page = next(line for line in served if line["route"] == "flow/tickets/<str:ticket_id>")
    assert page["ticket"] == made["ticket"]
    assert page["actor"] == "user"
    faults = {(line.get("fault") or {}).get("type", "") for line in said}
    assert {"RuntimeError", "django.db.utils.IntegrityError", "django.db.utils.DataError"} <= faults
    for line in said:
        if line.get("fault") and line["logger"] == "django.request":
            assert line["request"]


def test_the_servers_own_log_holds_no_value(
    desk: Desk, migrated_database: ThrowawayDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(migrated_database.admin, autocommit=True) as admin:
        settings = dict(
            admin.execute(
                "select name, setting from pg_settings where name in"
                " ('log_min_messages', 'log_min_error_statement', 'log_error_verbosity', 'log_statement')"
            ).fetchall()
        )
    if os.environ.get("FLOWDESK_TEST_DATABASE_URL"):
        pytest.skip("another server's log is its operator's")
    assert settings == {
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_statement": "none",
    }


def test_a_first_start_keeps_the_founders_password_out_of_its_log(
    migrated_database: ThrowawayDatabase, tmp_path: Path
) -> None:
    dsns = {f"FLOWDESK_{name.upper()}_DSN": dsn for name, dsn in migrated_database.roles.items()}
    ended = subprocess.run(
        [sys.executable, "-m", "flowdesk", "found", "--first-start"],
        env={**os.environ, **dsns, "FLOWDESK_DATA": str(tmp_path), "FLOWDESK_SECRET_KEY": "x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    kept = json.loads((tmp_path / "first-login.json").read_text())
    assert len(kept["password"]) >= 12
    assert kept["password"] not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"FLOWDESK_SMTP_URL": f"smtp://desk:{SECRETS['password']}@"},
        {"FLOWDESK_SMTP_URL": f"smtp://desk:{SECRETS['password']}@mail.example:nan"},
        {"FLOWDESK_SMTP_URL": f"smtp://desk:a?{SECRETS['password']}@mail.example"},
        {"FLOWDESK_SMTP_URL": f"http://desk:{SECRETS['password']}@mail.example"},
        {"FLOWDESK_APP_DSN": f"host=/nowhere user=x password={SECRETS['password']} dbname=y"},
        {"DATABASE_URL": f"postgresql://x:{SECRETS['password']}@127.0.0.1:9/y"},
        {"DATABASE_URL": f"postgresql://x:{SECRETS['password']}@[::bad/y"},
        {"DATABASE_URL": f"postgresql://x:a@{SECRETS['password']}@127.0.0.1/y"},
        {"FLOWDESK_LOG": SECRETS["password"]},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_a_command_that_fails_shows_no_password(environment: dict[str, str], tmp_path: Path) -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("FLOWDESK", "DATABASE"))
    }
    ended = subprocess.run(
        [sys.executable, "-m", "flowdesk", "key", "list"],
        env={**kept, "FLOWDESK_DATA": str(tmp_path), "FLOWDESK_SECRET_KEY": "x", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert ended.stderr
    assert leaked(ended.stdout + ended.stderr) == []
