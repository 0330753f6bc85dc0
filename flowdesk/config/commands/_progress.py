"""How far a long command is, on standard error."""

from __future__ import annotations

import time
from typing import IO


class ProgressLine:
    """How far the work is: one line that renews itself on a terminal, now and then a plain line elsewhere."""

    PAUSES = {True: 0.1, False: 2.0}  # seconds between two words, by whether it is a terminal

    def __init__(self, to: IO[str]) -> None:
        self._to, self._is_terminal = to, to.isatty()
        self._began_at = self._told_at = time.monotonic()
        self._is_open = False

    def say(self, words: str, *, is_last: bool = False) -> None:
        """Tell how far it is, now and then; the last word is always told."""
        at = time.monotonic()
        if is_last or at - self._told_at >= self.PAUSES[self._is_terminal]:
            self._told_at = at
            self._write(f"{words}, {at - self._began_at:.0f} s")

    def _write(self, words: str) -> None:
        if self._is_terminal:
            print(f"\r\x1b[K{words}", end="", file=self._to, flush=True)
            self._is_open = True
        else:
            print(words, file=self._to, flush=True)

    def end(self) -> None:
        """Leave the line, so that what comes next begins its own."""
        if self._is_open:
            print(file=self._to, flush=True)
            self._is_open = False
