"""One holder per data folder, for as long as its process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

from flowdesk.core.embedded.errors import FolderInUse, FolderUnusable


def holder(folder: Path) -> int | None:
    """The process that runs on `folder`; None when nobody does."""
    try:
        with (folder / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read(32).strip() or 0)
    except (OSError, ValueError):
        return None
    return None


class FolderLock:
    """An exclusive `flock`: it ends with the process, however that ends, so it can never be stale."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: int | None = None

    def acquire(self) -> Self:
        """Take the folder; raises FolderInUse with the holder's process id."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FolderUnusable(
                f"The data folder {self._path.parent} cannot be written ({error.strerror}); give it to the user that "
                "runs Flowdesk, or choose another folder with FLOWDESK_DATA."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise FolderInUse(
                f"Flowdesk already runs on {self._path.parent} (process {holder}). "
                "Stop that one first, or choose another folder with FLOWDESK_DATA."
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return self

    def release(self) -> None:
        # The file stays: removing it would let two holders lock two different files of one name.
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self if self._file is not None else self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
