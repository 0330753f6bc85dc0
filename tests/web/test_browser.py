"""The desk in a real browser, on real data: every flow a person walks, with and without script."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from django.test.testcases import LiveServerThread
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from flowdesk.accounts.models import Tenant
from flowdesk.core.time import at
from tests.builders import a_world
from tests.database import Rows, ThrowawayDatabase
from tests.web.browser import (
    WIDTHS,
    a_browser,
    a_page,
    findings,
    findings_of_colour,
    needs_browser,
    runs_off_the_side,
)
from tests.web.desk import NOW, PASSWORD, Desk, a_busy_desk

pytestmark = [
    *needs_browser,
    pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True),
]


@dataclass(frozen=True, slots=True)
class Site:
    """The desk and where it is served, at a standing clock."""

    url: str
    desk: Desk

    def ticket(self, name: str) -> str:
        return self.url + reverse("ticket", args=[self.desk.tickets[name]])


@pytest.fixture(scope="module")
def built(
    migrated_database: ThrowawayDatabase, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> tuple[Desk, Rows]:
    """A busy desk and all its rows: built once, and put back for each test, which may do with it what it likes."""
    with django_db_blocker.unblock():
        desk = a_busy_desk()
        rows = migrated_database.rows()
        connections.close_all()
        migrated_database.restore_rows()
    return desk, rows


@pytest.fixture
def site(
    built: tuple[Desk, Rows], migrated_database: ThrowawayDatabase, transactional_db: None
) -> Iterator[Site]:
    desk, rows = built
    migrated_database.restore_rows(rows)
    server = LiveServerThread("127.0.0.1", _at_the_stories_clock)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield Site(f"http://127.0.0.1:{server.port}", desk)
    server.terminate()


def _at_the_stories_clock(handler: Callable[..., Any]) -> Callable[..., Any]:
    def answer(environ: Any, start_response: Any) -> Any:
        with at(NOW):
            return handler(environ, start_response)

    return answer


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with a_browser() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Any, site: Site, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Bo at his browser, logged in."""
    with a_page(browser, **getattr(request, "param", {})) as page:
        log_in(page, site)
        yield page


def log_in(page: Any, site: Site, email: str = "bo@global.example") -> None:
    page.goto(f"{site.url}/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/flow/tickets/sla")


def head(page: Any) -> Any:
    return page.locator("#ticket-head")


def test_from_the_hub_over_the_inbox_to_a_met_promise(page: Any, site: Site) -> None:
    page.get_by_role("link", name="Unassigned active").click()
    page.wait_for_url("**/flow/inbox?signal=unassigned*")
    assert page.locator(".row").count() == 1

    page.goto(f"{site.url}/flow/inbox")
    page.get_by_role("link", name="Orders are not synchronised").click()
    page.wait_for_url("**ticket=tkt_*")
    page.locator("#preview").get_by_role("link", name="Orders are not synchronised").click()
    page.wait_for_url("**/flow/tickets/tkt_*")
    assert head(page).locator(".chip.warning").first.is_visible()

    page.locator("#composer-text").fill("We have found the queue that stood still.")
    page.get_by_role("button", name="Send reply").click()

    page.get_by_text("Reply sent").wait_for()
    assert head(page).locator(".chip.met").is_visible()
    assert page.locator("#thread").get_by_text("We have found the queue that stood still.").is_visible()
    assert page.locator("#composer-text").input_value() == ""
    assert page.faults == []


def test_a_wait_stops_the_clock_and_resuming_lets_it_run(page: Any, site: Site) -> None:
    page.goto(site.ticket("risk"))

    page.locator("summary", has_text="Wait").click()
    page.get_by_label("Who has the next move").select_option("third_party")
    page.get_by_role("button", name="Start waiting").click()
    page.get_by_text("Say whom we wait for, and their case number.").wait_for()
    page.locator("#wait-form-note").fill("Identity provider, case 88")
    page.get_by_role("button", name="Start waiting").click()

    page.get_by_role("button", name="Resume").wait_for()
    assert "on hold" in head(page).inner_text()
    assert head(page).locator(".chip.paused").count() >= 1
    page.get_by_role("button", name="Resume").click()
    page.locator("summary", has_text="Wait").wait_for()
    assert head(page).locator(".chip.paused").count() == 0
    assert page.faults == [] or all("422" in fault for fault in page.faults)


