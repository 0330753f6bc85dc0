"""Formatted words from outside keep what the list allows and nothing else."""

import re
from html.parser import HTMLParser
from time import process_time

import pytest

from flowdesk.tickets.html import ATTRIBUTES, MOST_CHARACTERS, TAGS, cleaned, shown
from tests.tickets.hostile_html import SAMPLES


class Reader(HTMLParser):
    """What a page would be given: every tag, every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name in ("href", "src"):
                self.addresses.append(value or "")


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_kept_that_is_not_on_the_list(name: str) -> None:
    kept = read(cleaned(SAMPLES[name]))

    allowed = {(tag, one) for tag, names in ATTRIBUTES.items() for one in names} | {("a", "rel")}
    assert kept.tags <= TAGS
    assert kept.attributes <= allowed
    assert all(re.match(r"(https?|mailto|tel):", address) for address in kept.addresses)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_is_given_no_pictures_and_no_addresses_of_ours(name: str) -> None:
    html, _pictures = shown(SAMPLES[name])

    assert "img" not in read(html).tags
    assert all(address.startswith(("http", "mailto:", "tel:")) for address in read(html).addresses)


@pytest.mark.parametrize("name", SAMPLES)
def test_cleaning_twice_changes_nothing(name: str) -> None:
    once = cleaned(SAMPLES[name])

    assert cleaned(once) == once


# There a browser reads the words as code, or as an attribute.
SWALLOWED = ("mutation", "unclosed", "comment")


@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.startswith(SWALLOWED)])
def test_the_words_themselves_stay(name: str) -> None:
    assert "hello" in cleaned(SAMPLES[name])


def test_plain_formatting_stays() -> None:
    html = (
        "<p>Dear <b>team</b>,<br>see <i>this</i>:</p><ul><li>one</li></ul><blockquote>old</blockquote>"
        '<table><tbody><tr><td colspan="2">1</td></tr></tbody></table><pre>code</pre>'
    )

    assert cleaned(html) == html


def test_a_link_goes_out_without_telling_from_where() -> None:
    assert cleaned('<a href="https://ok.example/x?y=1&amp;z=2">x</a>') == (
        '<a href="https://ok.example/x?y=1&amp;z=2" rel="noopener noreferrer nofollow">x</a>'
    )


def test_pictures_are_counted_and_left_out() -> None:
    html = '<p>Look: <img src="https://a.example/1.png" alt="a"><img src="https://a.example/2.png"></p>'

    assert shown(html) == ("<p>Look: </p>", 2)


def test_words_about_pictures_are_not_counted_as_pictures() -> None:
    assert shown("<p>write &lt;img src=x&gt;</p>") == ("<p>write &lt;img src=x&gt;</p>", 0)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000,
        "<div>" * 2_000,
        "<div>" + "".join(f"<b id={n}>" for n in range(900)) + "</div><div>x</div>" * 1_000,
    ],
    ids=["more than is parsed", "as deep as is parsed", "tags that come back in every block"],
)
def test_nothing_keeps_the_parser_busy(html: str) -> None:
    begun = process_time()

    assert len(cleaned(html)) <= MOST_CHARACTERS
    assert process_time() - begun < 3
