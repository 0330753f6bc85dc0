"""The hubs' numbers: rates, scores, pressure, and the risk that a closed ticket comes back or disappoints.

Every number has a value for a desk without a single ticket: 100 % where something could have been missed,
low and 0 where something could press (C14). Rates and scores are percents from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple

FULL = 100.0


def hit_rate(met: int, *, missed: int) -> float:
    """The percent of decided promises that were kept (F-SLA-17); 100 when none was decided."""
    return _percent(met, of=met + missed)


def enforcement_score(in_time: int, *, fell_due: int) -> float:
    """The percent of items with a deadline of their own acted on before it; 100 when none fell due."""
    return _percent(in_time, of=fell_due)


def _percent(part: int, *, of: int) -> float:
    return part / of * FULL if of else FULL


class Decided(NamedTuple):
    """How many promises were kept and broken in one stretch of time."""

    met: int = 0
    missed: int = 0


def rolling_hit_rates(decided: Sequence[Decided], *, length: int) -> tuple[float, ...]:
    """The hit rate of a window `length` stretches long as it stood at the end of each stretch, oldest first.

    The first `length` stretches fill the first window, so n stretches give n - length + 1 rates and the last
    one is the rate of today's window; fewer stretches give none. Raises ValueError for a window without length.
    """
    if length < 1:
        raise ValueError("a window is at least one stretch long")
    if len(decided) < length:
        return ()
    met = sum(one.met for one in decided[:length])
    missed = sum(one.missed for one in decided[:length])
    rates = [hit_rate(met, missed=missed)]
    for leaving, entering in zip(decided, decided[length:], strict=False):
        met += entering.met - leaving.met
        missed += entering.missed - leaving.missed
        rates.append(hit_rate(met, missed=missed))
    return tuple(rates)


# -- command score and pressure


class CommandSignal(StrEnum):
    """What the command hub counts, in the order of its lanes."""

    SLA_BREACHED = "sla_breached"
    ESCALATION_DUE = "escalation_due"
    UNASSIGNED = "unassigned"
    WAITING_INTERNAL = "waiting_internal"
    CALLBACK_QUEUED = "callback_queued"
    CALLBACK_OVERDUE = "callback_overdue"
    URGENT = "urgent"


COMMAND_WEIGHTS: Mapping[CommandSignal, float] = dict(
    zip(CommandSignal, (30.0, 15.0, 15.0, 10.0, 15.0, 5.0, 10.0), strict=True)
)
FULL_SHARE = 0.1  # of the active tickets: a lane as long as this costs its whole weight


def command_score(counts: Mapping[CommandSignal, int], *, active: int) -> float:
    """100 less what each lane costs: its weight, in proportion up to 10 % of the active tickets."""
    full = max(1.0, FULL_SHARE * active)
    return FULL - sum(
        weight * min(1.0, counts.get(signal, 0) / full) for signal, weight in COMMAND_WEIGHTS.items()
    )


class PressureLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class PressureReason(StrEnum):
    """Why the pressure is what it is: a key of the words shown with it."""

    NO_LOAD = "no_load"
    LOAD = "load"
    NOBODY_NEEDED = "nobody_needed"  # nobody on shift, and nothing falls due before somebody is
    NOBODY_ON_SHIFT = "nobody_on_shift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """How hot the queue is. `ratio` is workable tickets per place on shift, without bound; inf: no places."""

    level: PressureLevel
    ratio: float
    because: PressureReason


PRESSURE_BOUNDS = ((0.7, PressureLevel.LOW), (1.0, PressureLevel.MEDIUM), (1.3, PressureLevel.HIGH))


def pressure(workable: int, *, capacity: int, due_before_next_shift: int) -> Pressure:
    """New and open tickets against the places of those on shift.

    `due_before_next_shift` counts promises that fall due (or are broken) before somebody comes on shift; it
    only matters while nobody is.
    """
    if not workable:
        return Pressure(level=PressureLevel.LOW, ratio=0.0, because=PressureReason.NO_LOAD)
    if capacity <= 0:
        if due_before_next_shift:
            return Pressure(level=PressureLevel.CRITICAL, ratio=inf, because=PressureReason.NOBODY_ON_SHIFT)
        return Pressure(level=PressureLevel.LOW, ratio=0.0, because=PressureReason.NOBODY_NEEDED)
    ratio = workable / capacity
    level = next((level for bound, level in PRESSURE_BOUNDS if ratio < bound), PressureLevel.CRITICAL)
    return Pressure(level=level, ratio=ratio, because=PressureReason.LOAD)


# -- risks of closed tickets (F-HUB-23)


class Factor(StrEnum):
    """A reason why a closed ticket may come back or disappoint: a key of the words shown with it."""

    BASE = "base"
    REOPENED_BEFORE = "reopened_before"
    MANY_REPLIES = "many_replies"
    MISSED_CLOCKS = "missed_clocks"
    SLOW = "slow"
    NEGATIVE_SIGNALS = "negative_signals"


# Beyond these a fact says no more; tickets alike in them, capped, share one risk and are counted together.
MOST_REOPENS, MOST_REPLIES, MOST_MISSED = 3, 8, 3
EASY_REPLIES = 2  # so many replies are an ordinary conversation
# Signals of a text that a poor score or a reopening is likely after.
NEGATIVE_SIGNALS = frozenset({"churn_risk", "executive", "frustration", "legal_threat", "public_complaint"})
SLOW_PERCENTS = (75, 100, 125)  # of the resolution target: where slowness begins to count, and counts more


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """What the estimates look at in one closed ticket.

    `spent_percent` is open time spent of the resolution target; 0 when nothing was promised.
    `negative_signals` counts signals such as frustration or a churn threat.
    """

    reopen_count: int = 0
    reply_count: int = 0
    missed_clocks: int = 0
    spent_percent: int = 0
    negative_signals: int = 0


class Cause(NamedTuple):
    """One factor that speaks in a ticket: its value and the probability it alone would give."""

    factor: Factor
    value: int
    probability: float


class Risk(NamedTuple):
    """An estimate and what it is made of; the base comes first, silent factors are left out."""

    probability: float
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWeights:
    """The probability that each factor alone brings the bad end about; per piece where it counts pieces."""

    base: float
    per_reopen: float
    per_reply: float  # beyond the easy ones
    per_miss: float
    slow: tuple[float, float, float]  # from each of SLOW_PERCENTS on
    negative: float


# Set by what a public log of 14,723 resolutions shows (UCI 498, incident management): 1.1 % of first resolutions
# came back, 10.6 % after one reopening, 24 % after two; 0.2 % where nobody had touched the ticket, 1.5 % after five
# to twelve changes; 1.0 % within three quarters of the target, 2.0 % beyond 125 %. It holds no words, so the weight
# of negative signals is a judgement.
REOPEN_WEIGHTS = RiskWeights(
    base=0.008, per_reopen=0.1, per_reply=0.001, per_miss=0.003, slow=(0.001, 0.003, 0.006), negative=0.02
)
# A judgement as a whole, until surveys have answered.
CSAT_WEIGHTS = RiskWeights(
    base=0.05, per_reopen=0.12, per_reply=0.015, per_miss=0.1, slow=(0.02, 0.08, 0.15), negative=0.2
)


def reopen_risk(facts: RiskFacts) -> Risk:
    """How likely this resolved ticket is to be reopened."""
    return _risk(facts, REOPEN_WEIGHTS)


def csat_risk(facts: RiskFacts) -> Risk:
    """How likely the customer's score of this ticket is to be a poor one."""
    return _risk(facts, CSAT_WEIGHTS)


