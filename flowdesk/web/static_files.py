"""Our files for browsers: each under its plain name and under one that holds the print of its contents.

Pages link the second, which a browser may keep for good: other contents have another name. Nothing is collected
or written to disk for it; each server process reads the files once, when it starts.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware

PRINT_LENGTH = 12


class PrintedNames(StaticFilesStorage):
    """Addresses such as `/static/flowdesk/css/base.0f3a….css`; while developing, plain ones."""

    def url(self, name: str | None) -> str:
        return super().url(name if name is None or settings.DEBUG else printed_name(name))


@cache
def printed_name(name: str) -> str:
    """The name with the print of the file's contents before its suffix; one that is no file stays as it is."""
    found = finders.find(name)
    if not isinstance(found, str):
        return name
    stem, dot, suffix = name.rpartition(".")
    print_ = hashlib.sha256(Path(found).read_bytes()).hexdigest()[:PRINT_LENGTH]
    return f"{stem}.{print_}{dot}{suffix}" if stem else name


def plain_name(name: str) -> str:
    """The file's own name: the way back from `printed_name`."""
    stem, _dot, suffix = name.rpartition(".")
    plain, _dot, print_ = stem.rpartition(".")
    return f"{plain}.{suffix}" if plain and printed_name(f"{plain}.{suffix}") == name and print_ else name


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves them, under both names."""

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        super().add_file_to_dictionary(url, path, stat_cache=stat_cache)
        name = url.removeprefix(self.static_prefix)
        if (printed := printed_name(name)) != name:
            super().add_file_to_dictionary(self.static_prefix + printed, path, stat_cache=stat_cache)
