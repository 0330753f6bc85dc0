"""Lines of the log: events with fields, as JSON or as text, and walls that no secret passes.

Our own events are constants and their fields ids, numbers and enumerations. What libraries say is not under our
hand: of their lines the constant part is kept, never a value put into it. A fault is told by its type and its
stack, never by its message, which may hold a row, a password or a customer's words. Last of all, whatever looks
like a secret or an address is cut from the finished line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from django.db.utils import Error as DatabaseError

from flowdesk.core.trace import traced_fields

OURS = "flowdesk"
DEEPEST = 30  # frames of a stack that are told, the innermost ones
FORMATS = ("json", "text")

# A line's own attributes; everything else on a record was given as a field.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_EVENT = re.compile(r"[a-z][a-z0-9_]{1,63}")
_PLACEHOLDER = re.compile(r"%(\(\w+\))?[#0\- +]*(\*|\d+)?(\.(\*|\d+))?[hlL]?[diouxXeEfFgGcrsa]")
# Never `"` or `\`: what is cut from a JSON line must leave it JSON.
_SECRETS = re.compile(
    r"""
    (?P<key>\bfdk_)[\w-]+                                                        # our API keys
    | (?P<url>\b[a-z][a-z0-9+.-]*://)[^\s"\\/@]*@                                # user:password@ in an address
    | (?P<name>(?:pass(?:word|wd)?|pwd|secret|token|authorization|api_?key|cookie|sessionid|csrftoken|dsn)
        \b(?:\\?["'])?\s*[=:]\s*(?:\\?["'])?)(?:(?:bearer|basic)\s+)?[^\s"',;&\\]+  # name=value, name: value
    | (?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                                              # addresses
    """,
    re.IGNORECASE | re.VERBOSE,
)


# What every secret has in it: most lines have none of these, and are not searched (a tenth of the price).
_SIGNS = (
    "@", "fdk_", "pass", "pwd", "secret", "token", "authorization", "apikey", "api_key=", "api_key:", 'api_key"',
    "api_key'", "api_key ", "cookie", "sessionid", "dsn", "bearer", "basic",
)  # fmt: skip
_NO_SECRETS = (
    '"actor": "api_key"',
    "actor=api_key ",
)  # a kind of actor, on every line of a program's request


def log_settings(form: str, *, level: str) -> dict[str, Any]:
    """Python's logging configuration: everything to standard error in one form. Raises ValueError for another."""
    if form not in FORMATS:
        raise ValueError(f"FLOWDESK_LOG must be one of {', '.join(FORMATS)}")
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("FLOWDESK_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR")
    formatter = {"json": JsonLines, "text": TextLines}[form]
    passed_on: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            "django": {**passed_on, "level": "WARNING"},
            # Refusals are in our own line of each request; only what broke is told with its stack.
            "django.request": {**passed_on, "level": "ERROR"},
            "django.server": {**passed_on, "level": "ERROR"},
            "procrastinate": {**passed_on, "level": "WARNING"},
            "_granian": {**passed_on, "level": "WARNING"},
            "granian.access": {**passed_on, "level": "WARNING"},
        },
    }


def tell_faults() -> None:
    """Faults that nobody catches become lines of the log too, instead of a trace with its values."""
    log = logging.getLogger(f"{OURS}.process")

    def uncaught(
        kind: type[BaseException], fault: BaseException, trace: TracebackType | None, thread: str = "main"
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt | SystemExit):
            log.critical("fault_uncaught", exc_info=(kind, fault, trace), extra={"in_thread": thread})

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            name = args.thread.name if args.thread else ""
            uncaught(args.exc_type, args.exc_value, args.exc_traceback, name)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a line that cannot be written must not print its values instead


class JsonLines(logging.Formatter):
    """One JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {**_head(record), **_fields(record)}
        if record.exc_info and record.exc_info[1] is not None:
            line["fault"] = told_fault(record.exc_info[1])
        return without_secrets(json.dumps(line, ensure_ascii=False, default=_kind))


class TextLines(logging.Formatter):
    """The same for people: time, level, event, fields; a fault's stack below."""

    def format(self, record: logging.LogRecord) -> str:
        head, fields = _head(record), _fields(record)
        said = [head["at"][11:19], head["level"].ljust(7), head["logger"], head["event"]]
        lines = [" ".join([*said, *(f"{name}={value}" for name, value in fields.items())])]
        if record.exc_info and record.exc_info[1] is not None:
            fault = told_fault(record.exc_info[1])
            lines += [f"    {name}: {fault[name]}" for name in fault if name != "stack"]
            lines += [f"    {frame}" for frame in fault["stack"]]
        return without_secrets("\n".join(lines))


def _head(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _event(record),
    }


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == OURS


def _event(record: logging.LogRecord) -> str:
    """What happened: our own constant, or a library's text with every value in it left out."""
    said = str(record.msg)
    if _is_ours(record):
        return said if _EVENT.fullmatch(said) else "event_unnamed"
    if record.args and any(map(str.isalpha, constant := _PLACEHOLDER.sub("…", said)[:200])):
        return constant
    # Without placeholders nobody can tell the constant from the values: the place says what was meant.
    return "library_message"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in traced_fields().items() if value is not None}
    if not _is_ours(record):
        return {**fields, "where": f"{Path(record.pathname).name}:{record.lineno} {record.funcName}"}
    given = {name: value for name, value in vars(record).items() if name not in _PLAIN}
    return {**fields, **{name: _plain(value) for name, value in given.items()}}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else _kind(value)


def _kind(value: object) -> str:
    return type(value).__name__


def told_fault(fault: BaseException) -> dict[str, Any]:
    """A fault without its message and without any value: type, causes, stack, and what the database says of itself."""
    chain = list(_causes(fault))
    told: dict[str, Any] = {"type": _name(fault)}
    if chain[1:]:
        told["causes"] = [_name(one) for one in chain[1:]]
    for one in chain:
        told |= _of_database(one)
    frames = traceback.extract_tb(fault.__traceback__)[-DEEPEST:]
    told["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return told


def _causes(fault: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = fault
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _name(fault: BaseException) -> str:
    return f"{type(fault).__module__}.{type(fault).__qualname__}".removeprefix("builtins.")


def _of_database(fault: BaseException) -> Mapping[str, str]:
    """State, table and constraint of a database's fault: names of ours, not values of a row."""
    if isinstance(fault, DatabaseError) or not hasattr(fault, "diag"):
        return {}
    found = {
        "sqlstate": getattr(fault, "sqlstate", None),
        "table": fault.diag.table_name,
        "constraint": fault.diag.constraint_name,
    }
    return {name: value for name, value in found.items() if value}


def without_secrets(line: str) -> str:
    """The line with whatever looks like a key, a password or an address cut out."""
    searched = line.lower()
    for harmless in _NO_SECRETS:
        searched = searched.replace(harmless, "")
    if not any(sign in searched for sign in _SIGNS):
        return line
    return _SECRETS.sub(
        lambda found: "".join(part for part in found.groupdict().values() if part) + "…", line
    )
