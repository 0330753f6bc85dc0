"""Addresses below `/api/v1/`; what none of them knows is a problem document too."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from flowdesk.api.api import api
from flowdesk.api.docs import page
from flowdesk.api.errors import problem


@csrf_exempt
def nothing_here(_: HttpRequest) -> HttpResponse:
    return problem(404, code="not_found", detail="There is nothing here.")


urlpatterns = [
    path("docs", page),
    path("", api.urls),
    re_path("", nothing_here),
]
