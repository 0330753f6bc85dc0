"""Who may come in: invited, shut out, let in; and what nobody may do to whom."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django.fixtures import Settings

from flowdesk.accounts.models import Letter, Membership, User
from flowdesk.config.mail import OUTBOX
from flowdesk.core.actor import Role, system
from flowdesk.core.errors import Forbidden, NotFound
from flowdesk.core.tenant import reading
from flowdesk.core.time import at, now
from flowdesk.flows import members as flow
from flowdesk.notifications.letters import send_letters
from flowdesk.people.models import Agent
from tests.builders import World, a_world
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

PEOPLE, DEED = "/flow/settings/people", "/flow/settings/people/act"
NEW = "a quiet river at dawn"


@pytest.fixture
def world() -> World:
    world = a_world()
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.ADMIN)
    return world


@pytest.fixture
def ada(world: World) -> Client:
    return logged_in("ada@global.example")


def invite(client: Client, email: str = "eve@global.example", role: str = "agent") -> str:
    """The page that answers."""
    answer = client.post(PEOPLE, {"email": email, "name": "Eve Berg", "role": role})
    assert answer.status_code == 200, answer.content.decode()[-3000:]
    return answer.content.decode()


def link_in(html: str) -> str:
    found = re.search(r"/password/new\?link=[^<\s]+", html)
    return found[0] if found else ""


def act_on(client: Client, deed: str, email: str) -> int:
    return client.post(DEED, {"deed": deed, "user": User.objects.get(email=email).pk}).status_code


def test_an_invitation_leads_to_a_desk(world: World, ada: Client) -> None:
    link = link_in(invite(ada))
    client = Client()
    client.post("/password/new", {"link": link.partition("link=")[2], "new": NEW})

    assert client.post("/login", {"login": "eve@global.example", "password": NEW}).status_code == 302
    assert client.get("/flow/inbox").status_code == 200
    with reading(world.tenant.id):
        assert Agent.objects.get(email="eve@global.example").user_id


def test_an_invitation_is_written_with_a_link_that_works(ada: Client) -> None:
    invite(ada)
    send_letters(clock=now)

    assert [one.to for one in mail.outbox] == [["eve@global.example"]]
    assert Client().get(link_in(str(mail.outbox[0].body))).status_code == 200
    assert not Letter.objects.exists()


def test_an_invitation_holds_three_days(ada: Client) -> None:
    link = link_in(invite(ada))

    with at(now() + timedelta(days=2, hours=23)):
        assert Client().get(link).status_code == 200
    with at(now() + timedelta(days=3)):
        assert Client().get(link).status_code == 404


def test_no_link_to_somebody_elses_account_is_shown(ada: Client) -> None:
    a_world("other")
    User.objects.filter(email="bo@other.example").update(is_proven=True)

    assert link_in(invite(ada, "bo@other.example")) == ""
    send_letters(clock=now)
    assert "/login" in str(mail.outbox[0].body)
    assert link_in(str(mail.outbox[0].body)) == ""


def test_a_second_desk_ends_the_link_that_the_first_was_shown(ada: Client) -> None:
    first = link_in(invite(ada))
    other = a_world("other")
    invited = flow.invite_member(
        "eve@global.example", name="Eve", role="agent", by=system(other.tenant.id), now=now()
    )

    assert invited.link == ""
    assert Client().get(first).status_code == 404
    eve = User.objects.get(email="eve@global.example").pk
    again = ada.post(DEED, {"deed": "send", "user": eve}, follow=True)
    assert link_in(again.content.decode()) == ""


def choose(link: str) -> Client:
    """Whoever has the link, logged in with a password of their own."""
    client = Client()
    client.post("/password/new", {"link": link.partition("link=")[2], "new": NEW})
    assert client.post("/login", {"login": "eve@global.example", "password": NEW}).status_code == 302
    return client


def test_who_was_shown_a_link_does_not_come_in_at_the_next_desk(ada: Client) -> None:
    thief = choose(link_in(invite(ada)))
    other = a_world("other")
    theirs = logged_in("ada@other.example")
    Membership.objects.filter(user__email="ada@other.example").update(role=Role.ADMIN)
    Letter.objects.all().delete()

    assert link_in(invite(theirs)) == ""

    assert thief.get("/flow/inbox").status_code == 302
    assert Client().post("/login", {"login": "eve@global.example", "password": NEW}).status_code != 302
    eve = User.objects.get(email="eve@global.example")
    again = ada.post(DEED, {"deed": "send", "user": eve.pk}, follow=True)
    assert link_in(again.content.decode()) == ""
    mail.outbox.clear()
    send_letters(clock=now)
    assert mail.outbox[0].to == ["eve@global.example"]
    assert Membership.objects.filter(user=eve, tenant=other.tenant).exists()
    choose(link_in(str(mail.outbox[0].body)))


def test_who_reads_their_mail_keeps_their_password_at_the_next_desk(ada: Client) -> None:
    invite(ada)
    send_letters(clock=now)
    eve = choose(link_in(str(mail.outbox[0].body)))
    other = a_world("other")

    flow.invite_member("eve@global.example", name="Eve", role="agent", by=system(other.tenant.id), now=now())

    assert eve.get("/flow/inbox").status_code == 200


def test_a_link_is_shown_beside_other_desks_only_where_mail_stays_here(
    ada: Client, settings: Settings
) -> None:
    a_world("other")
    assert link_in(invite(ada)) == ""

    settings.EMAIL_BACKEND = OUTBOX
    assert link_in(invite(ada, "may@global.example")) != ""


def test_somebody_shut_out_is_out_at_once_and_comes_back(world: World, ada: Client) -> None:
    bo = logged_in("bo@global.example")
    assert act_on(ada, "disable", "bo@global.example") == 302
    assert bo.get("/flow/inbox").status_code == 403
    with reading(world.tenant.id):
        assert Agent.objects.get(email="bo@global.example").left_at is not None

    assert act_on(ada, "enable", "bo@global.example") == 302
    assert bo.get("/flow/inbox").status_code == 200
    with reading(world.tenant.id):
        assert Agent.objects.get(email="bo@global.example").left_at is None


def test_shut_out_of_one_desk_is_not_shut_out_of_another(world: World, ada: Client) -> None:
    other = a_world("other")
    Membership.objects.create(
        user=User.objects.get(email="bo@global.example"), tenant=other.tenant, role=Role.AGENT
    )
    bo = logged_in("bo@global.example")

    act_on(ada, "disable", "bo@global.example")

    html = bo.get("/flow/inbox").content.decode()
    assert "other" in html
    bo.post("/flow/tenant", {"tenant": "global"})
    assert "<span>global</span>" not in bo.get("/flow/inbox").content.decode()


def test_log_ins_end(ada: Client) -> None:
    bo = logged_in("bo@global.example")

    act_on(ada, "end", "bo@global.example")

    assert bo.get("/flow/inbox").status_code == 302
    assert ada.get("/flow/inbox").status_code == 200


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.AUDITOR])
def test_only_who_configures_sees_the_page(world: World, role: Role) -> None:
    Membership.objects.filter(user__email="bo@global.example").update(role=role)
    bo = logged_in("bo@global.example")

    assert bo.get(PEOPLE).status_code == 403
    assert bo.post(PEOPLE, {"email": "x@x.example", "name": "x", "role": "admin"}).status_code == 403
    for deed in ("disable", "enable", "end", "send"):
        assert act_on(bo, deed, "ada@global.example") == 403
    assert PEOPLE not in bo.get("/flow/inbox").content.decode()


def test_a_manager_reaches_no_admin(world: World) -> None:
    Membership.objects.filter(user__email="bo@global.example").update(role=Role.MANAGER)
    bo = logged_in("bo@global.example")

    assert bo.post(PEOPLE, {"email": "x@x.example", "name": "x", "role": "admin"}).status_code == 403
    assert 'value="admin"' not in bo.get(PEOPLE).content.decode()
    for deed in ("disable", "enable", "end", "send"):
        assert act_on(bo, deed, "ada@global.example") == 403


def test_a_stranger_is_not_there(ada: Client) -> None:
    a_world("other")

    for deed in ("disable", "enable", "end", "send"):
        assert act_on(ada, deed, "bo@other.example") == 404
    assert "bo@other.example" not in ada.get(PEOPLE).content.decode()
    assert Membership.objects.filter(disabled_at__isnull=False).count() == 0


@pytest.mark.parametrize("user", ["", "x", "-1", "9" * 30, "١"])
@pytest.mark.parametrize("deed", ["disable", "explode", ""])
def test_nonsense_is_not_there(ada: Client, deed: str, user: str) -> None:
    assert ada.post(DEED, {"deed": deed, "user": user}).status_code == 404


def test_nobody_shuts_themselves_or_the_last_admin_out(world: World, ada: Client) -> None:
    act_on(ada, "disable", "ada@global.example")
    assert "Nobody shuts themselves out." in ada.get(PEOPLE).content.decode()

    with pytest.raises(flow.LastAdmin):
        flow.disable_member(world.ada.id or 0, by=system(world.tenant.id), now=now())
    assert ada.get(PEOPLE).status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"email": "no address"}, "This is not an email address."),
        ({"email": "a" * 300 + "@x.example"}, "This is not an email address."),
        ({"name": "  "}, "This must not be empty."),
        ({"name": "\u202e"}, "This must not be empty."),
        ({"name": "x" * 201}, "This is longer than 200 characters."),
        ({"role": "system"}, "Choose one of the list."),
        ({"email": "bo@global.example"}, "This person works here already."),
    ],
)
def test_a_bad_invitation_says_why(ada: Client, sent: dict[str, str], said: str) -> None:
    answer = ada.post(PEOPLE, {"email": "x@x.example", "name": "Eve", "role": "agent", **sent})

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_flows_hold_without_a_page(world: World) -> None:
    other = a_world("other")
    with pytest.raises(NotFound):
        flow.disable_member(other.bo.id or 0, by=system(world.tenant.id), now=now())
    with pytest.raises(Forbidden):
        flow.invite_member("x@x.example", name="x", role="agent", by=world.bo, now=now())


def test_a_letter_waits_for_a_mail_server_and_is_given_up_after_a_day(
    ada: Client, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.mail.backends.locmem import EmailBackend

    def away(*_: object) -> int:
        raise OSError("the mail server is away")

    invite(ada)
    monkeypatch.setattr(EmailBackend, "send_messages", away)
    assert send_letters(clock=now) == 1
    assert send_letters(clock=now) == 0
    letter = Letter.objects.get()
    assert letter.due_at > now()

    monkeypatch.undo()
    send_letters(clock=lambda: letter.due_at)
    assert len(mail.outbox) == 1


def test_a_letter_that_cannot_be_written_holds_up_no_other(ada: Client) -> None:
    invite(ada)
    invite(ada, "may@global.example")
    bad = Letter.objects.get(user__email="eve@global.example")
    Letter.objects.filter(pk=bad.pk).update(kind="no kind")

    assert send_letters(clock=now) == 2

    assert [one.to for one in mail.outbox] == [["may@global.example"]]
    left = Letter.objects.get()
    assert (left.pk, left.attempts) == (bad.pk, 1)
    assert left.due_at > now()


def test_a_letter_that_is_being_sent_is_nobody_elses(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(ada)
    pk, seen = Letter.objects.get().pk, []
    send = EmailMessage.send

    def slowly(message: EmailMessage, fail_silently: bool = False) -> int:
        seen.append(send_letters(clock=lambda: now() + timedelta(minutes=4)))
        return send(message, fail_silently)

    monkeypatch.setattr(EmailMessage, "send", slowly)
    send_letters(clock=now)

    assert seen == [0]
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<letter-{pk}@flowdesk.invalid>"


def test_a_letter_whose_reader_goes_meanwhile_is_no_fault(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(ada)

    def fails(message: EmailMessage, fail_silently: bool = False) -> int:
        Letter.objects.all().delete()
        raise OSError

    monkeypatch.setattr(EmailMessage, "send", fails)

    assert send_letters(clock=now) == 1
    assert not Letter.objects.exists()
