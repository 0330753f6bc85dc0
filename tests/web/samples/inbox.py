"""The list of that hour, and an empty one."""

from dataclasses import replace
from datetime import timedelta

from flowdesk.web.inbox import words as inbox_words
from flowdesk.web.inbox.page import InboxPage, RowGroup, TicketRow
from flowdesk.web.parts import (
    Chip,
    ChipState,
    Choice,
    Face,
    Link,
    paused_chip,
)
from flowdesk.web.shell import lanes
from tests.web.samples.shell import LANE_COUNTS, LANE_HREFS, chip, critical, the_resolution_chip, warning
from tests.web.samples.ticket import a_ticket_page


def row(
    number: int,
    priority: int,
    subject: str,
    shown: Chip,
    channel: str,
    customer: str,
    tier: str,
    assignee: str = "",
    **more: object,
) -> TicketRow:
    return TicketRow(
        id=str(number),
        number=number,
        subject=subject,
        href=f"/flow/tickets/{number}",
        preview_href=f"/flow/inbox?ticket={number}",
        priority=priority,
        chip=shown,
        channel=channel,
        customer=customer,
        tier=tier,
        assignee=Face.of(assignee),
        **more,  # type: ignore[arg-type]
    )


def the_groups() -> tuple[RowGroup, ...]:
    wait = paused_chip
    return (
        RowGroup(
            words=str(inbox_words.GROUPS["over"]),
            count=4,
            state="critical",
            rows=(
                row(
                    4803,
                    1,
                    "Card payments fail in every store",
                    the_resolution_chip(),
                    "email",
                    "Nordvik Retail",
                    "Enterprise",
                    "Ines Costa",
                    is_current=True,
                ),
                row(
                    4790,
                    2,
                    "June invoices sent twice to every branch",
                    chip("07:22", ChipState.FAR),
                    "email",
                    "Hallberg Bygg",
                    "Professional",
                    "Bo Ek",
                    is_read=True,
                ),
                row(
                    4808,
                    2,
                    "Single sign-on loops back to the start page",
                    critical("09:36"),
                    "form",
                    "Tallen kommun",
                    "Enterprise",
                ),
                row(
                    4776,
                    3,
                    "Webhook retries stop after the first timeout",
                    critical("09:11"),
                    "api",
                    "Pikaro",
                    "Starter",
                    "Yusuf Aydin",
                    is_read=True,
                ),
            ),
        ),
        RowGroup(
            words=str(inbox_words.GROUPS["soon"]),
            count=9,
            state="warning",
            rows=(
                row(
                    4815,
                    2,
                    "Export to CSV drops the last column",
                    warning("09:48"),
                    "chat",
                    "Brandt Logistik",
                    "Enterprise",
                ),
                row(
                    4811,
                    2,
                    "Orders stuck in “confirming” since 09:00",
                    warning("09:51"),
                    "phone",
                    "Kvarnen Mat",
                    "Professional",
                    "Bo Ek",
                ),
                row(
                    4799,
                    3,
                    "Kan inte logga in efter lösenordsbyte",
                    warning("10:06"),
                    "email",
                    "Solna Fysio",
                    "Starter",
                    "Yusuf Aydin",
                    is_read=True,
                ),
                row(
                    4801,
                    3,
                    "Invoice address will not save",
                    warning("10:23"),
                    "form",
                    "Ekberg & Co",
                    "Professional",
                    "Bo Ek",
                    is_read=True,
                ),
            ),
        ),
        RowGroup(
            words=str(inbox_words.GROUPS["today"]),
            count=31,
            rows=(
                row(
                    4813,
                    3,
                    "Where do I change the reply language?",
                    chip("11:52", ChipState.RUNNING),
                    "chat",
                    "Pikaro",
                    "Starter",
                    "Yusuf Aydin",
                    is_read=True,
                ),
                row(
                    4809,
                    4,
                    "Typo on the delivery confirmation",
                    chip("15:12", ChipState.RUNNING),
                    "email",
                    "Hallberg Bygg",
                    "Professional",
                    is_read=True,
                ),
            ),
        ),
        RowGroup(
            words=str(inbox_words.GROUPS["waiting"]),
            count=48,
            state="paused",
            rows=(
                row(
                    4785,
                    3,
                    "Refund for order 88-214",
                    wait(timedelta(hours=1, minutes=20)),
                    "email",
                    "Lova Design",
                    "Free",
                    "Mira Holm",
                    is_read=True,
                ),
                row(
                    4771,
                    2,
                    "Nightly sync ends early on large catalogues",
                    wait(timedelta(hours=3, minutes=5)),
                    "api",
                    "Brandt Logistik",
                    "Enterprise",
                    "Ines Costa",
                    is_read=True,
                ),
            ),
        ),
    )


def an_inbox_page() -> InboxPage:
    return InboxPage(
        title=str(inbox_words.TITLES[""]),
        count=120,
        href="/flow/inbox",
        groups=the_groups(),
        search=inbox_words.search_field(),
        order=inbox_words.order_field(),
        filters=inbox_words.filter_fields(
            {"tier": "enterprise"},
            teams=(Choice(value="tier1", words="Tier 1"),),
            people=(Choice(value="u-bo", words="Bo Ek"),),
        ),
        filters_set=1,
        clear_href="/flow/inbox",
        lanes=lanes(LANE_HREFS, counts=LANE_COUNTS),
        more_href="/flow/inbox?after=abc",
        new_ticket_href="/flow/tickets/new",
        preview=replace(
            a_ticket_page(),
            actions=(*a_ticket_page().actions[:2], a_ticket_page().actions[3]),
            escalation=None,
        ),
    )


def an_empty_inbox() -> InboxPage:
    return InboxPage(
        title=str(inbox_words.TITLES["breached"]),
        count=0,
        href="/flow/inbox?lane=breached",
        lanes=lanes(LANE_HREFS, counts={}, current="breached"),
        empty=inbox_words.empty(
            "breached", Link(words=str(inbox_words.TITLES["due"]), href=LANE_HREFS["due"])
        ),
    )
