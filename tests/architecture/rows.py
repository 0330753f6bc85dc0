"""A row of every tenant's table, made from the model alone, so that a new table is tested the day it is added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models

from flowdesk.accounts.models import Tenant
from flowdesk.accounts.tenancy import TenantModel
from flowdesk.core.models import TenantKey
from flowdesk.core.tenant import writing
from tests.architecture.house import tenant_models
from tests.builders import MONDAY_9

# What a check constraint asks for beyond the column's type.
SPECIAL: dict[str, Any] = {"status": "open", "priority": 2, "cycle": 1, "email": "somebody@example.test"}


@dataclass
class Rows:
    """One row of each model in one tenant, parents first."""

    tenant: Tenant
    made: dict[type[TenantModel], TenantModel] = field(default_factory=dict)

    def of(self, model: type[TenantModel]) -> TenantModel:
        if model not in self.made:
            row = model(tenant=self.tenant, **dict(self.values(model)))
            row.save(force_insert=True)
            self.made[model] = row
        return self.made[model]

    def values(self, model: type[TenantModel]) -> Iterator[tuple[str, Any]]:
        keys = [one for one in model._meta.local_fields if isinstance(one, TenantKey)]
        wanted = {one.related_model for one in keys if not one.null}
        for column in model._meta.local_fields:
            if column.primary_key or column.generated or column.name == "tenant" or column.has_default():
                continue
            if isinstance(column, TenantKey):
                parent = column.related_model
                assert isinstance(parent, type)
                # Two tables may point at each other: one of the two keys can be empty then. And two people of one
                # row may have to be different ones.
                if parent is not model and not (
                    column.null and (parent not in self.made or parent in wanted)
                ):
                    yield column.name, self.of(parent)
            elif not column.null and not column.is_relation:
                yield column.name, value_for(column)


def value_for(column: models.Field[Any, Any]) -> Any:
    """Something that fits into the column."""
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    if column.choices:
        return next(iter(column.flatchoices))[0]
    values = (
        (models.UUIDField, uuid4()),
        (models.DateTimeField, MONDAY_9),
        (models.DateField, date(2026, 6, 15)),
        (models.TimeField, time(9)),
        (models.DurationField, timedelta(hours=1)),
        (models.BooleanField, True),
        (models.IntegerField, 1),
        (models.JSONField, {}),
        (ArrayField, []),
        (models.BinaryField, b"x"),
        (models.CharField, "x"),
        (models.TextField, "x"),
    )
    return next(value for kind, value in values if isinstance(column, kind))


def fill(tenant: Tenant) -> Rows:
    """A row of every model in this tenant."""
    rows = Rows(tenant)
    with writing(tenant.id):
        for model in tenant_models():
            rows.of(model)
    return rows
