import re
from html.parser import HTMLParser

import pytest
from django.template import TemplateDoesNotExist
from django.utils import translation

from flowdesk.web.hubs import words as hub_words
from tests.web.rendering import PAGES, render, render_shell

BOTH = ("en", "sv")
FRAGMENTS = {
    "inbox": ("rows", "more-rows", "preview", "context"),
    "ticket": ("main", "head", "thread", "composer", "side"),
    "new-ticket": ("matches", "form"),
    "sla": ("board",),
    "notices": ("list",),
}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class Page(HTMLParser):
    """What a page is made of: elements in order, and whether each is closed by its own end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag
            and all(attrs.get(key.rstrip("_").replace("_", "-")) == value for key, value in wanted.items())
        ]


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_well_nested(name: str, language: str) -> None:
    html = render(name, language=language)
    page = Page(html)

    assert html.startswith("<!doctype html>")
    assert page.faults == []
    assert page.open == []
    assert page.all("html")[0]["lang"] == language


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_main_one_h1_and_a_way_past_the_menu(name: str) -> None:
    page = Page(render(name))

    assert len(page.all("main")) == 1
    assert len(page.all("h1")) == 1
    assert page.all("a", href="#main")


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", PAGES)
def test_an_id_is_given_once(name: str, language: str) -> None:
    ids = [attrs["id"] for _tag, attrs in Page(render(name, language=language)).elements if "id" in attrs]

    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", PAGES)
def test_the_content_policy_has_nothing_to_forbid(name: str) -> None:
    page = Page(render(name))

    assert page.all("style") == []
    assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))  # type: ignore[union-attr]
    for tag, attrs in page.elements:
        assert "style" not in attrs, tag
        assert not [key for key in attrs if key.startswith(("on", "hx-on"))], tag
        assert not (attrs.get("href") or "").startswith("javascript:")


@pytest.mark.parametrize("name", PAGES)
def test_every_form_that_changes_something_carries_its_token(name: str) -> None:
    for form in re.findall(r"<form[^>]*>.*?</form>", render(name), flags=re.DOTALL):
        posts = 'method="post"' in form.split(">", 1)[0]

        assert posts == ("csrfmiddlewaretoken" in form)


@pytest.mark.parametrize("name", PAGES)
def test_every_question_has_a_label(name: str) -> None:
    html = render(name)
    page = Page(html)
    labelled = {attrs.get("for") for attrs in page.all("label")}
    wrapped = "".join(re.findall(r"<label[^>]*>.*?</label>", html, flags=re.DOTALL))

    for tag in ("input", "select", "textarea"):
        for attrs in page.all(tag):
            if attrs.get("type") == "hidden" or "aria-label" in attrs:
                continue
            names = (f'id="{attrs.get("id")}"', f'name="{attrs.get("name")}" value="{attrs.get("value")}"')
            assert attrs.get("id") in labelled or any(name in wrapped for name in names), attrs


@pytest.mark.parametrize("name", PAGES)
def test_every_pointer_to_an_id_finds_it(name: str) -> None:
    page = Page(render(name))
    ids = {attrs["id"] for _tag, attrs in page.elements if "id" in attrs}

    for _tag, attrs in page.elements:
        for key in ("for", "form", "aria-labelledby", "aria-describedby", "popovertarget", "data-opens"):
            for pointed in (attrs.get(key) or "").split():
                assert pointed in ids, (key, pointed)


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", ["sla", "ticket", "inbox"])
def test_drawings_use_a_point_in_every_language(name: str, language: str) -> None:
    for tag, attrs in Page(render(name, language=language)).elements:
        if tag in ("rect", "line", "text", "polyline"):
            for key in ("x", "x1", "x2", "y1", "y2", "width"):
                assert re.fullmatch(r"-?[\d.]+%?", attrs.get(key) or "0"), (tag, key, attrs[key])


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize(("name", "fragment"), [(n, f) for n, fs in FRAGMENTS.items() for f in fs])
def test_a_fragment_stands_alone(name: str, fragment: str, language: str) -> None:
    html = render(name, language=language, fragment=fragment)

    assert html.strip()
    assert "<html" not in html
    assert Page(html).faults == []


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("fragment", ["notices", "toasts"])
def test_a_fragment_of_the_shell_stands_alone(fragment: str, language: str) -> None:
    html = render_shell(fragment, language=language)

    assert html.strip()
    assert Page(html).faults == []


def test_an_unknown_fragment_is_refused() -> None:
    with pytest.raises(TemplateDoesNotExist):
        render("ticket", fragment="nonsense")


@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", ["sla", "sla-empty"])
def test_the_hub_has_every_block_in_order(name: str, language: str) -> None:
    blocks = (
        "Work next",
        "SLA recovery path",
        "Lanes",
        "Support command strip",
        "Queue enforcement",
        "Queue signals",
    )
    more = ("Escalation policy", "Review cadence", "Ticket automation")
    with translation.override(language):
        wanted = [translation.gettext(block) for block in (*blocks, *more)]
    text = re.sub(r"\s+", " ", render(name, language=language).split("<main", 1)[1])

    places = [text.index(f">{block}<") for block in wanted]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["sla", "sla-empty"])
def test_the_hub_has_seven_lanes_and_twelve_signals(name: str) -> None:
    page = Page(render(name))

    assert len(page.all("th", role="rowheader")) == 7
    assert [str(words) in page.text for words in hub_words.SIGNALS.values()] == [True] * 12


@pytest.mark.parametrize("name", ["sla", "sla-empty"])
def test_a_hub_has_one_filled_button(name: str) -> None:
    page = Page(render(name))
    filled = [attrs for tag, attrs in page.elements if "button primary" in (attrs.get("class") or "")]

    assert len(filled) == 1


def test_an_empty_hub_has_no_colour_of_risk() -> None:
    html = render("sla-empty").split("<main", 1)[1]

    assert not re.search(r'class="(chip|state) (critical|warning|far)', html)
    assert "fill-critical" not in html


def test_a_missing_secret_says_that_the_route_is_closed() -> None:
    assert "not set: the route is closed" in render("sla-empty")


def test_a_refused_act_comes_back_open_with_its_answers() -> None:
    html = render("ticket-refused")

    assert re.search(r'<details class="menu" open>\s*<summary[^>]*data-key="s"', html)
    assert '<option value="third_party" selected>' in html
    assert "Say what the supplier was asked, and their case number." in html
    assert 'aria-describedby="wait-form-note-error wait-form-note-hint"' in html


def test_a_password_is_never_written_back() -> None:
    password = Page(render("login-refused")).all("input", name="password")[0]

    assert password["value"] == ""


def test_an_act_without_questions_is_a_button_and_one_with_questions_opens() -> None:
    page = Page(render("ticket"))

    assert page.all("button", data_key="i")
    assert page.all("summary", data_key="e")


def test_a_chip_carries_its_instant_and_the_next_one_that_matters() -> None:
    chips = [attrs for attrs in Page(render("sla")).all("time") if attrs.get("data-counts") == "warning"]

    assert chips[0]["datetime"] == "2026-06-18T09:48:00+02:00"
    assert chips[0]["data-changes"] == "2026-06-18T09:48:00+02:00"


def test_a_waiting_chip_says_so_in_words() -> None:
    assert '<span class="unseen">waiting, </span><span class="says">1h 20m left</span>' in render(
        "ticket-waiting"
    )


def test_the_phones_bar_has_five_places() -> None:
    html = render("sla")
    bar = re.search(r'<nav class="places".*?</nav>', html, flags=re.DOTALL)

    assert bar is not None
    assert len(re.findall(r"<li>", bar[0].split('<li class="more">')[0])) == 4
    assert '<li class="more">' in bar[0]


def test_words_typed_by_people_are_escaped() -> None:
    assert "Ekberg &amp; Co" in render("inbox")
    assert "priority == &#x27;critical&#x27;" in render("ticket")


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_an_error_page_needs_nothing_from_a_view(name: str) -> None:
    assert PAGES[name][1]() == {}
    assert "<h1>" in render(name)


def test_the_page_of_a_broken_server_asks_for_no_script() -> None:
    assert "<script" not in render("500")
