"""Where log-ins are kept: a row for each, which says whose it is, from where, since when and when last seen.

Those values travel in the session itself; its row repeats them in columns, so that they can be listed.
A session ends when it was idle too long, when it is too old, when its row is gone, or with a new password.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase

from flowdesk.accounts.models import Session

SEEN_EVERY = timedelta(minutes=1)
LONGEST_DEVICE = 255
STARTED, SEEN, ADDRESS, DEVICE = "started_at", "seen_at", "address", "device"


class SessionStore(db.SessionStore):
    """Django's store in the database, on a table that knows a session's person."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.user_id = data.get(SESSION_KEY)
        row.started_at, row.seen_at = data.get(STARTED), data.get(SEEN)
        row.address, row.device = data.get(ADDRESS) or None, data.get(DEVICE, "")
        return row


def begin(session: SessionBase, *, address: str, device: str, is_remembered: bool, now: datetime) -> None:
    """Note where a log-in came from. A remembered one lasts until it is too old, another until it is idle.

    `device` is the browser's User-Agent.
    """
    session[STARTED] = session[SEEN] = now.isoformat()
    session[ADDRESS], session[DEVICE] = address, device.replace("\x00", "")[:LONGEST_DEVICE]
    session.set_expiry(settings.SESSION_LIMIT if is_remembered else 0)


def is_over(session: SessionBase, *, now: datetime) -> bool:
    """Whether a log-in is older than any may become."""
    started = session.get(STARTED)
    return started is None or now - datetime.fromisoformat(started) >= settings.SESSION_LIMIT


def touch(session: SessionBase, *, now: datetime) -> None:
    """Note once a minute that the session is in use; being saved puts off the end of its idle time."""
    if now - datetime.fromisoformat(session[SEEN]) >= SEEN_EVERY:
        session[SEEN] = now.isoformat()


def handle(session_key: str) -> str:
    """What a page calls a session by: the key itself would open it."""
    return sha256(session_key.encode()).hexdigest()[:24]
