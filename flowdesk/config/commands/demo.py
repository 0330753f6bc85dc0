"""Fill a tenant with a lively demo, and keep it moving."""

from __future__ import annotations

import json
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flowdesk.config.commands._django import new_django, tell
from flowdesk.config.commands._login import keep_login, known_login, sample_call

REFUSED = 2
DEFAULT_TICKETS = 270  # about thirty more join at the end, until enough are on time


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--tenant", default="global", help="the demo tenant's slug (default: global)")
    parser.add_argument(
        "--tickets",
        type=_count,
        default=DEFAULT_TICKETS,
        help=f"in the week before now (default: {DEFAULT_TICKETS})",
    )
    parser.add_argument("--move", action="store_true", help="keep a loaded demo alive until stopped")
    parser.add_argument(
        "--first-start",
        action="store_true",
        help="leave a tenant that people work in alone, without complaint",
    )
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def _count(text: str) -> int:
    if not text.isdecimal() or not 20 <= int(text) <= 5000:
        raise ArgumentTypeError(f"'{text}' is not a number from 20 to 5000")
    return int(text)


def run(args: Namespace) -> int:
    with new_django(args):
        return _move(args) if args.move else _load(args)


def _load(args: Namespace) -> int:
    from django.conf import settings

    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows import found
    from flowdesk.worker.demo import cast
    from flowdesk.worker.demo.load import count, has_tickets, load_week, train_models
    from flowdesk.worker.demo.script import Numbers
    from flowdesk.worker.demo.stage import NotADemo, must_be_demo

    at = now()
    tenant = found.found_demo(args.tenant, name=args.tenant.title(), now=at)
    try:
        must_be_demo(tenant)
    except NotADemo as refusal:
        tell(f"flowdesk: {refusal}")
        return 0 if args.first_start else REFUSED
    found.seat_founder(
        email=cast.ADMIN_EMAIL, name="Administrator", password=cast.PASSWORD, by=system(tenant.id), now=at
    )
    if is_new := not has_tickets(tenant):
        tell(f"demo: playing the last seven days into '{tenant.slug}' ({args.tickets} tickets)")
        loaded = load_week(tenant, now=at, progress=_teller(), numbers=Numbers.scaled(args.tickets))
        tell(_learned(train_models(tenant, clock=now)))
    else:
        loaded = count(tenant, now=at)
    login = _login(tenant, settings.DATA_DIR, at)
    if args.json:
        print(json.dumps({"loaded": is_new, **asdict(loaded), **login}))
        return 0
    done = f"played in {loaded.seconds:.0f} s" if is_new else "there already"
    print(
        f"demo: {done}; {loaded.tickets} tickets, {loaded.active} active: {loaded.over} over, "
        f"{loaded.at_risk} at risk, {loaded.waiting} waiting, {loaded.unassigned} unassigned"
    )
    if not args.first_start:
        print(_try_this(settings.PUBLIC_URL, login))
    return 0


def _login(tenant: Any, folder: Any, at: Any) -> dict[str, str]:
    """The demo's logins and key; the key is made once, and anew only where it was lost."""
    from flowdesk.accounts.services import create_key
    from flowdesk.core.actor import Act, system
    from flowdesk.worker.demo import cast

    known = known_login(folder)
    if known.get("tenant") == tenant.slug and known.get("api_key"):
        return known
    scopes = [Act.READ.value, Act.OPEN.value, Act.WORK.value, Act.ACKNOWLEDGE.value]
    key = create_key("Demo", scopes=scopes, by=system(tenant.id), now=at)
    login = {
        "tenant": tenant.slug, "email": cast.LEAD_EMAIL, "password": cast.PASSWORD, "admin": cast.ADMIN_EMAIL,
        "api_key": key.secret,
    }  # fmt: skip
    if not known or known.get("tenant") == tenant.slug:
        keep_login(folder, login)
    return login


def _learned(models: list[Any]) -> str:
    """What training on the week has come to, with a word where there was nothing to train with."""
    if not models:
        return "demo: nothing was learned from the week: training needs the extra 'ml'"
    return "demo: " + ", ".join(
        f"a model of the {model.target} is "
        + {"in_use": "in use", "kept": "no better than the rules"}.get(model.state, model.fault)
        for model in models
    )


def _try_this(address: str, login: dict[str, str]) -> str:
    return "\n".join(
        (
            f"  Log in      {login['email']} / {login['password']} (leads), {login['admin']} (administers)",
            f"  Look at     {address}/flow/tickets/sla",
            "  Then open an enterprise P1 and watch it climb on that page:",
            f"  {sample_call(address, login['api_key'])}",
        )
    )


def _teller() -> Callable[[int, int], None]:
    """Says every tenth part."""
    told = 0

    def progress(done: int, of: int) -> None:
        nonlocal told
        if (part := done * 10 // of) > told:
            told = part
            tell(f"demo: {part * 10:3d} %")

    return progress


def _move(args: Namespace) -> int:
    from flowdesk.accounts.models import Tenant
    from flowdesk.worker.demo.load import has_tickets
    from flowdesk.worker.demo.move import keep_moving

    tenant = Tenant.objects.filter(slug=args.tenant).first()
    if tenant is None or not tenant.is_demo or not has_tickets(tenant):
        tell("demo: nothing to move here")
        return 0
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tell(f"demo: '{tenant.slug}' is alive")
    keep_moving(tenant, stop)
    return 0
