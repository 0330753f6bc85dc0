"""The pages in a real browser: nobody needs sight, a pointer, a wide screen or script."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.utils import translation

from flowdesk.web import words
from flowdesk.web.static_files import plain_name
from tests.web.browser import (
    WIDTHS,
    a_browser,
    a_page,
    findings,
    findings_of_colour,
    needs_browser,
    runs_off_the_side,
)
from tests.web.rendering import PAGES, render

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

pytestmark = needs_browser


class Desk(BaseHTTPRequestHandler):
    """Answers /<language>/<page> with a rendered sample and /static/ with our files; knows nothing else."""

    asked: list[str]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/static/"):
            found = finders.find(plain_name(path.removeprefix("/static/")))
            if found:
                self._answer(200, Path(str(found)).read_bytes(), TYPES[Path(str(found)).suffix])
            else:
                self._answer(404, b"", "text/plain")
            return
        self.asked.append(self.path)
        language, _slash, name = path.strip("/").partition("/")
        if name in PAGES:
            self._answer(200, render(name, language=language).encode(), "text/html; charset=utf-8")
        else:
            self._answer(200, render("sla").encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.asked.append(f"{self.path} {sent}")
        refused = self.path.endswith("/wait")
        html = render("ticket-refused" if refused else "ticket-waiting")
        self._answer(422 if refused else 200, html.encode(), "text/html; charset=utf-8")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        # A page that is left early hangs up; that is no fault of the page.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Silence: a test says what it found."""


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("OneDesk", (Desk,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with a_browser() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    with a_page(browser, **getattr(request, "param", {})) as page:
        yield page


def opened(page: Any, desk: tuple[str, list[str]], name: str, language: str = "en") -> Any:
    page.goto(f"{desk[0]}/{language}/{name}")
    return page


def a_reader(width: int, scheme: str = "light") -> Any:
    # axe is put into the page as text, which the policy of the page itself would refuse.
    return pytest.param({"width": width, "scheme": scheme, "bypass_csp": True}, id=f"{width}-{scheme}")


@pytest.mark.parametrize("page", [a_reader(width) for width in WIDTHS], indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_runs_off_the_side(page: Any, desk: Any, name: str) -> None:
    opened(page, desk, name)
    light = findings(page)
    page.emulate_media(color_scheme="dark")
    dark = findings_of_colour(page)

    assert (light, dark) == ([], [])
    assert not runs_off_the_side(page)


@pytest.mark.parametrize("page", [a_reader(390)], indirect=True)
@pytest.mark.parametrize(
    "name", ["inbox", "ticket", "sla", "new-ticket", "notices", "account", "members", "audit"]
)
def test_swedish_fits_a_phone(page: Any, desk: Any, name: str) -> None:
    opened(page, desk, name, "sv")

    assert findings(page) == []
    assert not runs_off_the_side(page)


@pytest.mark.parametrize("page", [a_reader(1440), a_reader(390, "dark")], indirect=True)
@pytest.mark.parametrize("name", ["inbox", "ticket"])
def test_open_menus_are_as_clean_as_the_page(page: Any, desk: Any, name: str) -> None:
    opened(page, desk, name)
    for summary in page.locator("details.menu > summary:visible").all():
        summary.click()
        panel = summary.locator("xpath=following-sibling::*").bounding_box()
        assert panel["y"] >= 0, summary.inner_text()
        assert panel["y"] + min(panel["height"], 60) <= page.viewport_size["height"], summary.inner_text()
        assert findings(page) == [], summary.inner_text()
        assert not runs_off_the_side(page)
        page.keyboard.press("Escape")


@pytest.mark.parametrize("name", PAGES)
def test_the_strict_policy_is_kept_without_a_murmur(page: Any, desk: Any, name: str) -> None:
    opened(page, desk, name)

    assert page.faults == []


@pytest.mark.parametrize("page", [{"script": False}], indirect=True)
def test_without_script_the_forms_open_and_the_hints_of_keys_are_gone(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.locator("summary", has_text="Wait").click()

    assert page.get_by_label("Who has the next move").is_visible()
    assert not page.locator(".button > kbd").first.is_visible()


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_script_counts_in_the_servers_words(page: Any, desk: Any, language: str) -> None:
    opened(page, desk, "sla", language)
    spans = [timedelta(minutes=m) for m in (0, 6, 59, 60, 80, 185, 1439, 1440, 3170)]

    said = page.evaluate(
        """minutes => minutes.map(m => {
            const chip = document.querySelector('[data-counts="warning"]');
            const at = Date.parse(document.body.dataset.now) + m * 60000 + 15000;
            chip.dateTime = new Date(at).toISOString();
            document.body.dispatchEvent(new CustomEvent('clock-ticked'));
            return chip.querySelector('.says').textContent;
        })""",
        [int(span.total_seconds() // 60) for span in spans],
    )

    with translation.override(language):
        assert said == [words.left(span) for span in spans]


def test_a_chip_past_its_due_instant_says_over_by_itself(page: Any, desk: Any) -> None:
    opened(page, desk, "sla")

    said = page.evaluate(
        """() => {
            const chip = document.querySelector('[data-counts="warning"]');
            chip.dateTime = new Date(Date.parse(document.body.dataset.now) - 3 * 60000).toISOString();
            document.body.dispatchEvent(new CustomEvent('clock-ticked'));
            return chip.querySelector('.says').textContent;
        }"""
    )

    assert said == "3m over" or said == "2m over"


def test_at_a_threshold_the_server_is_asked_once(page: Any, desk: Any) -> None:
    _base, asked = desk
    opened(page, desk, "sla")
    before = asked.count("/flow/tickets/sla")

    page.evaluate(
        """() => {
            document.querySelector('[data-changes]').dataset.changes = '2026-06-18T09:41:00+02:00';
            for (const _ of [1, 2]) document.body.dispatchEvent(new CustomEvent('clock-ticked'));
        }"""
    )
    page.wait_for_timeout(600)

    assert asked.count("/flow/tickets/sla") == before + 1
    assert page.locator("#board").count() == 1


def test_a_threshold_waits_for_the_form_that_is_open(page: Any, desk: Any) -> None:
    _base, asked = desk
    opened(page, desk, "ticket")
    reach = """() => {
        document.querySelector('[data-changes]').dataset.changes = '2026-06-18T09:41:00+02:00';
        document.body.dispatchEvent(new CustomEvent('clock-ticked'));
    }"""
    page.keyboard.press("e")
    words = page.locator("#escalate-form textarea")
    words.fill("They called twice.")
    before = len(asked)

    page.evaluate(reach)
    page.wait_for_timeout(600)
    assert (words.input_value(), len(asked)) == ("They called twice.", before)

    page.keyboard.press("Escape")
    page.evaluate(reach)
    page.wait_for_timeout(600)
    assert len(asked) == before + 1


def test_keys_move_and_the_ticket_opens(page: Any, desk: Any) -> None:
    opened(page, desk, "inbox")

    page.keyboard.press("j")
    page.keyboard.press("j")

    assert page.evaluate("document.activeElement.id") == "row-4808"
    assert (
        page.locator('.row[aria-current="true"] > a').inner_text()
        == "Single sign-on loops back to the start page"
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/flow/tickets/4808")


def test_g_then_a_letter_goes_places(page: Any, desk: Any) -> None:
    opened(page, desk, "inbox")

    page.keyboard.press("g")
    page.keyboard.press("c")

    page.wait_for_url("**/flow/command")


def test_keys_are_silent_while_typing(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.keyboard.press("n")
    page.keyboard.type("e r ? j")

    assert page.locator("#composer-text").input_value() == "e r ? j"
    assert page.get_by_role("radio", name="Internal note").is_checked()
    assert page.locator("details.menu[open]").count() == 0


def test_a_key_opens_its_form_and_escape_closes_it(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.keyboard.press("e")
    page.wait_for_function("document.activeElement.name === 'target'")
    page.keyboard.press("Escape")

    assert page.locator("details.menu[open]").count() == 0
    assert page.evaluate("document.activeElement.dataset.key") == "e"


def test_a_refused_act_shows_its_form_and_keeps_what_was_being_written(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")
    page.locator("#composer-text").fill("Half a sentence")

    page.locator("summary", has_text="Wait").click()
    page.get_by_role("button", name="Start waiting").click()

    page.get_by_text("Say what the supplier was asked, and their case number.").wait_for()
    page.wait_for_function("document.activeElement.id === 'wait-form-note'")
    assert page.locator("#composer-text").input_value() == "Half a sentence"


def test_an_act_changes_head_thread_and_side_without_a_new_page(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")
    page.evaluate("window.stayed = true")

    page.get_by_role("button", name="Take").click()

    page.get_by_role("button", name="Resume").wait_for()
    assert page.evaluate("window.stayed")
    assert page.locator("#alert").inner_html() == ""
    assert page.locator("#ticket-head").count() == page.locator("#side").count() == 1
    assert page.faults == []


def test_a_sent_reply_leaves_an_empty_composer(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.locator("#composer-text").fill("The provider has rolled back.")
    page.locator("#composer-text").press("Control+Enter")

    page.get_by_role("button", name="Resume").wait_for()
    assert page.locator("#composer-text").input_value() == ""


def was_told(desk: tuple[str, list[str]], name: str, value: str) -> bool:
    """Whether a preference has reached the server; it travels in the background."""
    for _round in range(50):
        if any(
            line.startswith("/flow/preferences") and f'name="{name}"\r\n\r\n{value}\r' in line
            for line in desk[1]
        ):
            return True
        sleep(0.05)
    return False


def test_keys_can_be_switched_off(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.keyboard.press("?")
    page.get_by_label("Keys are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("e")

    assert page.locator("details.menu[open]").count() == 0
    assert was_told(desk, "keys", "off")


def test_the_theme_changes_at_once_and_is_remembered(page: Any, desk: Any) -> None:
    opened(page, desk, "sla")

    page.get_by_label("Your menu").click()
    page.locator(".me").get_by_role("button", name="Dark").click()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert was_told(desk, "theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 16, 21)"


def test_the_facts_of_a_chip_are_a_press_away(page: Any, desk: Any) -> None:
    opened(page, desk, "ticket")

    page.locator("button.tip").first.press("Enter")

    assert page.get_by_text("4h 12m of 4h of business time used").is_visible()


def test_a_row_opens_beside_the_list_where_there_is_room(page: Any, desk: Any) -> None:
    opened(page, desk, "inbox")

    page.get_by_role("link", name="Export to CSV drops the last column").click()

    page.wait_for_url("**/flow/inbox?ticket=4815")


@pytest.mark.parametrize("page", [{"width": 390}], indirect=True)
def test_a_row_opens_the_whole_ticket_on_a_phone(page: Any, desk: Any) -> None:
    opened(page, desk, "inbox")

    page.get_by_role("link", name="Export to CSV drops the last column").click()

    page.wait_for_url("**/flow/tickets/4815")


@pytest.mark.parametrize("page", [{"width": 390}, {"width": 1440}], indirect=True)
@pytest.mark.parametrize("name", ["sla", "ticket", "inbox", "new-ticket", "login"])
def test_targets_are_large_enough(page: Any, desk: Any, name: str) -> None:
    opened(page, desk, name)

    small = page.evaluate(
        """() => [...document.querySelectorAll('button, summary, select, .icon-button, .button, nav a')]
            .filter(element => element.getClientRects().length && !element.closest('.unseen, p, dd'))
            .map(element => [element.outerHTML.slice(0, 80), element.getBoundingClientRect().height])
            .filter(([, height]) => height > 0 && height < 22)"""
    )

    assert small == []
