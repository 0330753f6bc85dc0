"""The section `escalation`: the ladder of each metric, event rules and time-in-state rules."""

from collections.abc import Mapping
from datetime import timedelta

from flowdesk.engine.clock import Metric
from flowdesk.engine.escalation import (
    EscalationPolicy,
    EventRule,
    EventTrigger,
    LadderStep,
    StateRule,
    StepAct,
)
from flowdesk.engine.facts import Field
from flowdesk.policies.reader import FaultList, Node
from flowdesk.policies.sections.routing import read_condition


def read_escalation(node: Node, *, fields: Mapping[str, Field]) -> EscalationPolicy:
    """Ladder, events and states; raises PolicyFaults."""
    parts = node.mapping(required=("ladder",), optional=("events", "states", "notice_every_hours"))
    faults = FaultList()
    ladder = faults.read(lambda: _ladder(parts["ladder"])) or {}
    events = (
        faults.read(lambda: parts["events"].each(lambda one: _event(one, fields)))
        if "events" in parts
        else ()
    ) or ()
    states = (
        faults.read(lambda: parts["states"].each(lambda one: _state(one, fields)))
        if "states" in parts
        else ()
    ) or ()
    faults.raise_any()
    hours = parts["notice_every_hours"].integer(least=0, most=720) if "notice_every_hours" in parts else 24
    return EscalationPolicy(ladder=ladder, events=events, states=states, notice_every=timedelta(hours=hours))


def _ladder(node: Node) -> dict[Metric, tuple[LadderStep, ...]]:
    ladder = {}
    for metric, steps in node.items():
        read = steps.each(_step)
        percents = [step.percent for step in read]
        if percents != sorted(set(percents)):
            raise steps.refuse("the percents of a ladder climb, each once")
        ladder[metric.choice(Metric)] = read
    return ladder


def _step(node: Node) -> LadderStep:
    parts = node.mapping(required=("at", "to"), optional=("acts", "within"))
    return LadderStep(
        percent=parts["at"].integer(least=1, most=1000),
        to=tuple(target.text() for target in parts["to"].one_or_more()),
        acts=frozenset(item.choice(StepAct) for item in parts["acts"].one_or_more())
        if "acts" in parts
        else frozenset(),
        within=parts["within"].length() if "within" in parts else None,
    )


def _event(node: Node, fields: Mapping[str, Field]) -> EventRule:
    parts = node.mapping(required=("name", "on", "if", "to", "within", "act"), optional=("team",))
    condition = read_condition(parts["if"], fields=fields)
    return EventRule(
        name=parts["name"].text(),
        on=frozenset(item.choice(EventTrigger) for item in parts["on"].one_or_more()),
        condition=condition,
        to=tuple(target.text() for target in parts["to"].one_or_more()),
        within=parts["within"].length(),
        act=parts["act"].text(),
        team=parts["team"].text() if "team" in parts else "",
    )


def _state(node: Node, fields: Mapping[str, Field]) -> StateRule:
    parts = node.mapping(required=("name", "level", "after", "if", "to"), optional=("team", "within"))
    condition = read_condition(parts["if"], fields=fields)
    return StateRule(
        name=parts["name"].text(),
        level=parts["level"].integer(least=1, most=3),
        after=parts["after"].length(),
        condition=condition,
        to=tuple(target.text() for target in parts["to"].one_or_more()),
        team=parts["team"].text() if "team" in parts else "",
        within=parts["within"].length() if "within" in parts else timedelta(hours=1),
    )
