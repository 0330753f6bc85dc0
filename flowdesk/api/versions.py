"""`ETag`, `If-None-Match` and `If-Match`: an answer that has a `version` can be asked for again, and acted on, by it.

The tags are weak: a version names the state that acts left behind, and the same state may show more minutes spent
from one second to the next. `If-Match` compares the versions all the same, for it is the state that must not have
changed; the comparison stands in the act, behind the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from pydantic import Field

from flowdesk.api.shapes import Out
from flowdesk.core.errors import invalid
from flowdesk.core.versions import Expected

Run = Callable[..., HttpResponse]
ANY = "*"

IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "Act only on this version (an `ETag`, or a `version` in quotes); else 412.",
        }
    ]
}


IF_NONE_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "Answer 304, without a body, while this is still its `ETag`.",
        }
    ],
    "responses": {"304": {"description": "It is still the version you have."}},
}


class Versioned(Out):
    """Something that changes: `version` is its `ETag` without `W/` and quotes; send it back as `If-Match`."""

    version: str = Field(description="Names this state; changes with every change.")


def expected_version(request: HttpRequest) -> Expected:
    """The versions that `If-Match` names; None without the header or with `*`. Raises Invalid."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == ANY:
        return None
    tags = parse_etags(header)
    if not tags:
        raise invalid(
            "If-Match", 'must be an ETag as it was given, such as W/"17", several with commas, or *'
        )
    return frozenset(_version(tag) for tag in tags)


def remember_version(view: Callable[..., Any]) -> Callable[..., Any]:
    """Around an operation's function: its answer's version will be the `ETag`."""

    @wraps(view)
    def remembered(request: HttpRequest, *args: Any, **values: Any) -> Any:
        result = view(request, *args, **values)
        if isinstance(result, Versioned):
            request.version = result.version  # type: ignore[attr-defined]
        return result

    return remembered


def tag_answer(run: Run) -> Run:
    """Around the whole operation: set the `ETag`, and answer 304 to a reader who has this version already."""

    @wraps(run)
    def tagged(request: HttpRequest, **path: Any) -> HttpResponse:
        response = run(request, **path)
        version = getattr(request, "version", None)
        if version is None or response.status_code >= HTTPStatus.BAD_REQUEST:
            return response
        response["ETag"] = f'W/"{version}"'
        known = request.headers.get("If-None-Match", "")
        if request.method == "GET" and (known.strip() == ANY or version in map(_version, parse_etags(known))):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": response["ETag"]})
        return response

    return tagged


def _version(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')
