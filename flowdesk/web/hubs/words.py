"""The hubs' labels and sentences: labels as the mission's documents write them, sentences our own.

Keys are the ids of lanes, signals and owners in the policy; values follow the reader's language.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from flowdesk.web.vocabulary import TARGETS, Words, say

LANES: Words = {
    "sla_breached": gettext_lazy("SLA breached"),
    "escalation_due": gettext_lazy("Escalation due"),
    "first_response": gettext_lazy("First response SLA"),
    "callback": gettext_lazy("Callback SLA"),
    "pressure": gettext_lazy("Queue pressure"),
    "reopen_risk": gettext_lazy("Reopen risk"),
    "csat_followup": gettext_lazy("CSAT follow-up"),
}
NEXT_ACTIONS: Words = {
    "sla_breached": gettext_lazy(
        "Take the longest overdue first, give it an owner and run the escalation macro."
    ),
    "escalation_due": gettext_lazy("Put a name on every escalation before any new ticket is opened."),
    "first_response": gettext_lazy("Sweep the queue and spread the load before the next promise falls due."),
    "callback": gettext_lazy(
        "Hand overdue calls to the backup owner, then bring the lead back to the live lane."
    ),
    "pressure": gettext_lazy("Use filters, macros and bulk replies to keep arrivals under capacity."),
    "reopen_risk": gettext_lazy("Run the closure check and the reopen-prevention macro on fresh closures."),
    "csat_followup": gettext_lazy("Send the after-closure survey; a poor score goes straight to escalation."),
}
SIGNALS: Words = {
    "created": gettext_lazy("Created in window"),
    "active": gettext_lazy("Active tickets"),
    "urgent": gettext_lazy("Urgent active"),
    "unassigned": gettext_lazy("Unassigned active"),
    "sla_breached": gettext_lazy("SLA breached active"),
    "escalation_due": gettext_lazy("Escalation due active"),
    "waiting_internal": gettext_lazy("Waiting internal"),
    "waiting_customer": gettext_lazy("Waiting customer"),
    "callback_queued": gettext_lazy("Callback queued"),
    "callback_overdue": gettext_lazy("Callback overdue"),
    "reopen_risk": gettext_lazy("Reopen risk estimate"),
    "csat_risk": gettext_lazy("CSAT risk estimate"),
}
# What lanes count beside the twelve, as the heading of the list that a lane opens.
LANE_SIGNALS: Words = {
    "workable": gettext_lazy("Open work"),
    "first_response_open": gettext_lazy("Waiting for a first response"),
}
LEVELS: Words = {
    "L1": gettext_lazy("Balance the queue, assign, answer with macros."),
    "L2": gettext_lazy("Dispatch an owner, rescue callbacks, review each breach."),
    "L3": gettext_lazy("Open an incident, publish a status note, lead the recovery."),
}


def verdict(over: int, *, at_risk: int) -> tuple[str, str]:
    """The hub's first sentence and its state: how many are over, else how many may be, else calm."""
    if over:
        return "critical", ngettext(
            "{n} ticket is past its promise", "{n} tickets are past their promise", over
        ).format(n=over)
    if at_risk:
        return "warning", ngettext("{n} ticket is at risk", "{n} tickets are at risk", at_risk).format(
            n=at_risk
        )
    return "calm", _("Queue looks stable")


def next_one() -> str:
    """Before the chip of the next ticket to fall due."""
    return _("next one in")


def calm_detail(pressure: str) -> str:
    """Under a calm verdict; `pressure` is already a word."""
    return _("Nothing is due. Pressure is {pressure}.").format(pressure=pressure)


WORK_TITLES = {
    "sla_breached": lambda n: ngettext("Clear {n} breached ticket", "Clear {n} breached tickets", n),
    "escalation_due": lambda n: ngettext("Give {n} escalation an owner", "Give {n} escalations an owner", n),
    "first_response": lambda n: ngettext("Answer {n} new ticket", "Answer {n} new tickets", n),
    "callback": lambda n: ngettext("Make {n} overdue call", "Make {n} overdue calls", n),
    "pressure": lambda n: ngettext("Level the load of {n} ticket", "Level the load of {n} tickets", n),
    "reopen_risk": lambda n: ngettext("Check {n} fresh closure", "Check {n} fresh closures", n),
    "csat_followup": lambda n: ngettext("Follow up {n} closure", "Follow up {n} closures", n),
}
PRIMARY_ACTIONS: Words = {
    "sla_breached": gettext_lazy("Work breached tickets"),
    "escalation_due": gettext_lazy("Open escalations"),
    "first_response": gettext_lazy("Answer first responses"),
    "callback": gettext_lazy("Call back now"),
    "pressure": gettext_lazy("Open the queue"),
    "reopen_risk": gettext_lazy("Check closures"),
    "csat_followup": gettext_lazy("Open follow-ups"),
    "healthy": gettext_lazy("Publish launch report"),
}


