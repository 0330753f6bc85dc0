"""A life told from its end: the promises of a ticket of which every happening is known already.

`promises.after` and `advance` step from one happening to the next. Which clocks a life starts, pauses and stops depends
on what happened and in which order, never on when: that is its plot. It is found once, by stepping through it on
instants made up for it, and every life of the same plot then needs its clocks' own arithmetic and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flowdesk.engine.business_time import Unit, always_open
from flowdesk.engine.clock import ClockState, Metric, Target, run_through
from flowdesk.engine.promises import Occurrence, Promises, Terms, Wait, WaitReason, advance, after

MOST_PLOTS = 1_000  # that are remembered of the same terms
LONGEST_PLOT = 24  # happenings; a longer life is too much its own to come again
DAWN = datetime(2000, 1, 1, tzinfo=UTC)
ENDLESS = Target(
    amount=10 * 366 * 24 * 60, unit=Unit.MINUTES, calendar=always_open("UTC"), calendar_name="none"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened together in one save, and the waits that began with it."""

    kinds: frozenset[Occurrence]
    at: datetime
    waits: frozenset[WaitReason] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """A clock of a plot: the turns in which it began and in which it was stopped or paused, if it was."""

    metric: Metric
    cycle: int
    state: ClockState
    began: int
    ended: int | None


@dataclass(frozen=True, slots=True)
class Plot:
    """What a sequence of happenings does to promises, with turns in the place of instants."""

    runs: tuple[Run, ...]
    waits: tuple[tuple[WaitReason, int], ...]
    unanswered: int | None
    has_ended: bool
    is_proactive: bool


def live(turns: Sequence[Turn], *, terms: Terms, to: datetime) -> Promises:
    """The promises at `to`, not before the last turn, of a ticket that was opened with the first one.

    The same as stepping through `after` for each turn and through `advance` at the end.
    """
    plot = _plot(turns, terms)
    if plot is None:
        return _stepped(turns, terms=terms, to=to)
    return Promises(
        clocks=tuple(
            run_through(
                run.metric,
                terms.targets[run.metric],
                at=turns[run.began].at,
                until=to if run.ended is None else turns[run.ended].at,
                state=run.state,
                cycle=run.cycle,
                percents=terms.percents.get(run.metric, ()),
            )
            for run in plot.runs
        ),
        waits=tuple(Wait(reason=reason, since=turns[turn].at) for reason, turn in plot.waits),
        unanswered_since=None if plot.unanswered is None else turns[plot.unanswered].at,
        has_ended=plot.has_ended,
        is_proactive=plot.is_proactive,
    )


def _stepped(turns: Sequence[Turn], *, terms: Terms, to: datetime) -> Promises:
    promises = Promises()
    for turn in turns:
        promises = after(promises, turn.kinds, at=turn.at, terms=terms, waits=turn.waits).promises
    return advance(promises, terms, to=to).promises


def _plot(turns: Sequence[Turn], terms: Terms) -> Plot | None:
    """The plot of these turns; None when its clocks do not each run in one go, or it is too long to remember."""
    if len(turns) > LONGEST_PLOT:
        return None
    key = tuple((turn.kinds, turn.waits) for turn in turns)
    try:
        found: Plot | None = terms.plots[key]
    except KeyError:
        if len(terms.plots) >= MOST_PLOTS:
            terms.plots.clear()
        found = terms.plots[key] = _found(turns, terms)
    return found


def _found(turns: Sequence[Turn], terms: Terms) -> Plot | None:
    made_up = [replace(turn, at=DAWN + place * timedelta(minutes=1)) for place, turn in enumerate(turns)]
    place = {turn.at: number for number, turn in enumerate(made_up)}
    endless = replace(terms, targets=dict.fromkeys(terms.targets, ENDLESS), percents={})
    promises = _stepped(made_up, terms=endless, to=made_up[-1].at)
    if any(clock.pauses or clock.ended_as for clock in promises.clocks):
        return None
    since = promises.unanswered_since
    return Plot(
        runs=tuple(
            Run(
                metric=clock.metric,
                cycle=clock.cycle,
                state=clock.state,
                began=place[clock.started_at],
                ended=None if clock.state is ClockState.RUNNING else place[clock.since],
            )
            for clock in promises.clocks
        ),
        waits=tuple((wait.reason, place[wait.since]) for wait in promises.waits),
        unanswered=None if since is None else place[since],
        has_ended=promises.has_ended,
        is_proactive=promises.is_proactive,
    )
