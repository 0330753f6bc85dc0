"""Why a ticket is what it is: kept traces put into the reader's words."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from flowdesk.engine.business_time import Unit
from flowdesk.engine.clock import CUSTOMER_METRICS, Clock
from flowdesk.engine.routing import Mode
from flowdesk.engine.sla_policy import Amount
from flowdesk.policies.services import Policy
from flowdesk.tickets.mapping import rule_target_of
from flowdesk.tickets.models import Explanation, Ticket
from flowdesk.tickets.queries import newest_traces
from flowdesk.triage.otherwise import would_have_changed
from flowdesk.web import words
from flowdesk.web.chips import target_words
from flowdesk.web.ticket.page import Why, WhyLine
from flowdesk.web.vocabulary import (
    CATEGORIES,
    GRADES,
    LANGUAGES,
    METRICS,
    SENTIMENTS,
    STRATEGIES,
    SUBCATEGORIES,
    TIERS,
    WEIGHED_BY,
    Words,
    say,
)

REASONS: Mapping[str, str | Promise] = {
    "category_unknown": gettext_lazy("No category's words were found."),
    "category_from_words": gettext_lazy("The words “{words}” point to {value}."),
    "subcategory_from_words": gettext_lazy("More closely {value}: “{words}”."),
    "complexity_from_words": gettext_lazy("Complexity {value}: “{words}”."),
    "complexity_usual": gettext_lazy("Complexity {value}, as usual for the category."),
    "impact_from_words": gettext_lazy("Impact {value}: “{words}”."),
    "urgency_from_words": gettext_lazy("Urgency {value}: “{words}”."),
    "impact_default": gettext_lazy("Impact {value}: nothing says otherwise."),
    "urgency_default": gettext_lazy("Urgency {value}: nothing says otherwise."),
    "signal_from_words": gettext_lazy("Signal {value}: “{words}”."),
    "language_given": gettext_lazy("Language {value}, as the customer prefers."),
    "language_from_words": gettext_lazy("Language {value}, from the words."),
    "language_default": gettext_lazy("Language {value}, the tenant's own: the words do not tell."),
    "sentiment_no_words": gettext_lazy("No words of feeling were found."),
    "sentiment_word": gettext_lazy("“{word}” weighs {weight}."),
    "sentiment_changed": gettext_lazy("“{word}” weighs {weight} and counts {counted}: {by}."),
    "sentiment_long_wait": gettext_lazy("A long wait counts {counted}."),
    "sentiment_faults": gettext_lazy("Words that only report faults count {counted} together, not {was}."),
    "sentiment_rest": gettext_lazy("{count} lighter words count {counted} together."),
    "sentiment_sum": gettext_lazy("Together {total}; against {ballast} for the length of the text, {score}."),
    "matrix": gettext_lazy("Matrix: impact {impact} and urgency {urgency} give {priority}."),
    "category_bounds": gettext_lazy("The bounds of {category} move {was} to {priority}."),
    "text_cap": gettext_lazy("Words alone do not lift {tier} above {priority}."),
    "raised_by_vip": gettext_lazy("The customer is VIP: {was} becomes {priority}."),
    "raised_by_tier": gettext_lazy("The tier {tier} lifts {was} to {priority}."),
    "raised_by_history": gettext_lazy("{recent_escalations} recent escalations lift {was} to {priority}."),
    "raised_by_anger": gettext_lazy("Angry words lift {was} to {priority}."),
    "anger_capped": gettext_lazy("Angry words do not lift {tier} any further."),
    "set_by_agent": gettext_lazy("Said outright: {priority}. Computed: {was}."),
    "said_by_agent": gettext_lazy("Said outright: {what}."),
    "learned_priority": gettext_lazy("Tickets like it were {priority}: {was} becomes {priority}."),
    "learned_team": gettext_lazy("Tickets like it went to {team}."),
    "rule_matched": gettext_lazy("Rule {rule} matched."),
    "no_rule_matched": gettext_lazy("No rule matched."),
    "team_missing": gettext_lazy("There is no team {team}: the ticket goes where the rest goes."),
    "senior_for_history": gettext_lazy("A senior, after {recent_escalations} recent escalations."),
    "nobody_speaks": gettext_lazy("Nobody in the team speaks {language}; that wish was let go."),
    "nobody_has_skill": gettext_lazy("Nobody in the team has {skills}; that wish was let go."),
    "dedicated_not_free": gettext_lazy("The customer's own person is not free."),
    "dedicated_is_away": gettext_lazy(
        "The customer's own person is away; who stands in for them comes first."
    ),
    "nobody_free_on_channel": gettext_lazy("Nobody who is free works on {channel}; that wish was let go."),
    "no_senior_free": gettext_lazy("No senior is free."),
}


PARAMS: Mapping[str, Callable[[str], str]] = {
    "tier": partial(say, TIERS),
    "impact": partial(say, GRADES),
    "urgency": partial(say, GRADES),
    "category": partial(say, CATEGORIES),
    "language": partial(say, LANGUAGES),
    "by": lambda codes: ", ".join(say(WEIGHED_BY, code) for code in codes.split()),
}
VALUES: Mapping[str, Words] = {
    "category_from_words": CATEGORIES,
    "subcategory_from_words": SUBCATEGORIES,
    "impact_from_words": GRADES,
    "impact_default": GRADES,
    "urgency_from_words": GRADES,
    "urgency_default": GRADES,
    "language_given": LANGUAGES,
    "language_from_words": LANGUAGES,
    "language_default": LANGUAGES,
}


def reason_words(reason: Mapping[str, Any]) -> str:
    """A reason in words; one we have no sentence for says its code and values."""
    params = {
        name: str(PARAMS[name](value)) if name in PARAMS else value
        for name, value in reason.get("params", {}).items()
    }
    sentence = REASONS.get(reason["code"])
    if sentence is None:
        return f"{reason['code']} {params}" if params else str(reason["code"])
    if vocabulary := VALUES.get(reason["code"]):
        params["value"] = say(vocabulary, params.get("value", ""))
    try:
        return str(sentence).format(**params)
    except KeyError:
        return f"{reason['code']} {params}"


def why_of(
    ticket: Ticket,
    explained: Sequence[Explanation],
    clocks: Sequence[Clock],
    policy: Policy,
    *,
    names: Mapping[int, str],
) -> tuple[Why, ...]:
    """Category, priority, routing and promises, each with the steps that led there; `names` are the agents'."""
    traces = newest_traces(explained)
    found = []
    if trace := traces.get("triage"):
        category = say(CATEGORIES, trace["category"]) if trace["category"] else _("Unknown")
        title = _("Category {category}").format(category=category)
        lines = [*_model(trace, CATEGORIES), *(WhyLine(words=reason_words(one)) for one in trace["reasons"])]
        found.append(Why(title=title, lines=tuple(lines)))
        if felt := trace.get("sentiment"):  # decisions of before have none
            title = _("Mood {sentiment}").format(sentiment=say(SENTIMENTS, felt["sentiment"]))
            found.append(
                Why(title=title, lines=tuple(WhyLine(words=reason_words(one)) for one in felt["reasons"]))
            )
    if trace := traces.get("priority"):
        title = _("Priority P{priority}").format(priority=trace["priority"])
        lines = [*_model(trace, {}), *(WhyLine(words=reason_words(one)) for one in trace["reasons"])]
        found.append(Why(title=title, lines=tuple(lines)))
    if trace := traces.get("routing"):
        found.append(_routing(trace))
    found.append(_promises(ticket, clocks, policy, rule=traces.get("routing", {}).get("rule")))
    found.append(_otherwise(ticket, traces, policy, names))
    return tuple(why for why in found if why.lines)


