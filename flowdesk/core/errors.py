"""Faults of the trade: each class is named for what went wrong and says it in its docstring."""

from dataclasses import dataclass


class DomainError(Exception):
    """Something in the request cannot be done."""

    status = 409
    code = "conflict"
    retry_after: int | None = None  # seconds after which the same request may well succeed

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotFound(DomainError):
    """There is nothing here by that id."""

    status = 404
    code = "not_found"


class Overtaken(DomainError):
    """Others were at the same thing at this very moment; send it again."""

    # Raised only before anything is done; the act then begins anew (`core.tenant`), and is seldom told of it.
    retry_after = 1


class Forbidden(DomainError):
    """Your role does not allow this."""

    status = 403
    code = "forbidden"


class OutsideTenant(RuntimeError):
    """A tenant's rows were asked for outside a tenant's scope."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field of the input and what is wrong with it."""

    field: str
    reason: str


class Invalid(DomainError):
    """Some of the input cannot be used."""

    status = 422
    code = "invalid"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        self.faults = faults


def invalid(field: str, reason: str) -> Invalid:
    """The error for one bad field."""
    return Invalid(Fault(field, reason))
