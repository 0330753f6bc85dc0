"""Who answers for the lanes now, and whether there are enough of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from flowdesk.engine.escalation import Office, find_people
from flowdesk.engine.roster import Duty, next_duty_at, on_duty
from flowdesk.engine.scoring import Pressure, pressure
from flowdesk.hubs.board import Owner
from flowdesk.people import queries as people
from flowdesk.people.models import Agent

# Where a post falls when the tenant has not said, or has no such post.
FALLS_TO = {"support_lead": "support_manager", "support_manager": "director"}
LAST_RESORT = "support_lead"
TOP = "director"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who is reachable, who holds which post, the places on shift, and when the next shift begins."""

    names: Mapping[int, str]
    posts: Mapping[str, people.PostRow]
    capacity: int
    next_shift_at: datetime | None


def crew_at(now: datetime) -> Crew:
    """The tenant's crew at this instant; people who are away hold no post and no place."""
    rows = Agent.objects.filter(left_at__isnull=True, is_available=True).values_list("id", "name", "capacity")
    agents = {agent: (name, capacity) for agent, name, capacity in rows}
    roster = people.roster([agent for agent, (_, capacity) in agents.items() if capacity > 0])
    here = on_duty(roster, at=now, kind=Duty.WORK)
    return Crew(
        names={agent: name for agent, (name, _) in agents.items()},
        posts={post.slug: post for post in people.posts()},
        capacity=sum(agents[int(agent)][1] for agent in here),
        next_shift_at=None if here else next_duty_at(roster, after=now, kind=Duty.WORK),
    )


def pressure_on(crew: Crew, *, workable: int, over: int, next_due_at: datetime | None) -> Pressure:
    """The pressure of so many workable tickets, `over` of the active ones past a promise.

    While nobody is on shift it only matters whether a promise is broken or falls due before somebody comes.
    """
    falls_due = next_due_at is not None and (crew.next_shift_at is None or next_due_at < crew.next_shift_at)
    return pressure(workable, capacity=crew.capacity, due_before_next_shift=over + int(falls_due))


def owners_of(posts: Collection[str], *, crew: Crew) -> dict[str, Owner]:
    """The person behind each post; a vacant one falls to the next above, and the way there is kept."""
    offices = {
        slug: Office(slug=slug, holder=post.holder_id, falls_to=post.above or _above(slug))
        for slug, post in crew.posts.items()
    }
    for slug in (*posts, *FALLS_TO, *FALLS_TO.values()):
        offices.setdefault(slug, Office(slug=slug, holder=None, falls_to=_above(slug)))
    found = {
        one.target: one
        for one in find_people(
            sorted(set(posts)),
            assignee=None,
            team_lead=None,
            on_call=(),
            offices=offices,
            is_reachable=crew.names.__contains__,
        )
    }
    has_contact = any(one.agent is None for one in found.values()) and people.has_mandatory_contact()
    return {
        slug: Owner(
            post=slug,
            name=crew.posts[slug].name if slug in crew.posts else "",
            agent=one.agent,
            person=crew.names[one.agent] if one.agent is not None else "",
            way=one.way,
            has_contact=has_contact and one.agent is None,
        )
        for slug, one in found.items()
    }


def _above(post: str) -> str | None:
    if post == TOP:
        return None
    return FALLS_TO.get(post, LAST_RESORT)
