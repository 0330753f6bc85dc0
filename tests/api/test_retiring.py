"""How an operation leaves, on a small API of the same class."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from ninja import Router

from flowdesk.api.api import Api
from flowdesk.api.retiring import retiring
from flowdesk.api.shapes import Receipt

SINCE, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
READ = "https://desk.example/docs/api#versions"


@pytest.fixture(scope="module")
def small() -> Any:
    router = Router()

    @router.get("/old", response=Receipt, operation_id="old")
    @retiring(since=SINCE, ends_at=ENDS, read=READ)
    def old(request: HttpRequest) -> Receipt:
        return Receipt(id="old")

    @router.get("/new", response=Receipt, operation_id="new")
    def new(request: HttpRequest) -> Receipt:
        return Receipt(id="new")

    api = Api(title="Small", version="1", urls_namespace="small")
    api.add_router("", router)
    return api


def answer(small: Any, path: str) -> Any:
    view = next(one for one in small.urls[0] if one.pattern.match(path))
    return view.callback(RequestFactory().get(f"/{path}"))


def test_a_retiring_operation_works_and_says_when_it_ends(small: Any) -> None:
    response = answer(small, "old")

    assert response.status_code == 200
    assert response["Deprecation"] == "@1767225600"
    assert response["Sunset"] == "Wed, 01 Jul 2026 00:00:00 GMT"
    assert response["Link"] == f'<{READ}>; rel="deprecation"; type="text/html"'


def test_the_others_say_nothing(small: Any) -> None:
    response = answer(small, "new")

    assert response.status_code == 200
    assert not {"Deprecation", "Sunset", "Link"} & set(response.headers)


def test_the_document_says_it_too(small: Any) -> None:
    paths = small.get_openapi_schema(path_prefix="")["paths"]

    assert paths["/old"]["get"]["deprecated"] is True
    assert paths["/old"]["get"]["x-sunset"] == "2026-07-01"
    assert "until 2026-07-01" in paths["/old"]["get"]["description"]
    assert "deprecated" not in paths["/new"]["get"]
