"""The API under schemathesis: whatever the document allows or forbids, no 5xx, and answers as the document says.

Derandomised, and bounded by the number of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from pytest_django import DjangoDbBlocker
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from flowdesk.api.api import METHODS, api
from flowdesk.core.time import at as pinned
from tests.api.desk import Desk, a_desk
from tests.api.test_document import a_life, takes_json
from tests.database import ThrowawayDatabase

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

DOCUMENT = api.get_openapi_schema()
for one in DOCUMENT["paths"].values():
    for operation in one.values():
        operation.pop(
            "security", None
        )  # every case is asked with a good key; strangers have tests of their own
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = get_wsgi_application()
load_all_checks()
HOLDS = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
OPERATIONS = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in METHODS
    if method in methods and takes_json(methods[method])
]
EXAMPLES = 16  # of each operation and kind
FRAMEWORK = ("django", "ninja", "pydantic", "psycopg", "traceback", "<class", "site-packages")


@pytest.fixture(scope="module")
def life(
    migrated_database: ThrowawayDatabase, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Desk, dict[str, str]]]:
    """A desk with one of everything, and their ids: made once, since what a test does is rolled back."""
    with django_db_blocker.unblock():
        desk = a_desk()
        ids = a_life(desk)
        connections.close_all()
    yield desk, ids
    with django_db_blocker.unblock():
        connections.close_all()
    migrated_database.restore_rows()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{one} {two}" for one, two in OPERATIONS])
def test_what_the_document_says_is_so(
    life: tuple[Desk, dict[str, str]], method: str, path: str, mode: GenerationMode
) -> None:
    desk, ids = life
    cases = SCHEMA[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_ours=st.booleans())
    def holds(case: Any, is_ours: bool) -> None:
        if is_ours and case.path_parameters:
            case.path_parameters = {
                name: ids.get(name, value) for name, value in case.path_parameters.items()
            }
        response = sent(desk, case)
        case.validate_response(response, checks=HOLDS)
        words = response.text.lower() if response.status_code >= 400 else ""
        assert not [word for word in FRAMEWORK if word in words], words

    with suppress(Unsatisfiable):  # an id and a tag may be any text: there is nothing to forbid
        holds()


# What a tenant decides, and no schema can say: every other case names something there is.
OURS: dict[str, Any] = {
    "tier": "starter",
    "category": "technical",
    "team": "tier-2",
    "target": "on_call",
    "zone": "Europe/Oslo",
    "language": "sv",
    "email": "maja@nordvik.example",
    "fields": {"amount": 7},
    "agent": "",
    "dedicated_agent": "",
    "until": None,
}


def speak_of_ours(case: Any, ids: dict[str, str]) -> None:
    """Let a case name things of the desk where it names any."""
    ours = {**OURS, "contact": ids["contact_id"], "customer": ids["customer_id"]}
    if case.path_parameters:
        case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
    if isinstance(case.body, dict):
        case.body = {name: ours.get(name, value) for name, value in case.body.items()}
    if case.query:
        named = {"ticket": ids["ticket_id"], "assignee": "none", **ours}
        case.query = {
            name: named.get(name, value) for name, value in case.query.items() if name not in ("cursor", "q")
        }


def sent(desk: Desk, case: Any) -> Any:
    """The case's answer, asked with the desk's key."""
    with pinned(desk.now), one_connection():
        return case.call(headers={"Authorization": f"Bearer {desk.key}", "Accept-Encoding": "identity"})


@contextmanager
def one_connection() -> Iterator[None]:
    """Served as a WSGI application, a request would close the connection that holds the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
