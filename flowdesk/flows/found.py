"""A tenant begins: policy, teams, posts, and the first person who can log in.

Everything here may be done again at any time: what is there already is left as it is.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from flowdesk.accounts import users
from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.accounts.models import Membership, Tenant, User
from flowdesk.core.actor import Act, Actor, Role, system
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import act
from flowdesk.core.text import one_line
from flowdesk.people.models import Agent, Post, Team
from flowdesk.policies.models import PolicyRevision
from flowdesk.policies.services import pack_source, save_revision
from flowdesk.tickets.models import TicketCounter

SLUG, LONGEST_NAME = (
    re.compile("[a-z0-9][a-z0-9-]{0,49}"),
    200,
)  # a slug stands in addresses and in mails' subjects


@dataclass(frozen=True, slots=True)
class NewTeam:
    """A team of the standard house; `level` 0 stands beside the levels."""

    slug: str
    name: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post of the standard house and the one it falls to while vacant."""

    slug: str
    name: str
    falls_to: str | None


# F-RTE-01, F-RTE-02 and the teams that the standard pack routes to.
TEAMS = (
    NewTeam("tier-1", "Tier 1 support", 1),
    NewTeam("tier-2", "Tier 2 senior support", 2),
    NewTeam("engineering", "Engineering", 3),
    NewTeam("billing", "Billing"),
    NewTeam("security", "Security"),
    NewTeam("account-managers", "Account managers"),
    NewTeam("account", "Account"),
    NewTeam("product", "Product"),
    NewTeam("devrel", "Developer relations"),
)

# From the top down, so that each falls to one that is there; every way ends at the top.
TOP_POST = "vp"
POSTS = (
    NewPost(TOP_POST, "Vice president", None),
    NewPost("director", "Director of support", TOP_POST),
    NewPost("cto", "Chief technology officer", TOP_POST),
    NewPost("ciso", "Chief information security officer", "cto"),
    NewPost("legal", "Legal counsel", "director"),
    NewPost("cs_director", "Customer success director", TOP_POST),
    NewPost("cs_lead", "Customer success lead", "cs_director"),
    NewPost("marketing_lead", "Marketing lead", "cs_director"),
    NewPost("account_manager", "Account manager", "cs_director"),
    NewPost("security_lead", "Security lead", "ciso"),
    NewPost("support_manager", "Support manager", "director"),
    NewPost("manager_escalation", "Manager for escalations", "support_manager"),
    NewPost("support_lead", "Support lead", "support_manager"),
    NewPost("escalation_owner", "Escalation owner", "support_lead"),
    NewPost("callback_ops", "Callback operations", "support_lead"),
    NewPost("backup_owner", "Backup owner", "support_lead"),
    NewPost("automation_owner", "Automation owner", "support_lead"),
    NewPost("quality_owner", "Quality owner", "support_lead"),
    NewPost("experience_owner", "Experience owner", "cs_lead"),
)


def found_tenant(slug: str, *, name: str, now: datetime) -> Tenant:
    """The tenant by that slug with the standard house in it, made where it is missing (design section 7).

    The tenant's own row stands outside every tenant, so it is written before the act that furnishes it.
    Raises Invalid naming `tenant` or `name`.
    """
    _must_be_usable(slug, name=name)
    tenant, _ = Tenant.objects.get_or_create(slug=slug, defaults={"name": name, "created_at": now})
    furnish(by=system(tenant.id), now=now)
    return tenant


def _must_be_usable(slug: str, *, name: str) -> None:
    faults = []
    if not SLUG.fullmatch(slug):
        faults.append(
            Fault(
                "tenant",
                "must be of 1 to 50 lower-case letters, digits and hyphens, not beginning with a hyphen",
            )
        )
    if not one_line(name) or len(name) > LONGEST_NAME:
        faults.append(Fault("name", "must be of 1 to 200 characters"))
    if faults:
        raise Invalid(*faults)


def found_demo(slug: str, *, name: str, now: datetime) -> Tenant:
    """As `found_tenant`, for a tenant that is a demo from its first instant on; an existing one stays what it is."""
    _must_be_usable(slug, name=name)
    Tenant.objects.get_or_create(slug=slug, defaults={"name": name, "created_at": now, "is_demo": True})
    return found_tenant(slug, name=name, now=now)


@act
def furnish(*, by: Actor, now: datetime) -> None:
    """Give the tenant its ticket counter, the standard policy, and the teams and posts that policy names."""
    by.must(Act.CONFIGURE)
    TicketCounter.objects.get_or_create(tenant_id=by.tenant)
    if not PolicyRevision.objects.filter(is_current=True).exists():
        save_revision(pack_source(), by=by, at=now)
    known = set(Team.objects.values_list("slug", flat=True))
    Team.objects.bulk_create(
        Team(tenant_id=by.tenant, public_id=new_id(now), slug=team.slug, name=team.name, level=team.level)
        for team in TEAMS
        if team.slug not in known
    )
    _furnish_posts(by.tenant)


def _furnish_posts(tenant: int) -> None:
    rows = {post.slug: post for post in Post.objects.all()}
    for post in POSTS:
        if post.slug not in rows:
            above = rows[post.falls_to] if post.falls_to else None
            rows[post.slug] = Post.objects.create(
                tenant_id=tenant, slug=post.slug, name=post.name, falls_to=above
            )


@dataclass(frozen=True, slots=True)
class Founder:
    """The first person of a tenant; the password is known only here and is never shown again."""

    email: str
    password: str


@act
def seat_founder(*, email: str, name: str, by: Actor, now: datetime, password: str = "") -> Founder | None:
    """The tenant's first administrator, who also holds the top post: what escalates always reaches a person.

    None, and nothing done, when somebody administers the tenant already. Without a password one is made. The
    operator founds and vouches for the person, but for a demo's, whose password everybody knows.
    """
    by.must(Act.CONFIGURE)
    if Membership.objects.filter(tenant_id=by.tenant, role=Role.ADMIN).exists():
        return None
    chosen = password or secrets.token_urlsafe(12)
    is_demo = Tenant.objects.filter(pk=by.tenant, is_demo=True).exists()
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, chosen, name=name, is_proven=not is_demo)
    elif user.is_proven or is_demo:
        chosen = ""  # a user of another tenant keeps the password they have
    else:
        users.vouch_for(user, chosen, by=by, now=now)  # another tenant may have chosen the one there is
    Membership.objects.create(user=user, tenant_id=by.tenant, role=Role.ADMIN)
    record_act(
        AuditAct.MEMBER_ADDED, thing="user", thing_id=user.id, by=by, at=now, after={"role": Role.ADMIN.value}
    )
    agent = Agent.objects.create(
        tenant_id=by.tenant, public_id=new_id(now), user=user, name=name, email=user.email, created_at=now
    )
    Post.objects.filter(slug=TOP_POST, holder__isnull=True).update(holder=agent)
    return Founder(email=user.email, password=chosen)
