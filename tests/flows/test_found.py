"""A tenant begins."""

from collections.abc import Iterator

import pytest

from flowdesk.accounts.models import Membership, Tenant, User
from flowdesk.core.actor import Role, system
from flowdesk.core.tenant import reading
from flowdesk.engine.escalation import ASSIGNEE, ON_CALL, TEAM_LEAD
from flowdesk.escalation.services import NEXT_LEVEL, load_crew
from flowdesk.flows import found
from flowdesk.flows.found import POSTS, TEAMS, TOP_POST
from flowdesk.people import queries as people
from flowdesk.people.models import Agent, Post, Team
from flowdesk.policies.document import PolicyDocument, read_policy
from flowdesk.policies.holidays import named_holidays
from flowdesk.policies.models import PolicyRevision
from flowdesk.policies.services import pack_source
from flowdesk.tickets.models import Ticket, TicketCounter
from tests.builders import MONDAY_9

POST_SLUGS = {post.slug for post in POSTS}
TEAM_SLUGS = {team.slug for team in TEAMS}
PLACES = {ASSIGNEE, TEAM_LEAD, ON_CALL, NEXT_LEVEL}  # targets that are found on the ticket or the roster

needs_database = pytest.mark.django_db(databases=["default", "owner", "worker"])


@pytest.fixture(scope="module")
def policy() -> PolicyDocument:
    def holidays(code: str) -> tuple[tuple[object, str], ...]:
        return tuple(named_holidays(code, range(2025, 2028)))

    return read_policy(pack_source(), name="standard", revision=1, holidays=holidays)  # type: ignore[arg-type]


def escalation_targets(policy: PolicyDocument) -> Iterator[str]:
    for steps in policy.escalation.ladder.values():
        for step in steps:
            yield from step.to
    for rule in (*policy.escalation.events, *policy.escalation.states):
        yield from rule.to


def test_every_target_of_the_standard_ladder_is_somebody(policy: PolicyDocument) -> None:
    unknown = set(escalation_targets(policy)) - PLACES - POST_SLUGS

    assert unknown == set()


def test_everybody_a_standard_routing_rule_tells_holds_a_post(policy: PolicyDocument) -> None:
    told = {name for rule in policy.routing.rules for name in (*rule.notify, *rule.cc)}

    assert told
    assert told <= POST_SLUGS


def test_every_lane_of_the_standard_hubs_has_an_owner(policy: PolicyDocument) -> None:
    owners = {lane.owner for lane in policy.hubs.lanes} | {policy.hubs.review.owner}

    assert owners <= POST_SLUGS


def test_every_team_the_standard_pack_names_is_there(policy: PolicyDocument) -> None:
    routed = {rule.action.team for rule in policy.routing.rules} | {policy.routing.otherwise.team}
    escalated = {rule.team for rule in (*policy.escalation.events, *policy.escalation.states) if rule.team}

    assert routed | escalated <= TEAM_SLUGS


def test_every_post_falls_upward_until_the_top() -> None:
    above = {post.slug: post.falls_to for post in POSTS}
    for slug in above:
        way = [slug]
        while (up := above[way[-1]]) is not None:
            assert up not in way
            way.append(up)

        assert way[-1] == TOP_POST


@needs_database
def test_a_tenant_is_founded_once_however_often_it_is_asked_for() -> None:
    first = found.found_tenant("global", name="Global", now=MONDAY_9)
    again = found.found_tenant("global", name="Another name", now=MONDAY_9)

    with reading(first.id):
        assert Team.objects.count() == len(TEAMS)
        assert Post.objects.count() == len(POSTS)
        assert PolicyRevision.objects.count() == 1
        assert TicketCounter.objects.count() == 1
    assert again == first
    assert Tenant.objects.get().name == "Global"


@needs_database
def test_the_founder_is_seated_once_and_can_log_in() -> None:
    tenant = found.found_tenant("global", name="Global", now=MONDAY_9)
    by = system(tenant.id)

    founder = found.seat_founder(email="admin@desk.example", name="First admin", by=by, now=MONDAY_9)
    again = found.seat_founder(email="other@desk.example", name="Second", by=by, now=MONDAY_9)

    assert founder is not None
    assert again is None
    membership = Membership.objects.get()
    assert membership.user.check_password(founder.password)
    assert len(founder.password) >= 16


@needs_database
def test_a_password_another_tenant_may_have_chosen_administers_nothing() -> None:
    other = found.found_tenant("other", name="Other", now=MONDAY_9)
    eve = User.objects.create_user("eve@desk.example", "chosen by them", name="Eve")
    Membership.objects.create(user=eve, tenant=other, role=Role.AGENT)
    tenant = found.found_tenant("global", name="Global", now=MONDAY_9)

    founder = found.seat_founder(email=eve.email, name="Eve", by=system(tenant.id), now=MONDAY_9)

    eve.refresh_from_db()
    assert founder is not None
    assert eve.check_password(founder.password)
    assert eve.is_proven


@needs_database
def test_a_founder_who_is_proven_keeps_their_password() -> None:
    first, second = (found.found_tenant(slug, name=slug, now=MONDAY_9) for slug in ("one", "two"))
    known = found.seat_founder(email="eve@desk.example", name="Eve", by=system(first.id), now=MONDAY_9)

    again = found.seat_founder(email="eve@desk.example", name="Eve", by=system(second.id), now=MONDAY_9)

    assert known is not None
    assert again is not None
    assert again.password == ""
    assert User.objects.get().check_password(known.password)


@needs_database
def test_with_the_founder_alone_every_escalation_reaches_a_person(policy: PolicyDocument) -> None:
    tenant = found.found_tenant("global", name="Global", now=MONDAY_9)
    found.seat_founder(email="admin@desk.example", name="First admin", by=system(tenant.id), now=MONDAY_9)

    with reading(tenant.id):
        crew = load_crew(people.teams(), at=MONDAY_9)
        reached = crew.find(sorted(set(escalation_targets(policy))), Ticket(level=1))
        founder = Agent.objects.get()
    assert {one.agent for one in reached} == {founder.id}


@needs_database
def test_a_demo_is_marked_and_a_real_tenant_never_becomes_one() -> None:
    real = found.found_tenant("global", name="Global", now=MONDAY_9)
    same = found.found_demo("global", name="Global", now=MONDAY_9)
    demo = found.found_demo("demo", name="Demo", now=MONDAY_9)

    assert not Tenant.objects.get(id=real.id).is_demo
    assert not same.is_demo
    assert demo.is_demo
