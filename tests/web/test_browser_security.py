"""What a real browser makes of hostile words and of our policy: nothing runs, nothing is fetched, nothing stays."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from flowdesk.accounts.models import Membership
from flowdesk.core.actor import Role
from flowdesk.flows import receive
from flowdesk.intake.services import InboundMessage
from flowdesk.tickets.states import Channel
from tests.tickets.hostile_html import SAMPLES
from tests.web.browser import a_browser, a_page, needs_browser, runs_off_the_side
from tests.web.desk import NOW, PASSWORD
from tests.web.test_browser import Site, built, log_in, site

__all__ = ["built", "site"]  # the fixtures
pytestmark = [
    *needs_browser,
    pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True),
]
WATCH = "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective))"
ZALGO = "Z" + "\u0300\u0301\u0302\u0316\u0317\u0318" * 20 + "algo"
LONG = "W" * 180


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with a_browser() as chromium:
        yield chromium


def opened(site: Site, subject: str, text: str, html: str = "", name: str = "") -> str:
    message = InboundMessage(
        channel=Channel.EMAIL, subject=subject, text=text, html=html, email="new@nordvik.example", name=name
    )
    ticket = receive.open_ticket(message, by=site.desk.world.bo, now=NOW).id
    return site.url + reverse("ticket", args=[ticket])


def test_hostile_html_neither_runs_nor_fetches(browser: Any, site: Site) -> None:
    address = opened(site, "Hostile", "hello", SAMPLES["script"])
    for html in SAMPLES.values():
        receive.take_message(
            address.rpartition("/")[2], text="hello", html=html, channel=Channel.EMAIL, by=site.desk.world.bo, now=NOW
        )  # fmt: skip
    with a_page(browser) as page:
        page.add_init_script(WATCH)
        log_in(page, site)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_load_state("networkidle")

        assert page.locator("#thread .rich").count() > 30
        for link in page.locator("#thread .rich a").all():
            link.hover()
        assert page.evaluate("window.harmed") is None
        assert [url for url in asked if not url.startswith(site.url)] == []
        assert page.faults == []
        assert page.url == address
        assert "1 picture left out" in page.locator("#thread").inner_text()
        assert (
            page.locator("#thread :is(img, form, script, style, iframe, svg:not(.icon, .glyph))").count() == 0
        )


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("words", [ZALGO, LONG, "\u202edlrow olleh", "a" + "\u200b" * 50 + "b"])
def test_strange_words_break_no_layout(browser: Any, site: Site, words: str, width: int) -> None:
    address = opened(site, words, f"{words}\n\n{LONG}", f"<p>{LONG}</p><pre>{LONG * 3}</pre>", name=words)
    with a_page(browser, width=width) as page:
        log_in(page, site)
        for path in (address, f"{site.url}/flow/inbox", f"{site.url}/flow/tickets/sla"):
            page.goto(path)
            assert not runs_off_the_side(page), path


def test_no_page_breaks_the_policy(browser: Any, site: Site) -> None:
    Membership.objects.filter(user__email="ada@global.example").update(role=Role.ADMIN)
    inside = [
        "/flow/inbox",
        "/flow/tickets/sla",
        "/flow/notices",
        "/flow/tickets/new",
        "/flow/account",
        "/flow/settings/people",
        "/flow/nothing",
        *(reverse("ticket", args=[one]) for one in site.desk.tickets.values()),
    ]
    with a_page(browser) as page:
        page.add_init_script(WATCH)
        for path in ("/login", "/password/lost", "/password/new?link=x"):
            page.goto(site.url + path)
        log_in(page, site, "ada@global.example")
        for path in inside:
            page.goto(site.url + path)
            inline = "script:not([src]), style, [style], [onclick], [onload], [onerror]"
            assert page.locator(inline).count() == 0, path
        page.goto(f"{site.url}/flow/tickets/sla")
        page.get_by_label("Your menu").click()
        page.locator(".me").get_by_role("button", name="Dark").click()
        page.wait_for_timeout(300)
        assert [fault for fault in page.faults if "404" not in fault] == []


def test_acts_without_a_new_page_keep_the_policy(browser: Any, site: Site) -> None:
    with a_page(browser) as page:
        page.add_init_script(WATCH)
        log_in(page, site)
        page.goto(site.ticket("soon"))
        page.locator("#composer-text").fill("On it.\n\n\n\n\n\n\n\n\n")
        page.get_by_role("button", name="Send reply").click()
        page.get_by_text("Reply sent").wait_for()
        page.locator("summary", has_text="Wait").click()
        page.get_by_role("button", name="Start waiting").click()
        page.get_by_role("button", name="Resume").wait_for()

        assert page.faults == []


def test_after_leaving_the_back_button_shows_nothing(browser: Any, site: Site) -> None:
    with a_page(browser) as page:
        log_in(page, site)
        page.goto(f"{site.url}/flow/inbox")
        page.get_by_label("Your menu").click()
        page.locator(".me").get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")

        page.go_back()
        page.wait_for_load_state()

        assert "/login" in page.url
        assert "Checkout fails" not in page.content()


def test_a_password_is_changed_and_the_other_browser_is_out(browser: Any, site: Site) -> None:
    with a_page(browser) as here, a_page(browser) as there:
        for page in (here, there):
            log_in(page, site)
        here.goto(f"{site.url}/flow/account")
        assert here.get_by_text("Chrome on Linux").count() == 2
        here.get_by_label("Present password").fill(PASSWORD)
        here.get_by_label("New password").fill("a quiet river at dawn")
        here.get_by_role("button", name="Change password").click()

        here.get_by_text("Password changed.").wait_for()
        there.goto(f"{site.url}/flow/inbox")
        assert "/login" in there.url
        assert here.faults == []
