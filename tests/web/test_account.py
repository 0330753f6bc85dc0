"""The way in and out, sessions and passwords, as a person meets them."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flowdesk.accounts.links import password_link
from flowdesk.accounts.models import AuditEntry, Letter, LetterKind, Membership, Session, Tenant, User
from flowdesk.core.actor import Role
from flowdesk.core.tenant import reading
from flowdesk.core.time import at, now
from flowdesk.notifications.letters import send_letters
from tests.builders import World, a_world
from tests.web.desk import PASSWORD
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

BO = "bo@global.example"
NEW = "a quiet river at dawn"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def client(world: World) -> Client:
    return logged_in(BO)


def acts(world: World) -> list[str]:
    with reading(world.tenant.id):
        done = AuditEntry.objects.exclude(act="policy_revised").order_by("id")
        return list(done.values_list("act", flat=True))


def page(client: Client, path: str = "/flow/account") -> str:
    return client.get(path).content.decode()


def test_unknown_and_known_are_answered_alike(world: World) -> None:
    answers = [
        Client().post("/login", {"login": who, "password": "wrong"}) for who in (BO, "no@global.example")
    ]
    words = [
        re.sub(r"csrfmiddlewaretoken.*?>|\S+@global.example", "", answer.content.decode())
        for answer in answers
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert words[0] == words[1]


def test_unknown_and_known_cost_one_hash_each(
    world: World, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for who in (BO, "no@global.example"):
        Client().post("/login", {"login": who, "password": "wrong"})

    assert hashed == ["wrong", "wrong"]


def test_somebody_switched_off_is_answered_like_a_stranger(world: World) -> None:
    User.objects.filter(email=BO).update(is_active=False)

    answer = Client().post("/login", {"login": BO, "password": PASSWORD})

    assert answer.status_code == 422
    assert "do not belong together" in answer.content.decode()


def test_a_lockout_says_when_to_try_again(world: World) -> None:
    client = Client()
    for _ in range(9):
        answer = client.post("/login", {"login": BO, "password": "wrong"})

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "Try again in 15m" in answer.content.decode()
    assert client.post("/login", {"login": BO, "password": PASSWORD}).status_code == 429
    with at(now() + timedelta(minutes=15)):
        assert client.post("/login", {"login": BO, "password": PASSWORD}).status_code == 302


def test_a_lockout_is_answered_the_same_for_an_address_nobody_has(world: World) -> None:
    client = Client()
    codes = [client.post("/login", {"login": "no@x.example", "password": "x"}).status_code for _ in range(9)]

    assert codes == [422] * 8 + [429]


def test_a_forged_address_gives_no_fresh_attempts(world: World) -> None:
    client = Client()
    codes = [
        client.post(
            "/login", {"login": BO, "password": "x"}, headers={"x-forwarded-for": f"198.51.100.{number}"}
        ).status_code
        for number in range(9)
    ]

    assert codes[-1] == 429


def test_coming_and_going_is_audited_without_an_address(world: World) -> None:
    client = Client()
    for _ in range(10):
        client.post("/login", {"login": "Ada@global.example", "password": "wrong"})
    other = logged_in(BO)
    other.post("/logout")

    assert acts(world) == ["login_failed"] * 8 + ["locked_out", "logged_in", "logged_out"]
    with reading(world.tenant.id):
        entries = list(AuditEntry.objects.exclude(act="policy_revised").values("before", "after"))
    assert entries == [{"before": {}, "after": {}}] * 11


def test_a_session_that_says_not_since_when_is_none(world: World) -> None:
    client = Client()
    client.force_login(User.objects.get(email=BO))  # past the page that begins a log-in

    assert client.get("/flow/inbox").status_code == 302


def test_a_log_in_has_a_new_key(world: World) -> None:
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key

    client.post("/login", {"login": BO, "password": PASSWORD})

    assert client.session.session_key != planted
    assert not Session.objects.filter(pk=planted).exists()


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example", "\t//evil.example"],
)
def test_a_log_in_leads_nowhere_else(world: World, wanted: str) -> None:
    answer = Client().post("/login", {"login": BO, "password": PASSWORD, "next": wanted})

    assert answer["Location"].startswith("/flow/")


def test_an_old_hash_is_made_anew_at_the_next_log_in(world: World, settings: object) -> None:
    strong = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    settings.PASSWORD_HASHERS = [strong]  # type: ignore[attr-defined]
    weak = make_password(PASSWORD).split("$")
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    User.objects.filter(email=BO).update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6, 1000))

    logged_in(BO)

    kept = User.objects.get(email=BO).password
    assert identify_hasher(kept).algorithm == "pbkdf2_sha256"
    assert kept.split("$")[1] == weak[1]


def test_nothing_of_a_log_in_is_kept_by_the_browser(client: Client) -> None:
    for path in ("/flow/inbox", "/flow/account", "/flow/tickets/sla", "/flow/nothing"):
        assert "no-store" in client.get(path)["Cache-Control"], path


def test_a_session_ends_when_it_was_idle(client: Client) -> None:
    Session.objects.update(expire_date=now())

    assert client.get("/flow/inbox")["Location"].startswith("/login")


def test_being_used_puts_off_the_idle_end(client: Client) -> None:
    before = Session.objects.get()
    with at(now() + timedelta(minutes=5)):
        client.get("/flow/inbox")
    after = Session.objects.get()

    assert after.seen_at - before.seen_at >= timedelta(minutes=5)  # type: ignore[operator]
    assert after.expire_date > before.expire_date


def test_a_session_is_noted_once_a_minute_only(client: Client) -> None:
    before = Session.objects.get().seen_at
    client.get("/flow/inbox")

    assert Session.objects.get().seen_at == before


def test_no_session_outlives_its_limit(client: Client) -> None:
    with at(now() + settings.SESSION_LIMIT - timedelta(minutes=1)):
        assert client.get("/flow/inbox").status_code == 200
    with at(now() + settings.SESSION_LIMIT):
        assert client.get("/flow/inbox")["Location"].startswith("/login")
    assert not Session.objects.exists()


def test_a_remembered_one_is_not_idle_before_its_limit(world: World) -> None:
    client = Client()
    client.post("/login", {"login": BO, "password": PASSWORD, "remember": "1"})

    left = Session.objects.get().expire_date - now()
    assert settings.SESSION_LIMIT - timedelta(minutes=1) < left <= settings.SESSION_LIMIT
    assert client.cookies[settings.SESSION_COOKIE_NAME]["max-age"]


def test_a_person_sees_and_ends_their_sessions(client: Client, world: World) -> None:
    other = Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="2001:db8::7")
    other.post("/login", {"login": BO, "password": PASSWORD})
    html = page(client)
    assert "Firefox on Windows" in html
    assert "2001:db8::7" in html
    for session in Session.objects.all():
        assert session.pk not in html, "a page never shows what opens a session"

    called = re.search(r'name="session" value="([0-9a-f]{24})"', html)
    assert called is not None
    client.post("/flow/account/sessions/end", {"session": called[1]})

    assert other.get("/flow/inbox").status_code == 302
    assert client.get("/flow/inbox").status_code == 200
    assert acts(world)[-1] == "session_ended"


def test_all_others_end_at_once(client: Client, world: World) -> None:
    others = [logged_in(BO), logged_in(BO)]
    ada = logged_in("ada@global.example")

    client.post("/flow/account/sessions/end", {"session": "others"})

    assert [one.get("/flow/inbox").status_code for one in (*others, client, ada)] == [302, 302, 200, 200]


def test_nobody_ends_anothers_session(client: Client, world: World) -> None:
    from flowdesk.accounts.sessions import handle

    logged_in("ada@global.example")
    theirs = Session.objects.get(user__email="ada@global.example")

    assert client.post("/flow/account/sessions/end", {"session": handle(theirs.pk)}).status_code == 404
    assert Session.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", NEW, "This is not your present password."),
        (PASSWORD, "short", "at least 12 characters"),
        (PASSWORD, "michaeljackson", "too common"),
        (PASSWORD, "bo@global.example", "too similar"),
        (PASSWORD, "x" * 1001, "longer than 1000 characters"),
        (PASSWORD, "a quiet\x00river at dawn", "null character"),
    ],
)
def test_a_password_that_cannot_be_used_says_why(client: Client, old: str, new: str, said: str) -> None:
    answer = client.post("/flow/account/password", {"old": old, "new": new})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert logged_in(BO)


def test_no_kinds_of_characters_are_asked_for(client: Client) -> None:
    assert client.post("/flow/account/password", {"old": PASSWORD, "new": NEW}).status_code == 302


def test_a_changed_password_ends_every_other_session(client: Client, world: World) -> None:
    other, key = logged_in(BO), client.session.session_key
    client.post("/flow/account/password", {"old": PASSWORD, "new": NEW})

    assert other.get("/flow/inbox").status_code == 302
    assert client.get("/flow/inbox").status_code == 200
    assert client.session.session_key != key
    assert acts(world)[-2:] == ["session_ended", "password_changed"]
    assert Client().post("/login", {"login": BO, "password": PASSWORD}).status_code == 422


def test_the_present_password_cannot_be_guessed_from_an_open_browser(client: Client) -> None:
    codes = [
        client.post("/flow/account/password", {"old": "wrong", "new": NEW}).status_code for _ in range(9)
    ]

    assert codes == [422] * 8 + [429]


def test_a_demos_passwords_stay(client: Client, world: World) -> None:
    Tenant.objects.update(is_demo=True)

    assert "printed for everybody" in page(client)
    assert client.post("/flow/account/password", {"old": PASSWORD, "new": NEW}).status_code == 409
    Client().post("/password/lost", {"email": BO})
    assert not Letter.objects.exists()
    assert logged_in(BO)


def test_a_profile_is_kept_and_a_bad_one_says_why(client: Client) -> None:
    sent = {"name": "Bo \u202eEk", "language": "sv", "zone": "Asia/Tokyo", "theme": "dark"}
    assert client.post("/flow/account/profile", sent).status_code == 302
    bo = User.objects.get(email=BO)
    assert (bo.name, bo.language, bo.zone, bo.theme, bo.keys_off) == (
        "Bo Ek",
        "sv",
        "Asia/Tokyo",
        "dark",
        True,
    )

    answer = client.post("/flow/account/profile", {**sent, "zone": "Mars/Olympus", "name": " "})
    assert answer.status_code == 422
    assert "Det här är ingen tidszon" in answer.content.decode() or "Mars/Olympus" in answer.content.decode()


def link_in(outbox: list[mail.EmailMessage]) -> str:
    found = re.search(r"/password/new\?link=\S+", str(outbox[-1].body))
    assert found is not None
    return found[0]


def test_a_forgotten_password_is_chosen_anew_once(world: World) -> None:
    session = logged_in(BO)
    Client().post("/password/lost", {"email": "BO@global.example"})
    send_letters(clock=now)
    link = link_in(mail.outbox)
    client = Client()
    assert BO in page(client, link)

    token = link.partition("link=")[2]
    answer = client.post("/password/new", {"link": token, "new": "short"})
    assert answer.status_code == 422
    assert client.post("/password/new", {"link": token, "new": NEW}).status_code == 200

    assert client.post("/password/new", {"link": token, "new": NEW + "!"}).status_code == 404
    assert client.get(link).status_code == 404
    assert session.get("/flow/inbox").status_code == 302
    assert Client().post("/login", {"login": BO, "password": NEW}).status_code == 302
    assert "password_changed" in acts(world)


def test_a_link_is_too_old_after_an_hour(world: World) -> None:
    link = password_link(User.objects.get(email=BO), LetterKind.RESET, is_mailed=True, now=now())

    with at(now() + timedelta(minutes=59)):
        assert Client().get(link).status_code == 200
    with at(now() + timedelta(minutes=61)):
        assert Client().get(link).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "é" * 3000, "%00"])
def test_a_link_that_is_none_says_so(world: World, token: str) -> None:
    answer = Client().get("/password/new", {"link": token})

    assert answer.status_code == 404
    assert "This link does not work" in answer.content.decode()


def test_asking_for_a_link_tells_nobody_who_has_an_account(world: World) -> None:
    told, asked = [], []
    for email in (BO, "nobody@global.example"):
        with CaptureQueriesContext(connection) as queries:
            told.append(Client().post("/password/lost", {"email": email}).content.decode())
        asked.append(len(queries))

    assert told[0] == told[1]
    assert asked[0] == asked[1]
    assert Letter.objects.count() == 1


def test_links_cannot_be_asked_for_without_end(world: World) -> None:
    codes = [Client().post("/password/lost", {"email": BO}).status_code for _ in range(5)]

    assert codes == [200] * 4 + [429]
    assert Letter.objects.count() == 4


def test_somebody_shut_out_everywhere_is_sent_no_link(world: World) -> None:
    Membership.objects.filter(user__email=BO).update(disabled_at=now())

    Client().post("/password/lost", {"email": BO})

    assert not Letter.objects.exists()


def test_the_whole_way_is_in_the_readers_language(world: World) -> None:
    User.objects.filter(email=BO).update(language="sv")
    html = page(logged_in(BO))
    assert "Ditt konto" in html
    assert "Var du är inloggad" in html
    assert "minst 12 tecken" in html

    swedish = Client(headers={"accept-language": "sv"})
    assert "Glömt lösenord" in page(swedish, "/password/lost")


def test_an_auditor_has_an_account_too(world: World) -> None:
    Membership.objects.filter(user__email=BO).update(role=Role.AUDITOR)

    assert logged_in(BO).get("/flow/account").status_code == 200
