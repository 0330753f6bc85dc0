"""Pages filled with one Thursday, 18 June 2026, 09:42 in Stockholm; every number agrees across them."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flowdesk.web import words
from flowdesk.web.account import LoginPage, login_form
from flowdesk.web.hubs import words as hub_words
from flowdesk.web.hubs.page import (
    Automation,
    Deed,
    Enforcement,
    LaneRow,
    LevelLine,
    PathStep,
    Review,
    Run,
    Signal,
    SlaHubPage,
    StripCard,
    Verdict,
    WorkNext,
)
from flowdesk.web.inbox.page import InboxPage, RowGroup, TicketRow
from flowdesk.web.parts import (
    Chip,
    ChipState,
    Choice,
    Empty,
    Face,
    Field,
    Form,
    Kind,
    Ladder,
    LanesBar,
    Link,
    Metric,
    Spark,
    Strip,
    TicketLine,
    met_chip,
    paused_chip,
    running_chip,
)
from flowdesk.web.shell import Notice, NoticesPage, Shell, TenantChoice, Toast, ViewLink, lanes, places
from flowdesk.web.ticket import forms
from flowdesk.web.ticket.new import ContactMatch, NewTicketPage, contact_search, new_ticket_form, newcomer_fields
from flowdesk.web.ticket.page import (
    Attachment,
    Checklist,
    ClockBlock,
    Composer,
    CustomerPanel,
    EscalationBanner,
    Fact,
    Ledger,
    LedgerRow,
    NamedChip,
    RelatedTicket,
    ThreadEntry,
    TicketPage,
    Why,
    WhyLine,
    paragraphs,
)
from flowdesk.web.vocabulary import METRICS, OWNERS, SEVERITIES

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
        facts=("due 09:30 CEST", "4h 12m of 4h of business time used", "calendar 24/7"),
    )


HREFS = {
    name: f"/flow/{name}"
    for name in ("inbox", "sla", "command", "callbacks", "customers", "reports", "knowledge", "settings")
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
        shift="On shift until 17:00",
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


# The ticket


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
        now_words="now 09:42",
        words="Resolution clock: ran from 04:55, paused 06:20 to 06:55, missed at 09:30, now 09:42",
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
        caption="Target 4 h, frozen from policy “standard”, revision 7. Calendar 24/7.",
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
    def said(id: str, clock: str, author: Face, about: str, text: str, **more: object) -> ThreadEntry:
        return ThreadEntry(
            kind="message",
            id=id,
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
            "“connection refused” after about twenty seconds. We open at seven and cannot sell without cards.",
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
            "Good morning Maja, I have your ticket and see the refused connections on our side too. I am calling "
            "the payment provider now and will write again before seven, also if nothing has changed.",
        ),
        happened("06:20", "Waiting for the payment provider, case 7731, at most 2 h", state="paused"),
        happened("06:55", "Provider answered, clock resumed after 35m", icon="play"),
        said(
            "6",
            "08:10",
            INES,
            "to Maja Lund, by email",
            "The fault is at the payment provider and they have an engineer on it. We route new payments through "
            "the backup line as stores report in; Espoo and Vantaa are already live.\n\n"
            "Next word from us at 10:10 at the latest.",
        ),
        happened("08:30", "75% spent, Ada Lind told", state="warning"),
        said(
            "7",
            "09:21",
            MAJA,
            "Nordvik Retail, by email",
            "Store managers are sending people home. We need to know whether to switch to invoices for the day. "
            "Can you tell us before 10?",
        ),
        ThreadEntry(
            kind="note",
            id="8",
            at=iso("09:26"),
            when="09:26",
            author=JONAS,
            paragraphs=paragraphs(
                "@Ines Costa the provider has rolled back in one region. If Tampere works at 09:45, answer Maja "
                "with the workaround and a new estimate.",
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
        forms.take(f"{base}/take", revision="12"),
        forms.assign(f"{base}/assign", people=PEOPLE, revision="12"),
        forms.wait(f"{base}/wait", revision="12"),
        forms.escalate(f"{base}/escalate", targets=TARGETS, revision="12"),
        forms.set_priority(f"{base}/priority", current=1, revision="12"),
        forms.resolve(f"{base}/resolve", revision="12"),
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
        status_words="open",
        category="Technical, Payments",
        level="L3 Engineering",
        assignee=INES,
        opened_at=iso("04:55"),
        opened_words="by email, today 04:55 CEST",
        back=Link(words="Breached", href=LANE_HREFS["breached"]),
        next_href="/flow/tickets/4790?lane=breached",
        position="1 of 4",
        viewers="Bo Ek is looking",
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
            strong="Escalated at 100%, not acknowledged.",
            words="Jonas Berg was told at 09:30; the director is next at",
            next_at=iso("10:30"),
            next_when="10:30",
            acknowledge=forms.acknowledge(f"{base}/acknowledge", revision="12"),
        ),
        thread=the_thread(),
        composer=Composer(
            href=f"{base}/write",
            to="To Maja Lund by email, starts the next 2 h",
            prompt="Write to Maja",
            takes_files=True,
            draft_href=f"{base}/draft",
            draft_words="Draft saved 09:41",
            hidden=(("revision", "12"),),
        ),
        clock_blocks=(
            ClockBlock(
                words="Resolution, 4 h",
                chip=critical("09:30"),
                ladder=the_ladder(105, 100, "105 percent spent, steps at 50, 75, 90 and 100 have fired"),
            ),
            ClockBlock(
                words="Update, every 2 h",
                chip=warning("10:10"),
                ladder=the_ladder(76.7, 75, "77 percent spent"),
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
                    WhyLine(words="Ines Costa: on shift, skill payments, 6 of 8 in hand. Routing revision 14."),
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
        why_short="Impact H (“every store”) and urgency H (“fail”) give P1. Rule 1 sent it to a senior engineer.",
        customer=a_customer(),
        others=(
            RelatedTicket(number=4803, subject="Card payments fail in every store", tail="open"),
            RelatedTicket(number=4688, subject="Receipts print twice", tail="closed", href="/flow/tickets/4688"),
            RelatedTicket(number=4512, subject="New terminals for Turku", tail="closed", href="/flow/tickets/4512"),
        ),
        alike=(
            RelatedTicket(
                number=4811, subject="Orders stuck in “confirming”", tail="82%", href="/flow/tickets/4811"
            ),
            RelatedTicket(
                number=4806, subject="Terminal says “try again later”", tail="74%", href="/flow/tickets/4806"
            ),
        ),
        alike_words="2 in the last hour",
        checklist=Checklist(
            href=f"{base}/checklist",
            done=1,
            items=(
                Field(name="cause", label="Cause written down", kind=Kind.CHECK, is_checked=True),
                Field(name="tested", label="Payments tested in two stores", kind=Kind.CHECK),
                Field(name="confirmed", label="Customer confirmed by phone and email", kind=Kind.CHECK),
                Field(name="article", label="Article linked or written", kind=Kind.CHECK),
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
        status_words="on hold",
        escalation=None,
        clocks=(
            NamedChip(words=str(METRICS["resolution"]), chip=paused_chip(timedelta(hours=1, minutes=20))),
        ),
        actions=(forms.resume("/flow/tickets/4803/resume"), forms.reopen("/flow/tickets/4803/reopen")),
    )


# The inbox


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
            words="Over",
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
            words="Due within the hour",
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
            words="Later today",
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
            words="Waiting",
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


def a_select(name: str, label: str, *options: tuple[str, str], chosen: str = "") -> Field:
    choices = tuple(
        Choice(value=value, words=said, is_chosen=value == chosen) for value, said in (("", "Any"), *options)
    )
    return Field(name=name, label=label, kind=Kind.SELECT, choices=choices, value=chosen)


def an_inbox_page() -> InboxPage:
    return InboxPage(
        title="All active",
        count=120,
        href="/flow/inbox",
        groups=the_groups(),
        search=Field(name="q", label="Words", kind=Kind.SEARCH),
        order=Field(
            name="order",
            label="Order",
            kind=Kind.SELECT,
            choices=(
                Choice(value="risk", words="Risk first", is_chosen=True),
                Choice(value="new", words="Newest first"),
            ),
        ),
        filters=(
            a_select("status", "Status", ("open", "open"), ("new", "new")),
            a_select("priority", "Priority", ("1", "P1, critical"), ("2", "P2, high")),
            a_select("team", "Team", ("tier1", "Tier 1")),
            a_select("assignee", "Assignee", ("me", "Me")),
            a_select("tier", "Tier", ("enterprise", "Enterprise"), chosen="enterprise"),
            a_select("channel", "Channel", ("email", "Email")),
            a_select("language", "Language", ("sv", "Swedish")),
        ),
        filters_set=1,
        clear_href="/flow/inbox",
        save_view=Form(
            id="save-view",
            href="/flow/views",
            submit="Save as a view",
            fields=(Field(name="name", label="Name of the view", is_required=True, max_length=60),),
        ),
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
        title="Breached",
        count=0,
        href="/flow/inbox?lane=breached",
        lanes=lanes(LANE_HREFS, counts={}, current="breached"),
        empty=Empty(
            title="Nothing is over",
            words="Every promise in this lane is kept so far.",
            links=(Link(words="Due within the hour", href=LANE_HREFS["due"]),),
        ),
    )


# The hub


def a_post(id: str, submit: str) -> Form:
    return Form(id=id, href=f"/flow/{id}", submit=submit)


def lane_rows(
    backlogs: dict[str, int], severities: dict[str, str], windows: dict[str, Chip]
) -> tuple[LaneRow, ...]:
    owners = {
        "sla_breached": ("support_lead", "Ada Lind"),
        "escalation_due": ("escalation_owner", "Jonas Berg"),
        "first_response": ("support_lead", "Ada Lind"),
        "callback": ("callback_ops", "Mira Holm"),
        "pressure": ("automation_owner", "Priya Nair"),
        "reopen_risk": ("quality_owner", "Oskar Dahl"),
        "csat_followup": ("experience_owner", "Lea Strand"),
    }
    return tuple(
        LaneRow(
            words=str(label),
            owner_role=str(OWNERS[owners[lane][0]]),
            owner=Face.of(owners[lane][1]),
            backlog=backlogs.get(lane, 0),
            severity=severities.get(lane, "ok"),
            severity_words=str(SEVERITIES[severities.get(lane, "ok")]),
            next_action=str(hub_words.NEXT_ACTIONS[lane]),
            href=f"/flow/inbox?lane={lane}",
            window=windows.get(lane),
        )
        for lane, label in hub_words.LANES.items()
    )


def signals(figures: tuple[str, ...], smalls: dict[str, str], states: dict[str, str]) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            words=str(label),
            figure=figure,
            href=f"/flow/inbox?signal={name}",
            small=smalls.get(name, ""),
            state=states.get(name, ""),
        )
        for (name, label), figure in zip(hub_words.SIGNALS.items(), figures, strict=True)
    )


def policy(*counts: int) -> tuple[LevelLine, ...]:
    return tuple(
        LevelLine(level=level, words=str(said), tickets=hub_words.tickets_count(count))
        for (level, said), count in zip(hub_words.LEVELS.items(), counts, strict=True)
    )


LADDER_WORDS = "50 assignee, 75 lead, 90 both, 100 manager and customer, 125 director."
HIT_RATES = (96.1, 96.4, 96.0, 95.2, 95.5, 95.8, 95.1, 94.6, 94.9, 94.2, 93.1, 93.4, 92.8, 92.2, 92.4)


def a_hot_hub() -> SlaHubPage:
    far = chip("07:22", ChipState.FAR)
    state, sentence = hub_words.verdict(4, at_risk=9)
    return SlaHubPage(
        tenant="global",
        as_of="Live, as of 09:42 CEST",
        href="/flow/tickets/sla",
        windows=(
            Link(words="24 h", href="/flow/tickets/sla", is_current=True),
            Link(words="7 days", href="/flow/tickets/sla?window=7d"),
            Link(words="30 days", href="/flow/tickets/sla?window=30d"),
        ),
        verdict=Verdict(state=state, words=sentence, detail=hub_words.next_one(), chip=warning("09:48")),
        bar=LanesBar(over=4, at_risk=9, on_time=59, waiting=48),
        hit_rate=Metric(
            words="SLA hit rate",
            figure="92.4%",
            note=hub_words.met_of(97, decided=105, goal=95),
            spark=Spark(
                words="Hit rate over the last 24 hours, from 96.1 to 92.4 percent, goal 95 percent",
                values=HIT_RATES,
                goal=95.0,
            ),
        ),
        enforcement_score=Metric(
            words="Enforcement score", figure="86%", note=hub_words.in_time_of(12, due=14)
        ),
        severities=Metric(words="Critical / warning", figure="2", second_figure="3", note="of seven lanes"),
        next=WorkNext(
            title=hub_words.work_title("sla_breached", 4),
            owner_role=str(OWNERS["support_lead"]),
            owner=ADA,
            primary=Deed(
                words=str(hub_words.PRIMARY_ACTIONS["sla_breached"]), href=LANE_HREFS["breached"]
            ),
            fast_follow=hub_words.fast_follow("escalation_due", 3),
            fast_follow_link=Link(words="Open escalations", href="/flow/inbox?lane=escalation_due"),
            tickets=(
                TicketLine(
                    number=4803,
                    subject="Card payments fail in every store",
                    href="/flow/tickets/4803",
                    customer="Nordvik Retail",
                    priority=1,
                    chip=the_resolution_chip(),
                    assignee=INES,
                ),
                TicketLine(
                    number=4790,
                    subject="June invoices sent twice",
                    href="/flow/tickets/4790",
                    customer="Hallberg Bygg",
                    priority=2,
                    chip=far,
                    assignee=BO,
                ),
                TicketLine(
                    number=4808,
                    subject="Single sign-on loops",
                    href="/flow/tickets/4808",
                    customer="Tallen kommun",
                    priority=2,
                    chip=critical("09:36"),
                ),
                TicketLine(
                    number=4776,
                    subject="Webhook retries stop too early",
                    href="/flow/tickets/4776",
                    customer="Pikaro",
                    priority=3,
                    chip=critical("09:11"),
                    assignee=YUSUF,
                ),
            ),
        ),
        path=(
            PathStep(
                words="Breached first",
                about="The tickets most at risk come before anything else.",
                state="current",
                href=LANE_HREFS["breached"],
                tail="4 over",
                chip_state="critical",
            ),
            PathStep(
                words="Escalate next",
                about="Give each escalation a named owner while there is still time.",
                state="ahead",
                href="/flow/inbox?lane=escalation_due",
                tail="3 due",
                chip_state="warning",
            ),
            PathStep(
                words="Go live now",
                about="Opens when no lane is critical: publish the launch report.",
                state="ahead",
                tail=hub_words.lanes_to_go(2),
            ),
        ),
        lanes=lane_rows(
            {
                "sla_breached": 4,
                "escalation_due": 3,
                "first_response": 5,
                "callback": 6,
                "pressure": 72,
                "reopen_risk": 3,
                "csat_followup": 2,
            },
            {
                "sla_breached": "critical",
                "escalation_due": "warning",
                "first_response": "warning",
                "callback": "critical",
                "pressure": "warning",
            },
            {
                "sla_breached": far,
                "escalation_due": warning("09:48"),
                "first_response": warning("09:51"),
                "callback": critical("09:17"),
                "pressure": chip("10:52", ChipState.RUNNING),
            },
        ),
        lanes_words=hub_words.lanes_words(2, warning=3),
        command_href="/flow/support/command",
        strip=(
            StripCard(
                words="Urgent tickets",
                figure=hub_words.urgent_figure(3, urgent=9),
                about="Breach first. The closure check stays on.",
            ),
            StripCard(
                words="Callback queue",
                figure=hub_words.callback_figure(6, overdue=2),
                about="Bring missed calls back into the live lane.",
            ),
            StripCard(
                words="Escalation window",
                figure="",
                chip=warning("09:48"),
                about=hub_words.pressure_advice("high"),
            ),
        ),
        enforcement=Enforcement(
            title=hub_words.enforcement_title(str(hub_words.LANES["sla_breached"])),
            owner="Support lead, Ada Lind",
            backlog=4,
            window=far,
            macro=a_post("escalation-macro", "Run escalation macro"),
        ),
        signals=signals(
            ("47", "120", "9", "5", "4", "3", "8", "33", "6", "2", "3.4", "2.1"),
            {"created": "+6", "reopen_risk": "of 41", "csat_risk": "of 41"},
            {"sla_breached": "critical", "escalation_due": "warning", "callback_overdue": "critical"},
        ),
        policy=policy(64, 41, 15),
        ladder=Ladder(words=f"Ladder: {LADDER_WORDS}", has_mark=False),
        ladder_words=LADDER_WORDS,
        ladder_href="/flow/settings/ladder",
        review=Review(
            meeting="Weekly support ops review",
            owner="Support lead, Ada Lind",
            next_at=iso("09:00", 22),
            next_when=words.long_moment(at("09:00", 22), zone=STOCKHOLM, now=NOW),
            agenda="On the table: double invoicing (4 tickets), two late callbacks, one vacant backup owner.",
            agenda_href="/flow/tickets/sla/review",
            calendar_href="/flow/tickets/sla/review.ics",
        ),
        automation=Automation(
            route="/flow/scheduler/tickets/automations/run",
            secret_name="FLOW_TICKET_AUTOMATION_CRON_SECRET",
            is_secret_set=True,
            schedule="Weekly, Monday 08:15 Europe/Stockholm",
            runs=(
                Run(at=iso("09:05"), when="Today 09:05", by="by Ada Lind", words="3 assigned, 1 escalated"),
                Run(
                    at=iso("08:15", 15),
                    when=words.moment(at("08:15", 15), zone=STOCKHOLM, now=NOW),
                    by="schedule",
                    words="11 assigned, 4 escalated",
                ),
            ),
            run=a_post("run-automation", "Run now"),
            runs_href="/flow/tickets/automations",
        ),
    )


def an_empty_hub() -> SlaHubPage:
    hot = a_hot_hub()
    state, sentence = hub_words.verdict(0, at_risk=0)
    return replace(
        hot,
        verdict=Verdict(state=state, words=sentence, detail=hub_words.calm_detail("low")),
        bar=LanesBar(),
        hit_rate=Metric(words="SLA hit rate", figure="100%", note=hub_words.met_of(0, decided=0, goal=95)),
        enforcement_score=Metric(
            words="Enforcement score", figure="100%", note=hub_words.in_time_of(0, due=0)
        ),
        severities=Metric(words="Critical / warning", figure="0", second_figure="0", note="of seven lanes"),
        next=WorkNext(
            title=hub_words.work_title("", 0),
            owner_role=str(OWNERS["support_lead"]),
            owner=ADA,
            primary=Deed(
                words=str(hub_words.PRIMARY_ACTIONS["healthy"]),
                form=a_post("launch-report", "Publish launch report"),
            ),
            fast_follow=hub_words.fast_follow("", 0),
            empty=Empty(
                title="Let the first ticket in",
                words="The clocks start on their own once a channel is open.",
                links=(
                    Link(words="Connect a mailbox", href="/flow/settings/mail", icon="mail"),
                    Link(words="Open the web form", href="/flow/settings/form", icon="web"),
                    Link(words="Create an API key", href="/flow/settings/keys", icon="api"),
                ),
            ),
        ),
        path=(
            replace(hot.path[0], state="done", tail="0 over", chip_state=""),
            replace(hot.path[1], state="done", tail="0 due", chip_state=""),
            replace(
                hot.path[2],
                state="current",
                tail="ready",
                about="The queue is under control: publish the launch report.",
            ),
        ),
        lanes=lane_rows({}, {}, {}),
        lanes_words=hub_words.lanes_words(0, warning=0),
        strip=(
            replace(hot.strip[0], figure=hub_words.urgent_figure(0, urgent=0)),
            replace(
                hot.strip[1],
                figure=hub_words.callback_figure(0, overdue=0),
                about="Missed calls will return to the live lane here.",
            ),
            replace(hot.strip[2], chip=None, figure="within SLA", about=hub_words.pressure_advice("low")),
        ),
        enforcement=Enforcement(
            title=hub_words.enforcement_title(""), owner="Support lead, Ada Lind", backlog=0
        ),
        signals=signals(("0",) * 12, {}, {}),
        policy=policy(0, 0, 0),
        review=replace(
            hot.review, agenda="No findings yet. They collect here from the first breach on.", agenda_href=""
        ),
        automation=replace(
            hot.automation, runs=(), no_runs="No run yet. The first is Monday 22 June 08:15.", is_secret_set=False
        ),
    )


# The rest


def a_login_page() -> LoginPage:
    return LoginPage(
        form=login_form("/accounts/login/", next_href="/flow/inbox"),
        forgot_href="/accounts/password/reset/",
        others=(Link(words="Company log-in", href="/accounts/oidc/", icon="lock"),),
    )


def a_refused_login() -> LoginPage:
    form = login_form("/accounts/login/").answered(
        {"login": "ada"}, {"__all__": ("The name and the password do not go together.",)}
    )
    return LoginPage(form=form)


def a_new_ticket_page() -> NewTicketPage:
    return NewTicketPage(
        form=new_ticket_form("/flow/tickets/new"),
        search=contact_search("lund"),
        search_href="/flow/tickets/new",
        matches=(
            ContactMatch(
                id="c1",
                name="Maja Lund",
                email="maja.lund@nordvik.example",
                customer="Nordvik Retail",
                tier="Enterprise",
                is_chosen=True,
            ),
            ContactMatch(
                id="c2", name="Per Lundin", email="per@pikaro.example", customer="Pikaro", tier="Starter"
            ),
        ),
        newcomer=newcomer_fields(),
        cancel_href="/flow/inbox",
    )


def a_refused_new_ticket() -> NewTicketPage:
    page = a_new_ticket_page()
    return replace(
        page,
        form=page.form.answered({"subject": ""}, {"subject": ("Say in a few words what it is about.",)}),
        search=contact_search("nobody"),
        matches=(),
        is_new=True,
        contact_errors=("Choose a contact, or fill in someone new.",),
    )


def a_notices_page() -> NoticesPage:
    return NoticesPage(
        notices=notices(), unread=2, read_all_href="/flow/notices/read", more_href="/flow/notices?after=x"
    )
