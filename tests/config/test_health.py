"""Alive, and ready: what a load balancer is told, and what it is not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from flowdesk.config import health
from flowdesk.config.commands import web
from flowdesk.config.health import Readiness, missing_migrations, readiness
from flowdesk.core.processes import watch

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(health, "readiness", Readiness())
    yield
    readiness.stopping.clear()


def asked() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/readyz")
    return answer.status_code, json.loads(answer.content)


def test_a_process_with_its_database_and_its_tables_is_ready() -> None:
    assert missing_migrations() == set()
    assert asked() == (200, {"status": "ok", "reasons": [], "notes": []})


def test_without_a_database_it_is_alive_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("connection to 10.0.0.7 refused")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", away)
        broken.setattr(connection, "close", lambda: None)
        status, body = asked()
        assert Client().get("/healthz").status_code == 200

    assert (status, body["reasons"]) == (503, ["database_unreachable"])
    assert "10.0.0.7" not in json.dumps(body)


def test_a_missing_migration_keeps_requests_away_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KNOWN_FOR", 0.0)
    with monkeypatch.context() as broken:
        broken.setattr(health, "missing_migrations", lambda: {("tickets", "0099_next")})
        assert asked() == (503, {"status": "unready", "reasons": ["migrations_missing"], "notes": []})

    assert asked()[0] == 200


def test_an_answer_is_given_again_for_a_second(django_assert_num_queries: Any) -> None:
    asked()

    with django_assert_num_queries(0):
        assert asked()[0] == 200


def test_a_late_engine_is_told_and_turns_nobody_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "note", "worker_silent")

    assert asked() == (200, {"status": "ok", "reasons": [], "notes": ["worker_silent"]})


class Server:
    """Stands for granian's: only how it is told to stop matters here."""

    def __init__(self) -> None:
        self.is_stopped = False

    def signal_handler_interrupt(self, *_: object) -> None:
        self.is_stopped = True


def test_a_server_told_to_stop_says_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "readiness", readiness)
    server = Server()
    web._drain_first(server, seconds=3600)
    server.signal_handler_interrupt()

    assert not server.is_stopped
    assert asked() == (503, {"status": "unready", "reasons": ["stopping"], "notes": []})
    server.signal_handler_interrupt()  # somebody insists
    assert server.is_stopped


def test_a_server_without_a_drain_stops_at_once() -> None:
    server = Server()
    web._drain_first(server, seconds=0)
    server.signal_handler_interrupt()

    assert server.is_stopped


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_server_process_that_was_forked_before_hears_of_the_stop() -> None:
    flag = health.SharedFlag()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(told, 1)
        os._exit(7 if flag.is_set() else 0)
    flag.set()
    os.write(tell, b"x")

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
