"""The words of an import."""

from enum import StrEnum


class FileFormat(StrEnum):
    JSONL = "jsonl"  # an object on each line
    CSV = "csv"


class RunState(StrEnum):
    QUEUED = "queued"  # its file is stored, the worker will take it up
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the file as a whole cannot be used, or too much of it was refused
    CANCELLED = "cancelled"


OPEN = (RunState.QUEUED, RunState.RUNNING)
