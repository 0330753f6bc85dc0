"""Who works in the demo and whom they serve. All invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from flowdesk.core.actor import Role

DOMAIN = "demo.flowdesk.invalid"
PASSWORD = "flowdesk-demo"  # noqa: S105 - printed at every start; demo tenants hold nothing to protect
LEAD_EMAIL = f"ada@{DOMAIN}"
ADMIN_EMAIL = f"admin@{DOMAIN}"

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WEEKDAYS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Weekly hours in Stockholm; an end at or before the start runs past midnight."""

    days: Sequence[int] = EVERY_DAY
    starts: int
    ends: int

    @property
    def times(self) -> tuple[time, time]:
        return time(self.starts % 24), time(self.ends % 24)


OFFICE = Hours(days=WEEKDAYS, starts=8, ends=17)
DAY, NIGHT = Hours(starts=6, ends=18), Hours(starts=18, ends=6)  # together the clock round


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One agent: where they work, what they can, and which posts they hold."""

    name: str
    team: str
    hours: Hours = DAY
    role: Role = Role.AGENT
    leads: Sequence[str] = ()
    posts: Sequence[str] = ()
    skills: Sequence[str] = ()
    languages: Sequence[str] = ("en", "sv")
    is_senior: bool = False
    capacity: int = 16
    on_call: Hours | None = None

    @property
    def email(self) -> str:
        return f"{plain(self.name.split()[0])}@{DOMAIN}"


COLLEAGUES: Sequence[Colleague] = (
    Colleague(
        name="Ada Lind",
        team="tier-1",
        role=Role.LEAD,
        hours=Hours(starts=0, ends=0),
        leads=("tier-1", "tier-2"),
        posts=("support_lead", "escalation_owner", "automation_owner"),
        is_senior=True,
        capacity=4,
    ),
    Colleague(
        name="Birgitta Alm",
        team="tier-2",
        role=Role.MANAGER,
        hours=OFFICE,
        is_senior=True,
        capacity=2,
        posts=("support_manager", "manager_escalation"),
    ),
    Colleague(name="Bo Ek", team="tier-1", hours=OFFICE),
    Colleague(name="Elsa Nyberg", team="tier-1", hours=Hours(starts=6, ends=15)),
    Colleague(name="Omar Haddad", team="tier-1", hours=Hours(starts=14, ends=23), posts=("callback_ops",)),
    Colleague(name="Grace Okafor", team="tier-1", hours=Hours(starts=22, ends=7), languages=("en", "sv")),
    Colleague(
        name="Tomás Vidal",
        team="tier-1",
        hours=Hours(days=WEEKDAYS, starts=10, ends=19),
        languages=("en", "es"),
        capacity=2,
    ),
    Colleague(name="Karin Sjöberg", team="tier-2", is_senior=True, skills=("api_expert",), capacity=10),
    Colleague(
        name="Daniel Reyes",
        team="tier-2",
        hours=NIGHT,
        is_senior=True,
        languages=("en", "es", "sv"),
        capacity=10,
    ),
    Colleague(name="Maja Holm", team="tier-2", hours=OFFICE, is_senior=True, capacity=10),
    Colleague(
        name="Nils Åberg",
        team="engineering",
        leads=("engineering",),
        is_senior=True,
        capacity=6,
        on_call=DAY,
        posts=("backup_owner",),
    ),
    Colleague(name="Priya Raman", team="engineering", hours=NIGHT, is_senior=True, capacity=6, on_call=NIGHT),
    Colleague(name="Ingrid Falk", team="billing", leads=("billing",)),
    Colleague(name="Henrik Ström", team="billing", hours=OFFICE),
    Colleague(name="Sam Turner", team="billing", hours=NIGHT),
    Colleague(
        name="Leif Brandt", team="security", leads=("security",), posts=("security_lead",), is_senior=True
    ),
    Colleague(name="Amara Diallo", team="security", hours=NIGHT, is_senior=True),
    Colleague(
        name="Cecilia Roos", team="account-managers", leads=("account-managers",), posts=("account_manager",)
    ),
    Colleague(name="James Whitfield", team="account-managers", hours=NIGHT),
    Colleague(name="Jonas Wik", team="account", leads=("account",)),
    Colleague(name="Fatima Noor", team="account", hours=OFFICE),
    Colleague(name="Helen Marsh", team="account", hours=NIGHT),
    Colleague(name="Linnea Strand", team="product", leads=("product",), posts=("experience_owner",)),
    Colleague(name="Marco Bianchi", team="product", hours=NIGHT),
    Colleague(name="Petra Lund", team="devrel", leads=("devrel",), skills=("api_expert",)),
    Colleague(name="Simon Blom", team="devrel", hours=OFFICE, skills=("integration_specialist",)),
    Colleague(name="Yuki Tanaka", team="devrel", hours=NIGHT, skills=("integration_specialist",)),
    # Above the floor: they hold posts and take no tickets.
    Colleague(name="Erik Sandell", team="", role=Role.MANAGER, hours=OFFICE, capacity=0, posts=("director",)),
    Colleague(
        name="Mona Lagerfelt", team="", role=Role.MANAGER, hours=OFFICE, capacity=0, posts=("cto", "ciso")
    ),
    Colleague(
        name="Peter Ahlin",
        team="",
        role=Role.MANAGER,
        hours=OFFICE,
        capacity=0,
        posts=("cs_director", "cs_lead"),
    ),
    Colleague(
        name="Sofia Grahn",
        team="",
        role=Role.MANAGER,
        hours=OFFICE,
        capacity=0,
        posts=("legal", "marketing_lead"),
    ),
)
# Out of office until further notice, and who stands in: true whenever somebody looks.
AWAY = ("Maja Holm", "Karin Sjöberg")
# Vacant on purpose, so that a fall to the next above can be seen.
VACANT = ("quality_owner",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One customer with the people who write for it."""

    name: str
    tier: str
    people: Sequence[str]
    language: str = "en"
    is_vip: bool = False
    manager: str = ""  # the colleague who is theirs
    weight: int = 2  # how often they write

    def address(self, person: str) -> str:
        host = plain(self.name.split()[0])
        return f"{plain(person).replace(' ', '.')}@{host}.invalid"


