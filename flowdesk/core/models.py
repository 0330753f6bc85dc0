"""How a tenant's tables are asked and joined."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState
from psycopg.pq import Format
from psycopg.types.json import Jsonb

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


class Process(models.Model):
    """A running web or worker process: its heartbeat, what it has counted, and what it measures.

    No tenant and no row security: it says nothing of any tenant. Counts of processes that ended are kept in one
    row of the kind `ended`, so that they never fall.
    """

    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in ("web", "worker", "ended")])
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    gauges = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "host", "pid", "started_at"], name="core_process_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pid} on {self.host}"


def json_list(values: Iterable[Mapping[str, Any]]) -> Any:
    """Documents for as many rows as one parameter: quoting each again for an array costs more than writing the row."""
    return Jsonb([dict(value) for value in values])


def rows_in_binary(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a hot statement, sent in binary: no instant or list is spelled out there to be read again here."""
    with connection.cursor() as cursor:
        cursor.cursor.format = Format.BINARY
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def columns_of(model: type[models.Model], alias: str) -> str:
    """The columns of a table under `alias`, as a hot statement selects them for `row_of`; documents as their text."""
    return ", ".join(
        f"{alias}.{field.column}{'::text' if isinstance(field, models.JSONField) else ''}"
        for field in model._meta.concrete_fields
    )


_NO_EXPRESSION: Any = None  # these values come of no expression of the ORM's


@cache
def _attributes(model: type[models.Model]) -> tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """The attributes of a row in the order of its columns, and those that are JSON with their fields."""
    fields = model._meta.concrete_fields
    json = tuple((field.attname, field) for field in fields if isinstance(field, models.JSONField))
    return tuple(field.attname for field in fields), json


def row_of(model: type[M], values: Sequence[Any]) -> M:
    """A row of a table, from the values of its columns in the order of `columns_of`.

    Made without the model's constructor, which looks at every field in turn: that costs more than reading the row.
    """
    names, json = _attributes(model)
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    kept = row.__dict__
    kept.update(zip(names, values, strict=True))
    for name, field in json:
        kept[name] = field.from_db_value(kept[name], _NO_EXPRESSION, connection)
    return row
