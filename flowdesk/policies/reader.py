"""Reads the YAML of a policy document into nodes that know where they stand.

Scalars stay text until a reader asks for more: `on`, `no` and `09:00` are never turned into truths or
base-sixty integers behind the author's back. Tags, anchors and aliases are refused, so a document is as
large as it looks. Every fault carries path, line and column (both from 1), and faults are gathered and
raised together as far as reading can go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from types import TracebackType
from typing import Protocol, TypeVar

import yaml

MAX_BYTES = 512 * 1024
MAX_DEPTH = 32
MAX_NODES = 50_000

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

# libyaml gives the same events an order of magnitude faster; wheels carry it, some source builds do not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")
_WALL_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LENGTH = re.compile(r"([0-9]{1,6})[ _]?(m|min|minutes?|h|hours?)")
LONGEST_LENGTH = timedelta(days=366)
_NO_TEXT = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]"
)  # controls but tab and newline, halves of characters
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One thing wrong with a document; line and column count from 1 (a column counts characters)."""

    path: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}, column {self.column}: {self.reason}"


class PolicyFaults(Exception):
    """Everything found wrong with a document, in the order of its lines."""

    def __init__(self, faults: Iterable[PolicyFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class _Mark(Protocol):
    """What the pure and the compiled loader's marks share; both count from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class FaultList:
    """Lets reading go on past a fault.

    `with faults:` keeps what the block raises; `faults.read(node.text)` does so for one value and gives
    None in its place; `faults.raise_any()` ends the reading with all of them.
    """

    def __init__(self) -> None:
        self.found: list[PolicyFault] = []

    def __enter__(self) -> FaultList:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, PolicyFaults):
            self.found.extend(error.faults)
            return True
        return False

    def add(self, fault: PolicyFault) -> None:
        self.found.append(fault)

    def read(self, read: Callable[[], T]) -> T | None:
        """What `read` gives, or None when it found faults; they are kept."""
        with self:
            return read()
        return None

    def raise_any(self) -> None:
        """Raise PolicyFaults if anything was found."""
        if self.found:
            raise PolicyFaults(self.found)


class Kind(StrEnum):
    TEXT = "text"
    LIST = "list"
    MAPPING = "mapping"


_KIND_WORDS = {Kind.TEXT: "a single value", Kind.LIST: "a list", Kind.MAPPING: "a mapping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of a document with its place; the readers below raise PolicyFaults."""

    path: str
    line: int
    column: int
    kind: Kind
    raw: str = ""  # the scalar's text, escapes and folding resolved
    indent: int | None = 0  # characters from `column` to the first of `raw`; None when they do not line up
    is_quoted: bool = False
    children: tuple[tuple[Node | None, Node], ...] = ()  # (key, value); a list's values have no key

    @property
    def is_empty(self) -> bool:
        return self.kind is Kind.TEXT and not self.is_quoted and self.raw in _EMPTY

    def fault(self, reason: str, *, at: int = 0) -> PolicyFault:
        """A fault here; `at` is a character offset into the text, where the place of it can be told."""
        shift = 0 if self.indent is None or at == 0 else self.indent + at
        return PolicyFault(self.path, self.line, self.column + shift, reason)

    def refuse(self, reason: str, *, at: int = 0) -> PolicyFaults:
        """The exception to raise when this one value is wrong."""
        return PolicyFaults([self.fault(reason, at=at)])

    # -- containers

    def mapping(self, *, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Node]:
        """The values by key; unknown, missing and empty keys are faults, all told at once."""
        faults = FaultList()
        needed, known = list(required), [*required, *optional]
        values: dict[str, Node] = {}
        for key, value in self.items():
            if key.raw not in known:
                faults.add(key.fault(f"unknown key {key.raw!r}{suggestion(key.raw, known)}"))
            elif value.is_empty:
                faults.add(value.fault("has no value; write one or leave the key out"))
            values[key.raw] = value
        for name in needed:
            if name not in values:
                faults.add(self.fault(f"needs the key {name!r}"))
        faults.raise_any()
        return values

    def items(self) -> tuple[tuple[Node, Node], ...]:
        """The (key, value) pairs of a mapping in written order; keys are nodes of their own."""
        self._expect(Kind.MAPPING)
        return tuple((key, value) for key, value in self.children if key is not None)

    def list(self) -> tuple[Node, ...]:
        """The values of a list; one value alone is not taken for a list of one."""
        self._expect(Kind.LIST)
        return tuple(value for _, value in self.children)

    def one_or_more(self) -> tuple[Node, ...]:
        """The values of a list, or the one value itself: for keys that mostly hold one name."""
        return self.list() if self.kind is Kind.LIST else (self,)

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        """`read` over every value of a list; the faults of all are raised together."""
        faults, values = FaultList(), []
        for node in self.list():
            with faults:
                values.append(read(node))
        faults.raise_any()
        return tuple(values)

    # -- single values

    def text(self, *, longest: int = 2_000) -> str:
        """The text as written, never empty."""
        self._expect(Kind.TEXT)
        if self.is_empty or not self.raw.strip():
            raise self.refuse("is empty")
        if len(self.raw) > longest:
            raise self.refuse(f"is {len(self.raw)} characters long; {longest} is the most")
        return self.raw

    def integer(self, *, least: int | None = None, most: int | None = None) -> int:
        text = self.text()
        if not _INTEGER.fullmatch(text):
            raise self.refuse(f"expects a whole number, not {_shown(text)}")
        number = int(text)
        self._within(number, least=least, most=most)
        return number

    def number(self, *, least: int | None = None, most: int | None = None) -> Decimal:
        """An exact decimal number; at most 15 digits before and 9 after the point, no exponent."""
        text = self.text()
        if not _NUMBER.fullmatch(text):
            raise self.refuse(f"expects a number, not {_shown(text)}")
        number = Decimal(text)
        self._within(number, least=least, most=most)
        return number

    def choice(self, options: type[E]) -> E:
        text = self.text()
        for option in options:
            if option.value == text:
                return option
        words = [option.value for option in options]
        raise self.refuse(f"expects one of {', '.join(words)}, not {_shown(text)}{suggestion(text, words)}")

    def truth(self) -> bool:
        """true or false; yes, no, on and off are taken only where a truth is asked for."""
        text = self.text()
        if text.lower() not in _TRUTHS:
            raise self.refuse(f"expects true or false, not {_shown(text)}")
        return _TRUTHS[text.lower()]

    def wall_time(self) -> time:
        """A time of day from 00:00 to 23:59, naive: the calendar knows the zone."""
        return self._wall_time(closing=None)

    def closing_time(self) -> time:
        """A time of day up to 24:00, which is given as 00:00: the end of the day is the next one's start."""
        return self._wall_time(closing=time(0, 0))

    def date(self) -> date:
        text = self.text()
        found = _DATE.fullmatch(text)
        try:
            if found is not None:
                return date(*(int(part) for part in found.groups()))
        except ValueError:
            pass
        raise self.refuse(f"expects a date as 2026-12-24, not {_shown(text)}")

    def length(self) -> timedelta:
        """Minutes or hours as `15_minutes`, `1 hour`, `90m`, `4h`; longer than nothing.

        Days are refused on purpose: what a day means is a target's unit, not a length.
        """
        text = self.text()
        found = _LENGTH.fullmatch(text.strip().lower())
        if found is None or int(found[1]) == 0:
            raise self.refuse(f"expects a length as 15_minutes or 4_hours, not {_shown(text)}")
        length = timedelta(**{"hours" if found[2][0] == "h" else "minutes": min(int(found[1]), 10**6)})
        if length > LONGEST_LENGTH:
            raise self.refuse("is longer than a year")
        return length

    def _wall_time(self, *, closing: time | None) -> time:
        text = self.text()
        found = _WALL_TIME.fullmatch(text)
        if found is not None:
            hour, minute = int(found[1]), int(found[2])
            if closing is not None and (hour, minute) == (24, 0):
                return closing
            if hour < 24 and minute < 60:
                return time(hour, minute)
        raise self.refuse(f"expects a time of day as 09:00, not {_shown(text)}")

    def _expect(self, kind: Kind) -> None:
        if self.kind is not kind:
            raise self.refuse(f"expects {_KIND_WORDS[kind]}, not {_KIND_WORDS[self.kind]}")

    def _within(self, number: int | Decimal, *, least: int | None, most: int | None) -> None:
        if least is not None and number < least:
            raise self.refuse(f"is {number}; {least} is the least")
        if most is not None and number > most:
            raise self.refuse(f"is {number}; {most} is the most")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'team'?` when something near is known, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def read_document(text: str, name: str) -> Node:
    """The document's root node, its path being `name`; raises PolicyFaults when it is no plain YAML."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _refuse(name, "holds a character that is not Unicode text") from error
    if size > MAX_BYTES:
        raise _refuse(name, f"is {size} bytes; {MAX_BYTES} is the most")
    try:
        return _compose(yaml.parse(text, Loader=_LOADER), name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.problem, error.context) if part) or "is not YAML"
        raise PolicyFaults([PolicyFault(name, *_place(mark), words)]) from error
    except yaml.YAMLError as error:
        raise _refuse(name, "holds a character that YAML does not allow") from error


def _refuse(name: str, reason: str) -> PolicyFaults:
    return PolicyFaults([PolicyFault(name, 1, 1, reason)])


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    path: str
    line: int
    column: int
    kind: Kind
    children: list[tuple[Node | None, Node]]
    key: Node | None = None  # of a mapping: the key read last, waiting for its value

    def next_path(self) -> str:
        if self.kind is Kind.LIST:
            return f"{self.path}[{len(self.children)}]"
        return self.path if self.key is None else f"{self.path}.{self.key.raw}"


def _compose(events: Iterator[yaml.Event], name: str) -> Node:
    """Builds the tree with a stack of its own: a deep document must not exhaust Python's."""
    stack: list[_Open] = []
    root: Node | None = None
    repeated: list[PolicyFault] = []
    count = 0
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            count += 1
            path = stack[-1].next_path() if stack else name
            _refuse_event(event, path=path, count=count, depth=len(stack), again=root is not None)
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            kind = Kind.LIST if isinstance(event, yaml.SequenceStartEvent) else Kind.MAPPING
            line, column = _place(event.start_mark)
            if stack and stack[-1].kind is Kind.MAPPING and stack[-1].key is None:
                raise PolicyFaults([PolicyFault(path, line, column, "a key must be a single word")])
            stack.append(_Open(path, line, column, kind, []))
            continue
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = stack.pop()
            node = Node(
                path=done.path,
                line=done.line,
                column=done.column,
                kind=done.kind,
                children=tuple(done.children),
            )
        else:
            continue
        if not stack:
            root = node
        elif stack[-1].kind is Kind.MAPPING and stack[-1].key is None:
            if any(key is not None and key.raw == node.raw for key, _ in stack[-1].children):
                repeated.append(node.fault(f"the key {node.raw!r} is written twice"))
            stack[-1].key = node
        else:
            stack[-1].children.append((stack[-1].key, node))
            stack[-1].key = None
    if root is None or root.is_empty:
        raise _refuse(name, "the document is empty")
    if repeated:
        raise PolicyFaults(repeated)
    return root


def _refuse_event(event: yaml.NodeEvent, *, path: str, count: int, depth: int, again: bool) -> None:
    reason, tag = None, getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        reason = "anchors and aliases are not used here; write the value out"
    elif tag is not None:
        reason = f"tags are not used here ({tag})"
    elif depth >= MAX_DEPTH:
        reason = f"is nested deeper than {MAX_DEPTH} levels"
    elif count > MAX_NODES:
        reason = f"holds more than {MAX_NODES} values"
    elif again:
        reason = "a second document begins here; there must be one"
    if reason is not None:
        raise PolicyFaults([PolicyFault(path, *_place(event.start_mark), reason)])


def _place(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _scalar(event: yaml.ScalarEvent, path: str) -> Node:
    (line, column), (last_line, end) = _place(event.start_mark), _place(event.end_mark)
    # Written as escapes, such as "\0": YAML takes them, and no database would.
    if _NO_TEXT.search(event.value):
        raise PolicyFaults([PolicyFault(path, line, column, "holds a character that is not Unicode text")])
    is_quoted = event.style in ("'", '"')
    quotes = 2 if is_quoted else 0
    lines_up = line == last_line and end - column == len(event.value) + quotes
    return Node(
        path=path,
        line=line,
        column=column,
        kind=Kind.TEXT,
        raw=event.value,
        indent=quotes // 2 if lines_up else None,
        is_quoted=is_quoted or event.style in ("|", ">"),
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
