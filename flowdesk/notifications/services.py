"""Events become deliveries, deliveries become notices and mails. Two stages, each safe to repeat."""

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import Error as DatabaseError
from django.db import OperationalError, connection, connections, transaction

from flowdesk.core import metrics
from flowdesk.core.models import json_list
from flowdesk.core.postgres.trouble import is_database_away
from flowdesk.core.tenant import reading, writing
from flowdesk.notifications import sql
from flowdesk.notifications.mails import NothingToSend, Post, mail_for, read_post
from flowdesk.notifications.models import DeliveryState
from flowdesk.notifications.plans import DELAY_NOTICE, Channel, EventRow, Telling, bundled, tellings
from flowdesk.policies.services import current_policy
from flowdesk.tickets.states import EventKind

log = logging.getLogger("flowdesk.worker")
# Who dies with a lease holds it for so long at most; who lives renews it. However slow a mail server is, nobody
# else takes up what is being sent, and an alarm that was in a killed sender's hands is not late by minutes.
LEASE_FOR = timedelta(seconds=30)
RENEW_EVERY = LEASE_FOR / 3
SEND_FOR = timedelta(minutes=1)  # after so long no further mail of the lease is begun
PART = 20  # mails recorded together: so many may repeat after a crash
RECORD_PAUSES = (0.5, 1, 2, 4, 8)  # seconds between tries to record what was handed over
FIRST_PERMANENT = 500  # SMTP's replies from here on will not change (RFC 5321, 4.2.1)
RETRIES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)


def dispatch(*, at: datetime, limit: int = 500) -> int:
    """Turn events nobody was told of into deliveries and stamp them, in one transaction. Returns the events.

    If that fails, in several: an event that cannot be dispatched is reported and stamped, and holds up no other.
    When the database is away, its fault is raised and everything stays as it was.
    """
    try:
        return _dispatch(sql.UNDISPATCHED, limit, at=at)
    except Exception as fault:
        if is_database_away(fault):
            raise
        log.warning("dispatch_failed", exc_info=True)
        with connections["worker"].cursor() as cursor:
            cursor.execute(sql.UNDISPATCHED_IDS, [limit])
            rows = cursor.fetchall()
    # Ticket by ticket, so that what one act says to one customer is still one mail.
    events_of: dict[tuple[int, int], list[int]] = defaultdict(list)
    for event, tenant, ticket in rows:
        events_of[tenant, ticket].append(event)
    return _dispatch_each(list(events_of.values()), at=at)


def _dispatch_each(groups: Sequence[list[int]], *, at: datetime) -> int:
    """Dispatch groups of events together; if that fails, each half by itself, down to the bad event."""
    if not groups:
        return 0
    events = [event for group in groups for event in group]
    try:
        return _dispatch(sql.UNDISPATCHED_AMONG, events, at=at)
    except Exception as fault:
        if is_database_away(fault):
            raise
        if len(events) == 1:
            log.exception("event_not_dispatched", extra={"event": events[0]})
            if isinstance(fault, OperationalError):
                return (
                    0  # a deadlock, a statement that took too long: it passes, and the event keeps its turn
                )
            with connections["worker"].cursor() as cursor:
                cursor.execute(sql.STAMP_EVENTS, [at, events])
            return 1
    if len(groups) == 1:
        groups = [[event] for event in events]
    half = len(groups) // 2
    return _dispatch_each(groups[:half], at=at) + _dispatch_each(groups[half:], at=at)


def _dispatch(statement: str, which: int | list[int], *, at: datetime) -> int:
    with transaction.atomic(using="worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(statement, [which])
        rows = cursor.fetchall()
        if not rows:
            return 0
        told = [telling for row in rows if (event := _event(row)) for telling in tellings(event)]
        delays: dict[int, list[int]] = defaultdict(list)
        for telling in told:
            if telling.template == DELAY_NOTICE:
                delays[telling.event.tenant].append(telling.event.ticket)
        delayed: list[int] = []
        if delays:
            cursor.execute(sql.LOCK_DELAY_NOTICES)
        for tenant, tickets in delays.items():
            cursor.execute(sql.TOLD_OF_DELAY, [tenant, tickets, at - _notice_every(tenant)])
            delayed += [row[0] for row in cursor.fetchall()]
        _insert(cursor.execute, bundled(told, told_of_delay=delayed), at=at)
        cursor.execute(sql.STAMP_EVENTS, [at, [row[0] for row in rows]])
        return len(rows)


def _event(row: Sequence[Any]) -> EventRow | None:
    """The event of a row; None for a kind that a newer release beside us writes and we know nothing of."""
    try:
        kind = EventKind(row[3])
    except ValueError:
        log.warning("event_kind_unknown", extra={"tenant": row[1], "event": row[0]})
        return None
    return EventRow(
        id=row[0], tenant=row[1], ticket=row[2], kind=kind, at=row[4],
        data=json.loads(row[5]) if isinstance(row[5], str) else row[5], doer=row[6], assignee=row[7],
        contact=row[8], contact_has_mail=row[9],
    )  # fmt: skip


def _notice_every(tenant: int) -> timedelta:
    """How long a customer who was told of a delay is left in peace, as the tenant has decided."""
    with reading(tenant):
        return current_policy().escalation.notice_every


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
                json_list(one.data for one in told),
            ],
        )


