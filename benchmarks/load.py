"""Fills a database with tickets as a year has made them.

    python -m benchmarks load --tickets 100000 --database-url postgresql://superuser@host/database

A few thousand lives (`benchmarks.lives`) are lived by the engine and dealt to as many tickets as are wanted, each to
another customer, by COPY. Tickets, clocks, messages, events, escalations, notes and waits agree with one another as
they would had the flows written them; explanations and deliveries are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.desk import point_django_at
from benchmarks.lives import MINUTE, House, Life, Place, author_of
from flowdesk.core.actor import ActorKind
from flowdesk.core.embedded.roles import Dsns
from flowdesk.core.tenant import reading
from flowdesk.core.time import now
from flowdesk.engine.clock import Metric
from flowdesk.escalation.services import load_crew
from flowdesk.flows.found import found_demo
from flowdesk.people import queries as people
from flowdesk.people.models import Agent, TeamMember
from flowdesk.policies.services import current_policy
from flowdesk.sla.mapping import verdict_of
from flowdesk.sla.sql import INSERT_CLOCKS
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.standing import recount_standing
from flowdesk.tickets.states import TaskKind, TaskOutcome
from flowdesk.worker.demo.sample import library
from flowdesk.worker.demo.stage import seat_cast

SEED = 20260302
LIVES = 8_000
YEAR, BACKLOG = (
    timedelta(days=365),
    timedelta(days=30),
)  # how long ago the oldest ticket came, and the oldest active one
TIERS = {"enterprise": 10, "professional": 20, "starter": 30, "free": 40}  # how often each writes
TICKETS_A_CUSTOMER, CONTACTS_A_CUSTOMER = 100, 2

Say = Callable[[str], None]
Connection = psycopg.Connection[Any]


def load(
    admin: str,
    *,
    tickets: int,
    active: int,
    now: datetime,
    slug: str,
    say: Say,
    lives: int = LIVES,
    seed: int = SEED,
) -> int:
    """Fill a new tenant of the database that Django is connected to; returns its row id.

    `lives` are lived at the most, and dealt to more tickets than that. The same seed, slug and instant give the same
    rows. `admin` is the connection string of a superuser there: COPY does not go through row level
    security.
    """
    chance = Random(f"{seed} {slug}")
    house = found_house(slug, at=now - YEAR - MINUTE)
    say(f"  {min(lives, tickets):,} lives")
    lived = dealt_lives(house, tickets=tickets, active=active, lives=lives, now=now, chance=chance)
    with psycopg.connect(admin) as connection:
        # As a replica the server checks no foreign keys and fires no triggers; the loader's test does.
        connection.execute("set local session_replication_role = replica")
        cards = Cards(connection, house, lived, now=now, chance=chance)
        for table, columns, rows in cards.tables():
            say(f"  {table}")
            copy_rows(connection, table, columns, rows)
        connection.execute(
            "update tickets_ticketcounter set next_number = %s where tenant_id = %s",
            [tickets + 1, house.tenant],
        )
    recount_standing()
    with psycopg.connect(admin, autocommit=True) as connection:
        say("  vacuum and analyze")  # as the server does by itself once rows have been there for a while
        connection.execute("vacuum (analyze)")
    return house.tenant


def found_house(slug: str, *, at: datetime) -> House:
    """A tenant with the standard policy and the demo's colleagues."""
    tenant = found_demo(slug, name=slug, now=at)
    seat_cast(tenant, at=at)
    with reading(tenant.id):
        members: dict[int, list[int]] = {}
        for team, agent in TeamMember.objects.order_by("id").values_list("team_id", "agent_id"):
            members.setdefault(team, []).append(agent)
        return House(
            tenant=tenant.id,
            policy=current_policy(),
            crew=load_crew(people.teams(), at=at),
            members=members,
            users=dict(Agent.objects.values_list("id", "user_id")),
        )


# -- lives


