"""One policy document per tenant in immutable revisions."""

from django.db import models

from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.models import TenantKey


class PolicyRevision(TenantModel):
    """Calendars, promises, ladder, triage, routing and lanes as they stood from `created_at` on.

    `source` is the YAML as written; `document` the same with named holidays spelled out as dates, so that
    a later release of the holiday tables cannot change the past.
    """

    number = models.IntegerField()
    source = models.TextField()
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.BigIntegerField(null=True)
    is_current = models.BooleanField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="policies_revision_number"),
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_current=True), name="policies_revision_current"
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Draft(TenantModel):
    """A section of the document that somebody works on: in force only once it is published."""

    section = models.CharField(max_length=32)
    source = models.TextField()
    based_on = TenantKey(PolicyRevision)
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)
    changes = models.IntegerField(
        default=0
    )  # counts up with each, so that nobody writes over what they have not seen

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "section"], name="policies_draft_once")]

    def __str__(self) -> str:
        return f"draft of {self.section}"
