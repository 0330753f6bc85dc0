"""Fills the pages of the routing rules; called inside a reading scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.core.ids import shown
from flowdesk.engine.facts import Field as FactField
from flowdesk.engine.facts import vocabulary
from flowdesk.engine.routing import Mode, RoutingRules, Strategy, route
from flowdesk.flows.reconfigure import check_rules, rule_hints
from flowdesk.people import queries as people
from flowdesk.policies.models import Draft, PolicyRevision
from flowdesk.policies.reader import PolicyFaults
from flowdesk.policies.rule_text import RuleValues, added, changed, rules_in, section_of
from flowdesk.policies.sections.routing import ACTIONS
from flowdesk.policies.services import current_policy
from flowdesk.routing import queries as routing
from flowdesk.routing import services as routing_services
from flowdesk.routing.queries import Match, Sample
from flowdesk.tickets.models import Explanation, Message, Ticket
from flowdesk.triage import services as triage
from flowdesk.triage.learned import Target, ear_for
from flowdesk.web.access import AgentRequest
from flowdesk.web.parts import Choice, Empty, Field, Form, Kind, Link
from flowdesk.web.policy.fill import draft_words, in_force, pack_cards
from flowdesk.web.policy_words import policy_reason
from flowdesk.web.rules import words as said
from flowdesk.web.rules.page import (
    FaultLine,
    MatchLine,
    Preview,
    RuleLine,
    RulePage,
    RulesPage,
    SourcePage,
    Tally,
    TrialPage,
    TriedRule,
)
from flowdesk.web.vocabulary import STRATEGIES, say

SECTION = "routing"
NEW = "new"
SHOWN = 8
ROWS_BESIDE = 16  # of a text that cannot be read: the rules in force stand in sight below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The rules as they are being worked on: the draft where there is one, else what is in force."""

    revision: PolicyRevision
    draft: Draft | None
    source: str

    @property
    def seen(self) -> int:
        return self.draft.changes if self.draft else 0


def standing() -> Standing:
    """In two statements."""
    revision = PolicyRevision.objects.get(is_current=True)
    draft = Draft.objects.filter(section=SECTION).first()
    return Standing(
        revision=revision,
        draft=draft,
        source=draft.source if draft else section_of(revision.source, SECTION),
    )


def read_rules(source: str) -> tuple[RoutingRules | None, tuple[FaultLine, ...]]:
    """The rules, or what is wrong with them."""
    try:
        return check_rules(source), ()
    except PolicyFaults as found:
        return None, said.fault_lines(found.faults)


def rules_page(request: AgentRequest, *, now: datetime) -> RulesPage:
    """Every rule with what it would do to the tickets that came in last; a draft that cannot be read as text, and
    then the rules in force."""
    at, policy = standing(), current_policy()
    rules, faults = read_rules(at.source)
    listed = rules if rules is not None else policy.routing
    readable = (
        Link(words=_("Add a rule"), href=reverse("rule", args=[NEW]), icon="plus"),
        Link(words=_("Try them on a ticket"), href=reverse("try-rules"), icon="play"),
    )
    links = (
        *(readable if rules is not None else ()),
        Link(words=_("Edit as text"), href=reverse("rules-source"), icon="note"),
        Link(words=_("Policy"), href=reverse("policy"), icon="book"),
    )
    tried_on = routing.samples(policy)
    packs = pack_cards({SECTION: at.seen})
    lines = _rule_lines(listed, tried_on, at=at if rules is not None else None)
    return RulesPage(
        standing=in_force(at.revision, request, now=now),
        rules=lines[:-1],
        otherwise=lines[-1],
        text=source_page(at, at.source, faults, most_rows=ROWS_BESIDE) if rules is None else None,
        faults=faults,
        is_draft=at.draft is not None,
        draft_words=draft_words(at.draft, request, now=now),
        publish=_deed("publish", _("Put in force"), at) if at.draft and rules is not None else None,
        drop=_deed("drop", _("Throw the draft away"), at) if at.draft else None,
        move=Form(id="move", href=reverse("rules-deed"), submit=_("Move"), hidden=_hidden("move", at))
        if rules is not None
        else None,
        links=links,
        tried_words=_tried_words(len(tried_on)),
        pack=packs.pop(SECTION, None) if rules is not None else None,
        beyond=tuple(card for section, card in packs.items() if section != SECTION),
        policy_href=reverse("policy"),
        empty=_no_rules() if not listed.rules else None,
    )


def _no_rules() -> Empty:
    return Empty(
        title=_("No rules yet"),
        words=_("Every ticket goes where the rest goes. Add a rule to send some elsewhere."),
    )


def _tried_words(count: int) -> str:
    if not count:
        return _("No ticket has come in yet to try them on.")
    return ngettext(
        "Tried on the {n} ticket that came in last.", "Tried on the {n} tickets that came in last.", count
    ).format(n=count)


