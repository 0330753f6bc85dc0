"""What is shown when a page cannot be: in the reader's language, with the way on from there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flowdesk.core.actor import Act
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.web.access import enter, kept_nowhere
from flowdesk.web.chrome import shell_of


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """There is no such page, or it is another desk's."""
    return _fault_page(request, "404.html", status=404)


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The reader's role does not reach this."""
    return _fault_page(request, "403.html", status=403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: it stood open over a log-in or a log-out, or another site sent it."""
    return _fault_page(request, "403_csrf.html", status=403)


def _fault_page(request: Any, template: str, *, status: int) -> HttpResponse:
    """Inside the shell for who may read at a desk, else alone."""
    user = getattr(request, "user", None)
    is_page = not request.path.startswith("/api/")
    if not (is_page and user and user.is_authenticated and enter(request) and request.actor.may(Act.READ)):
        return render(request, template, {"frame": "plain.html"}, status=status)
    with reading(request.actor.tenant):
        shell = shell_of(request, now=now())
    page = {"frame": "shell.html", "shell": shell}
    return kept_nowhere(render(request, template, page, status=status))
