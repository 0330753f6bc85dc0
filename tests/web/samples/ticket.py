"""Ticket 4803 in its worst hour, refused, and waiting."""

from dataclasses import replace
from datetime import timedelta

from flowdesk.web import words
from flowdesk.web.drawings import Ladder, Strip
from flowdesk.web.hubs import words as hub_words
from flowdesk.web.parts import (
    ChipState,
    Choice,
    Face,
    Link,
    met_chip,
    paused_chip,
)
from flowdesk.web.ticket import forms
from flowdesk.web.ticket import words as ticket_words
from flowdesk.web.ticket.page import (
    Attachment,
    ClockBlock,
    Composer,
    CustomerPanel,
    EscalationBanner,
    Fact,
    Ledger,
    LedgerRow,
    NamedChip,
    RelatedTicket,
    SimilarTicket,
    ThreadEntry,
    TicketPage,
    Why,
    WhyLine,
    paragraphs,
)
from flowdesk.web.vocabulary import METRICS, STATUSES, say
from tests.web.samples.shell import (
    INES,
    JONAS,
    LANE_HREFS,
    MAJA,
    NOW,
    STOCKHOLM,
    at,
    chip,
    critical,
    iso,
    the_resolution_chip,
    warning,
)


def the_ladder(percent: float, fired: int, said: str) -> Ladder:
    return Ladder(
        words=said,
        spent_percent=percent,
        rungs=tuple((rung, rung <= fired) for rung in (50, 75, 90, 100, 125)),
    )


def the_strip() -> Strip:
    return Strip.between(
        at("04:55"),
        at("10:30"),
        spans=(
            ("calm", at("04:55"), at("06:20")),
            ("paused", at("06:20"), at("06:55")),
            ("calm", at("06:55"), at("08:30")),
            ("warning", at("08:30"), at("09:30")),
            ("critical", at("09:30"), NOW),
        ),
        ticks=(
            (at("04:55"), "04:55"),
            (at("07:30"), "50"),
            (at("08:30"), "75"),
            (at("09:06"), "90"),
            (at("09:30"), "100"),
            (at("10:30"), "125"),
        ),
        now=NOW,
        now_words=ticket_words.now_mark("09:42"),
        words=ticket_words.strip_words("resolution", first="04:55", now="09:42"),
    )


def the_ledger() -> Ledger:
    rows = (
        ("04:55", "Started,", "due 08:55", "0:00", ""),
        ("06:20", "Paused", "for the payment provider, case 7731, by Ines Costa", "1:25", ""),
        ("06:55", "Resumed,", "35m pause moves due to 09:30", "1:25", ""),
        ("07:30", "50%", "Ines Costa told", "2:00", ""),
        ("08:30", "75%", "Ada Lind, team lead, told", "3:00", ""),
        ("09:06", "90%", "both told again", "3:36", ""),
        ("09:30", "100%", "missed: manager and customer told, credit 5%", "4:00", ""),
        ("09:42", "", "Now, 105%, running", "4:12", "now"),
        ("10:30", "125%", "director told, outreach task", "5:00", "ahead"),
    )
    return Ledger(
        metric=str(METRICS["resolution"]),
        caption=ticket_words.ledger_caption("4 h", policy="standard", revision=7, calendar="24/7"),
        strip=the_strip(),
        rows=tuple(
            LedgerRow(
                at=iso(clock),
                when=clock,
                strong=strong,
                words=said,
                spent=words.spent(
                    timedelta(hours=int(spent.split(":")[0]), minutes=int(spent.split(":")[1]))
                ),
                kind=kind,
            )
            for clock, strong, said, spent, kind in rows
        ),
    )


