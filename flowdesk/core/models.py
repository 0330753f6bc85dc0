"""How a tenant's tables are asked and joined."""

from typing import Any, TypeVar

from django.db import models

from flowdesk.core.tenant import current_tenant

M = TypeVar("M", bound=models.Model, covariant=True)


class TenantManager(models.Manager[M]):
    """Names the open scope's tenant in every query and raises OutsideTenant where there is none."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(tenant_id=current_tenant())


class TenantKey(models.ForeignKey[Any, Any]):
    """A key to another table of the same tenant.

    The database holds it as (tenant_id, x_id) -> (tenant_id, id), made by `core.walls.TenantWalls`:
    key checks bypass row level security, so a plain key would let one tenant point into another.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)
