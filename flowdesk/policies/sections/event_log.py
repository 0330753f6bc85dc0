"""The section `log` of a replay policy: which column of an event log says what, and what its words mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from flowdesk.engine.business_time import zone_named
from flowdesk.engine.facts import PRIORITY_WORDS
from flowdesk.engine.history import LogState
from flowdesk.engine.sla_policy import TierTerms
from flowdesk.policies.reader import FaultList, Node, suggestion


class Told(StrEnum):
    """What a column of an event log can tell."""

    TICKET = "ticket"
    AT = "at"
    STATE = "state"
    OPENED_AT = "opened_at"
    PRIORITY = "priority"
    TIER = "tier"
    ASSIGNEE = "assignee"
    TEAM = "team"
    REOPENED = "reopened"
    CHANNEL = "channel"


NEEDED = (Told.TICKET, Told.AT, Told.STATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLayout:
    """How an event log is written: its columns by what they tell, its zone, and its words in ours."""

    zone: ZoneInfo
    columns: Mapping[Told, str]
    states: Mapping[str, LogState]
    priorities: Mapping[str, int]
    priority: int | None = None  # where a row names none; None refuses such a row
    tiers: frozenset[str] = frozenset()
    tier: str = ""  # where a row names none
    missing: frozenset[str] = frozenset()  # words that stand for an empty cell
    phone: frozenset[str] = frozenset()  # channels on which a ticket was written down during a call
    pattern: str | None = None  # of strptime; None reads ISO 8601
    delimiter: str = field(default=",")


def read_event_log(node: Node, *, tiers: Mapping[str, TierTerms]) -> LogLayout:
    """The layout of a log; raises PolicyFaults naming every place that cannot be used."""
    parts = node.mapping(
        required=("zone", "columns", "states"),
        optional=("times", "missing", "phone", "priorities", "priority", "tier", "delimiter"),
    )
    faults = FaultList()
    zone = faults.read(lambda: _zone(parts["zone"]))
    columns = faults.read(lambda: _columns(parts["columns"])) or {}
    states = faults.read(
        lambda: {word.text(): state.choice(LogState) for word, state in parts["states"].items()}
    )
    priorities = faults.read(lambda: _priorities(parts["priorities"])) if "priorities" in parts else {}
    priority = faults.read(lambda: _priority(parts["priority"])) if "priority" in parts else None
    tier = faults.read(lambda: _tier(parts["tier"], tiers)) if "tier" in parts else ""
    missing = faults.read(lambda: _words(parts["missing"])) if "missing" in parts else frozenset()
    phone = faults.read(lambda: _words(parts["phone"])) if "phone" in parts else frozenset()
    pattern = faults.read(lambda: _pattern(parts["times"])) if "times" in parts else None
    delimiter = faults.read(lambda: _delimiter(parts["delimiter"])) if "delimiter" in parts else ","
    if Told.PRIORITY not in columns and "priority" not in parts:
        faults.add(node.fault("needs a column for the priority, or one priority for all: `priority: P3`"))
    if Told.PRIORITY in columns and not priorities and "priorities" not in parts:
        faults.add(node.fault("needs `priorities`: what the log's words for a priority mean"))
    faults.raise_any()
    assert zone is not None
    return LogLayout(
        zone=zone,
        columns=columns,
        states=states or {},
        priorities=priorities or {},
        priority=priority,
        tiers=frozenset(tiers),
        tier=tier or "",
        missing=missing or frozenset(),
        phone=phone or frozenset(),
        pattern=pattern,
        delimiter=delimiter or ",",
    )


def _zone(node: Node) -> ZoneInfo:
    try:
        return zone_named(node.text())
    except ValueError as fault:
        raise node.refuse(str(fault)) from None


def _columns(node: Node) -> dict[Told, str]:
    faults = FaultList()
    columns: dict[Told, str] = {}
    for told, column in node.items():
        with faults:
            name = column.text()
            if name in columns.values():
                raise column.refuse(f"the column {name!r} is used already")
            columns[told.choice(Told)] = name
    for needed in NEEDED:
        if needed not in columns and not faults.found:
            faults.add(node.fault(f"needs the column for {needed.value!r}"))
    faults.raise_any()
    return columns


def _priorities(node: Node) -> dict[str, int]:
    return {word.text(): _priority(priority) for word, priority in node.items()}


def _priority(node: Node) -> int:
    word = node.text().lower()
    if word not in PRIORITY_WORDS:
        raise node.refuse(f"{word!r} is no priority{suggestion(word, PRIORITY_WORDS)}")
    return int(PRIORITY_WORDS[word])


def _tier(node: Node, tiers: Mapping[str, TierTerms]) -> str:
    name = node.text()
    if name not in tiers:
        raise node.refuse(f"there is no tier {name!r}{suggestion(name, tiers)}")
    return name


def _words(node: Node) -> frozenset[str]:
    return frozenset(item.text() for item in node.one_or_more())


def _pattern(node: Node) -> str | None:
    pattern = node.text()
    if pattern == "iso":
        return None
    if "%" not in pattern:
        raise node.refuse('times are `iso` or a pattern such as "%d/%m/%Y %H:%M"')
    return pattern


def _delimiter(node: Node) -> str:
    names = {"comma": ",", "semicolon": ";", "tab": "\t"}
    if node.text() not in names:
        raise node.refuse("a delimiter is comma, semicolon or tab")
    return names[node.text()]
