"""The answer to what broke: a database that is away is no fault of ours, and the same may be asked again soon."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults

from flowdesk.core.postgres.trouble import is_database_away, is_unanswered

RETRY_AFTER = 2  # seconds; a standby is promoted, and a crashed server recovers, in about that


def server_error(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After while the database is away or silent, else 500; without a query, of course."""
    fault = sys.exc_info()[1]
    if fault is not None and (is_database_away(fault) or is_unanswered(fault)):
        page = loader.get_template("503.html").render()
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return defaults.server_error(request)
