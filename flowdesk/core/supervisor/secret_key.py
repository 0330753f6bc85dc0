"""The deployment's signing key: made once, kept beside the database, readable by its owner only."""

from __future__ import annotations

import secrets
from pathlib import Path

from flowdesk.core.embedded.roles import write_secret

FILE = "secret-key"


def secret_key_in(folder: Path) -> str:
    """The key of `folder`; without a folder one for this process alone (type checks, tests of pure code)."""
    path = folder / FILE
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return secrets.token_urlsafe(48)


def ensure_secret_key(folder: Path) -> str:
    """The key of `folder`, made and stored on first use."""
    if not (folder / FILE).exists():
        write_secret(folder / FILE, secrets.token_urlsafe(48) + "\n")
    return secret_key_in(folder)
