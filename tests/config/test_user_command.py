"""`flowdesk user` and `flowdesk found`: what they do, print and refuse."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flowdesk.__main__ import main
from flowdesk.accounts.models import Letter, Membership, Tenant, User
from flowdesk.config.commands import found, user
from flowdesk.core.actor import Role
from tests.builders import World, a_world
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

NEW = "a quiet river at dawn"


@pytest.fixture(autouse=True)
def on_the_tests_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' own start would look for an installation's database."""

    @contextmanager
    def ready(_args: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr(user, "django", ready)
    monkeypatch.setattr(found, "new_django", ready)


@pytest.fixture
def world() -> World:
    return a_world()


def test_members_are_listed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "list", "--json"]) == 0

    lines = json.loads(capsys.readouterr().out)
    assert [(one["email"], one["role"], one["state"]) for one in lines] == [
        ("ada@global.example", "lead", "active"),
        ("bo@global.example", "agent", "active"),
    ]


def test_somebody_is_added_with_a_role_and_a_link(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "--email", "eve@global.example", "--name", "Eve", "--role", "auditor"]) == 0

    assert "/password/new?link=" in capsys.readouterr().out
    assert Membership.objects.get(user__email="eve@global.example").role == Role.AUDITOR
    assert Letter.objects.count() == 1


def test_somebody_is_shut_out_and_let_in(world: World) -> None:
    bo = logged_in("bo@global.example")
    assert main(["user", "disable", "--email", "bo@global.example"]) == 0
    assert bo.get("/flow/inbox").status_code == 403
    assert main(["user", "enable", "--email", "BO@global.example"]) == 0
    assert bo.get("/flow/inbox").status_code == 200
    assert main(["user", "end-sessions", "--email", "bo@global.example"]) == 0
    assert bo.get("/flow/inbox").status_code == 302


def test_a_password_comes_through_a_pipe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NEW}\n"))
    assert main(["user", "set-password", "--email", "bo@global.example"]) == 0

    assert User.objects.get(email="bo@global.example").check_password(NEW)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "--email", "no address"], "email: is not an e-mail address"),
        (["add", "--email", "x@x.example", "--role", "king"], "role: is not one of agent"),
        (["disable", "--email", "nobody@x.example"], "email: nobody in 'global' has it"),
        (["list", "--tenant", "nowhere"], "there is no tenant nowhere"),
        (["set-password", "--email", "bo@global.example"], "password: This password is too short"),
    ],
)
def test_what_cannot_be_done_is_told(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))

    assert main(["user", *words]) == user.BAD_INPUT
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("slug", ["", "Nordic Desk", "-x", "a/b", "å", "x" * 51, "../x", "a\nb"])
def test_a_slug_that_is_none_is_refused_by_name(slug: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["found", f"--tenant={slug}", "--name", "Nordic"]) == found.BAD_INPUT

    assert "tenant: must be of 1 to 50" in capsys.readouterr().err
    assert not Tenant.objects.exists()


def test_a_name_that_is_none_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["found", "--tenant", "nordic", "--name", "x" * 201]) == found.BAD_INPUT

    assert "name: must be of 1 to 200 characters" in capsys.readouterr().err
