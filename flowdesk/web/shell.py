"""The frame around every page: where one can go, who is here, and what has happened meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from flowdesk.web.parts import NOBODY, Face, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page of the main menu; `key` is the second letter after g."""

    name: str
    words: str
    short: str  # for the phone's bar
    icon: str
    href: str
    key: str = ""
    count: int = 0
    is_current: bool = False
    is_deep: bool = False  # folded away on a phone


# name, words, short words, icon, key, folded away on a phone
_PLACES = (
    ("inbox", _("Inbox"), _("Inbox"), "inbox", "i", False),
    ("sla", _("SLA hub"), _("SLA"), "sla", "h", False),
    ("command", _("Command hub"), pgettext_lazy("place", "Command"), "command", "c", False),
    ("review", _("Look again"), _("Triage"), "eye", "t", True),
    ("issues", _("Recurring issues"), pgettext_lazy("place", "Issues"), "bolt", "", True),
    ("crew", _("Teams"), _("Teams"), "user", "", True),
    ("callbacks", _("Callbacks"), _("Callbacks"), "phone", "", False),
    ("customers", _("Customers"), _("Customers"), "people", "", True),
    ("reports", _("Reports"), _("Reports"), "chart", "", True),
    ("knowledge", _("Knowledge"), _("Knowledge"), "book", "", True),
    ("rules", _("Routing rules"), _("Rules"), "right", "", True),
    ("own-fields", _("Ticket fields"), pgettext_lazy("place", "Fields"), "note", "", True),
    ("learning", _("Learning"), _("Learning"), "bolt", "", True),
    ("members", _("People"), _("People"), "cog", "", True),
    ("audit", _("Audit log"), _("Audit log"), "lock", "", True),
)


def places(
    hrefs: Mapping[str, str], *, current: str = "", counts: Mapping[str, int] | None = None
) -> tuple[Place, ...]:
    """The main menu in its order; a place without an address (no right to it, say) is left out."""
    counts = counts or {}
    return tuple(
        Place(
            name=name,
            words=str(words),
            short=str(short),
            icon=icon,
            href=hrefs[name],
            key=key,
            count=counts.get(name, 0),
            is_current=name == current,
            is_deep=is_deep,
        )
        for name, words, short, icon, key, is_deep in _PLACES
        if name in hrefs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLink:
    """A lane of work in the sidebar, and as a pill on a phone."""

    name: str
    words: str
    short: str
    href: str
    count: int
    icon: str = ""
    state: str = ""  # critical, warning, paused: its glyph; critical and warning also colour the count
    is_current: bool = False


# name, words, short words, icon, state
_LANES = (
    ("breached", _("Breached"), _("Breached"), "", "critical"),
    ("due", _("Due within the hour"), pgettext_lazy("lane", "Due"), "", "warning"),
    ("mine", _("Mine"), _("Mine"), "user", ""),
    ("unassigned", _("Unassigned"), _("Unassigned"), "tray", ""),
    ("mentioned", _("Mentioned"), _("Mentioned"), "at", ""),
    ("waiting", pgettext_lazy("lane", "Waiting"), pgettext_lazy("lane", "Waiting"), "", "paused"),
)


def lanes(hrefs: Mapping[str, str], *, counts: Mapping[str, int], current: str = "") -> tuple[LaneLink, ...]:
    """The lanes in their order; an empty lane loses its colour, not its place."""
    return tuple(
        LaneLink(
            name=name,
            words=str(words),
            short=str(short),
            href=hrefs[name],
            count=counts.get(name, 0),
            icon=icon,
            state=state,
            is_current=name == current,
        )
        for name, words, short, icon, state in _LANES
        if name in hrefs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewLink:
    """A saved view."""

    words: str
    href: str
    count: int
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something this person should know, with where to look."""

    id: str
    words: str
    href: str
    at: str  # ISO 8601
    when: str
    state: str = ""  # a glyph: critical, warning, paused, met
    is_unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """What was just done; undoing beats asking first."""

    words: str
    icon: str = "check"
    undo_href: str = ""  # POST


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChoice:
    """A desk this person may switch to."""

    slug: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Everything around the page."""

    tenant: str
    language: str = "en"
    theme: str = ""  # light, dark, or empty for the reader's system
    now: str = ""  # ISO 8601: the script counts from the server's clock, not the reader's
    formats: Mapping[str, str] = field(default_factory=dict)  # `words.formats()`, for the script
    me: Face = NOBODY
    shift: str = ""  # "On shift until 17:00"
    places: tuple[Place, ...] = ()
    lanes: tuple[LaneLink, ...] = ()
    views: tuple[ViewLink, ...] = ()
    tenants: tuple[TenantChoice, ...] = ()  # the others
    notices: tuple[Notice, ...] = ()  # the latest few
    unread: int = 0
    toasts: tuple[Toast, ...] = ()
    announcement: str = ""  # for the polite region: "2 tickets breached"
    has_keys: bool = True
    home_href: str = "/"
    search_href: str = ""  # GET, ?q=
    new_ticket_href: str = ""
    notices_href: str = ""
    preferences_href: str = ""  # POST theme=, language=, keys=
    tenant_href: str = ""  # POST tenant=
    account_href: str = ""
    logout_href: str = ""  # POST
    login_href: str = ""  # for whoever is logged out while a page stands open

    @property
    def deep_places(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.is_deep)

    @property
    def languages(self) -> tuple[Link, ...]:
        """Each in its own words; `href` holds the code."""
        return tuple(
            Link(words=said, href=code, is_current=code == self.language)
            for code, said in (("en", "English"), ("sv", "Svenska"))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesPage:
    """All notices of one person."""

    notices: tuple[Notice, ...] = ()
    unread: int = 0
    read_all_href: str = ""  # POST
    more_href: str = ""
