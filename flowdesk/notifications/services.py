"""Events become deliveries, deliveries become notices and mails. Two stages, each safe to repeat."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, connections, transaction
from psycopg.types.json import Jsonb

from flowdesk.core.tenant import reading, writing
from flowdesk.notifications import sql
from flowdesk.notifications.mails import NothingToSend, mail_for
from flowdesk.notifications.models import DeliveryState
from flowdesk.notifications.plans import Channel, EventRow, Telling, bundled, tellings
from flowdesk.tickets.states import EventKind

LEASE_FOR = timedelta(minutes=2)
RETRIES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
NOTICE_EVERY = timedelta(hours=24)


def dispatch(*, at: datetime, limit: int = 500) -> int:
    """Turn events nobody was told of into deliveries and stamp them, in one transaction. Returns the events."""
    with transaction.atomic(using="worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.UNDISPATCHED, [limit])
        events = [
            EventRow(
                id=row[0], tenant=row[1], ticket=row[2], kind=EventKind(row[3]), at=row[4], actor_kind=row[5],
                actor=row[6], data=json.loads(row[7]) if isinstance(row[7], str) else row[7], assignee=row[8],
                contact=row[9], contact_has_mail=row[10],
            )
            for row in cursor.fetchall()
        ]  # fmt: skip
        if not events:
            return 0
        told = [telling for event in events for telling in tellings(event)]
        delayed: list[int] = []
        if any(telling.template == "customer_delayed" for telling in told):
            tenants, tickets = {event.tenant for event in events}, {event.ticket for event in events}
            cursor.execute(sql.TOLD_OF_DELAY, [list(tenants), list(tickets), at - NOTICE_EVERY])
            delayed = [row[0] for row in cursor.fetchall()]
        _insert(cursor.execute, bundled(told, told_of_delay=delayed), at=at)
        cursor.execute(sql.STAMP_EVENTS, [at, [event.id for event in events]])
        return len(events)


def _insert(execute: Callable[..., object], told: Sequence[Telling], *, at: datetime) -> None:
    if told:
        execute(
            sql.INSERT_DELIVERIES,
            [
                at,
                at,
                [one.event.tenant for one in told],
                [one.event.id for one in told],
                [one.event.ticket for one in told],
                [one.recipient for one in told],
                [one.channel.value for one in told],
                [one.agent for one in told],
                [one.contact for one in told],
                [one.template for one in told],
                [Jsonb(dict(one.data)) for one in told],
            ],
        )


def deliver(*, clock: Callable[[], datetime], limit: int = 200) -> int:
    """Lease what is due, hand it over outside any transaction, record it. Returns how many were leased.

    A mail can go out twice only when the process dies between handing over and recording; its Message-ID is
    the same then.
    """
    at = clock()
    with transaction.atomic(using="worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.LEASE, [at + LEASE_FOR, at, limit])
        leased = cursor.fetchall()
    notices: dict[int, list[int]] = defaultdict(list)
    mails: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for delivery, tenant, channel, attempts in leased:
        if channel == Channel.NOTICE:
            notices[tenant].append(delivery)
        else:
            mails[tenant].append((delivery, attempts))
    for tenant, ids in notices.items():
        _show(tenant, ids, at=clock())
    if mails:
        with closing(_mail_connection()) as backend:
            for tenant, rows in mails.items():
                _send(tenant, rows, backend, clock=clock)
    return len(leased)


def _mail_connection() -> BaseEmailBackend:
    backend: BaseEmailBackend = get_connection()
    return backend


def _show(tenant: int, ids: list[int], *, at: datetime) -> None:
    with writing(tenant), connection.cursor() as cursor:
        cursor.execute(sql.INSERT_NOTICES, [at, tenant, ids, at, tenant, ids])


def _send(
    tenant: int, rows: Sequence[tuple[int, int]], backend: BaseEmailBackend, *, clock: Callable[[], datetime]
) -> None:
    sent: list[int] = []
    for delivery, attempts in rows:
        try:
            with reading(tenant):
                mail: EmailMultiAlternatives = mail_for(delivery, at=clock())
            mail.connection = backend
            mail.send()
            sent.append(delivery)
        except NothingToSend as reason:
            _record_failure(tenant, delivery, DeliveryState.DROPPED, clock(), str(reason))
        except (SMTPException, OSError) as fault:
            backend.close()  # a broken conversation is not continued with the next mail
            given_up = attempts > len(RETRIES)
            state = DeliveryState.FAILED if given_up else DeliveryState.DUE
            due = clock() + RETRIES[min(attempts, len(RETRIES)) - 1]
            _record_failure(tenant, delivery, state, due, type(fault).__name__)
    if sent:
        with writing(tenant), connection.cursor() as cursor:
            cursor.execute(sql.DELIVERED, [clock(), tenant, sent])


def _record_failure(tenant: int, delivery: int, state: DeliveryState, due: datetime, error: str) -> None:
    with writing(tenant), connection.cursor() as cursor:
        cursor.execute(sql.NOT_DELIVERED, [state.value, due, error[:300], tenant, delivery])
