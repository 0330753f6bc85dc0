"""The tenant's own fields, as its policy declares them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flowdesk.core.errors import Fault, Invalid
from flowdesk.engine.facts import FieldType
from flowdesk.policies.document import PolicyDocument


def usable_fields(given: Mapping[str, Any], policy: PolicyDocument) -> dict[str, Any]:
    """The tenant's own fields as their types want them; raises Invalid naming field and reason."""
    faults, fields = [], {}
    for name, value in given.items():
        wanted = policy.fields.get(name)
        if wanted is None:
            faults.append(Fault(f"fields.{name}", "is not a field of this tenant"))
        elif wanted is FieldType.NUMBER and (
            isinstance(value, bool) or not isinstance(value, int | float | Decimal)
        ):
            faults.append(Fault(f"fields.{name}", "must be a number"))
        elif wanted is FieldType.TRUTH and not isinstance(value, bool):
            faults.append(Fault(f"fields.{name}", "must be true or false"))
        elif wanted in (FieldType.TEXT, FieldType.SLUG) and not (
            isinstance(value, str) and len(value) <= 2000
        ):
            faults.append(Fault(f"fields.{name}", "must be text of at most 2000 characters"))
        else:
            fields[name] = Decimal(str(value)) if isinstance(value, float) else value
    if faults:
        raise Invalid(*faults)
    return fields


def stored(value: Any) -> Any:
    """A field's value as the ticket's row keeps it."""
    return float(value) if isinstance(value, Decimal) else value
