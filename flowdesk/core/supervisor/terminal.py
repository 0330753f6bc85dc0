"""What of a child's line the operator sees: our JSON in a few words, everything else as it is, nothing too long."""

from __future__ import annotations

import json

LONGEST_LINE = 160  # characters; the log file has them all
HEAD = ("at", "level", "logger", "event", "fault")


def on_terminal(line: str) -> str | None:
    """The line as it is shown; None for an event of the log that asks nobody to do anything."""
    text = _in_words(line) if line.startswith("{") else line
    if text is None or len(text) <= LONGEST_LINE:
        return text
    return text[: LONGEST_LINE - 1] + "…"


def _in_words(line: str) -> str | None:
    try:
        said = json.loads(line)
        event, level = said["event"], said["level"]
    except (ValueError, KeyError):
        return line
    if level in ("debug", "info"):
        return None
    fields = [f"{name}={value}" for name, value in said.items() if name not in HEAD]
    fault = [said["fault"]["type"]] if "fault" in said else []
    return " ".join([level.upper(), event, *fault, *fields])
