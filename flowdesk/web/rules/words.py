"""The words of the routing rules."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from flowdesk.engine.facts import FieldType
from flowdesk.engine.routing import Mode, RoutingAction, RoutingRule, Verdict
from flowdesk.policies.reader import PolicyFault
from flowdesk.web import words
from flowdesk.web.policy_words import policy_reason
from flowdesk.web.rules.page import FaultLine
from flowdesk.web.vocabulary import STRATEGIES, TARGETS, Words, say

MODES: Words = {
    Mode.ACTIVE: pgettext_lazy("rule", "active"),
    Mode.SHADOW: pgettext_lazy("rule", "in shadow"),
    Mode.OFF: pgettext_lazy("rule", "off"),
}
VERDICTS: Words = {
    Verdict.CHOSEN: gettext_lazy("would get it"),
    Verdict.BEHIND: gettext_lazy("could take it; another comes first"),
    Verdict.OFF_SHIFT: gettext_lazy("is off shift"),
    Verdict.UNAVAILABLE: gettext_lazy("is away"),
    Verdict.LACKS_LANGUAGE: gettext_lazy("does not speak the language"),
    Verdict.LACKS_CHANNEL: gettext_lazy("does not work the channel"),
    Verdict.LACKS_SKILL: gettext_lazy("lacks the skill"),
    Verdict.FULL: gettext_lazy("has no room"),
    Verdict.NOT_DEDICATED: gettext_lazy("is not the customer's own person"),
    Verdict.NOT_SENIOR: gettext_lazy("is no senior"),
}
KINDS: Words = {
    FieldType.TEXT: gettext_lazy("text"),
    FieldType.SLUG: gettext_lazy("word"),
    FieldType.NUMBER: gettext_lazy("number"),
    FieldType.TRUTH: gettext_lazy("true or false"),
    FieldType.PRIORITY: gettext_lazy("priority"),
    FieldType.WORDS: gettext_lazy("words"),
}


def does(action: RoutingAction, teams: Mapping[str, str]) -> str:
    """Where a rule sends a ticket, and to whom there."""
    parts = [
        _("To {team}").format(team=teams.get(action.team, action.team)),
        say(STRATEGIES, action.strategy).lower(),
    ]
    if action.dedicated:
        parts.append(_("the customer's own person first"))
    if action.senior:
        parts.append(_("a senior first"))
    if action.skills:
        parts.append(_("who knows {skills}").format(skills=_(" or ").join(action.skills)))
    return ", ".join(parts)


def also(rule: RoutingRule) -> tuple[str, ...]:
    """What else a rule does."""
    said = []
    if rule.notify:
        said.append(_("tells {posts}").format(posts=posts(rule.notify)))
    if rule.cc:
        said.append(_("copies in {posts}").format(posts=posts(rule.cc)))
    if rule.sla_target is not None:
        target = words.length(rule.sla_target)
        said.append(
            _("first response in {target}, even if that is later").format(target=target)
            if rule.loosen
            else _("first response in {target}").format(target=target)
        )
    return tuple(said)


def posts(names: Iterable[str]) -> str:
    return ", ".join(say(TARGETS, name) for name in names)


def learned(sent_on: Mapping[str, int], teams: Mapping[str, str]) -> str:
    """Where a learned model would send what no rule takes."""
    if not sent_on:
        return _("the learned model is asked first, and is sure of none of these")
    named = sorted(sent_on.items(), key=lambda one: (-one[1], one[0]))
    return _("where the learned model is sure, to its team instead: {teams}").format(
        teams=", ".join(f"{teams.get(team, team)} ({count})" for team, count in named)
    )


def takes(count: int) -> str:
    return ngettext("takes {n} ticket", "takes {n} tickets", count).format(n=count)


def moves(count: int) -> str:
    return _("{n} went elsewhere").format(n=count) if count else ""


def fault_lines(faults: Iterable[PolicyFault]) -> tuple[FaultLine, ...]:
    """Each with its place."""
    return tuple(
        FaultLine(
            place=_("line {line}, column {column}").format(line=fault.line, column=fault.column),
            line=fault.line,
            reason=policy_reason(fault.reason),
        )
        for fault in faults
    )
