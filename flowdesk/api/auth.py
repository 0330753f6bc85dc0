"""Who asks: a Bearer key of one tenant, with exactly its scopes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from flowdesk.accounts.models import ApiKey
from flowdesk.accounts.services import usable_key
from flowdesk.api.errors import MissingScope, Unauthenticated
from flowdesk.api.limits import count_bad_key, count_key
from flowdesk.api.versions import expected_version
from flowdesk.core.actor import Act, Actor, ActorKind, Role
from flowdesk.core.time import now
from flowdesk.core.trace import trace
from flowdesk.core.versions import Expected


@dataclass(frozen=True, slots=True)
class Client:
    """The program that asks: its key, the actor it is, the instant of the request, and what it expects to find."""

    key: ApiKey
    actor: Actor
    now: datetime
    expected: Expected  # the versions that `If-Match` names

    @property
    def tenant(self) -> int:
        return self.actor.tenant

    @property
    def may_read(self) -> bool:
        """Whether an act may answer with what it changed, or only with a receipt."""
        return self.actor.may(Act.READ)


class Key(HttpBearer):
    """A key as `Authorization: Bearer fdk_…`. Every operation says which scope of the key it needs."""

    def __init__(self, scope: Act | None = None) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Client:
        at = now()
        key = usable_key(token.strip(), at=at)
        if key is None:
            count_bad_key(request)
            raise Unauthenticated("The key is unknown, expired or revoked.")
        count_key(request, key)
        client = Client(key, actor_of(key), at, expected_version(request))
        trace(tenant=key.tenant_id, actor=ActorKind.API_KEY.value, actor_id=key.id)
        if self.scope is not None and not client.actor.may(self.scope):
            raise MissingScope(f"The key lacks the scope {self.scope.value}.")
        return client


def actor_of(key: ApiKey) -> Actor:
    """The actor a key stands for; a scope that is no longer known gives nothing."""
    known = {act.value for act in Act}
    return Actor(
        tenant=key.tenant_id,
        role=Role.API_CLIENT,
        kind=ActorKind.API_KEY,
        id=key.id,
        name=key.name,
        scopes=frozenset(Act(scope) for scope in key.scopes if scope in known),
    )


def needs(scope: Act) -> Key:
    """The key must have this scope."""
    return Key(scope)


def client(request: HttpRequest) -> Client:
    """Who asks, on an operation behind a key."""
    return cast("Client", request.auth)  # type: ignore[attr-defined]
