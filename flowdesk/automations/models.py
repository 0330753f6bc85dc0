"""Tables of automations."""

from django.db import models
from django.db.models import Q

from flowdesk.accounts.tenancy import TenantModel


class AutomationRun(TenantModel):
    """One run of the ticket automation in one tenant; a running one blocks the next (single flight)."""

    public_id = models.UUIDField()
    trigger = models.CharField(max_length=16)  # schedule, route, hand
    slot = models.CharField(max_length=64, blank=True)  # schedule instant or idempotency key
    user_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="automations_run_public"),
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(ended_at__isnull=True), name="automations_run_single_flight"
            ),
            models.UniqueConstraint(
                fields=["tenant", "trigger", "slot"], condition=~Q(slot=""), name="automations_run_slot"
            ),
        ]
        indexes = [models.Index("tenant", "started_at", name="automations_run_time")]

    def __str__(self) -> str:
        return f"{self.trigger} {self.started_at}"
