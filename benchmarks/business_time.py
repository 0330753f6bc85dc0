"""Compare `BusinessCalendar.add` with the package businesstimedelta: same answers, and how much faster.

Run from the repository root: `python -m benchmarks.business_time [--json]`. Both sides get the
same starts and lengths, in alternating rounds; the medians of the rounds are compared. The exit status is
1 for any mismatch or a ratio below the bar.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from time import perf_counter, process_time

import businesstimedelta
import holidays
import pytz

from benchmarks.run import Row, Run
from flowdesk.engine.business_time import BusinessCalendar, Holiday, Window, business_hours

BAR, GOAL = 200, 400
CASES, ROUNDS = 10_000, 7
SEED = 20260302
YEARS = range(2018, 2034)
FIRST_START = datetime(2022, 1, 1, tzinfo=UTC)
LATEST_START_DAYS = 5 * 365
LONGEST = timedelta(hours=40)  # five business days, the longest of the standard promises

Case = tuple[datetime, timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One calendar told to both sides."""

    name: str
    ours: BusinessCalendar
    theirs: businesstimedelta.Rules


def pairs() -> tuple[Pair, ...]:
    """Calendars on which both sides mean the same; the first is the business default."""
    stockholm, new_york = pytz.timezone("Europe/Stockholm"), pytz.timezone("America/New_York")
    # A set: the other side looks each date up, and a list would make it look slower than it is.
    days_off = {day for day in holidays.country_holidays("SE", years=YEARS) if day.weekday() < 5}
    default = business_hours(holidays=tuple(Holiday(on=day) for day in sorted(days_off)))
    lunch = Window(opens=time(12), closes=time(13))
    return (
        Pair(
            name="business default",
            ours=default,
            theirs=businesstimedelta.Rules(
                [_office(stockholm), businesstimedelta.HolidayRule(days_off, tz=stockholm)]
            ),
        ),
        Pair(
            name="with lunch",
            ours=replace(default, breaks=(lunch,), holidays=()),
            theirs=businesstimedelta.Rules(
                [_office(stockholm), businesstimedelta.LunchTimeRule(tz=stockholm)]
            ),
        ),
        Pair(name="New York", ours=business_hours("America/New_York"), theirs=_office(new_york)),
    )


def _office(zone: pytz.BaseTzInfo) -> businesstimedelta.WorkDayRule:
    return businesstimedelta.WorkDayRule(start_time=time(9), end_time=time(17), tz=zone)


def cases(count: int, *, seed: int = SEED) -> list[Case]:
    """Random starts to the second and lengths to the second; every fourth on full quarters of an hour."""
    chance = random.Random(seed)
    found: list[Case] = []
    for n in range(count):
        grain = 900 if n % 4 == 0 else 1
        start = chance.randrange(LATEST_START_DAYS * 86_400 // grain) * grain
        length = chance.randint(1, int(LONGEST.total_seconds()) // grain) * grain
        found.append((FIRST_START + timedelta(seconds=start), timedelta(seconds=length)))
    return found


def mismatches(pair: Pair, some: Sequence[Case]) -> list[Case]:
    """The cases on which the two sides differ."""
    return [
        (start, length)
        for start, length in some
        if pair.ours.add(start, length) != _their_add(pair, start, length)
    ]


def _their_add(pair: Pair, start: datetime, length: timedelta) -> datetime:
    landing: datetime = start + businesstimedelta.BusinessTimeDelta(pair.theirs, timedelta=length)
    return landing


def compare(pair: Pair, some: Sequence[Case]) -> dict[str, float | int | str]:
    """Median microseconds per `add` on both sides, and the ratio."""
    their_cases = [
        (start, businesstimedelta.BusinessTimeDelta(pair.theirs, timedelta=length))
        for start, length in some[::10]
    ]

    def ours() -> None:
        add = pair.ours.add
        for start, length in some:
            add(start, length)

    def theirs() -> None:
        for start, length in their_cases:
            start + length

    ours()  # lay out the years; `cold_ms` says what that costs
    rounds = [
        (_microseconds(ours, len(some)), _microseconds(theirs, len(their_cases))) for _ in range(ROUNDS)
    ]
    our_median = median(ours_took for ours_took, _ in rounds)
    their_median = median(theirs_took for _, theirs_took in rounds)
    return {
        "calendar": pair.name,
        "ours_us": round(our_median, 3),
        "theirs_us": round(their_median, 1),
        "ratio": round(their_median / our_median),
        "cold_ms": round(_cold(pair.ours), 2),
    }


def _microseconds(run: Callable[[], None], count: int) -> float:
    began = process_time()
    run()
    return (process_time() - began) / count * 1e6


def _cold(calendar: BusinessCalendar) -> float:
    """Milliseconds of a first `add` on a calendar that has nothing laid out."""
    began = perf_counter()
    replace(calendar).add(datetime.combine(date(2026, 3, 2), time(9), tzinfo=UTC), timedelta(hours=4))
    return (perf_counter() - began) * 1e3


def bars(run: Run) -> Sequence[Row]:
    """The row of `make bench`: the business default against the peer, with no answer that differs."""
    some, pair = cases(CASES), pairs()[0]
    wrong = len(mismatches(pair, some))
    return [
        Row(
            name="business_time",
            what="Business time: add, times as fast as businesstimedelta",
            measured=float(compare(pair, some)["ratio"]),
            bar=BAR,
            goal=GOAL,
            more_is_better=True,
            notes=[f"{wrong} of {CASES:,} answers differ"],
            faults=wrong,
        )
    ]


def main() -> int:
    """Print the comparison; 1 when an answer differs or the business default is below the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    some = cases(CASES)
    results = [{**compare(pair, some), "mismatches": len(mismatches(pair, some))} for pair in pairs()]
    ratio = float(results[0]["ratio"])
    report = {
        "what": "business_time_add",
        "bar": BAR,
        "goal": GOAL,
        "ratio": ratio,
        "cases": CASES,
        "calendars": results,
    }
    if as_json:
        print(json.dumps(report))
    else:
        for result in results:
            print("  ".join(f"{name} {value}" for name, value in result.items()))
        print(f"business default: {ratio:.0f}x (bar {BAR}x, goal {GOAL}x)")
    return int(ratio < BAR or any(result["mismatches"] for result in results))


if __name__ == "__main__":
    sys.exit(main())