CLIENTS: Sequence[Client] = (
    Client(
        name="Nordvik Retail",
        tier="enterprise",
        people=("Maja Lund", "Fredrik Ås", "Ellen Vik"),
        language="sv",
        is_vip=True,
        manager="Cecilia Roos",
        weight=5,
    ),
    Client(
        name="Atlas Freight",
        tier="enterprise",
        people=("Rachel Stone", "Ben Carter"),
        manager="James Whitfield",
        weight=4,
    ),
    Client(
        name="Solberga Energi",
        tier="enterprise",
        people=("Anders Hult", "Lina Berg"),
        language="sv",
        manager="Cecilia Roos",
        weight=4,
    ),
    Client(
        name="Meridian Health",
        tier="enterprise",
        people=("Nadia Rahman", "Owen Price"),
        is_vip=True,
        manager="James Whitfield",
        weight=4,
    ),
    Client(name="Kvarnby Bryggeri", tier="enterprise", people=("Jenny Moberg",), language="sv", weight=3),
    Client(name="Highland Rail", tier="enterprise", people=("Fiona Grant", "Callum Reid"), weight=3),
    Client(
        name="Havsvind Logistik",
        tier="professional",
        people=("Oskar Dahl", "Mina Åkesson"),
        language="sv",
        weight=4,
    ),
    Client(name="Pinecrest Hotels", tier="professional", people=("Laura Mills", "Tony Greco"), weight=4),
    Client(name="Lagom Möbler", tier="professional", people=("Stina Öberg",), language="sv", weight=3),
    Client(name="Brightwater Labs", tier="professional", people=("Imran Shah", "Chloe Evans"), weight=4),
    Client(name="Casa Olivo", tier="professional", people=("Lucía Ortega",), language="es", weight=1),
    Client(name="Fjällglänta Resor", tier="professional", people=("Per Lindahl",), language="sv", weight=3),
    Client(name="Sterling Legal", tier="professional", people=("Margaret Hughes",), is_vip=True, weight=2),
    Client(name="Tidewater Marine", tier="professional", people=("Joe Adkins",), weight=3),
    Client(name="Puerto Azul", tier="starter", people=("Diego Marín",), language="es", weight=1),
    Client(
        name="Ekbacka Skola", tier="starter", people=("Karin Frisk", "Ali Demir"), language="sv", weight=3
    ),
    Client(name="Copper Kettle", tier="starter", people=("Hannah Doyle",), weight=3),
    Client(name="Studio Granit", tier="starter", people=("Viktor Palm",), language="sv", weight=3),
    Client(name="Maple Dental", tier="starter", people=("Sandra Kim",), weight=3),
    Client(name="Blåbär Media", tier="starter", people=("Tove Ekman",), language="sv", weight=2),
    Client(name="Redbrick Cycles", tier="starter", people=("Liam Walsh",), weight=3),
    Client(name="Harbour Books", tier="starter", people=("Alice Tan",), weight=2),
    Client(name="Torpets Trädgård", tier="free", people=("Gunilla Nord",), language="sv", weight=2),
    Client(name="Quill and Ink", tier="free", people=("Edgar Moss",), weight=2),
    Client(name="Sunday Yoga", tier="free", people=("Priscilla Wong",), weight=2),
    Client(name="Lillån Fiske", tier="free", people=("Roger Sand",), language="sv", weight=2),
    Client(name="Tiny Robots", tier="free", people=("Max Adler",), weight=2),
    Client(name="Corner Bakery", tier="free", people=("Rosa Bell",), weight=2),
)

_PLAIN = str.maketrans("åäöéíáúøæñ", "aaoeiauoan")


def plain(name: str) -> str:
    """A name as an address spells it."""
    return name.lower().translate(_PLAIN)
