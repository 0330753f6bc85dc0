"""The words of a mail, in the recipient's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import formataddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from flowdesk.accounts.models import Tenant
from flowdesk.core.ids import shown
from flowdesk.core.tenant import current_tenant
from flowdesk.core.text import one_line
from flowdesk.notifications.models import Delivery
from flowdesk.tickets.models import Message, Ticket


class NothingToSend(Exception):
    """There is nobody to send this to any more."""


@dataclass(frozen=True, slots=True)
class Post:
    """What mails of one tenant are written from, read together."""

    tenant: Tenant
    deliveries: Mapping[int, Delivery]
    messages: Mapping[UUID, Message]  # by public id: the words that mails pass on


def read_post(deliveries: Sequence[int]) -> Post:
    """All that the mails of these deliveries say, in three statements however many they are."""
    rows = Delivery.objects.select_related("ticket__customer", "agent__user", "contact").in_bulk(deliveries)
    named = [UUID(row.data["message"]) for row in rows.values() if "message" in row.data]
    messages = Message.objects.filter(public_id__in=named) if named else ()
    return Post(
        Tenant.objects.get(id=current_tenant()), rows, {message.public_id: message for message in messages}
    )


def mail_for(delivery_id: int, post: Post, *, at: datetime) -> EmailMultiAlternatives:
    """The mail of a delivery; raises NothingToSend when its recipient has no address."""
    delivery, tenant = post.deliveries[delivery_id], post.tenant
    to, name, language = _recipient(delivery, tenant)
    if not to:
        raise NothingToSend("no address")
    ticket: Ticket = delivery.ticket
    # Instants in a mail are told in the tenant's zone, whatever the machine's is.
    with translation.override(language), timezone.override(tenant.zone):
        words = _words(delivery, post, name=name, at=at)
        text = render_to_string(f"notifications/{delivery.template}.txt", words).strip()
    subject, _, body = text.partition("\n")
    mail = EmailMultiAlternatives(
        subject=one_line(f"[{tenant.slug} #{ticket.number}] {subject}")[:250],
        body=body.strip() + "\n",
        from_email=formataddr((one_line(tenant.name), tenant.mail_from)),
        to=[to],
    )
    # What robots read: our own mails are automatic and belong to one conversation (RFC 3834, RFC 5322).
    mail.extra_headers = {
        "Message-ID": f"<delivery-{delivery.id}.{ticket.public_id.hex}@{settings.MAIL_DOMAIN}>",
        "References": f"<ticket-{ticket.public_id.hex}@{settings.MAIL_DOMAIN}>",
        "X-Flowdesk-Ticket": shown("tkt", ticket.public_id),
    }
    if delivery.template != "customer_reply":
        mail.extra_headers |= {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    return mail


def _recipient(delivery: Delivery, tenant: Tenant) -> tuple[str, str, str]:
    if delivery.agent is not None:
        user_language = delivery.agent.user.language if delivery.agent.user else ""
        return delivery.agent.email, delivery.agent.name, user_language or tenant.language
    if delivery.contact is not None:
        language = delivery.contact.language or delivery.ticket.language or tenant.language
        return delivery.contact.email, delivery.contact.name, _known(language, tenant)
    return tenant.mandatory_contact_email, "", tenant.language


def _known(language: str, tenant: Tenant) -> str:
    return language if language in dict(settings.LANGUAGES) else tenant.language


def _words(delivery: Delivery, post: Post, *, name: str, at: datetime) -> Mapping[str, Any]:
    ticket: Ticket = delivery.ticket
    data = dict(delivery.data)
    message = post.messages.get(UUID(data["message"])) if "message" in data else None
    if "ends_by" in data:
        data["ends_by"] = datetime.fromisoformat(data["ends_by"])
    return {
        "name": name,
        "tenant": post.tenant,
        "ticket": ticket,
        "subject": one_line(ticket.subject),  # the first line of a template becomes the mail's subject
        "customer": ticket.customer.name,
        "due_at": ticket.due_at,
        "data": data,
        "message": message,
        "url": f"{settings.PUBLIC_URL}/flow/tickets/{shown('tkt', ticket.public_id)}",
        "at": at,
    }
