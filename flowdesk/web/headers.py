"""What every answer tells browsers, beyond Django's own headers and the content policy."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

UNUSED = ("camera", "microphone", "geolocation", "payment", "usb", "display-capture", "browsing-topics")
HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Said by us and not by Django, which would only say it to a proxy that speaks https with us.
HSTS = "max-age=31536000"


class BrowserHeaders:
    """Sets them on every answer, those of files and failures too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if settings.SESSION_COOKIE_SECURE:
            response.setdefault("Strict-Transport-Security", HSTS)
        return response
