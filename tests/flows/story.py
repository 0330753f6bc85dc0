"""A desk with somebody on every post, a clock that jumps from one instant that matters to the next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connections

from flowdesk.core.actor import system
from flowdesk.core.ids import new_id
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.escalation.models import Escalation
from flowdesk.flows import receive
from flowdesk.notifications.models import Delivery
from flowdesk.notifications.services import dispatch
from flowdesk.people.models import Agent, Contact, Post, Shift
from flowdesk.sla.models import Clock
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.worker.jobs.wake_clocks import wake_clocks
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
EMAIL = "maja@nordvik.example"


class Told(NamedTuple):
    """One step as it was fired: when by the rule, in Stockholm; which; for whom; who it reached."""

    at: str
    step: int
    target: str
    reached: str | None


def local(at: datetime) -> str:
    return at.astimezone(STOCKHOLM).strftime("%a %H:%M")


def a_staffed_world(slug: str = "global") -> World:
    """Ada leads, Bo works, Mia is the support manager and Dan the director."""
    world = a_world(slug)
    hold(world, "support_manager", a_colleague(world, "Mia Berg"))
    hold(world, "director", a_colleague(world, "Dan Falk"))
    return world


def a_colleague(world: World, name: str) -> Agent:
    with writing(world.tenant.id):
        return Agent.objects.create(
            tenant=world.tenant, public_id=new_id(MONDAY_9), name=name, created_at=MONDAY_9,
            email=f"{name.split()[0].lower()}@{world.tenant.slug}.example",
        )  # fmt: skip


def hold(world: World, post: str, agent: Agent | None) -> None:
    with writing(world.tenant.id):
        Post.objects.filter(slug=post).update(holder=agent)


def an_open_ticket(
    world: World,
    *,
    tier: str = "starter",
    priority: Priority = Priority.P3,
    at: datetime = MONDAY_9,
    **words: Any,
) -> str:
    """A ticket of a customer of this tier, come in by itself."""
    with reading(world.tenant.id):
        known = Contact.objects.filter(email=EMAIL).exists()
    if not known:
        a_customer(world, tier=tier)
    message = a_message(**words)
    return receive.open_ticket(message, by=system(world.tenant.id), now=at, priority=priority).id


def pass_time(*, until: datetime) -> int:
    """Let the worker sweep at every instant at which something is due, up to and with `until`."""
    rounds = 0
    while (at := next_instant()) is not None and at <= until:
        before = at
        wake_clocks(now=at)
        rounds += 1
        assert rounds < 1000, "time goes on"
        if (after := next_instant()) is not None and after <= before:
            wake_clocks(now=before)
            assert (next_instant() or until + DAY) > before, "a ticket that was woken sleeps again"
    return rounds


def come_back(*, at: datetime) -> None:
    """The engine was away and sweeps now, until nothing is due."""
    for _ in range(200):
        if not wake_clocks(now=at):
            return
    raise AssertionError("a ticket wakes without end")


def next_instant() -> datetime | None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "select min(wake_at) from tickets_ticket where wake_at is not null and wake_failures < 3"
        )
        row = cursor.fetchone()
    return row[0] if row else None


def ladder(world: World, rule: str, **which: Any) -> list[Told]:
    """What one rule told, in the order it was done."""
    with reading(world.tenant.id):
        names = dict(Agent.objects.values_list("id", "name"))
        rows = Escalation.objects.filter(rule=rule, **which).order_by("id")
        return [
            Told(local(one.fires_at), one.step, one.target, names.get(one.agent_id or 0, "").split(" ")[0] or None)
            for one in rows
        ]  # fmt: skip


def log(world: World, *kinds: str) -> list[TicketEvent]:
    with reading(world.tenant.id):
        lines = TicketEvent.objects.order_by("id")
        return list(lines.filter(kind__in=kinds) if kinds else lines)


def clock(world: World, metric: str, *, cycle: int = 1) -> Clock:
    with reading(world.tenant.id):
        return Clock.objects.get(metric=metric, cycle=cycle)


def ticket(world: World, **which: Any) -> Ticket:
    with reading(world.tenant.id):
        return Ticket.objects.get(**which)


def mails(world: World, *, at: datetime, to: str = "contact") -> list[str]:
    """What has been said by mail to customers (or agents), by the name of what was said."""
    while dispatch(at=at):
        pass
    with reading(world.tenant.id):
        return list(
            Delivery.objects.filter(recipient__startswith=to, channel="email")
            .order_by("id")
            .values_list("template", flat=True)
        )


def states(world: World, rule: str) -> list[tuple[str, str]]:
    with reading(world.tenant.id):
        return list(Escalation.objects.filter(rule=rule).order_by("id").values_list("target", "state"))


def remove_shifts(world: World, agents: Iterable[Agent], kind: str) -> None:
    with writing(world.tenant.id):
        Shift.objects.filter(agent__in=list(agents), kind=kind).delete()
