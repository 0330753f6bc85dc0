"""Reading a request: JSON within limits, and schemas that refuse what they do not know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NoReturn, get_origin
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from ninja.parser import Parser
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from flowdesk.api.errors import BodyTooLarge, UnknownMediaType, Unreadable
from flowdesk.core.errors import Fault, Invalid, NotFound
from flowdesk.core.ids import parsed
from flowdesk.engine.facts import PRIORITY_WORDS, Priority

DEEPEST = 16
LARGEST = 2**63 - 1
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonParser(Parser):
    """Reads a body: UTF-8 JSON of bounded size, depth and numbers, without characters no table can hold."""

    def parse_body(self, request: HttpRequest) -> Any:
        kind = request.content_type or ""
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise UnknownMediaType(f"The body must be application/json, not {kind[:80]}.")
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnknownMediaType(f"The body must be UTF-8, not {charset[:80]}.")
        try:
            raw = request.body
        except RequestDataTooBig:
            raise BodyTooLarge from None
        if len(raw) > settings.API_BODY_LIMIT:
            raise BodyTooLarge(f"The body is larger than {settings.API_BODY_LIMIT} bytes.")
        try:
            body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
        except UnicodeDecodeError as error:
            raise Unreadable(f"The body is not UTF-8 (byte {error.start}).") from None
        except json.JSONDecodeError as error:
            raise Unreadable(
                f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
            ) from None
        except RecursionError:
            raise Unreadable("The body is nested too deeply.") from None
        except ValueError as error:
            raise Unreadable(f"The body is not JSON: {error}.") from None
        if faults := list(_unusable(body, "", 0)):
            raise Invalid(*faults[:20])
        return body


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field given twice is a mistake that would otherwise pass in silence."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the field {name[:80]!r} is given twice")
        found[name] = value
    return found


def _unusable(value: Any, path: str, depth: int) -> Iterator[Fault]:
    """What no field could take, wherever it stands in the body."""
    if depth > DEEPEST:
        yield Fault(path or "body", "is nested too deeply")
        return
    match value:
        case dict():
            for name, inner in value.items():
                yield from _unusable(name, f"{path}.{_plain(name)}".lstrip("."), depth + 1)
                yield from _unusable(inner, f"{path}.{_plain(name)}".lstrip("."), depth + 1)
        case list():
            for place, inner in enumerate(value):
                yield from _unusable(inner, f"{path}.{place}".lstrip("."), depth + 1)
        case str():
            if "\x00" in value:
                yield Fault(path or "body", "holds a null character")
            elif _LONE_SURROGATE.search(value):
                yield Fault(path or "body", "holds half of a character")
        case int() if abs(value) > LARGEST:
            yield Fault(path or "body", "is a number out of range")
        case float() if value in (float("inf"), float("-inf")):
            yield Fault(path or "body", "is a number out of range")


def _plain(name: str) -> str:
    return _LONE_SURROGATE.sub("?", name.replace("\x00", "?"))[:80]


class Body(BaseModel):
    """A body: unknown fields are refused by name, and a number is not taken for text."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False, strict=False)


class Filters(BaseModel):
    """The query of a list; a name it does not know is refused, and so are characters no table can hold."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any, info: ValidationInfo) -> Any:
        request = (info.context or {}).get("request")
        if request is None:
            return values
        faults = [
            Fault(_plain(name), "is not a filter here")
            for name in request.GET
            if name not in cls.model_fields
        ]
        faults += [
            Fault(_plain(name), "holds a null character")
            for name, given in request.GET.lists()
            if any("\x00" in value or _LONE_SURROGATE.search(value) for value in given)
        ]
        faults += [
            Fault(_plain(name), "is given twice")
            for name, given in request.GET.lists()
            if len(given) > 1 and name in cls.model_fields and not _takes_several(cls, name)
        ]
        if not _is_utf8(request.META.get("QUERY_STRING", "")):
            faults.append(Fault("query", "is not UTF-8"))
        if faults:
            raise Invalid(*faults)
        return values


def _takes_several(filters: type[BaseModel], name: str) -> bool:
    return get_origin(filters.model_fields[name].annotation) is list


def _is_utf8(query: str) -> bool:
    # The framework reads what is none as question marks, and would look for those.
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def _priority(value: Any) -> Any:
    """P1 to P4, or critical, high, medium, low, in any case."""
    if isinstance(value, Priority):
        return value
    found = PRIORITY_WORDS.get(value.strip().casefold()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is not one of P1, P2, P3, P4, critical, high, medium, low")
    return found


PriorityWord = Annotated[
    Priority,
    BeforeValidator(
        _priority, json_schema_input_type=Literal["P1", "P2", "P3", "P4", "critical", "high", "medium", "low"]
    ),
]


def _in_range(value: Any) -> Any:
    # Beyond these years an offset carries an instant past what a database or calendar can say.
    if not 1900 < value.year < 2200:
        raise ValueError("lies too far away")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]


def _address(text: str) -> str:
    try:
        if text:
            validate_email(text.strip())
    except ValidationError:
        raise ValueError("is not an e-mail address") from None
    return text.strip()


Email = Annotated[str, Field(max_length=254), AfterValidator(_address)]


def _id(kind: str, prefix: str) -> AfterValidator:
    """A public id in a body: one that cannot be anybody's is a fault of its field. Empty names nobody."""

    def known(text: str) -> str:
        try:
            if text:
                parsed(prefix, text)
        except NotFound:
            raise ValueError(f"there is no {kind} by that id") from None
        return text

    return AfterValidator(known)


def _team(text: str) -> str:
    # A team goes by its slug as well, which only a query can judge.
    if text.startswith("tem_"):
        try:
            parsed("tem", text)
        except NotFound:
            raise ValueError("there is no team by that id") from None
    return text


AgentId = Annotated[str, Field(max_length=64), _id("agent", "agt")]
CustomerId = Annotated[str, Field(max_length=64), _id("customer", "cus")]
ContactId = Annotated[str, Field(max_length=64), _id("contact", "con")]
TeamName = Annotated[str, Field(max_length=64, description="Slug or id."), AfterValidator(_team)]
