"""What will happen in the demo's week, drawn before it is played.

Pure: the same seed and instant give the same script.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from flowdesk.engine.facts import Priority
from flowdesk.tickets.states import Channel
from flowdesk.worker.demo.sample import History, Library, Opening
from flowdesk.worker.demo.stage import Guest

STOCKHOLM = ZoneInfo("Europe/Stockholm")
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
# Document 2's month by channel, and by category where the top issues leave room (S2: analytics, top issues).
CHANNELS = ((Channel.EMAIL, 42), (Channel.WEB, 28), (Channel.CHAT, 19), (Channel.PHONE, 6), (Channel.API, 5))
CATEGORIES = (
    ("account", 24),
    ("technical", 24),
    ("billing", 24),
    ("integration", 13),
    ("feature", 12),
    ("security", 3),
)
# What a person says outright, on the ways in that ask for it.
PRIORITIES = ((Priority.P2, 14), (Priority.P3, 64), (Priority.P4, 22))
ASKING = frozenset({Channel.WEB, Channel.PHONE, Channel.API})
OWN_WORDS = 0.45  # share of English tickets that open with words of ours; all others do


class Fate(StrEnum):
    """Where a ticket stands when the week has been played."""

    DONE = "done"
    RUNNING = "running"
    WAITING = "waiting"
    QUEUED = "queued"
    AT_RISK = "at_risk"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One ticket to be: who writes what and when, how its work goes, and where it shall stand at the end."""

    arrives_at: datetime
    guest: Guest
    channel: Channel
    opening: Opening
    fate: Fate
    steps: Sequence[tuple[timedelta, str]] = ()  # since the arrival
    priority: Priority | None = None
    category: str = ""
    is_careless: bool = False  # the one in twenty whose answer comes late
    nudges: bool = False  # the customer asks again before they are answered
    reopens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How big the desk is, and how it stands at the end; the defaults fill every lane."""

    tickets: int = 270
    running: int = 59
    waiting: int = 48
    queued: int = 3
    over: int = 4
    at_risk: int = 9

    @classmethod
    def scaled(cls, tickets: int) -> "Numbers":
        """The same picture with fewer tickets, at least one in each lane."""
        whole = cls()

        def part(number: int) -> int:
            return max(1, round(number * tickets / whole.tickets))

        return cls(
            tickets=tickets, running=part(whole.running), waiting=part(whole.waiting), queued=part(whole.queued),
            over=part(whole.over), at_risk=part(whole.at_risk),
        )  # fmt: skip


# Enterprise cases that stand past or near a promise at the end, whatever the hour: their calendar never closes.
# Priority, category, minutes of the first response's target, minutes spent when the week ends.
OVER = (
    (Priority.P2, "technical", 60, 78),
    (Priority.P1, "technical", 15, 21),
    (Priority.P2, "billing", 60, 101),
    (Priority.P3, "billing", 240, 266),
)
AT_RISK = (
    (Priority.P2, "technical", 60, 49),
    (Priority.P3, "billing", 240, 205),
    (Priority.P2, "technical", 60, 53),
    (Priority.P1, "technical", 15, 12),
    (Priority.P3, "billing", 240, 221),
    (Priority.P2, "billing", 60, 47),
    (Priority.P3, "billing", 240, 196),
    (Priority.P2, "technical", 60, 56),
    (Priority.P3, "billing", 240, 189),
)


def week_until(
    now: datetime, *, library: Library, guests: Sequence[Guest], numbers: Numbers, seed: int
) -> list[Case]:
    """The cases of the seven days before `now`, in the order they arrive."""
    chance = Random(seed)  # noqa: S311 - a script, no secret
    finale = _finale(now, library, guests, numbers, chance)
    rest = numbers.tickets - len(finale)
    drawn = chance.sample(library.histories, rest) if rest <= len(library.histories) else [
        chance.choice(library.histories) for _ in range(rest)
    ]  # fmt: skip
    arrivals = sorted(((_arrival(history, now), history) for history in drawn), key=lambda pair: pair[0])
    fates = _fates([at for at, _ in arrivals], now, numbers, chance)
    cases = [
        _case(at, history, fate, now, library, guests, chance)
        for (at, history), fate in zip(arrivals, fates, strict=True)
    ]
    return sorted([*cases, *finale], key=lambda case: case.arrives_at)


def new_case(
    now: datetime,
    *,
    library: Library,
    guests: Sequence[Guest],
    chance: Random,
    priority: Priority | None = None,
) -> Case:
    """One more ticket, of a desk that is alive; a P1 comes from an enterprise customer in words that say so."""
    if priority is None:
        return _case(now, chance.choice(library.histories), Fate.RUNNING, now, library, guests, chance)
    guest = chance.choice([guest for guest in guests if guest.tier == "enterprise"])
    return Case(
        arrives_at=now, guest=guest, channel=Channel.EMAIL, fate=Fate.RUNNING, priority=priority, category="technical",
        opening=_urgent(priority, "technical", guest.language, library, chance),
    )  # fmt: skip


def weighed(choices: Sequence[tuple[Any, int]], chance: Random) -> Any:
    """One of the choices, each as likely as its weight."""
    return chance.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]


def _arrival(history: History, now: datetime) -> datetime:
    """The last instant before `now` at the history's minute of the week."""
    local = now.astimezone(STOCKHOLM)
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    ago = (minute - history.week_minute - 1) % 10080 + 1
    return now.replace(second=0, microsecond=0) - ago * MINUTE