def _model(trace: Mapping[str, Any], vocabulary: Words) -> list[WhyLine]:
    """What the learned model said, if one was asked."""
    model = trace.get("model")
    if not model:
        return []
    sentence = (
        _("Model {version} was not sure ({percent}%: {label}) and left it to the rules.")
        if model["abstains"]
        else _("Model {version} says {label} ({percent}%): “{words}”.")
    )
    return [
        WhyLine(
            words=sentence.format(
                version=model["version"], percent=round(100 * model["confidence"]),
                label=say(vocabulary, model["label"]), words=", ".join(model["words"][:4]),
            ),
            is_untaken=model["abstains"],
        )
    ]  # fmt: skip


def _routing(trace: Mapping[str, Any]) -> Why:
    lines = _model(trace, {}) if trace["rule"] is None else []
    for tried in trace["tried"]:
        if tried["matched"] and tried.get("mode") == Mode.SHADOW:
            said = _("Rule {rule} would have taken it, but is in shadow:").format(rule=tried["rule"])
            lines.append(WhyLine(words=said, code=tried["condition"], is_untaken=True))
        elif tried["matched"]:
            lines.append(
                WhyLine(words=_("Rule {rule} matched:").format(rule=tried["rule"]), code=tried["condition"])
            )
        else:
            lines.append(
                WhyLine(
                    words=_("Rule {rule} did not hold:").format(rule=tried["rule"]),
                    code="; ".join(map(_failed, tried["failed"])),
                    is_untaken=True,
                )
            )
    if trace["rule"] is None:
        lines.append(WhyLine(words=_("No rule matched: the ticket goes where the rest goes.")))
    lines += [WhyLine(words=reason_words(one)) for one in trace["reasons"] if one["code"] != "rule_matched"]
    if assignment := trace.get("assignment"):
        verdicts = assignment["verdicts"]
        taken = sum(1 for one in verdicts if one["verdict"] == "behind")
        lines.append(
            WhyLine(
                words=_chosen_words(assignment["strategy"], taken + 1)
                if assignment["agent"]
                else _("Nobody in the team could take it now; it waits in the queue.")
            )
        )
        lines += [WhyLine(words=reason_words(one)) for one in assignment["waived"]]
    lines.append(WhyLine(words=_("Policy revision {revision}.").format(revision=trace.get("revision", ""))))
    return Why(title=_("Routed to {team}").format(team=trace["team"]), lines=tuple(lines))


