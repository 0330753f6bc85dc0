"""List tickets that could be one, and merge them when told to."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flowdesk.config.commands._django import django

if TYPE_CHECKING:
    from flowdesk.accounts.models import Tenant

BAD_INPUT = 2
EPILOG = """Active tickets of one person that are alike, the most alike first. Nothing is changed without --merge;
with it each is merged by itself, and each merge can be undone on the ticket's page. Nothing is ever deleted."""
AT_ONCE = 20  # pairs of one act


def add_arguments(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--tenant", required=True, metavar="SLUG", help="whose tickets")
    parser.add_argument(
        "--least",
        type=_share,
        metavar="SCORE",
        help="how alike two must be, from 0 to 1 (default: what the tenant's policy merges from)",
    )
    parser.add_argument(
        "--days", type=_days, default=30, help="how old they may be at the most (default: 30)"
    )
    parser.add_argument("--merge", action="store_true", help="merge what is listed")
    parser.add_argument("--single-role", action="store_true", help="one role for everything (see run)")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return share


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 366:
        raise ArgumentTypeError(f"'{text}' is not a number from 1 to 366")
    return int(text)


def run(args: Namespace) -> int:
    with django(args):
        from flowdesk.accounts.models import Tenant

        tenant = Tenant.objects.filter(slug=args.tenant).first()
        if tenant is None:
            said = f"there is no tenant {args.tenant!r}"
            print(json.dumps({"error": said}) if args.json else f"flowdesk: {said}", file=sys.stderr)
            return BAD_INPUT
        told = _listed(tenant, args)
        if args.merge:
            _merge(tenant, told)
    merged = sum(one["outcome"] == "merged" for one in told)
    if args.json:
        print(json.dumps({"tenant": args.tenant, "merged": merged, "pairs": told}, ensure_ascii=False))
        return 0
    for one in told:
        outcome = f"  {one['outcome']}" if one["outcome"] else ""
        print(
            f"#{one['number']} into #{one['into_number']}  {one['score']:.0%} alike  {one['subject']}{outcome}"
        )
    print(f"{len(told)} pairs, {merged} merged.")
    return 0


def _listed(tenant: Tenant, args: Namespace) -> list[dict[str, Any]]:
    from flowdesk.core.ids import shown
    from flowdesk.core.tenant import reading
    from flowdesk.core.time import now
    from flowdesk.policies.services import current_policy
    from flowdesk.tickets.services import PREFIX
    from flowdesk.triage.doubles import doubles

    with reading(tenant.id):
        least = args.least if args.least is not None else current_policy().triage.duplicates.merge_from
        found = doubles(now=now(), least=least, window=timedelta(days=args.days))
    return [
        {
            "ticket": shown(PREFIX, one.source.public_id),
            "number": one.source.number,
            "into": shown(PREFIX, one.target.public_id),
            "into_number": one.target.number,
            "subject": one.source.subject,
            "score": one.score,
            "outcome": "",
        }
        for one in found
    ]


def _merge(tenant: Tenant, told: list[dict[str, Any]]) -> None:
    """Merge what was listed, and note beside each what came of it."""
    from flowdesk.core.actor import system
    from flowdesk.core.time import now
    from flowdesk.flows.merge import merge_each

    by = system(tenant.id, name="duplicates")
    for start in range(0, len(told), AT_ONCE):
        part = told[start : start + AT_ONCE]
        answers = merge_each([(one["ticket"], one["into"]) for one in part], by=by, now=now())
        for one, answer in zip(part, answers, strict=True):
            one["outcome"] = answer.reason or "merged"
