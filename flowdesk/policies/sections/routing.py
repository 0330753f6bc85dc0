"""The `routing` section: ordered rules, where the first match wins.

rules:
  - name: large-bill
    condition: "category == 'billing' AND amount > 10000"
    team: billing                      # or, instead of team and the like, action: assign_to_…
    strategy: least_loaded
    cc: account_manager
    sla_target: 4_hours
    mode: shadow                       # looked at and written down, but it moves nothing; or off
otherwise: {team: tier-1, strategy: least_loaded}
weights: {P1: 3, P2: 2}                # how much of an agent's capacity a ticket takes; 1 where it is not said
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from flowdesk.engine.condition_logic import conflicts, covers
from flowdesk.engine.conditions import Condition, ConditionFault, compile_condition
from flowdesk.engine.facts import FIELDS, PRIORITY_WORDS, Field, Priority
from flowdesk.engine.routing import EVEN_WEIGHTS, Mode, RoutingAction, RoutingRule, RoutingRules, Strategy
from flowdesk.policies.reader import FaultList, Node, PolicyFault, suggestion

# The words of the source documents for what a rule does (F-RTE-10), beside `team` and `strategy`.
ACTIONS: Mapping[str, RoutingAction] = {
    "assign_to_senior_engineer": RoutingAction(team="tier-2", senior=True),
    "assign_to_dedicated_csm": RoutingAction(team="account-managers", dedicated=True),
    "assign_to_account_manager": RoutingAction(team="account-managers", dedicated=True),
    "assign_to_billing_specialist": RoutingAction(team="billing"),
    "assign_to_security_team": RoutingAction(team="security"),
}
_ACTION_KEYS = ("team", "strategy", "skills", "dedicated", "senior")
_RULE_KEYS = ("name", "action", *_ACTION_KEYS, "notify", "cc", "sla_target", "loosen", "mode")


def read_routing(
    node: Node,
    *,
    fields: Mapping[str, Field] = FIELDS,
    teams: Iterable[str] | None = None,
    posts: Iterable[str] | None = None,
) -> RoutingRules:
    """The rules in order; `teams` and `posts`, where given, are the only ones that may be named. Raises
    PolicyFaults: also for a rule that no ticket can match, by itself or because the rules above it take them all."""
    found = node.mapping(required=["rules"], optional=["otherwise", "senior_after", "weights"])
    known = _Known(
        teams=None if teams is None else tuple(teams), posts=None if posts is None else tuple(posts)
    )
    faults, rules, taken = FaultList(), list[RoutingRule](), set[str]()
    with faults:
        for number, entry in enumerate(found["rules"].list(), start=1):
            with faults:
                rules.append(
                    _read_rule(entry, number=number, fields=fields, known=known, earlier=rules, taken=taken)
                )
    otherwise, senior_after = RoutingRules(rules=()).otherwise, RoutingRules(rules=()).senior_after
    with faults:
        if "otherwise" in found:
            otherwise = _read_action(
                found["otherwise"], found["otherwise"].mapping(optional=_ACTION_KEYS), known
            )
    with faults:
        if "senior_after" in found:
            senior_after = found["senior_after"].integer(least=0, most=1_000)
    weights: Mapping[Priority, int] = EVEN_WEIGHTS
    with faults:
        if "weights" in found:
            weights = _weights(found["weights"])
    faults.raise_any()
    return RoutingRules(rules=tuple(rules), otherwise=otherwise, senior_after=senior_after, weights=weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skilled:
    """What the agents of a tenant can do: in each team that anybody is in, and anywhere."""

    teams: Mapping[str, frozenset[str]]
    anywhere: frozenset[str]


def skill_hints(node: Node, skilled: Skilled) -> tuple[PolicyFault, ...]:
    """The skills that rules ask for in vain, each at its place, in a document that `read_routing` has read.

    Nothing is wrong with such a rule, and its tickets do not wait: a skill that nobody in the team has is not looked
    for. Of a team that nobody is in nothing is said; what comes to it waits whatever is asked.
    """
    found = {key.raw: value for key, value in node.items()}
    entries = [*found["rules"].list(), *([found["otherwise"]] if "otherwise" in found else [])]
    return tuple(hint for entry in entries for hint in _hints_of(entry, skilled))


def _hints_of(entry: Node, skilled: Skilled) -> Iterator[PolicyFault]:
    parts = {key.raw: value for key, value in entry.items()}
    asked, team = parts.get("skills"), parts["team"].raw if "team" in parts else ""
    if asked is None or team not in skilled.teams or ("mode" in parts and parts["mode"].raw == Mode.OFF):
        return
    names, there = asked.one_or_more(), skilled.teams[team]
    if not any(one.raw in there for one in names):
        either = " or ".join(repr(one.raw) for one in names)
        yield asked.fault(
            f"nobody in the team {team!r} has the skill {either}: anybody there is given these tickets"
            f"{suggestion(names[0].raw, there)}"
        )
        return
    for one in names:
        if one.raw not in skilled.anywhere:
            yield one.fault(
                f"nobody has the skill {one.raw!r}: only the others are looked for"
                f"{suggestion(one.raw, skilled.anywhere)}"
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """What a rule may name; None: anything."""

    teams: tuple[str, ...] | None
    posts: tuple[str, ...] | None


def _weights(node: Node) -> Mapping[Priority, int]:
    faults, weights = FaultList(), dict(EVEN_WEIGHTS)
    for key, value in node.items():
        with faults:
            priority = PRIORITY_WORDS.get(key.text().casefold())
            if priority is None:
                raise key.refuse(f"{key.raw!r} is no priority; say P1, P2, P3 or P4")
            weights[priority] = value.integer(least=0, most=100)
    faults.raise_any()
    return weights


def read_condition(node: Node, *, fields: Mapping[str, Field] = FIELDS) -> Condition:
    """A condition that at least some ticket might match; faults point into its text."""
    text = node.text(longest=10_000)  # the language says itself what is too long
    try:
        condition = compile_condition(text, fields=fields)
    except ConditionFault as fault:
        raise node.refuse(fault.reason, at=fault.position) from fault
    found = conflicts(condition.ast)
    if found:
        raise node.refuse(f"can never match: {found[0].reason}", at=found[0].position)
    return condition


def _read_rule(
    node: Node,
    *,
    number: int,
    fields: Mapping[str, Field],
    known: _Known,
    earlier: list[RoutingRule],
    taken: set[str],
) -> RoutingRule:
    found, faults = node.mapping(required=["condition"], optional=_RULE_KEYS), FaultList()
    name = (faults.read(found["name"].text) if "name" in found else None) or f"rule-{number}"
    if name in taken:
        faults.add(found.get("name", node).fault(f"another rule is already called {name!r}"))
    taken.add(name)  # also of a rule with faults, which `earlier` will not hold
    condition = faults.read(lambda: read_condition(found["condition"], fields=fields))
    mode = (faults.read(lambda: found["mode"].choice(Mode)) if "mode" in found else None) or Mode.ACTIVE
    above = next(
        (
            rule
            for rule in earlier
            if rule.mode is Mode.ACTIVE and condition and covers(rule.condition.ast, condition.ast)
        ),
        None,
    )
    if above is not None and mode is not Mode.OFF:
        faults.add(found["condition"].fault(f"can never match: {above.name!r} above takes all of these"))
    action = faults.read(lambda: _read_action(node, found, known))
    notify = faults.read(lambda: _posts(found.get("notify"), known.posts)) or ()
    cc = faults.read(lambda: _posts(found.get("cc"), known.posts)) or ()
    target: timedelta | None = faults.read(found["sla_target"].length) if "sla_target" in found else None
    loosen = faults.read(found["loosen"].truth) if "loosen" in found else False
    if "loosen" in found and "sla_target" not in found:
        faults.add(found["loosen"].fault("loosens nothing: the rule has no sla_target"))
    faults.raise_any()
    assert condition is not None
    assert action is not None
    return RoutingRule(
        name=name,
        condition=condition,
        action=action,
        notify=notify,
        cc=cc,
        sla_target=target,
        loosen=bool(loosen),
        mode=mode,
    )


def _read_action(node: Node, found: Mapping[str, Node], known: _Known) -> RoutingAction:
    if "action" in found:
        action = _read_alias(found["action"], known.teams)
        spare = next((key for key in _ACTION_KEYS if key in found), None)
        if spare is not None:
            raise found[spare].refuse(
                f"says with {found['action'].raw!r} twice what happens; keep one of them"
            )
        return action
    if "team" not in found:
        raise node.refuse("needs the key 'team' or the key 'action'")
    faults = FaultList()
    team = faults.read(lambda: _read_team(found["team"], known.teams))
    strategy = faults.read(lambda: found["strategy"].choice(Strategy)) if "strategy" in found else None
    skills = faults.read(lambda: _names(found.get("skills"))) or ()
    dedicated = faults.read(found["dedicated"].truth) if "dedicated" in found else False
    senior = faults.read(found["senior"].truth) if "senior" in found else False
    faults.raise_any()
    assert team is not None
    return RoutingAction(
        team=team,
        strategy=strategy or Strategy.ROUND_ROBIN,
        skills=skills,
        dedicated=bool(dedicated),
        senior=bool(senior),
    )


def _read_alias(node: Node, teams: tuple[str, ...] | None) -> RoutingAction:
    word = node.text()
    if word not in ACTIONS:
        raise node.refuse(f"unknown action {word!r}{suggestion(word, ACTIONS)}")
    if teams is not None and ACTIONS[word].team not in teams:
        raise node.refuse(f"needs the team {ACTIONS[word].team!r}, which does not exist")
    return ACTIONS[word]


def _read_team(node: Node, teams: tuple[str, ...] | None) -> str:
    team = node.text(longest=100)
    if teams is not None and team not in teams:
        raise node.refuse(f"there is no team {team!r}{suggestion(team, teams)}")
    return team


def _posts(node: Node | None, posts: tuple[str, ...] | None) -> tuple[str, ...]:
    """Posts of the tenant, whose holders are told."""
    faults, names = FaultList(), _names(node)
    for name, at in zip(names, node.one_or_more() if node else (), strict=True):
        if posts is not None and name not in posts:
            faults.add(at.fault(f"there is no post {name!r}{suggestion(name, posts)}"))
    faults.raise_any()
    return names


def _names(node: Node | None) -> tuple[str, ...]:
    """One name or a list of them."""
    return () if node is None else tuple(name.text(longest=100) for name in node.one_or_more())
