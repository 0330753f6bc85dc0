"""What the inbox shows: rows grouped by time left, the filters that made the list, and a preview."""

from dataclasses import dataclass, field

from flowdesk.web.parts import NOBODY, Chip, Empty, Face, Field
from flowdesk.web.shell import LaneLink
from flowdesk.web.ticket.page import TicketPage
from flowdesk.web.vocabulary import CHANNEL_ICONS, CHANNELS, say


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket in two lines of the list."""

    id: str
    number: int
    subject: str
    href: str  # the whole ticket
    preview_href: str  # the same list with this ticket beside it
    priority: int  # 1 to 4
    chip: Chip | None
    channel: str
    customer: str
    tier: str
    assignee: Face = NOBODY
    is_read: bool = False
    is_current: bool = False

    @property
    def channel_words(self) -> str:
        return say(CHANNELS, self.channel)

    @property
    def channel_icon(self) -> str:
        return CHANNEL_ICONS.get(self.channel, "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Rows that have about the same time left; `state` gives the glyph."""

    words: str  # empty where the heading stands above already, or the list has none
    count: int  # 0 where the group may go on
    state: str = ""
    rows: tuple[TicketRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """The list and what stands beside it."""

    title: str  # the lane's or the view's name
    count: int
    is_cut_off: bool = False  # more than `count`: nobody counts further
    href: str  # this list, without its cursor; the filters are sent here (GET)
    groups: tuple[RowGroup, ...] = ()
    order: Field | None = None
    search: Field | None = None
    filters: tuple[Field, ...] = ()  # status, priority, team, assignee, tier, channel, language
    hidden: tuple[tuple[str, str], ...] = ()  # what the address says besides: lane, view
    filters_set: int = 0
    clear_href: str = ""
    lanes: tuple[LaneLink, ...] = field(default_factory=tuple)  # the pills of a phone
    more_href: str = ""  # the next cursor, empty at the end
    new_ticket_href: str = ""
    empty: Empty | None = None
    preview: TicketPage | None = None
