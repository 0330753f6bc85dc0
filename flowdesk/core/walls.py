"""The migration step that walls a tenant's table: row level security, rights, and composite keys."""

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.migrations.operations.base import Operation

TENANT_IS_SET = "tenant_id = (select nullif(current_setting('app.tenant', true), '')::bigint)"


class TenantWalls(Operation):
    """Wall the named models of an app.

    `parents` may be pointed at by other tables of the tenant (they get unique (tenant_id, id));
    `append_only` maps a model to the columns that may still change.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(
        self,
        *,
        models: Sequence[str],
        parents: Sequence[str] = (),
        append_only: dict[str, Sequence[str]] | None = None,
    ) -> None:
        self.models, self.parents, self.append_only = models, parents, append_only or {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Walls change nothing that the models know of."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for name in self.parents:
            table = to_state.apps.get_model(app_label, name)._meta.db_table
            schema_editor.execute(
                f'alter table "{table}" add constraint "{table}_parent" unique (tenant_id, id)'
            )
        for name in self.models:
            model = to_state.apps.get_model(app_label, name)
            for statement in self._wall(model, self.append_only.get(name)):
                schema_editor.execute(statement)
            for statement in self._keys(model):
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Dropping the tables drops their walls."""

    def _wall(self, model: Any, changing: Sequence[str] | None) -> list[str]:
        table = model._meta.db_table
        app, worker = (_role(alias) for alias in ("default", "worker"))
        if app == worker:  # --single-role: one role owns and serves, so a policy would bind nobody
            return []
        statements = [
            f'alter table "{table}" enable row level security',
            f'alter table "{table}" force row level security',
            f'create policy tenant on "{table}" to {app} using ({TENANT_IS_SET})',
            f'create policy worker on "{table}" to {worker} using (true)',
            # The owner migrates data of every tenant; it never serves a request.
            f'create policy owner on "{table}" to current_user using (true)',
        ]
        if changing is not None:
            statements.append(f'revoke update, delete, truncate on "{table}" from {app}, {worker}')
            if changing:
                columns = ", ".join(changing)
                statements.append(f'grant update ({columns}) on "{table}" to {app}, {worker}')
        return statements

    def _keys(self, model: Any) -> list[str]:
        table = model._meta.db_table
        statements = []
        for field in model._meta.local_fields:
            if type(field).__name__ != "TenantKey":
                continue
            parent = field.remote_field.model._meta.db_table
            statements.append(
                f'alter table "{table}" add constraint "{table}_{field.column}_wall" '
                f'foreign key (tenant_id, {field.column}) references "{parent}" (tenant_id, id) '
                "deferrable initially deferred"
            )
        return statements

    def describe(self) -> str:
        return f"Wall the tenants' tables {', '.join(self.models)}"


class WorkerStamps(Operation):
    """Let the worker alone stamp some columns of a table that is append-only for everybody."""

    reduces_to_sql = False
    reversible = True

    def __init__(self, *, model: str, columns: Sequence[str]) -> None:
        self.model, self.columns = model, columns

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Rights change nothing that the models know of."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._change("grant update ({columns}) on {table} to {worker}", app_label, schema_editor, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._change(
            "revoke update ({columns}) on {table} from {worker}", app_label, schema_editor, from_state
        )

    def _change(self, statement: str, app_label: str, schema_editor: Any, state: Any) -> None:
        worker = _role("worker")
        if worker == _role("default"):  # --single-role: the one role owns the table
            return
        table = state.apps.get_model(app_label, self.model)._meta.db_table
        columns = ", ".join(self.columns)
        schema_editor.execute(statement.format(columns=columns, table=f'"{table}"', worker=worker))

    def describe(self) -> str:
        return f"Let the worker stamp {', '.join(self.columns)} of {self.model}"


def _role(alias: str) -> str:
    """The quoted database role that an alias logs in as."""
    name = connections[alias].settings_dict["USER"]
    return '"' + str(name).replace('"', '""') + '"'
