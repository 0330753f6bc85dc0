"""Is the web's port free? Asked before the server starts, because the server itself would not notice.

It opens its socket for sharing (SO_REUSEPORT), so an old server on the port would go on answering half of all
requests.
"""

from __future__ import annotations

import errno
import socket


class PortUnavailable(Exception):
    """The web address cannot be used."""


def check_port(port: int, *, host: str) -> None:
    """Raises PortUnavailable with the way out; port 0 is never free, a visitor could not find it."""
    if not 0 < port < 65536:
        raise PortUnavailable(f"{port} is not a port; choose one between 1 and 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise PortUnavailable(f"The address '{host}' is unknown here ({error.strerror}).") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that lately closed is free
        try:
            probe.bind(address)
        except OSError as error:
            raise PortUnavailable(_reason(error, host=host, port=port)) from error


def _reason(error: OSError, *, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Choose another one: "
            f'PORT={port + 1} make run (or "flowdesk run --port {port + 1}").'
        )
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} is reserved for root; choose one above 1023."
    return f"The address {host}:{port} cannot be used: {error.strerror}."
