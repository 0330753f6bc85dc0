"""The queue of coarse jobs, such as an import: never one job for a ticket or a clock.

A job is put into the queue in the transaction of the act that wants it: it is there when the act is committed, and
never otherwise. The worker knows jobs by name, so that who asks need not know who does.
"""

from typing import Any

from procrastinate.contrib.django import app


def enqueue(name: str, **values: Any) -> None:
    """Have the worker do this soon, inside an act; `values` are plain JSON."""
    app.configure_task(name).defer(**values)
