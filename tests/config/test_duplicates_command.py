"""`flowdesk duplicates`: it lists, and merges only what it was told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flowdesk.__main__ import main
from flowdesk.config.commands import duplicates
from flowdesk.core.tenant import reading
from flowdesk.core.time import at as pinned
from flowdesk.tickets.models import Merge, Ticket
from tests.builders import MONDAY_9, World, a_customer, a_world
from tests.flows.test_issues import FAULT, OTHER
from tests.triage.desk import everyday, index_all, opened

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A desk with two pairs of tickets alike; the command's own start would look for an installation's database."""

    @contextmanager
    def ready(_args: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr(duplicates, "django", ready)
    world = a_world()
    a_customer(world, name="Nordvik", tier="starter")
    everyday(world)
    for words in (FAULT, OTHER, FAULT, OTHER):
        opened(world, *words)
    index_all()
    with pinned(MONDAY_9):
        yield world


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def merged(world: World) -> int:
    with reading(world.tenant.id):
        assert Merge.objects.count() == Ticket.objects.filter(status="merged").count()
        return Merge.objects.filter(because="clean_up").count()


def test_it_lists_and_changes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicates", "--tenant", "global", "--json"]) == 0

    found = told(capsys)
    assert [(one["subject"], one["score"], one["outcome"]) for one in found["pairs"]] == [
        (OTHER[0], 1.0, ""),
        (FAULT[0], 1.0, ""),
    ]
    assert (found["merged"], merged(world)) == (0, 0)


def test_what_is_listed_is_merged_when_asked_for(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicates", "--tenant", "global", "--merge"]) == 0

    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.endswith("merged") for line in lines] == [True, True]
    assert last == "2 pairs, 2 merged."
    assert merged(world) == 2
    assert main(["duplicates", "--tenant", "global", "--json"]) == 0
    assert told(capsys)["pairs"] == []


def test_a_tenant_that_is_not_there_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicates", "--tenant", "elsewhere"]) == 2

    assert "there is no tenant 'elsewhere'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--least", "2"], ["--least", "much"], ["--days", "0"]])
def test_a_bound_that_cannot_be_is_refused(world: World, words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["duplicates", "--tenant", "global", *words])

    assert refused.value.code == 2
