"""`flowdesk <command>`: finds the command's module, reads its arguments, runs it.

Only the module of the command that was asked for is imported; one that is not installed is not offered.
"""

from __future__ import annotations

import ast
import errno
import importlib
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

COMMANDS = Path(__file__).parent / "config" / "commands"
PACKAGE = "flowdesk.config.commands"
BAD_INPUT = 2  # argparse's own code for it
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def offered() -> dict[str, str]:
    """The names of the commands that are here, each with its one line of help."""
    files = sorted(file for file in COMMANDS.glob("*.py") if not file.name.startswith("_"))
    return {name_of(file): _first_line(file) for file in files}


def name_of(file: Path) -> str:
    """A command by its module: one that Python keeps for itself has a low line behind it, as `import_`."""
    return file.stem.rstrip("_").replace("_", "-")


def _first_line(file: Path) -> str:
    # Read, not imported: help must not load Django.
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".")


def parser_for(words: Sequence[str]) -> ArgumentParser:
    """A parser that knows every command by name and the asked one by its arguments."""
    parser = ArgumentParser(prog="flowdesk", description="A support desk built around its promises.")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, line in offered().items():
        command = commands.add_parser(name, help=line, description=line + ".")
        if name == asked:
            stem = next(file.stem for file in COMMANDS.glob("*.py") if name_of(file) == name)
            module = importlib.import_module(f"{PACKAGE}.{stem}")
            module.add_arguments(command)
            command.add_argument("--json", action="store_true", help="answer in JSON, for programs")
            command.set_defaults(run=module.run)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if words is None else words)
    args = parser_for(given).parse_args(given)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        message = way_out(error)
        if message is None:
            raise
        return tell_failure(message, as_json=args.json)


def way_out(error: Exception) -> str | None:
    """What to tell of a fault of the machine or the settings, where a trace is noise; None for a fault of ours."""
    from flowdesk.core.embedded.errors import DatabaseUnavailable
    from flowdesk.core.errors import DomainError
    from flowdesk.core.limits import BadLimit
    from flowdesk.core.supervisor.port import PortUnavailable
    from flowdesk.core.supervisor.tree import ChildFailed

    if isinstance(error, DatabaseUnavailable | DomainError | PortUnavailable | ChildFailed | BadLimit):
        return str(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        where = f" ({error.filename})" if error.filename else ""
        return f"The disk takes no more: {error.strerror}{where}. Make room and try again; what was kept is whole."
    return None


def tell_failure(message: str, *, as_json: bool) -> int:
    print(json.dumps({"error": message}) if as_json else f"flowdesk: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