def test_a_resolved_ticket_opens_again(page: Any, site: Site) -> None:
    page.goto(site.ticket("swedish"))

    page.locator("summary", has_text="Resolve").click()
    page.get_by_label("What settled it").fill("The report reads the right month.")
    page.locator("#resolve-form").get_by_role("button", name="Resolve").click()
    page.locator("summary", has_text="Reopen").wait_for()
    assert "resolved" in head(page).inner_text()

    page.locator("summary", has_text="Reopen").click()
    page.get_by_label("Note to colleagues").fill("The customer sees April again.")
    page.locator("#reopen-form").get_by_role("button", name="Reopen").click()
    page.locator("summary", has_text="Resolve").wait_for()
    assert page.locator("#thread").get_by_text("Reopened").is_visible()


def test_a_p1_is_escalated_at_once_until_somebody_takes_it(page: Any, site: Site) -> None:
    page.goto(site.ticket("unassigned"))

    page.locator("summary", has_text="Priority").click()
    page.locator("#priority-form-priority").select_option("1")
    page.locator("#priority-form-note").fill("Every shop is down.")
    page.get_by_role("button", name="Set priority").click()

    page.locator("#alert").get_by_text("not acknowledged").first.wait_for()
    assert head(page).locator(".prio").inner_text() == "P1"
    page.locator("#alert").get_by_role("button", name="Acknowledge").first.click()
    page.locator("#alert").get_by_text("Bo Ek has it since 09:42").wait_for()


def test_no_word_is_lost_to_a_login_that_ended(page: Any, site: Site) -> None:
    page.goto(site.ticket("soon"))
    page.locator("#composer-text").fill("We found the cable.")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send reply").click()

    page.get_by_role("alert").get_by_text("You are logged out").wait_for()
    assert page.locator("#composer-text").input_value() == "We found the cable."
    page.get_by_role("alert").get_by_role("link", name="Log in").click()
    page.get_by_label("Email").fill("bo@global.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/flow/tickets/tkt_*")

    page.get_by_role("alert").get_by_text("Your words are back").wait_for()
    assert page.locator("#composer-text").input_value() == "We found the cable."


def test_words_that_were_sent_after_all_or_on_another_ticket_do_not_come_back(page: Any, site: Site) -> None:
    page.goto(site.ticket("soon"))
    page.locator("#composer-text").fill("We found the cable.")
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send reply").click()
    page.get_by_role("alert").get_by_text("You are logged out").wait_for()
    page.context.add_cookies(cookies)  # as by a log-in in another tab

    page.goto(site.ticket("unassigned"))
    assert page.locator("#composer-text").input_value() == ""
    page.goto(site.ticket("soon"))
    page.get_by_role("alert").get_by_text("Your words are back").wait_for()
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send reply").click()
    page.get_by_role("alert").get_by_text("You are logged out").wait_for()
    page.context.add_cookies(cookies)
    page.get_by_role("button", name="Send reply").click()
    page.locator("#thread").get_by_text("We found the cable.").wait_for()

    page.reload()
    assert page.locator("#composer-text").input_value() == ""
    assert page.get_by_text("Your words are back").count() == 0


def test_an_act_that_nobody_answers_is_told_and_keeps_the_words(page: Any, site: Site) -> None:
    page.goto(site.ticket("soon"))
    page.route("**/write", lambda route: route.fulfill(status=503))
    page.locator("#composer-text").fill("We found the cable.")
    page.get_by_role("button", name="Send reply").click()

    page.get_by_role("alert").get_by_text("Flowdesk does not answer").wait_for()
    assert page.locator("#composer-text").input_value() == "We found the cable."


def test_a_note_stays_among_agents(page: Any, site: Site) -> None:
    page.goto(site.ticket("soon"))

    page.keyboard.press("n")
    page.locator("#composer-text").fill("@Ada Lind do we know this one?")
    page.locator("#composer-text").press("Control+Enter")

    page.get_by_text("Note added").wait_for()
    note = page.locator(".entry.note")
    assert note.locator(".mention").inner_text() == "@Ada Lind"
    assert head(page).locator(".chip.met").count() == 0


