"""What every answer tells browsers."""

import pytest
from django.test import Client

from flowdesk.config.cookies import cookie_settings
from tests.builders import World, a_world
from tests.web.people import logged_in

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.mark.parametrize(
    "path", ["/login", "/flow/inbox", "/nothing", "/static/flowdesk/mark.svg", "/api/v1/me"]
)
def test_every_answer_is_guarded(world: World, path: str) -> None:
    answer = Client().get(path)
    answer.close()  # of a file, too

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer


def test_the_policy_names_nobody_else(world: World) -> None:
    policy = logged_in("bo@global.example").get("/flow/inbox")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    for word in ("unsafe", "http:", "https:", "data:", "*"):
        assert word not in policy


def test_over_https_browsers_are_told_to_stay_there(world: World, settings: object) -> None:
    settings.SESSION_COOKIE_SECURE = True  # type: ignore[attr-defined]

    assert Client().get("/login")["Strict-Transport-Security"] == "max-age=31536000"


def test_cookies_of_https_belong_to_this_host_alone() -> None:
    found = cookie_settings("https://desk.example/")

    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == (
        "__Host-sessionid",
        "__Host-csrftoken",
    )
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://desk.example"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", ""])
def test_cookies_of_http_are_kept_by_browsers(url: str) -> None:
    found = cookie_settings(url)

    assert found["SESSION_COOKIE_NAME"] == "sessionid"
    assert not found["SESSION_COOKIE_SECURE"]


def test_a_cookie_is_no_scripts_and_no_other_sites(world: World) -> None:
    cookie = logged_in("bo@global.example").cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_what_is_not_there_is_said_inside_the_shell_in_the_readers_language(world: World) -> None:
    client = logged_in("bo@global.example")
    client.post("/flow/preferences", {"language": "sv"})
    html = client.get("/flow/tickets/tkt_nothing").content.decode()

    assert 'lang="sv"' in html
    assert "/flow/inbox" in html
    assert client.get("/nothing").status_code == 404
    assert "/flow/inbox" in client.get("/nothing").content.decode()


def test_a_stranger_is_shown_no_shell(world: World) -> None:
    swedish = Client(headers={"accept-language": "sv"}).get("/nothing")

    assert swedish.status_code == 404
    assert 'lang="sv"' in swedish.content.decode()
    assert "/flow/inbox" not in swedish.content.decode()


def test_a_form_without_its_token_says_so_inside_the_shell(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = logged_in("bo@global.example").cookies
    answer = client.post("/flow/preferences", {"theme": "dark"})

    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
    assert "/flow/inbox" in answer.content.decode()


def test_a_role_that_may_not_read_gets_no_shell_either(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from flowdesk.core.actor import GRANTS, Act, Role

    client = logged_in("bo@global.example")
    monkeypatch.setitem(GRANTS, Role.AGENT, frozenset({Act.OPEN}))  # type: ignore[arg-type]

    assert "/flow/inbox" not in client.get("/flow/inbox").content.decode()
