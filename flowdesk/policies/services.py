"""Reads and writes of policies: a revision is made once and never changed, so a process keeps what it has read."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from textwrap import indent
from typing import Any

from django.db import connection

from flowdesk.accounts.audit import AuditAct, record_act
from flowdesk.core.actor import Actor, ActorKind
from flowdesk.core.errors import Fault, Invalid
from flowdesk.core.tenant import current_tenant
from flowdesk.policies import sql
from flowdesk.policies.document import PolicyDocument, read_policy
from flowdesk.policies.holidays import named_holidays
from flowdesk.policies.models import PolicyRevision
from flowdesk.policies.reader import PolicyFaults

PACKS = Path(__file__).parent / "packs"
YEARS_BACK, YEARS_AHEAD = 12, 15
Days = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # a country's days, for each country


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(PolicyDocument):
    """A revision of a tenant's policy document, read."""

    id: int


def current_policy() -> Policy:
    """The tenant's policy as it stands now."""
    with connection.cursor() as cursor:
        cursor.execute(sql.CURRENT_REVISION, [current_tenant()])
        row = cursor.fetchone()
    if row is None:
        raise PolicyRevision.DoesNotExist
    return policy_of(row[0])


def policy_of(revision: int) -> Policy:
    """A revision of the open tenant by its row id."""
    return _read(current_tenant(), revision)


@lru_cache(maxsize=256)
def _read(tenant: int, revision: int) -> Policy:
    row = PolicyRevision.everywhere.get(tenant_id=tenant, id=revision)
    days: dict[str, Any] = row.document["holidays"]
    document = _document(
        row.source, row.number, tuple(sorted((code, tuple(map(tuple, of))) for code, of in days.items()))
    )
    return Policy(id=row.id, **{name: getattr(document, name) for name in PolicyDocument.__slots__})


@lru_cache(maxsize=64)
def _document(source: str, number: int, days: Days) -> PolicyDocument:
    """Read once for all tenants that decided the same: most stand on the standard pack."""
    table = {code: tuple((date.fromisoformat(on), name) for on, name in of) for code, of in days}
    return read_policy(
        source, name=f"revision {number}", revision=number, holidays=lambda code: table.get(code, ())
    )


@lru_cache(maxsize=64)
def _named_days(source: str, number: int, year: int) -> Days:
    """The days a document's calendars are closed on; reads it whole, and once for all who decide the same.

    Raises PolicyFaults.
    """
    named: dict[str, tuple[tuple[str, str], ...]] = {}

    def spelled_out(code: str) -> tuple[tuple[date, str], ...]:
        days = named_holidays(code, range(year - YEARS_BACK, year + YEARS_AHEAD + 1))
        named[code] = tuple((on.isoformat(), name) for on, name in days)
        return days

    read_policy(source, name="policy", revision=number, holidays=spelled_out)
    return tuple(named.items())


def pack_source(pack: str = "standard") -> str:
    """The YAML of a policy pack: a file for each section; what a pack does not bring is the standard pack's."""
    files = {path.stem: path for name in ("standard", pack) for path in sorted((PACKS / name).glob("*.yaml"))}
    return "\n".join(
        f"{section}:\n{indent(path.read_text(encoding='utf-8'), '  ')}" for section, path in files.items()
    )


def invalid(found: PolicyFaults) -> Invalid:
    """Faults of a document as faults of an act, each with its place."""
    return Invalid(
        *(
            Fault(f"{fault.path} (line {fault.line}, column {fault.column})", fault.reason)
            for fault in found.faults
        )
    )


def save_revision(source: str, *, by: Actor, at: datetime) -> PolicyRevision:
    """Make a new current revision of the tenant's policy; raises Invalid naming line and column of each fault."""
    last = PolicyRevision.objects.order_by("-number").first()
    number = last.number + 1 if last else 1
    try:
        named = _named_days(source, number, at.year)
    except PolicyFaults as found:
        raise invalid(found) from None
    PolicyRevision.objects.filter(is_current=True).update(is_current=False)
    revision = PolicyRevision.objects.create(
        tenant_id=current_tenant(),
        number=number,
        source=source,
        document={"holidays": dict(named)},
        created_at=at,
        created_by=by.id if by.kind is ActorKind.USER else None,
        is_current=True,
    )
    record_act(
        AuditAct.POLICY_REVISED,
        thing="policy_revision",
        thing_id=revision.id,
        by=by,
        at=at,
        before={"number": last.number if last else None},
        after={"number": number},
    )
    return revision
