"""List, invite, shut out and let in people, set their passwords, end their log-ins."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from getpass import getpass
from typing import Any

from flowdesk.config.commands._django import django, tell

BAD_INPUT = 2


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(ACTIONS))
    parser.add_argument("--tenant", default="global", help="the tenant's slug (default: global)")
    parser.add_argument("--email", default="", help="whom it is about; needed by all but list")
    parser.add_argument("--name", default="", help="add: their name")
    parser.add_argument("--role", default="agent", help="add: agent, lead, manager, admin or auditor")
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    with django(args):
        from flowdesk.accounts.models import Tenant
        from flowdesk.core.errors import DomainError

        tenant = Tenant.objects.filter(slug=args.tenant).first()
        if tenant is None:
            tell(f"flowdesk: there is no tenant {args.tenant}")
            return BAD_INPUT
        try:
            answer, said = ACTIONS[args.action](tenant, args)
        except DomainError as error:
            tell(f"flowdesk: {error.message}")
            return BAD_INPUT
    print(json.dumps(answer) if args.json else said)
    return 0


def _list(tenant: Any, _args: Namespace) -> tuple[Any, str]:
    from flowdesk.accounts.queries import members_of
    from flowdesk.core.time import now

    found = [
        {
            "email": one.email,
            "name": one.name,
            "role": one.role,
            "state": "disabled" if one.disabled_at else "active" if one.has_password else "invited",
            "seen_at": one.seen_at.isoformat() if one.seen_at else None,
        }
        for one in members_of(tenant, now=now())
    ]
    lines = [f"{one['role']:<8} {one['state']:<9} {one['email']:<40} {one['name']}" for one in found]
    return found, "\n".join(lines)


def _add(tenant: Any, args: Namespace) -> tuple[Any, str]:
    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows.members import invite_member

    invited = invite_member(
        args.email, name=args.name or args.email, role=args.role, by=system(tenant.id), now=now()
    )
    said = f"{args.email} is invited; a mail is on its way."
    if invited.link:
        said += f"\nOr hand over this link, which works once within three days:\n{invited.link}"
    return {"email": args.email, "role": args.role, "link": invited.link}, said


def _disable(tenant: Any, args: Namespace) -> tuple[Any, str]:
    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows.members import disable_member

    disable_member(_user(tenant, args).pk, by=system(tenant.id), now=now())
    return {"email": args.email, "state": "disabled"}, f"{args.email} is shut out of '{tenant.slug}'."


def _enable(tenant: Any, args: Namespace) -> tuple[Any, str]:
    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows.members import enable_member

    enable_member(_user(tenant, args).pk, by=system(tenant.id), now=now())
    return {"email": args.email, "state": "active"}, f"{args.email} is let in to '{tenant.slug}' again."


def _end_sessions(tenant: Any, args: Namespace) -> tuple[Any, str]:
    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows.members import end_member_sessions

    count = end_member_sessions(_user(tenant, args).pk, by=system(tenant.id), now=now())
    return {"email": args.email, "ended": count}, f"{count} log-ins of {args.email} have ended."


def _set_password(tenant: Any, args: Namespace) -> tuple[Any, str]:
    from flowdesk.accounts.users import set_password
    from flowdesk.core.actor import system
    from flowdesk.core.time import now

    user = _user(tenant, args)
    set_password(user, _read_password(), by=system(tenant.id), now=now())
    said = f"The password of {args.email} is set, and every log-in of theirs has ended."
    return {"email": args.email, "state": "active"}, said


def _user(tenant: Any, args: Namespace) -> Any:
    """The member by that address; raises Invalid."""
    from flowdesk.accounts.models import User
    from flowdesk.core.errors import invalid

    user = User.objects.filter(memberships__tenant=tenant, email__iexact=args.email).first()
    if user is None:
        raise invalid("email", f"nobody in '{tenant.slug}' has it")
    return user


def _read_password() -> str:
    """Typed twice without an echo, or the first line of a pipe: never an argument, which others could read."""
    from flowdesk.core.errors import invalid

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("New password: ")
    if getpass("The same again: ") != password:
        raise invalid("password", "the two are not the same")
    return password


ACTIONS: Mapping[str, Callable[[Any, Namespace], tuple[Any, str]]] = {
    "list": _list,
    "add": _add,
    "disable": _disable,
    "enable": _enable,
    "end-sessions": _end_sessions,
    "set-password": _set_password,
}
