"""Going through the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import Error as DatabaseError

from flowdesk.config.doctor.machine import Check, Machine
from flowdesk.config.doctor.outcome import Outcome, problem


def examine(checks: Mapping[str, Check], patient: Machine) -> Iterator[tuple[str, Outcome]]:
    """Each check's name and answer; one that the database refuses to answer is a problem, and the rest goes on."""
    for name, check in checks.items():
        try:
            yield name, check(patient)
        except DatabaseError as error:
            reason = str(error).partition("\n")[0]  # the lines below may show rows
            yield (
                name,
                problem(
                    f"The database refused: {reason}", mend="See the checks above, and logs/postgres.log."
                ),
            )
