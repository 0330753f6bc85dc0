"""Is this process alive, and can it serve?

`/healthz` says nothing of the database, so that a load balancer does not kill what only waits for it. `/readyz`
decides whether requests are sent here: not while the process stops, the database is away or a migration is missing.
A late engine is told and no reason to turn people away: that would help nobody.
"""

from __future__ import annotations

import mmap
import pkgutil
import threading
import time
from collections.abc import Iterator
from importlib import import_module

from django.apps import apps
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse

from flowdesk.core.postgres.base import answered_within
from flowdesk.core.processes import watch

STOPPING, DATABASE, MIGRATIONS = "stopping", "database_unreachable", "migrations_missing"
KNOWN_FOR = 1.0  # seconds that an answer is given again
PROBE = 2.0  # seconds that a database may take to answer whoever asks how we are


def healthz(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> JsonResponse:
    """200 `ok`, or 503 with the reasons; `notes` tell what is late without making us unready."""
    reasons = readiness.reasons()
    body = {
        "status": "unready" if reasons else "ok",
        "reasons": reasons,
        "notes": list(filter(None, [watch.note])),
    }
    return JsonResponse(body, status=503 if reasons else 200, headers={"Cache-Control": "no-store"})


class SharedFlag:
    """One bit that processes share which part after it is made: the main process of the web tells its servers."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def set(self) -> None:
        self._memory[0] = 1

    def clear(self) -> None:
        self._memory[0] = 0

    def is_set(self) -> bool:
        return self._memory[0] == 1


class Readiness:
    """Whether this process can serve, looked up at most once a second."""

    def __init__(self) -> None:
        self.stopping = SharedFlag()
        self._lock = threading.Lock()
        self._looked_at = -KNOWN_FOR
        self._found: list[str] = []
        self._is_migrated = False

    def reasons(self) -> list[str]:
        """Why requests should go elsewhere; empty while they may come."""
        if self.stopping.is_set():
            return [STOPPING]
        with self._lock:
            if time.monotonic() - self._looked_at >= KNOWN_FOR:
                self._found = list(self._faults())
                self._looked_at = time.monotonic()
            return list(self._found)

    def _faults(self) -> Iterator[str]:
        try:
            with answered_within(PROBE, connection), connection.cursor() as cursor:
                cursor.execute("select 1")
            # Migrations only ever come; once all are there, nobody asks again.
            self._is_migrated = self._is_migrated or not missing_migrations()
        except DatabaseError:
            connection.close()
            yield DATABASE
            return
        if not self._is_migrated:
            yield MIGRATIONS


def missing_migrations() -> set[tuple[str, str]]:
    """Migrations of this release that the database has not, by app and name; read without loading them."""
    wanted = set()
    for app in apps.get_app_configs():
        try:
            package = import_module(f"{app.name}.migrations")
        except ModuleNotFoundError:
            continue
        wanted |= {(app.label, module.name) for module in pkgutil.iter_modules(package.__path__)}
    with connection.cursor() as cursor:
        if "django_migrations" not in connection.introspection.table_names(cursor):
            return wanted
        cursor.execute("select app, name from django_migrations")
        return wanted - set(cursor.fetchall())


readiness = Readiness()
