"""What the page of tickets to look at again shows."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Empty, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A category that the words might mean; the key is pressed to choose it."""

    words: str
    because: str
    share: int  # percent of all that speaks for anything
    form: Form
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCard:
    """The ticket that is looked at now."""

    number: int
    subject: str
    href: str
    about: str  # customer, tier, channel
    priority: int
    paragraphs: tuple[str, ...]
    category: str
    confidence: str
    share: int
    look: str  # of the button that accepts: what was not read at all is not offered loudly
    accept: Form | None
    guesses: tuple[Guess, ...]
    other: Form  # any category
    why: tuple[str, ...]
    skip_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLine:
    number: int
    subject: str
    category: str
    confidence: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """One ticket after the other, what is least certain first."""

    words: str
    card: ReviewCard | None = None
    next: tuple[NextLine, ...] = ()
    empty: Empty | None = None