def _risk(facts: RiskFacts, weights: RiskWeights) -> Risk:
    """Factors as independent causes: the ticket stays well only if none of them strikes.

    probability = 1 - (1 - base) * product of (1 - p of each factor), where a factor that counts n pieces of
    weight w has p = 1 - (1 - w) ** n. It stays below 1, and no fact makes it smaller.
    """
    causes = [Cause(Factor.BASE, 1, weights.base)]
    reopens = min(facts.reopen_count, MOST_REOPENS)
    extra = max(0, min(facts.reply_count, MOST_REPLIES) - EASY_REPLIES)
    missed = min(facts.missed_clocks, MOST_MISSED)
    slow = sum(1 for percent in SLOW_PERCENTS if facts.spent_percent >= percent)
    causes += [
        Cause(Factor.REOPENED_BEFORE, facts.reopen_count, _any_of(reopens, weights.per_reopen)),
        Cause(Factor.MANY_REPLIES, facts.reply_count, _any_of(extra, weights.per_reply)),
        Cause(Factor.MISSED_CLOCKS, facts.missed_clocks, _any_of(missed, weights.per_miss)),
        Cause(Factor.SLOW, facts.spent_percent, weights.slow[slow - 1] if slow else 0.0),
        Cause(
            Factor.NEGATIVE_SIGNALS,
            facts.negative_signals,
            _any_of(min(facts.negative_signals, 1), weights.negative),
        ),
    ]
    well = 1.0
    for cause in causes:
        well *= 1.0 - cause.probability
    return Risk(1.0 - well, tuple(cause for cause in causes if cause.probability))


def _any_of(count: int, each: float) -> float:
    return float(1.0 - (1.0 - each) ** count)
