"""What an agent can do, how much they take on, and when they are away: what routing goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Act, Actor
from flowdesk.core.errors import Fault, Forbidden, Invalid, NotFound
from flowdesk.core.ids import new_id, parsed
from flowdesk.core.tenant import act
from flowdesk.people.models import Absence, Agent
from flowdesk.people.services import AGENT
from flowdesk.tickets.states import Channel

ABSENCE = "abs"
MOST_WORDS, LONGEST_WORD = 50, 64
MOST_CAPACITY = 1_000
LONGEST_ABSENCE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCard:
    """What routing goes by; None leaves a thing as it is. No channels named: they work on all."""

    skills: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    capacity: int | None = None
    is_senior: bool | None = None
    is_available: bool | None = None


@act
def change_agent(agent_id: str, card: AgentCard, *, by: Actor, now: datetime) -> Agent:
    """Write what an agent can do. People say for themselves whether they are here; the rest is the manager's.

    Raises NotFound, Forbidden, Invalid naming each field.
    """
    agent = _lock_agent(agent_id)
    _must_reach(agent, card, by=by)
    given = {name: getattr(card, name) for name in card.__slots__ if getattr(card, name) is not None}
    values = {name: _usable(name, value) for name, value in given.items()}
    faults = [value for value in values.values() if isinstance(value, Fault)]
    if faults:
        raise Invalid(*faults)
    before = {name: getattr(agent, name) for name in values if getattr(agent, name) != values[name]}
    if not before:
        return agent
    for name in before:
        setattr(agent, name, values[name])
    agent.save(update_fields=list(before))
    record_act(
        AuditAct.AGENT_CHANGED, thing="agent", thing_id=agent.id, by=by, at=now, before=before,
        after={name: values[name] for name in before},
    )  # fmt: skip
    return agent


@act
def begin_absence(
    agent_id: str,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    substitute: str = "",
    by: Actor,
    now: datetime,
) -> Absence:
    """Somebody is out of office; without an end until they say otherwise. What is meant for them goes to their
    substitute. Raises NotFound, Forbidden, Invalid naming each field; one that overlaps another of theirs, too.
    """
    agent = _lock_agent(agent_id)
    if agent.id != by.agent:
        by.must(Act.CONFIGURE)
    faults = []
    if ends_at is not None and ends_at <= max(starts_at, now):
        faults.append(Fault("ends_at", "lies before its start, or in the past"))
    if ends_at is not None and ends_at - starts_at > LONGEST_ABSENCE:
        faults.append(Fault("ends_at", "is more than a year after its start"))
    stand_in = None
    if substitute:
        stand_in = Agent.objects.filter(public_id=parsed(AGENT, substitute), left_at__isnull=True).first()
        if stand_in is None:
            faults.append(Fault("substitute", "there is no agent by that id"))
        elif stand_in.id == agent.id:
            faults.append(Fault("substitute", "is the one who is away"))
    if not faults:
        faults = _overlaps(agent, starts_at=starts_at, ends_at=ends_at, at=now)
    if faults:
        raise Invalid(*faults)
    absence = Absence.objects.create(
        tenant_id=by.tenant,
        public_id=new_id(now),
        agent=agent,
        starts_at=starts_at,
        ends_at=ends_at,
        substitute=stand_in,
    )
    record_act(
        AuditAct.ABSENCE_BEGUN, thing="agent", thing_id=agent.id, by=by, at=now,
        after={
            "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat() if ends_at else None,
            "substitute": stand_in.id if stand_in else None,
        },
    )  # fmt: skip
    return absence


@act
def end_absence(absence_id: str, *, by: Actor, now: datetime) -> None:
    """Somebody is back, or never goes. Raises NotFound, Forbidden."""
    rows = Absence.objects.select_for_update(of=("self",))
    absence = rows.filter(public_id=parsed(ABSENCE, absence_id)).first()
    if absence is None or (absence.ends_at is not None and absence.ends_at <= now):
        raise NotFound
    if absence.agent_id != by.agent:
        by.must(Act.CONFIGURE)
    if absence.starts_at >= now:
        absence.delete()
    else:
        absence.ends_at = now
        absence.save(update_fields=["ends_at"])
    record_act(
        AuditAct.ABSENCE_ENDED, thing="agent", thing_id=absence.agent_id, by=by, at=now,
        after={"ends_at": now.isoformat()},
    )  # fmt: skip


def _lock_agent(public_id: str) -> Agent:
    rows = Agent.objects.select_for_update(of=("self",)).filter(left_at__isnull=True)
    agent = rows.filter(public_id=parsed(AGENT, public_id)).first()
    if agent is None:
        raise NotFound
    return agent


def _overlaps(agent: Agent, *, starts_at: datetime, ends_at: datetime | None, at: datetime) -> list[Fault]:
    """What is wrong with an absence beside another of a locked agent. What is over counts no more: who came back
    this morning may fall ill at noon, and says so from today."""
    rows = Absence.objects.filter(agent=agent).exclude(ends_at__lte=max(starts_at, at))
    if ends_at is not None:
        rows = rows.filter(starts_at__lt=ends_at)
    other = rows.order_by("starts_at").first()
    if other is None:
        return []
    field, start = "starts_at" if other.starts_at <= starts_at else "ends_at", other.starts_at.isoformat()
    if other.ends_at is None:
        return [Fault(field, f"overlaps the absence from {start} until further notice")]
    return [Fault(field, f"overlaps the absence from {start} to {other.ends_at.isoformat()}")]


def _must_reach(agent: Agent, card: AgentCard, *, by: Actor) -> None:
    if by.may(Act.CONFIGURE):
        return
    others = [name for name in card.__slots__ if name != "is_available" and getattr(card, name) is not None]
    if agent.id != by.agent or others:
        raise Forbidden


def _usable(name: str, value: object) -> object:
    """The value as it is kept, or what is wrong with it."""
    if isinstance(value, tuple):
        words = sorted({str(word).strip().lower() for word in value if str(word).strip()})
        if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD or "\x00" in word for word in words):
            return Fault(
                name,
                f"holds a null character, more than {MOST_WORDS} words, or one of more than {LONGEST_WORD} characters",
            )
        if name == "languages" and any(not word.isalpha() or len(word) != 2 for word in words):
            return Fault(name, "are codes of two letters, such as sv and en")
        known = [channel.value for channel in Channel]
        if name == "channels" and not set(words) <= set(known):
            return Fault(name, f"is not one of {', '.join(known)}")
        return words
    if name == "capacity" and not (isinstance(value, int) and 0 <= value <= MOST_CAPACITY):
        return Fault(name, f"must be from 0 to {MOST_CAPACITY}")
    return value
