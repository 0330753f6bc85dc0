"""Who is told, by a real conversation with a mail server, and what happens when it refuses, stalls or dies."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from flowdesk.accounts.models import Tenant
from flowdesk.core.actor import system
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.flows import receive, work
from flowdesk.notifications import services, sql
from flowdesk.notifications.models import Delivery, Notice
from flowdesk.notifications.plans import Telling, bundled
from flowdesk.notifications.services import LEASE_FOR, RETRIES, deliver, dispatch, renew_lease
from flowdesk.people.models import Contact
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world
from tests.notifications.post import Post, a_free_port, a_post, text_of

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)

MINUTE = timedelta(minutes=1)
MAJA = "maja@nordvik.example"
BO = "bo@global.example"


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    with a_post() as running:
        speak_to(settings, running.port)
        yield running


def speak_to(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port


@pytest.fixture
def world() -> World:
    world = a_world()
    a_customer(world)
    return world


def an_open_ticket(world: World, **words: Any) -> str:
    """A ticket that comes in by itself: nobody of ours did it."""
    message = a_message(**words)
    return receive.open_ticket(message, by=system(world.tenant.id), now=MONDAY_9, priority=Priority.P3).id


def send(*, at: datetime = MONDAY_9) -> int:
    """The worker's rounds until nothing is left to do at this instant."""
    while dispatch(at=at):
        pass
    leased = 0
    while done := deliver(clock=lambda: at):
        leased += done
    return leased


def deliveries(world: World, **which: Any) -> list[Delivery]:
    with reading(world.tenant.id):
        return list(Delivery.objects.filter(**which).order_by("id"))


def test_the_customer_learns_number_and_hour_in_their_own_language(world: World, post: Post) -> None:
    an_open_ticket(world)
    send()
    with writing(world.tenant.id):
        Contact.objects.update(language="sv")
    an_open_ticket(world, subject="Var byter jag språk?")
    send()

    english, swedish = post.to(MAJA)
    # Enterprise in business hours is answered within the hour.
    assert english["Subject"] == "[global #1] We have your ticket: Where do I change the reply language?"
    assert "Monday 15 June, 10:00 (CEST)" in text_of(english)
    assert swedish["Subject"].strip().startswith("[global #2] ")
    assert "måndag 15 juni, 10:00 (CEST)" in text_of(swedish)
    assert "Hello" not in text_of(swedish)


def test_the_agent_learns_what_is_theirs(world: World, post: Post) -> None:
    an_open_ticket(world)

    send()

    (mail,) = post.to(BO)
    assert "P3 is yours" in mail["Subject"]
    assert "/flow/tickets/tkt_" in text_of(mail)
    with reading(world.tenant.id):
        assert list(Notice.objects.values_list("agent_id", "template")) == [
            (world.bo_agent.id, "agent_assigned")
        ]


def test_nobody_is_told_what_they_did_themselves(world: World, post: Post) -> None:
    ticket = an_open_ticket(world)
    work.assign(ticket, by=world.ada, now=MONDAY_9)
    send()
    post.mails.clear()
    post.envelopes.clear()

    work.take(ticket, by=world.bo, now=MONDAY_9)
    send()

    assert post.mails == []
    assert len(deliveries(world, template="agent_assigned", channel="notice")) == 1  # when it came in


def test_a_step_reaches_even_the_one_whose_act_let_time_pass(world: World, post: Post) -> None:
    ticket = an_open_ticket(world)
    at = MONDAY_9 + 50 * MINUTE  # of the first hour

    work.add_note(ticket, text="Looking.", by=world.ada, now=at)
    send(at=at)

    warned = [mail["Subject"] for mail in post.to("ada@global.example")]
    assert warned == ["[global #1] 75% spent: Where do I change the reply language?"]


def test_our_mails_say_what_they_are(world: World, post: Post) -> None:
    ticket = an_open_ticket(world)
    work.send_reply(ticket, text="Under settings.", by=world.bo, now=MONDAY_9)
    send()

    automatic, reply = post.to(MAJA)

    assert automatic["Auto-Submitted"] == "auto-generated"
    assert automatic["X-Auto-Response-Suppress"] == "All"
    assert reply["Auto-Submitted"] is None  # a person wrote it
    assert automatic["References"] == reply["References"]
    assert automatic["X-Flowdesk-Ticket"] == ticket
    assert automatic["Message-ID"] != reply["Message-ID"]
    assert "Under settings." in text_of(reply)


