"""The ticket's sentences: around its clocks, in its ledger, above its composer."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from flowdesk.routing.queries import AtWork
from flowdesk.web.parts import Choice
from flowdesk.web.standing import standing_words
from flowdesk.web.vocabulary import BY_CHANNEL, METRICS, say


def promise(metric: str, *, target: str) -> str:
    """A clock's heading: "Resolution, 4 h"."""
    return _("{metric}, {target}").format(metric=say(METRICS, metric), target=target)


def due_fact(when: str) -> str:
    return _("due {when}").format(when=when)


def was_due(when: str) -> str:
    """After the fact: the instant by which it had to be done."""
    return _("was due {when}").format(when=when)


def spent_fact(spent: str, *, target: str) -> str:
    return _("{spent} of {target} of business time used").format(spent=spent, target=target)


def calendar_fact(name: str) -> str:
    return _("calendar {name}").format(name=name)


def ladder_words(percent: int, *, fired: int) -> str:
    """The ladder aloud; `fired` is the highest rung that has fired, 0 for none."""
    if fired:
        return _("{percent} percent spent, steps up to {fired} have fired").format(
            percent=percent, fired=fired
        )
    return _("{percent} percent spent").format(percent=percent)


def ledger_caption(target: str, *, policy: str, revision: int, calendar: str) -> str:
    return _(
        "Target {target}, frozen from policy “{policy}”, revision {revision}. Calendar {calendar}."
    ).format(target=target, policy=policy, revision=revision, calendar=calendar)


def ledger_event(kind: str) -> str:
    """The strong word of a ledger line; a rung says its percent instead."""
    return {
        "started": pgettext("clock", "Started"),
        "paused": pgettext("clock", "Paused"),
        "resumed": pgettext("clock", "Resumed"),
        "retargeted": pgettext("clock", "New target"),
        "met": pgettext("clock", "Met"),
        "missed": pgettext("clock", "Missed"),
        "stopped": pgettext("clock", "Stopped"),
        "reopened": pgettext("clock", "Reopened"),
        "void": pgettext("clock", "Void"),
        "voided": pgettext("clock", "Void"),
        "merged": pgettext("clock", "Merged"),
        "restored": pgettext("clock", "Merge undone"),
        "moved": pgettext("clock", "Counted from another start"),
    }.get(kind, kind)


def ledger_now(percent: int, *, state: str) -> str:
    """The line of this moment; `state` is running or paused."""
    if state == "paused":
        return _("Now, {percent}%, waiting").format(percent=percent)
    return _("Now, {percent}%, running").format(percent=percent)


def pause_moves_due(pause: str, *, due: str) -> str:
    """What a pause did to the deadline."""
    return _("{pause} pause moves due to {due}").format(pause=pause, due=due)


def now_mark(clock: str) -> str:
    return _("now {time}").format(time=clock)


def strip_words(metric: str, *, first: str, now: str) -> str:
    """The strip aloud; the table below it has the rest."""
    return _("{metric} clock from {first} to now, {now}; the steps are listed below").format(
        metric=say(METRICS, metric), first=first, now=now
    )


def opened_words(channel: str, *, when: str) -> str:
    return _("{channel}, {when}").format(channel=say(BY_CHANNEL, channel), when=when)


def written_by(customer: str, *, channel: str) -> str:
    """Under the name of someone at the customer."""
    return _("{customer}, {channel}").format(customer=customer, channel=say(BY_CHANNEL, channel))


def written_to(name: str, *, channel: str) -> str:
    """Under the name of an agent who answered."""
    return _("to {name} {channel}").format(name=name, channel=say(BY_CHANNEL, channel))


def reply_to(name: str, *, channel: str, next_update: str = "") -> str:
    """Above the composer: who will read it, how it travels, and which promise it starts."""
    if next_update:
        return _("To {name} {channel}, starts the next {length}").format(
            name=name, channel=say(BY_CHANNEL, channel), length=next_update
        )
    return _("To {name} {channel}").format(name=name, channel=say(BY_CHANNEL, channel))


def prompt(name: str) -> str:
    """The first name is enough here."""
    return _("Write to {name}").format(name=name)


def note_prompt() -> str:
    return _("Write to your colleagues")


def position(place: int, *, total: int) -> str:
    return _("{place} of {total}").format(place=place, total=total)


def escalated(percent: int) -> str:
    """An escalation from the ladder that nobody has taken."""
    return _("Escalated at {percent}%, not acknowledged.").format(percent=percent)


def escalated_by_hand() -> str:
    return _("Escalated, not acknowledged.")


def acknowledged(name: str, *, when: str) -> str:
    return _("{name} has it since {when}.").format(name=name, when=when)


def told(name: str, *, when: str, following: str = "") -> str:
    """Who was told, and which post is next (its time follows the sentence)."""
    if following:
        return _("{name} was told at {when}; next is {following} at").format(
            name=name, when=when, following=following
        )
    return _("{name} was told at {when}.").format(name=name, when=when)


def told_until(name: str, *, when: str) -> str:
    """Who was told, and that it climbs on (its time follows the sentence)."""
    return _("{name} was told at {when}; unless somebody takes it, it climbs on at").format(
        name=name, when=when
    )


def new_target(cell: str, *, due: str) -> str:
    """A ledger line: the promise was changed."""
    return _("{cell}, due {due}").format(cell=cell, due=due)


def back_to_inbox() -> str:
    return _("Inbox")


def candidate(one: AtWork, *, zone: ZoneInfo, now: datetime) -> str:
    """A person in a list to choose from: "Ines Costa, 6 of 8", "Bo Ek, 2 of 8 (off shift)"."""
    person = _("{name}, {in_hand} of {capacity}").format(
        name=one.name, in_hand=one.load.weight, capacity=one.capacity
    )
    standing = standing_words(one, zone=zone, now=now)
    return f"{person} ({standing})" if standing else person


def assigned(one: AtWork | None, *, zone: ZoneInfo, now: datetime) -> str:
    """What was done, and plainly if whoever has the ticket now is not there to work on it."""
    if one is None or not one.is_away:
        return _("Assigned")
    standing = standing_words(one, zone=zone, now=now)
    return _("Assigned. {name} is {standing}.").format(name=one.name, standing=standing)


def nobody() -> Choice:
    """The choice that puts a ticket back."""
    return Choice(value="", words=_("Nobody, back in the queue"))


def customer_facts() -> dict[str, str]:
    """The labels of the customer panel."""
    return {
        "contact": _("Contact"),
        "phone": _("Phone"),
        "email": _("Email"),
        "local_time": _("Their time"),
        "language": _("Language"),
        "contract": _("Contract"),
        "score": _("Score"),
    }


def on_shift_until(clock: str) -> str:
    """Under one's own name in the shell."""
    return _("On shift until {time}").format(time=clock)


def similar_tail(status: str, *, score: float) -> str:
    """How it stands, and how alike it is: "resolved, 83 %"."""
    return _("{status}, {percent} %").format(status=status, percent=round(100 * score))


def shared_words(words: Sequence[str]) -> str:
    return _("Both say: {words}").format(words=", ".join(words)) if words else ""