def work_title(lane: str, backlog: int) -> str:
    """What to do next, as a heading; without a lane the queue is healthy."""
    if lane not in WORK_TITLES:
        return _("Queue healthy - 0 backlog")
    return WORK_TITLES[lane](backlog).format(n=backlog)


def fast_follow(lane: str, backlog: int) -> str:
    """The second thing; without a lane, what to do in quiet."""
    sentences = {
        "sla_breached": lambda n: ngettext("Clear {n} breached ticket.", "Clear {n} breached tickets.", n),
        "escalation_due": lambda n: ngettext(
            "Name an owner for {n} escalation due.", "Name an owner for {n} escalations due.", n
        ),
        "callback": lambda n: ngettext("Make {n} overdue call.", "Make {n} overdue calls.", n),
    }
    if lane not in sentences:
        return _("Nothing is enforced right now. Look in again during the shift.")
    return sentences[lane](backlog).format(n=backlog)


def enforcement_title(lane_words: str) -> str:
    """The heading of queue enforcement."""
    return _("Work next: {lane}").format(lane=lane_words or _("Queue healthy"))


def lanes_words(critical: int, *, warning: int) -> str:
    """Beside the lanes' heading."""
    if critical or warning:
        return _("seven lanes, one owner each")
    return _("every lane is within its window")


def urgent_figure(breached: int, *, urgent: int) -> str:
    return _("{breached} breached / {urgent} urgent").format(breached=breached, urgent=urgent)


def callback_figure(queued: int, *, overdue: int) -> str:
    return _("{queued} queued / {overdue} overdue").format(queued=queued, overdue=overdue)


def pressure_advice(level: str) -> str:
    """What the pressure tells support to do."""
    return {
        "low": _("Pressure is low: keep answering in order."),
        "medium": _("Pressure is medium: clear what is due today first."),
        "high": _("Pressure is high: assign before you answer."),
        "critical": _("Pressure is critical: call in help, then assign."),
    }[level]


def met_of(met: int, *, decided: int, goal: int) -> str:
    """The note under the hit rate; `goal` in percent."""
    if not decided:
        return _("none decided yet")
    return _("{met} of {decided} met, goal {goal}%").format(met=met, decided=decided, goal=goal)


def in_time_of(in_time: int, *, due: int) -> str:
    """The note under the enforcement score."""
    return _("{in_time} of {due} in time").format(in_time=in_time, due=due) if due else _("nothing fell due")


def tickets_count(count: int) -> str:
    return ngettext("{n} ticket", "{n} tickets", count).format(n=count)


def lanes_to_go(count: int) -> str:
    """What still blocks the launch report."""
    return ngettext("{n} lane to go", "{n} lanes to go", count).format(n=count)


def breached_announcement(count: int) -> str:
    """For the polite region."""
    return ngettext("{n} ticket breached", "{n} tickets breached", count).format(n=count)