def dealt_lives(
    house: House, *, tickets: int, active: int, lives: int, now: datetime, chance: Random
) -> list[tuple[Life, int]]:
    """Lives with the number of tickets that each is dealt to, in the order in which they began."""
    few = min(active, lives // 4)
    many = min(tickets - active, lives - few)
    live = _Nursery(house, now, chance)
    lived = [
        *zip((live.active() for _ in range(few)), _shares(active, few), strict=True),
        *zip((live.ended() for _ in range(many)), _shares(tickets - active, many), strict=True),
    ]
    return sorted(lived, key=lambda dealt: dealt[0].born)


def _shares(whole: int, parts: int) -> Iterator[int]:
    return (whole * (at + 1) // parts - whole * at // parts for at in range(parts))


@dataclass(frozen=True, slots=True)
class _Nursery:
    house: House
    now: datetime
    chance: Random

    def active(self) -> Life:
        """A life that is not over, begun in the last month; a little more often in its last days."""
        while True:
            life = self._live(self.now - BACKLOG * self.chance.random() ** 1.2, stays_open=True)
            if life.ticket.is_active:
                return life

    def ended(self) -> Life:
        """A life that is over, begun at any time of the year in the rhythm of a real week."""
        while True:
            week = self.now - timedelta(days=self.now.weekday() + 7 * self.chance.randrange(52))
            monday = week.replace(hour=0, minute=0, second=0, microsecond=0)
            life = self._live(monday, stays_open=False)
            if life.born < self.now and not life.ticket.is_active:
                return life

    def _live(self, since: datetime, *, stays_open: bool) -> Life:
        chance, books = self.chance, library()
        history = chance.choice(books.histories)
        category = chance.choice(list(books.queries))
        minute = 0 if stays_open else history.week_minute
        born = since + minute * MINUTE + timedelta(seconds=chance.randrange(60))
        return Life(
            house=self.house,
            history=history,
            opening=chance.choice(books.queries[category]),
            tier=chance.choices(list(TIERS), list(TIERS.values()))[0],
            born=min(born, self.now - timedelta(seconds=1)),
            end=self.now,
            stays_open=stays_open,
            chance=chance,
        ).lived()


# -- rows


class Slot(Enum):
    """What differs between the tickets of one life; the values are COPY text that `%` fills in."""

    TICKET = "%(ticket)d"
    NUMBER = "%(number)d"
    CUSTOMER = "%(customer)d"
    CONTACT = "%(contact)d"


@dataclass(frozen=True, slots=True)
class Card:
    """The rows of one life by table, as COPY text with slots."""

    tier: str
    escalations: int
    rows: Mapping[str, str]


COLUMNS: Mapping[str, Sequence[str]] = {
    "tickets_ticket": tuple(str(column.column) for column in Ticket._meta.concrete_fields),
    "sla_clock": tuple(
        name.strip() for name in INSERT_CLOCKS.partition("(")[2].partition(")")[0].replace("\n", " ").split(",")
    ),
    "tickets_message": (
        "tenant_id", "public_id", "ticket_id", "author_kind", "contact_id", "agent_id", "channel", "is_automatic",
        "text", "html", "sent_at",
    ),
    "tickets_note": ("tenant_id", "public_id", "ticket_id", "kind", "text", "data", "created_at"),
    "tickets_ticketevent": (
        "tenant_id", "ticket_id", "kind", "at", "actor_kind", "actor_id", "data", "dispatched_at",
    ),
    "tickets_wait": (
        "tenant_id", "ticket_id", "reason", "note", "started_at", "ends_by", "remind_at", "ended_at", "agent_id",
    ),
    "tickets_task": (
        "tenant_id", "public_id", "ticket_id", "kind", "agent_id", "opened_at", "due_at", "ended_at", "outcome",
    ),
    "escalation_escalation": (
        "tenant_id", "id", "public_id", "ticket_id", "kind", "rule", "metric", "cycle", "step", "target", "reason",
        "state", "agent_id", "team_id", "trace", "fires_at", "opened_at", "due_at", "acknowledged_at",
        "acknowledged_by_id", "ended_at",
    ),
}  # fmt: skip


def card_of(life: Life) -> Card:
    """What a life leaves in the tables."""
    tenant, ticket = life.house.tenant, life.ticket
    summary = life.summary()
    ticket.due_at, ticket.at_risk_at = summary.due_at, summary.at_risk_at
    ticket.is_breached, ticket.wake_at = summary.is_breached, summary.wake_at
    ticket.escalated_at = max((one.at for one in life.raised if one.due_at is not None), default=None)
    if ticket.resolved_at is not None:
        verdict = verdict_of(life.desk.promises, ticket.signals)
        ticket.missed_count, ticket.spent_percent = verdict.missed, verdict.spent_percent
        ticket.was_unhappy = verdict.was_unhappy
    ticket.unanswered_since = life.desk.promises.unanswered_since
    slots = {
        "id": Slot.TICKET, "number": Slot.NUMBER, "customer_id": Slot.CUSTOMER, "contact_id": Slot.CONTACT,
        "public_id": ticket_public_id(life.born, 0),
    }  # fmt: skip
    rows: dict[str, list[tuple[Any, ...]]] = {
        "tickets_ticket": [
            tuple(
                slots.get(column.attname, getattr(ticket, column.attname))
                for column in Ticket._meta.concrete_fields
            )
        ],
        "sla_clock": [(tenant, Slot.TICKET, *row) for row in life.clock_rows()],
        "tickets_message": [
            (
                tenant, ticket_public_id(said.at, at), Slot.TICKET, author_of(said).value,
                Slot.CONTACT if said.agent is None else None, said.agent, ticket.channel, False, said.text, "", said.at,
            )
            for at, said in enumerate(life.messages)
        ],
        "tickets_note": [
            (tenant, ticket_public_id(told.at, at), Slot.TICKET, "escalation", "", told.data, told.at)
            for at, told in enumerate(life.log)
            if told.data.get("task")
        ],
        "tickets_ticketevent": [
            (
                tenant, Slot.TICKET, told.kind.value, told.at, told.by.value,
                Slot.CONTACT if told.by is ActorKind.CONTACT else told.user, told.data, told.at,
            )
            for told in life.log
        ],
        "tickets_wait": [
            (
                tenant, Slot.TICKET, wait.reason, wait.note, wait.started_at, wait.ends_by, wait.remind_at,
                wait.ended_at, wait.agent_id,
            )
            for wait in life.waits
        ],
        "tickets_task": first_look(life),
        "escalation_escalation": [
            (
                tenant, Place(at), ticket_public_id(one.at, at), Slot.TICKET, one.plan.kind.value, one.plan.rule,
                one.plan.metric, one.plan.cycle, one.plan.step, one.plan.target, one.plan.reason, one.state.value,
                one.plan.found.agent, one.plan.team, {"way": list(one.plan.found.way)}, one.plan.fires_at, one.at,
                one.due_at, one.acknowledged_at, one.acknowledged_by, one.ended_at,
            )
            for at, one in enumerate(life.raised)
        ],
    }  # fmt: skip
    return Card(
        tier=life.tier,
        escalations=len(life.raised),
        rows={table: "".join(line_of(row) for row in mine) for table, mine in rows.items()},
    )


def first_look(life: Life) -> list[tuple[Any, ...]]:
    """What a ticket's agent was asked at first, done with the first answer and dropped with the ticket."""
    ticket = life.ticket
    asked = next((one for one in life.desk.promises.clocks if one.metric is Metric.FIRST_RESPONSE), None)
    if ticket.assignee_id is None or asked is None:
        return []
    over = ticket.first_response_at or ticket.resolved_at
    outcome = TaskOutcome.DONE if ticket.first_response_at else TaskOutcome.DROPPED if over else ""
    return [
        (
            life.house.tenant, ticket_public_id(life.born, 0), Slot.TICKET, TaskKind.FIRST_INVESTIGATION.value,
            ticket.assignee_id, life.born, asked.due_at, over, str(outcome),
        )
    ]  # fmt: skip


class Raw(str):
    """COPY text that is ready as it is."""


def public_id(at: datetime, row: int) -> UUID:
    """An id of version 7, made of nothing but its instant and a number."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | row)


def ticket_public_id(at: datetime, place: int) -> Raw:
    """The same for the `place`th row of a ticket that is not known yet: the ticket is the tail."""
    head = str(public_id(at, 0))[:-12]
    return Raw(f"{head[:15]}{place:03x}{head[18:]}%(ticket)012x")


def line_of(row: Iterable[Any]) -> str:
    return "\t".join(text_of(value) for value in row) + "\n"


def text_of(value: Any) -> str:
    """A value as COPY writes it, with the slots of its card left open."""
    match value:
        case None:
            return r"\N"
        case Raw():
            return value
        case Slot():
            return str(value.value)
        case Place():
            return f"%(escalation_{value.at})d"
        case bool():
            return "t" if value else "f"
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds()} seconds"
        case dict() | list():
            text = _escaped(json.dumps(value, default=lambda place: f"@{place.at}@"))
            return re.sub(r'"@(\d+)@"', r"%(escalation_\1)d", text)
        case str():
            return _escaped(value)
        case _:
            return str(value)


def _escaped(text: str) -> str:
    for letter, written in (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"), ("%", "%%")):
        text = text.replace(letter, written)
    return text


class Cards:
    """The lives as rows, each dealt to its number of tickets, with ids and customers given out."""

    def __init__(
        self,
        connection: Connection,
        house: House,
        lives: Sequence[tuple[Life, int]],
        *,
        now: datetime,
        chance: Random,
    ) -> None:
        self.house, self.now, self.chance = house, now, chance
        self.cards = [(card_of(life), share) for life, share in lives]
        tickets = sum(share for _, share in self.cards)
        self.first_ticket = take_ids(connection, "tickets_ticket", tickets)
        self.first_escalation = take_ids(
            connection, "escalation_escalation", sum(card.escalations * share for card, share in self.cards)
        )
        # The tiers take turns, so that a tier's customers are every fourth one.
        self.customers = max(tickets // TICKETS_A_CUSTOMER // len(TIERS), 2) * len(TIERS)
        self.first_customer = take_ids(connection, "people_customer", self.customers)
        self.first_contact = take_ids(connection, "people_contact", self.customers * CONTACTS_A_CUSTOMER)
        self.writers = [self._writer(card.tier) for card, share in self.cards for _ in range(share)]

    def _writer(self, tier: str) -> tuple[int, int]:
        """A customer of the tier and one of its contacts; a few of the customers write much more than the others."""
        place = int(self.customers / len(TIERS) * self.chance.random() ** 3)
        customer = place * len(TIERS) + list(TIERS).index(tier)
        contact = customer * CONTACTS_A_CUSTOMER + self.chance.randrange(CONTACTS_A_CUSTOMER)
        return self.first_customer + customer, self.first_contact + contact

    def tables(self) -> Iterator[tuple[str, Sequence[str], Iterator[str]]]:
        """Each table with its columns and its rows as COPY text, parents first."""
        yield "people_customer", ("tenant_id", "id", "public_id", "name", "tier", "is_vip", "language", "zone",
                                  "preferred_channel", "external_ref", "created_at"), self._customers()  # fmt: skip
        yield "people_contact", ("tenant_id", "id", "public_id", "customer_id", "name", "email", "phone", "language",
                                 "created_at"), self._contacts()  # fmt: skip
        for table, columns in COLUMNS.items():
            yield table, columns, self._dealt(table)

    def _customers(self) -> Iterator[str]:
        at = self.now - YEAR
        for place in range(self.customers):
            name, tier = f"Customer {place + 1}", list(TIERS)[place % len(TIERS)]
            row = (
                self.house.tenant,
                self.first_customer + place,
                public_id(at, self.first_customer + place),
                name,
                tier,
                False,
                "",
                "",
                "",
                "",
            )
            yield line_of((*row, at))

    def _contacts(self) -> Iterator[str]:
        at = self.now - YEAR
        for place in range(self.customers * CONTACTS_A_CUSTOMER):
            customer = self.first_customer + place // CONTACTS_A_CUSTOMER
            row = (
                self.house.tenant,
                self.first_contact + place,
                public_id(at, self.first_contact + place),
                customer,
                f"Contact {place + 1}",
            )
            yield line_of((*row, f"contact{place + 1}@bench.invalid", "", "", at))

    def _dealt(self, table: str) -> Iterator[str]:
        place, escalation = 0, self.first_escalation
        for card, share in self.cards:
            text = card.rows[table]
            for _ in range(share):
                customer, contact = self.writers[place]
                values = {
                    "ticket": self.first_ticket + place, "number": place + 1, "customer": customer, "contact": contact,
                    **{f"escalation_{at}": escalation + at for at in range(card.escalations)},
                }  # fmt: skip
                yield text % values
                place, escalation = place + 1, escalation + card.escalations


def take_ids(connection: Connection, table: str, count: int) -> int:
    """Set `count` row ids of a table aside; returns the first."""
    row = connection.execute(
        "select setval(name, nextval(name) + %s) - %s from (select pg_get_serial_sequence(%s, 'id') as name)",
        [count, count, table],
    ).fetchone()
    assert row is not None
    return int(row[0])


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterator[str]) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for text in rows:
            copy.write(text)


def main(words: Sequence[str]) -> int:
    """`load`: fill a migrated database that a superuser's URL leads to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks load", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--database-url", required=True, help="of a superuser: COPY does not go through the walls"
    )
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--active", type=int, help="how many of them are active (default: a tenth)")
    parser.add_argument("--tenant", default="bench", help="slug of the tenant, made if it is not there")
    args = parser.parse_args(words)
    point_django_at(Dsns(owner=args.database_url, app=args.database_url, worker=args.database_url))
    tenant = load(
        args.database_url,
        tickets=args.tickets,
        active=args.tickets // 10 if args.active is None else args.active,
        now=now(),
        slug=args.tenant,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(f"tenant {tenant} ({args.tenant})")
    return 0
