"""The log is the truth: folding a ticket's events gives exactly the clocks that are stored."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from flowdesk.core.actor import system
from flowdesk.core.errors import DomainError
from flowdesk.core.ids import shown
from flowdesk.core.tenant import reading, writing
from flowdesk.engine.facts import Priority
from flowdesk.engine.promises import WaitReason
from flowdesk.escalation.models import Escalation
from flowdesk.flows import escalate, merge, receive, reconfigure, work
from flowdesk.people.services import CustomerCard
from flowdesk.policies.services import current_policy, pack_source, save_revision
from flowdesk.sla.fold import acts, fold
from flowdesk.sla.mapping import Verdict, promises_of, verdict_of
from flowdesk.sla.services import load_clocks
from flowdesk.tickets.models import Ticket, TicketEvent
from flowdesk.tickets.services import open_waits
from flowdesk.tickets.states import Channel
from tests.builders import MONDAY_9, World, a_customer, a_message, a_world

pytestmark = pytest.mark.django_db(databases=["default", "owner", "worker"])

MINUTE = timedelta(minutes=1)
ANGRY = "This is a terrible, disgusting service. I hate it, I am furious. Worst company ever!"
# Steps of time: none at all, a minute, an odd length, hours, a night, a weekend.
PAUSES = (0, 0, 1, 7, 15, 37, 60, 121, 240, 480, 960, 3000)


def verdict_on(ticket: Ticket) -> Verdict:
    return Verdict(
        missed=ticket.missed_count, spent_percent=ticket.spent_percent, was_unhappy=ticket.was_unhappy
    )


def assert_fold_is_stored(world: World, *, at: datetime) -> None:
    """Every ticket's log folds into its rows: clocks, waits, what is unanswered."""
    with reading(world.tenant.id):
        policy = current_policy()
        for ticket in Ticket.objects.order_by("id"):
            kept = load_clocks(world.tenant.id, [ticket.id])[ticket.id]
            stored = promises_of(ticket, kept, open_waits(world.tenant.id, [ticket.id])[ticket.id])
            log = list(TicketEvent.objects.filter(ticket_id=ticket.id).order_by("id"))
            folded = fold(log, policy=policy, to=at).promises
            story = [(line.kind, line.at.isoformat(), line.data) for line in log]
            ours = {(clock.metric, clock.cycle): clock for clock in folded.clocks}
            theirs = {(clock.metric, clock.cycle): clock for clock in stored.clocks}
            for key in sorted({*ours, *theirs}):
                assert ours.get(key) == theirs.get(key), (key, story)
            assert set(folded.waits) == set(stored.waits), story
            assert folded.unanswered_since == stored.unanswered_since, story
            assert folded.has_ended == stored.has_ended, story
            if ticket.resolved_at is not None:
                assert verdict_on(ticket) == verdict_of(folded, ticket.signals), story


def wake_all(world: World, *, at: datetime) -> None:
    """The sweep, until nothing is due any more."""
    for _ in range(20):
        with reading(world.tenant.id):
            due = list(Ticket.objects.filter(wake_at__lte=at).values_list("id", flat=True))
        if not due:
            return
        escalate.wake(due, by=system(world.tenant.id), now=at)
    raise AssertionError("a ticket wakes without end")