def the_thread() -> tuple[ThreadEntry, ...]:
    def said(entry_id: str, clock: str, author: Face, about: str, text: str, **more: object) -> ThreadEntry:
        return ThreadEntry(
            kind="message",
            id=entry_id,
            at=iso(clock),
            when=clock,
            author=author,
            about=about,
            paragraphs=paragraphs(text),
            **more,  # type: ignore[arg-type]
        )

    def happened(clock: str, about: str, *, state: str = "", icon: str = "") -> ThreadEntry:
        return ThreadEntry(kind="event", at=iso(clock), when=clock, about=about, state=state, icon=icon)

    return (
        said(
            "1",
            "04:55",
            MAJA,
            "Nordvik Retail, by email",
            "Since the terminals woke up this morning card payments fail in every store. The display says "
            "“connection refused” after about twenty seconds. We open at seven and cannot sell without "
            "cards.",
            files=(
                Attachment(words="terminal-log.txt, 18 kB", href="/flow/files/1"),
                Attachment(words="display.jpg, 240 kB", href="/flow/files/2"),
            ),
        ),
        happened("04:55", "P1, to Engineering, on-call Ines Costa paged by phone and SMS", icon="escalate"),
        said(
            "3",
            "05:03",
            INES,
            "to Maja Lund, by email",
            "Good morning Maja, I have your ticket and see the refused connections on our side too. I am "
            "calling the payment provider now and will write again before seven, even if nothing has "
            "changed.",
        ),
        happened("06:20", "Waiting for the payment provider, case 7731, at most 2 h", state="paused"),
        happened("06:55", "Provider answered, clock resumed after 35m", icon="play"),
        said(
            "6",
            "08:10",
            INES,
            "to Maja Lund, by email",
            "The fault is at the payment provider and they have an engineer on it. We route new payments "
            "through the backup line as stores report in; Espoo and Vantaa are already live.\n\n"
            "Next word from us at 10:10 at the latest.",
        ),
        happened("08:30", "75% spent, Ada Lind told", state="warning"),
        said(
            "7",
            "09:21",
            MAJA,
            "Nordvik Retail, by email",
            "Store managers are sending people home. We need to know whether to switch to invoices for the "
            "day. Can you tell us before 10?",
        ),
        ThreadEntry(
            kind="note",
            id="8",
            at=iso("09:26"),
            when="09:26",
            author=JONAS,
            paragraphs=paragraphs(
                "@Ines Costa the provider has rolled back in one region. If Tampere works at 09:45, answer "
                "Maja with the workaround and a new estimate.",
                names=("Ines Costa", "Ada Lind"),
            ),
        ),
        happened(
            "09:30", "Resolution missed. Manager and customer told, credit of 5% recorded.", state="critical"
        ),
    )


def a_customer() -> CustomerPanel:
    return CustomerPanel(
        name="Nordvik Retail",
        tier="Enterprise 24/7, VIP",
        summary="Enterprise 24/7, VIP, 1 open",
        href="/flow/customers/nordvik",
        facts=(
            Fact(label="Contact", words="Maja Lund, Head of stores"),
            Fact(label="Phone", words="+358 40 555 01 24", href="tel:+358405550124"),
            Fact(label="Their time", words="10:42 EEST, Helsinki", at="2026-06-18T10:42:00+03:00"),
            Fact(label="Contract", words="Credit of 5% per missed promise, cap 20%"),
            Fact(label="Score", words="4.2 over 12 months"),
        ),
    )


PEOPLE = (
    Choice(value="", words="Nobody, back in the queue"),
    Choice(value="u-ines", words="Ines Costa, 6 of 8", is_chosen=True),
    Choice(value="u-bo", words="Bo Ek, 5 of 8"),
)
TARGETS = (Choice(value="level-3", words="L3 Engineering"), Choice(value="manager", words="Support manager"))


def the_actions() -> tuple[object, ...]:
    base = "/flow/tickets/4803"
    return (
        forms.take(f"{base}/take", holder="u-ines"),
        forms.assign(f"{base}/assign", people=PEOPLE, holder="u-ines"),
        forms.wait(f"{base}/wait"),
        forms.escalate(f"{base}/escalate", targets=TARGETS),
        forms.set_priority(f"{base}/priority", current=1),
        forms.resolve(f"{base}/resolve"),
    )