def _rule_lines(
    rules: RoutingRules, tried_on: Sequence[Sample], *, at: Standing | None
) -> tuple[RuleLine, ...]:
    """One line for each rule, and one for the rest; without `at` they are looked at only."""
    teams = {team.slug: team.name for team in people.teams()}
    ear = ear_for(Target.TEAM)
    learned = partial(triage.team_by_words, ear, teams)
    hints = _hints(at.source) if at else {}
    matches = {match.rule: match for match in routing.preview(rules, tried_on, learned=learned)}
    count = len(rules.rules)
    lines = [
        RuleLine(
            place=place,
            name=rule.name,
            condition=rule.condition.source,
            does=said.does(rule.action, teams),
            also=said.also(rule),
            mode=rule.mode,
            mode_words=say(said.MODES, rule.mode) if rule.mode is not Mode.ACTIVE else "",
            hints=hints.get(f"rules[{place}]", ()),
            href=reverse("rule", args=[str(place)]) if at else "",
            deeds=_deeds(place, rule.mode, at, count=count) if at else (),
            tally=_tally(matches[rule.name], len(tried_on)),
        )
        for place, rule in enumerate(rules.rules)
    ]
    rest = RuleLine(
        place=count,
        name=_("Everything else"),
        condition="",
        does=said.does(rules.otherwise, teams),
        also=(said.learned(matches[None].learned, teams),) if ear.models else (),
        hints=hints.get("otherwise", ()),
        tally=_tally(matches[None], len(tried_on)),
    )
    return (*lines, rest)


def _hints(source: str) -> Mapping[str, tuple[str, ...]]:
    """What each rule asks for in vain, by its place in the document: `rules[0]`."""
    found: dict[str, tuple[str, ...]] = {}
    for hint in rule_hints(source):
        _section, entry, *_rest = hint.path.split(".")
        found[entry] = (*found.get(entry, ()), policy_reason(hint.reason))
    return found


def _tally(match: Match, count: int) -> Tally | None:
    if not count:
        return None
    return Tally(
        takes=said.takes(match.takes), moves=said.moves(match.moves), share=round(100 * match.takes / count)
    )


def _hidden(deed: str, at: Standing, **more: object) -> tuple[tuple[str, str], ...]:
    return (("deed", deed), ("seen", str(at.seen)), *((name, str(value)) for name, value in more.items()))


def _deed(deed: str, submit: str, at: Standing, **more: object) -> Form:
    name = "-".join([deed, *(str(value) for value in more.values())])
    return Form(id=name, href=reverse("rules-deed"), submit=submit, hidden=_hidden(deed, at, **more))


def _deeds(place: int, mode: Mode, at: Standing, *, count: int) -> tuple[Form, ...]:
    forms = []
    if place:
        forms.append(_deed("up", _("Up"), at, rule=place))
    if place < count - 1:
        forms.append(_deed("down", _("Down"), at, rule=place))
    forms.append(_deed("clone", _("Clone"), at, rule=place))
    if mode is not Mode.SHADOW:
        forms.append(_deed("shadow", _("Put in shadow"), at, rule=place))
    if mode is not Mode.ACTIVE:
        forms.append(_deed("active", _("Make active"), at, rule=place))
    if mode is not Mode.OFF:
        forms.append(_deed("off", _("Switch off"), at, rule=place))
    forms.append(_deed("remove", _("Remove"), at, rule=place))
    return tuple(forms)


# -- one rule


