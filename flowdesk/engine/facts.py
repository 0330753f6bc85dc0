"""The plain picture of a ticket that rules may look at, and the names conditions know it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from operator import attrgetter

FactValue = str | int | Decimal | bool


class Priority(IntEnum):
    """How much a ticket matters; the smaller number matters more (C5: P1..P4 with aliases)."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


PRIORITY_WORDS: Mapping[str, Priority] = {
    "p1": Priority.P1,
    "p2": Priority.P2,
    "p3": Priority.P3,
    "p4": Priority.P4,
    "critical": Priority.P1,
    "high": Priority.P2,
    "medium": Priority.P3,
    "low": Priority.P4,
}


class Sentiment(StrEnum):
    ANGRY = "angry"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """What is known of one ticket at one instant.

    Slugs (category, team, tier, …) are lower case, ids as they are; None means not known or not set.
    `recent_escalations` counts the customer's, `reopen_count` this ticket's. `fields` holds the tenant's
    own fields by key.
    """

    subject: str = ""
    text: str = ""
    channel: str | None = None
    language: str | None = None
    priority: Priority = Priority.P3
    category: str | None = None
    subcategory: str | None = None
    complexity: int | None = None  # 1 FAQ, 2 technical, 3 engineering
    customer_tier: str | None = None
    is_vip: bool = False
    customer_id: str | None = None
    contact_id: str | None = None
    status: str = "new"
    team: str | None = None
    assignee: str | None = None
    level: int | None = None  # depth of support, 1 to 3
    fields: Mapping[str, FactValue] = field(default_factory=dict, hash=False)
    business_hours: bool = False  # whether the customer's calendar is open at this instant
    recent_escalations: int = 0
    reopen_count: int = 0
    is_answered: bool = False  # whether a person has answered in public
    sentiment: Sentiment | None = None
    signals: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    preferred_channel: str | None = None  # how this contact likes to be reached
    is_major_incident: bool = False  # what other desks call P0: a P1 with this flag
    created_at: datetime | None = None
    folded_subject: str = field(init=False, repr=False, compare=False)
    folded_text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Folded once: a hundred rules may search the same text.
        object.__setattr__(self, "folded_subject", self.subject.casefold())
        object.__setattr__(self, "folded_text", self.text.casefold())


