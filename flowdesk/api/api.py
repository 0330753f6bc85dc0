"""The API as a whole: its routers, how it reads and how it fails, and its OpenAPI document."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from flowdesk.api import clocks, customers, escalations, hub, me, people, thread, tickets, work
from flowdesk.api.auth import Key
from flowdesk.api.errors import MEDIA_TYPE, Problem, answer_errors
from flowdesk.api.reading import JsonParser

DESCRIPTION = """
Flowdesk is a support desk built around its promises. A key belongs to one tenant and has exactly its scopes.

Instants are ISO-8601 with an offset. Ids are opaque. Lists answer `{items, next}`: go on with `cursor` = `next`.
Every failure is a problem document (RFC 9457) that names field and reason; unknown fields are refused by name.
"""

METHODS = ("get", "post", "put", "patch", "delete")


class Api(NinjaAPI):
    """Adds to every operation how it fails, and which scope its key needs."""

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
    openapi_url="/openapi.json",
    docs_url=None,  # the framework's page loads scripts from elsewhere; ours is `docs.page`
    parser=JsonParser(),
    urls_namespace="api-v1",
)
answer_errors(api)
for resource in (me, tickets, thread, work, clocks, escalations, customers, people, hub):
    api.add_router("", resource.router)
