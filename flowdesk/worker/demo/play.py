"""Plays the script through the real flows in virtual time: every clock, event and escalation is genuine.

All of it is one transaction: a desk that is running sees the week whole or not at all, and an interrupted
load leaves nothing. What is told of the past is told to nobody: its events are stamped before the commit.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from flowdesk.core.actor import Act, Actor, ActorKind, Role, system
from flowdesk.core.ids import parsed, shown
from flowdesk.core.tenant import ENTER, writing
from flowdesk.engine.promises import WaitReason
from flowdesk.flows import escalate, receive, work
from flowdesk.intake.services import InboundMessage
from flowdesk.tickets.states import Channel
from flowdesk.worker.demo.sample import Library
from flowdesk.worker.demo.script import Case, Fate
from flowdesk.worker.demo.stage import Stage, guest_actor
from flowdesk.worker.demo.words import answer, first_letter, line

OPEN, STEP, WAKE, TAKE, WRITE = "open", "step", "wake", "take", "write"
BREATH = timedelta(minutes=2)  # nobody does two things at once
SAFE = timedelta(minutes=70)  # at the end, who shall be on time is so for longer than the hour

# How a ticket stands, the promise that falls due first, and an escalation that nobody has taken.
STANDING = """
select t.id, t.public_id, t.status, t.assignee_id, t.team_id, t.due_at, t.at_risk_at, t.wake_at, t.is_breached,
    (select c.metric from sla_clock c where c.tenant_id = t.tenant_id and c.ticket_id = t.id
        and c.state = 'running' and c.due_at = t.due_at order by c.id limit 1),
    (select c.metric from sla_clock c where c.tenant_id = t.tenant_id and c.ticket_id = t.id
        and c.state = 'running' and c.at_risk_at = t.at_risk_at order by c.id limit 1),
    (select e.public_id from escalation_escalation e where e.tenant_id = t.tenant_id and e.ticket_id = t.id
        and e.state = 'open' order by e.id limit 1)
