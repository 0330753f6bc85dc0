"""Links with which a person chooses a password: signed, for one use, and only for a while.

A link holds a print of the password there was. With the next password, or the next log-in, it is worthless.
It also says whether it was mailed and nothing else: only such a one proves that its user reads the mailbox.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from flowdesk.accounts.models import LetterKind, User
from flowdesk.core.errors import DomainError

SALT = "flowdesk.password-link"
LIFETIMES = {LetterKind.INVITE: timedelta(days=3), LetterKind.RESET: timedelta(hours=1)}
LONGEST = 1000  # characters


class BadLink(DomainError):
    """This link has been used, is too old, or is not whole."""

    status = 404
    code = "bad_link"


def password_link(user: User, kind: LetterKind, *, is_mailed: bool, now: datetime) -> str:
    """The address at which this person, and nobody else, may choose a password; INVITE or RESET.

    `is_mailed` is false for a link that is shown to somebody else.
    """
    until = int((now + LIFETIMES[kind]).timestamp())
    said = {"user": user.pk, "until": until, "was": _print(user), "mailed": is_mailed}
    token = signing.dumps(said, salt=SALT)
    return f"{settings.PUBLIC_URL}/password/new?link={token}"


def user_of_link(token: str, *, now: datetime) -> User:
    """Whose link this is. Raises BadLink."""
    said = _said(token)
    user = User.objects.filter(pk=said["user"], is_active=True).first()
    is_late = now >= datetime.fromtimestamp(said["until"], UTC)
    if user is None or is_late or not constant_time_compare(said["was"], _print(user)):
        raise BadLink
    return user


def is_mailed(token: str) -> bool:
    """Whether this link was mailed and shown to nobody. Raises BadLink."""
    return bool(_said(token).get("mailed"))


def _said(token: str) -> dict[str, Any]:
    try:
        said: dict[str, Any] = signing.loads(token[:LONGEST], salt=SALT)
    except signing.BadSignature:
        raise BadLink from None
    return said


def _print(user: User) -> str:
    return salted_hmac(SALT, f"{user.password}{user.last_login}", algorithm="sha256").hexdigest()[:32]
