"""Tables of intake: imports of tickets in bulk, what they refused, and the files they were sent."""

from django.db import models

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.actor import ActorKind
from flowdesk.core.models import TenantKey
from flowdesk.intake.bulk.states import OPEN, FileFormat, RunState


class ImportRun(TenantModel):
    """One file of tickets on its way in.

    `rows` is how many of its rows are done with; it moves in the transaction that writes their tickets, so a run
    that was cut off goes on with the very next row. `bytes_read` of `size` tells how far that is.
    """

    public_id = models.UUIDField()
    name = models.CharField(max_length=200, blank=True)  # of the file, for people
    digest = models.BinaryField(max_length=32)  # SHA-256 of the file: the same one is not imported twice
    size = models.BigIntegerField()
    format = models.CharField(max_length=8, choices=[(one.value, one.value) for one in FileFormat])
    is_dry = models.BooleanField(default=False)
    ignores_unknown = models.BooleanField(default=False)  # columns and fields that are none of ours
    is_stored = models.BooleanField(default=False)  # the file is in ImportPart, for the worker
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in RunState])
    fault = models.CharField(max_length=500, blank=True)  # why the file as a whole could not be used
    header = models.TextField(blank=True)  # the first line of a CSV file
    rows = models.BigIntegerField(default=0)
    imported = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    actor_kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True)  # when it was begun or last taken up again
    resumed_from = models.BigIntegerField(default=0)  # bytes that were read by then
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="intake_run_public"),
        ]
        indexes = [
            models.Index("tenant", "id", name="intake_run_newest"),
            models.Index("tenant", "digest", name="intake_run_digest"),
        ]

    def __str__(self) -> str:
        return f"import {self.name} {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class ImportPart(TenantModel):
    """A stretch of a file that was sent to us; gone when its run has ended."""

    run = TenantKey(ImportRun, models.CASCADE)
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "run", "number"], name="intake_part_once"),
        ]

    def __str__(self) -> str:
        return f"part {self.number}"


class RefusedRow(TenantModel):
    """A row that could not be used, as it came, with everything that is wrong with it."""

    run = TenantKey(ImportRun, models.CASCADE)
    line = models.BigIntegerField()  # of the file, from 1
    faults = models.JSONField()  # [[field, reason], …]
    row = models.BinaryField()  # bytes: it may be refused for being no text

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "run", "line"], name="intake_refused_once"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"
