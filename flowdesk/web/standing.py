"""How somebody stands who may be given a ticket: here, off shift, or away until when and with whom in their place."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from flowdesk.routing.queries import AtWork
from flowdesk.web import words


def standing_words(one: AtWork, *, zone: ZoneInfo, now: datetime) -> str:
    """ "away until Mon 22 Jun 10:00, Bo Ek stands in", "off shift"; nothing for who is here."""
    if one.absence is not None:
        until = one.absence.until
        said = (
            _("away until {when}").format(when=words.moment(until, zone=zone, now=now))
            if until
            else _("away until further notice")
        )
        name = one.absence.stand_in
        return f"{said}, {_('{name} stands in').format(name=name)}" if name else said
    if not one.is_available:
        return _("away")
    return "" if one.is_on_shift else _("off shift")
