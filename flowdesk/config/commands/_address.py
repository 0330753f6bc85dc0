"""The web's address, the same for every command that has one."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace

DEFAULT_PORT = "8000"


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ArgumentTypeError(f"'{text}' is not a port; choose one between 1 and 65535")
    return int(text)


def add_address(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="(default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PORT") or DEFAULT_PORT,
        help="(default: PORT or 8000)",
    )


def chosen_port(args: Namespace) -> int:
    return int(args.port)
