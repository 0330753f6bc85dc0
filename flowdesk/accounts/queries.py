"""Reads of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import is_password_usable
from django.db.models import Exists, Max, OuterRef, Subquery

from flowdesk.accounts.models import Membership, Session, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of a tenant, by their user's row id."""

    user: int
    name: str
    email: str
    role: str
    disabled_at: datetime | None
    has_password: bool  # False until an invitation is taken up
    has_sessions: bool
    seen_at: datetime | None


def members_of(tenant: Tenant, *, now: datetime) -> list[Member]:
    """Everybody who is or was a member, by name, those shut out last."""
    sessions = Session.objects.filter(user_id=OuterRef("user_id"))
    seen = sessions.order_by().values("user_id").annotate(last=Max("seen_at")).values("last")
    rows = (
        Membership.objects.filter(tenant=tenant)
        .select_related("user")
        .annotate(seen_at=Subquery(seen), has_sessions=Exists(sessions.filter(expire_date__gt=now)))
    )
    found = [
        Member(
            user=row.user_id,
            name=row.user.name,
            email=row.user.email,
            role=row.role,
            disabled_at=row.disabled_at,
            has_password=is_password_usable(row.user.password),
            has_sessions=row.has_sessions,
            seen_at=row.seen_at or row.user.last_login,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.disabled_at is not None, one.name.casefold(), one.user))
