"""The base of every tenant's table."""

from django.db import models

from flowdesk.core.models import TenantManager


class TenantModel(models.Model):
    """A row that belongs to one tenant; row level security guards it a second time.

    `objects` asks inside the open scope only; `everywhere` is for the few queries that name the tenant themselves.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, db_index=False, related_name="+")

    objects = TenantManager()
    everywhere = models.Manager()

    class Meta:
        abstract = True
        base_manager_name = "everywhere"
        default_manager_name = "objects"


class TenantPart(TenantModel):
    """A row that hangs on another of its tenant by a `TenantKey` that is never empty.

    That key carries the tenant, so a key of its own to the tenant would check the same once more with each row.
    """

    tenant = models.ForeignKey(
        "accounts.Tenant", models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )

    class Meta(TenantModel.Meta):
        abstract = True
