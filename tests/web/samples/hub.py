"""The hub of that hour, and one without a ticket."""

from dataclasses import replace

from flowdesk.web import words
from flowdesk.web.drawings import Ladder, LanesBar, Spark
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
from flowdesk.web.parts import (
    Chip,
    ChipState,
    Empty,
    Face,
    Form,
    Link,
    Metric,
    TicketLine,
)
from flowdesk.web.vocabulary import OWNERS, SEVERITIES
from tests.web.samples.shell import (
    ADA,
    BO,
    INES,
    LANE_HREFS,
    NOW,
    STOCKHOLM,
    YUSUF,
    at,
    chip,
    critical,
    iso,
    the_resolution_chip,
    warning,
)


def a_post(name: str, submit: str) -> Form:
    return Form(id=name, href=f"/flow/{name}", submit=submit)


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


RUNGS = (
    (50, ("assignee",)),
    (75, ("team_lead",)),
    (90, ("both",)),
    (100, ("manager", "customer")),
    (125, ("director",)),
)
HIT_RATES = (96.1, 96.4, 96.0, 95.2, 95.5, 95.8, 95.1, 94.6, 94.9, 94.2, 93.1, 93.4, 92.8, 92.2, 92.4)


def a_hot_hub() -> SlaHubPage:
    far = chip("07:22", ChipState.FAR)
    state, sentence = hub_words.verdict(4, at_risk=9)
    return SlaHubPage(
        tenant="global",
        as_of=hub_words.as_of(words.clock_and_zone(NOW, STOCKHOLM)),
        href="/flow/tickets/sla",
        windows=tuple(
            Link(words=str(said), href=f"/flow/tickets/sla?window={window}", is_current=window == "24h")
            for window, said in hub_words.WINDOWS.items()
        ),
        verdict=Verdict(state=state, words=sentence, detail=hub_words.next_one(), chip=warning("09:48")),
        bar=LanesBar(over=4, at_risk=9, on_time=59, waiting=48),
        hit_rate=Metric(
            words=str(hub_words.HIT_RATE),
            figure="92.4%",
            note=hub_words.met_of(97, decided=105, goal=95),
            spark=Spark(
                words=hub_words.spark_words("96.1%", last="92.4%", goal="95%"),
                values=HIT_RATES,
                goal=95.0,
            ),
        ),
        enforcement_score=Metric(
            words=str(hub_words.ENFORCEMENT_SCORE), figure="86%", note=hub_words.in_time_of(12, due=14)
        ),
        severities=Metric(
            words=str(hub_words.SEVERITY_COUNTS), figure="2", second_figure="3", note=hub_words.of_lanes(7)
        ),
        next=WorkNext(
            title=hub_words.work_title("sla_breached", 4),
            owner_role=str(OWNERS["support_lead"]),
            owner=ADA,
            primary=Deed(words=str(hub_words.PRIMARY_ACTIONS["sla_breached"]), href=LANE_HREFS["breached"]),
            fast_follow=hub_words.fast_follow("escalation_due", 3),
            fast_follow_link=Link(
                words=str(hub_words.PRIMARY_ACTIONS["escalation_due"]), href="/flow/inbox?lane=escalation_due"
            ),
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
                words=str(hub_words.STEPS["breached"]),
                about=str(hub_words.STEPS_ABOUT["breached"]),
                state="current",
                href=LANE_HREFS["breached"],
                tail=hub_words.over_tail(4),
                chip_state="critical",
            ),
            PathStep(
                words=str(hub_words.STEPS["escalate"]),
                about=str(hub_words.STEPS_ABOUT["escalate"]),
                state="ahead",
                href="/flow/inbox?lane=escalation_due",
                tail=hub_words.due_tail(3),
                chip_state="warning",
            ),
            PathStep(
                words=str(hub_words.STEPS["live"]),
                about=str(hub_words.STEPS_ABOUT["live"]),
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
                words=str(hub_words.STRIP["urgent"]),
                figure=hub_words.urgent_figure(3, urgent=9),
                about=str(hub_words.STRIP_ABOUT["urgent"]),
            ),
            StripCard(
                words=str(hub_words.STRIP["callback"]),
                figure=hub_words.callback_figure(6, overdue=2),
                about=str(hub_words.STRIP_ABOUT["callback"]),
            ),
            StripCard(
                words=str(hub_words.STRIP["escalation"]),
                figure="",
                chip=warning("09:48"),
                about=hub_words.pressure_advice("high"),
            ),
        ),
        enforcement=Enforcement(
            title=hub_words.enforcement_title(str(hub_words.LANES["sla_breached"])),
            owner=hub_words.owner_line(str(OWNERS["support_lead"]), person="Ada Lind"),
            backlog=4,
            window=far,
            macro=a_post("escalation-macro", str(hub_words.RUN_MACRO)),
        ),
        signals=signals(
            ("47", "120", "9", "5", "4", "3", "8", "33", "6", "2", "3.4", "2.1"),
            {"created": "+6", "reopen_risk": "of 41", "csat_risk": "of 41"},
            {"sla_breached": "critical", "escalation_due": "warning", "callback_overdue": "critical"},
        ),
        policy=policy(64, 41, 15),
        ladder=Ladder(words=hub_words.ladder_aloud(hub_words.ladder_words(RUNGS)), has_mark=False),
        ladder_words=hub_words.ladder_words(RUNGS),
        ladder_href="/flow/settings/ladder",
        review=Review(
            meeting=str(hub_words.MEETING),
            owner=hub_words.owner_line(str(OWNERS["support_lead"]), person="Ada Lind"),
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
            schedule=hub_words.weekly(words.weekday(0), time="08:15", zone="Europe/Stockholm"),
            runs=(
                Run(
                    at=iso("09:05"),
                    when="09:05",
                    by=hub_words.run_by("Ada Lind"),
                    words=hub_words.run_words(3, escalated=1),
                ),
                Run(
                    at=iso("08:15", 15),
                    when=words.moment(at("08:15", 15), zone=STOCKHOLM, now=NOW),
                    by=hub_words.run_by(""),
                    words=hub_words.run_words(11, escalated=4),
                ),
            ),
            run=a_post("run-automation", str(hub_words.RUN_NOW)),
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
        hit_rate=Metric(
            words=str(hub_words.HIT_RATE), figure="100%", note=hub_words.met_of(0, decided=0, goal=95)
        ),
        enforcement_score=Metric(
            words=str(hub_words.ENFORCEMENT_SCORE), figure="100%", note=hub_words.in_time_of(0, due=0)
        ),
        severities=Metric(
            words=str(hub_words.SEVERITY_COUNTS), figure="0", second_figure="0", note=hub_words.of_lanes(7)
        ),
        next=WorkNext(
            title=hub_words.work_title("", 0),
            owner_role=str(OWNERS["support_lead"]),
            owner=ADA,
            primary=Deed(
                words=str(hub_words.PRIMARY_ACTIONS["healthy"]),
                form=a_post("launch-report", str(hub_words.PRIMARY_ACTIONS["healthy"])),
            ),
            fast_follow=hub_words.fast_follow("", 0),
            empty=Empty(
                title=str(hub_words.START["title"]),
                words=str(hub_words.START["words"]),
                links=(
                    Link(words=str(hub_words.START["mail"]), href="/flow/settings/mail", icon="mail"),
                    Link(words=str(hub_words.START["form"]), href="/flow/settings/form", icon="web"),
                    Link(words=str(hub_words.START["keys"]), href="/flow/settings/keys", icon="api"),
                ),
            ),
        ),
        path=(
            replace(hot.path[0], state="done", tail=hub_words.over_tail(0), chip_state=""),
            replace(hot.path[1], state="done", tail=hub_words.due_tail(0), chip_state=""),
            replace(
                hot.path[2],
                state="current",
                tail=str(hub_words.READY),
                about=str(hub_words.STEPS_ABOUT["live_ready"]),
            ),
        ),
        lanes=lane_rows({}, {}, {}),
        lanes_words=hub_words.lanes_words(0, warning=0),
        strip=(
            replace(hot.strip[0], figure=hub_words.urgent_figure(0, urgent=0)),
            replace(
                hot.strip[1],
                figure=hub_words.callback_figure(0, overdue=0),
                about=str(hub_words.STRIP_ABOUT["callback_none"]),
            ),
            replace(
                hot.strip[2],
                chip=None,
                figure=str(hub_words.WITHIN_SLA),
                about=hub_words.pressure_advice("low"),
            ),
        ),
        enforcement=Enforcement(
            title=hub_words.enforcement_title(""),
            owner=hub_words.owner_line(str(OWNERS["support_lead"]), person="Ada Lind"),
            backlog=0,
        ),
        signals=signals(("0",) * 12, {}, {}),
        policy=policy(0, 0, 0),
        review=replace(hot.review, agenda=str(hub_words.NO_FINDINGS), agenda_href=""),
        automation=replace(
            hot.automation,
            runs=(),
            no_runs=hub_words.no_runs(words.moment(at("08:15", 22), zone=STOCKHOLM, now=NOW)),
            is_secret_set=False,
        ),
    )
