"""`Idempotency-Key`: a request that may be sent again is done once, and answered alike every time.

The key is committed in the act's own transaction (`accounts.answers`). A request that failed has done nothing
and kept nothing: it may be sent again under its key, mended or as it was. Where a process ended after its act
and before its answer, the next request makes the answer from what the act returned; the act is not done again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, get_type_hints

from django.db import models
from django.http import HttpRequest, HttpResponse
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from flowdesk.accounts import answers
from flowdesk.accounts.answers import FIELD, Answer, Claimed
from flowdesk.api.errors import problem_of
from flowdesk.core.actor import Actor
from flowdesk.core.errors import Invalid, NotFound, invalid
from flowdesk.core.tenant import acting_once
from flowdesk.core.time import now

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REPLAYED = "Idempotent-Replayed"
LONGEST = 255
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_USABLE = re.compile(rf"[!#-~]{{1,{LONGEST}}}")

Run = Callable[..., HttpResponse]


class Repeated(Exception):
    """The request was answered before; nothing is done."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def once_per_key(run: Run) -> Run:
    """Let an operation of the API honour the header on everything that changes something."""

    @wraps(run)
    def answered(request: HttpRequest, **path: Any) -> HttpResponse:
        if request.method not in UNSAFE or FIELD not in request.headers:
            return run(request, **path)
        try:
            attempt = Attempt(usable_key(request.headers[FIELD]), request)
        except Invalid as fault:
            return problem_of(fault)
        with acting_once(attempt):
            response = run(request, **path)
        return attempt.settled(response)

    return answered


def usable_key(text: str) -> str:
    """The key, with or without the quotes that the IETF's draft puts around it. Raises Invalid."""
    key = text.strip()
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _USABLE.fullmatch(key):
        raise invalid(
            FIELD, f"must be 1 to {LONGEST} visible ASCII characters without quotes, such as a UUID"
        )
    return key


class Attempt:
    """One request under a key; as `core.tenant.Once` it performs the request's act, or recalls it."""

    def __init__(self, key: str, request: HttpRequest) -> None:
        self.key, self.request = key, request
        self.tenant = 0
        self.claimed: Claimed | None = None

    def __call__(self, flow: Callable[..., Any], perform: Callable[[], Any], *, by: Actor) -> Any:
        if self.claimed is not None:
            raise RuntimeError("a request under a key does one act: a second one could not be told apart")
        assert by.id is not None, "a key of the API acts"
        claimed = answers.claim(self.key, api_key=by.id, request=fingerprint(self.request), at=now())
        if claimed.answer is not None:
            raise Repeated(claimed.answer)
        if claimed.is_new:
            result = perform()  # which may be overtaken, and begin anew with its claim
            answers.note_result(claimed.row, storable(result))
        else:
            result = restored(claimed.result, get_type_hints(flow).get("return"))
        self.claimed, self.tenant = claimed, by.tenant
        return result

    def settled(self, response: HttpResponse) -> HttpResponse:
        """The answer that is kept, which may be another's who was faster; a failure is not kept."""
        if self.claimed is None or response.status_code >= HTTPStatus.BAD_REQUEST:
            return response
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        answer = Answer(response.status_code, headers, response.content.decode())
        kept = answers.keep_answer(self.claimed.row, answer, tenant=self.tenant)
        return response if self.claimed.is_new and kept == answer else replayed(kept)


def answer_repeated(_: HttpRequest, repeated: Repeated) -> HttpResponse:
    """How the API answers the exception."""
    return replayed(repeated.answer)


def replayed(answer: Answer) -> HttpResponse:
    """An answer as it was sent before, marked so."""
    return HttpResponse(answer.body, status=answer.status, headers={**answer.headers, REPLAYED: "true"})


def fingerprint(request: HttpRequest) -> bytes:
    """What makes two requests the same: method, address with query, and body.

    Who reads a body as a stream leaves its SHA-256 on the request, as `body_digest`.
    """
    head = f"{request.method} {request.get_full_path()}\n".encode()
    body = getattr(request, "body_digest", None) or sha256(request.body).digest()
    return sha256(head + body).digest()


def storable(result: Any) -> Any:
    """What an act returned, as JSON; of a stored row its id."""
    return result.pk if isinstance(result, models.Model) else to_jsonable_python(result)


def restored(result: Any, wanted: Any) -> Any:
    """What an act returned, from its JSON and the type its signature names; raises NotFound for a row that is gone."""
    if isinstance(wanted, type) and issubclass(wanted, models.Model):
        row = wanted._default_manager.filter(pk=result).first()
        if row is None:
            raise NotFound
        return row
    return TypeAdapter(wanted).validate_python(result)
