"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"  # works, and somebody should look
    PROBLEM = "problem"  # something does not work, or is not safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One check's answer."""

    state: State
    says: str  # what is so
    mend: str = ""  # what to do about it; empty when all is well


def ok(says: str) -> Outcome:
    return Outcome(state=State.OK, says=says)


def warning(says: str, *, mend: str) -> Outcome:
    return Outcome(state=State.WARNING, says=says, mend=mend)


def problem(says: str, *, mend: str) -> Outcome:
    return Outcome(state=State.PROBLEM, says=says, mend=mend)
