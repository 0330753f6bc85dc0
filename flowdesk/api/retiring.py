"""How an operation leaves: it says since when and until when, in the document and in every answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date
from ninja.decorators import decorate_view
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

V = TypeVar("V", bound=Callable[..., Any])


def retiring(*, since: datetime, ends_at: datetime, read: str) -> Callable[[V], V]:
    """Mark an operation, below its `@router…`, as deprecated.

    Its answers carry `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link to `read`, where it says what to call
    instead; its entry in the OpenAPI document is `deprecated` and tells the day of its end. It works until then.
    """

    def announce(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(run)
        def announced(request: HttpRequest, **path: Any) -> HttpResponse:
            response = run(request, **path)
            response["Deprecation"] = f"@{int(since.timestamp())}"
            response["Sunset"] = http_date(ends_at.timestamp())
            response["Link"] = f'<{read}>; rel="deprecation"; type="text/html"'
            return response

        return announced

    def document(operation: Operation) -> None:
        day = ends_at.date().isoformat()
        operation.deprecated = True
        operation.description = f"Deprecated: it works until {day}.\n\n{operation.description or ''}".strip()
        operation.openapi_extra = {**(operation.openapi_extra or {}), "x-sunset": day}

    def mark(view: V) -> V:
        decorate_view(announce)(view)
        contribute_operation_callback(view, document)
        return view

    return mark
