"""Icons and glyphs from the sprite, as tags, so that a hashed file name needs one place."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SHAPES = {
    "warning": "warning",
    "critical": "critical",
    "far": "critical",
    "missed": "critical",
    "paused": "paused",
    "met": "met",
    "calm": "met",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A 16 px line drawing, hidden from screen readers: the words beside it say the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#i-{}"></use></svg>',
        static("flowdesk/sprite.svg"),
        name,
    )


@register.simple_tag
def glyph(state: str, classes: str = "") -> SafeString:
    """The 12 px shape of a state of time; nothing for a state without one (running, ok)."""
    if state not in SHAPES:
        return SafeString("")
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#g-{}"></use></svg>',
        f"glyph {classes}".strip(),
        static("flowdesk/sprite.svg"),
        SHAPES[state],
    )
