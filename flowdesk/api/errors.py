"""What went wrong, as a problem document (RFC 9457) that names field and reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from psycopg.errors import UniqueViolation

from flowdesk.api.shapes import Out
from flowdesk.core.errors import DomainError, Fault, Forbidden, Invalid

ROOT = "/api/"
MEDIA_TYPE = "application/problem+json"


class FieldProblem(Out):
    """One field of the input, by its path, and what is wrong with it."""

    field: str
    reason: str


class Problem(Out):
    """What went wrong. `type` and `code` are stable; `title` and `detail` are for people."""

    type: str
    title: str
    status: int
    detail: str = ""
    code: str
    errors: list[FieldProblem] = []


class Unauthenticated(DomainError):
    """The request has no usable key: send `Authorization: Bearer <key>`."""

    status = 401
    code = "unauthenticated"


class MissingScope(Forbidden):
    """The key lacks a scope."""

    code = "missing_scope"


class BodyTooLarge(DomainError):
    """The body is larger than this server takes."""

    status = 413
    code = "body_too_large"


class LengthRequired(DomainError):
    """The request must say how long its body is: send the header Content-Length."""

    status = 411
    code = "length_required"


class UnknownMediaType(DomainError):
    """The body must be application/json."""

    status = 415
    code = "unsupported_media_type"


class Unreadable(DomainError):
    """The body is not JSON."""

    status = 400
    code = "unreadable"


def problem(
    status: int,
    *,
    code: str,
    detail: str = "",
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer for a request that could not be served."""
    body: dict[str, Any] = {
        "type": f"urn:flowdesk:problem:{code}",
        "title": _title(status),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [{"field": fault.field, "reason": fault.reason} for fault in faults],
    }
    return HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def problem_of(error: DomainError) -> HttpResponse:
    """The answer for a fault of the trade."""
    faults = error.faults if isinstance(error, Invalid) else ()
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="flowdesk"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return problem(error.status, code=error.code, detail=error.message, faults=faults, headers=headers)


def answer_errors(api: NinjaAPI) -> None:
    """Give the API its way of answering everything that can be raised."""

    @api.exception_handler(DomainError)
    def _(request: HttpRequest, error: DomainError) -> HttpResponse:
        return problem_of(error)

    @api.exception_handler(ValidationError)
    def _(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return problem_of(Invalid(*(_fault(one) for one in error.errors)))

    @api.exception_handler(AuthenticationError)
    def _(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return problem_of(Unauthenticated())

    @api.exception_handler(HttpError)
    def _(request: HttpRequest, error: HttpError) -> HttpResponse:
        cause = error.__cause__  # what our parser said; the framework wraps it
        if isinstance(cause, DomainError):
            return problem_of(cause)
        return problem(error.status_code, code=_code(error.status_code), detail=str(error))

    @api.exception_handler(Http404)
    def _(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(404, code="not_found", detail="There is nothing here.")

    @api.exception_handler(RequestDataTooBig)
    def _(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return problem_of(BodyTooLarge())

    @api.exception_handler(IntegrityError)
    def _(request: HttpRequest, error: IntegrityError) -> HttpResponse:
        if isinstance(error.__cause__, UniqueViolation):
            detail = "Somebody wrote the same at this very moment; nothing was changed. Try again."
            return problem(409, code="conflict", detail=detail)
        raise error

    @api.exception_handler(Exception)
    def _(request: HttpRequest, error: Exception) -> HttpResponse:
        raise error  # logged by Django with its trace; `Problems` answers it


def _fault(error: Mapping[str, Any]) -> Fault:
    """A framework's error in the words of ours; its place is the path inside body or query."""
    place = [str(part) for part in error["loc"]]
    source, path = place[0], place[1:]
    if source == "body" or (path and path[0] in ("filters", "page")):
        path = path[1:]
    match error["type"]:
        case "value_error":
            reason = str(error["msg"]).removeprefix("Value error, ")
        case kind:
            reason = _reason(kind, error.get("ctx") or {}) or str(error["msg"])
    # A choice between types names them in the path; people look for the field alone.
    shown = [part for part in path if "[" not in part and part not in ("str", "int", "float", "bool")]
    return Fault(".".join(shown) or source, reason[:1].lower() + reason[1:])


def _reason(kind: str, bound: Mapping[str, Any]) -> str:
    """What is wrong, in our words; "" for a kind that none of our fields can meet."""
    match kind:
        case "extra_forbidden":
            return "is not a field here"
        case "missing":
            return "is required"
        case "string_type":
            return "must be text"
        case "string_too_long":
            return f"is longer than {bound['max_length']} characters"
        case "string_too_short":
            return f"must have at least {bound['min_length']} characters"
        case "string_pattern_mismatch":
            return f"does not have the form {bound['pattern']}"
        case "enum" | "literal_error":
            return f"is not one of {str(bound['expected']).replace(' or ', ', ').replace(chr(39), '')}"
        case "int_type" | "int_parsing" | "int_parsing_size" | "int_from_float":
            return "must be a whole number"
        case "float_type" | "float_parsing" | "finite_number":
            return "must be a number"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "greater_than_equal":
            return f"must be at least {bound['ge']}"
        case "less_than_equal":
            return f"must be at most {bound['le']}"
        case "list_type":
            return "must be a list"
        case "too_long":
            return f"has more than {bound['max_length']} entries"
        case "dict_type" | "model_type" | "model_attributes_type":
            return "must be an object"
    if kind.startswith(("date", "timezone_")):
        return "must be an instant with its offset, such as 2026-06-15T09:00:00+02:00"
    return ""


def _code(status: int) -> str:
    return _title(status).lower().replace(" ", "_").replace("'", "")


# As RFC 9110 has them; Python's own words changed from version to version.
_TITLES: Mapping[int, str] = {413: "Content Too Large", 422: "Unprocessable Content"}


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


class Problems:
    """Middleware below `/api/`: a failure is a problem document whoever answers, and `HEAD` is a `GET` without body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        if request.method == "HEAD":
            return self._head(request)
        return self._answer(request)

    def _head(self, request: HttpRequest) -> HttpResponseBase:
        request.method = "GET"
        response = self._answer(request)
        bare = HttpResponse(status=response.status_code, headers=dict(response.items()))
        if isinstance(response, HttpResponse):  # a stream's length is not known before its end
            bare["Content-Length"] = str(len(response.content))
        return bare

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response["Allow"] = _allowed(response.get("Allow", ""))
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        if response.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        status = response.status_code
        return problem(status, code=_code(status), detail=_DETAILS.get(status, ""), headers=kept)


def _allowed(methods: str) -> str:
    """The header `Allow` in a steady order; what can be read can be asked for its head."""
    known = {method.strip() for method in methods.split(",") if method.strip()}
    return ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))


_DETAILS: Mapping[int, str] = {
    400: "The request cannot be read.",
    404: "There is nothing here.",
    405: "This address does not know that method; see the header Allow.",
    500: "Something broke on our side. It has been logged.",
    503: "The database does not answer. What you asked may or may not have been done; try again soon.",
}
