"""Found a tenant: policy, teams, posts and a first administrator."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from flowdesk.config.commands._django import new_django, tell
from flowdesk.config.commands._login import keep_login, known_login

BAD_INPUT = 2
DEFAULT_EMAIL = "admin@flowdesk.invalid"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tenant", default="global", help="its slug (default: global)")
    parser.add_argument("--name", default="", help="its name (default: made of the slug)")
    parser.add_argument(
        "--email", default=DEFAULT_EMAIL, help=f"of the administrator (default: {DEFAULT_EMAIL})"
    )
    parser.add_argument(
        "--first-start",
        action="store_true",
        help="say no password: flowdesk run shows it, and keeps what this command says in a log",
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def run(args: Namespace) -> int:
    with new_django(args):
        from django.conf import settings

        from flowdesk.core.actor import system
        from flowdesk.core.errors import Invalid
        from flowdesk.core.time import now
        from flowdesk.flows import found

        at = now()
        try:
            tenant = found.found_tenant(args.tenant, name=args.name or args.tenant.title(), now=at)
        except Invalid as fault:
            tell(f"flowdesk: {fault.message}")
            return BAD_INPUT
        founder = found.seat_founder(email=args.email, name="Administrator", by=system(tenant.id), now=at)
        answer = {"tenant": tenant.slug, "email": "", "password": ""}
        if founder is not None:
            answer |= {"email": founder.email, "password": founder.password}
            if founder.password and not known_login(settings.DATA_DIR):
                keep_login(settings.DATA_DIR, answer)
    if args.json:
        print(json.dumps(answer))
    elif founder is None:
        print(f"The tenant '{tenant.slug}' is there, and has its administrator.")
    elif founder.password and not args.first_start:
        print(f"The tenant '{tenant.slug}' is founded. Log in with {founder.email} / {founder.password}")
    elif founder.password:
        print(f"The tenant '{tenant.slug}' is founded.")
    else:
        print(
            f"The tenant '{tenant.slug}' is founded; {founder.email} administers it, with the password they have."
        )
    return 0
