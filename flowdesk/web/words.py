"""Time in words, in the reader's language: "6m left", "12m over", "in 8m", "Mon 15 Jun 08:15".

Lengths are wall-clock time, rounded down to whole minutes, so that a chip never shows more time than is left.
`static/flowdesk/js/flowdesk.js` counts with the same formats, which `formats` hands it.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.dates import WEEKDAYS
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from flowdesk.engine.business_time import Unit
from flowdesk.engine.sla_policy import Amount

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def formats() -> dict[str, str]:
    """The patterns behind every length, for the script that counts; `{…}` are whole numbers or a length."""
    return {
        # Translators: a length of days and hours, as short as the language allows.
        "days": _("{days}d {hours}h"),
        # Translators: a length of hours and minutes; minutes have two digits.
        "hours": _("{hours}h {minutes}m"),
        # Translators: a length of minutes.
        "minutes": _("{minutes}m"),
        # Translators: time left before a promise is broken.
        "left": _("{length} left"),
        # Translators: time since a promise was broken.
        "over": _("{length} over"),
    }


def length(span: timedelta) -> str:
    """A length without a sign: "6m", "1h 20m", "3h 05m", "2d 4h"."""
    span = abs(span)
    patterns = formats()
    if span >= DAY:
        return patterns["days"].format(days=span // DAY, hours=span % DAY // HOUR)
    if span >= HOUR:
        return patterns["hours"].format(hours=span // HOUR, minutes=f"{span % HOUR // MINUTE:02d}")
    return patterns["minutes"].format(minutes=span // MINUTE)


def spent(span: timedelta) -> str:
    """A length for a column of figures, hours always shown: "0h 00m", "10h 20m"."""
    return formats()["hours"].format(hours=span // HOUR, minutes=f"{span % HOUR // MINUTE:02d}")


def left(span: timedelta) -> str:
    """Time left before the due instant: "6m left"."""
    return formats()["left"].format(length=length(span))


def over(span: timedelta) -> str:
    """Time past the due instant: "12m over"."""
    return formats()["over"].format(length=length(span))


def took(span: timedelta) -> str:
    """How long a promise that was kept took: "in 8m"."""
    # Translators: a promise was met after this long.
    return _("in {length}").format(length=length(span))


def late(span: timedelta) -> str:
    """By how much a stopped clock was late: "12m late"."""
    # Translators: a promise was answered this long after it fell due.
    return _("{length} late").format(length=length(span))


def amount(target: Amount) -> str:
    """A promise as it was written: "15 m", "4 h", "2 business days"."""
    count = target.amount
    if target.unit is Unit.BUSINESS_DAYS:
        return ngettext("{n} business day", "{n} business days", count).format(n=count)
    if count % 60 == 0:
        return _("{n} h").format(n=count // 60)
    # Translators: a target in minutes, after a space.
    return _("{n} m").format(n=count)


def percent(value: float) -> str:
    """A share with one decimal where it says something: "92.4%", "100%"; in Swedish "92,4 %"."""
    digits = number_format(round(value, 1), decimal_pos=0 if round(value, 1) % 1 == 0 else 1)
    # Translators: a percentage as the language writes it.
    return _("{digits}%").format(digits=digits)


def number(value: float) -> str:
    """A number as the language writes it, with at most nine decimals and no empty ones: "12500", "0,5"."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return number_format(text, decimal_pos=len(text.partition(".")[2]))


def clock(at: datetime, zone: ZoneInfo) -> str:
    """The time of day on the reader's wall: "09:42"."""
    return at.astimezone(zone).strftime("%H:%M")


def clock_and_zone(at: datetime, zone: ZoneInfo) -> str:
    """The time of day and its zone: "09:42 CEST"."""
    return at.astimezone(zone).strftime("%H:%M %Z")


def moment(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """As short as the day allows: "09:42", "Mon 15 Jun 08:15", "3 Mar 2025 08:15"."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return local.strftime("%H:%M")
    if local.year != today.year:
        return dateformat.format(local, _("j M Y H:i"))
    # Translators: a date in Django's date format, not words; b is a month in lower case.
    return dateformat.format(local, _("D j M H:i"))


def long_moment(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """The same with the zone named: "today 04:55 CEST", "Mon 22 June, 09:00 CEST"."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return _("today {time}").format(time=local.strftime("%H:%M %Z"))
    return dateformat.format(local, "D j F, ") + local.strftime("%H:%M %Z")


def weekday(number: int) -> str:
    """A weekday by its number, Monday 0."""
    return str(WEEKDAYS[number])


def iso(at: datetime, zone: ZoneInfo | None = None) -> str:
    """The instant for a `datetime` attribute, to the second, with its offset."""
    return (at.astimezone(zone) if zone else at).isoformat(timespec="seconds")