OTHERWISE: Words = {  # by the change's code; `result` is what had come of it
    "if_more_words": gettext_lazy("{category} needed {needed} points and has {score}."),
    "if_impact": gettext_lazy("With impact {impact} it would be {result}."),
    "if_urgency": gettext_lazy("With urgency {urgency} it would be {result}."),
    "if_vip": gettext_lazy("For a VIP it would be {result}."),
    "if_not_vip": gettext_lazy("Were the customer no VIP, it would be {result}."),
    "if_tier": gettext_lazy("For the tier {tier} it would be {result}."),
    "if_priority": gettext_lazy("As {priority} it would be {result}."),
    "if_angry": gettext_lazy("In anger it would be {result}."),
    "if_calm": gettext_lazy("Without the anger it would be {result}."),
    "if_not_said": gettext_lazy("The priority was said outright; nothing else counts."),
    "if_held": gettext_lazy("Rule {rule} would send it to {result}, but for:"),
    "if_not_off_shift": gettext_lazy("{agent} was off shift."),
    "if_not_unavailable": gettext_lazy("{agent} was away."),
    "if_not_lacks_language": gettext_lazy("{agent} does not speak the language."),
    "if_not_lacks_channel": gettext_lazy("{agent} does not work the channel."),
    "if_not_lacks_skill": gettext_lazy("{agent} lacks the skill."),
    "if_not_full": gettext_lazy("{agent} had no room."),
    "if_not_busy": gettext_lazy("{agent} was being given another ticket."),
    "if_not_not_dedicated": gettext_lazy("{agent} is not the customer's own person."),
    "if_not_not_senior": gettext_lazy("{agent} is no senior."),
}


