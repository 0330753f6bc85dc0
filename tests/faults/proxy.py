"""A line to PostgreSQL that can be cut, closed and left half open."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, no seconds
TICK = 0.05  # seconds


@dataclass
class Line:
    """Passes bytes between 127.0.0.1:`port` and a server's socket, as far as it is told to."""

    upstream: Path
    port: int = 0
    _listener: socket.socket | None = None
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _is_stalled: bool = False
    _ended: bool = False

    def open(self) -> None:
        """Take connections, from the first time on at the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections and break those there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection with a reset."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                    end.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Keep every connection, new ones too, and let nothing through."""
        self._is_stalled = True

    def flow(self) -> None:
        """Let through again, also what was held back."""
        self._is_stalled = False

    def end(self) -> None:
        self._ended = True
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self.upstream))
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with client, server, suppress(OSError, ValueError):
            while not self._ended:
                if self._is_stalled:
                    time.sleep(TICK)
                    continue
                for end in select.select([client, server], [], [], TICK)[0]:
                    if self._is_stalled:
                        break
                    received = end.recv(65536)
                    if not received:
                        return
                    other[end].sendall(received)


@contextmanager
def a_line(upstream: Path) -> Iterator[Line]:
    """A line that lets through."""
    line = Line(upstream)
    line.open()
    try:
        yield line
    finally:
        line.end()
