"""The integrator's guide is right: every call in docs/api.md is made as it stands there, and answered as it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from flowdesk.__main__ import parser_for
from flowdesk.api.api import METHODS, api
from flowdesk.core.tenant import writing
from flowdesk.core.time import at as pinned
from flowdesk.people.models import TeamMember
from flowdesk.routing import bulks
from flowdesk.routing.models import BulkKind
from tests.api.desk import Desk, a_desk

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "api.md").read_text()
PAGES = "\n".join(page.read_text() for page in sorted(DOCS.glob("*.md")))
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOOR = "open sesame"


@dataclass
class Call:
    """One curl of the guide. `wanted` is the status behind its `#`, if it names one."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    wanted: int | None = None


def commands(block: str) -> Iterator[str]:
    """The commands of a block; one that ends in a backslash, or within quotes, goes on in the next line."""
    held = ""
    for line in block.splitlines():
        held += line.removesuffix("\\") + ("" if line.endswith("\\") else "\n")
        if not line.endswith("\\") and held.count("'") % 2 == 0:
            yield held.strip()
            held = ""
    assert not held, held


def call_in(command: str) -> Call:
    status = re.search(r"#\s*([1-5][0-9]{2})\s*$", command)
    words = shlex.split(command, comments=True)[1:]
    made = Call("GET", "", wanted=int(status[1]) if status else None)
    while words:
        match words.pop(0):
            case "-s":
                pass
            case "-o":
                words.pop(0)
            case "-X":
                made.method = words.pop(0)
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                made.headers[name] = value
            case "-d" | "--data-binary":
                made.body = words.pop(0)
                made.method = "POST" if made.method == "GET" else made.method
            case url:
                assert not made.url, command
                made.url = url
    return made


def sent(desk: Desk, call: Call, ids: dict[str, str]) -> HttpResponse:
    """The answer to a call, with the guide's variables and its `tkt_…` filled in."""
    url = call.url.replace("$DESK", "/api/v1").replace("http://127.0.0.1:8000", "")
    url, body = (
        re.sub(r"\b([a-z]{3})_…", lambda found: ids[found[1]], text) for text in (url, call.body or "")
    )
    secrets = {"$KEY": desk.key, "$FLOW_TICKET_AUTOMATION_CRON_SECRET": DOOR}
    headers = {
        name: re.sub(r"\$\w+", lambda found: secrets[found[0]], value) for name, value in call.headers.items()
    }
    kind = headers.pop("Content-Type", "application/json")
    with pinned(desk.now):
        return desk.web.generic(  # type: ignore[return-value]
            call.method, url, body.encode(), content_type=kind, headers=headers
        )


def test_every_call_of_the_guide_is_answered_as_it_says(settings: Any) -> None:
    settings.AUTOMATION_CRON_SECRET = DOOR
    desk = a_desk()
    with writing(desk.world.tenant.id):
        # Ada works tier 1 as well, and a queue has been handed out.
        TeamMember.objects.create(
            tenant=desk.world.tenant, team=desk.world.tier_1, agent=desk.world.ada_agent
        )
        bulks.keep_bulk(uuid4(), [], kind=BulkKind.DRAINED, by=desk.world.ada, at=desk.now)
    ids: dict[str, str] = {}
    answer = None

    for kind, block in BLOCK.findall(GUIDE):
        if kind == "json":
            shown = json.loads(block)
            assert answer is not None
            assert shown.keys() == json.loads(answer.content).keys(), block
            continue
        for command in commands(block):
            if not command.startswith("curl "):
                continue
            call = call_in(command)
            answer = sent(desk, call, ids)
            text = answer.content.decode()
            wanted = {call.wanted} if call.wanted else {200, 201}
            assert answer.status_code in wanted, (command, answer.status_code, text[:500])
            ids |= named_by(json.loads(text) if text else {}, known=ids)


def named_by(answer: Any, *, known: Mapping[str, str]) -> dict[str, str]:
    """What `tkt_…` and its like mean from here on: the thing that answered, or the first of a list, if none did yet."""
    if not isinstance(answer, dict):
        return {}
    if "id" in answer:
        return {answer["id"][:3]: answer["id"]}
    first = next((item["id"] for item in answer.get("items", ()) if "id" in item), "")
    return {first[:3]: first} if first and first[:3] not in known else {}


def test_every_operation_is_shown_in_a_call() -> None:
    shown = {
        (call.method, re.sub(r"\w+_…", "{}", call.url.split("?")[0].removeprefix("$DESK")))
        for kind, block in BLOCK.findall(PAGES)
        if kind == "sh"
        for command in commands(block)
        if command.startswith("curl ") and "$DESK" in command
        for call in [call_in(command)]
    }
    known = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()
        for method in METHODS
        if method in methods
    }

    assert known - shown == set()


def test_the_commands_of_the_guide_are_commands() -> None:
    lines = re.findall(r"flowdesk (key [^)\n]*)", "\n".join(block for kind, block in BLOCK.findall(GUIDE)))

    assert len(lines) == 4
    for line in lines:
        assert parser_for(shlex.split(line)).parse_args(shlex.split(line)).action in (
            "create",
            "list",
            "revoke",
        )


def test_the_guide_names_every_code_that_is_answered() -> None:
    table = GUIDE.partition("## Errors")[2].partition("## How v1")[0]

    for code in ("outdated", "in_flight", "key_reused", "too_many_requests", "missing_scope", "unreadable"):
        assert f"`{code}`" in table, code
