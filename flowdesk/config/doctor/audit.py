"""Checks of the audit log: is it sealed, and do its seals hold?"""

from __future__ import annotations

from collections.abc import Mapping

from flowdesk.accounts.audit_chain import HeadsUnreadable, verify_audit
from flowdesk.config.doctor.database import ask
from flowdesk.config.doctor.machine import Check, Machine
from flowdesk.config.doctor.outcome import Outcome, ok, problem, warning

UNSEALED = 60.0  # seconds; the sealer comes every few
KEEP_AS_IT_IS = "Change nothing; compare with a backup, and with the heads in the log's lines audit_sealed."


def seals(_: Machine) -> Outcome:
    """Whether what was written has its seal."""
    [(count, seconds)] = ask(
        "select count(*), coalesce(extract(epoch from now() - min(at)), 0)::float8 from accounts_auditentry"
        " where sealed_at is null",
        alias="worker",
    )
    if seconds < UNSEALED:
        return ok("Every entry has its seal; `flowdesk doctor --audit` proves them")
    return warning(
        f"{count} entries wait for their seal, the oldest for {seconds:.0f} s",
        mend="A worker seals them; see the check 'workers'.",
    )


def chain(_: Machine) -> Outcome:
    """Whether every tenant's chain holds, from its first entry to the heads that were kept."""
    try:
        chains = verify_audit()
    except HeadsUnreadable as error:
        return problem(str(error), mend="Bring audit-heads.json back from a backup, and ask again.")
    broken = [one for one in chains if one.fault is not None]
    if broken:
        first = broken[0]
        return problem(
            f"The chain of tenant {first.tenant} is broken at number {first.number}: {first.fault}"
            + (f"; so are those of {len(broken) - 1} more" if len(broken) > 1 else ""),
            mend=KEEP_AS_IT_IS,
        )
    return ok(f"{sum(one.sealed for one in chains)} seals of {len(chains)} tenants hold")


CHECKS: Mapping[str, Check] = {"audit seals": seals}
PROOF: Mapping[str, Check] = {"audit chain": chain}  # reads the whole log: asked for by --audit
