"""The way mail goes out, read from one address: FLOWDESK_SMTP_URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

OUTBOX = "flowdesk.notifications.backends.OutboxBackend"
SMTP = "flowdesk.notifications.backends.SmtpBackend"
PORTS = {"smtp": 25, "smtps": 465}
STARTTLS_PORT = 587


class BadMailAddress(ValueError):
    """FLOWDESK_SMTP_URL cannot be used."""


def mail_settings(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings; without an address mail is kept in the data folder's outbox.

    smtp://user:password@host:port, smtps:// for TLS from the first byte, `?starttls` to insist on STARTTLS.
    """
    if not url.strip():
        return {"EMAIL_BACKEND": OUTBOX}
    parts = urlsplit(url.strip())
    options = set(parse_qs(parts.query, keep_blank_values=True))
    if parts.scheme not in PORTS:
        raise BadMailAddress("FLOWDESK_SMTP_URL must begin with smtp:// or smtps://")
    if not parts.hostname:
        raise BadMailAddress("FLOWDESK_SMTP_URL names no host")
    if options - {"starttls"}:
        # Not said which: a password that was not percent-encoded ends up here.
        raise BadMailAddress("FLOWDESK_SMTP_URL has an unknown option; known: starttls")
    if "starttls" in options and parts.scheme == "smtps":
        raise BadMailAddress("FLOWDESK_SMTP_URL asks for smtps and starttls; choose one")
    try:
        port = parts.port
    except ValueError:
        raise BadMailAddress("FLOWDESK_SMTP_URL has a port that is no number from 1 to 65535") from None
    return {
        "EMAIL_BACKEND": SMTP,
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (STARTTLS_PORT if "starttls" in options else PORTS[parts.scheme]),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": "starttls" in options,
        "EMAIL_TIMEOUT": 30,  # seconds for each answer: a silent server must not hold the sender for ever
    }
