"""What of the children's lines reaches the operator's terminal."""

from __future__ import annotations

import json

import pytest

from flowdesk.core.supervisor.terminal import LONGEST_LINE, on_terminal


def a_line(level: str, **fields: object) -> str:
    return json.dumps({"at": "2026-03-02T09:00:00+00:00", "level": level, "logger": "flowdesk", **fields})


@pytest.mark.parametrize("level", ["debug", "info"])
def test_what_asks_nobody_to_do_anything_stays_in_the_file(level: str) -> None:
    assert on_terminal(a_line(level, event="audit_sealed", tenant=1)) is None


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_what_somebody_should_look_at_is_shown_in_words(level: str) -> None:
    shown = on_terminal(a_line(level, event="round_failed", job="sweep", fault={"type": "OperationalError"}))

    assert shown == f"{level.upper()} round_failed OperationalError job=sweep"


def test_other_words_are_shown_as_they_are_and_nothing_is_too_long() -> None:
    assert on_terminal("worker: watching the clocks") == "worker: watching the clocks"
    assert on_terminal("{no JSON") == "{no JSON"
    assert len(on_terminal("x" * 1000) or "") == LONGEST_LINE