def deliver(*, clock: Callable[[], datetime], limit: int = 200) -> int:
    """Lease what is due, hand it over outside any transaction, record it. Returns how many were leased.

    A mail can go out twice only when its sender dies, or the database does not let it record for as long as it
    tries (RECORD_PAUSES), after the mail was handed over; its Message-ID is the same then. What a slow mail server
    leaves no time for is given back.
    """
    at = clock()
    with transaction.atomic(using="worker", durable=True), connections["worker"].cursor() as cursor:
        cursor.execute(sql.LEASE, [at + LEASE_FOR, at, limit])
        leased = cursor.fetchall()
    notices: dict[int, list[tuple[int, int]]] = defaultdict(list)
    mails: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for delivery, tenant, channel, attempts in leased:
        if channel == Channel.NOTICE:
            notices[tenant].append((delivery, attempts))
        else:
            mails[tenant].append((delivery, attempts))
    for tenant, rows in notices.items():
        _show_each(tenant, rows, at=clock())
    if mails:
        sending = [delivery for rows in mails.values() for delivery, _ in rows]
        with _lease_renewed(sending, clock=clock), closing(get_connection()) as backend:
            for tenant, rows in mails.items():
                for start in range(0, len(rows), PART):
                    _send(tenant, rows[start : start + PART], backend, clock=clock, until=at + SEND_FOR)
    return len(leased)


