"""The sections `calendars` and `tiers`: business hours by name, and which hours a customer has bought."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from flowdesk.core.time import known_zones
from flowdesk.engine.business_time import (
    BusinessCalendar,
    Holiday,
    Weekday,
    Window,
    always_open,
    weekdays_around_the_clock,
)
from flowdesk.engine.sla_policy import TierTerms
from flowdesk.policies.reader import FaultList, Node, suggestion

HolidayTable = Callable[[str], tuple[tuple[date, str], ...]]

_DAYS = {day.name.lower()[:3]: day for day in Weekday}


class Hours(StrEnum):
    """The two calendars that need no windows."""

    ALWAYS = "always"
    WEEKDAYS = "weekdays"


def read_calendars(
    node: Node, *, holidays: HolidayTable, countries: frozenset[str]
) -> dict[str, BusinessCalendar]:
    """The calendars by name; `holidays` gives the days of a named table."""
    faults = FaultList()
    calendars = {}
    for name, value in node.items():
        with faults:
            calendars[name.text()] = _calendar(name.text(), value, holidays=holidays, countries=countries)
    faults.raise_any()
    return calendars


def _calendar(
    name: str, node: Node, *, holidays: HolidayTable, countries: frozenset[str]
) -> BusinessCalendar:
    parts = node.mapping(optional=("zone", "hours", "week", "holidays", "dated", "breaks"))
    zone = _zone(parts["zone"]) if "zone" in parts else "Europe/Stockholm"
    if "hours" in parts:
        if len(parts.keys() - {"zone", "hours"}):
            raise parts["hours"].refuse("a calendar has either `hours` or windows of its own")
        hours = parts["hours"].choice(Hours)
        return always_open(zone) if hours is Hours.ALWAYS else weekdays_around_the_clock(zone)
    if "week" not in parts:
        raise node.refuse("a calendar needs `hours: always`, `hours: weekdays` or a `week`")
    faults = FaultList()
    week = faults.read(lambda: _week(parts["week"]))
    closed = (
        faults.read(lambda: _holidays(parts["holidays"], holidays, countries)) if "holidays" in parts else ()
    )
    dated = faults.read(lambda: _dated(parts["dated"])) if "dated" in parts else {}
    breaks = faults.read(lambda: parts["breaks"].each(_window)) if "breaks" in parts else ()
    faults.raise_any()
    assert week is not None
    return BusinessCalendar(
        name=name,
        zone=zone,
        week=week,
        holidays=closed or (),
        dated_hours=dated or {},
        breaks=breaks or (),
    )


def _zone(node: Node) -> str:
    zone = node.text()
    if zone not in known_zones():
        raise node.refuse(f"there is no time zone {zone!r}{suggestion(zone, known_zones())}")
    return ZoneInfo(zone).key


def _week(node: Node) -> dict[Weekday, tuple[Window, ...]]:
    week: dict[Weekday, tuple[Window, ...]] = {}
    for days, windows in node.items():
        read = windows.each(_window)
        for day in _days(days):
            if day in week:
                raise days.refuse(f"{day.name.lower()} has its hours already")
            week[day] = read
    return week


def _days(node: Node) -> list[Weekday]:
    """`mon`, `mon-fri` or `mon, wed`."""
    days: list[Weekday] = []
    for part in node.text().lower().split(","):
        first, _, last = (piece.strip()[:3] for piece in part.partition("-"))
        if first not in _DAYS or (last and last not in _DAYS):
            raise node.refuse(f"{part.strip()!r} is no weekday; write mon, tue, wed, thu, fri, sat or sun")
        end = _DAYS[last] if last else _DAYS[first]
        days.extend(
            Weekday(number % 7) for number in range(_DAYS[first], end + (7 if end < _DAYS[first] else 0) + 1)
        )
    return days


def _window(node: Node) -> Window:
    """`09:00-17:00`; a closing at or before the opening runs past midnight, 24:00 is the end of the day."""
    opens, dash, closes = node.text().partition("-")
    if not dash:
        raise node.refuse("a window is written like 09:00-17:00")
    return Window(
        opens=replace(node, raw=opens.strip()).wall_time(),
        closes=replace(node, raw=closes.strip()).closing_time(),
    )


def _holidays(node: Node, holidays: HolidayTable, countries: frozenset[str]) -> tuple[Holiday, ...]:
    """Country codes (`SE`), or days of one's own: {on, name, yearly, window}."""
    faults = FaultList()
    days: list[Holiday] = []
    for item in node.list():
        with faults:
            if item.kind == "text":
                code = item.text().upper()
                if code not in countries:
                    raise item.refuse(f"there is no holiday table {code!r}; use a country code such as SE")
                days.extend(Holiday(on=on, name=name) for on, name in holidays(code))
            else:
                days.append(_own_holiday(item))
    faults.raise_any()
    return tuple(days)


def _own_holiday(node: Node) -> Holiday:
    parts = node.mapping(required=("on",), optional=("name", "yearly", "window"))
    return Holiday(
        on=parts["on"].date(),
        name=parts["name"].text() if "name" in parts else "",
        yearly=parts["yearly"].truth() if "yearly" in parts else False,
        window=_window(parts["window"]) if "window" in parts else None,
    )


def _dated(node: Node) -> dict[date, tuple[Window, ...]]:
    return {day.date(): windows.each(_window) for day, windows in node.items()}


def read_tiers(node: Node, *, calendars: Mapping[str, BusinessCalendar]) -> dict[str, TierTerms]:
    """The tiers by name, each with its calendar and rank."""
    faults = FaultList()
    tiers = {}
    for name, value in node.items():
        with faults:
            parts = value.mapping(required=("calendar", "rank"))
            calendar = parts["calendar"].text()
            if calendar not in calendars:
                raise parts["calendar"].refuse(
                    f"there is no calendar {calendar!r}{suggestion(calendar, calendars)}"
                )
            tiers[name.text()] = TierTerms(
                name=name.text(), calendar=calendar, rank=parts["rank"].integer(least=0, most=100)
            )
    faults.raise_any()
    return tiers
