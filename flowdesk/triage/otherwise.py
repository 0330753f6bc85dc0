"""What would have changed how a ticket was read, prioritised, routed and promised: from the traces that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowdesk.engine.alternatives import other_category, other_priorities, other_targets, weighed_from
from flowdesk.engine.clock import Metric
from flowdesk.engine.reasons import Reason, because
from flowdesk.engine.routing import Verdict
from flowdesk.policies.document import PolicyDocument
from flowdesk.policies.services import policy_of
from flowdesk.tickets.mapping import rule_target_of
from flowdesk.tickets.models import Ticket

CATEGORY, PRIORITY, TEAM, ASSIGNEE = "category", "priority", "team", "assignee"
PROMISED = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
MOST_RULES, MOST_AGENTS = 5, 6
NOT_BEATEN = frozenset({Verdict.CHOSEN, Verdict.BEHIND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """One change by itself, and what had come of it. `agent` is the row id of the one it is about, if of an agent."""

    subject: str  # category, priority, team, assignee, or the metric of a promise
    change: Reason
    result: str
    agent: int | None = None


def would_have_changed(
    ticket: Ticket, traces: Mapping[str, Mapping[str, Any]], policy: PolicyDocument
) -> list[Otherwise]:
    """The nearest changes for each decision; `traces` by subject, `policy` the revision they were decided under."""
    return [
        *_category(traces.get("triage", {})),
        *_priority(traces.get("priority", {}), policy),
        *_team(traces.get("routing", {})),
        *_assignee(traces.get("routing", {}).get("assignment") or {}),
        *_targets(ticket, policy),
    ]


def _category(trace: Mapping[str, Any]) -> Iterator[Otherwise]:
    if trace.get("decided_by", "words") != "words":
        return  # somebody said it, or a model did: no word had changed it
    scores = [(one["category"], int(one["score"])) for one in trace.get("scores", ())]
    if found := other_category(scores):
        yield Otherwise(subject=CATEGORY, change=found.change, result=found.result)


def _priority(trace: Mapping[str, Any], policy: PolicyDocument) -> Iterator[Otherwise]:
    if any(one["code"] == "set_by_agent" for one in trace.get("reasons", ())):
        yield Otherwise(subject=PRIORITY, change=because("if_not_said"), result="")
        return
    if inputs := trace.get("inputs"):  # decisions of before have none
        decided_under = (
            policy_of(trace["policy"]) if "policy" in trace else policy
        )  # by a correction, under another
        for one in other_priorities(weighed_from(inputs), decided_under.priority):
            yield Otherwise(subject=PRIORITY, change=one.change, result=one.result)


def _team(trace: Mapping[str, Any]) -> Iterator[Otherwise]:
    """The rules above the one that decided, those that lacked least first."""
    missed = [
        one for one in trace.get("tried", ()) if not one["matched"] and one.get("mode", "active") == "active"
    ]
    missed.sort(key=lambda one: len(one["failed"]))
    for one in missed[:MOST_RULES]:
        change = because("if_held", rule=one["rule"], failed="; ".join(one["failed"]))
        yield Otherwise(subject=TEAM, change=change, result=one.get("team", ""))


def _assignee(trace: Mapping[str, Any]) -> Iterator[Otherwise]:
    """Who of the team was left out, and why."""
    out: Sequence[Mapping[str, Any]] = [
        one for one in trace.get("verdicts", ()) if one["verdict"] not in NOT_BEATEN
    ]
    for one in out[:MOST_AGENTS]:
        yield Otherwise(
            subject=ASSIGNEE, change=because(f"if_not_{one['verdict']}"), result="", agent=int(one["agent"])
        )


def _targets(ticket: Ticket, policy: PolicyDocument) -> Iterator[Otherwise]:
    for metric in PROMISED:
        for one in other_targets(
            policy.promises,
            metric.value,
            priority=ticket.priority,
            tier=ticket.customer.tier,
            level=ticket.level,
            rule_target=rule_target_of(ticket),
        ):
            yield Otherwise(subject=metric.value, change=one.change, result=one.result)