def test_words_are_not_garbled(world: World, post: Post) -> None:
    an_open_ticket(world, subject='Can\'t <log in> & "leave" – åäö 日本')

    send()

    (mail,) = post.to(MAJA)
    assert (
        mail["Subject"].strip()
        == '[global #1] Vi har tagit emot ditt ärende: Can\'t <log in> & "leave" – åäö 日本'
    )


INJECTED = "Hello\r\nBcc: eve@evil.example\r\n\r\nOther words"


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_a_subject_cannot_begin_a_header(world: World, post: Post, breaks: str) -> None:
    an_open_ticket(world, subject=f"Hello{breaks}Bcc: eve@evil.example{breaks}{breaks}Other words")

    send()

    (mail,) = post.to(MAJA)
    assert mail["Bcc"] is None
    assert mail["Subject"].endswith("Hello Bcc: eve@evil.example Other words")
    assert post.to("eve@evil.example") == []
    assert {to for envelope in post.envelopes for to in envelope} == {MAJA, BO}


@pytest.mark.parametrize("name", [INJECTED, 'Ask, Embla & "Co"', "Åkeri <ab>", "a@b"])
def test_a_tenants_name_cannot_break_the_sender(world: World, post: Post, name: str) -> None:
    Tenant.objects.update(name=name, mail_from="desk@house.example")
    an_open_ticket(world)

    send()

    (mail,) = post.to(MAJA)
    (sender,) = mail["From"].addresses
    assert sender.addr_spec == "desk@house.example"
    assert sender.display_name == " ".join(name.split())
    assert mail["Bcc"] is None


def test_a_name_is_only_a_name(world: World, post: Post) -> None:
    an_open_ticket(world, email="new@reader.example")
    with writing(world.tenant.id):
        Contact.objects.filter(email="new@reader.example").update(name=INJECTED)

    send()

    (mail,) = post.to("new@reader.example")
    assert mail["Bcc"] is None
    assert mail["To"] == "new@reader.example"


def test_a_server_that_is_away_gets_the_mail_when_it_is_back(world: World, settings: Settings) -> None:
    port = a_free_port()
    speak_to(settings, port)
    an_open_ticket(world)
    send()
    waiting = deliveries(world, channel="email")
    assert {(one.state, one.attempts, one.error) for one in waiting} == {("due", 1, "ConnectionRefusedError")}
    assert {one.due_at for one in waiting} == {MONDAY_9 + RETRIES[0]}

    with a_post(port) as post:
        assert send(at=MONDAY_9 + RETRIES[0] - timedelta(seconds=1)) == 0
        send(at=MONDAY_9 + RETRIES[0])

    assert len(post.to(MAJA)) == len(post.to(BO)) == 1
    assert {one.state for one in deliveries(world)} == {"sent"}


def test_a_server_that_says_later_is_asked_later_and_at_last_given_up(world: World, post: Post) -> None:
    post.says_to[MAJA] = "451 Try again later"
    an_open_ticket(world)
    at, tried = MONDAY_9, []

    for wait in (*RETRIES, timedelta(days=30)):
        send(at=at)
        (one,) = deliveries(world, template="customer_acknowledged")
        tried.append((one.attempts, one.state, one.due_at - at))
        at += wait
    send(at=at)

    assert tried[:-1] == [(number, "due", wait) for number, wait in enumerate(RETRIES, start=1)]
    assert tried[-1][:2] == (len(RETRIES) + 1, "failed")
    (one,) = deliveries(world, template="customer_acknowledged")
    assert (one.attempts, one.error) == (len(RETRIES) + 1, "SMTPRecipientsRefused")
    assert len(post.to(BO)) == 1  # nobody else waits for it


def test_a_mailbox_that_does_not_exist_is_not_asked_again(world: World, post: Post) -> None:
    post.says_to[MAJA] = "550 No such user here"
    an_open_ticket(world)

    send()

    (one,) = deliveries(world, template="customer_acknowledged")
    assert (one.state, one.attempts) == ("failed", 1)


def test_refused_contents_are_tried_again(world: World, post: Post) -> None:
    post.says_to_content = "452 No room"
    an_open_ticket(world)
    send()

    post.says_to_content = "250 OK"
    send(at=MONDAY_9 + RETRIES[0])

    assert len(post.mails) == 2


class Killed(BaseException):
    """The process ends here."""