def _fates(arrivals: Sequence[datetime], now: datetime, numbers: Numbers, chance: Random) -> list[Fate]:
    """Who is still active at the end: the later a ticket came, the likelier.

    What runs on is younger than what waits, for a wait stops the promise of an end and work does not.
    """
    fates = [Fate.DONE] * len(arrivals)
    ages = [working_days(at, now) for at in arrivals]

    def drawn(candidates: Sequence[int], count: int, half_life: float) -> list[int]:
        keys = {i: chance.random() ** (1 + (ages[i] / half_life) ** 3) for i in candidates}
        return sorted(candidates, key=keys.__getitem__, reverse=True)[:count]

    running = drawn(range(len(arrivals)), numbers.running, 0.9)
    rest = [index for index in range(len(arrivals)) if index not in set(running)]
    waiting = drawn(rest, numbers.waiting + numbers.waiting // 4, 1.6)  # some of the waits end themselves
    for index in running:
        fates[index] = Fate.RUNNING
    for index in waiting:
        fates[index] = Fate.WAITING
    return fates


def working_days(start: datetime, end: datetime) -> float:
    """Days from Monday to Friday between two instants, by the clock in Stockholm."""
    days, at = 0.0, start.astimezone(STOCKHOLM)
    last = end.astimezone(STOCKHOLM)
    while at < last:
        midnight = (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        part = (min(midnight, last) - at) / timedelta(days=1)
        days += part if at.weekday() < 5 else 0.0
        at = midnight
    return days


def _case(
    at: datetime,
    history: History,
    fate: Fate,
    now: datetime,
    library: Library,
    guests: Sequence[Guest],
    chance: Random,
) -> Case:
    guest = chance.choices(guests, [one.weight for one in guests])[0]
    channel = weighed(CHANNELS, chance)
    opening = _opening(guest, library, chance)
    return Case(
        arrives_at=at,
        guest=guest,
        channel=channel,
        opening=opening,
        fate=fate,
        steps=_steps(history, fate, now - at, chance),
        priority=weighed(PRIORITIES, chance) if channel in ASKING else None,
        category=opening.category if channel in ASKING else "",
        is_careless=chance.random() < 0.05,
        nudges=chance.random() < 0.12,
        reopens=fate is Fate.DONE and chance.random() < 0.04,
    )


def _steps(history: History, fate: Fate, age: timedelta, chance: Random) -> tuple[tuple[timedelta, str], ...]:
    """The history's steps, squeezed so that they fit between the arrival and now."""
    steps = [(minutes * MINUTE, step) for minutes, step in history.steps]
    done = steps[-1][0]
    if fate is Fate.DONE:
        room = age * chance.uniform(0.55, 0.97)
        factor = min(1.0, room / done)
        return tuple((length * factor, step) for length, step in steps)
    factor = min(1.0, age * 0.9 / done)
    going = [(length * factor, step) for length, step in steps[:-1]]
    if fate is Fate.WAITING:
        step = chance.choices(("customer", "third_party", "customer_asked"), (36, 9, 3))[0]
        since = going[-1][0] if going else timedelta(0)
        going = [*going, (since + (age - since) * chance.uniform(0.3, 0.9), step)]
    return tuple(going)


def _opening(guest: Guest, library: Library, chance: Random) -> Opening:
    if guest.language != "en" or chance.random() < OWN_WORDS:
        return chance.choice(library.own[guest.language])
    return chance.choice(library.queries[weighed(CATEGORIES, chance)])


def _finale(
    now: datetime, library: Library, guests: Sequence[Guest], numbers: Numbers, chance: Random
) -> list[Case]:
    """The cases that must stand where they shall at the end, and the queue nobody has taken from."""
    enterprise = [guest for guest in guests if guest.tier == "enterprise"]
    cases = []
    for fate, table, count in ((Fate.OVER, OVER, numbers.over), (Fate.AT_RISK, AT_RISK, numbers.at_risk)):
        for priority, category, _, spent in table[:count]:
            guest = chance.choice(enterprise)
            cases.append(
                Case(
                    arrives_at=now - spent * MINUTE - chance.randrange(20, 50) * timedelta(seconds=1),
                    guest=guest, channel=chance.choice((Channel.EMAIL, Channel.WEB)),
                    opening=_urgent(priority, category, guest.language, library, chance), fate=fate,
                    priority=priority, category=category,
                )
            )  # fmt: skip
    # A language that one colleague speaks, who has little room: the others wait in the queue at any hour.
    spanish = [guest for guest in guests if guest.language == "es"]
    for _ in range(numbers.queued + 1):
        guest = chance.choice(spanish)
        cases.append(
            Case(
                arrives_at=now - chance.randrange(8, 45) * MINUTE, guest=guest, channel=Channel.WEB,
                opening=chance.choice(library.own["es"]), fate=Fate.QUEUED, priority=Priority.P3, category="technical",
            )
        )  # fmt: skip
    return cases


def _urgent(priority: Priority, category: str, language: str, library: Library, chance: Random) -> Opening:
    if priority is Priority.P1:
        known = [one for one in library.urgent if one.category == category and one.language == language]
    else:
        known = [one for one in library.own[language] if one.category == category]
    return chance.choice(known)