class Life:
    """One ticket's random life on the real flows."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.random, self.now = world, random.Random(seed), MONDAY_9
        self.customer = a_customer(
            world, tier=self.random.choice(["enterprise", "professional", "starter", "free"])
        )
        opened = receive.open_ticket(
            a_message(channel=self.random.choice([Channel.EMAIL, Channel.PHONE])),
            by=world.bo,
            now=self.now,
            priority=self.random.choice([*Priority, None, None]),
        )
        self.ticket = opened.id

    def acts(self) -> list[Callable[[], Any]]:
        by, now, ticket, pick = self.world.bo, self.now, self.ticket, self.random.choice
        return [
            lambda: work.send_reply(ticket, text="Hello.", by=by, now=now),
            lambda: work.send_reply(ticket, text="Over to you.", by=by, now=now, then_wait=True),
            lambda: work.add_note(ticket, text="Hm.", by=by, now=now),
            lambda: work.wait(ticket, reason=pick(list(WaitReason)), note="The carrier.", by=by, now=now),
            lambda: work.wait(
                ticket, reason=pick(list(WaitReason)), note="Them.", by=by, now=now, until=now + 90 * MINUTE
            ),
            lambda: work.resume(ticket, by=by, now=now),
            lambda: work.resume(ticket, by=by, now=now, reason=pick(list(WaitReason))),
            lambda: receive.take_message(
                ticket, text="It still fails.", channel=Channel.EMAIL, by=by, now=now
            ),
            lambda: receive.take_message(ticket, text=ANGRY, channel=Channel.EMAIL, by=by, now=now),
            lambda: receive.take_message(ticket, text="Thank you!", channel=Channel.EMAIL, by=by, now=now),
            lambda: work.resolve(ticket, by=by, now=now),
            lambda: work.reopen_ticket(ticket, by=by, now=now),
            lambda: work.prioritise(ticket, priority=pick(list(Priority)), by=by, now=now),
            lambda: work.assign(
                ticket, team=pick(["tier-1", "tier-2", "engineering", "billing"]), by=by, now=now
            ),
            lambda: work.assign(ticket, by=by, now=now),
            lambda: work.take(ticket, by=by, now=now),
            lambda: escalate.escalate(ticket, target="on_call", note="", by=by, now=now),
            self.acknowledge,
            self.change_tier,
            lambda: wake_all(self.world, at=now),
            lambda: wake_all(self.world, at=now),
        ]

    def acknowledge(self) -> None:
        with reading(self.world.tenant.id):
            one = Escalation.objects.filter(state="open").order_by("id").first()
        if one is not None:
            escalate.acknowledge(shown("esc", one.public_id), by=self.world.ada, now=self.now)

    def change_tier(self) -> None:
        tier = self.random.choice(["enterprise", "professional", "starter", "free"])
        reconfigure.change_terms(
            shown("cus", self.customer.public_id),
            card=CustomerCard(tier=tier),
            by=self.world.ada,
            now=self.now,
        )

    def live(self, *, steps: int) -> None:
        for _ in range(steps):
            self.now += self.random.choice(PAUSES) * MINUTE
            try:
                self.random.choice(self.acts())()
            except DomainError:
                continue  # not allowed as the ticket stands: nothing has happened


class Lives(Life):
    """Three tickets of one customer that are merged and taken apart in the midst of everything else."""

    def __init__(self, world: World, *, seed: int) -> None:
        super().__init__(world, seed=seed)
        self.tickets = [self.ticket]
        for _ in range(2):
            self.now += self.random.choice(PAUSES) * MINUTE
            opened = receive.open_ticket(
                a_message(), by=world.bo, now=self.now, priority=self.random.choice(list(Priority))
            )
            self.tickets.append(opened.id)

    def acts(self) -> list[Callable[[], Any]]:
        by, now, random = self.world.bo, self.now, self.random
        self.ticket, other = random.sample(self.tickets, 2)
        ticket = self.ticket
        merging = [
            lambda: merge.merge(ticket, into=other, by=by, now=now),
            lambda: merge.merge(ticket, into=other, by=by, now=now, earliest=True),
            lambda: merge.unmerge(ticket, by=by, now=now),
            lambda: merge.unmerge(ticket, by=by, now=now),
        ]
        return super().acts() + 2 * merging


@pytest.mark.parametrize("seed", range(16))
def test_lives_that_are_merged_and_taken_apart_fold_too(seed: int) -> None:
    world = a_world()
    lives = Lives(world, seed=seed)

    for _ in range(6):
        lives.live(steps=8)
        wake_all(world, at=lives.now)
        assert_fold_is_stored(world, at=lives.now)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_life_folds_into_its_stored_clocks(seed: int) -> None:
    world = a_world()
    life = Life(world, seed=seed)

    for _ in range(4):
        life.live(steps=8)
        wake_all(world, at=life.now)
        assert_fold_is_stored(world, at=life.now)


@pytest.mark.parametrize("change", ["retroactive", "carry_elapsed", "restart"])
def test_a_life_under_changing_policies_folds_too(change: str) -> None:
    world = a_world()
    life = Life(world, seed=7)
    life.live(steps=6)
    source = pack_source().replace("change: retroactive", f"change: {change}")
    source = source.replace("P1: {enterprise: 4 h,", "P1: {enterprise: 3 h,").replace(
        "- {at: 75, to: [team_lead]}", "- {at: 70, to: [team_lead]}"
    )
    with writing(world.tenant.id):
        save_revision(source, by=system(world.tenant.id), at=life.now)

    for _ in range(4):
        life.live(steps=8)
        wake_all(world, at=life.now)
        assert_fold_is_stored(world, at=life.now)


def test_a_log_of_nothing_folds_into_nothing() -> None:
    world = a_world()

    with reading(world.tenant.id):
        folded = fold([], policy=current_policy(), to=MONDAY_9)

    assert folded.promises.clocks == ()
    assert folded.entries == ()


def test_what_one_save_did_stands_together() -> None:
    world = a_world()
    life = Life(world, seed=1)
    work.send_reply(life.ticket, text="Over to you.", by=world.bo, now=MONDAY_9 + MINUTE, then_wait=True)

    with reading(world.tenant.id):
        together = [[line.kind for line in act] for act in acts(TicketEvent.objects.order_by("id"))]

    assert together[-1] == ["agent_replied", "wait_started"]
