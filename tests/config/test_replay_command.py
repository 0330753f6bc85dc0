"""`flowdesk replay`: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowdesk.__main__ import main

HEADER = (
    "ts,number,opened_at,incident_state,priority,assigned_to,assignment_group,reopen_count,contact_type\n"
)
ROWS = [
    "2016-03-07T09:10,INC1,2016-03-07T09:00,New,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-07T09:20,INC2,2016-03-07T09:20,Active,2 - High,Resolver 1,Group 1,0,Phone\n",
    "2016-03-07T10:00,INC3,2016-03-07T10:00,Resolved,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-08T09:00,INC1,2016-03-07T09:00,Awaiting User Info,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-09T09:00,INC1,2016-03-07T09:00,-100,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-10T10:00,INC1,2016-03-07T09:00,Resolved,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-15T10:00,INC1,2016-03-07T09:00,Closed,3 - Moderate,?,Group 1,0,Phone\n",
    "2016-03-15T18:00,INC4,2016-03-15T18:00,New,4 - Low,?,Group 1,0,Email\n",
    "2016-03-15T18:24,INC2,2016-03-07T09:20,Closed,2 - High,Resolver 1,Group 1,0,Phone\n",
    "2016-03-16T00:00,INC2,2016-03-07T09:20,Closed,2 - High,Resolver 1,Group 1,0,Phone\n",
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "".join(ROWS)).encode()))
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The object that ends standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_replay_counts_tickets_events_steps_and_promises(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["replay", str(log), "--policy", "incident_log.yaml", "--json"])

    found = told(capsys)
    steps = found["metrics"]["resolution"].pop("steps")
    assert code == 0
    assert found == {
        "tickets": 4,
        "events": 10,
        "steps_fired": sum(steps.values()),
        "metrics": {"resolution": {"met": 2, "missed": 1, "running": 1, "void": 0}},
        "until": "2016-03-16T00:00:00+00:00",
    }
    assert steps == {"50": 3, "75": 3, "90": 3, "100": 1}


def test_with_json_standard_output_is_the_object_alone(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", str(log), "--policy", "incident_log.yaml", "--json"])

    assert len(capsys.readouterr().out.splitlines()) == 1


def test_for_people_a_table_comes_first_and_progress_goes_elsewhere(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["replay", str(log), "--policy", "incident_log.yaml"])

    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("4 tickets, 10 events,")
    assert json.loads(out.splitlines()[-1])["tickets"] == 4
    assert "10 events, 100% of the file" in err
    assert "\r" not in err


def test_the_clocks_are_one_row_each(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clocks.csv"

    main(["replay", str(log), "--policy", "incident_log.yaml", "--clocks", str(out)])

    assert rows_of(out)[0] == {
        "ticket": "INC1",
        "metric": "resolution",
        "cycle": "1",
        "target_minutes": "9204",
        "started_at": "2016-03-07T09:00:00+00:00",
        "due_at": "2016-03-15T18:24:00+00:00",
        "stopped_at": "2016-03-15T10:00:00+00:00",
        "elapsed_minutes": "8700",
        "outcome": "met",
    }
    assert [(row["ticket"], row["stopped_at"], row["outcome"]) for row in rows_of(out)[1:]] == [
        ("INC2", "2016-03-15T18:24:00+00:00", "met"),
        ("INC3", "", "missed"),
        ("INC4", "", "running"),
    ]
    assert list(tmp_path.glob(".*")) == []


def test_a_clock_is_written_with_the_offset_of_the_log(log: Path, tmp_path: Path) -> None:
    policy, out = tmp_path / "policy.yaml", tmp_path / "clocks.csv"
    policy.write_text(shipped().replace("zone: UTC", "zone: Europe/Stockholm"), encoding="utf-8")

    main(["replay", str(log), "--policy", str(policy), "--clocks", str(out)])

    assert rows_of(out)[0]["started_at"] == "2016-03-07T09:00:00+01:00"


def test_seconds_are_parts_of_a_minute(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "clocks.csv"
    log.write_text(HEADER + ROWS[0].replace("09:10", "09:10:45"), encoding="utf-8")

    main(["replay", str(log), "--policy", "incident_log.yaml", "--clocks", str(out)])

    assert rows_of(out)[0]["elapsed_minutes"] == "10.75"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("incident_state", "state", ["line 1", "column 'incident_state'"]),
        ("2016-03-08T09:00", "yesterday", ["line 5", "column 'ts'", "'yesterday' is no time"]),
        ("2016-03-08T09:00", "2016-03-01T09:00", ["line 5", "column 'ts'", "earlier than the row before"]),
        ("Awaiting User Info", "Asleep", ["line 5", "column 'incident_state'", "unknown status 'Asleep'"]),
    ],
)
def test_a_bad_log_is_refused_and_no_clocks_are_left(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: list[str]
) -> None:
    log.write_bytes(gzip.compress(gzip.decompress(log.read_bytes()).replace(old.encode(), new.encode())))
    out = tmp_path / "clocks.csv"
    out.write_text("the clocks of yesterday", encoding="utf-8")

    code = main(["replay", str(log), "--policy", "incident_log.yaml", "--clocks", str(out)])

    found = capsys.readouterr()
    assert (code, found.out) == (2, "")
    assert all(word in found.err for word in [str(log), *words])
    assert out.read_text(encoding="utf-8") == "the clocks of yesterday"
    assert list(tmp_path.glob(".*")) == []


def test_a_missing_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "none.csv"), "--policy", "incident_log.yaml"]) == 2
    assert "none.csv: No such file" in capsys.readouterr().err


def test_a_broken_gzip_file_is_refused(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_bytes(log.read_bytes()[:-20])

    assert main(["replay", str(log), "--policy", "incident_log.yaml"]) == 2
    assert "gzip file is broken" in capsys.readouterr().err


def test_a_policy_is_refused_with_every_fault_in_its_place(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    faulty = shipped().replace("153.4 h", "153.4 weeks").replace("Closed: closed", "Closed: shut")
    policy.write_text(faulty, encoding="utf-8")

    code = main(["replay", str(log), "--policy", str(policy)])

    err = capsys.readouterr().err
    assert code == 2
    assert f"{policy}.promises.defaults.resolution, line " in err
    assert f"{policy}.log.states.Closed, line " in err


def test_a_policy_that_is_not_there_names_those_that_ship(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(log), "--policy", "none.yaml"]) == 2
    assert "shipped with Flowdesk: incident_log.yaml" in capsys.readouterr().err


def test_with_json_a_refusal_is_an_object_as_well(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", str(log), "--policy", "none.yaml", "--json"])

    assert "none.yaml" in json.loads(capsys.readouterr().err)["error"]


@pytest.mark.parametrize("name", ["log.csv.gz", "nowhere/clocks.csv", "."])
def test_clocks_that_cannot_be_written_are_refused_before_the_work(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = log.read_bytes()

    code = main(["replay", str(log), "--policy", "incident_log.yaml", "--clocks", str(tmp_path / name)])

    assert code == 2
    assert "events" not in capsys.readouterr().err
    assert log.read_bytes() == before


def test_a_replay_needs_neither_django_nor_a_database(log: Path) -> None:
    code = (
        "import sys; from flowdesk.__main__ import main; "
        f"code = main(['replay', {str(log)!r}, '--policy', 'incident_log.yaml', '--json']); "
        "sys.exit(code or ('django' in sys.modules) * 9)"
    )
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def shipped() -> str:
    from flowdesk.policies.replay import find_replay_policy

    return find_replay_policy("incident_log.yaml").read_text(encoding="utf-8")
