"""A full disk is told where the operator looks, before it is full and when there is room again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

Show = Callable[[str, str], None]

LITTLE = 200_000_000  # bytes; PostgreSQL's journal alone may take as much between two checkpoints
EVERY = 2.0  # seconds: one cheap call


def watch_disk(folder: Path, show: Show) -> None:
    """Tell each time the disk of `folder` runs out, and each time it has room again; never returns."""
    was_little = False
    while True:
        was_little = tell_of_disk(folder, show, was_little=was_little)
        time.sleep(EVERY)


def tell_of_disk(folder: Path, show: Show, *, was_little: bool) -> bool:
    """Whether there is little room left; tells when that is new."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # the folder is made a moment later, by the first child's log
        return was_little
    is_little = free < LITTLE
    if is_little and not was_little:
        show(
            "flowdesk",
            f"The disk of {folder} is almost full, {free / 1e6:.0f} MB are free: make room. "
            "Until then changes may be refused; nothing that was accepted is lost, and all goes on by itself.",
        )
    if was_little and not is_little:
        show("flowdesk", f"The disk of {folder} has room again.")
    return is_little