from tickets_ticket t where t.tenant_id = %s and t.public_id = %s
"""

# Tables that fill up within one transaction have no statistics, and plans made for empty ones would read them whole.
PLAIN_PLANS = """
select set_config(name, 'off', true) from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as name
"""

GROWN = frozenset({5, 20, 60, 150})  # tickets opened, after which plans made for smaller tables are dropped

STAMP = "update tickets_ticketevent set dispatched_at = at where tenant_id = %s and dispatched_at is null"


class Standing(NamedTuple):
    """A row of STANDING."""

    id: int
    public_id: UUID
    status: str
    assignee: int | None
    team: int | None
    due_at: datetime | None
    at_risk_at: datetime | None
    wake_at: datetime | None
    is_breached: bool
    metric: str | None  # whose end comes first
    risky: str | None  # whose three quarters come first
    escalation: UUID | None

    @property
    def is_active(self) -> bool:
        return self.status in ("new", "open", "pending", "on_hold")

    @property
    def waits(self) -> bool:
        return self.status in ("pending", "on_hold")


@dataclass(slots=True)
class Thread:
    """A case in play."""

    case: Case
    id: str = ""
    standing: Standing | None = None
    next_step: int = 0
    patience: float = 0.5  # how much of the time left an agent lets go by
    last_at: datetime | None = None
    version: int = 0
    is_answered: bool = False
    has_lapsed: bool = False  # the careless answer has been late once; that is enough
    thanked: bool = False


@dataclass(slots=True)
class Player:
    """One load."""

    stage: Stage
    library: Library
    chance: Random
    ends_at: datetime
    progress: Callable[[int, int], None]
    flows: int = 0
    _heap: list[tuple[datetime, int, str, Thread, int]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _public: dict[str, UUID] = field(default_factory=dict)

    def play(self, cases: Sequence[Case]) -> list[Thread]:
        """Everything up to the end, in the order of virtual time."""
        threads = [Thread(case) for case in cases]
        for thread in threads:
            self._put(thread.case.arrives_at, OPEN, thread)
        opened = 0
        while self._heap and self._heap[0][0] <= self.ends_at:
            at, _, kind, thread, version = heapq.heappop(self._heap)
            if version != thread.version:
                continue  # something else happened to the ticket meanwhile, and planned anew
            thread.version += 1
            self._do(kind, thread, at)
            self._plan(thread, at)
            if kind == OPEN:
                opened += 1
                if opened in GROWN:
                    _plan_anew()
                self.progress(opened, len(cases))
        return threads

    def _put(self, at: datetime, kind: str, thread: Thread) -> None:
        heapq.heappush(self._heap, (at, next(self._order), kind, thread, thread.version))

    def tidy(
        self, threads: Sequence[Thread], *, running: int, waiting: int, fresh: Callable[[datetime], Case]
    ) -> None:
        """The last minutes: who shall be on time is looked after, and as many go on as were asked for.

        Too many are resolved, the oldest first; too few are joined by `fresh` cases of the last half hour.
        """
        mine = [one for one in threads if one.case.fate in (Fate.RUNNING, Fate.WAITING, Fate.DONE)]
        for thread in mine:
            self._look_after(thread)
        going = [one for one in mine if one.standing and one.standing.status in ("new", "open")]
        resting = [one for one in mine if one.standing and one.standing.waits]
        for group, wanted in ((going, running), (resting, waiting)):
            for thread in group[: max(0, len(group) - wanted)]:
                self._finish(thread)
        arrivals = sorted(
            self.ends_at - timedelta(seconds=self.chance.randrange(200, 2400))
            for _ in range(running - len(going))
        )
        for at in arrivals:
            thread = Thread(fresh(at))
            self._do(OPEN, thread, at)
            self._look_after(thread)

    def _look_after(self, thread: Thread) -> None:
        for _ in range(3):  # keeping one promise may leave another that is near
            standing = thread.standing
            if standing is None or not self._is_near(standing):
                return
            if "resolution" in (standing.metric, standing.risky):
                self._finish(thread)
            else:
                self._write_late(thread, "update" if thread.is_answered else "work")

    def _is_near(self, standing: Standing) -> bool:
        """Whether a promise is over, three quarters spent, or due within the hour."""
        if not standing.is_active or standing.due_at is None:
            return False
        assert standing.at_risk_at is not None
        return (
            standing.is_breached
            or standing.due_at < self.ends_at + SAFE
            or standing.at_risk_at < self.ends_at + BREATH
        )

    def _finish(self, thread: Thread) -> None:
        at, by = self._write_late(thread, "resolve")
        work.resolve(thread.id, by=by, now=at)
        self.flows += 1
        thread.standing = self._look(thread.id)

    def _write_late(self, thread: Thread, kind: str) -> tuple[datetime, Actor]:
        """An agent's letter shortly before the end, after all that has happened to the ticket."""
        assert thread.standing is not None
        at = self.ends_at - timedelta(seconds=self.chance.randrange(20, 900))
        at = max(at, (thread.last_at or at) + timedelta(seconds=5))
        by = self.stage.somebody(team=thread.standing.team, assignee=thread.standing.assignee, at=at)
        if thread.standing.assignee is None:
            work.take(thread.id, by=by, now=at)
            self.flows += 1
        self._reply(thread, kind, by, at)
        self.flows += 1
        thread.standing, thread.last_at = self._look(thread.id), at
        return at, by

    # -- one thing happens

    def _do(self, kind: str, thread: Thread, at: datetime) -> None:
        if kind == OPEN:
            self._open(thread, at)
        elif kind == WAKE:
            assert thread.standing is not None
            escalate.wake([thread.standing.id], by=system(self.stage.tenant), now=at)
        elif kind == TAKE:
            self._take_escalation(thread, at)
        elif kind == WRITE:
            self._customer_writes(thread, "nudge", at)
        else:
            self._step(thread, at)
        self.flows += 1
        thread.standing = self._look(thread.id)
        thread.last_at = at

    def _open(self, thread: Thread, at: datetime) -> None:
        case = thread.case
        opened = open_case(case, self.stage, self.library, at=at)
        thread.id = opened.id
        thread.is_answered = case.channel is Channel.PHONE
        thread.patience = self.chance.uniform(0.15, 0.75)

    def _take_escalation(self, thread: Thread, at: datetime) -> None:
        standing = thread.standing
        assert standing is not None
        assert standing.escalation is not None
        who = self.stage.somebody(team=standing.team, assignee=standing.assignee, at=at)
        escalate.acknowledge(shown("esc", standing.escalation), by=who, now=at)

    def _customer_writes(self, thread: Thread, kind: str, at: datetime) -> None:
        case = thread.case
        text = line(kind, language=case.opening.language, library=self.library, chance=self.chance)
        receive.take_message(
            thread.id, text=text, channel=case.channel, by=guest_actor(self.stage, case.guest.contact), now=at,
            contact=case.guest.contact,
        )  # fmt: skip

    def _step(self, thread: Thread, at: datetime) -> None:
        """The script's next step if its time has come, else a word to keep the promise that is due."""
        standing, case = thread.standing, thread.case
        assert standing is not None
        by = self.stage.somebody(team=standing.team, assignee=standing.assignee, at=at)
        if standing.assignee is None:
            work.take(thread.id, by=by, now=at)
            self.flows += 1
        step = self._script_step(thread, at)
        if standing.status == "resolved":
            self._after_the_end(thread, at)
        elif standing.waits:
            self._end_of_wait(thread, by, at)
        elif step in ("customer", "third_party", "customer_asked"):
            self._wait(thread, step, by, at)
        elif step == "resolve" or standing.metric == "resolution":
            self._reply(thread, "resolve", by, at)
            work.resolve(thread.id, by=by, now=at + timedelta(seconds=20))
            self.flows += 1
        else:
            if self.chance.random() < 0.1:
                note = line("note", language=case.opening.language, library=self.library, chance=self.chance)
                work.add_note(thread.id, text=note, by=by, now=at)
                self.flows += 1
            self._reply(thread, "update" if thread.is_answered else "work", by, at)
        thread.patience = self.chance.uniform(0.5, 0.9)

    def _script_step(self, thread: Thread, at: datetime) -> str:
        steps, step = thread.case.steps, ""
        if thread.next_step < len(steps):
            length, name = steps[thread.next_step]
            if thread.case.arrives_at + length <= at:
                step = name
                thread.next_step += 1
        return step

    def _reply(self, thread: Thread, kind: str, by: Actor, at: datetime, *, then_wait: bool = False) -> None:
        guest = thread.case.guest
        text = answer(
            kind, language=thread.case.opening.language, to=guest.name, agent=by.name, library=self.library,
            chance=self.chance,
        )  # fmt: skip
        work.send_reply(thread.id, text=text, by=by, now=at, then_wait=then_wait)
        thread.is_answered = True

    def _wait(self, thread: Thread, step: str, by: Actor, at: datetime) -> None:
        if step == "customer":
            self._reply(thread, "ask", by, at, then_wait=True)
            return
        self._reply(thread, "update", by, at)
        note = "Payment provider" if step == "third_party" else ""
        work.wait(thread.id, reason=WaitReason(step), by=by, now=at + timedelta(seconds=5), note=note)
        self.flows += 1

    def _end_of_wait(self, thread: Thread, by: Actor, at: datetime) -> None:
        assert thread.standing is not None
        if thread.standing.status == "pending":
            self._customer_writes(thread, "answer", at)
        else:
            work.resume(thread.id, by=by, now=at)

    def _after_the_end(self, thread: Thread, at: datetime) -> None:
        thread.thanked = True
        self._customer_writes(thread, "nudge" if thread.case.reopens else "thanks", at)

    def _look(self, ticket: str) -> Standing:
        if ticket not in self._public:
            self._public[ticket] = parsed("tkt", ticket)
        with connection.cursor() as cursor:
            # Inside one transaction already: a scope of its own would cost three statements more, every time.
            cursor.execute(ENTER, [str(self.stage.tenant)])
            cursor.execute(STANDING, [self.stage.tenant, self._public[ticket]])
            row = cursor.fetchone()
        assert row is not None
        return Standing(*row)

    # -- what comes next

    def _plan(self, thread: Thread, at: datetime) -> None:
        """Put the ticket's next happenings on the heap: whichever comes first makes the others stale."""
        standing = thread.standing
        assert standing is not None
        if standing.wake_at is not None:
            self._put(max(standing.wake_at, at), WAKE, thread)
        if thread.case.fate in (Fate.OVER, Fate.AT_RISK, Fate.QUEUED):
            return
        if standing.escalation is not None and self.ends_at - at > timedelta(hours=2):
            self._put(at + timedelta(minutes=self.chance.randrange(3, 14)), TAKE, thread)
        if (then := self._next_act(thread, at)) is not None:
            self._put(max(then, at + BREATH), STEP, thread)

    def _next_act(self, thread: Thread, at: datetime) -> datetime | None:
        standing, case = thread.standing, thread.case
        assert standing is not None
        planned = None
        if thread.next_step < len(case.steps):
            planned = case.arrives_at + case.steps[thread.next_step][0]
        if standing.status == "resolved":
            wants = not thread.thanked and (case.reopens or self.chance.random() < 0.15)
            return at + timedelta(hours=self.chance.uniform(0.1, 5)) if wants else None
        if not standing.is_active:
            return None
        if standing.waits:
            # The last step of one who shall wait has no step after it.
            return None if planned is None else at + (planned - at) * 0.7
        if standing.due_at is None:
            return planned
        left = max(standing.due_at - at, timedelta(0))
        before_due = at + left * thread.patience
        if case.is_careless and not thread.has_lapsed and standing.metric != "resolution":
            thread.has_lapsed = True
            before_due = standing.due_at + timedelta(minutes=self.chance.randrange(5, 50))
        if case.nudges and not thread.is_answered and self.chance.random() < 0.5:
            self._put(at + left * self.chance.uniform(0.1, 0.5), WRITE, thread)
        return min(planned, before_due) if planned is not None else before_due


