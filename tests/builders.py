"""A desk to test with: a tenant with the standard policy, three stock people and what surrounds them.

Ada leads, Bo works, Cleo is a stranger: she works in another tenant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from flowdesk.accounts.models import Membership, Tenant, User
from flowdesk.core.actor import Actor, ActorKind, Role, system
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import reading, writing
from flowdesk.intake.services import InboundMessage
from flowdesk.people.models import Agent, Contact, Customer, Post, Shift, ShiftKind, Team, TeamMember
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets.models import TicketCounter
from flowdesk.tickets.states import Channel

MONDAY_9 = datetime(2026, 6, 15, 7, 0, tzinfo=UTC)  # 09:00 in Stockholm


@dataclass(frozen=True, slots=True)
class World:
    tenant: Tenant
    ada: Actor
    bo: Actor
    ada_agent: Agent
    bo_agent: Agent
    tier_1: Team
    engineering: Team


def a_world(slug: str = "global", *, at: datetime = MONDAY_9, policy: str = "") -> World:
    """A tenant with two agents round the clock, the standard teams, and Ada on call."""
    tenant = Tenant.objects.create(slug=slug, name=slug.title(), created_at=at)
    users = {}
    for name, role in (("Ada Lind", Role.LEAD), ("Bo Ek", Role.AGENT)):
        users[name] = User.objects.create_user(
            f"{name.split()[0].lower()}@{slug}.example", "s3cret-words", name=name
        )
        Membership.objects.create(user=users[name], tenant=tenant, role=role)
    with writing(tenant.id):
        TicketCounter.objects.create(tenant=tenant)
        save_revision(policy or pack_source(), by=system(tenant.id), at=at)
        agents = {
            name: Agent.objects.create(
                tenant=tenant, public_id=new_id(at), user=user, name=name, email=user.email, languages=["en", "sv"],
                skills=["api_expert"], capacity=50, created_at=at,
            )
            for name, user in users.items()
        }  # fmt: skip
        teams = {}
        for slug_, level in (
            ("tier-1", 1),
            ("tier-2", 2),
            ("engineering", 3),
            ("billing", 0),
            ("security", 0),
            ("account-managers", 0),
            ("account", 0),
            ("product", 0),
            ("devrel", 0),
        ):
            team = Team.objects.create(
                tenant=tenant,
                public_id=new_id(at),
                slug=slug_,
                name=slug_.title(),
                level=level,
                lead=agents["Ada Lind"],
            )
            teams[slug_] = team
            TeamMember.objects.create(tenant=tenant, team=team, agent=agents["Bo Ek"])
        for agent in agents.values():
            Shift.objects.create(
                tenant=tenant,
                agent=agent,
                weekdays=list(range(7)),
                starts=time(0),
                ends=time(0),
                kind=ShiftKind.WORK,
            )
        Shift.objects.create(
            tenant=tenant,
            agent=agents["Ada Lind"],
            team=teams["engineering"],
            weekdays=list(range(7)),
            starts=time(0),
            ends=time(0),
            kind=ShiftKind.ON_CALL,
        )
        director = Post.objects.create(
            tenant=tenant, slug="director", name="Director", holder=agents["Ada Lind"]
        )
        manager = Post.objects.create(
            tenant=tenant, slug="support_manager", name="Support manager", falls_to=director
        )
        Post.objects.create(tenant=tenant, slug="support_lead", name="Support lead", falls_to=manager)

    def actor(name: str, role: Role) -> Actor:
        return Actor(
            tenant=tenant.id,
            role=role,
            kind=ActorKind.USER,
            id=users[name].id,
            agent=agents[name].id,
            name=name,
        )

    return World(
        tenant=tenant,
        ada=actor("Ada Lind", Role.LEAD),
        bo=actor("Bo Ek", Role.AGENT),
        ada_agent=agents["Ada Lind"],
        bo_agent=agents["Bo Ek"],
        tier_1=teams["tier-1"],
        engineering=teams["engineering"],
    )


def a_customer(
    world: World, *, name: str = "Nordvik Retail", tier: str = "enterprise", at: datetime = MONDAY_9
) -> Customer:
    with writing(world.tenant.id):
        customer = Customer.objects.create(
            tenant=world.tenant, public_id=new_id(at), name=name, tier=tier, created_at=at
        )
        Contact.objects.create(
            tenant=world.tenant, public_id=new_id(at), customer=customer, name="Maja Lund",
            email=f"maja@{name.split()[0].lower()}.example", created_at=at,
        )  # fmt: skip
    return customer


def a_message(
    *,
    subject: str = "Where do I change the reply language?",
    text: str = "I cannot find the setting.",
    email: str = "maja@nordvik.example",
    channel: Channel = Channel.EMAIL,
) -> InboundMessage:
    return InboundMessage(channel=channel, subject=subject, text=text, email=email)


__all__ = ["MONDAY_9", "World", "a_customer", "a_message", "a_world", "reading"]