HIT_RATE = gettext_lazy("SLA hit rate")
ENFORCEMENT_SCORE = gettext_lazy("Enforcement score")
SEVERITY_COUNTS = gettext_lazy("Critical / warning")
MEETING = gettext_lazy("Weekly support ops review")
NO_FINDINGS = gettext_lazy("No findings yet. They collect here from the first breach on.")
RUN_MACRO = gettext_lazy("Run escalation macro")
RUN_NOW = gettext_lazy("Run now")
READY = gettext_lazy("ready")
WITHIN_SLA = gettext_lazy("within SLA")
WINDOWS: Words = {
    "24h": gettext_lazy("24 h"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
}
STEPS: Words = {
    "breached": gettext_lazy("Breached first"),
    "escalate": gettext_lazy("Escalate next"),
    "live": gettext_lazy("Go live now"),
}
STEPS_ABOUT: Words = {
    "breached": gettext_lazy("The tickets most at risk come before anything else."),
    "escalate": gettext_lazy("Give each escalation a named owner while there is still time."),
    "live": gettext_lazy("Opens when no lane is critical: publish the launch report."),
    "live_ready": gettext_lazy("The queue is under control: publish the launch report."),
}
STRIP: Words = {
    "urgent": gettext_lazy("Urgent tickets"),
    "callback": gettext_lazy("Callback queue"),
    "escalation": gettext_lazy("Escalation window"),
}
STRIP_ABOUT: Words = {
    "urgent": gettext_lazy("Breach first. The closure check stays on."),
    "callback": gettext_lazy("Bring missed calls back into the live lane."),
    "callback_none": gettext_lazy("Missed calls will return to the live lane here."),
}
START: Words = {
    "title": gettext_lazy("Let the first ticket in"),
    "words": gettext_lazy("The clocks start on their own once a channel is open."),
    "mail": gettext_lazy("Connect a mailbox"),
    "form": gettext_lazy("Open the web form"),
    "keys": gettext_lazy("Create an API key"),
}
RUNG_TARGETS: Words = {
    "assignee": gettext_lazy("assignee"),
    "team_lead": gettext_lazy("lead"),
    "both": gettext_lazy("both"),
    "manager": gettext_lazy("manager"),
    "customer": gettext_lazy("customer"),
    "director": gettext_lazy("director"),
}


def as_of(time: str) -> str:
    """When the hub was read; `time` as `words.clock_and_zone` says it."""
    return _("Live, as of {time}").format(time=time)


def of_lanes(count: int) -> str:
    return ngettext("of {n} lane", "of {n} lanes", count).format(n=count)


def over_tail(count: int) -> str:
    return _("{n} over").format(n=count)


def due_tail(count: int) -> str:
    return _("{n} due").format(n=count)


def spark_words(first: str, *, last: str, goal: str) -> str:
    """The hit rate's line, aloud; all three as they are printed."""
    return _("From {first} to {last} in the window, goal {goal}").format(first=first, last=last, goal=goal)


def owner_line(role: str, *, person: str) -> str:
    """The role that owns something and who fills it now."""
    return _("{role}, {person}").format(role=role, person=person or _("nobody on duty"))


def ladder_words(rungs: Sequence[tuple[int, Sequence[str]]]) -> str:
    """Who is told at which percent: "50 assignee, 75 lead, 100 manager and customer."."""
    said = [
        f"{percent} "
        + _(" and ").join(str(RUNG_TARGETS.get(target) or say(TARGETS, target)) for target in targets)
        for percent, targets in rungs
    ]
    return ", ".join(said) + "."


def ladder_aloud(sentence: str) -> str:
    return _("Ladder: {rungs}").format(rungs=sentence)


def weekly(weekday: str, *, time: str, zone: str) -> str:
    """The automation's schedule; `weekday` is already a word."""
    return _("Weekly, {weekday} {time} {zone}").format(weekday=weekday, time=time, zone=zone)


def run_words(assigned: int, *, escalated: int) -> str:
    return _("{assigned} assigned, {escalated} escalated").format(assigned=assigned, escalated=escalated)


def run_by(person: str) -> str:
    """Who started a run; nobody means the schedule did."""
    return _("by {person}").format(person=person) if person else _("schedule")


def no_runs(first: str) -> str:
    return _("No run yet. The first is {when}.").format(when=first)


STANDING_WORDS: dict[str, Any] = {
    "over": gettext_lazy("Over"),
    "at_risk": gettext_lazy("At risk"),
    "on_time": gettext_lazy("On time"),
    "waiting": gettext_lazy("Waiting for someone else"),
}


def agenda_line(key: str, count: int) -> str:
    """What lies on the review's table."""
    sentences = {
        "missed_promises": lambda n: ngettext("{n} missed promise", "{n} missed promises", n),
        "vacant_posts": lambda n: ngettext("{n} vacant post", "{n} vacant posts", n),
        "late_callbacks": lambda n: ngettext("{n} late call", "{n} late calls", n),
    }
    said = sentences.get(key)
    return (said(count) if said else f"{{n}} {key}").format(n=count)