def test_a_new_ticket_for_somebody_known_and_somebody_new(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/flow/inbox")
    page.get_by_role("link", name="New ticket").first.click()
    page.get_by_label("Find a contact").fill("ekberg")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("radio").first.check()
    page.get_by_label("Subject").fill("The printer is on fire")
    page.get_by_label("What they said").fill("It really is.")
    page.get_by_role("button", name="Open ticket").click()
    page.get_by_text("is open", exact=False).first.wait_for()
    assert "Ekberg & Co" in head(page).inner_text()
    assert "by phone" in head(page).inner_text()

    page.goto(f"{site.url}/flow/tickets/new")
    page.get_by_label("Subject").fill("Who are you?")
    page.get_by_label("What they said").fill("I would like to know.")
    page.get_by_role("button", name="Open ticket").click()
    page.get_by_text("Choose somebody who was found, or give an email address.").wait_for()
    assert page.get_by_label("Subject").input_value() == "Who are you?"
    page.get_by_label("Email").fill("nils@ny.example")
    page.get_by_role("button", name="Open ticket").click()
    page.wait_for_url("**/flow/tickets/tkt_*")
    assert "nils@ny.example" in page.locator("#side").inner_text()


def test_notices_are_read(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/flow/notices")
    assert page.locator(".notice-list .unread").count() > 0

    page.get_by_role("button", name="Mark all as read").click()

    page.get_by_text("All read").wait_for()
    assert page.locator(".notice-list .unread").count() == 0


def test_theme_and_language_stay(page: Any, site: Site) -> None:
    page.get_by_label("Your menu").click()
    with page.expect_response("**/flow/preferences"):
        page.locator(".me").get_by_role("button", name="Dark").click()
    page.get_by_label("Your menu").click() if not page.locator(".me details[open]").count() else None
    page.locator(".me").get_by_role("button", name="Svenska").click()
    page.get_by_text("Brutna först").wait_for()

    page.goto(site.ticket("over"))

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.lang") == "sv"
    assert page.get_by_role("button", name="Skicka svar").is_visible()
    assert page.faults == []


def test_the_keys_go_through_the_list_and_back(page: Any, site: Site) -> None:
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/flow/inbox")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.evaluate("document.activeElement.id")
    assert first == page.locator(".row > a").first.get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flow/tickets/tkt_*")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "composer-text"
    page.keyboard.press("Tab")
    page.locator("main").focus()
    page.keyboard.press("u")
    page.wait_for_url("**/flow/inbox")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url("**/flow/tickets/sla")


def test_i_takes_the_ticket(page: Any, site: Site) -> None:
    page.goto(site.ticket("unassigned"))

    page.keyboard.press("i")

    page.get_by_text("The ticket is yours").wait_for()
    assert "Bo Ek" in head(page).inner_text()


def test_an_act_in_the_preview_leaves_the_list_where_it_is(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/flow/inbox?ticket={site.desk.tickets['unassigned']}")

    page.locator("#preview").get_by_role("button", name="Take").click()

    page.get_by_text("The ticket is yours").wait_for()
    assert page.locator("#preview h2.subject").inner_text() == "Where do I change the reply language?"
    assert page.locator("h1").count() == 1
    assert page.locator('.row[aria-current="true"]').count() == 1

    page.locator("#preview summary", has_text="Wait").click()
    page.get_by_label("Who has the next move").select_option("third_party")
    page.get_by_role("button", name="Start waiting").click()
    page.get_by_text("Say whom we wait for, and their case number.").wait_for()
    assert page.locator("#preview h2.subject").count() == page.locator("h1").count() == 1
    page.locator("#composer-text").fill("A half sentence")
    page.locator("#composer-text").press("Control+Enter")
    page.get_by_text("Reply sent").wait_for()
    assert page.locator("#preview h2.subject").count() == page.locator("h1").count() == 1


@pytest.mark.parametrize("page", [{"script": False}], indirect=True)
def test_a_reply_needs_no_script(page: Any, site: Site) -> None:
    page.get_by_role("link", name="Active tickets").click()
    page.get_by_role("link", name="Orders are not synchronised").click()
    page.wait_for_url("**/flow/tickets/tkt_*")
    page.locator("#composer-text").fill("Found it.")
    page.get_by_role("button", name="Send reply").click()

    page.wait_for_url("**/flow/tickets/tkt_*")
    assert page.get_by_text("Reply sent").is_visible()
    assert head(page).locator(".chip.met").is_visible()


def reach_a_threshold(page: Any, place: str) -> None:
    """A clock changes; the place has been asked for again and shown anew when this returns."""
    page.locator(place).evaluate("place => { place.dataset.old = ''; }")
    page.evaluate("document.body.dispatchEvent(new CustomEvent('threshold-reached'))")
    page.locator(f"{place}:not([data-old])").wait_for()


def test_a_threshold_keeps_the_mark_of_the_chosen_row(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/flow/inbox")
    page.get_by_role("link", name="Orders are not synchronised").click()
    page.wait_for_url("**ticket=tkt_*")

    reach_a_threshold(page, "#rows")

    marked = page.locator(".row[aria-current]")
    assert marked.count() == 1
    assert "Orders are not synchronised" in marked.inner_text()


def test_a_threshold_keeps_a_note_that_is_being_written(browser: Any, site: Site) -> None:
    a_world("calm", at=NOW)
    with a_page(browser) as page:
        log_in(page, site, "ada@calm.example")
        page.locator(".path summary").click()
        page.locator(".path").get_by_label("Status note").fill("All lanes")

        reach_a_threshold(page, "#board")

        assert page.locator(".path").get_by_label("Status note").input_value() == "All lanes"


def test_the_hub_publishes_when_it_may(browser: Any, site: Site) -> None:
    Tenant.objects.all().count()
    a_world("calm", at=NOW)
    with a_page(browser) as page:
        log_in(page, site, "ada@calm.example")
        assert page.get_by_text("Queue looks stable").is_visible()
        page.locator(".path summary").click()
        page.locator(".path").get_by_label("Status note").fill("All lanes are calm.")
        page.locator(".path").get_by_role("button", name="Publish launch report").click()
        page.wait_for_url("**/flow/reports/*")
        assert page.get_by_role("heading", name="Launch report").is_visible()
        assert page.get_by_text("All lanes are calm.").is_visible()
        assert page.faults == []


PAGES = ("hub", "inbox", "preview", "over", "waiting", "resolved", "new", "found", "notices", "gone")


def addresses(site: Site) -> dict[str, str]:
    return {
        "hub": f"{site.url}/flow/tickets/sla",
        "inbox": f"{site.url}/flow/inbox",
        "preview": f"{site.url}/flow/inbox?ticket={site.desk.tickets['over']}",
        "over": site.ticket("over"),
        "waiting": site.ticket("waiting"),
        "resolved": site.ticket("resolved"),
        "new": f"{site.url}/flow/tickets/new",
        "found": f"{site.url}/flow/tickets/new?q=maja",
        "notices": f"{site.url}/flow/notices",
        "gone": f"{site.url}/flow/tickets/tkt_x",
    }


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_page_is_clean_at_every_width_in_light_and_dark(
    browser: Any, site: Site, language: str
) -> None:
    from flowdesk.accounts.models import User

    User.objects.update(language=language)
    with a_page(browser) as page:
        log_in_quietly(page, site)
        state = page.context.storage_state()
    found = []
    for width in WIDTHS:
        with a_page(browser, width=width, bypass_csp=True, state=state) as page:
            for name, address in addresses(site).items():
                page.goto(address)
                found += [(name, width, "light", *one) for one in findings(page)]
                # Words change the layout, not the colours; narrow pages are looked at in the dark by `test_look`.
                if language == "en" and width == WIDTHS[0]:
                    page.emulate_media(color_scheme="dark")
                    found += [(name, width, "dark", *one) for one in findings_of_colour(page)]
                    page.emulate_media(color_scheme="light")
                if runs_off_the_side(page):
                    found.append((name, width, "runs off the side"))
    assert found == []


def log_in_quietly(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/login")
    page.locator("#login-login").fill("ada@global.example")
    page.locator("#login-password").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/flow/tickets/sla")


def test_no_page_complains_under_the_strict_policy(page: Any, site: Site) -> None:
    for name, address in addresses(site).items():
        answer = page.goto(address)
        assert "script-src 'self'" in answer.headers["content-security-policy"], name
        assert re.search(r"style-src 'self'", answer.headers["content-security-policy"]), name
    assert [fault for fault in page.faults if "404" not in fault] == []


def test_nobody_waits_for_a_thread() -> None:
    assert all(not thread.name.startswith("LiveServer") for thread in threading.enumerate())
