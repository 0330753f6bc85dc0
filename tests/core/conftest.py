"""A desk that runs for one test."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowdesk.core.embedded.as_user import database_user
from flowdesk.core.embedded.postmaster import is_postmaster_of
from tests.core.desk import PATIENCE, Desk, eventually, free_port, started


@pytest.fixture
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        data.chmod(0o711 if database_user() else 0o700)
        desk = started(data, port=free_port())
        try:
            desk.wait_until_ready()
            yield desk
        finally:
            with contextlib.suppress(ProcessLookupError):
                desk.process.terminate()
            desk.process.wait(3 * PATIENCE)  # after a kill on a busy machine it has much to end
            desk.close()
            if is_postmaster_of(desk.server_pid(), data=data / "postgres"):
                os.kill(desk.server_pid(), signal.SIGINT)
                eventually("the server ends", lambda: desk.server_pid() == 0)