def _otherwise(
    ticket: Ticket, traces: Mapping[str, Mapping[str, Any]], policy: Policy, names: Mapping[int, str]
) -> Why:
    """What would have changed it: the short answer to "why not …?"."""
    lines = []
    for one in would_have_changed(ticket, traces, policy):
        params = {
            name: str(PARAMS[name](value)) if name in PARAMS else value
            for name, value in one.change.params.items()
        }
        sentence = str(OTHERWISE.get(one.change.code, "{result}")).format(
            **params, result=_result(one.result), agent=names.get(one.agent or 0, "")
        )
        if one.subject in METRICS:
            sentence = f"{say(METRICS, one.subject)}: {sentence}"
        failed = "; ".join(map(_failed, one.change.params.get("failed", "").split("; ")))
        lines.append(WhyLine(words=sentence, code=failed, is_untaken=True))
    return Why(title=_("What would have changed it"), lines=tuple(lines), is_folded=True)


def _failed(said: str) -> str:
    """A comparison that did not hold, with what stood there; a value that is missing in the reader's words."""
    return said.removesuffix(": not set") + f": {_('not set')}" if said.endswith(": not set") else said


def _result(said: str) -> str:
    """A target in the reader's words; anything else as it is."""
    amount, colon, unit = said.partition(":")
    return words.amount(Amount(amount=int(amount), unit=Unit(unit))) if colon else said


def _chosen_words(strategy: str, count: int) -> str:
    if count == 1:
        return _("One person could take it.")
    return _("{strategy} of {count} who could take it.").format(
        strategy=say(STRATEGIES, strategy), count=count
    )


def _cell(because: str, *, rule: str) -> str:
    """The cell of the table of targets, without the target: "P1, Enterprise"; or the routing rule that gave it."""
    if because.startswith("rule "):
        return _("rule {rule}").format(rule=rule)
    if ", or rule " in because:
        cell = _cell(because.partition(", or rule ")[0], rule=rule)
        return _("{cell} or rule {rule}, whichever is due first").format(cell=cell, rule=rule)
    priority, comma, tier = because.rpartition(":")[0].partition(", ")
    if not comma:
        return because
    return f"{priority}, {_('any tier') if tier == 'any tier' else say(TIERS, tier)}"


def _promises(ticket: Ticket, clocks: Sequence[Clock], policy: Policy, *, rule: str | None) -> Why:
    terms = policy.promises.terms(
        priority=ticket.priority, tier=ticket.customer.tier, level=ticket.level, rule_target=rule_target_of(ticket)
    )  # fmt: skip
    newest = {clock.metric: clock for clock in clocks if clock.metric in CUSTOMER_METRICS}
    lines = [
        WhyLine(
            words=_("{metric}: {target} on calendar {calendar}, from {cell}.").format(
                metric=say(METRICS, metric.value),
                target=target_words(clock),
                calendar=clock.promise.calendar_name,
                cell=_cell(terms.targets[metric].because, rule=rule or "")
                if metric in terms.targets
                else _("an earlier revision"),
            )
        )
        for metric, clock in newest.items()
    ]
    lines.append(
        WhyLine(
            words=_("Policy “{policy}”, revision {revision}.").format(
                policy=policy.promises.name, revision=policy.number
            )
        )
    )
    return Why(title=_("Promises"), lines=tuple(lines))


def why_short(explained: Sequence[Explanation]) -> str:
    """In one line: the category's reason and the rule."""
    traces = {one.subject: one.trace for one in explained}
    parts = [reason_words(one) for one in traces.get("priority", {}).get("reasons", ())[-1:]]
    if routing := traces.get("routing"):
        parts.append(_("Routed by rule {rule}.").format(rule=routing["rule"]) if routing["rule"] else "")
    return " ".join(part for part in parts if part)
