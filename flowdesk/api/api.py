"""The API as a whole: its routers, how it reads and how it fails, and its OpenAPI document."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from flowdesk.accounts.answers import FIELD
from flowdesk.api import (
    assignments,
    audit,
    clocks,
    customers,
    escalations,
    fields,
    hub,
    imports,
    issues,
    learning,
    me,
    merging,
    people,
    policy,
    routing,
    similar,
    thread,
    tickets,
    triage,
    work,
)
from flowdesk.api.auth import Key
from flowdesk.api.errors import MEDIA_TYPE, Problem, answer_errors
from flowdesk.api.once import LONGEST, UNSAFE, Repeated, answer_repeated, once_per_key
from flowdesk.api.reading import JsonParser
from flowdesk.api.versions import remember_version, tag_answer

DESCRIPTION = """
Flowdesk is a support desk built around its promises. A key belongs to one tenant and has exactly its scopes.

Instants are ISO-8601 with an offset. Ids are opaque. Lists answer `{items, next}`: go on with `cursor` = `next`.
Every failure is a problem document (RFC 9457) that names field and reason; unknown fields are refused by name.
A change may be sent again under an `Idempotency-Key`, and made conditional with `If-Match`; limits answer 429.
"""

METHODS = ("get", "post", "put", "patch", "delete")
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": FIELD,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!#-~]+$"},
    "description": "A name of yours for this request: sent again within a day, it is answered and not done again.",
}


class Api(NinjaAPI):
    """An API with our manners: how it reads and fails, repeats and versions, and what its document tells of that."""

    def __init__(self, **settings: Any) -> None:
        # The framework's own page loads scripts from elsewhere; ours is `docs.page`.
        super().__init__(docs_url=None, openapi_url="/openapi.json", parser=JsonParser(), **settings)
        answer_errors(self)
        self.exception_handler(Repeated)(answer_repeated)
        self.add_decorator(remember_version)
        self.add_decorator(tag_answer, mode="view")
        self.add_decorator(once_per_key, mode="view")  # outermost: what it keeps is the whole answer

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        document["components"]["schemas"]["Problem"] = _flat(Problem.model_json_schema(), document)
        failure = {
            "description": "A problem.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        scopes = _scopes(self)
        for path in document["paths"].values():
            for method, operation in path.items():
                if method not in METHODS:
                    continue
                operation["responses"]["default"] = failure
                if method.upper() in UNSAFE:
                    operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
                if scope := scopes.get(operation["operationId"]):
                    operation["x-scope"] = scope
                    words = f"Needs the scope `{scope}`."
                    operation["description"] = f"{operation.get('description', '')}\n\n{words}".strip()
        return document


def _flat(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema whose parts stand beside it in the document."""
    for name, part in schema.pop("$defs", {}).items():
        document["components"]["schemas"][name] = part
    schema["properties"]["errors"]["items"] = {"$ref": "#/components/schemas/FieldProblem"}
    return schema


def _scopes(built: NinjaAPI) -> dict[str, str]:
    """The scope each operation's key needs, by operation id."""
    found = {}
    for _, router in built._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for key in operation.auth_callbacks:
                    if isinstance(key, Key) and key.scope is not None and operation.operation_id:
                        found[operation.operation_id] = key.scope.value
    return found


api = Api(
    title="Flowdesk",
    version="1",
    description=DESCRIPTION.strip(),
    urls_namespace="api-v1",
)
RESOURCES = (
    me, tickets, similar, thread, work, merging, issues, triage, clocks, escalations, routing, policy, fields,
    assignments, customers, people, hub, imports, learning, audit,
)  # fmt: skip
for resource in RESOURCES:
    api.add_router("", resource.router)
