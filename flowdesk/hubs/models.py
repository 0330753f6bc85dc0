"""Tables of the hubs."""

from django.db import models

from flowdesk.accounts.tenancy import TenantModel


class LaunchReport(TenantModel):
    """A published snapshot of a hub: immutable, dated, shared by a link (F-ANA-09)."""

    public_id = models.UUIDField()
    hub = models.CharField(max_length=16)  # sla, command
    published_at = models.DateTimeField()
    published_by = models.BigIntegerField()
    status_note = models.TextField(blank=True)
    snapshot = models.JSONField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "public_id"], name="hubs_report_public")]
        indexes = [models.Index("tenant", "hub", "published_at", name="hubs_report_time")]

    def __str__(self) -> str:
        return f"{self.hub} {self.published_at}"
