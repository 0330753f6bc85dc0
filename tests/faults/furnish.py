"""Furnishes tenants for a campaign: `python -m tests.faults.furnish SLUG…` prints each one's API key as JSON.

It runs as a command of the installation whose FLOWDESK_DATA or FLOWDESK_APP_DSN is in the environment. Promises are
of one and two minutes, the shortest a policy can give, so that every rung of the ladder falls due within a campaign.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from datetime import time

from flowdesk.config.commands._django import new_django

MAIL_DOMAIN = "campaign.test-post.net"  # not a reserved name: mail to it goes to the server
PEOPLE = ("Ada Lind", "Bo Ek", "Mia Berg", "Dan Falk")
SHORT_TARGETS = """targets:
    first_response: {P1: {any: 1 m}, P2: {any: 1 m}, P3: {any: 1 m}, P4: {any: 1 m}}
    next_response: {P1: {any: 1 m}, P2: {any: 1 m}, P3: {any: 1 m}, P4: {any: 1 m}}
    resolution: {P1: {any: 2 m}, P2: {any: 2 m}, P3: {any: 2 m}, P4: {any: 2 m}}
  levels:"""
SCOPES = ("open", "work", "read")


def hurried(source: str) -> str:
    """The standard policy with targets and tasks of a minute or two."""
    short, found = re.subn(r"targets:\n.*?\n  levels:", SHORT_TARGETS, source, count=1, flags=re.DOTALL)
    assert found == 1, "the standard pack no longer has targets before levels"
    short, found = re.subn(r"within: \d+ [mh]", "within: 1 m", short)
    assert found
    return short


def furnish(slug: str) -> str:
    """A staffed tenant on the hurried policy; returns a key that may open and answer tickets."""
    from flowdesk.accounts.services import create_key
    from flowdesk.core.actor import system
    from flowdesk.core.tenant import writing
    from flowdesk.core.time import now
    from flowdesk.flows import found
    from flowdesk.policies.services import pack_source, save_revision

    at = now()
    tenant = found.found_tenant(slug, name=slug.title(), now=at)
    by = system(tenant.id)
    found.seat_founder(email=f"founder@{slug}.{MAIL_DOMAIN}", name="Vera Top", by=by, now=at)
    with writing(tenant.id):
        save_revision(hurried(pack_source()), by=by, at=at)
        _staff(tenant.id, slug)
    return create_key("campaign", scopes=SCOPES, by=by, now=at).secret


def _staff(tenant: int, slug: str) -> None:
    """Four people in every team, at work day and night; the last two hold the posts of the ladder."""
    from flowdesk.core.ids import new_id
    from flowdesk.core.time import now
    from flowdesk.people.models import Agent, Post, Shift, Team, TeamMember

    at = now()
    agents = [
        Agent.objects.create(
            tenant_id=tenant, public_id=new_id(at), name=name, languages=["en", "sv"], capacity=30_000,
            email=f"{name.split()[0].lower()}@{slug}.{MAIL_DOMAIN}", created_at=at,
        )
        for name in PEOPLE
    ]  # fmt: skip
    for agent in agents:
        Shift.objects.create(
            tenant_id=tenant, agent=agent, weekdays=list(range(7)), starts=time(0), ends=time(0)
        )
    for team in Team.objects.all():
        team.lead = agents[0]
        team.save(update_fields=["lead"])
        TeamMember.objects.bulk_create(TeamMember(tenant_id=tenant, team=team, agent=one) for one in agents)
    Post.objects.filter(slug="support_manager").update(holder=agents[2])
    Post.objects.filter(slug="director").update(holder=agents[3])


def main() -> None:
    with new_django(Namespace()):
        print(json.dumps({slug: furnish(slug) for slug in sys.argv[1:]}))


if __name__ == "__main__":
    main()
