"""The standing review as a calendar file."""

from datetime import datetime, timedelta

from icalendar import Calendar, Event

from flowdesk.engine.business_time import zone_named
from flowdesk.engine.cadence import Weekly

LENGTH = timedelta(minutes=30)
PRODUCT = "-//Flowdesk//Ticket SLA hub//EN"


def review_calendar(
    cadence: Weekly, *, uid: str, summary: str, description: str = "", now: datetime
) -> bytes:
    """A weekly meeting from its next time on, as iCalendar (RFC 5545).

    It is written in its own zone, and the zone's rules travel with it: a weekly 09:00 stays 09:00 when clocks
    change, in readers of any zone (zammad#2157). The same `uid` updates the meeting instead of doubling it.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    starts = cadence.next_after(now).astimezone(zone_named(cadence.zone))
    meeting = Event()
    meeting.add("uid", uid)
    meeting.add("dtstamp", now)
    meeting.add("dtstart", starts)
    meeting.add("dtend", starts + LENGTH)
    meeting.add("rrule", {"freq": "weekly", "byday": cadence.weekday.name[:2]})
    meeting.add("summary", summary)
    if description:
        meeting.add("description", description)
    calendar.add_component(meeting)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
