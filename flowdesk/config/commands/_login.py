"""The first login of an installation, kept beside its database where only its owner can read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from flowdesk.core.embedded.roles import write_secret

FILE = "first-login.json"  # email, password, tenant; of a demo also admin and api_key


def known_login(folder: Path) -> dict[str, str]:
    """What was kept; empty when nothing was."""
    try:
        known = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}


def keep_login(folder: Path, login: Mapping[str, str]) -> None:
    write_secret(folder / FILE, json.dumps(dict(login), indent=2) + "\n")


def sample_call(address: str, key: str) -> str:
    """A call that opens an enterprise customer's P1, whole: it can be pasted."""
    body = {
        "email": "rachel.stone@atlas.invalid",
        "subject": "Production is down",
        "text": "Production is down for everyone since ten minutes. Urgent.",
        "priority": "P1",
        "category": "technical",
    }
    return (
        f"curl -X POST {address}/api/v1/tickets -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    )
