"""Paging while others write: what was there all along comes once, wherever the pages were cut.

A list ordered by something that does not change holds that for every row. In one ordered by a deadline, a name or
the latest change, a row that is changed while one pages moves: it may come again, or have moved in front of the
cursor; every row that nobody touched comes once.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing

from flowdesk.core.ids import new_id
from flowdesk.core.tenant import writing
from flowdesk.people.models import Agent, Team
from tests.api.desk import Desk, a_desk, fields, refused
from tests.builders import a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

SECOND = timedelta(seconds=1)


@dataclass
class Walk:
    """A list of a desk, how rows come into it and change in it, and which of them were changed on the way."""

    desk: Desk
    path: str
    dice: random.Random
    add: Callable[[], str]  # returns the new row's key
    change: Callable[[str], object] = lambda _: None
    query: dict[str, str] = field(default_factory=dict)
    key: str = "id"  # or nothing: the row as a whole
    steady: bool = True  # whether a change leaves a row in its place
    changed: set[str] = field(default_factory=set)

    def stir(self, known: list[str]) -> None:
        """What others do between two pages."""
        for _ in range(self.dice.randint(0, 3)):
            self.desk.now += SECOND
            if self.dice.random() < 0.4:
                self.add()
            else:
                row = self.dice.choice(known)
                self.change(row)
                self.changed.add(row)

    def name_of(self, item: Any) -> str:
        return str(item[self.key]) if self.key else json.dumps(item, sort_keys=True)

    def walk(self, known: list[str]) -> list[str]:
        seen, cursor = [], ""
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = self.desk.get(self.path, limit=self.dice.randint(1, 3), **self.query, **more)
            seen += [self.name_of(one) for one in page["items"]]
            cursor = page["next"]
            self.stir(known)
            assert len(seen) < 200, "a walk ends"
        return seen


def opened(desk: Desk) -> str:
    priority = random.Random(desk.now.timestamp()).choice(["P1", "P2", "P3", "P4"])
    return str(desk.open(priority=priority)["id"])


def worked_on(desk: Desk, dice: random.Random) -> Callable[[str], object]:
    def change(ticket: str) -> object:
        act, body = dice.choice(
            [
                ("priority", {"priority": "P1"}),
                ("replies", {"text": "We look into it.", "wait": True}),
                ("resolve", {}),
                ("void", {"because": "test"}),
                ("reopen", {}),
            ]
        )
        return desk.call("POST", f"/tickets/{ticket}/{act}", body)  # what a status forbids changes nothing

    return change


def walks(desk: Desk, dice: random.Random) -> Iterator[Walk]:
    """Every list of the API."""
    new, work = (lambda: opened(desk)), worked_on(desk, dice)
    for order in ("created", "due", "updated"):
        yield Walk(desk, "/tickets", dice, new, work, {"order": order}, steady=order == "created")
    yield Walk(desk, "/tickets", dice, new, work, {"is_active": "true", "order": "created"}, steady=False)

    def customer() -> str:
        return str(desk.post("/customers", {"name": dice.choice("abcdef")})["id"])

    def renamed(row: str) -> object:
        return desk.patch(f"/customers/{row}", {"name": dice.choice("abcdef")})

    yield Walk(desk, "/customers", dice, customer, renamed, steady=False)
    owner, ticket = customer(), opened(desk)
    people = f"/customers/{owner}/contacts"
    yield Walk(
        desk, people, dice, lambda: str(desk.post(people, {"name": "Maja"})["id"]),
        lambda row: desk.patch(f"/contacts/{row}", {"name": "Maja Lund"}),
    )  # fmt: skip
    for part, body in (("messages", {"text": "Hello?"}), ("notes", {"text": "Hm."})):
        path = f"/tickets/{ticket}/{part}"
        yield Walk(desk, path, dice, lambda path=path, body=body: said(desk, path, body))  # type: ignore[misc]
    events = f"/tickets/{ticket}/events"
    yield Walk(desk, events, dice, lambda: said(desk, f"/tickets/{ticket}/notes", {"text": "Hm."}), key="")
    yield Walk(
        desk, "/escalations", dice, lambda: escalated(desk),
        lambda row: desk.call("POST", f"/escalations/{row}/acknowledge"),
    )  # fmt: skip
    yield Walk(desk, "/agents", dice, lambda: hired(desk))
    yield Walk(desk, "/teams", dice, lambda: founded(desk))


def said(desk: Desk, path: str, body: Any) -> str:
    desk.now += SECOND
    desk.post(path, body)
    listed = desk.get(path, limit=200)["items"]
    return str(listed[-1]["id"])


def escalated(desk: Desk) -> str:
    ticket = opened(desk)
    desk.post(f"/tickets/{ticket}/escalate", {"target": "on_call"})
    return str(desk.get("/escalations", ticket=ticket)["items"][0]["id"])


def hired(desk: Desk) -> str:
    at, tenant = desk.now, desk.world.tenant
    with writing(tenant.id):
        row = Agent.objects.create(
            tenant=tenant, public_id=new_id(at), name="New", email=f"{new_id(at)}@desk.example", created_at=at
        )
    return str(row.email)


def founded(desk: Desk) -> str:
    with writing(desk.world.tenant.id):
        slug = f"team-{new_id(desk.now)}"
        Team.objects.create(tenant=desk.world.tenant, public_id=new_id(desk.now), slug=slug, name=slug)
    return slug


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", range(12))
def test_what_was_there_all_along_comes_once(number: int, seed: int) -> None:
    desk, dice = a_desk(), random.Random(f"{number} {seed}")
    walk = list(walks(desk, dice))[number]
    for _ in range(7):
        desk.now += SECOND
        walk.add()
    known = [walk.name_of(one) for one in desk.get(walk.path, limit=200, **walk.query)["items"]]

    seen = walk.walk(known)

    held = known if walk.steady else [row for row in known if row not in walk.changed]
    assert [row for row in seen if row in held] == held
    if walk.steady:
        assert len(seen) == len(set(seen))


LISTS = (
    "/tickets", "/customers", "/agents", "/teams", "/escalations", "/customers/{customer}/contacts",
    "/tickets/{ticket}/messages", "/tickets/{ticket}/notes", "/tickets/{ticket}/events",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_place_that_is_not_in_the_list_is_refused_by_name(path: str) -> None:
    desk, stranger = a_desk(), a_desk(a_world("elsewhere"))
    ticket = desk.open()
    path = path.format(ticket=ticket["id"], customer=ticket["customer"]["id"])
    ours = signing.dumps([f"{stranger.world.tenant.id}.tickets.due", [None, 1]], salt="flowdesk.api.cursor")
    elsewhere = signing.dumps([f"{desk.world.tenant.id}.somewhere", [1]], salt="flowdesk.api.cursor")

    for cursor in (ours, elsewhere, ours[:-1], ours + "A", "abc", "\u00e5", "a:b:c", "." * 50, "0"):
        assert fields(refused(desk.call("GET", path, cursor=cursor), 422)) == {"cursor"}, cursor
