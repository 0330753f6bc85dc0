"""Weekly instants: a wall-clock time on a weekday in a zone, such as a standing meeting or a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flowdesk.engine.business_time import DEFAULT_ZONE, Weekday, resolve_local, zone_named
from flowdesk.engine.spans import as_utc

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Once a week at a local time.

    A time that clocks skip is the first instant after it, one they show twice its first showing.
    Raises ValueError for an unknown zone or a time with a zone.
    """

    weekday: Weekday
    at: time
    zone: str = DEFAULT_ZONE

    def __post_init__(self) -> None:
        zone_named(self.zone)
        if self.at.tzinfo is not None:
            raise ValueError("the time of a cadence is a wall-clock time; the cadence has the zone")

    def next_after(self, instant: datetime) -> datetime:
        """The first time strictly after `instant`, in UTC."""
        found = self._in_week_of(instant)
        return found if found > instant else self._in_week_of(instant, weeks=1)

    def last_until(self, instant: datetime) -> datetime:
        """The last time that is not after `instant`, in UTC."""
        found = self._in_week_of(instant)
        return found if found <= instant else self._in_week_of(instant, weeks=-1)

    def _in_week_of(self, instant: datetime, *, weeks: int = 0) -> datetime:
        zone = zone_named(self.zone)
        today = as_utc(instant).astimezone(zone).date()
        day = today + (self.weekday - today.weekday()) * DAY + weeks * WEEK
        return resolve_local(datetime.combine(day, self.at), zone)[0]
