"""The policy document of a replay: the promises to hold an event log to, and how to read the log.

It is written like a tenant's policy, in its sections `calendars`, `tiers`, `promises` and `escalation`, and
adds `log`. It needs no database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flowdesk.engine.escalation import EscalationPolicy
from flowdesk.engine.facts import vocabulary
from flowdesk.engine.sla_policy import PromisePolicy
from flowdesk.policies.holidays import known_tables, named_holidays
from flowdesk.policies.reader import FaultList, Node, PolicyFault, PolicyFaults, read_document
from flowdesk.policies.sections.calendars import HolidayTable, read_calendars, read_tiers
from flowdesk.policies.sections.escalation import read_escalation
from flowdesk.policies.sections.event_log import LogLayout, read_event_log
from flowdesk.policies.sections.promises import read_promises

SHIPPED = Path(__file__).parent / "packs" / "replay"
YEARS = range(1990, 2051)  # of holiday tables: a log may be old

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPolicy:
    """What a replay goes by; `promises` carry the rungs of the document's ladder."""

    promises: PromisePolicy
    layout: LogLayout


def shipped_policies() -> tuple[str, ...]:
    """The names of the policies that come with the product."""
    return tuple(sorted(path.name for path in SHIPPED.glob("*.yaml")))


def find_replay_policy(name: str) -> Path:
    """The file of this name, or the shipped policy of it where there is no such file."""
    path = Path(name)
    if not path.exists() and path.name == name and name in shipped_policies():
        return SHIPPED / name
    return path


def load_replay_policy(path: Path) -> ReplayPolicy:
    """Read a policy file; raises PolicyFaults, for a file that cannot be read as well."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(path, "is not a text in UTF-8") from None
    except OSError as error:
        known = "" if path.exists() else f"; shipped with Flowdesk: {', '.join(shipped_policies())}"
        raise _unreadable(path, f"{error.strerror or error}{known}") from None
    return read_replay_policy(text, name=str(path), holidays=lambda code: named_holidays(code, YEARS))


def read_replay_policy(text: str, *, name: str, holidays: HolidayTable) -> ReplayPolicy:
    """Read a document; raises PolicyFaults with every place that cannot be used."""
    parts = read_document(text, name).mapping(
        required=("calendars", "promises", "log"), optional=("tiers", "escalation")
    )
    faults = FaultList()

    def section(key: str, read: Callable[[Node], T]) -> T | None:
        return faults.read(lambda: read(parts[key])) if key in parts else None

    calendars = section(
        "calendars", lambda node: read_calendars(node, holidays=holidays, countries=known_tables())
    )
    if "calendars" in parts and calendars == {}:
        faults.add(parts["calendars"].fault("needs at least one calendar"))
    faults.raise_any()
    assert calendars
    tiers = section("tiers", lambda node: read_tiers(node, calendars=calendars)) or {}
    escalation = section("escalation", lambda node: read_escalation(node, fields=vocabulary({})))
    escalation = escalation or EscalationPolicy(ladder={})
    promises = section(
        "promises",
        lambda node: read_promises(
            node, waits=None, revision=1, calendars=calendars, tiers=tiers, percents=escalation.percents
        ),
    )
    layout = section("log", lambda node: read_event_log(node, tiers=tiers))
    faults.raise_any()
    assert promises is not None
    assert layout is not None
    return ReplayPolicy(promises=promises, layout=layout)


def _unreadable(path: Path, reason: str) -> PolicyFaults:
    return PolicyFaults([PolicyFault(str(path), 1, 1, reason)])