def dying(at: datetime, *, calls: int) -> Callable[[], datetime]:
    """A clock that is read so many times before the process dies of it."""
    left = [calls]

    def clock() -> datetime:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return at

    return clock


def test_a_death_between_sending_and_recording_repeats_the_mail_under_its_own_id(
    world: World, post: Post
) -> None:
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    calls = 0
    while not post.mails:
        calls += 1
        with pytest.raises(Killed):
            deliver(clock=dying(MONDAY_9, calls=calls))
        release(world, at=MONDAY_9)
    first = [mail["Message-ID"] for mail in post.mails]

    send(at=MONDAY_9 + LEASE_FOR)

    again = [mail["Message-ID"] for mail in post.mails]
    assert set(first) <= set(again)
    assert len(set(again)) == 2  # the customer's and the agent's, however often they came
    assert {one.state for one in deliveries(world)} == {"sent"}


def release(world: World, *, at: datetime) -> None:
    """Let the leases of a dead process run out, without waiting for it."""
    with writing(world.tenant.id):
        Delivery.objects.filter(state="due").update(due_at=at)


def test_a_lease_keeps_others_away_until_it_runs_out(world: World, post: Post) -> None:
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    with pytest.raises(Killed):
        deliver(clock=dying(MONDAY_9, calls=1))

    assert send(at=MONDAY_9 + LEASE_FOR - timedelta(seconds=1)) == 0
    assert send(at=MONDAY_9 + LEASE_FOR) == 3
    assert len(post.mails) == 2


def test_a_sender_that_lives_keeps_its_lease_however_slow_the_server_is(world: World, post: Post) -> None:
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    with pytest.raises(Killed):
        deliver(clock=dying(MONDAY_9, calls=1))
    leased = [one.id for one in deliveries(world, state="due")]

    renew_lease(leased, at=MONDAY_9 + LEASE_FOR / 2)

    assert send(at=MONDAY_9 + LEASE_FOR) == 0
    assert send(at=MONDAY_9 + LEASE_FOR * 1.5) == 3


def test_a_renewed_lease_does_not_hurry_what_has_failed(world: World, post: Post) -> None:
    post.says_to_content = "451 Not now"
    an_open_ticket(world)
    send(at=MONDAY_9)
    put_off = {one.id: one.due_at for one in deliveries(world, state="due")}

    renew_lease(list(put_off), at=MONDAY_9)

    assert {one.id: one.due_at for one in deliveries(world, state="due")} == put_off != {}


