"""A desk in the middle of a working day: tickets in every state, made by the flows and by the time that passed.

It is Thursday 18 June 2026, 09:42 in Stockholm.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flowdesk.core.actor import system
from flowdesk.core.tenant import reading
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.flows import escalate, receive, work
from flowdesk.intake.services import InboundMessage
from flowdesk.notifications.services import deliver, dispatch
from flowdesk.tickets.models import Ticket
from flowdesk.tickets.states import Channel
from tests.builders import World, a_customer, a_world

NOW = datetime(2026, 6, 18, 7, 42, tzinfo=UTC)
PASSWORD = "s3cret-words"


def at(clock: str, *, day: int = 18) -> datetime:
    """An instant of the week by Stockholm's wall clock: "04:55"."""
    hour, minute = clock.split(":")
    return datetime(2026, 6, day, int(hour), int(minute), tzinfo=UTC) - timedelta(hours=2)


OPENS = at("09:00", day=15)


@dataclass(slots=True)
class Desk:
    """The world and its tickets by nickname, as public ids."""

    world: World
    clock: datetime = OPENS
    tickets: dict[str, str] = field(default_factory=dict)

    def pass_time(self, to: datetime) -> None:
        """Let the tickets wake at each instant they asked for."""
        tenant = self.world.tenant.id
        for _round in range(500):
            with reading(tenant):
                due = dict(Ticket.objects.filter(wake_at__lte=to).values_list("id", "wake_at"))
            if not due:
                break
            first = min(due.values())
            escalate.wake(
                sorted(ticket for ticket, wakes in due.items() if wakes == first),
                by=system(tenant),
                now=first,
            )
        self.clock = to

    def open(
        self,
        name: str,
        clock: str,
        subject: str,
        text: str,
        *,
        email: str,
        priority: Priority,
        day: int = 18,
        channel: Channel = Channel.EMAIL,
        category: str = "technical",
    ) -> str:
        self.pass_time(at(clock, day=day))
        opened = receive.open_ticket(
            InboundMessage(channel=channel, subject=subject, text=text, email=email),
            by=self.world.bo,
            now=self.clock,
            priority=priority,
            category=category,
        )
        self.tickets[name] = opened.id
        return opened.id

    def then(self, clock: str, act: Callable[[datetime], object], *, day: int = 18) -> None:
        self.pass_time(at(clock, day=day))
        act(self.clock)


def a_busy_desk() -> Desk:
    """Over, at risk, on time, waiting, on hold, unassigned, resolved, and one in Swedish."""
    world = a_world(at=at("08:00", day=15))
    for name, tier in (
        ("Nordvik Retail", "enterprise"),
        ("Ekberg & Co", "professional"),
        ("Fjord Bikes", "starter"),
        ("Solo", "free"),
    ):
        a_customer(world, name=name, tier=tier, at=at("08:00", day=15))
    desk = Desk(world)
    bo, ada = world.bo, world.ada
    old = desk.open(
        "resolved", "09:10", "Invoice 2041 shows last month's price", "Please send a new one.",
        email="maja@fjord.example", priority=Priority.P4, day=15, category="billing",
    )  # fmt: skip
    desk.then(
        "10:00", lambda now: work.send_reply(old, text="Done, it is on its way.", by=bo, now=now), day=15
    )
    desk.then(
        "10:05", lambda now: work.resolve(old, note="Sent a corrected invoice.", by=bo, now=now), day=16
    )
    hold = desk.open(
        "on_hold", "13:00", "Card terminal loses its pairing", "It must be paired anew each morning.",
        email="maja@ekberg.example", priority=Priority.P3, day=17,
    )  # fmt: skip
    desk.then(
        "13:30",
        lambda now: work.wait(
            hold, reason=WaitReason.THIRD_PARTY, note="Terminal maker, case 7731", by=bo, now=now
        ),
        day=17,
    )
    waiting = desk.open(
        "waiting", "14:00", "Export to CSV drops the last column", "The file ends one column early.",
        email="maja@nordvik.example", priority=Priority.P3, day=17, channel=Channel.WEB,
    )  # fmt: skip
    desk.then(
        "14:20",
        lambda now: work.send_reply(waiting, text="Which export is it?", then_wait=True, by=bo, now=now),
        day=17,
    )
    over = desk.open(
        "over", "04:55", "Checkout fails for every customer",
        "Since 04:30 every payment ends in an error.\n\nAbout 40 orders a minute are lost.",
        email="maja@nordvik.example", priority=Priority.P1,
    )  # fmt: skip
    desk.then("05:03", lambda now: work.send_reply(over, text="We are on it.", by=bo, now=now))
    desk.then(
        "05:10",
        lambda now: work.add_note(over, text="@Ada Lind the provider rolled out at 04:28.", by=bo, now=now),
    )
    desk.then(
        "05:30",
        lambda now: receive.take_message(over, text="Any news?", channel=Channel.EMAIL, by=bo, now=now),
    )
    desk.open(
        "risk", "09:15", "Single sign-on loops back to the start page", "Nobody gets in since this morning.",
        email="maja@ekberg.example", priority=Priority.P2, channel=Channel.CHAT,
    )  # fmt: skip
    # 75 % of an hour's first response for an enterprise customer is gone at 09:42.
    desk.open(
        "soon", "08:50", "Orders are not synchronised", "The last one arrived at 07:10.",
        email="maja@nordvik.example", priority=Priority.P2,
    )  # fmt: skip
    unassigned = desk.open(
        "unassigned", "09:20", "Where do I change the reply language?", "I cannot find the setting.",
        email="maja@fjord.example", priority=Priority.P4, category="account",
    )  # fmt: skip
    desk.then("09:21", lambda now: work.assign(unassigned, by=ada, now=now))
    desk.open(
        "swedish", "09:30", "Rapporten visar fel månad", "Hej! Rapporten för maj visar april. Kan ni rätta den?",
        email="maja@solo.example", priority=Priority.P3,
    )  # fmt: skip
    desk.pass_time(NOW)
    while dispatch(at=NOW):
        pass
    deliver(clock=lambda: NOW)
    return desk
