"""Formatted words from outside, by allow-list: what is not named here is not kept.

Cleaned when a message is stored and again when it is shown, so that a list made stricter holds for older mail too.
"""

from __future__ import annotations

import nh3

# The parser's time grows with the square of the nesting, and tags that were not closed come back in every block
# that follows. So many tags take half a second at the worst; so many characters are what may come out.
MOST_TAGS, MOST_CHARACTERS = 2_000, 1_000_000
TAGS = frozenset(
    {"a", "b", "blockquote", "br", "code", "div", "em", "hr", "i", "img", "li", "ol", "p", "pre", "s", "span",
     "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)  # fmt: skip
PICTURE = "img"
# Their contents are code, or text that was not meant to be read.
DROPPED_WHOLE = {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "title",
                 "textarea", "select", "noembed", "noframes", "xmp"}  # fmt: skip
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
SCHEMES = {"http", "https", "mailto", "tel"}
MOST_CELLS = 50


def cleaned(html: str) -> str:
    """What may be stored: plain formatting, absolute links, pictures by their address. "" for too many tags."""
    if html.count("<") - html.count("</") > MOST_TAGS:
        return ""
    kept = _cleaned(html, TAGS)
    return kept if len(kept) <= MOST_CHARACTERS else ""


def shown(html: str) -> tuple[str, int]:
    """What may be shown, and how many pictures were left out: fetching one would tell its sender who reads."""
    kept = _cleaned(html, TAGS)
    # In cleaned words a `<` begins a tag and nothing else.
    return _cleaned(kept, TAGS - {PICTURE}), kept.count(f"<{PICTURE}")


def _cleaned(html: str, tags: frozenset[str]) -> str:
    return nh3.clean(
        html,
        tags=set(tags),
        clean_content_tags=DROPPED_WHOLE,
        attributes={tag: names for tag, names in ATTRIBUTES.items() if tag in tags},
        attribute_filter=_kept,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    ).strip()


def _kept(tag: str, name: str, value: str) -> str | None:
    """No address within this site: a link in a mail could name one of our own acts or pages."""
    if name in ("href", "src"):
        return value if value.strip().lower().startswith(tuple(f"{scheme}:" for scheme in SCHEMES)) else None
    if name in ("colspan", "rowspan"):
        return value if value.isascii() and value.isdecimal() and 0 < int(value[:4]) <= MOST_CELLS else None
    return value