class FieldType(StrEnum):
    TEXT = "text"  # free words; compared and searched without regard to case
    SLUG = "slug"  # one lower-case word of a vocabulary
    NUMBER = "number"
    TRUTH = "truth"
    PRIORITY = "priority"
    WORDS = "words"  # a set of slugs


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One name a condition may use: its type and how to read it; None reads as missing."""

    name: str  # as conditions print it; an alias carries the name it stands for
    type: FieldType
    read: Callable[[TicketFacts], object]
    words: tuple[str, ...] = ()  # the whole vocabulary of a slug or set, where it is closed
    is_always_known: bool = False


def _known(name: str, of: FieldType, *words: str) -> Field:
    return Field(name=name, type=of, read=attrgetter(name), words=words, is_always_known=True)


def _maybe(name: str, of: FieldType, *words: str) -> Field:
    return Field(name=name, type=of, read=attrgetter(name), words=words)


def _opaque(name: str) -> Field:
    def read(facts: TicketFacts) -> object:
        value = getattr(facts, name)
        return None if value is None else value.casefold()

    return Field(name=name, type=FieldType.SLUG, read=read)


def _is_assigned(facts: TicketFacts) -> bool:
    return facts.assignee is not None


_BUILT_IN = (
    Field(name="subject", type=FieldType.TEXT, read=attrgetter("folded_subject"), is_always_known=True),
    Field(name="text", type=FieldType.TEXT, read=attrgetter("folded_text"), is_always_known=True),
    _maybe("channel", FieldType.SLUG, "email", "web", "chat", "phone", "api", "portal"),
    _maybe("language", FieldType.SLUG),
    _known("priority", FieldType.PRIORITY),
    _maybe("category", FieldType.SLUG),
    _maybe("subcategory", FieldType.SLUG),
    _maybe("complexity", FieldType.NUMBER),
    _maybe("customer_tier", FieldType.SLUG),
    _known("is_vip", FieldType.TRUTH),
    _opaque("customer_id"),
    _opaque("contact_id"),
    _known(
        "status", FieldType.SLUG, "new", "open", "pending", "on_hold", "resolved", "closed", "merged", "void"
    ),
    _maybe("team", FieldType.SLUG),
    _opaque("assignee"),
    _maybe("level", FieldType.NUMBER),
    _known("business_hours", FieldType.TRUTH),
    _known("recent_escalations", FieldType.NUMBER),
    _known("reopen_count", FieldType.NUMBER),
    _known("is_answered", FieldType.TRUTH),
    _maybe("sentiment", FieldType.SLUG, *Sentiment),
    _known("signals", FieldType.WORDS),
    _known("tags", FieldType.WORDS),
    _maybe("preferred_channel", FieldType.SLUG),
    _known("is_major_incident", FieldType.TRUTH),
    Field(name="is_assigned", type=FieldType.TRUTH, read=_is_assigned, is_always_known=True),
)

ALIASES: Mapping[str, str] = {
    "tier": "customer_tier",
    "vip": "is_vip",
    "major_incident": "is_major_incident",
    "body": "text",
    "description": "text",
    "customer": "customer_id",
    "contact": "contact_id",
}

FIELDS: Mapping[str, Field] = {
    **{known.name: known for known in _BUILT_IN},
    **{alias: next(known for known in _BUILT_IN if known.name == name) for alias, name in ALIASES.items()},
}


LONGEST, LARGEST = (
    2000,
    10**15,
)  # what a field of the tenant's own may hold: characters, and a number either way


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field that a tenant keeps on its tickets: number, text, slug or truth; `choices` are all values of a slug."""

    type: FieldType
    label: str = ""  # as people read it; empty: the key itself
    choices: tuple[str, ...] = ()

    def why_not(self, value: object) -> str:
        """Why the field cannot hold a value, as a fault says it; empty where it can."""
        if self.type is FieldType.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                return "must be a number"
            return "" if -LARGEST <= value <= LARGEST else f"must be from {-LARGEST} to {LARGEST}"
        if self.type is FieldType.TRUTH:
            return "" if isinstance(value, bool) else "must be true or false"
        if not isinstance(value, str) or len(value) > LONGEST:
            return f"must be text of at most {LONGEST} characters"
        if "\x00" in value:
            return "holds a null character"
        is_known = not self.choices or value.casefold() in self.choices
        return "" if is_known else f"is not one of {', '.join(self.choices)}"


def vocabulary(custom: Mapping[str, CustomField]) -> Mapping[str, Field]:
    """The built-in names plus a tenant's own fields, each as `fields.amount` and, where free, as `amount`."""
    own = {f"fields.{key}": _custom(key, known) for key, known in custom.items()}
    bare = {key: own[f"fields.{key}"] for key in custom if key not in FIELDS}
    return {**own, **bare, **FIELDS}


def _custom(key: str, known: CustomField) -> Field:
    # A stored value of another type than declared is as good as missing: a rule must not fail on it.
    def number(facts: TicketFacts) -> object:
        value = facts.fields.get(key)
        return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None

    def truth(facts: TicketFacts) -> object:
        value = facts.fields.get(key)
        return value if isinstance(value, bool) else None

    def text(facts: TicketFacts) -> object:
        value = facts.fields.get(key)
        return value.casefold() if isinstance(value, str) else None

    readers = {FieldType.NUMBER: number, FieldType.TRUTH: truth, FieldType.TEXT: text, FieldType.SLUG: text}
    return Field(name=f"fields.{key}", type=known.type, read=readers[known.type], words=known.choices)
