"""Mails to people about their own account. They belong to no ticket, and a link in one is made as it goes out."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from flowdesk.accounts.links import password_link
from flowdesk.accounts.models import Letter, LetterKind, Membership, Tenant
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.core.text import one_line
from flowdesk.notifications.services import RETRIES

log = logging.getLogger("flowdesk.worker")
BATCH = 20
# Nobody renews it: longer than any one conversation with a mail server.
LETTER_LEASE = timedelta(minutes=5)
KEPT_FOR = timedelta(hours=24)  # what could not be sent for so long is no news any more


def send_letters(*, clock: Callable[[], datetime]) -> int:
    """Send what is due, each outside any transaction; returns how many were taken up. A sent one is forgotten.

    Twice goes only what its sender dies with, or leaves for five minutes; its Message-ID is the same then.
    """
    due = list(
        Letter.objects.filter(due_at__lte=clock()).order_by("due_at").values_list("pk", flat=True)[:BATCH]
    )
    taken = 0
    for pk in due:
        if letter := _leased(pk, at=clock()):
            taken += 1
            _send(letter, at=clock())
    return taken


def _leased(pk: int, *, at: datetime) -> Letter | None:
    """The letter, for five minutes nobody else's; None when another worker was quicker."""
    with transaction.atomic():
        rows = Letter.objects.select_for_update(skip_locked=True, of=("self",)).select_related(
            "user", "tenant"
        )
        letter = rows.filter(pk=pk, due_at__lte=at).first()
        if letter is not None:
            letter.due_at, letter.attempts = at + LETTER_LEASE, letter.attempts + 1
            letter.save(update_fields=["due_at", "attempts"])
    return letter


def _send(letter: Letter, *, at: datetime) -> None:
    row = Letter.objects.filter(pk=letter.pk)  # which goes with its user, whenever that is
    if at - letter.created_at < KEPT_FOR:
        try:
            letter_mail(letter, at=at).send()
        except Exception as fault:
            if is_database_away(fault):
                raise
            log.warning(
                "letter_failed", extra={"letter": letter.pk, "attempts": letter.attempts}, exc_info=True
            )
            row.update(due_at=at + RETRIES[min(letter.attempts, len(RETRIES)) - 1])
            return
    else:
        log.error("letter_given_up", extra={"letter": letter.pk})
    row.delete()


def letter_mail(letter: Letter, *, at: datetime) -> EmailMessage:
    """The mail, in its reader's language, from the desk that invites or else from the reader's first."""
    user = letter.user
    tenant = letter.tenant or Tenant.objects.get(
        pk=Membership.objects.filter(user=user).order_by("disabled_at", "tenant_id").values("tenant_id")[:1]
    )
    kind = LetterKind(letter.kind)
    has_link = kind in (LetterKind.INVITE, LetterKind.RESET)
    words = {
        "name": user.name,
        "desk": one_line(tenant.name),
        "email": user.email,
        "url": password_link(user, kind, is_mailed=True, now=at)
        if has_link
        else f"{settings.PUBLIC_URL}/login",
    }
    with translation.override(user.language or tenant.language):
        subject, _, body = (
            render_to_string(f"notifications/letter_{kind.value}.txt", words).strip().partition("\n")
        )
    return EmailMessage(
        subject=one_line(subject)[:250],
        body=body.strip() + "\n",
        from_email=formataddr((one_line(tenant.name), tenant.mail_from)),
        to=[user.email],
        headers={
            "Message-ID": f"<letter-{letter.pk}@{settings.MAIL_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
