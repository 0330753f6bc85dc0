"""What one ticket shows. A right the reader lacks is an act that is not in `actions`, or a None."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from flowdesk.web.drawings import Ladder, Strip
from flowdesk.web.parts import NOBODY, Action, Chip, Face, Form, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedChip:
    """A clock in the ticket's head."""

    words: str
    chip: Chip


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    words: str  # "terminal-log.txt, 18 kB"
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEntry:
    """One thing that was said or happened: a message, a note among agents, or an event."""

    kind: str  # message, note, event
    at: str  # ISO 8601
    when: str
    id: str = ""
    author: Face = NOBODY
    about: str = ""  # "to Maja Lund, by email"
    paragraphs: tuple[str | SafeString, ...] = ()
    html: SafeString | str = ""  # allow-listed HTML instead of paragraphs; plain strings are escaped
    pictures_left_out: str = ""  # "2 pictures left out"
    files: tuple[Attachment, ...] = ()
    state: str = ""  # an event's glyph: critical, warning, paused
    icon: str = ""  # or its icon
    is_step: bool = False
    earlier: tuple["ThreadEntry", ...] = ()  # steps folded behind this line
    origin: Link | None = None  # said in another ticket, which was merged into this one


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBlock:
    """A clock with its ladder."""

    words: str  # "Resolution, 4 h"
    chip: Chip
    ladder: Ladder | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One line of a clock's story; `kind` is empty, "now" or "ahead"."""

    at: str
    when: str
    strong: str
    words: str
    spent: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A clock's whole story: the strip on the wall, then every step of the sum."""

    metric: str
    caption: str
    rows: tuple[LedgerRow, ...]
    strip: Strip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyLine:
    words: str
    code: str = ""
    is_untaken: bool = False  # a condition that failed, or a rule not tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One decision with the steps that led to it."""

    title: str
    lines: tuple[WhyLine, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    label: str
    words: str
    at: str = ""  # ISO 8601: the fact is a time in another zone
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPanel:
    name: str
    tier: str  # "Enterprise 24/7, VIP"
    href: str = ""
    summary: str = ""  # in one line, when folded
    facts: tuple[Fact, ...] = ()

    @property
    def face(self) -> Face:
        return Face.of(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTicket:
    """Another ticket; `tail` is its status. Without an address it is this one."""

    number: int
    subject: str
    tail: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTicket:
    """A ticket like this one; `shared` names the words they have in common."""

    number: int
    subject: str
    tail: str  # "resolved, 83 %"
    shared: str
    href: str
    merge: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTicket:
    """A ticket that was merged into this one."""

    number: int
    subject: str
    href: str
    undo: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationBanner:
    """An escalation nobody has taken yet."""

    strong: str
    words: str
    next_at: str = ""  # ISO 8601
    next_when: str = ""
    acknowledge: Form | None = None
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Where an answer or a note is written."""

    href: str  # POST kind=reply|note, text, wait
    to: str  # "To Maja Lund by email, starts the next 2 h"
    prompt: str
    kind: str = "reply"
    text: str = ""
    errors: tuple[str, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    may_reply: bool = True
    may_wait: bool = True
    then_wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """A ticket, its talk, its promises and their reasons."""

    id: str
    number: int
    href: str
    subject: str
    priority: int
    status: str  # the stored value
    status_words: str
    category: str = ""  # "Technical, Payments"
    level: str = ""  # "L3 Engineering"
    assignee: Face = NOBODY
    opened_at: str = ""
    opened_words: str = ""  # "by email, today 04:55 CEST"
    back: Link | None = None
    previous_href: str = ""
    next_href: str = ""
    position: str = ""  # "1 of 4"
    clocks: tuple[NamedChip, ...] = ()
    clocks_href: str = ""  # the head's fragment, asked again at a threshold
    actions: tuple[Action, ...] = ()
    escalation: EscalationBanner | None = None
    thread: tuple[ThreadEntry, ...] = ()
    composer: Composer | None = None
    clock_blocks: tuple[ClockBlock, ...] = ()
    ledger: Ledger | None = None
    why: tuple[Why, ...] = ()
    why_short: str = ""
    customer: CustomerPanel | None = None
    others: tuple[RelatedTicket, ...] = ()
    similar: tuple[SimilarTicket, ...] | None = None  # None: nobody has looked
    issue: Link | None = None  # what it and others are about
    merged_into: Link | None = None  # the ticket that stands for this one
    merged: tuple[MergedTicket, ...] = ()
    tasks: tuple[Fact, ...] = ()  # what somebody is to do about it
    fields: tuple[Fact, ...] = ()  # the tenant's own
    fill_in: Form | None = None  # asks for them

    @property
    def shows_errors(self) -> bool:
        """Whether a refused act has come back with its form."""
        forms = [*(action.form for action in self.actions), *([self.fill_in] if self.fill_in else [])]
        return bool(self.composer and self.composer.errors) or any(form.has_errors for form in forms)


def paragraphs(text: str, *, names: Iterable[str] = ()) -> tuple[str, ...]:
    """Plain text as paragraphs (split at empty lines), with `@Name` of a known colleague marked."""
    blocks = [block.strip() for block in text.replace("\r\n", "\n").split("\n\n")]
    return tuple(_with_mentions(block, sorted(names, key=len, reverse=True)) for block in blocks if block)


def _with_mentions(text: str, names: list[str]) -> str:
    # Longest first, and each piece between mentions escaped on its own: nothing typed becomes markup.
    for name in names:
        before, mention, after = text.partition(f"@{name}")
        if mention:
            parts = (
                conditional_escape(_with_mentions(before, names)),
                format_html('<span class="mention">{}</span>', mention),
                conditional_escape(_with_mentions(after, names)),
            )
            return mark_safe("".join(parts))  # noqa: S308  every part above is escaped
    return text
