"""`flowdesk import`: what it answers, and that a kill in the middle costs and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flowdesk.core.tenant import reading
from flowdesk.intake.models import ImportRun
from flowdesk.tickets.models import Ticket
from tests.builders import World, a_world
from tests.database import ThrowawayDatabase
from tests.flows.test_import_tickets import CLOSED, a_file, a_row

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)
SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
ROWS = 4_000


def command(database: ThrowawayDatabase, *words: object) -> subprocess.Popen[str]:
    roles = {f"FLOWDESK_{name.upper()}_DSN": dsn for name, dsn in database.roles.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "flowdesk", "import", *map(str, words)],
        env={
            **os.environ, **roles, "FLOWDESK_SECRET_KEY": "tests", "DJANGO_SETTINGS_MODULE": "flowdesk.config.settings",
        },
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def answer(database: ThrowawayDatabase, *words: object, code: int = 0) -> Any:
    process = command(database, *words, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return json.loads(out) if out else err


def refs(world: World) -> list[str]:
    with reading(world.tenant.id):
        return list(Ticket.objects.order_by("number").values_list("external_ref", flat=True))


@pytest.mark.parametrize("sample", ["tickets.csv", "tickets.jsonl"])
def test_the_samples_of_the_guide_come_in_whole(migrated_database: ThrowawayDatabase, sample: str) -> None:
    world = a_world()

    dry = answer(migrated_database, SAMPLES / sample, "--dry-run")
    told = answer(migrated_database, SAMPLES / sample)

    assert (dry["imported"], dry["refused"]) == (told["imported"], 0)
    assert told["state"] == "done"
    assert len(refs(world)) == told["rows"] == told["imported"]


def test_refused_rows_are_written_where_they_are_wanted(
    migrated_database: ThrowawayDatabase, tmp_path: Path
) -> None:
    a_world()
    file, out = tmp_path / "old.jsonl", tmp_path / "refused.jsonl"
    file.write_bytes(a_file(a_row(), a_row(external_ref="A-2", tier="gold")))

    told = answer(migrated_database, file, "--refused", out, code=3)

    assert (told["imported"], told["refused"]) == (1, 1)
    assert "line 2: tier" in json.loads(out.read_text())["refused"]


def test_what_cannot_be_imported_is_said_in_a_line(
    migrated_database: ThrowawayDatabase, tmp_path: Path
) -> None:
    a_world()
    nameless = tmp_path / "old.dat"
    nameless.write_text("subject\n")

    assert "--format" in answer(migrated_database, nameless, code=2)
    assert "No such file" in answer(migrated_database, tmp_path / "none.csv", code=2)
    assert "no tenant" in answer(migrated_database, SAMPLES / "tickets.csv", "--tenant", "nowhere", code=2)


def test_a_kill_in_the_middle_loses_no_row_and_doubles_none(
    migrated_database: ThrowawayDatabase, tmp_path: Path
) -> None:
    world = a_world()
    file = tmp_path / "old.jsonl"
    file.write_bytes(a_file(*(a_row(**CLOSED, external_ref="", subject=f"Row {at}") for at in range(ROWS))))
    kills = 0
    for _ in range(3):
        process = command(migrated_database, file)
        before = rows_done(world)
        while rows_done(world) == before and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        kills += process.returncode == -signal.SIGKILL

    told = answer(migrated_database, file)

    assert kills == 3
    assert (told["state"], told["rows"], told["imported"]) == ("done", ROWS, ROWS)
    with reading(world.tenant.id):
        subjects = list(Ticket.objects.order_by("number").values_list("subject", flat=True))
        assert ImportRun.objects.count() == 1
    assert subjects == [f"Row {at}" for at in range(ROWS)]


def rows_done(world: World) -> int:
    with reading(world.tenant.id):
        return ImportRun.objects.values_list("rows", flat=True).first() or 0
