"""Who acts: a person, a program or the system itself, with a role inside one tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flowdesk.core.errors import Forbidden


class Role(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"
    API_CLIENT = "api_client"
    SYSTEM = "system"


class Act(StrEnum):
    """What a role may be allowed to do."""

    READ = "read"  # see tickets, customers, hubs
    OPEN = "open"  # open a ticket
    WORK = "work"  # reply, note, wait, resolve, take
    ASSIGN = "assign"  # give a ticket to somebody
    PRIORITISE = "prioritise"
    ESCALATE = "escalate"
    ACKNOWLEDGE = "acknowledge"
    PUBLISH = "publish"  # launch reports and status notes
    AUTOMATE = "automate"  # run the ticket automation by hand
    MANAGE_CUSTOMERS = "manage_customers"
    CONFIGURE = "configure"  # policies, people, keys
    AUDIT = "audit"  # read the audit log
    IMPORT = "import"


class ActorKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    CONTACT = "contact"
    SYSTEM = "system"


_WORKING = frozenset(
    {
        Act.READ,
        Act.OPEN,
        Act.WORK,
        Act.ASSIGN,
        Act.PRIORITISE,
        Act.ESCALATE,
        Act.ACKNOWLEDGE,
        Act.MANAGE_CUSTOMERS,
    }
)
_LEADING = _WORKING | {Act.PUBLISH, Act.AUTOMATE}

GRANTS: Mapping[Role, frozenset[Act]] = {
    Role.CUSTOMER: frozenset({Act.OPEN}),
    Role.AGENT: _WORKING,
    Role.LEAD: _LEADING,
    Role.MANAGER: _LEADING | {Act.CONFIGURE},
    Role.ADMIN: frozenset(Act),
    Role.AUDITOR: frozenset({Act.READ, Act.AUDIT}),
    Role.API_CLIENT: frozenset(),  # a key has exactly its scopes
    Role.SYSTEM: frozenset(Act),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one who asks; `tenant` is the row id of the only tenant they can touch."""

    tenant: int
    role: Role
    kind: ActorKind
    id: int | None = None
    agent: int | None = None  # the agent row this user works as, if any
    name: str = ""
    scopes: frozenset[Act] = field(default_factory=frozenset)

    def may(self, act: Act) -> bool:
        """Whether this actor's role, or a key's scopes, allow the act."""
        return act in (self.scopes if self.role is Role.API_CLIENT else GRANTS[self.role])

    def must(self, act: Act, thing: object = None) -> None:
        """Raise Forbidden unless the act is allowed; `thing`, if it has a tenant, must be the actor's own."""
        tenant = getattr(thing, "tenant_id", self.tenant)
        if tenant != self.tenant or not self.may(act):
            raise Forbidden


def system(tenant: int, *, name: str = "flowdesk") -> Actor:
    """The system acting by itself: sweeps, schedules, imports."""
    return Actor(tenant=tenant, role=Role.SYSTEM, kind=ActorKind.SYSTEM, name=name)
