"""The inbox's labels, headings and filters."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from flowdesk.web.parts import Choice, Empty, Field, Kind, Link
from flowdesk.web.vocabulary import CHANNELS, LANGUAGES, PRIORITIES, STATUSES, TIERS, Words

GROUPS: Words = {
    "over": pgettext_lazy("group", "Over"),
    "soon": gettext_lazy("Due within the hour"),
    "today": gettext_lazy("Later today"),
    "later": gettext_lazy("Another day"),
    "waiting": pgettext_lazy("lane", "Waiting"),
    "none": gettext_lazy("No clock running"),
}
GROUP_STATES = {"over": "critical", "soon": "warning", "waiting": "paused"}
TITLES: Words = {
    "": gettext_lazy("All active"),
    "everywhere": gettext_lazy("All tickets"),
    "breached": gettext_lazy("Breached"),
    "due": gettext_lazy("Due within the hour"),
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Unassigned"),
    "mentioned": gettext_lazy("Mentioned"),
    "waiting": pgettext_lazy("lane", "Waiting"),
}
ORDERS: Words = {
    "risk": gettext_lazy("Risk first"),
    "newest": gettext_lazy("Newest first"),
    "updated": gettext_lazy("Last changed first"),
}
EMPTY: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "breached": (
        gettext_lazy("Nothing is over"),
        gettext_lazy("Every promise in this lane is kept so far."),
    ),
    "due": (gettext_lazy("Nothing is close"), gettext_lazy("No promise falls due within the hour.")),
    "mine": (
        gettext_lazy("Nothing is yours"),
        gettext_lazy("Take a ticket with i, or wait to be given one."),
    ),
    "unassigned": (gettext_lazy("Everything has an owner"), gettext_lazy("New tickets appear here first.")),
    "mentioned": (
        gettext_lazy("Nobody has asked for you"),
        gettext_lazy("A note with your name brings its ticket here."),
    ),
    "waiting": (
        gettext_lazy("Nothing waits"),
        gettext_lazy("A ticket that waits for someone else rests here."),
    ),
    "": (gettext_lazy("No tickets"), gettext_lazy("Nothing matches what you ask for.")),
}


def empty(lane: str, *links: Link) -> Empty:
    """What an empty lane says, and where to go instead."""
    title, said = EMPTY.get(lane, EMPTY[""])
    return Empty(title=str(title), words=str(said), links=links)


def search_field(value: str = "") -> Field:
    return Field(name="q", label=_("Words"), kind=Kind.SEARCH, value=value)


def order_field(chosen: str = "risk") -> Field:
    return _select("order", _("Order"), ORDERS.items(), chosen=chosen)


def filter_fields(
    chosen: Mapping[str, str], *, teams: Iterable[Choice] = (), people: Iterable[Choice] = ()
) -> tuple[Field, ...]:
    """Status, priority, team, assignee, tier, channel, language: each with "any" before its values."""
    named = {"teams": _choices(teams), "people": _choices(people)}
    questions: tuple[tuple[str, str, Iterable[tuple[str, object]]], ...] = (
        ("status", _("Status"), STATUSES.items()),
        ("priority", _("Priority"), PRIORITIES.items()),
        ("team", _("Team"), named["teams"]),
        ("assignee", _("Assignee"), named["people"]),
        ("tier", _("Tier"), TIERS.items()),
        ("channel", _("Channel"), CHANNELS.items()),
        ("language", _("Language"), LANGUAGES.items()),
    )
    return tuple(
        _with_any(_select(name, label, options, chosen=chosen.get(name, "")))
        for name, label, options in questions
    )


def _choices(choices: Iterable[Choice]) -> tuple[tuple[str, object], ...]:
    return tuple((choice.value, choice.words) for choice in choices)


def _select(name: str, label: str, options: Iterable[tuple[str, object]], *, chosen: str) -> Field:
    return Field(
        name=name,
        label=label,
        kind=Kind.SELECT,
        value=chosen,
        choices=tuple(
            Choice(value=value, words=str(said), is_chosen=value == chosen) for value, said in options
        ),
    )


def _with_any(question: Field) -> Field:
    # Translators: no filter on this field.
    anything = Choice(value="", words=pgettext("filter", "Any"), is_chosen=not question.value)
    return replace(question, choices=(anything, *question.choices))
