"""Words that must never be in a log, and the lines of a log as a program reads them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flowdesk.config.logs import JsonLines, TextLines

# Each stands for a kind of secret or of a person's words; none is a word of the program.
SECRETS = {
    "subject": "Quarterly-layoffs-zebra",
    "text": "my-diagnosis-is-porphyria",
    "password": "hunter2-correct-horse",
    "name": "Ingeborg Sekretess",
    "address": "ingeborg.sekretess@hemlig.example",
    "query": "searching-for-my-lawyer",
    "header": "header-value-zq81",
    "bad key": "fdk_thisKeyIsNotAKeyButLooksLikeOne00",
    "note": "between-us-he-is-a-fool",
}


@contextmanager
def captured(form: type[logging.Formatter] = JsonLines) -> Iterator[io.StringIO]:
    """Everything that the process logs, at every level, as the log would hold it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(form())
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in (None, "django", "django.request", "django.db")}
    root.addHandler(handler)
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG if name != "django.db" else logging.WARNING)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def leaked(text: str) -> list[str]:
    """The kinds of secrets that are in a text."""
    return [kind for kind, words in SECRETS.items() if words.casefold() in text.casefold()]


__all__ = ["SECRETS", "JsonLines", "TextLines", "captured", "leaked", "lines"]
