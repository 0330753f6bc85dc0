"""A note in the data folder that its database has every migration of this very code."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

FILE = "migrated"
PACKAGE = Path(__file__).resolve().parents[2]


def is_migrated(folder: Path) -> bool:
    try:
        return (folder / FILE).read_text() == fingerprint()
    except OSError:
        return False


def note_migrated(folder: Path) -> None:
    (folder / FILE).write_text(fingerprint())


def fingerprint() -> str:
    """Changes with every migration file of ours, the settings, and any installed package's version."""
    digest = hashlib.sha256()
    for file in [*sorted(PACKAGE.glob("**/migrations/*.py")), PACKAGE / "config" / "settings.py"]:
        digest.update(str(file.relative_to(PACKAGE)).encode() + b"\0" + file.read_bytes() + b"\0")
    installed = sorted(Path(found).name for found in _distributions())
    digest.update("\n".join(installed).encode())
    return digest.hexdigest()


def _distributions() -> list[str]:
    # The names of the .dist-info folders hold name and version: no need to open hundreds of files.
    paths = (getattr(found, "_path", "") for found in importlib.metadata.distributions())
    return [str(path) for path in paths]