def rule_values(given: Mapping[str, str]) -> RuleValues:
    """A rule as its form was answered; lists are split at commas. An action says itself who gets the ticket."""
    kind, _colon, where = given.get("where", "").partition(":")
    is_team = kind == "team"
    mode = given.get("mode", "")
    return RuleValues(
        name=given.get("name", "").strip(),
        condition=given.get("condition", "").strip(),
        action="" if is_team else where,
        team=where if is_team else "",
        strategy=given.get("strategy", "") if is_team else "",
        skills=_split(given.get("skills", "")) if is_team else (),
        dedicated=is_team and bool(given.get("dedicated")),
        senior=is_team and bool(given.get("senior")),
        notify=_split(given.get("notify", "")),
        cc=_split(given.get("cc", "")),
        sla_target=given.get("sla_target", "").strip(),
        loosen=bool(given.get("loosen")),
        mode="" if mode == Mode.ACTIVE else mode,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def given_of(values: RuleValues) -> dict[str, str]:
    """A rule's values as its form shows them."""
    where = f"action:{values.action}" if values.action else f"team:{values.team}"
    return {
        "name": values.name,
        "condition": values.condition,
        "where": where,
        "strategy": values.strategy or Strategy.ROUND_ROBIN,
        "sla_target": values.sla_target,
        "mode": values.mode or Mode.ACTIVE,
        "skills": ", ".join(values.skills),
        "notify": ", ".join(values.notify),
        "cc": ", ".join(values.cc),
        "dedicated": "1" if values.dedicated else "",
        "senior": "1" if values.senior else "",
        "loosen": "1" if values.loosen else "",
    }


def place_of(text: str, rules: int) -> int | None:
    """Which rule an address names: a place, or None for a new one. Raises LookupError."""
    if text == NEW:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < rules:
        return int(text)
    raise LookupError


def with_values(source: str, place: int | None, values: RuleValues) -> str:
    """The rules with one changed, or with one more at the end."""
    if place is None:
        return added(source, values, at=len(rules_in(source)))
    return changed(source, place, values)


def rule_page(
    at: Standing, place: int | None, given: Mapping[str, str] | None, errors: Mapping[str, list[str]]
) -> RulePage:
    """The form of one rule, as it is or as it was answered."""
    name = NEW if place is None else str(place)
    before = given if given is not None else given_of(_as_it_is(at.source, place))
    form = _rule_form(name, at).answered(before, errors)
    return RulePage(
        title=_("A new rule") if place is None else _("Rule {name}").format(name=before["name"]),
        form=form,
        preview=preview_of(at, place, rule_values(before)),
        preview_href=reverse("rule-preview", args=[name]),
        back_href=reverse("rules"),
        fields=tuple(
            (known, say(said.KINDS, kind.type))
            for known, kind in sorted(_fields().items())
            if "." not in known
        ),
    )


def _as_it_is(source: str, place: int | None) -> RuleValues:
    if place is None:
        return RuleValues(name="", condition="", team="tier-1", mode=Mode.SHADOW)
    return rules_in(source)[place]


def _fields() -> Mapping[str, FactField]:
    return vocabulary(current_policy().fields)


def _rule_form(name: str, at: Standing) -> Form:
    teams = [Choice(value=f"team:{team.slug}", words=team.name) for team in people.teams()]
    actions = [Choice(value=f"action:{action}", words=action.replace("_", " ")) for action in ACTIONS]
    strategies = [Choice(value=one.value, words=say(STRATEGIES, one.value)) for one in Strategy]
    modes = [Choice(value=mode.value, words=say(said.MODES, mode)) for mode in Mode]
    return Form(
        id="rule",
        href=reverse("rule", args=[name]),
        submit=_("Keep in the draft"),
        hidden=(("seen", str(at.seen)),),
        fields=(
            Field(name="name", label=_("Name"), is_required=True, max_length=100),
            Field(
                name="condition",
                label=_("When"),
                kind=Kind.LONG,
                is_required=True,
                max_length=2_000,
                hint=_("For example: category == 'billing' AND amount > 10000"),
            ),
            Field(name="where", label=_("Send to"), kind=Kind.SELECT, choices=(*teams, *actions)),
            Field(name="strategy", label=_("Who there"), kind=Kind.SELECT, choices=tuple(strategies)),
            Field(name="dedicated", label=_("The customer's own person first"), kind=Kind.CHECK),
            Field(name="senior", label=_("A senior first"), kind=Kind.CHECK),
            Field(
                name="skills", label=_("One of these skills"), hint=_("Separated by commas."), max_length=500
            ),
            Field(name="notify", label=_("Tell these posts"), hint=_posts_hint(), max_length=500),
            Field(name="cc", label=_("Copy in these posts"), max_length=500),
            Field(
                name="sla_target",
                label=_("First response within"),
                hint=_("As 15_minutes or 4_hours of open time; it may only be sooner than the promise."),
                max_length=30,
            ),
            Field(name="loosen", label=_("It may also be later than the promise"), kind=Kind.CHECK),
            Field(name="mode", label=_("Mode"), kind=Kind.SELECT, choices=tuple(modes)),
        ),
    )


def _posts_hint() -> str:
    return _("Separated by commas: {posts}").format(posts=", ".join(post.slug for post in people.posts()))


def preview_of(at: Standing, place: int | None, values: RuleValues) -> Preview:
    """The tickets that came in last and that the rule would take, were it active."""
    if not values.condition:
        return Preview(words=_("Say when the rule holds, and the tickets it takes are shown here."))
    try:
        source = with_values(at.source, place, values)
        rules = check_rules(source)
    except PolicyFaults as found:
        return Preview(words=_("The rule cannot be read yet."), faults=said.fault_lines(found.faults))
    number = len(rules.rules) - 1 if place is None else place
    tried_on = routing.samples(current_policy())
    match = routing.preview(rules, tried_on)[number]
    teams = {team.slug: team.name for team in people.teams()}
    sentence = _("Of the {all} tickets that came in last it matches {n} and takes {taken}.").format(
        all=len(tried_on), n=match.matches, taken=match.takes
    )
    if match.takes < match.matches:
        sentence += " " + _("The rest is taken by rules above it.")
    return Preview(
        words=sentence,
        lines=tuple(_match_line(one, teams) for one in match.examples[:SHOWN]),
        hints=_hints(source).get(f"rules[{number}]", ()),
    )


def _match_line(sample: Sample, teams: Mapping[str, str]) -> MatchLine:
    return MatchLine(
        number=sample.ticket.number,
        subject=sample.ticket.subject,
        href=reverse("ticket", args=[shown("tkt", sample.ticket.public_id)]),
        customer=sample.ticket.customer.name,
        went=_went(sample, teams),
    )


def _went(sample: Sample, teams: Mapping[str, str]) -> str:
    if not sample.team:
        return ""
    team = teams.get(sample.team, sample.team)
    return _("went to {team} by {rule}").format(team=team, rule=sample.rule or _("no rule"))


# -- as text, and on one ticket


def source_page(
    at: Standing,
    source: str,
    faults: tuple[FaultLine, ...],
    errors: Sequence[str] = (),
    *,
    most_rows: int = 60,
) -> SourcePage:
    """The rules as text."""
    form = Form(
        id="source", href=reverse("rules-source"), submit=_("Keep in the draft"), hidden=(("seen", str(at.seen)),),
        errors=tuple(errors),
    )  # fmt: skip
    rows = min(most_rows, max(12, source.count("\n") + 2))
    hints = () if faults else said.fault_lines(rule_hints(source))
    return SourcePage(
        form=form, source=source, rows=rows, faults=faults, hints=hints, back_href=reverse("rules")
    )


def trial_page(request: AgentRequest, number: str, *, now: datetime) -> TrialPage:
    """The rules as they are being worked on, tried on the ticket of that number."""
    at = standing()
    asked = Field(name="number", label=_("Ticket number"), kind=Kind.NUMBER, is_required=True)
    form = Form(id="try", href=reverse("try-rules"), submit=_("Try"), fields=(asked,))
    if not number:
        return TrialPage(form=form, back_href=reverse("rules"))
    ticket = None
    if number.isascii() and number.isdecimal() and len(number) < 16:
        ticket = Ticket.objects.select_related("customer").filter(number=int(number)).first()
    if ticket is None:
        missing = {"number": [_("There is no ticket by that number.")]}
        return TrialPage(form=form.answered({"number": number}, missing), back_href=reverse("rules"))
    rules, faults = read_rules(at.source)
    form = form.answered({"number": number}, {})
    if rules is None:
        return TrialPage(form=form, back_href=reverse("rules"), faults=faults)
    return _tried(ticket, rules, form, now=now)


def _tried(ticket: Ticket, rules: RoutingRules, form: Form, *, now: datetime) -> TrialPage:
    policy = current_policy()
    first = (
        Message.objects.filter(ticket=ticket).order_by("sent_at", "id").values_list("text", flat=True).first()
    )
    trace = Explanation.objects.filter(ticket=ticket, subject="routing").order_by("-id").first()
    sample = routing.sample_of(ticket, first or "", trace.trace if trace else {}, policy)
    teams = {team.slug: team for team in people.teams()}
    learned = partial(triage.team_by_words, ear_for(Target.TEAM), teams, sample.facts)
    decision = route(sample.facts, rules, learned=learned)
    team = teams.get(decision.team)
    agents: list[tuple[str, str]] = []
    if team is not None:
        wish = routing_services.wish_of(ticket, ticket.customer)
        picked = routing_services.pick_agent(team.id, decision, wish=wish, rules=rules, at=now)
        names = people.agents_by_id(int(agent) for agent, _verdict in picked.verdicts)
        agents = [(names[int(agent)].name, say(said.VERDICTS, verdict)) for agent, verdict in picked.verdicts]
    named = {slug: one.name for slug, one in teams.items()}
    return TrialPage(
        form=form,
        back_href=reverse("rules"),
        number=ticket.number,
        subject=ticket.subject,
        href=reverse("ticket", args=[shown("tkt", ticket.public_id)]),
        verdict=_("{rule} sends it to {team}.").format(
            rule=decision.rule
            or (
                _("No rule holds: the learned model") if decision.is_learned else _("No rule holds: the rest")
            ),
            team=named.get(decision.team, decision.team),
        ),
        went=_went(sample, named),
        rules=tuple(
            TriedRule(
                name=tried.rule,
                condition=tried.trace.source,
                held=tried.trace.held,
                mode=tried.mode,
                mode_words=say(said.MODES, tried.mode) if tried.mode is not Mode.ACTIVE else "",
                failed=tuple(str(check) for check in tried.trace.failed),
            )
            for tried in decision.trace()
        ),
        agents=tuple(sorted(agents, key=lambda one: one[1] != say(said.VERDICTS, "chosen"))),
    )
