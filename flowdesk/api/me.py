"""Who am I: the key, its tenant and its scopes."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router

from flowdesk.api.auth import Key, client
from flowdesk.api.shapes import Out

router = Router(tags=["me"], auth=Key())


class TenantOut(Out):
    slug: str
    name: str
    language: str
    zone: str


class Me(Out):
    key: str  # its first characters
    name: str
    scopes: list[str]
    expires_at: datetime | None
    tenant: TenantOut


@router.get("/me", response=Me, operation_id="read_me", summary="Who am I?")
def read_me(request: HttpRequest) -> Me:
    """The key that asks, what it may do, and the one tenant it can touch."""
    key = client(request).key
    tenant = key.tenant
    return Me(
        key=key.prefix,
        name=key.name,
        scopes=sorted(act.value for act in client(request).actor.scopes),
        expires_at=key.expires_at,
        tenant=TenantOut(slug=tenant.slug, name=tenant.name, language=tenant.language, zone=tenant.zone),
    )
