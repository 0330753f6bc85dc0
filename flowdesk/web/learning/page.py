"""What the page of learned models shows."""

from __future__ import annotations

from dataclasses import dataclass

from flowdesk.web.parts import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One training and what came of it."""

    id: str
    name: str  # "Version 3"
    when: str
    at: str
    state: str
    state_words: str
    accuracy: str = ""
    coverage: str = ""
    tickets: str = ""
    verdict: str = ""  # against what was in use
    note: str = ""  # progress, or why it failed
    deed: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLine:
    """How one label fares with the model in use."""

    words: str
    precision: str
    recall: str
    tickets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCard:
    """One thing that is learned."""

    target: str
    title: str
    about: str
    standing: str
    drift: str = ""
    is_drifting: bool = False
    train: Form | None = None
    is_training: bool = False
    versions: tuple[VersionLine, ...] = ()
    labels: tuple[LabelLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPage:
    """Everything that is learned."""

    cards: tuple[TargetCard, ...]
    href: str
    is_training: bool = False
