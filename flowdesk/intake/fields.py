"""The tenant's own fields, as its policy declares them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flowdesk.core.errors import Fault, Invalid
from flowdesk.engine.facts import CustomField, FieldType
from flowdesk.policies.document import PolicyDocument

# Thousands may be set apart by spaces. A comma has one or two figures behind it: 1,500 could be either.
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}|\d{1,3}(?:[ \u00a0\u202f]\d{3}){1,12})(?:\.\d{1,9}|,\d{1,2})?")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def usable_fields(given: Mapping[str, Any], policy: PolicyDocument) -> dict[str, Any]:
    """The tenant's own fields as their types want them; raises Invalid naming field and reason."""
    faults, fields = [], {}
    for name, value in given.items():
        known = policy.fields.get(name)
        if known is None:
            faults.append(Fault(f"fields.{name}", "is not a field of this tenant"))
        elif reason := known.why_not(value):
            faults.append(Fault(f"fields.{name}", reason))
        elif known.choices:
            fields[name] = value.casefold()
        else:
            fields[name] = Decimal(str(value)) if isinstance(value, float) else value
    if faults:
        raise Invalid(*faults)
    return fields


def from_text(value: Any, known: CustomField | None) -> Any:
    """A cell's or a form's text as the number or truth it stands for; what is none is left to be refused."""
    if not isinstance(value, str) or known is None:
        return value
    if known.type is FieldType.NUMBER and _NUMBER.fullmatch(value.strip()):
        return float(re.sub(r"[ \u00a0\u202f]", "", value).replace(",", "."))
    if known.type is FieldType.TRUTH:
        return _TRUTHS.get(value.strip().casefold(), value)
    return value


def stored(value: Any) -> Any:
    """A field's value as the ticket's row keeps it."""
    return float(value) if isinstance(value, Decimal) else value