def open_case(case: Case, stage: Stage, library: Library, *, at: datetime) -> receive.Opened:
    """The first words come in the way they would: a call is logged by an agent, a program has a key."""
    message = InboundMessage(
        channel=case.channel,
        subject=case.opening.subject,
        text=first_letter(case.opening, case.guest, library),
        email=case.guest.email,
        language=case.opening.language,
    )
    return receive.open_ticket(
        message, by=_writer(case, stage, at), now=at, priority=case.priority, category=case.category
    )


def _writer(case: Case, stage: Stage, at: datetime) -> Actor:
    if case.channel is Channel.PHONE:
        return stage.somebody(team=None, assignee=None, at=at)
    if case.channel is Channel.API:
        return Actor(
            tenant=stage.tenant, role=Role.API_CLIENT, kind=ActorKind.API_KEY, scopes=frozenset({Act.OPEN})
        )
    return guest_actor(stage, case.guest.contact)


def _plan_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("discard plans")


@contextmanager
def all_at_once(tenant: int) -> Iterator[None]:
    """One transaction around many acts, whose events nobody will be told of."""
    connection.set_autocommit(False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(PLAIN_PLANS)
        yield
        with writing(tenant), connection.cursor() as cursor:
            cursor.execute(STAMP, [tenant])
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.set_autocommit(True)
