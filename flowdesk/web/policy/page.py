"""What the page of the policy shows."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Form, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLine:
    """A rule of the standard pack, as it is written there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCard:
    """What the standard pack has that a section lacks, to be added to its draft."""

    section: str
    title: str
    words: str
    rules: tuple[PackLine, ...]
    add: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionCard:
    """One section: what it lacks, and its draft with what can be done to that."""

    title: str
    pack: PackCard | None = None
    draft_words: str = ""
    draft: str = ""  # its text
    publish: Form | None = None
    drop: Form | None = None
    page: Link | None = None  # of the section, where it has one


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """The policy, section by section."""

    standing: str
    sections: tuple[SectionCard, ...]