def test_a_lease_is_renewed_while_a_mail_is_on_its_way(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = threading.Event()
    monkeypatch.setattr(services, "RENEW_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(services, "renew_lease", lambda deliveries, *, at: renewed.set())
    is_sent = services._is_sent

    def slowly(*args: Any, **named: Any) -> bool:
        assert renewed.wait(10)
        return is_sent(*args, **named)

    monkeypatch.setattr(services, "_is_sent", slowly)
    an_open_ticket(world)

    assert send(at=MONDAY_9) == 3
    assert len(post.mails) == 2


def test_what_a_slow_server_leaves_no_time_for_is_given_back(world: World, post: Post) -> None:
    for _ in range(3):
        an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    seconds = iter(range(0, 10_000, 25))  # each look at the clock is 25 s after the last

    deliver(clock=lambda: MONDAY_9 + timedelta(seconds=next(seconds)))

    left = deliveries(world, state="due")
    assert 0 < len(post.mails) < 6
    assert len(left) == 6 - len(post.mails)
    assert {one.attempts for one in left} == {0}
    send(at=MONDAY_9 + timedelta(hours=1))
    assert len(post.mails) == 6


def test_one_mail_that_cannot_be_written_holds_up_no_other(world: World, post: Post) -> None:
    an_open_ticket(world)
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    with writing(world.tenant.id):
        bad = Delivery.objects.filter(channel="email").order_by("id")[0]
        Delivery.objects.filter(id=bad.id).update(template="a_template_nobody_wrote")

    send()

    assert len(post.mails) == 3
    (left,) = deliveries(world, state="due")
    assert (left.id, left.attempts, left.error) == (bad.id, 1, "TemplateDoesNotExist")


def test_one_row_that_cannot_be_read_starves_no_other(world: World, post: Post) -> None:
    an_open_ticket(world)
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    with writing(world.tenant.id):
        bad = Delivery.objects.filter(channel="email").order_by("id")[0]
        Delivery.objects.filter(id=bad.id).update(data={"message": "no id"})

    send()

    assert len(post.mails) == 3
    (left,) = deliveries(world, state="due")
    assert (left.id, left.attempts, left.error) == (bad.id, 1, "ValueError")


def test_what_was_handed_over_is_recorded_when_the_database_is_back(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_open_ticket(world)
    good, left = sql.DELIVERED, [2]
    monkeypatch.setattr(services, "RECORD_PAUSES", (0.1, 0.1))
    monkeypatch.setattr(time, "sleep", lambda _: mend(left))
    monkeypatch.setattr(sql, "DELIVERED", "select pg_terminate_backend(pg_backend_pid()), %s, %s, %s")

    def mend(tries: list[int]) -> None:
        tries[0] -= 1
        if not tries[0]:
            monkeypatch.setattr(sql, "DELIVERED", good)

    send()

    assert left == [0]
    assert len(post.mails) == 2
    assert {one.state for one in deliveries(world)} == {"sent"}


@pytest.mark.parametrize("most", [1, 0])
def test_a_batch_that_takes_too_long_is_dispatched_in_parts_and_nothing_is_lost(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    an_open_ticket(world)
    an_open_ticket(world)

    def slow(told: list[Telling], **words: Any) -> list[Telling]:
        if len({one.event.id for one in told}) > most:
            with connections["worker"].cursor() as cursor:
                cursor.execute("set local statement_timeout = 20")
                cursor.execute("select pg_sleep(20)")
        return list(bundled(told, **words))

    with monkeypatch.context() as slowly:
        slowly.setattr(services, "bundled", slow)
        dispatch(at=MONDAY_9)
    assert bool(deliveries(world)) == bool(most)

    send()
    assert len(post.mails) == 4


def test_somebody_without_an_address_is_dropped_and_it_says_why(world: World, post: Post) -> None:
    an_open_ticket(world)
    while dispatch(at=MONDAY_9):
        pass
    with writing(world.tenant.id):
        Contact.objects.update(email="")

    send()

    (one,) = deliveries(world, template="customer_acknowledged")
    assert (one.state, one.error) == ("dropped", "no address")


def test_a_contact_that_is_known_by_phone_alone_is_not_mailed(world: World, post: Post) -> None:
    with writing(world.tenant.id):
        Contact.objects.update(email="", phone="+46 70 000 00 00")
        contact = Contact.objects.get()
    from flowdesk.core.ids import shown
    from flowdesk.intake.services import InboundMessage

    receive.open_ticket(
        InboundMessage(
            channel=Channel.PHONE, subject="Help", text="It rings.", contact=shown("con", contact.public_id)
        ),
        by=system(world.tenant.id),
        now=MONDAY_9,
    )
    send()

    assert deliveries(world, template="customer_acknowledged") == []
    assert [to for envelope in post.envelopes for to in envelope] == [BO]


def test_a_dispatcher_that_runs_twice_tells_nobody_twice(world: World, post: Post) -> None:
    an_open_ticket(world)
    send()
    with connections["worker"].cursor() as cursor:  # as if it had died before it stamped what it did
        cursor.execute("update tickets_ticketevent set dispatched_at = null")

    assert dispatch(at=MONDAY_9) > 0
    assert send() == 0

    assert len(post.to(MAJA)) == len(post.to(BO)) == 1


def test_an_event_is_dispatched_once(world: World) -> None:
    an_open_ticket(world)

    assert dispatch(at=MONDAY_9) > 0
    assert dispatch(at=MONDAY_9) == 0


def test_a_tenants_mail_is_written_in_its_own_scope(world: World, post: Post) -> None:
    other = a_world("other")
    a_customer(other, name="Sydvik Handel")
    an_open_ticket(world)
    an_open_ticket(other, email="maja@sydvik.example")

    send()

    assert [mail["Subject"][:9] for mail in post.to(MAJA)] == ["[global #"]
    assert [mail["Subject"][:8] for mail in post.to("maja@sydvik.example")] == ["[other #"]


def test_the_date_is_told_in_the_tenants_zone(world: World, post: Post) -> None:
    Tenant.objects.update(zone="America/New_York")
    an_open_ticket(world)

    send()

    (mail,) = post.to(MAJA)
    assert "Monday 15 June, 04:00 (EDT)" in text_of(mail)
