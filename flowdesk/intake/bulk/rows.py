"""A row of an import: what a ticket was in another desk, checked and in our words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.text import LONGEST_ADDRESS, is_address
from flowdesk.engine.facts import PRIORITY_WORDS, Priority
from flowdesk.intake.bulk.files import REASON
from flowdesk.intake.fields import from_text, usable_fields
from flowdesk.intake.services import LONGEST_SUBJECT, LONGEST_TEXT
from flowdesk.people.queries import TeamRow
from flowdesk.policies.document import PolicyDocument
from flowdesk.policies.reader import suggestion
from flowdesk.tickets.states import ACTIVE, SET_ASIDE, Channel, Status

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NAME, LONGEST_PHONE, LONGEST_REF = 200, 40, 200
MOST_MESSAGES = 1_000
OWN_FIELD = "fields."  # a CSV column for a field of the tenant's own
_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")

# What other desks call the same; a name of ours is always known.
ALIASES: Mapping[str, str] = {
    "id": "external_ref", "ticket_id": "external_ref", "reference": "external_ref", "title": "subject",
    "description": "text", "body": "text", "requester_email": "email", "customer_email": "email",
    "contact_email": "email", "requester": "name", "requester_name": "name", "contact_name": "name",
    "company": "customer_name", "organization": "customer_name", "organisation": "customer_name",
    "customer": "customer_name", "assignee_email": "assignee", "agent": "assignee", "group": "team",
    "source": "channel", "opened_at": "created_at", "solved_at": "resolved_at", "custom_fields": "fields",
    "comments": "messages",
}  # fmt: skip
STATUSES: Mapping[str, Status] = {
    **{status.value: status for status in Status if status not in SET_ASIDE},
    "in_progress": Status.OPEN, "waiting": Status.PENDING, "hold": Status.ON_HOLD, "on-hold": Status.ON_HOLD,
    "solved": Status.RESOLVED,
}  # fmt: skip
PRIORITIES: Mapping[str, Priority] = {**PRIORITY_WORDS, "urgent": Priority.P1, "normal": Priority.P3}
CHANNELS: Mapping[str, Channel] = {
    **{channel.value: channel for channel in Channel},
    "mail": Channel.EMAIL, "call": Channel.PHONE, "form": Channel.WEB,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent as rows name them."""

    id: int
    has_left: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A team as rows name it; `level` is its depth of support."""

    id: int
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a row may name in this tenant: its policy's words, its agents by address, its teams by slug and name."""

    policy: PolicyDocument
    agents: Mapping[str, Colleague]
    teams: Mapping[str, Group]
    ignores_unknown: bool = False
    tiers: Mapping[str, str] = field(init=False)
    categories: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        policy = self.policy
        object.__setattr__(self, "tiers", {name.casefold(): name for name in policy.promises.tiers})
        object.__setattr__(
            self, "categories", {rule.category: rule.category for rule in policy.triage.categories}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation; `agent` is who wrote it, where that is somebody here."""

    is_customer: bool
    text: str
    at: datetime
    agent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket of another desk. Empty is what the row does not say; instants are in order and none lies ahead."""

    subject: str
    text: str
    created_at: datetime
    status: Status
    external_ref: str = ""
    email: str = ""
    name: str = ""
    phone: str = ""
    customer_name: str = ""
    tier: str = ""
    language: str = ""
    channel: Channel = Channel.EMAIL
    priority: Priority | None = None
    category: str = ""
    assignee: int | None = None
    team: Group | None = None
    first_response_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Said, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


def read_row(values: Mapping[str, Any], known: Known, *, now: datetime) -> TicketRow:
    """The row's ticket; raises Invalid naming everything that is wrong with it."""
    reading = _Reading(known, now)
    found = reading.columns(values)
    reading.require(found)
    if not reading.faults:
        reading.check(found)
    if reading.faults:
        raise Invalid(*reading.faults)
    return TicketRow(**found)


def unknown_columns(columns: Iterable[str]) -> list[Fault]:
    """The columns of a CSV file that are none of ours, each with what may have been meant, and those given twice."""
    faults, seen = [], set()
    for column in columns:
        name = column_name(column)
        if name in seen and name != REASON:
            faults.append(Fault(column, "is there more than once, perhaps under another name"))
        elif name not in COLUMNS and not name.startswith(OWN_FIELD):
            faults.append(Fault(column, f"is no column of a ticket{suggestion(name, COLUMNS)}"))
        seen.add(name)
    return faults


def column_name(column: str) -> str:
    """Our name for a column: without regard to case, blanks and hyphens, and by what other desks call it."""
    stripped = column.strip()
    if stripped[: len(OWN_FIELD)].casefold() == OWN_FIELD:
        return OWN_FIELD + stripped[len(OWN_FIELD) :]
    folded = stripped.casefold().replace(" ", "_").replace("-", "_")
    return ALIASES.get(folded, folded)


class _Reading:
    """One row being read: its faults gather here, so that all of them are told at once."""

    def __init__(self, known: Known, now: datetime) -> None:
        self.known, self.now = known, now
        self.faults: list[Fault] = []

    def columns(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for column, value in values.items():
            name = _OURS.get(column) or column_name(column)
            if value is None or value == "" or name == REASON:
                continue
            if name.startswith(OWN_FIELD):
                own[name.removeprefix(OWN_FIELD)] = value
                continue
            read = COLUMNS.get(name)
            if read is None:
                if not self.known.ignores_unknown:
                    self.fault(column, f"is no field of a ticket{suggestion(name, COLUMNS)}")
                continue
            self.take(found, name, read, value)
        if own:
            self.take(found, "fields", _Reading.own_fields, {**found.get("fields", {}), **own})
        return found

    def take(self, found: dict[str, Any], name: str, read: Read, value: Any, *, path: str = "") -> None:
        """Keep what a column holds, or why it cannot be used."""
        try:
            found[name] = read(self, value)
        except ValueError as error:
            self.fault(path or name, str(error))

    def fault(self, name: str, reason: str) -> None:
        self.faults.append(Fault(_UNPRINTABLE.sub("?", name)[:80], reason))

    def require(self, found: Mapping[str, Any]) -> None:
        """Name what is missing and was not refused already."""
        refused = {fault.field for fault in self.faults}
        for name in ("subject", "text", "created_at"):
            if name not in found and name not in refused:
                self.fault(name, "is required")
        if not {"email", "customer_name"} & (found.keys() | refused):
            self.fault("email", "names nobody: give an address or a customer_name")

    def check(self, found: dict[str, Any]) -> None:
        """What no single column can say: how they contradict each other."""
        self._times(found)
        found["messages"] = tuple(sorted(found.get("messages", ()), key=lambda said: said.at))
        if any(said.at < found["created_at"] for said in found["messages"]):
            self.fault("messages", "one was sent before the ticket was opened")
        found["status"] = status = found.get("status") or _implied_status(found)
        resolved, closed = found.get("resolved_at"), found.get("closed_at")
        if status in ACTIVE:
            for name in ("resolved_at", "closed_at"):
                if name in found:
                    self.fault(name, f"is given, but the ticket is {status.value}")
            assignee = found.get("assignee")
            if assignee is not None and assignee.has_left:
                self.fault("assignee", "has left; give the ticket to somebody who is here, or to a team")
        elif status is Status.RESOLVED and resolved is None:
            self.fault("resolved_at", "is required for a resolved ticket")
        elif status is Status.CLOSED and resolved is None and closed is None:
            self.fault("closed_at", "is required for a closed ticket")
        elif closed is not None and status is Status.RESOLVED:
            self.fault("closed_at", "is given, but the ticket is resolved")
        if found.get("assignee") is not None:
            found["assignee"] = found["assignee"].id

    def _times(self, found: Mapping[str, Any]) -> None:
        """In order: opened, answered, resolved, closed."""
        opened = found["created_at"]
        for name in ("first_response_at", "resolved_at", "closed_at"):
            if name in found and found[name] < opened:
                self.fault(name, "is earlier than created_at")
        resolved, closed = found.get("resolved_at"), found.get("closed_at")
        if resolved is not None and closed is not None and closed < resolved:
            self.fault("closed_at", "is earlier than resolved_at")
        ended, answered = resolved or closed, found.get("first_response_at")
        if answered is not None and ended is not None and answered > ended:
            self.fault("first_response_at", "is later than the end of the ticket")

    # -- columns --------------------------------------------------------------------------------------------

    def text(self, value: Any, *, most: int) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("must be text")
        text = str(value)
        # Plain letters need no search for halves of others.
        if "\x00" in text if text.isascii() else _UNPRINTABLE.search(text):
            raise ValueError("holds a null character or half of a character")
        if len(text) > most:
            raise ValueError(f"is longer than {most} characters")
        if not text.strip():
            raise ValueError("must not be blank")
        return text

    def line(self, value: Any, *, most: int) -> str:
        """Text on one line."""
        return " ".join(self.text(value, most=most).split())

    def instant(self, value: Any) -> datetime:
        try:
            at = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        except ValueError:
            at = None
        if at is None:
            raise ValueError("is no time written like 2026-03-29T14:05:00+02:00")
        if at.tzinfo is None:
            raise ValueError("has no offset; write it like 2026-03-29T14:05:00+02:00")
        if at < EARLIEST:
            raise ValueError("lies before 1970")
        if at > self.now:
            raise ValueError("lies in the future")
        return at.astimezone(UTC)

    def address(self, value: Any) -> str:
        text: str = self.line(value, most=LONGEST_ADDRESS)
        if not is_address(text):
            raise ValueError("is not an e-mail address")
        return text.lower()

    def word(self, value: Any, words: Mapping[str, Any]) -> Any:
        """One of some words, without regard to case."""
        if isinstance(value, str) and value in words:
            return words[value]
        folded = self.line(value, most=LONGEST_NAME).casefold()
        found = words.get(folded, words.get(folded.replace(" ", "_")))
        if found is None:
            raise ValueError(f"is not one of {', '.join(words)}")
        return found

    def tier(self, value: Any) -> Any:
        return self.word(value, self.known.tiers)

    def category(self, value: Any) -> Any:
        return self.word(value, self.known.categories)

    def language(self, value: Any) -> str:
        text = self.line(value, most=LONGEST_NAME).casefold()[:5]
        if not re.fullmatch(r"[a-z]{2}([-_][a-z]{2})?", text):
            raise ValueError("is no language in two letters, such as en or sv")
        return text[:2]

    def agent(self, value: Any) -> Colleague:
        found = self.known.agents.get(self.address(value))
        if found is None:
            raise ValueError("nobody works here under that address")
        return found

    def team(self, value: Any) -> Group:
        name = self.line(value, most=LONGEST_NAME).casefold()
        found = self.known.teams.get(name)
        if found is None:
            raise ValueError(f"there is no team by that name{suggestion(name, self.known.teams)}")
        return found

    def own_fields(self, value: Any) -> dict[str, Any]:
        """Each as its type wants it; a cell of a CSV file is text, whatever it holds."""
        if not isinstance(value, dict):
            raise ValueError("must be an object of the tenant's own fields")
        own = self.known.policy.fields
        given = {name: from_text(one, own.get(name)) for name, one in value.items()}
        if self.known.ignores_unknown:
            given = {name: one for name, one in given.items() if name in own}
        if any(isinstance(one, str) and _UNPRINTABLE.search(one) for one in given.values()):
            raise ValueError("holds a null character or half of a character")
        try:
            return usable_fields(given, self.known.policy)
        except Invalid as fault:
            self.faults.extend(fault.faults)
            return {}

    def messages(self, value: Any) -> list[Said]:
        if not isinstance(value, list):
            raise ValueError("must be a list of messages")
        if len(value) > MOST_MESSAGES:
            raise ValueError(f"holds more than {MOST_MESSAGES} messages")
        found = []
        for place, one in enumerate(value):
            if not isinstance(one, dict):
                self.fault(f"messages.{place}", "must be an object")
                continue
            said = self._message(one, f"messages.{place}")
            if said is not None:
                found.append(said)
        return found

    def _message(self, given: Mapping[str, Any], path: str) -> Said | None:
        before = len(self.faults)
        found: dict[str, Any] = {}
        for name, value in given.items():
            read = _MESSAGE.get(name)
            if read is None:
                if not self.known.ignores_unknown:
                    self.fault(f"{path}.{name}", f"is no field of a message{suggestion(name, _MESSAGE)}")
            elif value is not None and value != "":
                self.take(found, name, read, value, path=f"{path}.{name}")
        for name in ("author", "text", "sent_at"):
            if name not in given:
                self.fault(f"{path}.{name}", "is required")
        if len(self.faults) > before or found.keys() < {"author", "text", "sent_at"}:
            return None
        agent = found.get("agent")
        return Said(
            is_customer=found["author"] == "customer",
            text=found["text"],
            at=found["sent_at"],
            agent=agent.id if agent else None,
        )


def _implied_status(found: Mapping[str, Any]) -> Status:
    """The status of a row that names none: what its times say."""
    if "closed_at" in found:
        return Status.CLOSED
    if "resolved_at" in found:
        return Status.RESOLVED
    return Status.OPEN if found.get("assignee") or "first_response_at" in found else Status.NEW


Read = Callable[[_Reading, Any], Any]
COLUMNS: Mapping[str, Read] = {
    "external_ref": lambda reading, value: reading.line(value, most=LONGEST_REF),
    "subject": lambda reading, value: reading.line(value, most=LONGEST_SUBJECT),
    "text": lambda reading, value: reading.text(value, most=LONGEST_TEXT),
    "email": _Reading.address,
    "name": lambda reading, value: reading.line(value, most=LONGEST_NAME),
    "phone": lambda reading, value: reading.line(value, most=LONGEST_PHONE),
    "customer_name": lambda reading, value: reading.line(value, most=LONGEST_NAME),
    "tier": _Reading.tier,
    "language": _Reading.language,
    "status": lambda reading, value: reading.word(value, STATUSES),
    "priority": lambda reading, value: reading.word(value, PRIORITIES),
    "category": _Reading.category,
    "channel": lambda reading, value: reading.word(value, CHANNELS),
    "created_at": _Reading.instant,
    "first_response_at": _Reading.instant,
    "resolved_at": _Reading.instant,
    "closed_at": _Reading.instant,
    "assignee": _Reading.agent,
    "team": _Reading.team,
    "fields": _Reading.own_fields,
    "messages": _Reading.messages,
    REASON: lambda reading, value: None,
}
_OURS = {name: name for name in COLUMNS}
_MESSAGE: Mapping[str, Read] = {
    "author": lambda reading, value: reading.word(value, {"customer": "customer", "agent": "agent"}),
    "text": lambda reading, value: reading.text(value, most=LONGEST_TEXT),
    "sent_at": _Reading.instant,
    "agent": _Reading.agent,
}


def teams_by_name(teams: Sequence[TeamRow]) -> dict[str, Group]:
    """Teams under their slugs and names; where a name is another's slug, the slug wins."""
    groups = {team: Group(team.id, max(team.level, 1)) for team in teams}
    by_name = {team.name.casefold(): group for team, group in groups.items()}
    return by_name | {team.slug: group for team, group in groups.items()}
