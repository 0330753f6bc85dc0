"""A backup in one file: the database's dump, the deployment's secrets, and a manifest that can prove them.

A zip without compression (the dump is compressed already), so that it can be written in one go and looked into
with any tool. `manifest.json` comes last: a file that was cut short has none, and is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from flowdesk.core.embedded.dump import Contents
from flowdesk.core.embedded.errors import DatabaseUnavailable

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
SECRET_KEY = "secret-key"  # noqa: S105 - a file's name
FIRST_LOGIN = "first-login.json"
AUDIT_HEADS = "audit-heads.json"
PARTS = (AUDIT_HEADS, DUMP, SECRET_KEY, FIRST_LOGIN)
PIECE = 1024 * 1024  # bytes


class BadArchive(DatabaseUnavailable):
    """The file is not a whole backup of Flowdesk's."""


class FileExists(DatabaseUnavailable):
    """A file of this name is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says of itself."""

    made_at: str  # ISO-8601 with offset
    flowdesk: str  # version of the program
    server: str  # version of the PostgreSQL that was dumped
    roles: Mapping[str, str]  # owner, app, worker: their names in the dump
    contents: Contents
    sha256: Mapping[str, str]  # of each part, hexadecimal
    format: int = FORMAT

    @property
    def is_single_role(self) -> bool:
        return len(set(self.roles.values())) == 1

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        told: dict[str, Any] = json.loads(text)
        told["contents"] = Contents(**told["contents"])
        return cls(**told)


@dataclass
class ArchiveWriter:
    """Parts go in one after the other; `finish` seals them."""

    _zip: zipfile.ZipFile
    sha256: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[IO[bytes]]:
        # The dump's size is known only at its end; without the flag a zip stops at 2 GB.
        with self._zip.open(name, "w", force_zip64=True) as member:
            hashing = _Hashing(member)
            yield cast("IO[bytes]", hashing)
        self.sha256[name] = hashing.digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(MANIFEST, manifest.as_json())


class _Hashing:
    """Counts the SHA-256 of what is written through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        return self._stream.write(piece)


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """A file that appears under its name only when it is whole, and that only its owner may read.

    Raises FileExists rather than replace one.
    """
    if path.exists():
        raise FileExists(f"{path} exists; a backup never replaces a file.")
    draft = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise DatabaseUnavailable(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(file, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
                yield ArchiveWriter(archive)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            raise FileExists(f"{path} was made by somebody else meanwhile; a backup never replaces a file.")
        draft.rename(path)
    except OSError as error:
        raise DatabaseUnavailable(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the archive at `path` says of itself; raises BadArchive for anything else."""
    with _opened(path) as archive:
        return _manifest(archive, path=path)


def unpack(path: Path, *, into: Path) -> Manifest:
    """Write the archive's parts into the folder `into`, each proven by its checksum; raises BadArchive."""
    with _opened(path) as archive:
        manifest = _manifest(archive, path=path)
        for name, wanted in manifest.sha256.items():
            if name not in PARTS:
                raise BadArchive(f"{path} holds an unknown part '{name}'.")
            if _copied_out(archive, name, to=into / name) != wanted:
                raise BadArchive(
                    f"{path} is damaged: {name} does not have the checksum that its manifest names."
                )
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        raise BadArchive(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise BadArchive(f"{path} is not a whole backup: {error}.") from error


def _manifest(archive: zipfile.ZipFile, *, path: Path) -> Manifest:
    try:
        told = json.loads(archive.read(MANIFEST))
        if told.get("format") != FORMAT:
            raise BadArchive(f"{path} has the format {told.get('format')}; this Flowdesk reads {FORMAT}.")
        manifest = Manifest.from_json(json.dumps(told))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadArchive(f"{path} is not a backup of Flowdesk's.") from error
    if not {DUMP, SECRET_KEY} <= set(manifest.sha256):
        raise BadArchive(f"{path} lacks a part: {', '.join({DUMP, SECRET_KEY} - set(manifest.sha256))}.")
    return manifest


def _copied_out(archive: zipfile.ZipFile, name: str, *, to: Path) -> str:
    """Copy a part to a file of our own; its SHA-256."""
    digest = hashlib.sha256()
    file = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream, archive.open(name) as member:
        while piece := member.read(PIECE):
            digest.update(piece)
            stream.write(piece)
    return digest.hexdigest()
