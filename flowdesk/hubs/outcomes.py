"""What the window decided: promises kept, deadlines acted on, and what the closed tickets may still bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from flowdesk.engine.lanes import Window
from flowdesk.engine.scoring import (
    MOST_MISSED,
    MOST_REOPENS,
    MOST_REPLIES,
    SLOW_PERCENTS,
    Decided,
    RiskFacts,
    csat_risk,
    hit_rate,
    reopen_risk,
    rolling_hit_rates,
)
from flowdesk.hubs import sql
from flowdesk.hubs.board import HitRate

STRETCHES = 14  # of a window: its sparkline has one point more


def window_hit_rate(tenant: int, *, window: Window, now: datetime, goal: float) -> HitRate:
    """Of two windows: the sparkline's first point is the rate as it stood one window ago."""
    start, step = now - 2 * window.length, window.length / STRETCHES
    edges = [start + step * place for place in range(2 * STRETCHES)] + [now]
    with connection.cursor() as cursor:
        cursor.execute(sql.DECIDED, {"tenant": tenant, "starts": edges[:-1], "ends": edges[1:]})
        decided = [Decided(met, missed) for met, missed in cursor.fetchall()]
    met = sum(one.met for one in decided[STRETCHES:])
    missed = sum(one.missed for one in decided[STRETCHES:])
    return HitRate(
        percent=hit_rate(met, missed=missed),
        met=met,
        decided=met + missed,
        goal_percent=goal,
        points=rolling_hit_rates(decided, length=STRETCHES),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dues:
    """Tickets created in the window and in the one before; escalations and tasks that fell due, and those in time."""

    created: int
    created_before: int
    fell_due: int
    in_time: int


def dues(tenant: int, *, since: datetime, now: datetime) -> Dues:
    """What came in and what fell due."""
    before = since - (now - since)
    with connection.cursor() as cursor:
        cursor.execute(sql.DUES, {"tenant": tenant, "before": before, "since": since, "now": now})
        row = cursor.fetchone()
    assert row is not None
    return Dues(created=row[0], created_before=row[1], fell_due=row[2], in_time=row[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Sums over the tickets closed in the window; `resolved` of the `closed` may still come back."""

    reopen: float = 0.0
    csat: float = 0.0
    likely: int = 0
    resolved: int = 0
    closed: int = 0


def closed_estimates(tenant: int, *, since: datetime, now: datetime, likely_from: float) -> Closed:
    """Tickets alike in every fact have one risk, so each group is estimated once."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.CLOSED,
            [
                MOST_REOPENS, MOST_REPLIES, MOST_MISSED, list(SLOW_PERCENTS), tenant, since, now,
            ],
        )  # fmt: skip
        rows = cursor.fetchall()
    reopen = csat = 0.0
    likely = resolved = closed = 0
    for is_resolved, reopens, replies, missed, rung, is_negative, count in rows:
        facts = RiskFacts(
            reopen_count=reopens,
            reply_count=replies,
            missed_clocks=missed,
            spent_percent=(0, *SLOW_PERCENTS)[rung],
            negative_signals=int(is_negative),
        )
        closed += count
        csat += csat_risk(facts).probability * count
        if is_resolved:
            probability = reopen_risk(facts).probability
            resolved += count
            reopen += probability * count
            likely += count if probability >= likely_from else 0
    return Closed(reopen=reopen, csat=csat, likely=likely, resolved=resolved, closed=closed)
