"""The API's page for people: every operation, rendered by us, without any script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from flowdesk.api.api import METHODS, api


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    name: str
    kind: str
    is_required: bool
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLine:
    tag: str
    method: str
    path: str
    summary: str
    words: str
    scope: str
    query: tuple[FieldLine, ...] = ()
    body: tuple[FieldLine, ...] = field(default=())


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    document = api.get_openapi_schema()
    lines = list(_lines(document))
    groups = [(tag, list(group)) for tag, group in groupby(lines, key=lambda line: line.tag)]
    return render(request, "api/docs.html", {"groups": groups, "info": document["info"]})


def _lines(document: dict[str, Any]) -> Iterator[OperationLine]:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method in METHODS:
            operation = methods.get(method)
            if operation is None:
                continue
            asked = (
                operation.get("requestBody", {})
                .get("content", {})
                .get("application/json", {})
                .get("schema", {})
            )
            yield OperationLine(
                tag=operation.get("tags", ["other"])[0],
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                words=operation.get("description", ""),
                scope=operation.get("x-scope", ""),
                query=tuple(_parameters(operation, schemas)),
                body=tuple(_fields(asked, schemas)),
            )


def _parameters(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[FieldLine]:
    for one in operation["parameters"]:
        if one["in"] == "query":
            yield FieldLine(
                name=one["name"],
                kind=_kind(one["schema"], schemas),
                is_required=one["required"],
                words=one["schema"].get("description", ""),
            )


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[FieldLine]:
    for choice in schema.get("anyOf", [schema]):
        known = schemas.get(choice.get("$ref", "").rpartition("/")[2], {})
        for name, part in known.get("properties", {}).items():
            yield FieldLine(
                name=name,
                kind=_kind(part, schemas),
                is_required=name in known.get("required", []),
                words=part.get("description", ""),
            )


def _kind(part: dict[str, Any], schemas: dict[str, Any]) -> str:
    """A type in a word or two."""
    if "$ref" in part:
        known = schemas.get(part["$ref"].rpartition("/")[2], {})
        return " | ".join(str(one) for one in known.get("enum", ())) or str(known.get("type", "object"))
    for several in ("anyOf", "allOf"):
        if several in part:
            kinds = [_kind(one, schemas) for one in part[several] if one.get("type") != "null"]
            return " | ".join(dict.fromkeys(kinds))
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}), schemas)}"
    if "enum" in part:
        return " | ".join(str(one) for one in part["enum"])
    return str(part.get("format") or part.get("type", "any"))
