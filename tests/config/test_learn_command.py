"""`flowdesk learn`: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flowdesk.__main__ import main
from flowdesk.learning.examples import Example
from tests.learning.desk import a_desk


def written(path: Path, rows: Sequence[Example], *, text: str = "text", label: str = "label") -> Path:
    held = io.StringIO()
    out = csv.writer(held)
    out.writerow(["id", text, label])
    out.writerows([number, row.text, row.label] for number, row in enumerate(rows))
    stored = held.getvalue().encode()
    path.write_bytes(gzip.compress(stored) if path.suffix == ".gz" else stored)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return written(tmp_path / "rows.csv", a_desk())


@pytest.fixture
def model(tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "desk.model"
    assert main(["learn", str(rows), "--out", str(path)]) == 0
    capsys.readouterr()
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_training_writes_a_model_and_tells_what_it_learned(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "desk.model"

    code = main(["learn", str(rows), "--text", "text", "--label", "label", "--out", str(out), "--json"])

    found = told(capsys)
    assert code == 0
    assert (found["labels"], found["figures"]["rows_out_of_scope"]) == (3, 5)
    assert found["bytes"] == out.stat().st_size


def test_evaluating_tells_the_figures_and_the_table(
    rows: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["learn", "--evaluate", str(model), str(rows), "--json"])

    found = told(capsys)
    assert code == 0
    assert (found["accuracy"], found["accuracy_of_best"]) == (1.0, 1.0)
    assert {"macro_f1", "coverage", "out_of_scope_recall", "accuracy_of_best"} < found.keys()
    assert [one["label"] for one in found["labels"]] == ["billing", "delivery", "login"]


def test_the_model_knows_which_columns_it_learned_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = written(tmp_path / "swedish.csv", a_desk(), text="ärende", label="kategori")
    out = str(tmp_path / "desk.model")
    main(["learn", str(rows), "--text", "ärende", "--label", "kategori", "--out", out])

    assert main(["learn", "--evaluate", out, str(rows)]) == 0


def test_a_packed_file_with_a_byte_order_mark_gives_the_same_model(
    tmp_path: Path, rows: Path, model: Path
) -> None:
    packed, out = tmp_path / "rows.csv.gz", tmp_path / "other.model"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + rows.read_bytes()))
    plain = tmp_path / "plain.model"

    main(["learn", str(packed), "--out", str(out)])
    packed.write_bytes(gzip.compress(rows.read_bytes()))
    main(["learn", str(packed), "--out", str(plain)])

    assert out.read_bytes() == plain.read_bytes()


def test_people_get_a_table(rows: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["learn", "--evaluate", str(model), str(rows)])

    assert "out-of-scope recall at the threshold" in capsys.readouterr().out


def test_another_name_for_out_of_scope_can_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = [Example(row.text, row.label.replace("oos", "none")) for row in a_desk()]
    rows = written(tmp_path / "rows.csv", renamed)

    main(["learn", str(rows), "--out-of-scope", "none", "--out", str(tmp_path / "m"), "--json"])

    assert told(capsys)["labels"] == 3
    main(["learn", "--evaluate", str(tmp_path / "m"), str(rows), "--json"])
    assert told(capsys)["rows_out_of_scope"] == 5


def test_progress_goes_to_standard_error(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["learn", str(rows), "--out", str(tmp_path / "m"), "--json"])

    captured = capsys.readouterr()
    assert "reading 35 rows" in captured.err
    assert len(captured.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"text,label\n", "no row"),
        (b"text,kind\nhello,a\n", "column 'label' is not there; the columns are text, kind"),
        (b"text,label,text\nhello,a,b\n", "column 'text' is there twice"),
        (b"text,label\nhello,a\nhello,\n", "row 3: column 'label' is empty"),
        (b"text,label\nhello,a\nhello\n", "row 3 has 1 columns"),
        (b"text,label\nhello,a\nh\xe5,b\n", "is not UTF-8"),
        (b"text,label\nhello,a\nhel\x00lo,b\n", "row 3: holds a zero byte"),
        (b"text,label\nhello,a\nhello,a\n", "at least two are needed"),
    ],
)
def test_bad_rows_are_refused_with_place_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(content)

    code = main(["learn", str(rows), "--out", str(tmp_path / "m"), "--json"])

    assert code == 2
    assert reason in json.loads(capsys.readouterr().err.splitlines()[-1])["error"]
    assert not (tmp_path / "m").exists()


def test_a_damaged_packing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = written(tmp_path / "rows.csv.gz", a_desk())
    rows.write_bytes(rows.read_bytes()[:-20])

    assert main(["learn", str(rows), "--out", str(tmp_path / "m")]) == 2
    assert "packing is damaged" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", str(tmp_path / "none.csv"), "--out", str(tmp_path / "m")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_file_that_is_no_model_is_refused(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "--evaluate", str(rows), str(rows)]) == 2
    assert "no model" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--out", "m", "--evaluate", "m"]])
def test_it_wants_to_know_whether_to_train_or_to_measure(
    rows: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["learn", str(rows), *words]) == 2
    assert "either --out" in capsys.readouterr().err


def test_the_rows_are_not_written_over(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", str(rows), "--out", str(rows)]) == 2
    assert "written over" in capsys.readouterr().err
    assert rows.read_text(encoding="utf-8").startswith("id,text,label")


def test_a_folder_that_is_not_there_is_told_before_the_work(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["learn", str(rows), "--out", str(tmp_path / "no" / "m")]) == 2
    assert "reading" not in capsys.readouterr().err


def test_it_needs_no_desk_and_no_settings(tmp_path: Path, rows: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "flowdesk", "learn", str(rows), "--out", str(tmp_path / "m"), "--json"],
        env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