@contextmanager
def _lease_renewed(deliveries: list[int], *, clock: Callable[[], datetime]) -> Iterator[None]:
    """Keep what is being sent from others for as long as the block works."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_EVERY.total_seconds()):
            renew_lease(deliveries, at=clock())
        connections["worker"].close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def renew_lease(deliveries: list[int], *, at: datetime) -> None:
    """Lease once more what has not been dealt with; a database that is away is asked again next time."""
    try:
        with connections["worker"].cursor() as cursor:
            cursor.execute(sql.RENEW, [at + LEASE_FOR, deliveries, at + LEASE_FOR])
    except DatabaseError:  # of whatever kind: there is a next time
        log.warning("lease_not_renewed", exc_info=True)
        connections["worker"].close()


def _show_each(tenant: int, rows: Sequence[tuple[int, int]], *, at: datetime) -> None:
    """Show notices together; if that fails, each by itself, and the bad one is tried again later."""
    try:
        _show(tenant, [delivery for delivery, _ in rows], at=at)
    except Exception as fault:
        if is_database_away(fault):
            raise
        if len(rows) > 1:
            for row in rows:
                _show_each(tenant, [row], at=at)
            return
        delivery, attempts = rows[0]
        log.exception("notice_failed", extra={"tenant": tenant, "delivery": delivery})
        _put_off(Channel.NOTICE, tenant, delivery, attempts, fault, is_final=False, at=at)


def _show(tenant: int, ids: list[int], *, at: datetime) -> None:
    with writing(tenant), connection.cursor() as cursor:
        cursor.execute(sql.INSERT_NOTICES, [at, tenant, ids, at, tenant, ids])
        made = cursor.fetchall()
    _count_sent(Channel.NOTICE, made, at=at)


def _send(
    tenant: int,
    rows: Sequence[tuple[int, int]],
    backend: BaseEmailBackend,
    *,
    clock: Callable[[], datetime],
    until: datetime,
) -> None:
    """Send a part of one tenant's mails; what was handed over is recorded even when a later one brings us down.

    If they cannot be read together, each by itself, and the bad one is tried again later.
    """
    sent: list[int] = []
    try:
        with reading(tenant):
            post = read_post([delivery for delivery, _ in rows])
    except Exception as fault:
        if is_database_away(fault):
            raise
        if len(rows) > 1:
            for row in rows:
                _send(tenant, [row], backend, clock=clock, until=until)
            return
        delivery, attempts = rows[0]
        log.exception("mail_failed", extra={"tenant": tenant, "delivery": delivery})
        _put_off(Channel.EMAIL, tenant, delivery, attempts, fault, is_final=False, at=clock())
        return
    try:
        for place, (delivery, attempts) in enumerate(rows):
            if clock() >= until:
                _give_back(tenant, [late for late, _ in rows[place:]], at=clock())
                break
            if _is_sent(delivery, attempts, post, backend, clock=clock):
                sent.append(delivery)
    finally:
        if sent:
            _record_sent(tenant, sent, at=clock())


def _record_sent(tenant: int, sent: list[int], *, at: datetime) -> None:
    """Note what was handed over; again if that fails, for the statement does no harm twice."""
    for pause in (*RECORD_PAUSES, None):
        try:
            with writing(tenant), connection.cursor() as cursor:
                cursor.execute(sql.DELIVERED, [at, tenant, sent])
                made = cursor.fetchall()
        except DatabaseError:
            if pause is None:
                raise
            log.warning("sent_not_recorded", extra={"tenant": tenant}, exc_info=True)
            connection.close()
            time.sleep(pause)
        else:
            _count_sent(Channel.EMAIL, made, at=at)
            return


def _count_sent(channel: Channel, made: Sequence[tuple[datetime]], *, at: datetime) -> None:
    """Count what was handed over, once it is committed; `made` holds the instants at which it was decided."""
    metrics.DELIVERIES.add(channel.value, "sent", by=len(made))
    for (created_at,) in made:
        metrics.HANDOVER_LATENESS.observe((at - created_at).total_seconds(), channel.value)


def _is_sent(
    delivery: int, attempts: int, post: Post, backend: BaseEmailBackend, *, clock: Callable[[], datetime]
) -> bool:
    """Hand one mail over; a failure is recorded at once, and holds up no other mail."""
    tenant = post.tenant.id
    try:
        mail = mail_for(delivery, post, at=clock())
        mail.connection = backend
        mail.send()
    except NothingToSend as reason:
        _record_failure(Channel.EMAIL, tenant, delivery, DeliveryState.DROPPED, clock(), str(reason))
    except (SMTPException, OSError) as fault:
        backend.close()  # a broken conversation is not continued with the next mail
        final = _is_refused_for_good(fault)
        _put_off(Channel.EMAIL, tenant, delivery, attempts, fault, is_final=final, at=clock())
    except Exception as fault:
        if is_database_away(fault):
            raise  # not the mail's fault: its lease runs out, and it is tried again
        log.exception("mail_failed", extra={"tenant": tenant, "delivery": delivery})
        _put_off(Channel.EMAIL, tenant, delivery, attempts, fault, is_final=False, at=clock())
    else:
        return True
    return False


def _is_refused_for_good(fault: Exception) -> bool:
    """The server knows that no such mailbox is there; other refusals may be our operator's to mend, and pass."""
    return isinstance(fault, SMTPRecipientsRefused) and all(
        code >= FIRST_PERMANENT for code, _ in fault.recipients.values()
    )


def _put_off(
    channel: Channel,
    tenant: int,
    delivery: int,
    attempts: int,
    fault: Exception,
    *,
    is_final: bool,
    at: datetime,
) -> None:
    given_up = is_final or attempts > len(RETRIES)
    state = DeliveryState.FAILED if given_up else DeliveryState.DUE
    due = at + RETRIES[min(attempts, len(RETRIES)) - 1]
    _record_failure(channel, tenant, delivery, state, due, type(fault).__name__)


def _give_back(tenant: int, deliveries: list[int], *, at: datetime) -> None:
    with writing(tenant), connection.cursor() as cursor:
        cursor.execute(sql.GIVE_BACK, [at, tenant, deliveries])


def _record_failure(
    channel: Channel, tenant: int, delivery: int, state: DeliveryState, due: datetime, error: str
) -> None:
    with writing(tenant), connection.cursor() as cursor:
        cursor.execute(sql.NOT_DELIVERED, [state.value, due, error[:300], tenant, delivery])
    metrics.DELIVERIES.add(channel.value, "put_off" if state is DeliveryState.DUE else state.value)
