"""What the pages of the routing rules show."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Form, Link
from flowdesk.web.policy.page import PackCard


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """One thing wrong with the rules, or to know of them, and where."""

    place: str  # "line 4, column 12"
    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a rule would do to the tickets that came in last; `share` is how many of them it takes, in percent."""

    takes: str
    moves: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule as it stands in the list."""

    place: int  # from 0
    name: str
    condition: str
    does: str  # "to Billing, the next in turn"
    also: tuple[str, ...] = ()  # told, copied in, the target
    mode: str = "active"
    mode_words: str = ""
    hints: tuple[str, ...] = ()  # what it asks for in vain
    tally: Tally | None = None
    href: str = ""
    deeds: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """The rules as text."""

    form: Form
    source: str
    rows: int
    faults: tuple[FaultLine, ...] = ()
    hints: tuple[FaultLine, ...] = ()
    back_href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPage:
    """All rules in their order; a draft is named as one. One that cannot be read stands as `text` above the rules
    that are in force meanwhile."""

    standing: str  # which revision is in force, since when
    rules: tuple[RuleLine, ...] = ()
    otherwise: RuleLine | None = None
    text: SourcePage | None = None
    faults: tuple[FaultLine, ...] = ()
    is_draft: bool = False
    draft_words: str = ""
    publish: Form | None = None
    drop: Form | None = None
    move: Form | None = None  # for the script that drags: `rule` and `to` are filled in
    links: tuple[Link, ...] = ()
    tried_words: str = ""
    pack: PackCard | None = None  # what the standard pack has beyond these rules
    beyond: tuple[PackCard, ...] = ()  # and beyond other sections
    policy_href: str = ""
    empty: Empty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchLine:
    """A ticket that a rule matches, and where it went."""

    number: int
    subject: str
    href: str
    customer: str
    went: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule would do to the tickets that came in last."""

    words: str
    lines: tuple[MatchLine, ...] = ()
    faults: tuple[FaultLine, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """One rule's form with its preview."""

    title: str
    form: Form
    preview: Preview
    preview_href: str
    back_href: str
    fields: tuple[tuple[str, str], ...] = ()  # what a condition may use: name and kind


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule:
    """What one rule said of the ticket."""

    name: str
    condition: str
    held: bool
    mode: str
    mode_words: str
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPage:
    """The rules, tried on one ticket."""

    form: Form
    back_href: str
    number: int = 0
    subject: str = ""
    href: str = ""
    verdict: str = ""
    went: str = ""
    rules: tuple[TriedRule, ...] = ()
    agents: tuple[tuple[str, str], ...] = ()  # name and verdict
    faults: tuple[FaultLine, ...] = ()
