"""Make, list and revoke API keys."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from typing import Any

from flowdesk.config.commands._django import django, tell

BAD_INPUT = 2


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=("create", "list", "revoke"))
    parser.add_argument("--tenant", default="global", help="the tenant's slug (default: global)")
    parser.add_argument("--name", default="", help="create: what the key is for")
    parser.add_argument("--scopes", default="read", help="create: acts, separated by commas (default: read)")
    parser.add_argument("--days", type=_days, help="create: how long the key lives (default: until revoked)")
    parser.add_argument("--limit", type=_limit, help="create: its requests in a window of FLOWDESK_LIMIT_KEY")
    parser.add_argument("--key", default="", help="revoke: the key's first characters, as list shows them")
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def _days(text: str) -> int:
    """A life in days, within a century."""
    if not text.isdecimal() or not 0 < int(text[:9]) <= 36_500:
        raise ArgumentTypeError("must be a whole number from 1 to 36500")
    return int(text)


def _limit(text: str) -> int:
    """A number of requests."""
    if not text.isdecimal() or not 0 < int(text[:10]) < 10**9:
        raise ArgumentTypeError("must be a whole number from 1 to 999999999")
    return int(text)


def run(args: Namespace) -> int:
    with django(args):
        from django.db import connection

        from flowdesk.accounts.models import Tenant
        from flowdesk.core.errors import DomainError

        if Tenant._meta.db_table not in connection.introspection.table_names():
            tell("flowdesk: this database has no tables yet; start Flowdesk, or run flowdesk migrate")
            return BAD_INPUT
        tenant = Tenant.objects.filter(slug=args.tenant).first()
        if tenant is None:
            tell(f"flowdesk: there is no tenant {args.tenant}")
            return BAD_INPUT
        try:
            answer = ACTIONS[args.action](tenant, args)
        except DomainError as error:
            tell(f"flowdesk: {error.message}")
            return BAD_INPUT
    _show(answer, args)
    return 0


def _create(tenant: Any, args: Namespace) -> dict[str, Any]:
    from datetime import timedelta

    from flowdesk.accounts.services import create_key
    from flowdesk.core.actor import system
    from flowdesk.core.time import now

    at = now()
    made = create_key(
        args.name,
        scopes=[scope.strip() for scope in args.scopes.split(",") if scope.strip()],
        by=system(tenant.id),
        now=at,
        expires_at=at + timedelta(days=args.days) if args.days is not None else None,
        limit=args.limit,
    )
    return {"key": made.secret, **_line(made.row)}


def _list(tenant: Any, args: Namespace) -> list[dict[str, Any]]:
    from flowdesk.accounts.models import ApiKey

    return [_line(row) for row in ApiKey.objects.filter(tenant=tenant).order_by("id")]


def _revoke(tenant: Any, args: Namespace) -> dict[str, Any]:
    from flowdesk.accounts.services import revoke_key
    from flowdesk.core.actor import system
    from flowdesk.core.time import now

    return _line(revoke_key(args.key, by=system(tenant.id), now=now()))


def _line(row: Any) -> dict[str, Any]:
    instants = {
        name: getattr(row, name) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")
    }
    return {
        "prefix": row.prefix,
        "name": row.name,
        "scopes": row.scopes,
        "limit": row.limit,
        **{name: at.isoformat() if at else None for name, at in instants.items()},
    }


ACTIONS: Mapping[str, Callable[[Any, Namespace], Any]] = {"create": _create, "list": _list, "revoke": _revoke}


def _show(answer: dict[str, Any] | list[dict[str, Any]], args: Namespace) -> None:
    """The key alone on standard output, so that a script can keep it; the rest is for people."""
    if args.json:
        print(json.dumps(answer))
    elif isinstance(answer, list):
        for line in answer:
            state = "revoked" if line["revoked_at"] else "expires " + (line["expires_at"] or "never")
            print(f"{line['prefix']}…  {','.join(line['scopes']):<40}  {state:<24}  {line['name']}")
    elif "key" in answer:
        print(answer["key"])
        print("Keep it: it is not shown again.", file=sys.stderr)
    else:
        print(f"{answer['prefix']}… is revoked.")
