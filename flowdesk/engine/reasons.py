"""Why something was decided, as a code and its values: pages and the API put it into the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a decision; `params` holds slugs and numbers as text, never a customer's words."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.code}({shown})" if shown else self.code


def because(code: str, /, **params: object) -> Reason:
    """A reason with its values written as text."""
    return Reason(code, {key: str(value) for key, value in params.items()})


def as_data(reasons: Iterable[Reason]) -> list[dict[str, object]]:
    """Reasons as plain data, for explanations that are kept."""
    return [{"code": reason.code, "params": dict(reason.params)} for reason in reasons]
