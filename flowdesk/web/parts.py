"""What the components need: plain values with their words already chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from flowdesk.web import words
from flowdesk.web.drawings import Spark


class ChipState(StrEnum):
    """How a clock looks; FAR is past 125 %, MISSED has stopped too late."""

    RUNNING = "running"
    WARNING = "warning"
    CRITICAL = "critical"
    FAR = "far"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"


COUNTING = frozenset({ChipState.RUNNING, ChipState.WARNING, ChipState.CRITICAL, ChipState.FAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A clock in a few words; `facts` are the lines behind it (due, business time spent, calendar)."""

    state: ChipState
    words: str
    due_at: str = ""  # ISO 8601, empty while paused
    changes_at: str = ""  # ISO 8601: the instant at which the server must be asked again
    metric: str = ""
    facts: tuple[str, ...] = ()

    @property
    def is_counting(self) -> bool:
        """Whether the script may count it down."""
        return self.state in COUNTING and bool(self.due_at)

    @property
    def title(self) -> str:
        """The facts on one line, for a pointer that rests on the chip."""
        return f"{self.metric}: {', '.join(self.facts)}" if self.metric else ", ".join(self.facts)


def running_chip(
    due_at: datetime,
    *,
    now: datetime,
    state: ChipState = ChipState.RUNNING,
    changes_at: datetime | None = None,
    metric: str = "",
    facts: Sequence[str] = (),
) -> Chip:
    """The chip of a clock that counts; a running one on time says the bare length."""
    rest = due_at - now
    if state in (ChipState.CRITICAL, ChipState.FAR):
        said = words.over(rest)
    elif state is ChipState.WARNING:
        said = words.left(rest)
    else:
        said = words.length(rest)
    return Chip(
        state=state,
        words=said,
        due_at=words.iso(due_at),
        changes_at=words.iso(changes_at) if changes_at else "",
        metric=metric,
        facts=tuple(facts),
    )


def paused_chip(rest: timedelta, *, metric: str = "", facts: Sequence[str] = ()) -> Chip:
    """The chip of a clock that waits for someone else; `rest` is what will be left when it runs again."""
    return Chip(state=ChipState.PAUSED, words=words.left(rest), metric=metric, facts=tuple(facts))


def met_chip(length: timedelta, *, at: datetime, metric: str = "", facts: Sequence[str] = ()) -> Chip:
    """The chip of a promise kept after `length`."""
    return Chip(
        state=ChipState.MET,
        words=words.took(length),
        due_at=words.iso(at),
        metric=metric,
        facts=tuple(facts),
    )


def missed_chip(by: timedelta, *, at: datetime, metric: str = "", facts: Sequence[str] = ()) -> Chip:
    """The chip of a clock that stopped `by` too late."""
    return Chip(
        state=ChipState.MISSED,
        words=words.late(by),
        due_at=words.iso(at),
        metric=metric,
        facts=tuple(facts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A person in two letters; without a name, the dashed circle of nobody."""

    name: str = ""
    initials: str = ""

    @classmethod
    def of(cls, name: str) -> Self:
        """The first letter of the first and of the last word."""
        parts = name.split()
        return cls(name=name, initials="".join(part[0].upper() for part in (*parts[:1], *parts[1:][-1:])))


NOBODY = Face()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Words that lead somewhere."""

    words: str
    href: str
    icon: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One option of a field."""

    value: str
    words: str
    is_chosen: bool = False


class Kind(StrEnum):
    """How a field is drawn."""

    TEXT = "text"
    SEARCH = "search"
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105  the type of an input, no secret
    NUMBER = "number"
    DATE = "date"
    LONG = "long"
    SELECT = "select"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of a form, with what was answered and what was wrong with it."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    value: str = ""
    hint: str = ""
    errors: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    is_checked: bool = False
    autocomplete: str = ""
    max_length: int = 0

    @property
    def may_be_left_out(self) -> bool:
        """Whether to say "optional": a choice always has an answer, and a search is no question."""
        return not self.is_required and self.kind in (Kind.TEXT, Kind.LONG, Kind.EMAIL, Kind.NUMBER)

    def answered(self, value: str, errors: Iterable[str] = ()) -> Self:
        """The same question showing what was sent; a choice or a tick follows the value."""
        return replace(
            self,
            value=value,
            errors=tuple(errors),
            is_checked=bool(value),
            choices=tuple(replace(choice, is_chosen=choice.value == value) for choice in self.choices),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A set of questions and where the answers go (POST); hidden values ride along."""

    id: str  # unique on the page; also the fragment's target
    href: str
    submit: str
    title: str = ""
    hint: str = ""
    fields: tuple[Field, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()  # wrong with the form as a whole

    @property
    def has_errors(self) -> bool:
        return bool(self.errors) or any(question.errors for question in self.fields)

    def answered(self, values: Mapping[str, str], errors: Mapping[str, Sequence[str]]) -> Self:
        """The form as it goes back with 422; errors under "" or "__all__" belong to the whole."""
        return replace(
            self,
            fields=tuple(
                question.answered(values.get(question.name, ""), errors.get(question.name, ()))
                for question in self.fields
            ),
            errors=(*errors.get("", ()), *errors.get("__all__", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One act in a bar: a button when its form asks nothing, else a button that opens the form."""

    words: str
    form: Form
    icon: str = ""
    key: str = ""  # one letter, or empty
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """What a place says when there is nothing in it, and what to do next."""

    title: str
    words: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure with the sentence that makes it checkable."""

    words: str
    figure: str
    note: str
    spark: Spark | None = None
    second_figure: str = ""  # drawn after a slash: critical / warning


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """A ticket in one line of a card."""

    number: int
    subject: str
    href: str
    customer: str
    priority: int
    chip: Chip | None = None
    assignee: Face = field(default_factory=Face)