def a_ticket_page() -> TicketPage:
    base = "/flow/tickets/4803"
    return TicketPage(
        id="4803",
        number=4803,
        href=base,
        subject="Card payments fail in every store",
        priority=1,
        status="open",
        status_words=say(STATUSES, "open"),
        category="Technical, Payments",
        level="L3 Engineering",
        assignee=INES,
        opened_at=iso("04:55"),
        opened_words=ticket_words.opened_words(
            "email", when=words.long_moment(at("04:55"), zone=STOCKHOLM, now=NOW)
        ),
        back=Link(words="Breached", href=LANE_HREFS["breached"]),
        next_href="/flow/tickets/4790?lane=breached",
        position=ticket_words.position(1, total=4),
        clocks=(
            NamedChip(words=str(METRICS["resolution"]), chip=the_resolution_chip()),
            NamedChip(
                words=str(METRICS["update"]),
                chip=chip(
                    "10:10",
                    ChipState.WARNING,
                    metric=str(METRICS["update"]),
                    facts=("due 10:10 CEST", "1h 32m of 2h of business time used", "calendar 24/7"),
                ),
            ),
            NamedChip(
                words=str(METRICS["first_response"]), chip=met_chip(timedelta(minutes=8), at=at("05:03"))
            ),
            NamedChip(words="Ownership, L3", chip=warning("10:40")),
        ),
        clocks_href=base,
        actions=the_actions(),  # type: ignore[arg-type]
        escalation=EscalationBanner(
            strong=ticket_words.escalated(100),
            words=ticket_words.told(
                "Jonas Berg", when="09:30", following=str(hub_words.RUNG_TARGETS["director"])
            ),
            next_at=iso("10:30"),
            next_when="10:30",
            acknowledge=forms.acknowledge(f"{base}/acknowledge"),
        ),
        thread=the_thread(),
        composer=Composer(
            href=f"{base}/write",
            to=ticket_words.reply_to("Maja Lund", channel="email", next_update="2 h"),
            prompt=ticket_words.prompt("Maja"),
        ),
        clock_blocks=(
            ClockBlock(
                words=ticket_words.promise("resolution", target="4 h"),
                chip=critical("09:30"),
                ladder=the_ladder(105, 100, ticket_words.ladder_words(105, fired=100)),
            ),
            ClockBlock(
                words="Update, every 2 h",
                chip=warning("10:10"),
                ladder=the_ladder(76.7, 75, ticket_words.ladder_words(76, fired=75)),
            ),
        ),
        ledger=the_ledger(),
        why=(
            Why(
                title="Priority P1",
                lines=(
                    WhyLine(words="Impact H: “every store”. Urgency H: “fail”, “cannot sell”."),
                    WhyLine(words="Matrix: high and high give P1."),
                    WhyLine(words="Bound of Technical (P2 to P3) lifted: the customer is VIP."),
                ),
            ),
            Why(
                title="Routed to Engineering, L3",
                lines=(
                    WhyLine(
                        words="Rule 1 matched:", code="priority == 'critical' AND category == 'technical'"
                    ),
                    WhyLine(words="Rule 2 not tried: the first match wins.", is_untaken=True),
                    WhyLine(
                        words="Ines Costa: on shift, skill payments, 6 of 8 in hand. Routing revision 14."
                    ),
                ),
            ),
            Why(
                title="Promise of 15 minutes and 4 hours",
                lines=(
                    WhyLine(words="Cell P1, Enterprise of policy “standard”, revision 7."),
                    WhyLine(
                        words="Rule 1 asks for 15 minutes: equal, so nothing was tightened.", is_untaken=True
                    ),
                ),
            ),
        ),
        why_short="Impact H (“every store”) and urgency H (“fail”) give P1. Rule 1 sent it to Engineering.",
        customer=a_customer(),
        others=(
            RelatedTicket(number=4803, subject="Card payments fail in every store", tail="open"),
            RelatedTicket(
                number=4688, subject="Receipts print twice", tail="closed", href="/flow/tickets/4688"
            ),
            RelatedTicket(
                number=4512, subject="New terminals for Turku", tail="closed", href="/flow/tickets/4512"
            ),
        ),
        similar=(
            SimilarTicket(
                number=4731,
                subject="Terminals decline every card since the update",
                tail=ticket_words.similar_tail(say(STATUSES, "resolved"), score=0.63),
                shared=ticket_words.shared_words(("terminals", "card", "decline")),
                href="/flow/tickets/4731",
            ),
        ),
        fields=(Fact(label="Amount", words="not set"), Fact(label="Product", words="Terminals 4.1")),
    )


def a_refused_wait() -> TicketPage:
    page = a_ticket_page()
    refused = forms.wait("/flow/tickets/4803/wait")
    refused = replace(
        refused,
        form=refused.form.answered(
            {"reason": "third_party", "until_minutes": "120", "note": ""},
            {"note": ("Say what the supplier was asked, and their case number.",)},
        ),
    )
    return replace(page, actions=(page.actions[0], refused, *page.actions[3:]))


def a_waiting_ticket() -> TicketPage:
    page = a_ticket_page()
    return replace(
        page,
        status="on_hold",
        status_words=say(STATUSES, "on_hold"),
        escalation=None,
        clock_blocks=(),
        ledger=None,
        clocks=(
            NamedChip(words=str(METRICS["resolution"]), chip=paused_chip(timedelta(hours=1, minutes=20))),
        ),
        actions=(forms.resume("/flow/tickets/4803/resume"), forms.reopen("/flow/tickets/4803/reopen")),
    )
