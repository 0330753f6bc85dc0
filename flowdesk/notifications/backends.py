"""Where mail goes: into the outbox folder until a mail server is named.

Mail to invented addresses never leaves the house. Their domains are reserved for that (RFC 2606, RFC 6761),
the demo's people have no others, and a server could only bounce them.
"""

import os
import re
from collections.abc import Iterable, Sequence
from email.utils import parseaddr
from itertools import count
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from flowdesk.core.time import now

RESERVED = re.compile(r"@(.*\.)?(invalid|example|test|localhost|example\.(com|net|org))$", re.IGNORECASE)
INVENTED, KEPT_INVENTED = "invented", 500  # the demo writes for as long as it runs; the latest will do
FORGET_EVERY = 50  # mails of a process: looking through the folder takes as long as writing a mail
_kept = count()


class OutboxBackend(BaseEmailBackend):
    """A file for each mail, in a folder for each day, oldest first."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            keep(message, Path(settings.MAIL_OUTBOX))
        return len(email_messages)


class SmtpBackend(EmailBackend):
    """A mail server for real addresses, the outbox for invented ones."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        real = []
        for message in email_messages:
            if is_invented(message.recipients()):
                keep(message, Path(settings.MAIL_OUTBOX))
            else:
                real.append(message)
        sent = super().send_messages(real) or 0 if real else 0
        return sent + len(email_messages) - len(real)


def is_invented(recipients: Iterable[str]) -> bool:
    """Whether every one of the addresses lies in a reserved domain."""
    return all(RESERVED.search(parseaddr(one)[1]) for one in recipients)


def keep(message: EmailMessage, outbox: Path) -> Path:
    """Write the mail to a file that only its owner can read; of invented ones the latest are kept."""
    at = now()
    invented = is_invented(message.recipients())
    folder = outbox / (INVENTED if invented else at.date().isoformat())
    if invented and next(_kept) % FORGET_EVERY == 0:
        _forget(folder)
    return _write_new(folder, f"{at:%Y%m%dT%H%M%S.%f}", message.message().as_bytes())


def _write_new(folder: Path, stem: str, mail: bytes) -> Path:
    """A file of the first free name; the folders are made when they turn out to be missing."""
    for number in range(1000):
        path = folder / f"{stem}-{number:03}.eml"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        except FileNotFoundError:
            for one in (folder.parent, folder):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(mail)
        return path
    raise OSError(f"no free name for a mail in {folder}")


def _forget(folder: Path) -> None:
    # By name: paths take many times as long to find and to compare.
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".eml"))
    except FileNotFoundError:
        return  # nothing was kept yet
    for old in names[: max(0, len(names) + FORGET_EVERY - KEPT_INVENTED)]:
        (folder / old).unlink(missing_ok=True)


def keeps_mail() -> bool:
    """Whether mail goes nowhere, but into the outbox folder of whoever runs this."""
    outbox = f"{OutboxBackend.__module__}.{OutboxBackend.__qualname__}"
    return bool(outbox == settings.EMAIL_BACKEND)
