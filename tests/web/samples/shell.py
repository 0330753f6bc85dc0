"""The day of all samples: Thursday, 18 June 2026, 09:42 in Stockholm; and the frame around every page."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from flowdesk.web import words
from flowdesk.web.hubs import words as hub_words
from flowdesk.web.parts import (
    Chip,
    ChipState,
    Face,
    running_chip,
)
from flowdesk.web.shell import Notice, Shell, TenantChoice, Toast, ViewLink, lanes, places
from flowdesk.web.ticket import words as ticket_words
from flowdesk.web.vocabulary import METRICS

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 6, 18, 9, 42, tzinfo=STOCKHOLM)

ADA, BO, INES, JONAS, MAJA, MIRA, YUSUF = (
    Face.of(name)
    for name in ("Ada Lind", "Bo Ek", "Ines Costa", "Jonas Berg", "Maja Lund", "Mira Holm", "Yusuf Aydin")
)


def at(clock: str, day: int = 18) -> datetime:
    hours, minutes = clock.split(":")
    return datetime(2026, 6, day, int(hours), int(minutes), tzinfo=STOCKHOLM)


def iso(clock: str, day: int = 18) -> str:
    return words.iso(at(clock, day))


def chip(clock: str, state: ChipState, **more: object) -> Chip:
    return running_chip(at(clock), now=NOW, state=state, **more)  # type: ignore[arg-type]


def critical(clock: str) -> Chip:
    return chip(clock, ChipState.CRITICAL)


def warning(clock: str) -> Chip:
    return chip(clock, ChipState.WARNING, changes_at=at(clock))


def the_resolution_chip() -> Chip:
    return chip(
        "09:30",
        ChipState.CRITICAL,
        changes_at=at("10:30"),
        metric=str(METRICS["resolution"]),
        facts=(
            ticket_words.due_fact("09:30 CEST"),
            ticket_words.spent_fact("4h 12m", target="4h"),
            ticket_words.calendar_fact("24/7"),
        ),
    )


HREFS = {
    name: f"/flow/{name}"
    for name in (
        "inbox",
        "sla",
        "command",
        "callbacks",
        "customers",
        "reports",
        "knowledge",
        "members",
        "audit",
    )
}
LANE_HREFS = {
    name: f"/flow/inbox?lane={name}"
    for name in ("breached", "due", "mine", "unassigned", "mentioned", "waiting")
}
LANE_COUNTS = {"breached": 4, "due": 9, "mine": 11, "unassigned": 5, "mentioned": 2, "waiting": 48}


def notices() -> tuple[Notice, ...]:
    return (
        Notice(
            id="n1",
            words="#4803 Card payments fail in every store: resolution missed",
            href="/flow/tickets/4803",
            at=iso("09:30"),
            when="09:30",
            state="critical",
            is_unread=True,
        ),
        Notice(
            id="n2",
            words="Jonas Berg mentioned you in #4803",
            href="/flow/tickets/4803#entry-8",
            at=iso("09:26"),
            when="09:26",
            is_unread=True,
        ),
        Notice(
            id="n3",
            words="#4785 Refund for order 88-214 waits for the customer",
            href="/flow/tickets/4785",
            at=iso("16:05", 17),
            when="Wed 17 Jun 16:05",
            state="paused",
        ),
    )


def a_shell(current: str = "inbox", *, lane: str = "", language: str = "en") -> Shell:
    return Shell(
        tenant="global",
        language=language,
        now=words.iso(NOW),
        formats=words.formats(),
        me=ADA,
        shift=ticket_words.on_shift_until("17:00"),
        places=places(HREFS, current=current, counts={"inbox": 72, "callbacks": 6}),
        lanes=lanes(LANE_HREFS, counts=LANE_COUNTS, current=lane),
        views=(
            ViewLink(words="Enterprise, P1 and P2", href="/flow/inbox?view=1", count=7),
            ViewLink(words="Billing over 10 000", href="/flow/inbox?view=2", count=3),
            ViewLink(words="Swedish queue", href="/flow/inbox?view=3", count=26),
        ),
        tenants=(TenantChoice(slug="nordic", words="Nordic desk"),),
        notices=notices(),
        unread=2,
        announcement=hub_words.breached_announcement(4),
        search_href="/flow/inbox",
        home_href="/flow/tickets/sla",
        new_ticket_href="/flow/tickets/new",
        notices_href="/flow/notices",
        preferences_href="/flow/preferences",
        tenant_href="/flow/tenant",
        account_href="/accounts/",
        logout_href="/accounts/logout/",
    )


def an_empty_shell() -> Shell:
    return replace(
        a_shell("sla"),
        places=places(HREFS, current="sla"),
        lanes=lanes(LANE_HREFS, counts={}),
        views=(),
        notices=(),
        unread=0,
        tenants=(),
        announcement="",
    )


def a_shell_with_toast() -> Shell:
    return replace(a_shell(), toasts=(Toast(words="Ticket #4815 is yours", undo_href="/flow/undo/9"),))
