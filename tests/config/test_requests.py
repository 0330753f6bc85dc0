"""Every answer has an id, and every request one line and one measurement, by route and never by address."""

from __future__ import annotations

import pytest
from django.test import Client

from flowdesk.core import metrics
from tests.config.story import captured, lines

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.mark.parametrize("given", ["a-good_id.1".replace(".", "x"), "12345678", "f" * 64])
def test_an_id_that_was_given_is_kept(given: str) -> None:
    assert Client().get("/healthz", headers={"X-Request-Id": given})["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "short", "f" * 65, "with space", "<script>alert", "åäöåäöåäö"])
def test_an_id_that_cannot_be_used_is_replaced(given: str) -> None:
    made = Client().get("/healthz", headers={"X-Request-Id": given})["X-Request-Id"]

    assert made != given
    assert len(made) == 16


def test_a_refusal_and_a_missing_page_have_an_id_and_a_line_too() -> None:
    with captured() as log:
        answers = [Client().get(path) for path in ("/api/v1/tickets", "/api/v1/nowhere", "/nowhere/at-all")]

    served = [line for line in lines(log) if line["event"] == "request_served"]
    assert [line["status"] for line in served] == [401, 404, 404]
    assert [line["request"] for line in served] == [answer["X-Request-Id"] for answer in answers]
    assert "at-all" not in log.getvalue()


def test_a_request_is_counted_by_its_route_method_and_status() -> None:
    def count() -> float:
        key = metrics.BETWEEN.join(("login", "GET", "200"))
        return sum(metrics.REQUESTS.samples().get(key, [0.0, 0.0])[:-1])

    before = count()
    Client().get("/login?next=/flow/inbox")

    assert count() == before + 1


def test_a_method_that_nobody_knows_makes_no_series_of_its_own() -> None:
    for number in range(3):
        Client().generic(f"BREW{number}", "/login")

    assert {key.split(metrics.BETWEEN)[1] for key in metrics.REQUESTS.samples()} <= {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER",
    }  # fmt: skip
